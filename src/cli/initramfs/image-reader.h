/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/initramfs/image-files.h"

/*
 * ImageReader: goes through an initramfs, which is one archive or several behind each other, the last of them
 * mostly compressed.
 */
int image_read(int fd, uint64_t size_max, ImageFiles *ret);
const char *image_error_words(int error);
