/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"
#include "common/index/index.h"

/* NeededModules: what this machine needs to go on, and the modules that it depends on. */

typedef enum NeedKind {                 /* names are those of the varlink enum NeedKind */
        NEED_FILE_SYSTEM,               /* that of /, /usr, /boot or the EFI partition */
        NEED_SWAP,
        NEED_CONSOLE,
        NEED_NETWORK,                   /* an interface that was named, mostly that of a login */
        _NEED_KIND_MAX,
        _NEED_KIND_INVALID = -EINVAL,
} NeedKind;

typedef struct Need {
        NeedKind kind;
        char *name;                     /* mount point, swap device or file, terminal, interface */
        char *module;
        char **through; /* devices, from the one in use to that of the module; NULL: it is the file system itself, or
                         * the kind of the interface */
} Need;

typedef struct NeedList {
        Need *items;
        size_t n_items;
} NeedList;

typedef struct NeedQuestion {           /* all borrowed */
        const char *root;               /* prefix of /proc and /sys, for tests; NULL: none */
        char *const *interfaces;        /* NULL-terminated or NULL */
        const Index *index;             /* for the kinds of interfaces; NULL: they are not looked up */
} NeedQuestion;

int needs_find(NeedList *ret, const NeedQuestion *question);
int interface_needs_find(NeedList *ret, const NeedQuestion *question); /* of the interfaces alone */
void needs_clear(NeedList *list);
const Need *needs_find_module(const NeedList *list, const char *module);
int need_describe(const Need *need, char **ret);
bool interface_name_is_sound(const char *name);

const char *need_kind_to_string(NeedKind kind);
