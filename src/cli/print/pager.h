/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"

/* Pager: the program that shows text a screen at a time. */
typedef struct Pager Pager;

int pager_new(Pager **ret, bool utf8);
Pager *pager_free(Pager *p);
DEFINE_CLEANUP(Pager, pager_free);
int pager_write(Pager *p, const char *text, size_t size);
