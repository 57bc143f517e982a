/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sentences that both lkmd and lkmctl use, since lkmctl answers some questions itself. */

#define NO_INDEX_TEXT "there is no usable module index in %s" /* the directory */
#define NO_SUCH_MODULE_TEXT "no module and no alias is called '%s' in %s" /* the key, the directory */
#define UNKNOWN_PARAMETER_TEXT "%s has no parameter '%s'" /* the module, the name */
#define UNKNOWN_PARAMETER_HINT "modinfo -p %s lists those that it has" /* the module */
#define MODULE_FILE_TEXT "modules go by their names, and '%s' is a file: that of %s" /* the file, its name */
#define NO_SUCH_MODULE_HINT_FOR(depmod) "check the spelling; if its package was just installed, run " depmod
#define NO_SUCH_MODULE_HINT NO_SUCH_MODULE_HINT_FOR("depmod -a")
