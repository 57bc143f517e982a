/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/base/problem-list.h"

/* Obstacle: why lkmd cannot be in charge, in a sentence, and what helps. Both are "" if there is none. */
typedef struct Obstacle {
        char text[PATH_MAX + 256];
        char remedy[PATH_MAX + 64];
} Obstacle;

bool obstacle_exists(const Obstacle *o);
bool obstacle_equal(const Obstacle *a, const Obstacle *b);

void obstacle_set(Obstacle *o, const char *text, const char *remedy);
void obstacle_set_unread(Obstacle *o, const Problem *unread, bool reader_in_trouble);
void obstacle_set_no_devices(Obstacle *o, int error);
