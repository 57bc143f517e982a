/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* A file of which readers see either the old content or the new. */

int replace_file(const char *path, const char *text, size_t n);
int replace_file_keeping(const char *path, const char *text, size_t n);
