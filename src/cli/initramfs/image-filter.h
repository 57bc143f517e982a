/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ImageFilter: gives up all that reading a file that is open already does not need. */
int image_filter_install(void);
