/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

typedef struct BootImage {
        char *path;
        char *release;                  /* of its kernel, or what its name says in its place */
        bool is_running;                /* that kernel runs */
} BootImage;

/* BootImages: the initramfs of each kernel that is installed. A plain structure. */
typedef struct BootImages {
        BootImage *items;
        size_t n_items;
} BootImages;

int boot_images_find(const char *boot, const char *running, const char *package, BootImages *ret);
void boot_images_clear(BootImages *l);
