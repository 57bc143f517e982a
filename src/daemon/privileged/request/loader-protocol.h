/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * LoaderProtocol: the packets between the manager and lkmd-loader, or lkmd-command, one struct each, over
 * SOCK_SEQPACKET. Strings end with NUL and are not parsed beyond that. A request without parameters ends before
 * them: LOADER_REQUEST_SIZE().
 *
 * lkmd-loader keeps one connection, and answers requests in any order. lkmd-command is started for each connection,
 * takes one request, and answers twice: LOADER_LOOK with the process that it has started, if it did, and the outcome.
 *
 * Every packet begins with LOADER_MAGIC, the lowest byte of which is the version of the protocol. Whoever gets a
 * request of another version answers with its own magic alone, and hangs up. This holds for all versions to come.
 *
 * No parameters are trusted. Each comes with its origin, which the receiver checks itself (loader-words.c). A
 * request with LOADER_HAS_CLIENT has the connection of the client attached (SCM_RIGHTS).
 */

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/limits.h"

#define LOADER_MAGIC 0x6c6b6d34U        /* "lkm", and the version: changes with the layout */
#define LOADER_MAGIC_FAMILY 0xffffff00U /* equal in all versions */

typedef enum LoaderOp {
        LOADER_INSERT = 1,              /* finit_module(2) of @path with @words */
        LOADER_REMOVE,                  /* delete_module(2), never waiting */
        LOADER_INSTALL_COMMAND, /* the install line of modprobe.d for @module; @words for $CMDLINE_OPTS */
        LOADER_REMOVE_COMMAND,          /* its remove line */
        LOADER_LOOK, /* where the thread of the request @id is in the kernel; @id 0: a sign of life */
        _LOADER_OP_MAX,
} LoaderOp;

#define LOADER_FORCE_VERMAGIC (1U << 0) /* LOADER_INSERT: as MODULE_INIT_IGNORE_VERMAGIC, init_module(2) */
#define LOADER_FORCE_MODVERSIONS (1U << 1) /* LOADER_INSERT: as MODULE_INIT_IGNORE_MODVERSIONS */
#define LOADER_FORCE_REMOVAL (1U << 2) /* LOADER_REMOVE: O_TRUNC, delete_module(2) */
#define LOADER_FORCE_ANY (LOADER_FORCE_VERMAGIC | LOADER_FORCE_MODVERSIONS | LOADER_FORCE_REMOVAL)
#define LOADER_HAS_CLIENT (1U << 3) /* the connection of root's client is attached */

#define LOADER_TEXT_MAX 1024U /* bytes of a text in a reply */

typedef enum LoaderOriginKind {
        LOADER_BY_LINE = 1, /* "options NAME WORDS" in @file of modprobe.d */
        LOADER_BY_KERNEL_LINE, /* NAME.WORD on the kernel command line */
        LOADER_BY_RULE, /* WORD is under "options" in @file of policy.d or lists */
        LOADER_BY_CLIENT, /* WORD and NAME are arguments of root's process, whose connection is attached */
        LOADER_BY_PERMISSION, /* WORD matches the pattern NAME under "parameters" in @file */
        LOADER_BY_SETTING, /* async_probe, and nothing else */
        _LOADER_ORIGIN_KIND_MAX,
} LoaderOriginKind;

/* Offsets are those of strings in LoaderWords.strings; 0 is "". */
typedef struct LoaderOrigin {
        uint16_t kind;
        uint16_t size; /* of its part of LoaderWords.text; parts are separated by a blank */
        uint16_t name; /* as written, or normalised if of a line; LOADER_BY_PERMISSION: the pattern */
        uint16_t file; /* absolute */
        uint16_t alias_file; /* with "alias NAME MODULE" if NAME is not the module */
        uint16_t reserved;
} LoaderOrigin;

typedef struct LoaderWords {
        uint32_t n_origins; /* 0: no parameters, and the rest is not sent */
        uint32_t reserved;
        char text[PARAMETERS_MAX]; /* as the kernel gets them */
        LoaderOrigin origins[LOADER_ORIGINS_MAX];
        char strings[LOADER_STRINGS_MAX]; /* each ends with NUL */
} LoaderWords;

typedef struct LoaderRequest {
        uint32_t magic;
        uint32_t op;
        uint64_t id;                    /* comes back in the reply */
        uint32_t flags; /* LOADER_FORCE_*, LOADER_HAS_CLIENT */
        uint32_t reserved;
        char module[MODULE_NAME_MAX + 1];
        char path[PATH_MAX];
        LoaderWords words;
} LoaderRequest;

#define LOADER_REQUEST_SIZE(n_origins)           \
        ((n_origins) > 0 ? sizeof(LoaderRequest) \
                         : offsetof(LoaderRequest, words) + offsetof(LoaderWords, text))

/* Why the loader refused a request; refusal.c explains each. */
typedef enum LoaderRefusal {
        LOADER_NOT_REFUSED,
        LOADER_REFUSED_FILE, /* others than root could have written the module's file */
        LOADER_REFUSED_NAME, /* the file is not named like the module */
        LOADER_REFUSED_ORIGIN, /* others than root could have written the origin of a word */
        LOADER_REFUSED_WORDS, /* a word is not in its origin */
        LOADER_REFUSED_CLIENT, /* the client is not root, or has exited */
        LOADER_REFUSED_ARGUMENTS, /* a word is not among the arguments of root's process */
        LOADER_REFUSED_FORCE, /* force is not among them */
        LOADER_REFUSED_SHELL, /* a word that the shell would interpret */
        LOADER_REFUSED_MEMBER, /* a word of a member of lkmd-admin in a command */
        LOADER_REFUSED_COMPRESSION, /* lkmd-loader: the kernel cannot decompress the file; lkmd-command can */
        _LOADER_REFUSAL_MAX,
} LoaderRefusal;

typedef struct LoaderReply {
        uint32_t magic;
        int32_t error;                  /* 0 or negative errno; -ECANCELED: the command ran and failed */
        uint64_t id;
        uint64_t duration_usec;         /* inside the system call or the command */
        int32_t wait_status;            /* of the command, as of waitpid(2) */
        uint32_t op; /* LOADER_LOOK, else that of the request */
        int32_t thread_id; /* LOADER_LOOK: as of gettid(2), or the process of a command; 0: it is over already */
        uint32_t refusal; /* LoaderRefusal; @error is -EPERM then */
        /*
         * LOADER_LOOK: the kernel stack, a function per line, innermost first. A command: the end of what it wrote,
         * any bytes. May be "".
         */
        char text[LOADER_TEXT_MAX];
} LoaderReply;
