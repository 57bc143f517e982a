/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Intake: takes uevents as fast as the netlink socket delivers them, and passes each device on once per turn of the
 * loop. Owns an entry for each device that sent an event lately, with a copy of its properties; the same path with
 * other properties is another entry, so that a stick which replaces another one in the same port is not held back
 * because of the first.
 *
 * A device with more events than plugging can cause is held back: at first for a second, then twice as long each time
 * that it has not stopped, up to a minute. Its events in that time are processed as one at the end. Other devices are
 * not held back, nothing is lost, and a device that has stopped is treated as new.
 *
 * The table is bounded: the entry without an event for longest is dropped, and processed first if it was held back.
 */

#include "daemon/devices/intake.h"

#include <assert.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/limits.h"
#include "common/device/device-keys.h"

#define BUCKETS 1024U                   /* a power of two */

typedef enum EntryState {
        ENTRY_SILENT,                   /* all its events were processed */
        ENTRY_READY,                    /* to be processed at the next turn of the loop */
        ENTRY_HELD,                     /* held back until until_usec */
} EntryState;

typedef struct Entry Entry;
struct Entry {
        uint32_t hash;
        EntryState state;
        DeviceFacts facts;              /* points behind the struct, as device does */
        const char *device;
        uint64_t window_usec;           /* when its count began */
        unsigned n_events;              /* in the window, or since it is held back */
        uint64_t hold_usec;             /* 0: not noisy */
        uint64_t until_usec;            /* ENTRY_HELD */
        uint64_t since_usec;            /* its oldest event that is not processed */
        TAILQ_ENTRY(Entry) by_age;
        TAILQ_ENTRY(Entry) by_turn;     /* ENTRY_READY */
        LIST_ENTRY(Entry) in_bucket;
};
TAILQ_HEAD(EntryList, Entry);

struct Intake {
        IntakeOptions options;
        sd_event_source *turn_source, *hold_source;
        struct EntryList entries;       /* by their last event, oldest first */
        struct EntryList ready;         /* in order of arrival */
        size_t n_entries;
        LIST_HEAD(, Entry) buckets[BUCKETS];
};

/* ---------------------------------------------------------------------------------------------- entries */

/* Is it of the same device, with the same properties? */
static bool entry_says(const Entry *e, const DeviceFacts *facts, const char *device) {
        return streq(e->device, device) && device_facts_equal(&e->facts, facts);
}

static Entry *find_entry(Intake *i, uint32_t hash, const DeviceFacts *facts, const char *device) {
        Entry *e;

        LIST_FOREACH(e, &i->buckets[hash % BUCKETS], in_bucket)
                if (e->hash == hash && entry_says(e, facts, device))
                        return e;
        return NULL;
}

static Entry *entry_new(uint32_t hash, const DeviceFacts *facts, const char *device) {
        size_t size = device_facts_size(facts);
        Entry *e;

        e = malloc(sizeof(*e) + size + strlen(device) + 1);
        if (!e)
                return NULL;

        *e = (Entry) { .hash = hash, .device = (char *) (e + 1) + size };
        device_facts_copy(&e->facts, facts, (char *) (e + 1));
        memcpy((char *) (e + 1) + size, device, strlen(device) + 1);
        return e;
}

static void entry_drop(Intake *i, Entry *e) {
        if (e->state == ENTRY_READY)
                TAILQ_REMOVE(&i->ready, e, by_turn);
        TAILQ_REMOVE(&i->entries, e, by_age);
        LIST_REMOVE(e, in_bucket);
        i->n_entries--;
        free(e);
}

static void entry_make_ready(Intake *i, Entry *e) {
        e->state = ENTRY_READY;
        TAILQ_INSERT_TAIL(&i->ready, e, by_turn);
        (void) sd_event_source_set_enabled(i->turn_source, SD_EVENT_ONESHOT);
}

static void pass_on(Intake *i, const Entry *e) {
        counters_add_time(i->options.counters, PHASE_EVENT, clock_usec(CLOCK_MONOTONIC) - e->since_usec);
        i->options.seen(&e->facts, e->device, i->options.userdata);
}

/* Makes room for one more. The oldest is never ready: one turn brings fewer than INTAKE_DEVICES_MAX. */
static void make_room(Intake *i) {
        Entry *oldest = TAILQ_FIRST(&i->entries);

        if (i->n_entries < INTAKE_DEVICES_MAX)
                return;
        if (oldest->state != ENTRY_SILENT)
                pass_on(i, oldest);
        entry_drop(i, oldest);
}

/* ------------------------------------------------------------------------------------------------- time */

static uint64_t now_usec(const Intake *i) {
        uint64_t now = 0;

        (void) sd_event_now(i->options.event, CLOCK_MONOTONIC, &now);
        return now;
}

/* Sets the timer for the entry whose hold ends first. */
static void arm_hold(Intake *i) {
        uint64_t first = UINT64_MAX;
        Entry *e;

        TAILQ_FOREACH(e, &i->entries, by_age)
                if (e->state == ENTRY_HELD)
                        first = MIN(first, e->until_usec);
        if (first == UINT64_MAX)
                (void) sd_event_source_set_enabled(i->hold_source, SD_EVENT_OFF);
        else if (sd_event_source_set_time(i->hold_source, first) >= 0)
                (void) sd_event_source_set_enabled(i->hold_source, SD_EVENT_ONESHOT);
}

/* The hold of some entries is over: process their events. One that has not stopped is held longer the next time. */
static int on_hold_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Intake *i = userdata;
        uint64_t now = now_usec(i);
        Entry *e;

        TAILQ_FOREACH(e, &i->entries, by_age) {
                if (e->state != ENTRY_HELD || e->until_usec > now)
                        continue;
                e->hold_usec = e->n_events > 1 ? MIN(e->hold_usec * 2, i->options.hold_max_usec) : 0;
                e->n_events = 0;
                e->window_usec = now;
                entry_make_ready(i, e);
        }
        arm_hold(i);
        return 0;
}

