/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevWait: a device that has to wait is looked at when udev's own event for it arrives, which udevd sends when it has
 * applied all rules to it and run their programs. Owns an entry for each device that waits, with a copy of its
 * properties, and for each that udev has answered for since lkmd started. Without rules that matter to drivers, it
 * owns nothing and does nothing.
 *
 * A device that a walk over /sys finds may have been handled by udevd before lkmd started, and then there is no event
 * to come: a record in udev's database that is younger than udevd's control socket says so. (An older one is of the
 * udevd in the initial RAM disk, which has other rules.) Not every device has a record; so udevd, when it has handled
 * something and then had nothing to do for a while, is through with all devices that it was told of.
 *
 * Nor is there an event to come of a device that appeared while the rules were being read because of which lkmd
 * listens to udev: udevd may have been faster.
 *
 * If udevd says nothing for UDEV_SILENCE_USEC, its rules are not waited for: a device without a driver is worse. That
 * is long, since at boot lkmd starts before udevd.
 */

#include "daemon/devices/udev-wait.h"

#include <assert.h>
#include <limits.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/device/device-keys.h"
#include "daemon/base/log.h"

#define BUCKETS 1024U                   /* a power of two */

typedef enum EntryState {
        ENTRY_TOLD,                     /* the kernel sent an event, so udev will send one */
        ENTRY_MISSED,                   /* likewise, but udev may have sent it before anybody listened */
        ENTRY_FOUND,                    /* in a walk: udev may be through with it, or may never have been told */
        ENTRY_ANSWERED,                 /* it does not wait, and does not need to when a walk finds it again */
} EntryState;

typedef struct Entry Entry;
struct Entry {
        EntryState state;
        DeviceFacts facts;              /* points behind the struct, as device does */
        const char *device;
        uint64_t since_usec;            /* CLOCK_MONOTONIC */
        TAILQ_ENTRY(Entry) by_age;
        LIST_ENTRY(Entry) in_bucket;
};
TAILQ_HEAD(EntryList, Entry);

struct UdevWait {
        UdevWaitOptions options;
        sd_event_source *tick;
        struct EntryList waiting, answered; /* oldest first */
        size_t n_waiting, n_answered;
        LIST_HEAD(, Entry) buckets[BUCKETS];
        uint64_t answer_usec;           /* udevd's last event */
        uint64_t news_usec;             /* the rules were other ones before */
        uint64_t idle_since_usec;       /* udevd has nothing to do; 0: it has */
};

/* ---------------------------------------------------------------------------------------------- entries */

static Entry *find_entry(UdevWait *w, const char *device) {
        Entry *e;

        LIST_FOREACH(e, &w->buckets[hash_string(device) % BUCKETS], in_bucket)
                if (streq(e->device, device))
                        return e;
        return NULL;
}

static void entry_unlink(UdevWait *w, Entry *e) {
        if (e->state == ENTRY_ANSWERED) {
                TAILQ_REMOVE(&w->answered, e, by_age);
                w->n_answered--;
        } else {
                TAILQ_REMOVE(&w->waiting, e, by_age);
                w->n_waiting--;
        }
        LIST_REMOVE(e, in_bucket);
}

static void entry_drop(UdevWait *w, Entry *e) {
        entry_unlink(w, e);
        free(e);
}

static void entry_link(UdevWait *w, Entry *e) {
        if (e->state == ENTRY_ANSWERED) {
                TAILQ_INSERT_TAIL(&w->answered, e, by_age);
                w->n_answered++;
        } else {
                TAILQ_INSERT_TAIL(&w->waiting, e, by_age);
                w->n_waiting++;
                (void) sd_event_source_set_enabled(w->tick, SD_EVENT_ON);
        }
        LIST_INSERT_HEAD(&w->buckets[hash_string(e->device) % BUCKETS], e, in_bucket);
}

/* Bounded: the oldest of what is only remembered goes first. Without an entry, udev's event still counts. */
static bool has_room(UdevWait *w) {
        if (w->n_waiting + w->n_answered >= UDEV_DEVICES_MAX && w->n_answered > 0)
                entry_drop(w, TAILQ_FIRST(&w->answered));
        return w->n_waiting + w->n_answered < UDEV_DEVICES_MAX;
}

/* Return: 0, also if there is no room for it; -ENOMEM. */
static int add(UdevWait *w, EntryState state, const DeviceFacts *facts, const char *device) {
        size_t size = device_facts_size(facts);
        Entry *e;

        if (!has_room(w))
                return 0;
        e = malloc(sizeof(*e) + size + strlen(device) + 1);
        if (!e)
                return -ENOMEM;
        *e = (Entry) { .state = state,
                       .device = (char *) (e + 1) + size,
                       .since_usec = clock_usec(CLOCK_MONOTONIC) };
        device_facts_copy(&e->facts, facts, (char *) (e + 1));
        memcpy((char *) (e + 1) + size, device, strlen(device) + 1);
        entry_link(w, e);
        return 0;
}

