/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a modules.*.bin: refused with a reason, or everything that can be asked of it is in bounds
 * and agrees.
 */

#include <string.h>

#include "common/index-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Walk {
        const IndexFile *file;
        size_t n_entries;
        size_t n_bytes;
        char *last;                     /* the key before this one */
} Walk;

/* The program is worth nothing if NDEBUG takes its assertions. */
static void must(bool condition) {
        if (!condition)
                __builtin_trap();
}

static int on_value(const char *key, const char *value, uint32_t priority, void *userdata) {
        size_t *n = userdata;

        (*n)++;
        return 0;
}

static int on_entry(const char *key, const char *value, uint32_t priority, void *userdata) {
        const char *first = NULL;
        Walk *w = userdata;
        size_t n = 0;

        w->n_entries++;
        w->n_bytes += strlen(key) + strlen(value);
        if (w->last && streq(w->last, key))
                return 0;
        must(!w->last || strcmp(w->last, key) < 0);
        free(w->last);
        w->last = strdup(key);

        must(index_file_search(w->file, key, &first) == 0);
        must(streq(first, value));
        must(index_file_search_all(w->file, key, on_value, &n) == 0);
        must(n > 0);
        return w->n_bytes > 1000000 ? -ECANCELED : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        ProblemList problems = {};
        const char *value;
        int r;

        r = index_file_new(&f, "fuzz", data, size, &problems);
        if (r < 0)
                must(r == -EBADMSG && problems.n_items == 1 && !f);
        else {
                Walk w = { .file = f };

                must(problems.n_items == 0);
                r = index_file_foreach(f, on_entry, &w);
                must(r == -ECANCELED || (r == 0 && w.n_entries == index_file_count(f)));
                (void) index_file_search(f, "", &value);
                (void) index_file_search(f, "pci:v00008086d00000C00", &value);
                free(w.last);
        }
        problem_list_clear(&problems);
        return 0;
}
