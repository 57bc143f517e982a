/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/device/device-facts.h"
#include "daemon/service/service.h"

/* Manager: the objects of the daemon and their wiring. */
typedef struct Manager Manager;

typedef struct ManagerOptions {
        int varlink_fd;                 /* listening, taken; negative: listen on varlink_address */
        const char *varlink_address;
        int broker_fd;                  /* listening, taken; negative: listen on broker_address */
        const char *broker_address;     /* NULL: there is no broker then */
        const char *broker_container;   /* which asks, for tests; NULL: it is found out */
        int kmsg_fd;                    /* taken; negative: none */
        const char *reader_address;     /* of lkmd-reader's socket */
        int request_fd;                 /* listening, of the kernel's own requests, taken; negative: none */
        const int *gate_fds;            /* _GATE_MAP_MAX, taken; NULL or negative: there is no gate */
        const char *gate_off_file;      /* says why */
        int in_charge_fd;               /* of the file that udev's rule tests, taken; negative: none */
        const char *loader_address;
        const char *command_address;
        const char *trail_address;      /* of lkmd-trail */
        const char *loader_program;     /* NULL: not checked */
        const char *ledger_file;        /* NULL: none */
        const char *audit_file;         /* NULL: none */
        const char *boot_list_file;     /* NULL: none */
        bool follows_initramfs;         /* the lkmd before this one ran in the initramfs */
        const char *denied_file;        /* NULL: none */
        const char *image_dir;          /* of images of the index; NULL: none */
        const char *root;               /* prefix of /lib/modules, for tests; NULL: none */
        const char *policy_root;        /* prefix of the paths of policies, likewise */
} ManagerOptions;

int manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager, manager_free);

int manager_run(Manager *m);
int manager_reload(Manager *m, ProblemList *problems);
bool manager_is_idle(Manager *m);

/* For tests. */
void manager_take_uevent(Manager *m, const DeviceFacts *facts, const char *device);
Service *manager_get_service(Manager *m);
