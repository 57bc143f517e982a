/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/util.h"

/* What uses a module. In the order in which they tell most to who wants to remove the module. */
typedef enum HoldKind {
        HOLD_MODULE,                    /* another module, which needs symbols of this one */
        HOLD_MOUNT,                     /* a mounted file system */
        HOLD_SWAP,
        HOLD_LOOP,                      /* a loop device that has a file */
        HOLD_BLOCK,                     /* a block device that is made of one of the module's, or by it */
        HOLD_FILE,                      /* an open device */
        HOLD_MAPPING,                   /* memory of a device, whose file may be closed */
        HOLD_SOCKET,
        HOLD_CIPHER,                    /* an algorithm of the kernel's, used by somebody */
        HOLD_QDISC,                     /* a queueing discipline of an interface */
        HOLD_SETTING,                   /* what an administrator chose, as a governor */
        HOLD_CONSOLE,                   /* of the kernel, on a screen */
        HOLD_INTERFACE,                 /* of the network */
        HOLD_DEVICE,                    /* bound to a driver of the module */
        _HOLD_KIND_MAX,
} HoldKind;

typedef struct Hold {
        HoldKind kind;
        char *name;                     /* what it is: a path, a name of an interface or of a device; any bytes */
        char *how;                      /* what it has to do with the module: words that follow the name */
        char *next;                     /* a command that ends it; NULL: none is known */
        pid_t pid;                      /* 0: it is no process */
        char *command, *unit;           /* of the process; NULL: unknown, or none */
        unsigned references;            /* that it has at most; 0: it does not keep the module, but is lost with it */
        bool probable;                  /* concluded, not seen */
} Hold;

/* Holds: an array of them, which owns all strings. */
typedef struct Holds {
        Hold *items;
        size_t n_items;
} Holds;

int holds_add(Holds *h, Hold *hold);
void hold_clear(Hold *h);
void holds_sort(Holds *h);
void holds_clear(Holds *h);

const char *hold_kind_to_string(HoldKind kind);
int hold_text(char **ret, const char *format, ...) _printf_(2, 3);
int hold_word(const char *word, char **ret);
