/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"

/* StringList: a few strings in an array that ends with NULL, like argv. NULL is an empty list, too. */
char **string_list_free(char **strings);
DEFINE_CLEANUP(char *, string_list_free);

int string_list_new(char ***ret);
int string_list_append(char ***strings, const char *text, size_t length);
size_t string_list_count(char *const *strings);
bool string_list_contains(char *const *strings, const char *text);
