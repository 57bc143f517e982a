/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ReaderProtocol: the packets between manager and reader, one struct each, over SOCK_SEQPACKET, between processes of
 * the same build. A request with READER_WATCH has an inotify descriptor attached (SCM_RIGHTS), a reply without an
 * error the descriptor of the file. One request is answered after the other.
 */

#include <limits.h>
#include <stdint.h>

/*
 * Every packet begins with it, in all versions. Whoever gets a request of another version answers with its own magic
 * alone, and hangs up.
 */
#define READER_MAGIC 0x6c6b7231U        /* "lkr", and the version: changes with the layout */
#define READER_MAGIC_FAMILY 0xffffff00U /* equal in all versions */

#define READER_WATCH (1U << 0)

typedef struct ReaderRequest {
        uint32_t magic;
        uint32_t flags;                 /* READER_WATCH */
        char path[PATH_MAX];            /* absolute, ends with NUL */
} ReaderRequest;

typedef struct ReaderReply {
        uint32_t magic;
        int32_t error;                  /* 0 or negative errno */
} ReaderReply;