/* Counts an event. Return: true if the entry has to be held back, with until_usec set. */
static bool entry_must_wait(Intake *i, Entry *e) {
        uint64_t now = now_usec(i);

        if (now - e->window_usec > MAX(i->options.window_usec, e->hold_usec)) {
                e->window_usec = now; /* no event for a while */
                e->n_events = 0;
                e->hold_usec = 0;
        }
        e->n_events++;
        if (e->hold_usec == 0) {
                if (e->n_events <= i->options.noisy_events)
                        return false;
                e->hold_usec = i->options.hold_usec;
                i->options.noisy(e->device, e->n_events, e->hold_usec, i->options.userdata);
                e->n_events = 1;
        }
        e->until_usec = now + e->hold_usec;
        return true;
}

/* ----------------------------------------------------------------------------------------------- object */

/* Passes on all entries that are ready: no more than one read of the socket brings. */
static int on_turn(sd_event_source *source, void *userdata) {
        Intake *i = userdata;
        Entry *e;

        while ((e = TAILQ_FIRST(&i->ready))) {
                TAILQ_REMOVE(&i->ready, e, by_turn);
                e->state = ENTRY_SILENT;
                pass_on(i, e);
        }
        return 0;
}

/**
 * intake_new() - empty
 *
 * Return: 0, -ENOMEM or what sd_event_add_time(3) says.
 */
int intake_new(Intake **ret, const IntakeOptions *options) {
        _cleanup_(intake_freep) Intake *i = NULL;
        int r;

        assert(ret && options && options->event && options->counters && options->seen && options->noisy);

        i = calloc(1, sizeof(*i));
        if (!i)
                return -ENOMEM;
        i->options = *options;
        i->options.window_usec = options->window_usec ?: INTAKE_WINDOW_USEC;
        i->options.noisy_events = options->noisy_events ?: INTAKE_NOISY_EVENTS;
        i->options.hold_usec = options->hold_usec ?: INTAKE_HOLD_USEC;
        i->options.hold_max_usec = options->hold_max_usec ?: INTAKE_HOLD_MAX_USEC;
        sd_event_ref(i->options.event);
        TAILQ_INIT(&i->entries);
        TAILQ_INIT(&i->ready);

        r = sd_event_add_defer(i->options.event, &i->turn_source, on_turn, i);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(i->turn_source, "intake");
        r = sd_event_source_set_enabled(i->turn_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(i->options.event, &i->hold_source, CLOCK_MONOTONIC, UINT64_MAX, 0,
                              on_hold_over, i);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(i->hold_source, "intake-hold");
        r = sd_event_source_set_enabled(i->hold_source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(i);
        return 0;
}

/* Return: NULL. Events that were not processed are dropped. */
Intake *intake_free(Intake *i) {
        Entry *e;

        if (!i)
                return NULL;

        while ((e = TAILQ_FIRST(&i->entries)))
                entry_drop(i, e);
        sd_event_source_disable_unref(i->turn_source);
        sd_event_source_disable_unref(i->hold_source);
        sd_event_unref(i->options.event);
        free(i);
        return NULL;
}

/* A removed device needs no driver any more. Its count of events is kept. */
static void forget_announcements(Intake *i, const char *device) {
        uint32_t hash = hash_string(device);
        bool held = false;
        Entry *e;

        LIST_FOREACH(e, &i->buckets[hash % BUCKETS], in_bucket) {
                if (e->hash != hash || e->state == ENTRY_SILENT || !streq(e->device, device))
                        continue;
                if (e->state == ENTRY_READY)
                        TAILQ_REMOVE(&i->ready, e, by_turn);
                held |= e->state == ENTRY_HELD;
                e->state = ENTRY_SILENT;
        }
        if (held)
                arm_hold(i);
}

/**
 * intake_put() - take an event of a device
 * @facts:  copied
 * @device: its path below /sys, copied
 *
 * Return: 0, also for a device without keys to look up; -ENOMEM.
 */
int intake_put(Intake *i, const DeviceFacts *facts, const char *device) {
        const char *keys[DEVICE_KEYS_MAX];
        uint32_t hash;
        Entry *e;

        assert(i && facts && device);

        if (streq_ptr(facts->action, "remove"))
                forget_announcements(i, device);
        if (device_keys(facts, keys) == 0)
                return 0;

        hash = hash_string(device);
        e = find_entry(i, hash, facts, device);
        if (e)
                TAILQ_REMOVE(&i->entries, e, by_age);
        else {
                e = entry_new(hash, facts, device);
                if (!e)
                        return -ENOMEM;
                e->window_usec = now_usec(i);
                make_room(i);
                LIST_INSERT_HEAD(&i->buckets[hash % BUCKETS], e, in_bucket);
                i->n_entries++;
        }
        TAILQ_INSERT_TAIL(&i->entries, e, by_age);

        if (e->state != ENTRY_SILENT) {
                e->n_events++;
                if (e->state == ENTRY_HELD)
                        i->options.counters->backed_off++;
                else
                        i->options.counters->coalesced++;
                return 0;
        }
        e->since_usec = clock_usec(CLOCK_MONOTONIC);
        if (!entry_must_wait(i, e)) {
                entry_make_ready(i, e);
                return 0;
        }
        e->state = ENTRY_HELD;
        i->options.counters->backed_off++;
        arm_hold(i);
        return 0;
}

/* True when all events were processed, except those held back. */
bool intake_is_idle(const Intake *i) {
        assert(i);

        return TAILQ_EMPTY(&i->ready);
}
