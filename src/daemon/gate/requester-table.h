/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/gate/gate-requester.h"

/*
 * RequesterTable: requests that the gate has let pass, until the program that the kernel starts for each asks lkmd;
 * and who passed which module to the kernel lately.
 */
typedef struct RequesterTable RequesterTable;

int requester_table_new(RequesterTable **ret, const char *root);
RequesterTable *requester_table_free(RequesterTable *t);
DEFINE_CLEANUP(RequesterTable, requester_table_free);

int requester_table_add(RequesterTable *t, const GateEvent *event);
void requester_table_note_helper(RequesterTable *t, const GateEvent *event);
int requester_table_claim(RequesterTable *t, const char *alias, pid_t helper, Requester **ret);
size_t requester_table_count(const RequesterTable *t);
