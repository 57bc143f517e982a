/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexLookup: what a name or an alias means. Only reads the index; the caller owns the answer and the
 * memory that a look-up needs.
 */

#include "common/index/index-lookup.h"

#include <assert.h>

#include "common/alias/alias-lookup.h"
#include "common/base/array.h"
#include "common/base/enum-names.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/index/index-internal.h"

typedef struct IndexSearch {
        const Index *index;             /* of this look-up */
        AliasLookup *aliases;
        IndexMatch *matches;
        size_t n_matches, n_allocated;
        size_t key_length;
        char key[REQUEST_KEY_MAX + 1];  /* normalised */
} IndexSearch;

static const char *const source_names[_INDEX_SOURCE_MAX] = {
        [INDEX_CONFIG_ALIAS]  = "config_alias",
        [INDEX_NAME]          = "name",
        [INDEX_SYMBOL]        = "symbol",
        [INDEX_COMMAND]       = "command",
        [INDEX_ALIAS]         = "alias",
        [INDEX_BUILTIN]       = "builtin",
        [INDEX_BUILTIN_ALIAS] = "builtin_alias",
};

const char *index_source_to_string(IndexSource source) {
        return ENUM_NAME(source_names, source);
}

/*
 * Return: room for a match, to be filled in: copying what was just written is slow. NULL: there is no
 * memory.
 */
static IndexMatch *add_match(IndexSearch *s) {
        if (s->n_matches == s->n_allocated &&
            array_reserve(&s->matches, &s->n_allocated, s->n_matches + 1, sizeof(*s->matches)) < 0)
                return NULL;

        return &s->matches[s->n_matches++];
}

/* ------------------------------------------------------------------------------------------------ stages */

static int find_config_aliases(IndexSearch *s) {
        const ConfigEntry *entries;
        const AliasMatch *found;
        size_t n, n_entries;
        int r;

        if (!s->index->config_aliases)
                return 0;

        r = alias_lookup_find(s->aliases, s->index->config_aliases, s->key, s->key_length, &found, &n);
        if (r < 0)
                return r;

        entries = modprobe_config_entries(s->index->config, CONFIG_ALIAS, &n_entries);
        for (size_t i = 0; i < n; i++) {
                const ConfigEntry *e = &entries[found[i].priority];
                IndexMatch *m = add_match(s);

                if (!m)
                        return -ENOMEM;
                *m = (IndexMatch) {
                        .name = e->value,
                        .module = module_table_find(s->index->tree.modules, e->value),
                        .alias = e->name,
                        .option_key = e->name,
                        .source = INDEX_CONFIG_ALIAS,
                        .config = e,
                };
        }

        return 0;
}

static int add_module(IndexSearch *s, const IndexModule *module, IndexSource source) {
        IndexMatch *m = add_match(s);

        if (!m)
                return -ENOMEM;
        *m = (IndexMatch) { .name = module->name, .module = module, .source = source };
        return 0;
}

static int find_name(IndexSearch *s) {
        const IndexModule *m;

        if (strchr(s->key, ':'))
                return 0;
        m = module_table_find_listed(s->index->tree.modules, s->key);
        return m ? add_module(s, m, INDEX_NAME) : 0;
}

/* depmod(8) writes the values of a symbol by ascending priority, no two the same. */
static int on_symbol(const char *key, const char *value, uint32_t priority, void *userdata) {
        IndexSearch *s = userdata;
        IndexMatch *m = add_match(s);

        if (!m)
                return -ENOMEM;
        *m = (IndexMatch) {
                .name = value,
                .module = module_table_find(s->index->tree.modules, value),
                .alias = s->key,
                .option_key = s->key,
                .source = INDEX_SYMBOL,
        };
        return 0;
}

static int find_symbol(IndexSearch *s) {
        int r;

        if (!s->index->tree.symbols || !startswith(s->key, "symbol:"))
                return 0;

        r = index_file_search_all(s->index->tree.symbols, s->key, on_symbol, s);
        return r == -ENOENT ? 0 : r;
}

