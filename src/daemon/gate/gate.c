/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gate: see gate.h. Events come by a ring buffer, and are read when the loop has time for them, and before anything
 * depends on them: a program that the kernel has started can only ask after the event of its request was written.
 *
 * A rule is found by asking the table that is in force what it refuses, and not by the number of the entry, which may
 * be of a table that is gone, with its rules. Owns the descriptors, the ring, the table and who was seen.
 */

#include "daemon/gate/gate.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/array.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/gate/gate-maps.h"
#include "daemon/gate/gate-ring.h"
#include "daemon/gate/requester-table.h"

#define REASON_MAX 512U
#define EVENTS_PER_TURN 64U
#define LOADER_PROGRAM LKMD_LIB_DIR "/lkmd-loader"

typedef struct SeenLoad {
        char module[MODULE_NAME_MAX + 1];
        Requester *requester;
} SeenLoad;

struct Gate {
        GateMaps maps;
        GateRing *ring;
        sd_event_source *source;
        bool is_there;                  /* the kernel has one, and this is its end */
        GateMode mode;
        char *reason;                   /* why there is none */
        GateTable *table;               /* what is to be refused while the mode is not off */
        bool rules_are_gone;            /* those that the table names */
        uint64_t table_number;          /* of the one that is in force */
        unsigned lacks;                 /* what has been logged of what does not fit */
        uint64_t n_lost;
        RequesterTable *waiting;
        SeenLoad loads[GATE_LOADERS_MAX];
        size_t next_load;
        gate_on_refused_t on_refused;
        gate_on_socket_t on_socket;
        gate_on_file_t on_file;
        gate_on_lost_t on_lost;
        void *userdata;
};

/* ----------------------------------------------------------------------------------------------- events */

static bool is_of_present_table(const Gate *g, const GateEvent *e) {
        return g->table && !g->rules_are_gone && e->table == g->table_number;
}

static void on_request(Gate *g, const GateEvent *e) {
        _cleanup_(requester_unrefp) Requester *requester = NULL;
        const PolicyRule *rule = NULL;

        if (!e->refused) {
                if (requester_table_add(g->waiting, e) < 0)
                        log_warning("no memory for who asks the kernel for %s", e->name);
                return;
        }
        if (gate_requester_new(&requester, e, "") < 0)
                return;
        if (is_of_present_table(g, e))
                (void) gate_table_refuses(g->table, e->name, e->uid, &rule);
        g->on_refused(requester, e->name, rule, g->userdata);
}

static void on_socket(Gate *g, const GateEvent *e) {
        _cleanup_(requester_unrefp) Requester *requester = NULL;
        const PolicyRule *rule = NULL;

        if (gate_requester_new(&requester, e, "") < 0)
                return;
        if (is_of_present_table(g, e))
                (void) gate_table_refuses_socket(g->table, e->family, (int) e->type, e->protocol, e->uid,
                                                 &rule);
        g->on_socket(requester, e->family, e->protocol, (int) e->type, rule, g->userdata);
}

/* "lkmd-test-a.ko.xz" is lkmd_test_a. Return: false if it is no name of a module. */
static bool module_of_file(const char *file, char ret[static MODULE_NAME_MAX + 1]) {
        char name[GATE_NAME_SIZE];
        char *end;

        (void) snprintf(name, sizeof(name), "%s", file);
        end = strstr(name, ".ko");
        if (end)
                *end = '\0';
        return module_name_normalize(name, ret, MODULE_NAME_MAX + 1) >= 0;
}

static void remember_load(Gate *g, const char *module, Requester *requester) {
        SeenLoad *seen = g->loads + g->next_load;

        g->next_load = (g->next_load + 1) % GATE_LOADERS_MAX;
        requester_unref(seen->requester);
        (void) snprintf(seen->module, sizeof(seen->module), "%s", module);
        seen->requester = requester_ref(requester);
}

