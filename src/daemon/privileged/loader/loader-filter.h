/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* LoaderFilter: gives up all system calls but those that lkmd-loader makes, for good. */
int loader_filter_install(void);
