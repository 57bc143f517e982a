/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IdleUnload: the kernel does not tell when a module is not used any more, so reference counts are looked at every
 * quarter of the time, and not at all while IdleUnloadSec= is off and no rule has a time. What is used only between
 * two looks counts as idle; when it comes back soon after its removal, its time doubles (up to IDLE_BACKOFF_MAX
 * times).
 *
 * Being without references is not enough: iptable_filter, wireguard or kvm_intel have none while they do their work.
 * So only those modules may go by themselves that
 *  - lkmd loaded on demand: for the kernel, or for a device that has gone since; and nobody else has asked for;
 *  - were asked for by a key of on_demand_keys[], whose users hold references, and for which the kernel asks again; or
 *    that a rule of the policy names (idle-unload: yes or a time);
 *  - drive no device, and are not the kind of a network interface;
 *  - are wanted by no softdep of a loaded module, and carry nothing that this machine needs (needed-modules.h).
 *
 * When memory is short (proc_pressure(5)), an eighth of the time is enough. An unprivileged process may wait for that
 * since Linux 6.5, with a window of a multiple of two seconds; see psi_trigger_create() in kernel/sched/psi.c.
 */

#include "daemon/requests/idle-unload.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>

#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/string-list.h"
#include "common/index/index-lookup.h"
#include "daemon/base/log.h"
#include "common/device/module-devices.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/unload-run.h"
#include "daemon/planning/needed-modules.h"

#define PRESSURE_FILE "/proc/pressure/memory"
#define PRESSURE_TRIGGER "some 200000 2000000" /* somebody waited for memory for a tenth of two seconds */

/* One that was seen idle, or removed for being so. */
typedef struct Watched {
        char *module;
        uint64_t idle_since_usec;       /* CLOCK_MONOTONIC; 0: it is in use */
        uint64_t removed_usec;          /* likewise; 0: not yet */
        unsigned backoff;               /* times that its time was doubled */
        bool seen;                      /* by the look that is going on */
} Watched;

struct IdleUnload {
        IdleUnloadOptions options;
        uint64_t usec;                  /* UINT64_MAX: off, unless a rule has a time */
        bool is_on;
        bool is_pressed;                /* memory was short since the last look */
        sd_event_source *tick, *pressure;
        Watched *watched;
        size_t n_watched;
        UnloadRun *run;
};

/* What one look at the modules knows. */
typedef struct Look {
        IdleUnload *idle;
        UnloadSources sources;
        LoadedModule *loaded;
        NeedList needs;
        uint64_t now_usec;
} Look;

/* Keys of the kernel's requests whose modules count their users, and are asked for again when somebody needs them. */
static const char *const on_demand_keys[] = {
        "net-pf-",      /* sockets; but for netlink, see below */
        "algif-", "crypto-", /* algorithms */
        "fs-", "nls_",  /* file systems that are mounted, and their character sets */
        "tcp_",         /* congestion control */
        "tty-ldisc-", "binfmt-",
        "char-major-10-", /* devices of /dev that systemd-tmpfiles makes a node for */
};

static bool is_on_demand_key(const char *key) {
        if (startswith(key, "net-pf-16-"))
                return false;           /* netlink families are how interfaces are set up, as for wireguard */
        for (size_t i = 0; i < ARRAY_LEN(on_demand_keys); i++)
                if (startswith(key, on_demand_keys[i]))
                        return true;
        return false;
}

/* ------------------------------------------------------------------------------------------ which may go */

static const LoadedModule *find_loaded(const Look *look, const char *module) {
        for (size_t i = 0; i < look->sources.n_loaded; i++)
                if (streq(look->loaded[i].name, module))
                        return look->loaded + i;
        return NULL;
}

/* Does a rule of the policy speak about it? */
static const PolicyRule *find_rule(const Look *look, const Record *record) {
        return planner_find_idle_rule(look->sources.planner, look->sources.index, record->request,
                                      record->module);
}

