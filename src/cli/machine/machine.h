/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machine: where this machine shows itself. A test has directories of its own in their place. A plain structure. */
typedef struct Machine {
        const char *sys, *proc, *boot;
        const char *modules;            /* the directories of all kernels */
        const char *firmware;           /* the default directory of firmware; those of distributions are below it */
        const char *kernel_log;
        const char *release;            /* of the running kernel */
} Machine;

/* @release: of uname(2), borrowed */
static inline Machine machine_here(const char *release) {
        return (Machine) { .sys = "/sys",
                           .proc = "/proc",
                           .boot = "/boot",
                           .modules = "/lib/modules",
                           .firmware = "/lib/firmware",
                           .kernel_log = "/dev/kmsg",
                           .release = release };
}
