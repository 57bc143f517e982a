/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/offline/offline-policy.h"

/* SocketAnswer: whether the policy denies the sockets that an alias such as net-pf-38 is about ("scope: use"). */
typedef struct SocketAnswer {
        PolicyVerdict verdict;          /* POLICY_NO_VERDICT: the alias is about no socket; else allow or deny */
        bool depends;                   /* on the user, who is not known: some are denied it, and others are not */
        const PolicyRule *rule;         /* that denies; of the policy */
} SocketAnswer;

int socket_answer_find(SocketAnswer *ret, const OfflinePolicy *policy, const char *key,
                       const PolicyRequester *requester);
bool socket_answers_are_the_same(const SocketAnswer *a, const SocketAnswer *b);
bool socket_answer_says_something(const SocketAnswer *a);
void socket_answer_print(const SocketAnswer *a, FILE *f, const char *indent);
int socket_answer_to_json(const SocketAnswer *a, sd_json_variant **ret);
