/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "index-writer.h"
#include "scratch.h"

#define FAKE_RELEASE "6.1.0-fake"
#define FAKE_DIR "lib/modules/" FAKE_RELEASE

typedef struct FakeModule {
        const char *name;               /* its file is kernel/NAME.ko, with '-' for '_' */
        const char *needs;              /* names, the whole closure, nearest first, as depmod has it; NULL: none */
} FakeModule;

typedef struct FakeTree {               /* every array ends with an empty entry; NULL: a file without entries */
        const FakeModule *modules;
        const WriterEntry *aliases, *builtin_aliases, *symbols;
        const char *const *builtin;
} FakeTree;

/* Writes modules.*.bin and the modules (an ELF header each) below FAKE_DIR. */
void fake_tree_write(const Scratch *s, const FakeTree *t);
