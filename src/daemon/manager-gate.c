/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The manager and the gate in the kernel: the policy goes to the gate, and what it refused to the places where all
 * refusals go. A refused request is planned like any other, so that audit, journal and monitors hear of each module
 * that was left out, and by which line; nothing of the plan is carried out.
 */

#include <assert.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/base/string-list.h"
#include "common/plan/denied-names.h"
#include "daemon/base/log.h"
#include "daemon/history/journal.h"
#include "daemon/manager-internal.h"

#define LOADER_THREAD_NAME_MAX 14U      /* bytes of the module's name in that of its thread */
#define SOCKET_KEY_SIZE sizeof("net-pf-4294967295-proto-4294967295-type-4294967295")

/* ------------------------------------------------------------------------------------- what is refused */

/* A file of the index as the kernel knows it. Return: false if it cannot be looked at. */
static bool find_file(const IndexModule *module, GateFileKey *ret) {
        struct stat st;

        if (!module || !module->path || stat(module->path, &st) < 0)
                return false;
        *ret = (GateFileKey) { .device = (uint64_t) major(st.st_dev) << 20 | minor(st.st_dev),
                               .inode = st.st_ino };
        return true;
}

static int list_files(const Index *index, char *const *modules, GateFileKey **ret, size_t *ret_n) {
        _cleanup_(freep) GateFileKey *files = NULL;
        size_t n = 0;

        for (size_t i = 0; modules[i]; i++) {
                GateFileKey key;
                int r;

                if (!find_file(index_find_module(index, modules[i]), &key))
                        continue;
                r = array_grow(&files, n, sizeof(*files));
                if (r < 0)
                        return r;
                files[n++] = key;
        }
        *ret = STEAL_PTR(files);
        *ret_n = n;
        return 0;
}

/* The modules that are denied whoever asks, and their files. */
static int deny_files(Manager *m, const Policy *policy, const Index *index) {
        _cleanup_(string_list_freep) char **modules = NULL;
        _cleanup_(freep) GateFileKey *files = NULL;
        _cleanup_(freep) char *names = NULL;
        size_t n_files = 0;
        char *rest, *name;
        int r;

        r = string_list_new(&modules);
        if (r < 0)
                return r;
        r = denied_names_list(policy, index, clock_usec(CLOCK_REALTIME), &names);
        for (rest = names; r >= 0 && (name = strsep(&rest, "\n"));)
                if (*name)
                        r = string_list_append(&modules, name, strlen(name));
        if (r >= 0)
                r = list_files(index, modules, &files, &n_files);
        return r < 0 ? r : gate_deny_files(m->gate, modules, files, n_files);
}

static int apply(Manager *m) {
        _cleanup_(gate_table_freep) GateTable *table = NULL;
        const Policy *policy = policy_keeper_get(m->policy);
        const Index *index = index_keeper_get(m->index);
        int r;

        r = gate_table_new(&table, policy, clock_usec(CLOCK_REALTIME));
        if (r < 0)
                return r;
        if (m->settings.gate == GATE_MODE_FILES) {
                r = deny_files(m, policy, index);
                if (r < 0)
                        return r;
        }
        gate_set_mode(m->gate, m->settings.gate);
        return gate_apply(m->gate, STEAL_PTR(table));
}

/* Tell the gate what the policy and lkmd.conf say now. */
void manager_apply_gate(Manager *m) {
        int r;

        assert(m);

        if (!m->gate)
                return;                 /* to come */
        gate_forget_rules(m->gate);     /* the policy that was in force has been freed */
        r = apply(m);
        if (r < 0)
                log_error(
                        "cannot tell the gate in the kernel what the policy denies, so that it goes by what it was told before: "
                        "%s",
                        strerror(-r));
}

/* --------------------------------------------------------------------------------------- what was refused */

/* @ruling: what decided */
static void report(Manager *m, const Request *request, PlanMode mode, const PlanRuling *ruling) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        m->counters.gate_refused++;
        r = planner_plan(&m->planner, index_keeper_get(m->index), request, mode, /* parameters= */ NULL,
                         &plan);
        if (r >= 0 && plan->n_omissions > 0)
                return;                 /* the planner has told it */
        refusal_log_in_kernel(m->refusal_log, m->monitors, request, ruling);
}

/**
 * manager_on_gate_refusal() - the gate refused a request of the kernel's, or a socket
 * @key:  what was asked for, or would have been
 * @rule: NULL: the default of the policy, or a policy that is no longer in force
 */
void manager_on_gate_refusal(Manager *m, Requester *requester, const char *key, const PolicyRule *rule) {
        _cleanup_(plan_ruling_clear) PlanRuling ruling = { .source = POLICY_BY_DEFAULT };
        _cleanup_(request_unrefp) Request *request = NULL;

        /* first: the plan may have the policy read again, and the rule go */
        if (rule) {
                const PolicyRuling by = policy_ruling_of(rule);

                if (plan_ruling_set(&ruling, &by) < 0)
                        return;
        }
        if (request_new_kernel(&request, key, requester) >= 0)
                report(m, request, PLAN_AUTOLOAD, &ruling);
}

