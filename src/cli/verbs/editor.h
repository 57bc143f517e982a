/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

/* Editor: the program with which who calls lkmctl wants to edit files. */

typedef enum EditorEnd {
        EDITOR_DONE,
        EDITOR_FAILED,                  /* number: its exit status */
        EDITOR_KILLED,                  /* number: the signal */
        EDITOR_ABSENT,                  /* number: the errno of starting it */
} EditorEnd;

typedef struct EditorResult {
        EditorEnd end;
        int number;
        char *name;                     /* of the program, owned by the caller */
} EditorResult;

int editor_run(const char *path, EditorResult *ret);
