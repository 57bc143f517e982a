/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SecondLook: owns the list of devices that it looked at and whose loads are not over, and who waits for that. Policy
 * and index change in the middle of other things, so it looks at the next turn of the loop, or when it is told to.
 *
 * Whether a module still is refused is asked without a report, as the request of the device that it was: audit and
 * journal do not count a device that stays refused once more. The look itself is an ordinary request.
 */

#include "daemon/requests/second-look.h"

#include <assert.h>
#include <limits.h>
#include <sys/queue.h>

#include "common/base/limits.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/device/device-facts.h"
#include "common/explain/omission-text.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"

typedef struct Waiter Waiter;
struct Waiter {
        second_look_over_t over;
        void *userdata;
        LIST_ENTRY(Waiter) next;
};

struct SecondLook {
        SecondLookOptions options;
        sd_event_source *turn, *timer;
        TAILQ_HEAD(, RefusedDevice)
        devices; /* that were looked at, with the modules that are not refused any more */
        LIST_HEAD(, Waiter) waiters;
        bool due;                       /* second_look_soon() was called */
        bool looking;                   /* loads may be over before all devices were looked at */
};

/* -------------------------------------------------------------------------------------------- what became of it */

static bool read_device(const char *device, DeviceUevent *ret) {
        char syspath[PATH_MAX];

        return snprintf(syspath, sizeof(syspath), "/sys%s", device) < (int) sizeof(syspath) &&
               device_uevent_read(ret, syspath) >= 0;
}

/* The last thing that was done to a module; NULL: nothing. */
static const Record *find_last(const Ledger *ledger, const char *module) {
        for (size_t i = 0; i < ledger_count(ledger); i++) {
                const Record *record = ledger_get(ledger, i);

                if (streq(record->module, module))
                        return record;
        }
        return NULL;
}

/* In words, which follow the names of the device and the modules. Return: 0; -ENOMEM. */
static int tell_result(const SecondLook *s, const RefusedDevice *device, const char *driver, char **ret) {
        bool live = true;

        if (driver)
                return asprintf(ret, "its driver is %s", driver) < 0 ? -ENOMEM : 0;
        if (autoload_is_busy_with(s->options.autoload, device->request->device)) {
                *ret = strdup("being loaded");
                return *ret ? 0 : -ENOMEM;
        }
        for (char **module = device->modules; module && *module; module++) {
                const Record *record = find_last(s->options.ledger, *module);

                live &= module_state_read(*module) == MODULE_LIVE;
                if (record && !outcome_is_success(record->outcome) && record->message)
                        return asprintf(ret, "failed: %s", record->message) < 0 ? -ENOMEM : 0;
        }
        *ret = strdup(live ? "loaded, and has not taken the device" : "nothing was loaded");
        return *ret ? 0 : -ENOMEM;
}

static int describe(const SecondLook *s, const RefusedDevice *device, sd_json_variant **ret) {
        _cleanup_(freep) char *result = NULL, *shown_result = NULL, *shown = NULL, *driver = NULL;
        DeviceUevent u;
        int r;

        if (read_device(device->request->device, &u) && u.facts.driver) {
                r = text_escape(u.facts.driver, &driver);
                if (r < 0)
                        return r;
        }
        r = tell_result(s, device, driver, &result);
        if (r >= 0)
                r = text_escape(result, &shown_result);
        if (r >= 0)
                r = text_escape(device->request->device, &shown);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("device", shown),
                SD_JSON_BUILD_PAIR_STRV("modules", device->modules),
                SD_JSON_BUILD_PAIR_CONDITION(driver != NULL, "driver", SD_JSON_BUILD_STRING(driver)),
                SD_JSON_BUILD_PAIR_STRING("result", shown_result));
}

