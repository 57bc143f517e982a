/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verbs/proposal.h"
#include "common/base/problem-list.h"
#include "common/index/index.h"

/* ProposalInput: the files of "policy propose --from", which say what machines use. */

/*
 * Adds what a file names: lines of lsmod, of /proc/modules, of "udevadm info", modaliases, or names of modules. "-" is
 * the standard input. @n_unmatched counts modaliases that match no module of @index. Lines that are none of these
 * are problems, and so is a file that cannot be read. Return: 0; -ENOMEM.
 */
int proposal_add_file(Proposal *p, const Index *index, const char *path, size_t *n_unmatched,
                      ProblemList *problems);
