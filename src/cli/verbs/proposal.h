/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

/* Proposal: the modules that were used, in groups that become rules of an allow list. */
typedef struct Proposal Proposal;

typedef enum ProposalGroup {            /* what brings a module into the kernel */
        PROPOSAL_DEVICE,                /* a group for each subsystem */
        PROPOSAL_KERNEL,
        PROPOSAL_BOOT,
        PROPOSAL_CLIENT,
        PROPOSAL_CONTAINER,             /* a group for each container */
        PROPOSAL_BEFORE,                /* lkmd does not know what loaded it */
        PROPOSAL_LISTED,                /* a file names it */
        PROPOSAL_NEEDED,                /* others need it */
} ProposalGroup;

typedef struct ProposalHead {           /* what the comment at the top of the policy says */
        const char *release;            /* of the kernel that it is for; NULL: not known */
        uint64_t since_usec;            /* as --since; 0: all */
        const char *const *files;       /* that it was made from, ends in NULL; NULL: it is about this machine */
        bool of_container;              /* it has rules of one container alone, and no default */
        size_t n_unmatched;             /* modaliases in them that match no module of this kernel */
} ProposalHead;

int proposal_new(Proposal **ret);
Proposal *proposal_free(Proposal *p);
DEFINE_CLEANUP(Proposal, proposal_free);

/*
 * Adds a module that is not there yet. @part: the subsystem of a device, or the name of a container; it and @comment
 * are copied, and may be NULL. Return: 0; -ENOMEM.
 */
int proposal_add(Proposal *p, ProposalGroup group, const char *part, const char *module,
                 const char *comment);
int proposal_add_modules(Proposal *p, sd_json_variant *modules, uint64_t since_usec);
int proposal_add_refused(Proposal *p, sd_json_variant *entries, const char *container);
int proposal_add_failures(Proposal *p, sd_json_variant *failures, uint64_t since_usec);

/* Keeps the modules for which @keep returns more than 0. Return: 0; what @keep returns below that. */
typedef int (*proposal_keep_t)(ProposalGroup group, const char *part, const char *module, void *userdata);
int proposal_filter(Proposal *p, proposal_keep_t keep, void *userdata);

/* The rules get names that end in -@n; 0 and 1: in nothing. */
void proposal_number_rules(Proposal *p, unsigned n);
void proposal_sort(Proposal *p);
size_t proposal_count(const Proposal *p);
size_t proposal_count_rules(const Proposal *p); /* to be sorted before */

void proposal_print(const Proposal *p, FILE *f, const ProposalHead *head);
void proposal_print_rules(const Proposal *p, FILE *f, unsigned indent);
int proposal_to_json(const Proposal *p, sd_json_variant **ret);
