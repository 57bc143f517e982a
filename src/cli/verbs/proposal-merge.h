/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "cli/verbs/proposal.h"
#include "common/index/index.h"

/* ProposalMerge: the policy file of "policy propose --merge", and what it says of proposed modules. */
typedef struct ProposalMerge ProposalMerge;

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
int proposal_merge_open(ProposalMerge **ret, Run *run, const char *path);
ProposalMerge *proposal_merge_free(ProposalMerge *m);
DEFINE_CLEANUP(ProposalMerge, proposal_merge_free);

/*
 * Leaves in the proposal what nothing in the file decides but its default. @index: where files of modules are,
 * for rules that match by them. Return: 0; -ENOMEM.
 */
int proposal_merge_reduce(ProposalMerge *m, Proposal *p, const Index *index);

/*
 * Prints the file with the rules of the proposal behind its own. Nothing is printed unless that makes a policy
 * with all of these rules. Return: as proposal_merge_open().
 */
int proposal_merge_print(const ProposalMerge *m, const Proposal *p, FILE *f);

/* What is left out, and what denies it: a line each, or an array of objects. */
void proposal_merge_print_left_out(const ProposalMerge *m, FILE *f);
int proposal_merge_left_out_to_json(const ProposalMerge *m, sd_json_variant **ret);
