/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyFile: see policy-file.h. */

#include "common/policy/policy-file.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/array.h"

/* An empty file. */
PolicyFile *policy_file_new(const char *path, PolicyFileKind kind) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;

        assert(path);

        f = calloc(1, sizeof(*f));
        if (!f)
                return NULL;
        f->kind = kind;
        f->mode = _POLICY_MODE_INVALID;
        f->default_verdict = POLICY_NO_VERDICT;
        f->path = strdup(path);
        if (!f->path)
                return NULL;
        return STEAL_PTR(f);
}

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
        free(f->text);
        free(f);
        return NULL;
}

/**
 * policy_file_add_rule() - append a rule that matches everything and has no verdict
 *
 * Return: the rule; the pointer is valid until the next one is added.
 */
PolicyRule *policy_file_add_rule(PolicyFile *f, PolicySource source, unsigned line, unsigned column) {
        PolicyRule *rule;

        assert(f);

        if (array_grow(&f->rules, f->n_rules, sizeof(*f->rules)) < 0)
                return NULL;
        rule = f->rules + f->n_rules++;
        *rule = (PolicyRule) {
                .source = source,
                .file = f->path,
                .line = line,
                .column = column,
                .verdict = POLICY_NO_VERDICT,
                .mode = _POLICY_MODE_INVALID,
                .expires_usec = UINT64_MAX,
                .ends_boot_usec = UINT64_MAX,
        };
        return rule;
}

PolicyInclude *policy_file_add_include(PolicyFile *f) {
        assert(f);

        if (array_grow(&f->includes, f->n_includes, sizeof(*f->includes)) < 0)
                return NULL;
        f->includes[f->n_includes] = (PolicyInclude) {};
        return f->includes + f->n_includes++;
}

/**
 * policy_file_keep() - copy an array into the file, which owns it
 * @ret_copy: address of a pointer to the items
 *
 * Return: 0; -ENOMEM.
 */
int policy_file_keep(PolicyFile *f, const void *items, size_t n, size_t size, void *ret_copy) {
        _cleanup_(freep) void *copy = NULL;

        assert(f && items && n > 0 && ret_copy);

        copy = reallocarray(NULL, n, size);
        if (!copy || array_grow(&f->arrays, f->n_arrays, sizeof(*f->arrays)) < 0)
                return -ENOMEM;
        memcpy(copy, items, n * size);
        memcpy(ret_copy, &copy, sizeof(copy));
        f->arrays[f->n_arrays++] = STEAL_PTR(copy);
        return 0;
}

/**
 * policy_file_set_match() - give a rule of the file the patterns of a key
 * @patterns: copied
 *
 * Return: 0; -ENOMEM.
 */
int policy_file_set_match(PolicyFile *f, PolicyRule *rule, PolicyKey key, const PolicyPattern *patterns,
                          size_t n) {
        int r;

        assert(rule && key >= 0 && key < _POLICY_KEY_MAX);

        r = policy_file_keep(f, patterns, n, sizeof(*patterns), &rule->match[key].items);
        if (r < 0)
                return r;
        rule->match[key].n_items = n;
        rule->given |= POLICY_KEY_BIT(key);
        return 0;
}

/**
 * policy_file_set_mode() - set the mode of all rules that have none of their own
 */
void policy_file_set_mode(PolicyFile *f, PolicyMode mode) {
        assert(f && mode >= 0 && mode < _POLICY_MODE_MAX);

        for (size_t i = 0; i < f->n_rules; i++)
                if (!f->rules[i].has_own_mode)
                        f->rules[i].mode = mode;
}

/* Only KeptPolicy needs the text. */
void policy_file_forget_text(PolicyFile *f) {
        assert(f);

        free(f->text);
        f->text = NULL;
        f->text_size = 0;
}
