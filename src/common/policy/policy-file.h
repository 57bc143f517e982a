/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/string-arena.h"
#include "common/base/util.h"
#include "common/policy/policy-rule.h"

/*
 * PolicyFile: one file of policy.d, one list, or the file of grants, as it was read. Owns everything in its rules.
 */

typedef enum PolicyFileKind {
        POLICY_FILE_RULES,              /* policy.d/NAME.yaml */
        POLICY_FILE_LIST,               /* lists/NAME.yaml: rules only, each with a reason and a source */
        POLICY_FILE_GRANTS,             /* what lkmd writes for "lkmctl policy allow" and "deny" */
} PolicyFileKind;

typedef struct PolicyInclude {
        const char *name;
        unsigned line, column;
} PolicyInclude;

typedef struct PolicyFile {
        char *path;                     /* as in messages */
        PolicyFileKind kind;
        PolicyMode mode;                /* _POLICY_MODE_INVALID: it has none */
        PolicyVerdict default_verdict;  /* POLICY_ALLOW or POLICY_DENY; POLICY_NO_VERDICT: it has none */
        unsigned default_line, default_column;
        const char *boot_id;            /* POLICY_FILE_GRANTS: the boot in which it was written; NULL: it has none */
        PolicyRule *rules;
        size_t n_rules;
        PolicyInclude *includes;
        size_t n_includes;
        StringArena strings;
        char *text;                     /* of the file; NULL: it was read from memory, or has been dropped */
        size_t text_size;
        void **arrays;                  /* to free: the arrays in the rules */
        size_t n_arrays;
} PolicyFile;

/* Builders. Return: NULL or -ENOMEM without memory. */
PolicyFile *policy_file_new(const char *path, PolicyFileKind kind);
PolicyFile *policy_file_free(PolicyFile *f);
DEFINE_CLEANUP(PolicyFile, policy_file_free);
PolicyRule *policy_file_add_rule(PolicyFile *f, PolicySource source, unsigned line, unsigned column);
PolicyInclude *policy_file_add_include(PolicyFile *f);
int policy_file_set_match(PolicyFile *f, PolicyRule *rule, PolicyKey key, const PolicyPattern *patterns,
                          size_t n);
int policy_file_keep(PolicyFile *f, const void *items, size_t n, size_t size, void *ret_copy);
/* Sets the mode of all rules that have none of their own; for a list, that of the file that includes it. */
void policy_file_set_mode(PolicyFile *f, PolicyMode mode);
void policy_file_forget_text(PolicyFile *f);
