/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * The image of a module directory, however young its files are; to be freed. Aborts when it cannot be made.
 */
void *fake_image(const char *module_dir, size_t *ret_size);