static bool device_is_there(const char *device) {
        char path[PATH_MAX];

        return snprintf(path, sizeof(path), "/sys%s", device) >= (int) sizeof(path) ||
               access(path, F_OK) == 0 || errno != ENOENT;
}

/* The time that a module has to be idle for; UINT64_MAX: it stays. @at_once: a sweep, which needs no time */
static uint64_t time_of(const Look *look, const Record *record, bool at_once) {
        const Request *request = record->request;
        const PolicyRule *rule = find_rule(look, record);
        uint64_t usec = at_once ? 0 : look->idle->usec;

        if (rule)
                return rule->idle_unload_usec == POLICY_IDLE_NO    ? UINT64_MAX
                       : at_once || rule->idle_unload_usec == POLICY_IDLE_YES ? usec
                                                                              : rule->idle_unload_usec;
        if (request->origin == ORIGIN_DEVICE)
                return request->device && !device_is_there(request->device) ? usec : UINT64_MAX;
        return is_on_demand_key(request->key) ? usec : UINT64_MAX;
}

static int drives_devices(const char *module) {
        _cleanup_(string_list_freep) char **devices = NULL;
        int r = module_devices_new(NULL, module, &devices);

        return r < 0 ? r : string_list_count(devices) > 0;
}

/* Is there an interface of a kind that the module makes, such as a VLAN for 8021q? */
static bool makes_interfaces(const Look *look, const char *module) {
        _cleanup_(closedirp) DIR *dir = opendir("/sys/class/net");

        for (struct dirent *entry; dir && (entry = readdir(dir));) {
                _cleanup_(needs_clear) NeedList needs = {};
                char *const one[] = { entry->d_name, NULL };

                if (entry->d_name[0] == '.')
                        continue;
                if (interface_needs_find(&needs, &(NeedQuestion) { .interfaces = one,
                                                                   .index = look->sources.index }) < 0 ||
                    needs_find_module(&needs, module))
                        return true;
        }
        return false;
}

/* Nobody uses it but modules of which nobody uses any. */
static bool is_unused(const Look *look, const LoadedModule *m, unsigned depth) {
        size_t n_holders = string_list_count(m->holders);

        if (m->state != MODULE_LIVE || m->ref_count < 0 || (size_t) m->ref_count != n_holders ||
            depth > look->sources.n_loaded)
                return false;
        for (char **holder = m->holders; holder && *holder; holder++) {
                const LoadedModule *user = find_loaded(look, *holder);

                if (!user || !is_unused(look, user, depth + 1))
                        return false;
        }
        return true;
}

/* The record of a module that was loaded on demand, and asked for in no other way; NULL: it is none. */
static const Record *find_on_demand(const Look *look, const char *module) {
        const Record *record;

        if (!ledger_is_on_demand(look->sources.ledger, module))
                return NULL;
        record = ledger_find_wanted(look->sources.ledger, module);
        return record && record_is_lkmds(record) ? record : ledger_find_load(look->sources.ledger, module);
}

/* Return: 1: it may go; 0: it may not; -ENOMEM. */
static int may_go(const Look *look, const LoadedModule *m) {
        int r;

        if (!is_unused(look, m, 0) || needs_find_module(&look->needs, m->name))
                return 0;
        r = drives_devices(m->name);
        if (r != 0)
                return r < 0 ? r : 0;
        r = unload_sources_claim(&look->sources, m->name);
        if (r != 0)
                return r < 0 ? r : 0;
        return !makes_interfaces(look, m->name);
}

/* What a dependency of one that goes may not be: needed, or kept by a rule. */
static bool keeps(const char *module, void *userdata) {
        const Look *look = userdata;
        const Record *record = ledger_find_load(look->sources.ledger, module);
        const PolicyRule *rule = record ? find_rule(look, record) : NULL;

        return needs_find_module(&look->needs, module) ||
               (rule && rule->idle_unload_usec == POLICY_IDLE_NO) || drives_devices(module) != 0;
}

static void look_done(Look *look) {
        loaded_modules_free(look->loaded, look->sources.n_loaded);
        needs_clear(&look->needs);
}

