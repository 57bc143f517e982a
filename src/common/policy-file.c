/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyFile: see policy-file.h. */

#include "common/policy-file.h"

/* Return: NULL. */
PolicyFile *policy_file_free(PolicyFile *f) {
        if (!f)
                return NULL;

        for (size_t i = 0; i < f->n_arrays; i++)
                free(f->arrays[i]);
        free(f->arrays);
        string_arena_clear(&f->strings);
        free(f->rules);
        free(f->includes);
        free(f->path);
        free(f);
        return NULL;
}
