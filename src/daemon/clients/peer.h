/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Who is at the other end of a connection, as of the moment when it was made. */
typedef struct Peer {
        uid_t uid;
        gid_t gid;
        pid_t pid;
        bool admin;                     /* root, or a member of LKMD_ADMIN_GROUP */
        int fd;                         /* the connection, borrowed; gives the pidfd */
        bool by_broker;                 /* it came by the socket for containers: whoever it is, it is no admin */
        char *container;                /* likewise, owned; NULL: it is in none that the broker serves */
} Peer;

/* The group whose members may change things. All zero: not looked up yet. */
typedef struct AdminGroup {
        bool exists;
        gid_t gid;
        uint64_t asked_usec;            /* 0: never */
        int64_t file_sec, file_nsec;    /* of /etc/group, as it was then */
        ino_t file_inode;
} AdminGroup;

int peer_read(Peer *ret, int fd, AdminGroup *group);
void peer_set(Peer *ret, int fd, const struct ucred *ucred, AdminGroup *group);
int peer_read_container(Peer *peer);
void peer_clear(Peer *peer);
char *peer_get_unit(const Peer *peer);