static int look_begin(IdleUnload *u, Look *ret) {
        const Planner *planner = u->options.planner;
        int r;

        *ret = (Look) {
                .idle = u,
                .now_usec = clock_usec(CLOCK_MONOTONIC),
                .sources = {
                        .ledger = u->options.ledger,
                        .planner = planner,
                        .index = index_keeper_get(planner->index),
                        .keeps = keeps,
                        .userdata = ret,
                },
        };
        r = loaded_modules_read(&ret->loaded, &ret->sources.n_loaded);
        if (r < 0)
                return r;
        ret->sources.loaded = ret->loaded;
        r = needs_find(&ret->needs, &(NeedQuestion) { .index = ret->sources.index });
        if (r < 0)
                look_done(ret);
        return r;
}

/* ---------------------------------------------------------------------------------------- since when idle */

static Watched *find_watched(IdleUnload *u, const char *module) {
        for (size_t i = 0; i < u->n_watched; i++)
                if (streq(u->watched[i].module, module))
                        return u->watched + i;
        return NULL;
}

/* NULL: no memory. */
static Watched *watch(IdleUnload *u, const char *module) {
        Watched *w = find_watched(u, module);
        char *copy;

        if (w)
                return w;
        copy = strdup(module);
        if (!copy || array_grow(&u->watched, u->n_watched, sizeof(*u->watched)) < 0) {
                free(copy);
                return NULL;
        }
        w = u->watched + u->n_watched++;
        *w = (Watched) { .module = copy };
        return w;
}

static uint64_t time_with_backoff(const IdleUnload *u, const Watched *w, uint64_t usec) {
        if (usec >= UINT64_MAX >> IDLE_BACKOFF_MAX)
                return UINT64_MAX;
        usec <<= w->backoff;
        return u->is_pressed ? usec / IDLE_PRESSURE_SHARE : usec;
}

/* Those that are in use or gone are forgotten, unless their time was doubled. */
static void forget_others(IdleUnload *u) {
        for (size_t i = u->n_watched; i > 0; i--) {
                Watched *w = u->watched + i - 1;

                if (w->seen)
                        continue;
                w->idle_since_usec = 0;
                if (w->backoff > 0 || w->removed_usec > 0)
                        continue;
                free(w->module);
                *w = u->watched[--u->n_watched];
        }
}

/* The modules whose time has come, users before what they use. */
static int choose(Look *look, bool at_once, char ***ret) {
        _cleanup_(string_list_freep) char **ripe = NULL;
        IdleUnload *u = look->idle;
        size_t n_before;
        int r = 0;

        for (size_t i = 0; i < u->n_watched; i++)
                u->watched[i].seen = false;
        for (size_t i = 0; i < look->sources.n_loaded; i++) {
                const LoadedModule *m = look->loaded + i;
                const Record *record = find_on_demand(look, m->name);
                uint64_t usec = record ? time_of(look, record, at_once) : UINT64_MAX;
                Watched *w;

                if (usec == UINT64_MAX)
                        continue;
                r = may_go(look, m);
                if (r < 0)
                        return r;
                w = r > 0 ? watch(u, m->name) : NULL;
                if (!w)
                        continue;
                w->seen = true;
                if (w->idle_since_usec == 0)
                        w->idle_since_usec = look->now_usec;
                if (!at_once && look->now_usec - w->idle_since_usec < time_with_backoff(u, w, usec))
                        continue;
                r = string_list_append(&ripe, m->name, strlen(m->name));
                if (r < 0)
                        return r;
        }
        if (!at_once)
                forget_others(u);

        do {
                n_before = string_list_count(*ret);
                for (char **module = ripe; module && *module; module++) {
                        const LoadedModule *m = find_loaded(look, *module);
                        bool free_then = !string_list_contains(*ret, *module);

                        for (char **holder = m->holders; holder && *holder; holder++)
                                free_then &= string_list_contains(*ret, *holder);
                        if (free_then)
                                r = string_list_append(ret, *module, strlen(*module));
                        if (r < 0)
                                return r;
                }
        } while (string_list_count(*ret) > n_before);
        return 0;
}

