/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Ctrl-C means while a verb waits. */

int interrupt_is_the_end(void);
int interrupt_says(const char *text);
