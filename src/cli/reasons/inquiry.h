/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/machine/kernel-lines.h"
#include "cli/machine/machine.h"
#include "cli/offline/device.h"
#include "cli/offline/offline-policy.h"
#include "cli/reasons/cause.h"
#include "common/index/index.h"
#include "common/plan/plan.h"

/*
 * Inquiry: what is asked about, and what the causes look at. Owns nothing. What depends on the module is about one
 * candidate of several.
 */
typedef struct Inquiry {
        const Machine *machine;
        const Index *index;
        const OfflinePolicy *policy;
        const KernelLines *kernel_lines; /* NULL: the caller may not read them */
        sd_json_variant *status;        /* of lkmd, the reply of Status; NULL: it has not answered */
        bool brief;                     /* for a list: nothing that takes long is looked at */

        const char *key;                /* a name, an alias or a modalias */
        const Device *device;           /* that asks by the key; NULL: none */
        const Plan *plan;               /* for the key */
        const IndexModule *module;      /* NULL: the key means no module */
        const char *name;               /* of @module in the kernel */
        sd_json_variant *described;     /* the reply of DescribeModule; NULL: lkmd has not answered */
} Inquiry;

/* Looks for one kind of cause. Return: 1: there is one, to be cleared; 0: there is none; -ENOMEM. */
typedef int (*cause_look_t)(const Inquiry *q, Cause *ret);

const char *inquiry_driver(const Inquiry *q);
int inquiry_can_have_driver(const Inquiry *q);
int inquiry_is_in_kernel(const Inquiry *q);
uint64_t inquiry_loaded_usec(const Inquiry *q);
