/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/client.h"
#include "cli/machine/device-name.h"
#include "cli/reasons/inquiry.h"

/* WhyNot: the first thing that stands in the way of each module that a key or a device means. */

typedef struct WhyNotAsker {            /* what all questions have in common; all borrowed */
        Machine machine;
        const Index *index;
        const OfflinePolicy *policy;
        Client *client;                 /* NULL: lkmd is not asked */
        const KernelLines *kernel_lines; /* NULL: they may not be read */
        sd_json_variant *status;        /* the reply of Status; NULL: there was none */
        const char *container;          /* that asks for a key; NULL: root does, or a device */
        bool brief;                     /* only for a list: module files that are as usual are not looked into */
} WhyNotAsker;

typedef struct WhyNot {
        bool unknown;                   /* the name or alias means nothing here */
        CauseList causes;               /* one for each module at most, and one of the device */
        char **candidates;              /* modules, in the order in which they are tried */
        Cause fine;                     /* if there is no cause: what is true, and what to do; it has no kind */
} WhyNot;

int why_not_of_key(const WhyNotAsker *asker, const char *key, WhyNot *ret);
int why_not_of_device(const WhyNotAsker *asker, const Device *device, WhyNot *ret);
int why_not_only_candidates(const WhyNotAsker *asker, const Device *device, WhyNot *ret);
void why_not_clear(WhyNot *w);

int why_not_candidates_to_json(const WhyNot *w, sd_json_variant **ret);
int why_not_to_json(const WhyNot *w, const char *subject, sd_json_variant **ret);
void why_not_print(const Output *out, const WhyNot *w, const char *indent);
