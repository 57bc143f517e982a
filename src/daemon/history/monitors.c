/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Monitors: clients that called Monitor get every event from then on. Owns a reference to the link of each of those
 * calls. Events are formatted only while there is a monitor. A client that does not read is disconnected by
 * Clients, so that it cannot use up memory.
 */

#include "daemon/history/monitors.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/plan/plan-json.h"
#include "daemon/base/log.h"
#include "daemon/history/record-json.h"

typedef struct Monitor {
        sd_varlink *link;               /* in the list once */
        bool dead;                      /* to be hung up on */
} Monitor;

struct Monitors {
        Monitor *items;
        size_t n_items;
};

int monitors_new(Monitors **ret) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

/* Return: NULL. */
Monitors *monitors_free(Monitors *m) {
        if (!m)
                return NULL;

        for (size_t i = 0; i < m->n_items; i++)
                sd_varlink_unref(m->items[i].link);
        free(m->items);
        free(m);
        return NULL;
}

/**
 * monitors_add() - send all events to this client from now on
 * @link: a reference is taken; its call wants 'more'
 *
 * Return: 0, -ENOMEM, -EALREADY for a link that is listed, or what sending the first reply gave.
 */
int monitors_add(Monitors *m, sd_varlink *link) {
        Monitor *grown;
        int r;

        assert(m && link);

        for (size_t i = 0; i < m->n_items; i++)
                if (m->items[i].link == link)
                        return -EALREADY;
        grown = reallocarray(m->items, m->n_items + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->items = grown;

        r = sd_varlink_notify(link, NULL);
        if (r < 0)
                return r;
        m->items[m->n_items++] = (Monitor) { .link = sd_varlink_ref(link) };
        return 0;
}

/* The client is gone. Does nothing for a link that is no monitor. */
void monitors_remove(Monitors *m, sd_varlink *link) {
        assert(m);

        for (size_t i = 0; i < m->n_items; i++)
                if (m->items[i].link == link) {
                        m->items[i] = m->items[--m->n_items];
                        sd_varlink_unref(link);
                        return;
                }
}

bool monitors_is_empty(const Monitors *m) {
        assert(m);

        return m->n_items == 0;
}

/*
 * sd_varlink_close() runs callbacks that change the list, such as monitors_remove(), so after each call the search
 * starts from the beginning.
 */
static void hang_up_on_the_dead(Monitors *m) {
        size_t i = 0;

        while (i < m->n_items) {
                sd_varlink *link = m->items[i].link;

                if (!m->items[i].dead) {
                        i++;
                        continue;
                }
                m->items[i] = m->items[--m->n_items];
                (void) sd_varlink_close(link);
                sd_varlink_unref(link);
                i = 0;
        }
}

/* @event: taken, may be NULL when it could not be made. */
static void monitors_publish(Monitors *m, sd_json_variant *event, int error) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *taken = event, *reply = NULL;

        if (error >= 0)
                error = sd_json_buildo(&reply, SD_JSON_BUILD_PAIR_VARIANT("event", taken));
        if (error < 0) {
                log_error("cannot tell monitors of an event: %s", strerror(-error));
                return;
        }

        for (size_t i = 0; i < m->n_items; i++)
                if (sd_varlink_notify(m->items[i].link, reply) < 0)
                        m->items[i].dead = true;
        hang_up_on_the_dead(m);
}

/* Return: 0 or what sd-json says. */
static int event_of_request(const char *kind, const Request *request, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *requester = NULL;
        int r;

        r = describe_request(request, &requester);
        if (r < 0)
                return r;
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("kind", kind),
                              SD_JSON_BUILD_PAIR_UNSIGNED("timeUSec", clock_usec(CLOCK_REALTIME)),
                              SD_JSON_BUILD_PAIR_VARIANT("requester", requester));
}

/**
 * monitors_device() - the kernel sent an event of a device
 * @matches: modules that its key means, NULL-terminated
 */
void monitors_device(Monitors *m, const Request *request, char *const *matches) {
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = event_of_request("device", request, &event);
        if (r >= 0)
                r = sd_json_variant_set_field_strv(&event, "matches", (char **) matches);
        monitors_publish(m, event, r);
}

/* @kind: "verdict" or "would_refuse" */
void monitors_verdict(Monitors *m, const char *kind, const Request *request, const PlanOmission *omission) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *left_out = NULL;
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = plan_omission_to_json(omission, &left_out);
        if (r >= 0)
                r = event_of_request(kind, request, &event);
        if (r >= 0)
                r = sd_json_variant_set_field(&event, "omission", left_out);
        monitors_publish(m, event, r);
}

/**
 * event_of_record() - the varlink type Event for something done to a module
 * @kind: "started", "finished" or "slow"
 *
 * Return: 0 or what sd-json says.
 */
int event_of_record(const char *kind, const Record *record, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        assert(kind && record && ret);

        r = describe_record(record, &v);
        if (r < 0)
                return r;
        return sd_json_buildo(ret,
                              SD_JSON_BUILD_PAIR_STRING("kind", kind),
                              SD_JSON_BUILD_PAIR_UNSIGNED("timeUSec", clock_usec(CLOCK_REALTIME)),
                              SD_JSON_BUILD_PAIR_VARIANT("record", v));
}

void monitors_record(Monitors *m, const char *kind, const Record *record) {
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = event_of_record(kind, record, &event);
        monitors_publish(m, event, r);
}

void monitors_problem(Monitors *m, const Problem *problem) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = describe_problem(problem, &v);
        if (r >= 0)
                r = sd_json_buildo(&event,
                                   SD_JSON_BUILD_PAIR_STRING("kind", "problem"),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("timeUSec", clock_usec(CLOCK_REALTIME)),
                                   SD_JSON_BUILD_PAIR_VARIANT("problem", v));
        monitors_publish(m, event, r);
}

/* The gate refused something to who asks. */
void monitors_gate_refused(Monitors *m, const Request *request, const char *message) {
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = event_of_request("gate_refused", request, &event);
        if (r >= 0)
                r = sd_json_variant_set_field_string(&event, "message", message);
        monitors_publish(m, event, r);
}

/* @kind: "rescan", "noisy", "charge" or "reloaded" */
void monitors_message(Monitors *m, const char *kind, const char *message) {
        sd_json_variant *event = NULL;
        int r;

        if (monitors_is_empty(m))
                return;
        r = sd_json_buildo(&event,
                           SD_JSON_BUILD_PAIR_STRING("kind", kind),
                           SD_JSON_BUILD_PAIR_UNSIGNED("timeUSec", clock_usec(CLOCK_REALTIME)),
                           SD_JSON_BUILD_PAIR_STRING("message", message));
        monitors_publish(m, event, r);
}
