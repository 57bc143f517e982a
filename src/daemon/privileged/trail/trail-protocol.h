/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * TrailProtocol: the packets from the manager to lkmd-trail, one struct each, over SOCK_SEQPACKET, between processes
 * of the same build. There are no replies. Texts end with NUL; what is longer was cut off, and an empty one is not
 * known.
 */

#include <stdint.h>

#define TRAIL_MAGIC 0x6c6b6131U         /* "lka", and the version: changes with the layout */

#define TRAIL_HAS_PROCESS (1U << 0)     /* pid and uid are known */
#define TRAIL_HAS_LOGIN_UID (1U << 1)
#define TRAIL_ALLOWED (1U << 2)         /* else it was refused */

typedef struct TrailPacket {
        uint32_t magic;
        uint32_t flags;
        uint32_t pid, uid, login_uid;
        char command[16];               /* name of the process */
        char executable[256];
        char unit[128];                 /* of systemd */
        char alias[256];                /* what was asked for */
        char module[64];
        char rule[256];                 /* FILE:LINE */
} TrailPacket;
