/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/utsname.h>

#include "cli/call/run.h"
#include "cli/reasons/why-not.h"

/* MachineLook: what verbs about this machine look at, opened. Owns all of it. */
typedef struct MachineLook {
        struct utsname name;
        char *modules;                  /* owned: the root that stands before /lib/modules in tests */
        KernelLines kernel_lines;
        OfflinePolicy policy;
        const Index *index;
        WhyNotAsker asker;
} MachineLook;

int machine_look_open(Run *run, MachineLook *ret);
void machine_look_close(MachineLook *l);
