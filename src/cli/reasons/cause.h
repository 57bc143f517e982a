/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"
#include "common/base/util.h"

/* Cause: one thing that stands in the way of a module or driver, with the command that would change it. */
typedef enum CauseKind {
        /* Its name. */
        CAUSE_NO_INDEX,                 /* there are no modules of this kernel */
        CAUSE_NO_SUCH_MODULE,
        CAUSE_OTHER_KERNEL,             /* only another kernel that is installed has it */
        CAUSE_NOT_BUILT,                /* the configuration of the kernel leaves it out */
        CAUSE_NOT_INSTALLED,            /* the kernel was built with it, but its file is not here */
        CAUSE_INDEX_STALE,              /* its file is here, and modules.dep does not know of it */

        /* The configuration. */
        CAUSE_TURNED_OFF,
        CAUSE_DENIED,
        CAUSE_BLACKLISTED,
        CAUSE_COMMAND,                  /* its install line runs something else */
        CAUSE_LEFT_OUT,                 /* for another reason of a plan */

        /* Its file. */
        CAUSE_FILE_MISSING,
        CAUSE_FILE_UNUSABLE,
        CAUSE_VERMAGIC,                 /* it was built for another kernel */
        CAUSE_UNKNOWN_SYMBOL,

        /* The kernel. */
        CAUSE_MODULES_DISABLED,
        CAUSE_KERNEL_BLACKLIST,         /* module_blacklist= */
        CAUSE_UNSIGNED,
        CAUSE_LOCKDOWN,

        /* What became of it. */
        CAUSE_UNDER_WAY,
        CAUSE_WAITS_FOR_DEVICE,         /* it is listed for the boot, and has found none */
        CAUSE_FIRMWARE_MISSING,
        CAUSE_PARAMETER_REFUSED,
        CAUSE_LOAD_FAILED,

        /* The device. */
        CAUSE_NO_MODALIAS,
        CAUSE_NOT_AUTHORIZED,
        CAUSE_DRIVER_OVERRIDE,
        CAUSE_OTHER_DRIVER,
        CAUSE_DEFERRED,
        CAUSE_PROBE_FAILED,
        CAUSE_NOT_PROBED,
        CAUSE_WAITS_FOR_UDEV,

        /* What is there, but not what should be. */
        CAUSE_STALE,
        CAUSE_NOT_RUNNING,
        CAUSE_NOT_IN_CHARGE,

        _CAUSE_KIND_MAX,
        _CAUSE_KIND_INVALID = -EINVAL,
} CauseKind;

typedef struct Cause {
        CauseKind kind;
        char *sentence;                 /* without a full stop; escaped already */
        char *module;                   /* NULL: it is about none */
        char *file;                     /* of the line that decided; NULL: none */
        unsigned line;                  /* 0: not known */
        char *command;                  /* what to do about it, escaped; NULL: nothing */
} Cause;

typedef struct CauseList {
        Cause *items;
        size_t n_items;
} CauseList;

const char *cause_kind_to_string(CauseKind kind);
const char *cause_kind_words(CauseKind kind);
int cause_make(Cause *ret, CauseKind kind, const char *module, const char *command, const char *format, ...)
        _printf_(5, 6);
int cause_place(Cause *c, const char *file, unsigned line);
void cause_clear(Cause *c);

int cause_list_take(CauseList *l, Cause *c);
void cause_list_clear(CauseList *l);
int cause_to_json(const Cause *c, sd_json_variant **ret);
int cause_list_to_json(const CauseList *l, sd_json_variant **ret);
void cause_print(const Output *out, const Cause *c, const char *indent);
