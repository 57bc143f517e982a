/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

/* Proposal: the modules that were used, in groups that become rules of an allow list. */
typedef struct Proposal Proposal;

int proposal_new(Proposal **ret);
Proposal *proposal_free(Proposal *p);
DEFINE_CLEANUP(Proposal, proposal_free);

int proposal_add_modules(Proposal *p, sd_json_variant *modules, uint64_t since_usec);
int proposal_add_failures(Proposal *p, sd_json_variant *failures, uint64_t since_usec);
void proposal_sort(Proposal *p);
size_t proposal_count(const Proposal *p);

void proposal_print(const Proposal *p, FILE *f, const char *release, uint64_t since_usec);
int proposal_to_json(const Proposal *p, sd_json_variant **ret);