static int describe_all(const SecondLook *s, sd_json_variant **ret) {
        const RefusedDevice *device;
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        TAILQ_FOREACH(device, &s->devices, next) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (r >= 0)
                        r = describe(s, device, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static void answer(SecondLook *s) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *devices = NULL;
        Waiter *w;

        if (LIST_EMPTY(&s->waiters))
                return;
        if (describe_all(s, &devices) < 0)
                devices = sd_json_variant_unref(devices);
        while ((w = LIST_FIRST(&s->waiters))) {
                LIST_REMOVE(w, next);
                w->over(devices, w->userdata);
                free(w);
        }
}

static void forget_devices(SecondLook *s) {
        RefusedDevice *device;

        while ((device = TAILQ_FIRST(&s->devices))) {
                TAILQ_REMOVE(&s->devices, device, next);
                refused_device_free(device);
        }
}

/* A load for a device is over: are all? */
static void on_run_over(void *userdata) {
        SecondLook *s = userdata;
        const RefusedDevice *device;

        if (s->looking)
                return;
        TAILQ_FOREACH(device, &s->devices, next)
                if (autoload_is_busy_with(s->options.autoload, device->request->device))
                        return;
        answer(s);
        forget_devices(s);
        (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
}

/* Some module stays in its init: whoever waits is told so, and the loads go on. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        answer(userdata);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- the look */

static bool plan_has_command(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].action == PLAN_COMMAND && streq(plan->steps[i].module, module))
                        return true;
        return false;
}

static bool plan_refuses(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (omission_is_refusal(plan->omissions + i) && streq(plan->omissions[i].module, module))
                        return true;
        return false;
}

/* What a key means that was turned off. */
static int append_requested(char ***list, const Plan *plan) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED)
                        r = string_list_append(list, plan->steps[i].module, strlen(plan->steps[i].module));
        return r;
}

/*
 * Which of its modules are not refused any more?
 *
 * Return: 0 with a StringList, NULL if all are refused; negative errno.
 */
static int find_allowed(const SecondLook *s, const Index *index, const RefusedDevice *device, char ***ret) {
        _cleanup_(string_list_freep) char **allowed = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = planner_ask_for(s->options.planner, index, device->request, PLAN_AUTOLOAD, &plan);
        for (char **module = device->modules; r >= 0 && module && *module; module++)
                if (plan_refuses(plan, *module) ||
                    (string_list_contains(device->by_command, *module) && plan_has_command(plan, *module)))
                        continue;
                else if (streq(*module, device->request->key))
                        r = append_requested(&allowed, plan);
                else
                        r = string_list_append(&allowed, *module, strlen(*module));
        if (r < 0)
                return r;
        *ret = STEAL_PTR(allowed);
        return 0;
}

/* @device: taken */
static int look_at(SecondLook *s, const Index *index, RefusedDevice *device) {
        _cleanup_(refused_device_freep) RefusedDevice *taken = device;
        _cleanup_(string_list_freep) char **allowed = NULL;
        const Request *request = device->request;
        DeviceUevent u;
        int r;

        if (!read_device(request->device, &u))
                return 0;               /* it is gone */
        r = u.facts.driver ? 0 : find_allowed(s, index, device, &allowed);
        if (r < 0 || !allowed) {
                refused_devices_put_back(s->options.planner->refused, STEAL_PTR(taken));
                return r;
        }
        log_info("%s: looked at again, since what refused it a module has gone", request->device);
        r = autoload_request(s->options.autoload, index, request);
        string_list_free(device->modules);
        device->modules = STEAL_PTR(allowed);
        TAILQ_INSERT_TAIL(&s->devices, device, next);
        STEAL_PTR(taken);
        return r;
}

static void look_at_all(SecondLook *s) {
        size_t n = refused_devices_count(s->options.planner->refused); /* more may be noted meanwhile */
        const Index *index = index_keeper_get(s->options.planner->index);

        for (size_t i = 0; i < n; i++) {
                RefusedDevice *device = refused_devices_take(s->options.planner->refused);
                int r = device ? look_at(s, index, device) : 0;

                if (r < 0)
                        log_warning("cannot look at a device again: %s", strerror(-r));
        }
}

