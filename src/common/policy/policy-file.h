/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/string-arena.h"
#include "common/base/util.h"
#include "common/policy/policy-rule.h"

/* PolicyFile: one file of policy.d, one list or the file of grants, as read. Owns all that its rules say. */

typedef enum PolicyFileKind {
        POLICY_FILE_RULES,              /* policy.d/NAME.yaml */
        POLICY_FILE_LIST,               /* lists/NAME.yaml: rules only, each with reason and origin */
        POLICY_FILE_GRANTS,             /* what lkmd itself wrote for "lkmctl policy allow": knows "once" too */
} PolicyFileKind;

typedef struct PolicyInclude {
        const char *name;
        unsigned line, column;
} PolicyInclude;

typedef struct PolicyFile {
        char *path;                     /* as messages name it */
        PolicyFileKind kind;
        PolicyMode mode;                /* _POLICY_MODE_INVALID: it does not say */
        PolicyVerdict default_verdict;  /* POLICY_NO_VERDICT: it does not say; else allow or deny */
        unsigned default_line, default_column;
        const char *boot_id;            /* POLICY_FILE_GRANTS: in which it was written; NULL: it does not say */
        PolicyRule *rules;
        size_t n_rules;
        PolicyInclude *includes;
        size_t n_includes;
        StringArena strings;
        char *text;                     /* as read; NULL: it was read from memory, or forgotten */
        size_t text_size;
        void **arrays;                  /* what the rules' arrays were allocated as */
        size_t n_arrays;
} PolicyFile;

/* How a file gets what it owns, from whatever it is read. NULL or -ENOMEM: no memory. */
PolicyFile *policy_file_new(const char *path, PolicyFileKind kind);
PolicyFile *policy_file_free(PolicyFile *f);
DEFINE_CLEANUP(PolicyFile, policy_file_free);
PolicyRule *policy_file_add_rule(PolicyFile *f, PolicySource source, unsigned line, unsigned column);
PolicyInclude *policy_file_add_include(PolicyFile *f);
int policy_file_keep(PolicyFile *f, const void *items, size_t n, size_t size, void *ret_copy);
/* Rules that have no mode of their own get this one: a list's, from the file that includes it. */
void policy_file_set_mode(PolicyFile *f, PolicyMode mode);
void policy_file_forget_text(PolicyFile *f);
