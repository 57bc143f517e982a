/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * RequestProtocol: the packets between lkmd-request and the manager, one struct each, over SOCK_SEQPACKET. There is
 * a connection for each request of the kernel. lkmd-request sends one RequestPacket. The manager sends
 * REQUEST_PENDING as soon as it sees the connection, which proves that it is there, and one more reply when the
 * request is over.
 *
 * Every packet begins with REQUEST_MAGIC, the lowest byte of which is the version of the protocol. Whoever gets a
 * packet with another one, or of another size, does not guess: the manager answers REQUEST_PASS, and lkmd-request
 * runs modprobe.
 */

#include <stdint.h>

#define REQUEST_MAGIC 0x6c6b7101U       /* "lkq", and the version: changes with the layout */
#define REQUEST_NAME_MAX 255U           /* bytes without NUL; the kernel's own limit is MODULE_NAME_LEN */

typedef struct RequestPacket {
        uint32_t magic;
        uint32_t reserved;              /* 0 */
        char name[REQUEST_NAME_MAX +
                  1]; /* a name or an alias as the kernel wrote it; all bytes behind it are NUL */
} RequestPacket;

typedef enum RequestAnswer {
        REQUEST_PENDING = 1,            /* the manager is there; another answer follows */
        REQUEST_DONE,                   /* exit status 0: it is there, or a blacklist line keeps it out */
        REQUEST_FAILED,                 /* exit status 1: denied, not known, or the kernel refused it */
        REQUEST_PASS,                   /* the manager cannot do it now: modprobe may */
} RequestAnswer;

typedef struct RequestReply {
        uint32_t magic;
        uint32_t answer;                /* RequestAnswer */
} RequestReply;
