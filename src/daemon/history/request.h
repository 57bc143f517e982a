/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/origin.h"
#include "common/base/util.h"
#include "common/policy/policy.h"
#include "daemon/history/requester.h"

/* Checks of the kernel that a request skips. */
#define REQUEST_FORCE_VERMAGIC (1U << 0)    /* of a load: the version magic of the file */
#define REQUEST_FORCE_MODVERSIONS (1U << 1) /* of a load: the versions of the symbols that it uses */
#define REQUEST_FORCE_REMOVAL (1U << 2)     /* of a removal: that the module is in use */
#define REQUEST_FORCE_UNKNOWN (1U << 3)     /* read from the ledger, which does not say which */

/* Who asked for what. Immutable except for the client's connection; shared by everything that it causes. */
typedef struct Request {
        unsigned n_ref;
        RequestOrigin origin;
        char *key;                      /* as written, bytes */
        char *device;                   /* ORIGIN_DEVICE: below /sys */
        char *subsystem;                /* ORIGIN_DEVICE; may be NULL */
        char *driver;                   /* ORIGIN_DEVICE: that is bound to it; may be NULL */
        char *file;                     /* ORIGIN_BOOT: of the list that has it; NULL: it is in none */
        unsigned line;                  /* in that; 0: the kernel command line */
        unsigned force;                 /* REQUEST_FORCE_* */
        bool ignore_install;            /* a load of the module itself, whatever its install command */
        bool has_peer;                  /* ORIGIN_CLIENT: the two below are known */
        uid_t uid;
        pid_t pid;
        char *command;                  /* may be NULL */
        char *unit;                     /* ORIGIN_CLIENT: of systemd; may be NULL */
        Requester *requester;           /* ORIGIN_KERNEL, ORIGIN_CONTAINER; NULL: not known */
        int client_fd;                  /* of a connection of root's while it waits, for the loader; -EBADF: none */
} Request;

int request_new_device(Request **ret, const char *key, const char *device, const char *subsystem,
                       const char *driver);
int request_new_client(Request **ret, const char *key, uid_t uid, pid_t pid, const char *unit);
int request_new_kernel(Request **ret, const char *key, Requester *requester);
int request_new_container(Request **ret, const char *key, pid_t pid, uid_t uid, const char *unit,
                          const char *container);
int request_new_listed(Request **ret, const char *key, const char *file, unsigned line);
int request_new(Request **ret, RequestOrigin origin, const char *key);
int request_keep_client(Request *r, int fd);
void request_drop_client(Request *r);
Request *request_ref(Request *r);
Request *request_unref(Request *r);
DEFINE_CLEANUP(Request, request_unref);

int request_describe_place(const Request *r, char **ret);
int request_describe_whom(const Request *r, const char *client, char **ret);

/* Of the process that asks: the client, or the one for which the kernel asks. -1 or NULL: not known. */
long long request_get_uid(const Request *r);
long long request_get_pid(const Request *r);
const char *request_get_command(const Request *r); /* its name, which it chooses itself */
const char *request_get_unit(const Request *r);

/* The requester as policies see it; borrows from the request. */
PolicyRequester request_get_requester(const Request *r);