/* What lkmd itself loads is known already. */
static void on_file(Gate *g, const GateEvent *e) {
        _cleanup_(requester_unrefp) Requester *requester = NULL;
        char module[MODULE_NAME_MAX + 1];
        bool has_name;

        if (gate_requester_new(&requester, e, "") < 0)
                return;
        if (streq_ptr(requester->executable, LOADER_PROGRAM) && !e->refused)
                return;
        has_name = e->kind == GATE_EVENT_FILE && module_of_file(e->name, module);
        if (has_name && !e->refused)
                remember_load(g, module, requester);
        g->on_file(requester, has_name ? module : NULL, e->refused != 0, g->userdata);
}

static void on_event(const GateEvent *e, void *userdata) {
        GateEvent copy = *e;
        Gate *g = userdata;

        copy.name[sizeof(copy.name) - 1] = '\0';
        if (g->mode == GATE_MODE_OFF)
                return;
        switch (copy.kind) {
        case GATE_EVENT_REQUEST:
                on_request(g, &copy);
                break;
        case GATE_EVENT_HELPER:
                requester_table_note_helper(g->waiting, &copy);
                break;
        case GATE_EVENT_SOCKET:
                on_socket(g, &copy);
                break;
        case GATE_EVENT_FILE:
        case GATE_EVENT_DATA:
                on_file(g, &copy);
                break;
        default:
                break;                  /* of a newer gate: it says the rest otherwise, too */
        }
}

static void check_lost(Gate *g) {
        uint64_t n;

        if (gate_maps_count_lost(&g->maps, &n) < 0 || n <= g->n_lost)
                return;
        g->on_lost(n - g->n_lost, g->userdata);
        g->n_lost = n;
}

/* All that was written so far, and not what comes meanwhile: so it ends. */
static void drain(Gate *g) {
        if (g->is_there)
                (void) gate_ring_read(g->ring, GATE_EVENTS_BYTES / sizeof(GateEvent), on_event, g);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Gate *g = userdata;

        (void) gate_ring_read(g->ring, EVENTS_PER_TURN, on_event, g);
        check_lost(g);
        return 0;
}

/* -------------------------------------------------------------------------------------------- what holds */

static void log_lacks(Gate *g, unsigned lacks) {
        unsigned news = lacks & ~g->lacks;

        if (news & GATE_LACKS_ALIASES)
                log_warning(
                        "the policy has more aliases than the gate in the kernel can hold: it refuses no request itself, "
                        "and lkmd is asked about each");
        if (news & GATE_LACKS_SOCKETS)
                log_warning(
                        "the rules with \"scope: use\" tell apart more sockets than the gate in the kernel can hold: it refuses "
                        "no socket. Patterns such as net-pf-38, without anything behind the number, need one place each");
        if (news & GATE_LACKS_FILES)
                log_warning(
                        "the policy denies more modules than the gate in the kernel can hold: not all of their files are refused");
        g->lacks = lacks;
}

static int put_into_force(Gate *g) {
        _cleanup_(gate_table_freep) GateTable *nothing = NULL;
        const GateTable *table = g->mode != GATE_MODE_OFF ? g->table : NULL;
        uint32_t flags = g->mode == GATE_MODE_FILES ? GATE_REFUSE_FILES | GATE_REPORT_FILES
                         : g->mode == GATE_MODE_OFF ? 0
                                                    : GATE_REPORT_FILES;
        unsigned lacks;
        int r;

        if (!table) {
                r = gate_table_new(&nothing, NULL, 0);
                if (r < 0)
                        return r;
                table = nothing;
        }
        r = gate_maps_apply(&g->maps, table, &g->table_number, &lacks);
        if (r >= 0)
                r = gate_maps_set_flags(&g->maps, flags);
        if (r < 0)
                return r;
        log_lacks(g, lacks | (g->lacks & GATE_LACKS_FILES));
        return 0;
}

/* The policy that the table is of has gone, or goes: of what was refused by it no rule is told any more. */
void gate_forget_rules(Gate *g) {
        assert(g);

        g->rules_are_gone = true;
}

/**
 * gate_apply() - from now on, this is refused
 * @table: taken; its rules have to stay until gate_forget_rules()
 *
 * Return: 0, also if the gate is off; what bpf(2) says: then the gate refuses what it did before.
 */
