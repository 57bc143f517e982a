/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Autoload: looks the keys of a device up in the index, and has the modules planned and loaded that are neither
 * loaded nor denied. Owns the plans that run for devices. Borrows scheduler, planner, monitors and counters.
 */

#include "daemon/requests/autoload.h"

#include <assert.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/device/device-keys.h"
#include "common/index/lookup-cache.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/plan-run.h"

typedef struct DeviceRun DeviceRun;
struct DeviceRun {
        Autoload *autoload;
        PlanRun *run;
        Request *request;
        LIST_ENTRY(DeviceRun) next;
};

struct Autoload {
        Scheduler *scheduler;
        const Planner *planner;
        Monitors *monitors;
        Counters *counters;
        LIST_HEAD(, DeviceRun) runs;
        autoload_over_t over;           /* NULL: nobody wants to know */
        void *userdata;
};

int autoload_new(Autoload **ret, Scheduler *scheduler, const Planner *planner, Monitors *monitors,
                 Counters *counters) {
        Autoload *a;

        assert(ret && scheduler && planner && monitors && counters);

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->scheduler = scheduler;
        a->planner = planner;
        a->monitors = monitors;
        a->counters = counters;
        LIST_INIT(&a->runs);

        *ret = a;
        return 0;
}

static void device_run_free(DeviceRun *d) {
        LIST_REMOVE(d, next);
        plan_run_free(d->run);
        request_unref(d->request);
        free(d);
}

/* Return: NULL. */
Autoload *autoload_free(Autoload *a) {
        if (!a)
                return NULL;

        while (!LIST_EMPTY(&a->runs))
                device_run_free(LIST_FIRST(&a->runs));
        free(a);
        return NULL;
}

static void on_run_done(PlanRun *run, void *userdata) {
        DeviceRun *d = userdata;
        Autoload *a = d->autoload;

        device_run_free(d);
        if (a->over)
                a->over(a->userdata);
}

/* @over: called whenever the loads for a device are over; NULL: not any more */
void autoload_observe(Autoload *a, autoload_over_t over, void *userdata) {
        assert(a);

        a->over = over;
        a->userdata = userdata;
}

/* Is there anything to do? Most events are about devices whose drivers are loaded already, or do not exist. */
static bool is_worth_a_plan(const IndexMatch *matches, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (matches[i].module
                            ? matches[i].module->path && module_state_read(matches[i].name) != MODULE_LIVE
                            : matches[i].source == INDEX_COMMAND)
                        return true;
        return false;
}

/* "alias KEY off": nothing is to be loaded for it. */
static bool is_turned_off(const IndexMatch *matches, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!matches[i].module && matches[i].source == INDEX_CONFIG_ALIAS &&
                    streq(matches[i].name, "off"))
                        return true;
        return false;
}

static int report_device(Autoload *a, const Request *request, const IndexMatch *matches, size_t n) {
        _cleanup_(freep) char **names = NULL;

        names = calloc(n + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                names[i] = (char *) matches[i].name; /* borrowed, only read */
        monitors_device(a->monitors, request, names);
        return 0;
}

static int start_run(Autoload *a, Plan *plan, Request *request) {
        _cleanup_(plan_freep) Plan *taken = plan;
        DeviceRun *d;
        int r;

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->autoload = a;
        r = plan_run_new(&d->run, a->scheduler, a->planner, taken, request, on_run_done, d);
        if (r < 0) {
                free(d);
                return r;
        }
        STEAL_PTR(taken);
        d->request = request_ref(request);

        LIST_INSERT_HEAD(&a->runs, d, next);
        r = plan_run_start(d->run);
        if (r < 0)
                device_run_free(d);
        return r;
}

static int autoload_key(Autoload *a, const Index *index, const DeviceFacts *facts, const char *device,
                        const char *key) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t begun_usec = clock_usec(CLOCK_MONOTONIC);
        const IndexMatch *matches;
        size_t n = 0;
        bool worth, off;
        int r;

        a->counters->lookups++;
        r = lookup_cache_find(index_keeper_get_cache(a->planner->index), index, key, &matches, &n);
        if (r < 0)
                return r;

        worth = is_worth_a_plan(matches, n);
        off = is_turned_off(matches, n);
        if (!worth && !off && monitors_is_empty(a->monitors))
                return 0;
        r = request_new_device(&request, key, device, facts->subsystem, facts->driver);
        if (r < 0)
                return r;
        if (off)
                refused_devices_note(a->planner->refused, request, key);
        r = report_device(a, request, matches, n);
        if (r < 0 || !worth)
                return r;

        a->counters->requests++;
        r = planner_plan(a->planner, index, request, PLAN_AUTOLOAD, NULL, &plan);
        if (r < 0)
                return r;
        counters_add_time(a->counters, PHASE_PLAN, clock_usec(CLOCK_MONOTONIC) - begun_usec);
        if (plan->n_steps == 0)
                return 0;
        return start_run(a, STEAL_PTR(plan), request);
}

/**
 * autoload_device() - find and load the modules for a device
 * @device: its path below /sys
 *
 * Return: 0, also when there is nothing to do; negative errno of the first key that could not be handled.
 */
int autoload_device(Autoload *a, const Index *index, const DeviceFacts *facts, const char *device) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t n;
        int result = 0;

        assert(a && index && facts && device);

        n = device_keys(facts, keys);
        for (size_t i = 0; i < n; i++) {
                int r = autoload_key(a, index, facts, device, keys[i]);

                if (r < 0 && result >= 0)
                        result = r;
        }
        return result;
}

/**
 * autoload_request() - the same for one key of a device, as the request that a device made before
 *
 * Return: as autoload_device().
 */
int autoload_request(Autoload *a, const Index *index, const Request *request) {
        const DeviceFacts facts = { .action = "add", .subsystem = request->subsystem };

        assert(a && index && request && request->device);

        return autoload_key(a, index, &facts, request->device, request->key);
}

/* Does a plan run for this device? */
bool autoload_is_busy_with(const Autoload *a, const char *device) {
        const DeviceRun *d;

        assert(a && device);

        LIST_FOREACH(d, &a->runs, next)
                if (streq(d->request->device, device))
                        return true;
        return false;
}

/* True when no plan runs for a device. */
bool autoload_is_idle(const Autoload *a) {
        assert(a);

        return LIST_EMPTY(&a->runs);
}
