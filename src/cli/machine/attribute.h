/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Attribute: the small files of /sys and /proc, each of which has one value. */

int attribute_new(const char *directory, const char *name, char **ret);
int attribute_unsigned(const char *directory, const char *name, uint64_t *ret);
int attribute_link_new(const char *directory, const char *name, char **ret);
