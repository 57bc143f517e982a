/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

/* A directory that is gone after the test. All functions abort when they cannot do what they are for. */
typedef struct Scratch {
        char dir[64];
} Scratch;

void scratch_open(Scratch *s);
void scratch_open_below(Scratch *s,
                        const char *base); /* such as /var/lib, where nobody but root creates files */
void scratch_close(Scratch *s);

/* @name is below the directory; directories on its way are made. */
void scratch_write(const Scratch *s, const char *name, const char *text);
void scratch_write_bytes(const Scratch *s, const char *name, const void *data, size_t size);
void scratch_mkdir(const Scratch *s, const char *name);
void scratch_link(const Scratch *s, const char *name, const char *to);
void scratch_remove(const Scratch *s, const char *name);
void scratch_move(const Scratch *s, const char *from, const char *to);

/* Valid until the eighth call after it. */
const char *scratch_path(const Scratch *s, const char *name);
