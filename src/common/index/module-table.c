/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleTable: modules.dep and modules.builtin in memory. depmod(8) writes all dependencies of a module,
 * also the indirect ones, behind its path, and the last one is loaded first, so nothing has to be searched.
 * Owns the modules and their strings; the lines of modules.dep are borrowed until the table is sealed.
 */

#include "common/index/module-table.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/array.h"
#include "common/base/module-name.h"
#include "common/base/name-table.h"
#include "common/base/string-arena.h"

#define BLANKS " \t"

typedef enum Origin {
        LISTED  = 1U << 0,              /* has a line in modules.dep */
        BUILTIN = 1U << 1,
} Origin;

typedef struct Record {                 /* one module until the table is sealed */
        const char *name, *path;
        const char *needs;              /* rest of the line: paths, nearest first; NULL: none */
        size_t n_needs;
        uint8_t origin;                 /* of Origin; 0: only known as a dependency */
} Record;

struct ModuleTable {
        char *dir;                      /* with '/' at its end */
        size_t dir_length;
        StringArena strings;
        NameTable *names;               /* to the number in records, later in modules */
        Record *records;
        size_t n_records, n_allocated;
        IndexModule *modules;
        uint8_t *origins;               /* of each module */
        const IndexModule **needs;      /* the dependencies of all modules, one list behind the other */
};

int module_table_new(ModuleTable **ret, const char *module_dir) {
        _cleanup_(module_table_freep) ModuleTable *t = NULL;
        int r;

        assert(ret && module_dir);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        if (asprintf(&t->dir, "%s/", module_dir) < 0) {
                t->dir = NULL;
                return -ENOMEM;
        }
        t->dir_length = strlen(t->dir);
        r = name_table_new(&t->names);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(t);
        return 0;
}

ModuleTable *module_table_free(ModuleTable *t) {
        if (!t)
                return NULL;

        string_arena_clear(&t->strings);
        name_table_free(t->names);
        free(t->dir);
        free(t->records);
        free(t->modules);
        free(t->origins);
        free(t->needs);
        free(t);
        return NULL;
}

/* @name and @path are in the table's arena. */
static int add_record(ModuleTable *t, const char *name, const char *path, const char *needs,
                      uint8_t origin) {
        int r;

        r = array_reserve(&t->records, &t->n_allocated, t->n_records + 1, sizeof(*t->records));
        if (r < 0)
                return r;
        r = name_table_add(t->names, name, t->n_records);
        if (r < 0)
                return r;

        t->records[t->n_records++] = (Record) {
                .name = name,
                .path = path,
                .needs = needs,
                .origin = origin,
        };
        return 0;
}

/* Relative paths are below the module directory; absolute ones are kept (modules from elsewhere). */
static const char *keep_path(ModuleTable *t, const char *path, size_t n) {
        if (n > 0 && path[0] == '/')
                return string_arena_add(&t->strings, path, n);

        return string_arena_join(&t->strings, t->dir, t->dir_length, path, n);
}

/**
 * module_table_add() - add one entry of modules.dep
 * @name: the key
 * @line: "path: path..."; borrowed until the table is sealed
 *
 * Return: 0, also for a name that is there already: its first line counts; -EINVAL for a line without a
 * colon; -ENOMEM.
 */
int module_table_add(ModuleTable *t, const char *name, const char *line) {
        const char *path, *colon;
        size_t known;
        char *copy;

        assert(t && name && line && !t->modules);

        colon = strchr(line, ':');
        if (!colon)
                return -EINVAL;
        if (name_table_find(t->names, name, &known))
                return 0;

        copy = string_arena_add(&t->strings, name, strlen(name));
        path = keep_path(t, line, (size_t) (colon - line));
        if (!copy || !path)
                return -ENOMEM;

        return add_record(t, copy, path, colon + 1, LISTED);
}

/**
 * module_table_add_builtin() - add a module that is part of the kernel
 *
 * A name that modules.dep also has is built in: there is nothing to load, as in kmod.
 *
 * Return: 0; -ENOMEM.
 */
int module_table_add_builtin(ModuleTable *t, const char *name) {
        size_t i;
        char *copy;

        assert(t && name && !t->modules);

        if (name_table_find(t->names, name, &i)) {
                t->records[i].path = NULL;
                t->records[i].needs = NULL;
                t->records[i].origin |= BUILTIN;
                return 0;
        }

        copy = string_arena_add(&t->strings, name, strlen(name));
        return copy ? add_record(t, copy, NULL, NULL, BUILTIN) : -ENOMEM;
}

