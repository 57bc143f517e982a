/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/initramfs/cpio-archive.h"

/* Who made an image, as what is in it shows. */
typedef enum ImageMaker {
        IMAGE_MAKER_UNKNOWN,
        IMAGE_MAKER_INITRAMFS_TOOLS,
        IMAGE_MAKER_DRACUT,
        IMAGE_MAKER_MKINITCPIO,
        _IMAGE_MAKER_MAX,
} ImageMaker;

typedef struct ImageFile {
        char *name;                     /* without a slash in front */
        char *content;                  /* of a link, where it leads to; NULL: it is not known */
        size_t size;
        bool is_link;
        unsigned archive;               /* in which it is, and which file of it, for hard links */
        uint32_t inode, device[2];
} ImageFile;

/* ImageFiles: the configuration of modules that an initramfs has. A plain structure, empty at first. */
typedef struct ImageFiles {
        ImageFile *items;
        size_t n_items;
        size_t size;                    /* of all contents */
        unsigned n_archives;
        ImageMaker maker;
} ImageFiles;

const char *image_maker_to_string(ImageMaker maker);
int image_files_take(ImageFiles *f, const CpioEntry *e, ByteSource *s);
void image_files_clear(ImageFiles *f);
int image_files_write(const ImageFiles *f, FILE *out);
