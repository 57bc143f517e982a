/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Text broken into lines where a reader expects it. */
size_t wrap_width(void);
size_t wrap_measure(const char *p, size_t *ret_columns);
size_t wrap_columns(const char *text);
size_t wrap_longest_piece(const char *text);
int wrap_shorten(const char *text, size_t width, bool utf8, char **ret);
int wrap_text(const char *text, size_t width, char **ret);
void wrap_paragraph(const char *text, size_t indent);
void wrap_print(FILE *f, const char *text, size_t indent, size_t width);
