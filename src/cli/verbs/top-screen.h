/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* TopScreen: the terminal while top has it. One for the process, as the terminal is. */

bool top_screen_is_possible(void);
int top_screen_enter(void);
void top_screen_leave(void);
void top_screen_draw(const char *text);
bool top_screen_wants_end(void);
