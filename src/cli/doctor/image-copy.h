/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

typedef enum ImageCopyKind {
        IMAGE_COPY_FILE,
        IMAGE_COPY_LINK,
        IMAGE_COPY_LOST,                /* its content is not known */
} ImageCopyKind;

typedef struct ImageCopyFile {
        char *name;                     /* as below "/", with a slash in front; escaped where it is not printable */
        char *content;                  /* of a link, where it leads to */
        size_t size;
        ImageCopyKind kind;
} ImageCopyFile;

/* ImageCopy: the configuration of modules in an initramfs, as lkmd-initramfs prints it. A plain structure. */
typedef struct ImageCopy {
        char *maker;
        ImageCopyFile *items;
        size_t n_items;
} ImageCopy;

int image_copy_read(const char *program, const char *image, ImageCopy *ret, char **ret_error);
int image_copy_parse(char *text, size_t size, ImageCopy *ret);
const ImageCopyFile *image_copy_find(const ImageCopy *c, const char *name);
void image_copy_clear(ImageCopy *c);