static int find_command(IndexSearch *s) {
        const ConfigEntry *e;
        IndexMatch *m;
        size_t i;

        if (!name_table_find(s->index->commands, s->key, &i))
                return 0;
        m = add_match(s);
        if (!m)
                return -ENOMEM;

        e = index_get_command(s->index, i);
        *m = (IndexMatch) {
                .name = e->name,
                .module = module_table_find(s->index->tree.modules, e->name),
                .source = INDEX_COMMAND,
                .config = e,
        };
        return 0;
}

static int find_in(IndexSearch *s, const AliasTable *t, IndexSource source) {
        const AliasMatch *found;
        size_t n;
        int r;

        if (!t->matcher)
                return 0;

        r = alias_lookup_find(s->aliases, t->matcher, s->key, s->key_length, &found, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                uint32_t module = t->modules[found[i].value_id];
                IndexMatch *m = add_match(s);

                if (!m)
                        return -ENOMEM;
                *m = (IndexMatch) {
                        .name = found[i].value,
                        .module = module == MODULE_NONE ? NULL
                                                        : module_table_get(s->index->tree.modules, module),
                        .alias = found[i].pattern,
                        .option_key = s->key,
                        .source = source,
                };
        }

        return 0;
}

static int find_aliases(IndexSearch *s) {
        return find_in(s, &s->index->tree.aliases, INDEX_ALIAS);
}

static int find_builtin(IndexSearch *s) {
        const IndexModule *m = module_table_find_builtin(s->index->tree.modules, s->key);

        return m ? add_module(s, m, INDEX_BUILTIN) : 0;
}

static int find_builtin_aliases(IndexSearch *s) {
        return find_in(s, &s->index->tree.builtin_aliases, INDEX_BUILTIN_ALIAS);
}

static int search(IndexSearch *s) {
        /* in the order of IndexSource */
        static int (*const stages[])(IndexSearch *s) = {
                find_config_aliases, find_name,    find_symbol,          find_command,
                find_aliases,        find_builtin, find_builtin_aliases,
        };
        int r;

        for (size_t i = 0; i < ARRAY_LEN(stages) && s->n_matches == 0; i++) {
                r = stages[i](s);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* ------------------------------------------------------------------------------------------------ asking */

static IndexSearch *search_free(IndexSearch *s) {
        if (!s)
                return NULL;

        alias_lookup_free(s->aliases);
        free(s->matches);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(IndexSearch, search_free);

static int search_new(IndexSearch **ret) {
        _cleanup_(search_freep) IndexSearch *s = NULL;
        int r;

        s = malloc(sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->aliases = NULL;
        s->matches = NULL;
        s->n_allocated = 0;
        r = alias_lookup_new(&s->aliases);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(s);
        return 0;
}

/**
 * index_lookup() - what does a name or an alias mean?
 * @key:    bytes, as requested; not borrowed from @answer
 * @answer: overwritten; on failure it has no matches
 *
 * The first stage that finds anything ends the search: a line of modprobe.d hides the real module, a module
 * hides the aliases of its name (libkmod, kmod_module_new_from_lookup()).
 *
 * Return: 0, also if nothing was found; -ENAMETOOLONG: longer than REQUEST_KEY_MAX; -ENOMEM.
 */
int index_lookup(const Index *x, const char *key, IndexAnswer *answer) {
        IndexSearch *s;
        size_t length;
        int r;

        assert(x && key && answer);

        answer->n_matches = 0;
        length = strlen(key);
        if (length > REQUEST_KEY_MAX)
                return -ENAMETOOLONG;
        if (!answer->search) {
                r = search_new(&answer->search);
                if (r < 0)
                        return r;
        }

        s = answer->search;
        s->index = x;
        s->n_matches = 0;
        memcpy(s->key, key, length + 1);
        s->key_length = length;
        if (module_name_normalize_bytes(s->key, length)) {
                r = search(s);
                if (r < 0)
                        return r;
        }

        answer->matches = s->matches;
        answer->n_matches = s->n_matches;
        answer->key = s->key;
        return 0;
}

/* Frees the memory of an answer, which can be used again. */
void index_answer_clear(IndexAnswer *a) {
        assert(a);

        search_free(a->search);
        *a = (IndexAnswer) {};
}
