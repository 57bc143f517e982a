/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/base/util.h"

/* Screen: stands in the place of standard output where that is a terminal. */
typedef struct Screen Screen;

int screen_new(Screen **ret, bool utf8, bool paged, bool folded);
Screen *screen_free(Screen *s);
DEFINE_CLEANUP(Screen, screen_free);
void screen_fold(Screen *s, bool fold);
