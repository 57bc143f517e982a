/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* In names of modules '-' and '_' are one letter, except inside of [..]. */
bool module_name_normalize_bytes(char *name, size_t length);
bool module_name_normalize_in_place(char *name);
int module_name_normalize(const char *name, char *ret, size_t size);

bool module_name_equal(const char *a, const char *b, size_t n); /* of modules and of their parameters */
size_t module_name_of_path(const char *path, size_t n, char *ret, size_t size);
