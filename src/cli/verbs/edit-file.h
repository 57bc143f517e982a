/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/call/run.h"
#include "common/policy/policy-file.h"

/*
 * EditFile: a file of the policy that is being edited: the file itself, a lock on its directory, and the copy beside
 * it that the editor gets. Zeroed memory is none.
 */
typedef struct EditFile {
        char *path;                     /* as lkmd reads it */
        char *real;                     /* what is written: the same, or where a link leads */
        PolicyFileKind kind;
        bool is_new;                    /* it is not there yet */
        char *text;                     /* what it says, or what a new one begins with */
        size_t size;
        char *copy;                     /* NULL: not made yet */
        bool keep_copy;                 /* when all is over */
        int lock_fd;                    /* of the directory; only with @copy */
} EditFile;

/* Both: 0; an ExitStatus, after reporting why; negative errno. */
int edit_file_find(EditFile *f, Run *run, const char *argument);
int edit_file_begin(EditFile *f, Run *run);

int edit_file_read_copy(const EditFile *f, char **ret, size_t *ret_size);
int edit_file_is_untouched(const EditFile *f);
int edit_file_install(EditFile *f, const char *text, size_t size);
void edit_file_done(EditFile *f);
