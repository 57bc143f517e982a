/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <systemd/sd-json.h>

#include "cli/picture/loads.h"
#include "cli/picture/module-graph.h"

typedef enum ChainLink {                /* what a load waited for */
        LINK_NOTHING,                   /* it is the first of the chain */
        LINK_DEPENDENCY,                /* it needs the next one */
        LINK_SOFTDEP,                   /* the next one goes before it */
        LINK_DEVICE,                    /* the device that wanted it is one of the next one's */
} ChainLink;

typedef struct ChainStep {
        size_t load;                    /* index in the loads */
        ChainLink link;                 /* to the step behind it */
} ChainStep;

/* LoadChain: the loads that made one load late, from it back to the first. */
typedef struct LoadChain {
        ChainStep *steps;
        size_t n_steps;
} LoadChain;

int load_chain_new(const Loads *loads, const ModuleGraph *graph, const char *root, size_t last,
                   LoadChain *ret);
void load_chain_clear(LoadChain *chain);
int device_driver_module(const char *root, const char *device, char **ret);
const char *chain_link_to_string(ChainLink link);
