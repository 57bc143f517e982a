/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileFacts: remembers the facts of module files. Owns its entries, one for each path that was ever asked
 * about: at most as many as there are modules.
 */

#include "common/module/file-facts.h"

#include <assert.h>
#include <sys/stat.h>

#include "common/base/array.h"
#include "common/base/file-access.h"
#include "common/base/name-table.h"

typedef struct Entry {
        char *path;
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec changed;
        bool known;                     /* false: the file as it is now could not be read */
        ModuleFacts facts;
} Entry;

struct FileFacts {
        Entry **entries;
        size_t n_entries;
        NameTable *by_path;
};

int file_facts_new(FileFacts **ret) {
        _cleanup_(file_facts_freep) FileFacts *f = NULL;
        int r;

        assert(ret);

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        r = name_table_new(&f->by_path);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(f);
        return 0;
}

static void entry_free(Entry *e) {
        free(e->path);
        module_facts_clear(&e->facts);
        free(e);
}

/* Return: NULL. */
FileFacts *file_facts_free(FileFacts *f) {
        if (!f)
                return NULL;

        name_table_free(f->by_path);
        for (size_t i = 0; i < f->n_entries; i++)
                entry_free(f->entries[i]);
        free(f->entries);
        free(f);
        return NULL;
}

static Entry *add_entry(FileFacts *f, const char *path) {
        Entry *e;

        if (array_grow(&f->entries, f->n_entries, sizeof(*f->entries)) < 0)
                return NULL;
        e = calloc(1, sizeof(*e));
        if (!e)
                return NULL;
        e->path = strdup(path);
        if (!e->path || name_table_add(f->by_path, e->path, f->n_entries) < 0) {
                entry_free(e);
                return NULL;
        }
        return f->entries[f->n_entries++] = e;
}

static bool is_current(const Entry *e, const struct stat *st) {
        return e->inode == st->st_ino && e->device == st->st_dev && e->size == st->st_size &&
               e->changed.tv_sec == st->st_ctim.tv_sec && e->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static void read_entry(Entry *e, const struct stat *st) {
        e->device = st->st_dev;
        e->inode = st->st_ino;
        e->size = st->st_size;
        e->changed = st->st_ctim;
        module_facts_clear(&e->facts);
        e->known = module_info_facts(e->path, &e->facts) >= 0;
}

/* Return: NULL if the file cannot be read, or if there is no memory. */
const ModuleFacts *file_facts_get(const char *path, void *userdata) {
        FileFacts *f = userdata;
        struct stat st;
        size_t i;
        Entry *e;

        assert(path && f);

        if (file_access_stat(path, &st) < 0)
                return NULL;
        e = name_table_find(f->by_path, path, &i) ? f->entries[i] : add_entry(f, path);
        if (!e)
                return NULL;
        if (!is_current(e, &st))
                read_entry(e, &st);
        return e->known ? &e->facts : NULL;
}
