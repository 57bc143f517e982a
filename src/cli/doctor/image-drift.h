/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/doctor/image-copy.h"

typedef enum DriftKind {
        DRIFT_DIFFERS,
        DRIFT_MISSING,                  /* in the image */
        DRIFT_ONLY_THERE,               /* on disk it was removed, or has another name */
        _DRIFT_KIND_MAX,
} DriftKind;

typedef struct Drift {
        DriftKind kind;
        char *path;                     /* on disk */
} Drift;

/* Drifts: where the configuration in an image is not the one on disk. A plain structure. */
typedef struct Drifts {
        Drift *items;
        size_t n_items;
} Drifts;

int drifts_find(const ImageCopy *image, const char *root, const char *denied, Drifts *ret);
void drifts_clear(Drifts *l);
const char *drift_kind_words(DriftKind kind);
