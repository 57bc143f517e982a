/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* A file that readers see whole, the old one or the new one. */

int replace_file(const char *path, const char *text, size_t n);
