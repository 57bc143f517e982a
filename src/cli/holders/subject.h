/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cli/holders/hold.h"

/* A device number that belongs to the module. */
typedef struct OwnDevice {
        bool block;
        dev_t number;
        char *path;                     /* below /sys; its last part is the device's name */
        unsigned references;            /* that an open file has at most */
} OwnDevice;

/* A name space, and how to get there. */
typedef struct Space {
        uint64_t inode;
        pid_t pid;                      /* a process in it; 0: none */
        char *path;                     /* of the name space, to be opened */
        char *name;                     /* that an administrator gave it; NULL: none */
} Space;

/* The protocol of a socket, as its file in /proc/PID/fd says: 0; negative errno. */
typedef int (*socket_protocol_t)(const char *path, char *ret, size_t size);

/* Subject: a module whose holders are looked for, what is known of it, and what has been found. Owns all of it. */
typedef struct Subject {
        char *root;                     /* stands for "/"; "": the real one */
        char *proc, *sys;               /* below it */
        char *module;
        uint64_t n_references;          /* as the kernel counts */
        char **aliases;                 /* StringLists */
        char **bound;                   /* devices below /sys with a driver of the module */
        char **protocols;               /* of sockets */
        OwnDevice *devices;
        size_t n_devices;
        Space *mount_spaces, *net_spaces;
        size_t n_mount_spaces, n_net_spaces;
        dev_t *superblocks;             /* of mounts that were found */
        size_t n_superblocks;
        socket_protocol_t socket_protocol;

        Holds holds;
        unsigned n_unseen;              /* processes that may not be looked at */
        bool spaces_unseen;             /* network name spaces that may not be entered */
} Subject;

int subject_new(Subject **ret, const char *root, const char *module);
Subject *subject_free(Subject *s);
DEFINE_CLEANUP(Subject, subject_free);

bool subject_has_alias(const Subject *s, const char *prefix, const char *name);
bool subject_is_named(const Subject *s, const char *prefix, const char *name);
bool subject_is_below(const Subject *s, const char *path);
const OwnDevice *subject_find_device(const Subject *s, bool block, dev_t number);
const char *own_device_name(const OwnDevice *d);
int subject_add_space(Space **spaces, size_t *n, uint64_t inode, pid_t pid, const char *path,
                      const char *name);