int gate_apply(Gate *g, GateTable *table) {
        assert(g && table);

        drain(g);                       /* what was refused by the old one */
        gate_table_free(g->table);
        g->table = table;
        g->rules_are_gone = false;
        return g->is_there ? put_into_force(g) : 0;
}

/* Gate= of lkmd.conf. A failure is logged. */
void gate_set_mode(Gate *g, GateMode mode) {
        int r;

        assert(g);

        if (g->mode == mode)
                return;
        drain(g);
        g->mode = mode;
        r = g->is_there ? put_into_force(g) : 0;
        if (r < 0)
                log_warning("cannot tell the gate in the kernel what Gate= says: %s", strerror(-r));
}

static int compare_files(const void *a, const void *b) {
        return memcmp(a, b, sizeof(GateFileKey));
}

static int compare_names(const void *a, const void *b) {
        return memcmp(a, b, sizeof(GateNameKey));
}

/**
 * gate_deny_files() - files that are refused with GATE_MODE_FILES
 * @modules: normalised names; files with such a name are refused wherever they are. NULL behind the last
 * @files:   files that are refused whatever they are called
 *
 * Return: 0, also if the gate is off; -ENOMEM; what bpf(2) says.
 */
int gate_deny_files(Gate *g, char *const *modules, const GateFileKey *files, size_t n_files) {
        _cleanup_(freep) GateNameKey *names = NULL;
        _cleanup_(freep) GateFileKey *sorted = NULL;
        size_t n_names = 0;
        unsigned lacks;
        int r;

        assert(g && modules && (files || n_files == 0));

        if (!g->is_there)
                return 0;
        for (size_t i = 0; modules[i]; i++) {
                r = array_grow(&names, n_names, sizeof(*names));
                if (r < 0)
                        return r;
                names[n_names] = (GateNameKey) {};
                (void) snprintf(names[n_names++].text, GATE_NAME_SIZE, "%s", modules[i]);
        }
        if (n_names > 0)
                qsort(names, n_names, sizeof(*names), compare_names);
        sorted = calloc(n_files + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        if (n_files > 0) {
                memcpy(sorted, files, n_files * sizeof(*files));
                qsort(sorted, n_files, sizeof(*sorted), compare_files);
        }
        r = gate_maps_deny_files(&g->maps, sorted, n_files, names, n_names, &lacks);
        if (r < 0)
                return r;
        log_lacks(g, lacks | (g->lacks & ~GATE_LACKS_FILES));
        return 0;
}

/* ------------------------------------------------------------------------------------------- who it was */

/**
 * gate_find_requester() - who asked the kernel for this?
 * @alias:  as the kernel wrote it
 * @helper: process of the program that the kernel has started for it
 * @ret:    a new reference
 *
 * Return: 1; 0 if it is not known; -ENOMEM.
 */
int gate_find_requester(Gate *g, const char *alias, pid_t helper, Requester **ret) {
        assert(g && alias && ret);

        if (!g->is_there || g->mode == GATE_MODE_OFF || helper <= 0)
                return 0;
        drain(g);
        return requester_table_claim(g->waiting, alias, helper, ret);
}

/**
 * gate_find_loader() - who passed a module to the kernel last, beside lkmd?
 * @module: what the kernel calls it
 * @ret:    a new reference
 *
 * Return: 1; 0 if it is not known.
 */
int gate_find_loader(Gate *g, const char *module, Requester **ret) {
        assert(g && module && ret);

        drain(g);
        for (size_t i = 0; i < GATE_LOADERS_MAX; i++) {
                const SeenLoad *seen = g->loads +
                                       (g->next_load + GATE_LOADERS_MAX - 1 - i) % GATE_LOADERS_MAX;

                if (seen->requester && streq(seen->module, module)) {
                        *ret = requester_ref(seen->requester);
                        return 1;
                }
        }
        return 0;
}

/* Events that had no room since the gate was attached. */
uint64_t gate_count_lost(const Gate *g) {
        assert(g);

        return g->n_lost;
}

GateMode gate_get_mode(const Gate *g, const char **ret_reason) {
        assert(g && ret_reason);

        *ret_reason = !g->is_there               ? g->reason
                      : g->mode == GATE_MODE_OFF ? "Gate=off is in lkmd.conf"
                                                 : NULL;
        return g->is_there ? g->mode : GATE_MODE_OFF;
}

/* --------------------------------------------------------------------------------------------- the object */

/* Why lkmd was not given a gate. */
static int find_reason(const char *off_file, char **ret) {
        _cleanup_(closep) int fd = open(off_file, O_RDONLY | O_CLOEXEC);
        size_t size;
        int r;

        if (fd >= 0) {
                r = read_file(fd, REASON_MAX, ret, &size);
                if (r < 0)
                        return r;
                (*ret)[strcspn(*ret, "\n")] = '\0';
                return 0;
        }
        *ret = strdup(LKMD_HAVE_GATE
                              ? "lkmd-gate has not put it into force: journalctl -u lkmd-gate says why"
                              : "lkmd was built without it");
        return *ret ? 0 : -ENOMEM;
}

static bool has_all(const int *fds) {
        for (size_t i = 0; fds && i < _GATE_MAP_MAX; i++)
                if (fds[i] < 0)
                        return false;
        return fds;
}

static int open_gate(Gate *g, sd_event *event) {
        int r;

        r = gate_maps_check(&g->maps);
        if (r == -EPROTO)
                return r;
        if (r >= 0)
                r = gate_ring_new(&g->ring, g->maps.fds[GATE_EVENTS], GATE_EVENTS_BYTES);
        if (r >= 0)
                r = sd_event_add_io(event, &g->source, g->maps.fds[GATE_EVENTS], EPOLLIN, on_readable, g);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(g->source, "gate");
        (void) sd_event_source_set_priority(g->source, LOOP_EVENTS);
        g->is_there = true;
        return 0;
}

static int be_off(Gate *g, int error) {
        free(g->reason);
        if (error == -EPROTO)
                g->reason = strdup(
                        "the gate in the kernel is of another version of lkmd: systemctl restart lkmd");
        else if (asprintf(&g->reason, "lkmd cannot use the gate in the kernel: %s", strerror(-error)) < 0)
                g->reason = NULL;
        return g->reason ? 0 : -ENOMEM;
}

/**
 * gate_new() - take the gate that the kernel has, if it has one
 *
 * What was in force stays so until gate_apply().
 *
 * Return: 0, also without a gate; -ENOMEM.
 */
int gate_new(Gate **ret, const GateOptions *options) {
        _cleanup_(gate_freep) Gate *g = NULL;
        int r;

        assert(ret && options);

        g = calloc(1, sizeof(*g));
        if (!g)
                return -ENOMEM;
        *g = (Gate) { .maps.ops = &gate_map_ops,
                      .mode = GATE_MODE_REQUESTS,
                      .on_refused = options->on_refused,
                      .on_socket = options->on_socket,
                      .on_file = options->on_file,
                      .on_lost = options->on_lost,
                      .userdata = options->userdata };
        for (size_t i = 0; i < _GATE_MAP_MAX; i++)
                g->maps.fds[i] = options->fds ? options->fds[i] : -EBADF;
        r = requester_table_new(&g->waiting, "");
        if (r < 0)
                return r;
        if (has_all(options->fds)) {
                r = open_gate(g, options->event);
                if (r < 0)
                        r = be_off(g, r);
        } else
                r = find_reason(options->off_file, &g->reason);
        if (r < 0)
                return r;
        if (g->reason)
                log_info("the gate in the kernel is off: %s", g->reason);
        *ret = STEAL_PTR(g);
        return 0;
}

/* What is in force in the kernel stays so. Return: NULL. */
Gate *gate_free(Gate *g) {
        if (!g)
                return NULL;

        sd_event_source_disable_unref(g->source);
        gate_ring_free(g->ring);
        for (size_t i = 0; i < _GATE_MAP_MAX; i++)
                closep(g->maps.fds + i);
        for (size_t i = 0; i < GATE_LOADERS_MAX; i++)
                requester_unref(g->loads[i].requester);
        requester_table_free(g->waiting);
        gate_table_free(g->table);
        free(g->reason);
        free(g);
        return NULL;
}
