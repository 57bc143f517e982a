/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/limits.h"
#include "common/base/util.h"
#include "common/policy/policy.h"

/*
 * GateTable: which of the kernel's own requests, and which sockets, the gate in the kernel refuses by itself. It
 * refuses only what policy_judge() would deny for every module, whoever else the process is; all other requests
 * are asked: they go on to lkmd, where policy_judge() decides.
 *
 * A request is found by its alias, normalised as policies have it ('-' is '_'), of at most GATE_ALIAS_MAX bytes:
 * the entry with exactly this text, else the longest one of those that are not whole and that it begins with. It
 * is refused if there is one, and that has the bit of the class of the user. What is longer, or has a '[' or a
 * ']', which make normalising depend on their place, is asked.
 *
 * A socket is found by family, protocol and type; else by family and protocol; else by the family. It is refused
 * if there is an entry, and that has the bit. Protocol 0 of IPv4 and IPv6 stands for the one that the type has,
 * gate_protocol_meant().
 */
typedef struct GateAlias {
        char text[GATE_ALIAS_MAX + 1];
        bool whole;                     /* else it is for all aliases that begin with it and have no longer entry */
        uint32_t refused;               /* a bit for each class */
        const PolicyRule *rule;         /* refuses the first of these; NULL: the default does, or none is refused */
} GateAlias;

typedef struct GateSocket {
        int family;
        int protocol;                   /* up to GATE_PROTOCOL_MAX; -1: any that has no entry of its own */
        int type;                       /* up to GATE_TYPE_MAX; 0: any that has no entry of its own */
        uint32_t refused;
        const PolicyRule *rule;
} GateSocket;

typedef struct GateTable {
        /* Of users; class i has those from this ID to before the next. The first is 0. */
        uint32_t uid_starts[GATE_CLASSES_MAX];
        size_t n_classes;
        GateAlias *aliases;             /* sorted by text; of equal ones the whole one is the last */
        size_t n_aliases;               /* GATE_ALIASES_MAX at most */
        GateSocket *sockets;            /* sorted; an entry comes before those that are more special */
        size_t n_sockets;               /* GATE_SOCKETS_MAX at most */
        bool has_too_many_sockets;      /* to be told apart: then no socket is refused */
} GateTable;

/* Borrows the rules of the policy; NULL: an empty table. */
int gate_table_new(GateTable **ret, const Policy *policy, uint64_t now_usec);
GateTable *gate_table_free(GateTable *t);
DEFINE_CLEANUP(GateTable, gate_table_free);

/* Which protocol socket(2) means. */
int gate_protocol_meant(int family, int type, int protocol);

/* What the gate does by this table. @ret_rule: what refuses, NULL: the default; may be NULL. */
bool gate_table_refuses(const GateTable *t, const char *alias, uint32_t uid, const PolicyRule **ret_rule);
bool gate_table_refuses_socket(const GateTable *t, int family, int type, int protocol, uint32_t uid,
                               const PolicyRule **ret_rule);