static int remember_answer(UdevWait *w, const char *device) {
        return add(w, ENTRY_ANSWERED, &(DeviceFacts) {}, device);
}

/* -------------------------------------------------------------------------------------- what udevd has done */

static int stat_below(const UdevWait *w, const char *name, struct stat *ret) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/%s", w->options.udev_run_dir, name);
        return stat(path, ret) < 0 ? -errno : 0;
}

static bool is_younger(const struct stat *a, const struct stat *b) {
        return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
                                                      : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* Has the udevd of now written this file of its database? */
static bool is_of_this_udevd(const UdevWait *w, const char *name) {
        struct stat control, file;

        return stat_below(w, "control", &control) >= 0 && stat_below(w, name, &file) >= 0 &&
               is_younger(&file, &control);
}

static bool udevd_is_idle(const UdevWait *w) {
        struct stat st;

        return stat_below(w, "queue", &st) == -ENOENT && stat_below(w, "control", &st) >= 0;
}

/* As device_get_device_id() of sd-device names records: by number, by network interface, or by name. */
static bool has_record(const UdevWait *w, struct udev_device *device) {
        const char *subsystem = udev_device_get_subsystem(device),
                   *index = udev_device_get_property_value(device, "IFINDEX");
        const char *name = strrchr(udev_device_get_devpath(device), '/');
        dev_t number = udev_device_get_devnum(device);
        char record[2 * NAME_MAX];

        if (!subsystem || !name)
                return false;
        if (major(number) != 0)
                (void) snprintf(record, sizeof(record), "data/%c%u:%u",
                                streq(subsystem, "block") ? 'b' : 'c', major(number), minor(number));
        else if (index)
                (void) snprintf(record, sizeof(record), "data/n%s", index);
        else
                (void) snprintf(record, sizeof(record), "data/+%s:%s", subsystem, name + 1);
        return is_of_this_udevd(w, record);
}

static inline void udev_device_unrefp(struct udev_device **device) {
        if (*device)
                (void) udev_device_unref(*device);
}

static struct udev_device *open_device(const UdevWait *w, const char *device) {
        char syspath[PATH_MAX];

        (void) snprintf(syspath, sizeof(syspath), "/sys%s", device);
        return udev_device_new_from_syspath(w->options.udev, syspath);
}

static bool is_handled(const UdevWait *w, const char *device) {
        _cleanup_(udev_device_unrefp) struct udev_device *d = NULL;

        if (!udevd_is_idle(w))
                return false;
        d = open_device(w, device);
        return d && has_record(w, d);
}

/* ------------------------------------------------------------------------------------------------- time */

/* With the properties that udev has for it, if there is such a device. */
static void look(UdevWait *w, const Entry *e) {
        _cleanup_(udev_device_unrefp) struct udev_device *d = open_device(w, e->device);
        DeviceFacts facts;

        if (!d) {
                w->options.look(&e->facts, e->device, w->options.userdata);
                return;
        }
        uevent_get_facts(d, "add", &facts);
        w->options.look(&facts, e->device, w->options.userdata);
}

static void release(UdevWait *w, Entry *e) {
        entry_unlink(w, e);
        if (remember_answer(w, e->device) < 0)
                log_debug("%s: no memory to note that udev is through with it", e->device);
        look(w, e);
        free(e);
}

static bool is_overdue(const UdevWait *w, const Entry *e, uint64_t now) {
        return now - MAX(e->since_usec, w->answer_usec) >= w->options.silence_usec ||
               now - e->since_usec >= w->options.wait_usec;
}

/* Is udevd through with all that it was told of before lkmd started? */
static bool is_through(UdevWait *w, uint64_t now) {
        if (!udevd_is_idle(w)) {
                w->idle_since_usec = 0;
                return false;
        }
        if (w->idle_since_usec == 0)
                w->idle_since_usec = now;
        return now - w->idle_since_usec >= w->options.idle_usec && is_of_this_udevd(w, "data");
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        UdevWait *w = userdata;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        bool through = is_through(w, now);
        size_t n_overdue = 0;
        Entry *e, *next;

        for (e = TAILQ_FIRST(&w->waiting); e; e = next) {
                next = TAILQ_NEXT(e, by_age);
                if ((through && e->state != ENTRY_TOLD) ||
                    (e->state == ENTRY_FOUND && is_handled(w, e->device)))
                        release(w, e);
                else if (is_overdue(w, e, now)) {
                        n_overdue++;
                        release(w, e);
                }
        }
        if (n_overdue > 0)
                log_warning(
                        "udevd does not answer; drivers of %zu devices are loaded without waiting for its rules: "
                        "systemctl status " UDEV_UNIT,
                        n_overdue);
        if (w->n_waiting == 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return sd_event_source_set_time_relative(source, w->options.tick_usec);
}

/* ----------------------------------------------------------------------------------------------- object */

/**
 * udev_wait_new() - nothing waits
 *
 * Return: 0; -ENOMEM; what sd_event_add_time_relative(3) says.
 */
int udev_wait_new(UdevWait **ret, const UdevWaitOptions *options) {
        _cleanup_(udev_wait_freep) UdevWait *w = NULL;
        int r;

        assert(ret && options && options->event && options->udev && options->must && options->look);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->options = *options;
        w->options.udev_run_dir = options->udev_run_dir ?: UDEV_RUN_DIR;
        w->options.silence_usec = options->silence_usec ?: UDEV_SILENCE_USEC;
        w->options.wait_usec = options->wait_usec ?: UDEV_WAIT_USEC;
        w->options.idle_usec = options->idle_usec ?: UDEV_IDLE_USEC;
        w->options.listen_usec = options->listen_usec ?: UDEV_LISTEN_USEC;
        w->news_usec = clock_usec(CLOCK_MONOTONIC);
        w->options.tick_usec = options->tick_usec ?: UDEV_TICK_USEC;
        udev_ref(w->options.udev);
        TAILQ_INIT(&w->waiting);
        TAILQ_INIT(&w->answered);

        r = sd_event_add_time_relative(options->event, &w->tick, CLOCK_MONOTONIC, 0, 0, on_tick, w);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(w->tick, "udev-wait");
        r = sd_event_source_set_enabled(w->tick, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. Devices that wait are dropped. */
UdevWait *udev_wait_free(UdevWait *w) {
        Entry *e;

        if (!w)
                return NULL;

        while ((e = TAILQ_FIRST(&w->waiting)))
                entry_drop(w, e);
        while ((e = TAILQ_FIRST(&w->answered)))
                entry_drop(w, e);
        sd_event_source_disable_unref(w->tick);
        udev_unref(w->options.udev);
        free(w);
        return NULL;
}

static bool must_wait(const UdevWait *w, const DeviceFacts *facts) {
        const char *keys[DEVICE_KEYS_MAX];

        return device_keys(facts, keys) > 0 && w->options.must(facts->subsystem, w->options.userdata);
}

/**
 * udev_wait_event() - the kernel sent an event
 * @facts:  copied
 * @device: its path below /sys, copied
 *
 * Return: 1: the device waits, or there is nothing to do about it; 0: its event counts; -ENOMEM.
 */
int udev_wait_event(UdevWait *w, const DeviceFacts *facts, const char *device) {
        Entry *e;
        int r;

        assert(w && facts && device);

        if (w->n_waiting + w->n_answered > 0 &&
            (streq_ptr(facts->action, "remove") || streq_ptr(facts->action, "add"))) {
                e = find_entry(w, device);
                if (e)
                        entry_drop(w, e);
        }
        if (!must_wait(w, facts))
                return 0;
        if (clock_usec(CLOCK_MONOTONIC) - w->news_usec >= w->options.listen_usec)
                r = add(w, ENTRY_TOLD, facts, device);
        else {
                w->idle_since_usec = 0; /* what udevd had to do before does not count */
                r = add(w, ENTRY_MISSED, facts, device);
        }
        return r < 0 ? r : 1;
}

/**
 * udev_wait_found() - a walk over /sys came to a device
 *
 * Return: as udev_wait_event(), with 0 if udev is through with it.
 */
int udev_wait_found(UdevWait *w, const DeviceFacts *facts, const char *device) {
        const Entry *e;
        int r;

        assert(w && facts && device);

        if (!must_wait(w, facts))
                return 0;
        e = find_entry(w, device);
        if (e)
                return e->state != ENTRY_ANSWERED;
        if (is_handled(w, device))
                return 0;
        r = add(w, ENTRY_FOUND, facts, device);
        return r < 0 ? r : 1;
}

/* udev sent an event, which counts from now on. */
void udev_wait_answer(UdevWait *w, const DeviceFacts *facts, const char *device) {
        Entry *e;

        assert(w && facts && device);

        w->answer_usec = clock_usec(CLOCK_MONOTONIC);
        if (!streq_ptr(facts->action, "add"))
                return;
        e = find_entry(w, device);
        if (e)
                entry_drop(w, e);
        if (w->options.must(facts->subsystem, w->options.userdata) && remember_answer(w, device) < 0)
                log_debug("%s: no memory to note that udev is through with it", device);
}

/*
 * The rules are other ones, and lkmd listens to udev accordingly. Devices that do not have to wait any more are
 * looked at.
 */
void udev_wait_rules_changed(UdevWait *w) {
        Entry *e, *next;

        assert(w);

        w->news_usec = clock_usec(CLOCK_MONOTONIC);
        for (e = TAILQ_FIRST(&w->waiting); e; e = next) {
                next = TAILQ_NEXT(e, by_age);
                if (!w->options.must(e->facts.subsystem, w->options.userdata))
                        release(w, e);
        }
}

/* How many devices wait. */
size_t udev_wait_count(const UdevWait *w) {
        assert(w);

        return w->n_waiting;
}