static void on_refused(Requester *requester, const char *alias, const PolicyRule *rule, void *userdata) {
        manager_on_gate_refusal(userdata, requester, alias, rule);
}

/* As the kernel asks for the module of a socket, __sock_create() and inet_create(). */
static void on_socket(Requester *requester, int family, int protocol, int type, const PolicyRule *rule,
                      void *userdata) {
        char key[SOCKET_KEY_SIZE];

        if (protocol == 0)
                (void) snprintf(key, sizeof(key), "net-pf-%d", family);
        else
                (void) snprintf(key, sizeof(key), "net-pf-%d-proto-%d-type-%d", family, protocol, type);
        manager_on_gate_refusal(userdata, requester, key, rule);
}

/* A module file is told when the module is there, which the kernel's uevent says; so only what was refused. */
static void on_file(Requester *requester, const char *name, bool refused, void *userdata) {
        _cleanup_(request_unrefp) Request *request = NULL;
        const PlanRuling ruling = { .source = POLICY_BY_DEFAULT };

        if (!refused || !name || request_new(&request, ORIGIN_FOREIGN, name) < 0)
                return;
        request->requester = requester_ref(requester);
        report(userdata, request, PLAN_NAMED, &ruling);
}

static void on_lost(uint64_t n_events, void *userdata) {
        Manager *m = userdata;

        m->counters.gate_lost += n_events;
        journal_gate_lost(m->monitors, n_events);
}

/* -------------------------------------------------------------------------------------------- who it was */

static int copy_text(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

/* Return: 0 with a copy of who a request is from, marked as inferred; NULL: nobody, such as a device. -ENOMEM. */
static int copy_requester(const Request *request, Requester **ret) {
        const Requester *known = request->requester;
        _cleanup_(requester_unrefp) Requester *r = NULL;
        int q;

        *ret = NULL;
        if (request_get_pid(request) < 0)
                return 0;
        q = requester_new(&r);
        if (q < 0)
                return q;
        r->has_process = r->inferred = true;
        r->pid = (pid_t) request_get_pid(request);
        r->uid = (uid_t) request_get_uid(request);
        r->has_login_uid = known && known->has_login_uid;
        r->login_uid = known ? known->login_uid : 0;
        r->parent = known && known->parent ? requester_ref(known->parent) : NULL;
        q = copy_text(request_get_command(request), &r->command);
        if (q >= 0)
                q = copy_text(request_get_unit(request), &r->unit);
        if (q >= 0)
                q = copy_text(known ? known->executable : NULL, &r->executable);
        if (q >= 0)
                q = copy_text(known ? known->container : NULL, &r->container);
        if (q < 0)
                return q;
        *ret = STEAL_PTR(r);
        return 0;
}

/*
 * A module's init asks for another one in the thread of lkmd-loader that loads it, which is named after the module,
 * loader-work.c. Of longer names only the beginning is known, so it has to be the only load whose name begins so.
 */
static int find_parent(Manager *m, Requester *requester) {
        _cleanup_(record_list_clear) RecordList running = {};
        const Record *found = NULL;
        const char *name;
        int r;

        if (!streq_ptr(requester->executable, LKMD_LOADER_PROGRAM) || !requester->command ||
            requester->command[0] != '+')
                return 0;
        name = requester->command + 1;
        r = scheduler_get_running(m->scheduler, &running);
        if (r < 0)
                return r;
        for (size_t i = 0; i < running.n_items; i++) {
                const Record *record = running.items[i];

                if (!record->request || strncmp(record->module, name, LOADER_THREAD_NAME_MAX) != 0)
                        continue;
                if (found)
                        return 0;
                found = record;
        }
        return found ? copy_requester(found->request, &requester->parent) : 0;
}

/* As gate_find_requester(), for helper-requests; with whose load it came from. */
int manager_find_requester(const char *alias, pid_t helper, Requester **ret, void *userdata) {
        Manager *m = userdata;
        int r;

        r = m->gate ? gate_find_requester(m->gate, alias, helper, ret) : 0;
        if (r > 0 && find_parent(m, *ret) < 0)
                log_debug("%s: cannot find out whose load it came from", alias);
        return r;
}

/* As gate_find_loader(), for foreign-loads. */
int manager_find_loader(const char *module, Requester **ret, void *userdata) {
        Manager *m = userdata;

        return m->gate ? gate_find_loader(m->gate, module, ret) : 0;
}

/**
 * manager_open_gate() - take the gate
 * @fds: of its maps, taken; NULL or negative: there is none
 *
 * What is in force in the kernel stays so until manager_apply_gate().
 *
 * Return: 0, also without a gate; -ENOMEM.
 */
int manager_open_gate(Manager *m, const int *fds, const char *off_file) {
        assert(m);

        return gate_new(&m->gate, &(GateOptions) {
                                          .event = m->event,
                                          .fds = fds,
                                          .off_file = off_file,
                                          .on_refused = on_refused,
                                          .on_socket = on_socket,
                                          .on_file = on_file,
                                          .on_lost = on_lost,
                                          .userdata = m,
                                  });
}
