/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/history/history.h"

typedef struct AncestryStep {
        char *module;                   /* owned */
        sd_json_variant *record;        /* of its load, owned; NULL: it is not known any more */
} AncestryStep;

/* What led to the load of a module: the module itself, then what each was loaded for. Owns the steps. */
typedef struct Ancestry {
        AncestryStep *steps;
        size_t n_steps;                 /* 0: nothing is known */
} Ancestry;

int ancestry_fetch(Client *client, const History *history, const char *module, Ancestry *ret);
void ancestry_clear(Ancestry *c);

sd_json_variant *ancestry_requester(const Ancestry *c);
int ancestry_to_json(const Ancestry *c, sd_json_variant **ret);