/* Finds the number of the module with a path in modules.dep; one without a line of its own gets a record. */
static int resolve_path(ModuleTable *t, const char *path, size_t n, uint32_t *ret) {
        const char *copy, *kept;
        char name[256];
        size_t length, i;
        int r;

        length = module_name_of_path(path, n, name, sizeof(name));
        if (!name_table_find(t->names, name, &i)) {
                copy = string_arena_add(&t->strings, name, length);
                kept = keep_path(t, path, n);
                if (!copy || !kept)
                        return -ENOMEM;
                i = t->n_records;
                r = add_record(t, copy, kept, NULL, 0);
                if (r < 0)
                        return r;
        }

        *ret = (uint32_t) i;
        return 0;
}

static size_t count_words(const char *text) {
        size_t n = 0;

        while (*(text += strspn(text, BLANKS))) {
                n++;
                text += strcspn(text, BLANKS);
        }

        return n;
}

/* Turns all lists of paths into numbers of modules, one list behind the other. */
static int resolve_all(ModuleTable *t, uint32_t **ret, size_t *ret_n) {
        _cleanup_(freep) uint32_t *indexes = NULL;
        size_t n = 0, n_listed = t->n_records;
        int r;

        for (size_t i = 0; i < n_listed; i++)
                if (t->records[i].needs)
                        n += t->records[i].n_needs = count_words(t->records[i].needs);

        indexes = reallocarray(NULL, MAX(n, (size_t) 1), sizeof(*indexes));
        if (!indexes)
                return -ENOMEM;

        n = 0;
        for (size_t i = 0; i < n_listed; i++) {
                const char *p = t->records[i].needs;

                for (size_t k = 0; k < t->records[i].n_needs; k++) {
                        size_t length;

                        assert(p);
                        p += strspn(p, BLANKS);
                        length = strcspn(p, BLANKS);
                        /* the last one in the line is loaded first */
                        r = resolve_path(t, p, length, &indexes[n + t->records[i].n_needs - 1 - k]);
                        if (r < 0)
                                return r;
                        p += length;
                }
                n += t->records[i].n_needs;
        }

        *ret = STEAL_PTR(indexes);
        *ret_n = n;
        return 0;
}

/**
 * module_table_seal() - resolve all dependencies
 *
 * Afterwards the lines that were added are not needed any more, and nothing can be added.
 *
 * Return: 0; -ENOMEM.
 */
int module_table_seal(ModuleTable *t) {
        _cleanup_(freep) uint32_t *indexes = NULL;
        size_t n = 0, at = 0;
        int r;

        assert(t && !t->modules);

        r = resolve_all(t, &indexes, &n);
        if (r < 0)
                return r;

        t->modules = calloc(MAX(t->n_records, (size_t) 1), sizeof(*t->modules));
        t->origins = calloc(MAX(t->n_records, (size_t) 1), sizeof(*t->origins));
        t->needs = reallocarray(NULL, MAX(n, (size_t) 1), sizeof(*t->needs));
        if (!t->modules || !t->origins || !t->needs)
                return -ENOMEM;

        for (size_t i = 0; i < t->n_records; i++) {
                t->modules[i] = (IndexModule) {
                        .name = t->records[i].name,
                        .path = t->records[i].path,
                        .dependencies = t->needs + at,
                        .n_dependencies = t->records[i].n_needs,
                };
                t->origins[i] = t->records[i].origin;
                for (size_t k = 0; k < t->records[i].n_needs; k++, at++)
                        t->needs[at] = &t->modules[indexes[at]];
        }

        free(t->records);
        t->records = NULL;
        return 0;
}

static const IndexModule *find(const ModuleTable *t, const char *name, uint8_t origin) {
        size_t i;

        assert(t && name && t->modules);

        if (!name_table_find(t->names, name, &i) || (t->origins[i] & origin) != origin)
                return NULL;

        return &t->modules[i];
}

const IndexModule *module_table_find_listed(const ModuleTable *t, const char *name) {
        return find(t, name, LISTED);
}

const IndexModule *module_table_find_builtin(const ModuleTable *t, const char *name) {
        return find(t, name, BUILTIN);
}

const IndexModule *module_table_find(const ModuleTable *t, const char *name) {
        return find(t, name, 0);
}

size_t module_table_count(const ModuleTable *t) {
        assert(t);

        return t->n_records;
}

/* Module number @i, below module_table_count(); also one that is only known as a dependency. */
const IndexModule *module_table_get(const ModuleTable *t, size_t i) {
        assert(t && t->modules && i < t->n_records);

        return &t->modules[i];
}
