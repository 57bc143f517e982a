/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/boot-moment.h"
#include "common/base/problem-list.h"
#include "common/policy/policy.h"

/* Where policies are read from, in the order of precedence. */
typedef struct PolicySources {
        const char *root;               /* prefix of every path below, for tests and other trees; NULL: none */
        const char *const *dirs;        /* policy.d, highest first, ended by NULL; NULL: those of this build */
        bool files_too;                 /* what is in @dirs may be a file as well */
        const char *const *list_dirs;   /* of lists/NAME.yaml, likewise */
        const char *grants_file;        /* NULL: LKMD_GRANTS_FILE; "": none */
        const BootMoment *boot;         /* for the grants: now; NULL: look */
        const char *command_line;       /* text of /proc/cmdline; NULL: read it; "": none */
        bool keep_texts;                /* of the files, for a copy of them */
        bool trusted_only;              /* refuse files and directories that others than root could write */
} PolicySources;

/* What the kernel command line says; without rules if that is nothing. @given: its text; NULL: read it. */
int policy_sources_read_command_line(PolicyFile **ret, const char *given, ProblemList *problems);

/* Those of this build; ended by NULL. */
const char *const *policy_sources_dirs(void);
const char *const *policy_sources_list_dirs(void);

/*
 * Read everything. A file of the same name in a higher directory hides one below it, as in modprobe.d.
 * @ret_broken: some file could not be used; what the others say is in *ret all the same, but without any
 * "default: deny" (what a broken file would have allowed is not known), and policy_is_incomplete() if there was or may
 * be one. NULL: then that is -EBADMSG.
 *
 * Return: 0; -EBADMSG with the reasons in @problems; -ENOMEM.
 */
int policy_sources_read(Policy **ret, const PolicySources *sources, const PolicyOptions *options,
                        bool *ret_broken, ProblemList *problems);
