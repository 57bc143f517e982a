/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* LoaderRest: gives memory back to the kernel while there is nothing to do. */
void loader_rest(void);
