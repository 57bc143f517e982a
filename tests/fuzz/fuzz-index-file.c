/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a modules.*.bin: refused with a reason, or everything that can be asked of it is in bounds
 * and agrees.
 */

#include "common/index/index-file.h"
#include "support.h"

typedef struct Walk {
        const IndexFile *file;
        size_t n_entries;
        size_t n_bytes;
        char *last;                     /* the key before this one */
} Walk;

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

/* As it is, unchecked: an answer or an error, in bounds and in an end. */
static void use_unchecked(const uint8_t *data, size_t size) {
        static const char *const keys[] = { "", "a", "usb:v0525pA4A5d0000", "pci:v00008086d00000C00", "*", "of:N*T*" };
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        static FuzzFile file = { .fd = -EBADF };

        if (file.fd < 0)
                fuzz_file_open(&file, "modules.bin");
        fuzz_file_write(&file, data, size);
        if (index_file_map(&f, file.path) < 0)
                return;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                const char *value;
                size_t n = 0;
                int r = index_file_search_wild(f, keys[i], on_value, &n);

                must(r == 0 || r == -EBADMSG);
                r = index_file_search(f, keys[i], &value);
                must(r == 0 || r == -EBADMSG || r == -ENOENT);
                must(r < 0 || strlen(value) < size);
        }
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
        use_unchecked(data, size);
        return 0;
}
