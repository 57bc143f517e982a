/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * Arrays that grow. @items is the address of the pointer to the items, whatever their type; -ENOMEM leaves the array
 * as it is.
 */
int array_grow(void *items, size_t n, size_t size);
int array_reserve(void *items, size_t *allocated, size_t n, size_t size);
void array_shrink(void *items, size_t *allocated, size_t n, size_t size);
