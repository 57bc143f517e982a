/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SoftdepTable: which modules go before and after which. Every line whose pattern matches a module counts
 * for it; kmod uses only the first one (kmod issue 33). Owns its words.
 */

#include "common/index/softdep-table.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/string-arena.h"

#define BLANKS " \t\n\v\f\r"

typedef struct SoftdepLine {
        const ConfigEntry *config;
        size_t first, n;                /* in deps */
} SoftdepLine;

struct SoftdepTable {
        StringArena strings;
        SoftdepLine *lines;
        size_t n_lines;
        IndexSoftdep *deps;
        size_t n_deps, n_allocated;
};

static int add_dep(SoftdepTable *t, const char *word, size_t n, bool post, const ConfigEntry *config) {
        char *key;
        int r;

        r = array_reserve(&t->deps, &t->n_allocated, t->n_deps + 1, sizeof(*t->deps));
        if (r < 0)
                return r;
        key = string_arena_add(&t->strings, word, n);
        if (!key)
                return -ENOMEM;
        (void) module_name_normalize_in_place(key); /* what is no name finds nothing later */

        t->deps[t->n_deps++] = (IndexSoftdep) { .key = key, .post = post, .config = config };
        return 0;
}

/* "pre: a b post: c"; words before the first of "pre:" and "post:" are ignored. */
static int add_line(SoftdepTable *t, SoftdepLine *line, const ConfigEntry *config) {
        enum { NONE, PRE, POST } mode = NONE;
        const char *p = config->value;
        size_t n;

        *line = (SoftdepLine) { .config = config, .first = t->n_deps };
        for (p += strspn(p, BLANKS); *p; p += n + strspn(p + n, BLANKS)) {
                n = strcspn(p, BLANKS);
                if (n == strlen("pre:") && startswith(p, "pre:"))
                        mode = PRE;
                else if (n == strlen("post:") && startswith(p, "post:"))
                        mode = POST;
                else if (mode != NONE) {
                        int r = add_dep(t, p, n, mode == POST, config);

                        if (r < 0)
                                return r;
                }
        }

        line->n = t->n_deps - line->first;
        return 0;
}

/**
 * softdep_table_new() - split the softdep lines of a configuration
 * @config: borrowed for the life of the table
 *
 * Return: 0; -ENOMEM.
 */
int softdep_table_new(SoftdepTable **ret, const ModprobeConfig *config) {
        _cleanup_(softdep_table_freep) SoftdepTable *t = NULL;
        const ConfigEntry *entries;
        int r;

        assert(ret && config);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;

        entries = modprobe_config_entries(config, CONFIG_SOFTDEP, &t->n_lines);
        t->lines = calloc(MAX(t->n_lines, (size_t) 1), sizeof(*t->lines));
        if (!t->lines)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_lines; i++) {
                r = add_line(t, &t->lines[i], &entries[i]);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(t);
        return 0;
}

SoftdepTable *softdep_table_free(SoftdepTable *t) {
        if (!t)
                return NULL;

        string_arena_clear(&t->strings);
        free(t->lines);
        free(t->deps);
        free(t);
        return NULL;
}

/**
 * softdep_table_find() - what goes before and after a module, all lines merged in their order
 * @module: normalised
 *
 * Return: 0; -ENOMEM.
 */
int softdep_table_find(const SoftdepTable *t, const char *module, IndexSoftdep **ret, size_t *ret_n) {
        _cleanup_(freep) IndexSoftdep *found = NULL;
        size_t n = 0;

        assert(t && module && ret && ret_n);

        for (size_t i = 0; i < t->n_lines; i++) {
                const SoftdepLine *line = &t->lines[i];
                IndexSoftdep *grown;

                if (line->n == 0 || !glob_match(line->config->name, module))
                        continue;
                grown = reallocarray(found, n + line->n, sizeof(*found));
                if (!grown)
                        return -ENOMEM;
                found = grown;
                memcpy(found + n, t->deps + line->first, line->n * sizeof(*found));
                n += line->n;
        }

        *ret = STEAL_PTR(found);
        *ret_n = n;
        return 0;
}
