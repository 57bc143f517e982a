/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/stat.h>

#include "common/policy-rule.h"
#include "common/problem-list.h"
#include "common/string-arena.h"
#include "common/util.h"

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

/*
 * Return: 0; -EBADMSG: it is broken, and @problems says where (file:line:column); -ENOMEM. Of reading also
 * the errno of the file, with a problem said; -EPERM: others could write it.
 */
int policy_file_parse(PolicyFile **ret, const char *path, PolicyFileKind kind, const char *text, size_t size,
                      ProblemList *problems);
int policy_file_read(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                     ProblemList *problems);
/* The same, but says nothing of a file that is not there (-ENOENT). */
int policy_file_read_if_there(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                              ProblemList *problems);
/* -EPERM, with a problem, unless only root could have written what @st is of. */
int policy_check_trust(const char *path, const struct stat *st, ProblemList *problems);
/* Likewise of a directory and of all above it, whether it is there or not, and of what links lead to. */
int policy_check_directory(const char *path, ProblemList *problems);
/* Rules that have no mode of their own get this one: a list's, from the file that includes it. */
void policy_file_set_mode(PolicyFile *f, PolicyMode mode);
void policy_file_forget_text(PolicyFile *f);
/* Could a file that cannot be used say "default: deny"? Also if it cannot be read. */
bool policy_file_may_deny(const char *path);
PolicyFile *policy_file_free(PolicyFile *f);
DEFINE_CLEANUP(PolicyFile, policy_file_free);
