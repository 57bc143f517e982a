/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#include "common/alias/alias-matcher.h"
#include "common/index/module-table.h"

/*
 * IndexImage: an IndexTree as a file: position independent, so that it can be mapped and used as it is. A
 * part is an array of numbers or bytes. Whoever changes what a part means, or what is computed for it, gives
 * IMAGE_FORMAT another value.
 */
#define IMAGE_FORMAT 1

typedef enum ImagePart {
        IMAGE_ORIGIN,
        IMAGE_MODULES,                  /* as in ModulePart */
        IMAGE_ALIASES = IMAGE_MODULES + _MODULE_PART_MAX, /* as in AliasPart, all empty: there are none; .. */
        IMAGE_ALIAS_MODULES = IMAGE_ALIASES + _ALIAS_PART_MAX, /* .. and AliasTable.modules */
        IMAGE_BUILTIN_ALIASES,
        IMAGE_BUILTIN_ALIAS_MODULES = IMAGE_BUILTIN_ALIASES + _ALIAS_PART_MAX,
        IMAGE_SYMBOLS,                  /* modules.symbols.bin */
        _IMAGE_PART_MAX,
} ImagePart;

int index_image_compose(const struct iovec *parts, void **ret, size_t *ret_size);
void index_image_seal(void *image, size_t size);
const char *index_image_parse(const void *image, size_t size, struct iovec *ret_parts);
int index_image_map(const char *dir, const char *release, struct iovec *ret, const char **ret_reason);