/* The policy, the grants or the index have changed: look at the next turn of the loop. */
void second_look_soon(SecondLook *s) {
        assert(s);

        if (refused_devices_count(s->options.planner->refused) == 0 &&
            refused_devices_are_all(s->options.planner->refused))
                return;
        s->due = true;
        (void) sd_event_source_set_enabled(s->turn, SD_EVENT_ONESHOT);
}

static void look(SecondLook *s) {
        if (!s->due)
                return;
        s->due = false;
        if (!charge_is_taken(s->options.charge))
                return;
        if (!refused_devices_are_all(s->options.planner->refused)) {
                refused_devices_clear(s->options.planner->refused);
                s->options.walk(s->options.userdata);
                return;
        }
        s->looking = true;
        look_at_all(s);
        s->looking = false;
}

/**
 * second_look_now() - look now, if second_look_soon() was called
 *
 * What became of it can be awaited afterwards, also if nothing had to be loaded: that shows at the next turn of the
 * loop.
 */
void second_look_now(SecondLook *s) {
        assert(s);

        look(s);
        (void) sd_event_source_set_enabled(s->turn, SD_EVENT_ONESHOT);
}

static int on_turn(sd_event_source *source, void *userdata) {
        SecondLook *s = userdata;

        look(s);
        on_run_over(s);
        return 0;
}

/* ----------------------------------------------------------------------------------------------- object */

/**
 * second_look_new() - nothing to look at
 *
 * Return: 0; -ENOMEM; what sd_event_add_time(3) says.
 */
int second_look_new(SecondLook **ret, const SecondLookOptions *options) {
        _cleanup_(second_look_freep) SecondLook *s = NULL;
        int r;

        assert(ret && options && options->event && options->autoload && options->planner &&
               options->ledger && options->charge && options->walk);

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->options = *options;
        s->options.answer_usec = options->answer_usec ?: SECOND_LOOK_USEC;
        TAILQ_INIT(&s->devices);
        LIST_INIT(&s->waiters);
        r = sd_event_add_defer(options->event, &s->turn, on_turn, s);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(s->turn, "second-look");
        r = sd_event_source_set_enabled(s->turn, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(options->event, &s->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, s);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(s->timer, "second-look-answer");
        r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        autoload_observe(s->options.autoload, on_run_over, s);

        *ret = STEAL_PTR(s);
        return 0;
}

/* Return: NULL. Whoever waits is not answered any more. */
SecondLook *second_look_free(SecondLook *s) {
        Waiter *w;

        if (!s)
                return NULL;

        autoload_observe(s->options.autoload, NULL, NULL);
        while ((w = LIST_FIRST(&s->waiters))) {
                LIST_REMOVE(w, next);
                free(w);
        }
        forget_devices(s);
        sd_event_source_disable_unref(s->turn);
        sd_event_source_disable_unref(s->timer);
        free(s);
        return NULL;
}

/**
 * second_look_await() - be told what became of the devices that are looked at, once
 * @over: called when all loads for them are over, or after @answer_usec; not by this function
 *
 * Return: 1; 0: nothing is under way, so that @over is not called; -ENOMEM.
 */
int second_look_await(SecondLook *s, second_look_over_t over, void *userdata) {
        Waiter *w;
        int r;

        assert(s && over);

        if (second_look_is_over(s))
                return 0;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        r = sd_event_source_set_time_relative(s->timer, s->options.answer_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0) {
                free(w);
                return r;
        }
        w->over = over;
        w->userdata = userdata;
        LIST_INSERT_HEAD(&s->waiters, w, next);
        return 1;
}

/* Whoever waits with this userdata does not any more. */
void second_look_forget(SecondLook *s, void *userdata) {
        Waiter *w, *next;

        assert(s);

        for (w = LIST_FIRST(&s->waiters); w; w = next) {
                next = LIST_NEXT(w, next);
                if (w->userdata != userdata)
                        continue;
                LIST_REMOVE(w, next);
                free(w);
        }
}

bool second_look_is_over(const SecondLook *s) {
        assert(s);

        return TAILQ_EMPTY(&s->devices);
}
