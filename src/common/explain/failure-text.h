/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lkmd and lkmctl, which answers some questions itself, both say of a request that means nothing. */

#define NO_INDEX_TEXT "there is no usable module index in %s" /* the directory of modules */
#define NO_SUCH_MODULE_TEXT "no module and no alias is called '%s' in %s" /* likewise */
#define NO_SUCH_MODULE_HINT "check the spelling; if its package was just installed, run depmod -a"
