/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* ImageFile: the files in the directory of images, one for each kernel. */

int image_file_write(const char *dir, const char *release, const void *image, size_t size);
int image_file_tidy(const char *dir, const char *release, const char *module_root);
