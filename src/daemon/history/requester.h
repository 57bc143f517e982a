/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/util.h"

/*
 * Requester: the process that asked, as it was when it asked. Everything may be unknown: then it is NULL, or has_* is
 * false. Does not change once it is shared; has a reference count.
 */
typedef struct Requester Requester;

struct Requester {
        unsigned n_ref;
        bool has_process;               /* pid and uid are known */
        pid_t pid;
        uid_t uid;                      /* in the first user name space: root of a container may be 100000 */
        bool has_login_uid;
        uid_t login_uid;                /* who logged in, whoever it has become since; see pam_loginuid(8) */
        char *command;                  /* its name, 15 bytes at most, which it chooses itself */
        char *executable;
        char *unit;                     /* of systemd */
        char *container;                /* a part of the path of its control group */
        bool inferred;                  /* concluded from time and name, not told by the kernel */
        Requester *parent;              /* whose load this request came from; NULL: none is known */
};

int requester_new(Requester **ret);
Requester *requester_ref(Requester *r);
Requester *requester_unref(Requester *r);
DEFINE_CLEANUP(Requester, requester_unref);

int requester_describe(const Requester *r, char **ret);