/* What was loaded on demand and stays, for who asks. */
static int add_others(const Look *look, UnloadPlan *plan) {
        for (size_t i = 0; i < look->sources.n_loaded; i++) {
                const LoadedModule *m = look->loaded + i;
                const Record *record = find_on_demand(look, m->name);
                const PolicyRule *rule = record ? find_rule(look, record) : NULL;
                bool kept = rule && rule->idle_unload_usec == POLICY_IDLE_NO;
                int r;

                if (!record || unload_plan_find_step(plan, m->name) ||
                    (!kept && time_of(look, record, /* at_once= */ true) == UINT64_MAX) ||
                    (!kept && m->ref_count <= 0))
                        continue;
                r = unload_plan_add_stay(plan, m, kept ? UNLOAD_STAYS_KEPT : UNLOAD_STAYS_IN_USE);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * idle_unload_plan() - what may go
 * @at_once: without regard to how long it has been idle
 *
 * Return: 0, -ENOMEM, or what reading /proc/modules gave.
 */
int idle_unload_plan(IdleUnload *u, bool at_once, UnloadPlan **ret) {
        _cleanup_(string_list_freep) char **modules = NULL;
        _cleanup_(unload_plan_freep) UnloadPlan *plan = NULL;
        Look look;
        int r;

        assert(u && ret);

        r = look_begin(u, &look);
        if (r < 0)
                return r;
        r = string_list_new(&modules);
        if (r >= 0)
                r = choose(&look, at_once, &modules);
        if (r >= 0)
                r = unload_plan_new(&plan, &look.sources, modules, UNLOAD_IDLE, /* holders= */ false);
        if (r >= 0 && at_once)
                r = add_others(&look, plan);
        look_done(&look);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(plan);
        return 0;
}

/* ------------------------------------------------------------------------------------------------ removal */

static void on_run_done(UnloadRun *run, void *userdata) {
        const RecordList *records = unload_run_get_records(run);
        IdleUnload *u = userdata;

        for (size_t i = 0; i < records->n_items; i++) {
                Watched *w = find_watched(u, records->items[i]->module);

                if (!w)
                        continue;
                w->idle_since_usec = 0; /* if it stays, its time begins again */
                if (records->items[i]->outcome == OUTCOME_UNLOADED)
                        w->removed_usec = clock_usec(CLOCK_MONOTONIC);
        }
        u->run = unload_run_free(u->run);
}

static int remove_idle(IdleUnload *u) {
        _cleanup_(unload_plan_freep) UnloadPlan *plan = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        if (u->run)
                return 0;
        r = idle_unload_plan(u, /* at_once= */ false, &plan);
        if (r < 0 || plan->n_steps == 0)
                return r;
        r = request_new(&request, ORIGIN_IDLE, "idle");
        if (r < 0)
                return r;
        r = unload_run_new(&u->run, plan,
                           &(UnloadRunOptions) {
                                   .scheduler = u->options.scheduler,
                                   .ledger = u->options.ledger,
                                   .planner = u->options.planner,
                                   .request = request,
                                   .done = on_run_done,
                                   .userdata = u,
                           });
        if (r < 0)
                return r;
        plan = NULL;
        r = unload_run_start(u->run);
        if (r < 0)
                u->run = unload_run_free(u->run);
        return r;
}

static uint64_t tick_usec(const IdleUnload *u) {
        uint64_t least = MIN(u->usec, planner_least_idle_usec(u->options.planner));

        return MAX(IDLE_TICK_MIN_USEC, MIN(least / 4, IDLE_TICK_MAX_USEC));
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        IdleUnload *u = userdata;
        int r;

        r = remove_idle(u);
        if (r < 0)
                log_warning("cannot look for modules that nobody uses: %s", strerror(-r));
        u->is_pressed = false;
        r = sd_event_source_set_time_relative(source, tick_usec(u));
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ----------------------------------------------------------------------------------------------- pressure */

/* The kernel reports it once in a window at most. */
static int on_pressure(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        IdleUnload *u = userdata;
        int r;

        if (events & EPOLLERR) {        /* the kernel has taken the trigger away */
                u->pressure = sd_event_source_disable_unref(u->pressure);
                return 0;
        }
        u->is_pressed = true;
        r = remove_idle(u);
        if (r < 0)
                log_warning("cannot look for modules that nobody uses: %s", strerror(-r));
        u->is_pressed = false;
        return 0;
}

static void watch_pressure(IdleUnload *u) {
        _cleanup_(closep) int fd = -EBADF;
        int r;

        fd = open(PRESSURE_FILE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || write(fd, PRESSURE_TRIGGER, sizeof(PRESSURE_TRIGGER)) < 0) {
                log_debug("%s: idle modules do not go earlier when memory is short: %s", PRESSURE_FILE,
                          strerror(errno));
                return;
        }
        r = sd_event_add_io(u->options.event, &u->pressure, fd, EPOLLPRI, on_pressure, u);
        if (r < 0) {
                log_debug("%s: %s", PRESSURE_FILE, strerror(-r));
                return;
        }
        (void) sd_event_source_set_priority(u->pressure, SD_EVENT_PRIORITY_IDLE);
        (void) sd_event_source_set_io_fd_own(u->pressure, true);
        fd = -EBADF;
}

/* ------------------------------------------------------------------------------------------------- object */

/**
 * idle_unload_new() - off until idle_unload_apply()
 *
 * Return: 0 or -ENOMEM.
 */
int idle_unload_new(IdleUnload **ret, const IdleUnloadOptions *options) {
        IdleUnload *u;

        assert(ret && options && options->event && options->scheduler && options->ledger &&
               options->planner);

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->options = *options;
        u->usec = UINT64_MAX;
        sd_event_ref(u->options.event);
        *ret = u;
        return 0;
}

/* Return: NULL. */
IdleUnload *idle_unload_free(IdleUnload *u) {
        if (!u)
                return NULL;

        unload_run_free(u->run);
        sd_event_source_disable_unref(u->tick);
        sd_event_source_disable_unref(u->pressure);
        for (size_t i = 0; i < u->n_watched; i++)
                free(u->watched[i].module);
        free(u->watched);
        sd_event_unref(u->options.event);
        free(u);
        return NULL;
}

/* Trouble with the loop is logged: then nothing goes by itself. */
void idle_unload_apply(IdleUnload *u, uint64_t usec) {
        int r;

        assert(u);

        u->usec = usec;
        u->is_on = usec != UINT64_MAX || planner_least_idle_usec(u->options.planner) != UINT64_MAX;
        u->tick = sd_event_source_disable_unref(u->tick);
        if (!u->is_on) {
                u->pressure = sd_event_source_disable_unref(u->pressure);
                return;
        }
        r = sd_event_add_time_relative(u->options.event, &u->tick, CLOCK_MONOTONIC, tick_usec(u),
                                       tick_usec(u) / 2, on_tick, u);
        if (r < 0)
                log_warning("modules that nobody uses stay: %s", strerror(-r));
        else
                (void) sd_event_source_set_priority(u->tick, SD_EVENT_PRIORITY_IDLE);
        if (!u->pressure)
                watch_pressure(u);
}

bool idle_unload_is_on(const IdleUnload *u) {
        assert(u);

        return u->is_on;
}

void idle_unload_note_use(IdleUnload *u, const char *module, bool was_loaded) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC), soon;
        Watched *w;

        assert(u && module);

        w = find_watched(u, module);
        if (!w)
                return;
        w->idle_since_usec = 0;
        if (!was_loaded || w->removed_usec == 0)
                return;
        soon = u->usec == UINT64_MAX ? planner_least_idle_usec(u->options.planner) : u->usec;
        soon = soon >= UINT64_MAX >> (IDLE_BACKOFF_MAX + 1) ? UINT64_MAX : soon << (w->backoff + 1);
        if (now - w->removed_usec > soon)
                w->backoff = 0;
        else if (w->backoff < IDLE_BACKOFF_MAX)
                w->backoff++;
        w->removed_usec = 0;
}
