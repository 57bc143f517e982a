/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/policy/gate-table.h"
#include "common/settings/settings.h"
#include "daemon/history/requester.h"
#include "daemon/privileged/gate/gate-layout.h"

/*
 * Gate: the manager's end of the programs in the kernel. It tells them what to refuse, and hears from them who asks.
 * Where there is no gate, it is off, and knows nobody.
 */
typedef struct Gate Gate;

/* Requesters are borrowed. @rule: NULL: the default of the policy, or a policy that is no longer in force. */
typedef void (*gate_on_refused_t)(Requester *requester, const char *alias, const PolicyRule *rule,
                                  void *userdata);
typedef void (*gate_on_socket_t)(Requester *requester, int family, int protocol, int type,
                                 const PolicyRule *rule, void *userdata);
/* @name: of the module, by its file; NULL: it came from memory, init_module(2) */
typedef void (*gate_on_file_t)(Requester *requester, const char *name, bool refused, void *userdata);
typedef void (*gate_on_lost_t)(uint64_t n_events, void *userdata);

typedef struct GateOptions {
        sd_event *event;
        const int *fds;                 /* _GATE_MAP_MAX, taken; negative: there is none. NULL: there is no gate */
        const char *off_file;           /* says why; copied by its contents */
        gate_on_refused_t on_refused;
        gate_on_socket_t on_socket;
        gate_on_file_t on_file;
        gate_on_lost_t on_lost;
        void *userdata;
} GateOptions;

int gate_new(Gate **ret, const GateOptions *options);
Gate *gate_free(Gate *g);
DEFINE_CLEANUP(Gate, gate_free);

/* The mode in force; *ret_reason: why it is off, NULL if it is not. */
GateMode gate_get_mode(const Gate *g, const char **ret_reason);
void gate_set_mode(Gate *g, GateMode mode);

void gate_forget_rules(Gate *g);
int gate_apply(Gate *g, GateTable *table);
int gate_deny_files(Gate *g, char *const *modules, const GateFileKey *files, size_t n_files);

int gate_find_requester(Gate *g, const char *alias, pid_t helper, Requester **ret);
int gate_find_loader(Gate *g, const char *module, Requester **ret);
uint64_t gate_count_lost(const Gate *g);
