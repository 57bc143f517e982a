/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileFacts: remembers the facts of module files, and which of them are sound. Owns its entries, one for each path
 * that was ever asked about: at most as many as there are modules.
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
        bool is_sound;                  /* module_fault_look() has found nothing */
        bool is_read;                   /* and need not be again; @facts and @error are of the file as it is now */
        int error;                      /* why it could not be read; 0: it was */
        ModuleFacts facts;
        bool is_name_told;
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

/* Forgets what was known of the file as it was before. */
static void renew_entry(Entry *e, const struct stat *st) {
        e->device = st->st_dev;
        e->inode = st->st_ino;
        e->size = st->st_size;
        e->changed = st->st_ctim;
        module_facts_clear(&e->facts);
        e->is_sound = e->is_read = e->is_name_told = false;
}

static Entry *find_entry(const FileFacts *f, const char *path) {
        size_t i;

        return name_table_find(f->by_path, path, &i) ? f->entries[i] : NULL;
}

/* Return: NULL if the file is not there, or if there is no memory. */
static Entry *get_entry(FileFacts *f, const char *path) {
        struct stat st;
        Entry *e;

        if (file_access_stat(path, &st) < 0)
                return NULL;
        e = find_entry(f, path) ?: add_entry(f, path);
        if (e && !is_current(e, &st))
                renew_entry(e, &st);
        return e;
}

/* Does an error of ModuleInfo mean that the file is broken? Else it is about the reader. */
static bool is_about_the_file(int error) {
        return error < 0 && error != -ENOSYS && error != -EOPNOTSUPP && error != -ENOMEM &&
               error != -EACCES && error != -EPERM && error != -EMFILE && error != -ENFILE &&
               error != -EFBIG;
}

/* What the reader lacked today, such as a file descriptor, it may have tomorrow. A file that is too large stays so. */
static void read_entry(Entry *e) {
        if (e->is_read)
                return;
        e->error = MIN(module_info_facts(e->path, &e->facts), 0);
        e->is_read = e->error == 0 || e->error == -EFBIG || is_about_the_file(e->error);
}

/* Return: NULL if the file cannot be read, or if there is no memory. */
const ModuleFacts *file_facts_get(const char *path, void *userdata) {
        Entry *e;

        assert(path && userdata);

        e = get_entry(userdata, path);
        if (!e)
                return NULL;
        read_entry(e);
        return e->error == 0 ? &e->facts : NULL;
}

/* kbuild names the files of the kernel's own modules like the modules; those of others are what their makers want. */
static bool is_of_the_kernel(const char *path) {
        return startswith(module_path_get_place(path), "kernel/");
}

/**
 * file_facts_name() - how does the kernel call the module of a file?
 * @effort: what to do for the answer
 *
 * Return: its name; NULL: not known.
 */
const char *file_facts_name(FileFacts *f, const char *path, FileFactsEffort effort) {
        bool reads = effort == FACTS_READ || (effort == FACTS_READ_UNUSUAL && !is_of_the_kernel(path));
        Entry *e;

        assert(f && path);

        if (!reads && !find_entry(f, path))
                return NULL;
        e = get_entry(f, path);
        if (!e)
                return NULL;
        if (reads)
                read_entry(e);
        return e->is_read && e->error == 0 ? e->facts.name : NULL;
}

/* Return: true the first time for each file, as long as it does not change. */
bool file_facts_tell_name(FileFacts *f, const char *path) {
        Entry *e;

        assert(f && path);

        e = get_entry(f, path);
        if (!e || e->is_name_told)
                return false;
        return e->is_name_told = true;
}

static int check_inside(Entry *e, ModuleFault *ret) {
        read_entry(e);
        if (is_about_the_file(e->error))
                ret->kind = MODULE_FILE_BROKEN;
        else
                ret->unknown = e->error;
        return e->error == 0 ? module_fault_of_vermagic(e->path, e->facts.vermagic, ret) : 0;
}

/**
 * file_facts_check() - what is wrong with a module file?
 * @effort: with FACTS_READ, what is inside of it counts, too
 * @ret:    to be cleared
 *
 * Only the answer "nothing" is remembered: a directory on the way may be put right without a change of the file. If it is
 * made worse, lkmd-loader still refuses.
 *
 * Return: 0; -ENOMEM.
 */
int file_facts_check(FileFacts *f, const char *path, FileFactsEffort effort, ModuleFault *ret) {
        Entry *e;
        int r;

        assert(f && path && ret);

        *ret = (ModuleFault) {};
        e = get_entry(f, path);
        if (!e || !e->is_sound) {
                r = module_fault_look(path, ret);
                if (r < 0 || ret->kind != MODULE_HAS_NO_FAULT || ret->unknown != 0 || !e)
                        return r;
                e->is_sound = true;
        }
        return effort == FACTS_READ ? check_inside(e, ret) : 0;
}
