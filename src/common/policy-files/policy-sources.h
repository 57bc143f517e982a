/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/boot-moment.h"
#include "common/base/problem-list.h"
#include "common/policy/policy.h"

/* What a file of policy.d, or a list, would say if it were replaced; it need not exist yet. Borrowed. */
typedef struct PolicyDraft {
        const char *path;               /* as it would be read: root, directory, "/" and name */
        const char *text;
        size_t size;
} PolicyDraft;

/* Where policies are read from, in the order of precedence. */
typedef struct PolicySources {
        const char *root;               /* prefix of all paths below, for tests and other trees; NULL: none */
        const char *const *dirs;        /* policy.d, highest first, NULL-terminated; NULL: those of this build */
        bool files_too;                 /* @dirs may contain files */
        const char *const *list_dirs;   /* of lists/NAME.yaml, likewise */
        const char *grants_file;        /* NULL: LKMD_GRANTS_FILE; "": none */
        const BootMoment *boot;         /* now, for the grants; NULL: the current one */
        const char *command_line;       /* text of /proc/cmdline; NULL: read it; "": none */
        bool keep_texts;                /* of the files, for KeptPolicy */
        const PolicyDraft *draft;       /* instead of the file of its path; NULL: all as it is on the disk */
        bool trusted_only;              /* refuse files and directories that others than root can write */
} PolicySources;

/* The rules of the kernel command line; may be none. @given: its text; NULL: read it. */
int policy_sources_read_command_line(PolicyFile **ret, const char *given, ProblemList *problems);

/* Those of this build; NULL-terminated. */
const char *const *policy_sources_dirs(void);
const char *const *policy_sources_list_dirs(void);

/*
 * Reads all sources. A file in a higher directory masks files of the same name in lower ones, as in modprobe.d.
 * @ret_broken: whether some file cannot be used; *ret then has the rules of the others, but no "default: deny"
 *              (what a
 * broken file allows is not known), and is policy_is_incomplete() if some file has or may have one. NULL: return
 * -EBADMSG then.
 *
 * Return: 0; -EBADMSG with the reasons in @problems; -ENOMEM.
 */
int policy_sources_read(Policy **ret, const PolicySources *sources, const PolicyOptions *options,
                        bool *ret_broken, ProblemList *problems);
