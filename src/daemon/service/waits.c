/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waits: owns an entry for each waiting call. Idleness is checked when the loop has nothing else to do but to serve
 * clients, so that events in a socket are not missed. No event says that a module which another program loads has
 * become live (its uevent comes before its init), and devices may change faster than their events arrive; so while
 * such a wait is open, and only then, the state is polled ten times a second.
 *
 * The kernel shows the driver of a device before the driver's probe has run, and removes it if that fails
 * (really_probe() in drivers/base/dd.c). As long as the module of the driver is in its init, which probes all existing
 * devices, the driver does not count. A device that came after its driver may count as ready while it is probed.
 */

#include "daemon/service/waits.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/device/device-facts.h"
#include "common/interface/interface.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/base/module-state.h"

#define POLL_USEC (100U * 1000U)

typedef enum Lack {                     /* the first condition that is not met */
        LACK_NOTHING,
        LACK_DEVICE,                    /* it was removed, so waiting is pointless */
        LACK_MODULE,
        LACK_DRIVER,
        LACK_PROBE,                     /* its driver is still in its init */
        LACK_LISTS,                     /* what is listed for the boot is not settled */
        LACK_CHARGE,                    /* lkmd leaves it to systemd, so waiting is pointless */
        LACK_IDLENESS,
} Lack;

typedef struct Wait Wait;
struct Wait {
        Waits *waits;
        sd_varlink *link;
        bool idle, lists;
        char *module, *device;          /* as in WaitFor; owned */
        sd_event_source *timeout;
        LIST_ENTRY(Wait) next;
};

struct Waits {
        sd_event *event;
        sd_event_source *check, *poll;
        waits_idle_t is_idle;
        void *userdata;
        waits_lists_t look_at_lists;    /* NULL: nothing is listed */
        void *lists_userdata;
        LIST_HEAD(, Wait) list;
};

static void wait_free(Wait *w) {
        LIST_REMOVE(w, next);
        sd_event_source_disable_unref(w->timeout);
        sd_varlink_unref(w->link);
        free(w->module);
        free(w->device);
        free(w);
}

/* Return: false if there is no such file, or the path is too long. */
static bool device_file(const char *device, const char *name, char ret[static PATH_MAX]) {
        int n = snprintf(ret, PATH_MAX, "/sys%s/%s", device, name);
        struct stat st;

        return n > 0 && n < PATH_MAX && lstat(ret, &st) == 0;
}

static bool any_module_is_coming(void) {
        LoadedModule *modules;
        bool coming = false;
        size_t n;

        if (loaded_modules_read(&modules, &n) < 0)
                return false;
        for (size_t i = 0; i < n && !coming; i++)
                coming = modules[i].state == MODULE_COMING;
        loaded_modules_free(modules, n);
        return coming;
}

/*
 * A driver has a link to its module only after it has probed existing devices. A driver without a link is built in, or
 * its module is in its init.
 */
static bool driver_is_ready(const char *device) {
        char path[PATH_MAX], target[PATH_MAX];
        const char *slash;
        ssize_t n;

        if (!device_file(device, "driver/module", path))
                return !any_module_is_coming();
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return false;           /* both were removed just now */
        target[n] = '\0';
        slash = strrchr(target, '/');
        return module_state_read(slash ? slash + 1 : target) != MODULE_COMING;
}

static Lack lists_lack(const Waits *waits) {
        static const Lack lacks[] = {
                [WAIT_LISTS_UNDER_WAY] = LACK_LISTS,
                [WAIT_LISTS_SETTLED] = LACK_NOTHING,
                [WAIT_LISTS_LEFT] = LACK_CHARGE,
        };

        return waits->look_at_lists ? lacks[waits->look_at_lists(waits->lists_userdata)] : LACK_NOTHING;
}

static Lack wait_lacks(const Wait *w) {
        Lack lists = w->lists ? lists_lack(w->waits) : LACK_NOTHING;
        char path[PATH_MAX];

        if (w->device && !device_file(w->device, "uevent", path))
                return LACK_DEVICE;
        if (w->module && module_state_read(w->module) != MODULE_LIVE)
                return LACK_MODULE;
        if (w->device && !device_file(w->device, "driver", path))
                return LACK_DRIVER;
        if (w->device && !driver_is_ready(w->device))
                return LACK_PROBE;
        if (lists != LACK_NOTHING)
                return lists;
        return w->idle && !w->waits->is_idle(w->waits->userdata) ? LACK_IDLENESS : LACK_NOTHING;
}

static void reply_gone(const Wait *w) {
        _cleanup_(freep) char *shown = NULL, *message = NULL;

        if (text_escape(w->device, &shown) < 0 || asprintf(&message, "the device %s is gone", shown) < 0)
                message = NULL;
        (void) sd_varlink_errorbo(
                w->link, LKMD_ERROR_NO_SUCH_DEVICE,
                SD_JSON_BUILD_PAIR_STRING("message", message ?: "The device is gone"),
                SD_JSON_BUILD_PAIR_STRING("hint", "lkmctl monitor shows the devices that appear"));
}

static void reply_left(const Wait *w) {
        (void) sd_varlink_errorbo(
                w->link, LKMD_ERROR_NOT_IN_CHARGE,
                SD_JSON_BUILD_PAIR_STRING(
                        "message",
                        "lkmd does not load what is listed for the boot, but leaves it to systemd"),
                SD_JSON_BUILD_PAIR_STRING(
                        "hint",
                        "systemctl status systemd-modules-load; lkmctl status says whether lkmd is in charge"));
}

/* Return: true if it was answered, and freed. */
static bool wait_answer(Wait *w) {
        switch (wait_lacks(w)) {
        case LACK_NOTHING:
                (void) sd_varlink_reply(w->link, NULL);
                break;
        case LACK_DEVICE:
                reply_gone(w);
                break;
        case LACK_CHARGE:
                reply_left(w);
                break;
        default:
                return false;
        }
        wait_free(w);
        return true;
}

/* Is there a wait whose condition may be met without an event? */
static bool any_wait_to_poll_for(const Waits *waits) {
        const Wait *w;

        LIST_FOREACH(w, &waits->list, next)
                if (w->module || w->device)
                        return true;
        return false;
}

static void waits_check(Waits *waits) {
        Wait *w = LIST_FIRST(&waits->list);

        while (w) {
                Wait *following = LIST_NEXT(w, next);

                (void) wait_answer(w);
                w = following;
        }
        if (!any_wait_to_poll_for(waits))
                (void) sd_event_source_set_enabled(waits->poll, SD_EVENT_OFF);
}

static int on_check(sd_event_source *source, void *userdata) {
        waits_check(userdata);
        return 0;
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        Waits *waits = userdata;

        if (sd_event_source_set_time_relative(source, POLL_USEC) >= 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        waits_check(waits);
        return 0;
}

/* A word for the shell, quoted if necessary. Return: 0; -EINVAL for what cannot be typed; -ENOMEM. */
static int quote(const char *text, char **ret) {
        bool plain = true;

        for (const char *p = text; *p; p++) {
                if (*p < ' ' || *p > '~' || *p == '\'')
                        return -EINVAL;
                plain = plain && (isalnum((unsigned char) *p) || strchr(":,.-_+/@", *p));
        }
        if (asprintf(ret, plain ? "%s" : "'%s'", text) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* A hint how to see whether there is a module for the device. Return: 0; negative errno if it has no modalias. */
static int advise_about_device(const char *device, char **ret) {
        _cleanup_(freep) char *quoted = NULL;
        char path[PATH_MAX];
        DeviceUevent u;
        int r;

        if (snprintf(path, sizeof(path), "/sys%s", device) >= (int) sizeof(path))
                return -ENAMETOOLONG;
        r = device_uevent_read(&u, path);
        if (r < 0)
                return r;
        if (!u.facts.modalias || u.facts.modalias[0] == '\0')
                return -ENODATA;
        r = quote(u.facts.modalias, &quoted);
        if (r < 0)
                return r;
        if (asprintf(ret, "lkmctl resolve %s shows which modules are for it", quoted) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int compose_timeout(const Wait *w, Lack lack, char **ret_message, char **ret_hint) {
        _cleanup_(freep) char *shown = NULL;
        int n, r;

        switch (lack) {
        case LACK_MODULE:
                n = asprintf(ret_message, "%s did not become live within the time given", w->module);
                break;
        case LACK_DRIVER:
                r = text_escape(w->device, &shown);
                if (r < 0)
                        return r;
                n = asprintf(ret_message, "no driver was bound to %s within the time given", shown);
                (void) advise_about_device(w->device, ret_hint);
                break;
        case LACK_PROBE:
                r = text_escape(w->device, &shown);
                if (r < 0)
                        return r;
                n = asprintf(ret_message, "the driver of %s is still being loaded", shown);
                break;
        case LACK_LISTS:
                n = asprintf(ret_message,
                             "what is listed for the boot was not all loaded within the time given");
                break;
        default:
                n = asprintf(ret_message, "lkmd did not become idle within the time given");
                break;
        }
        if (n < 0) {
                *ret_message = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        Wait *w = userdata;
        Lack lack = wait_lacks(w);

        /* idleness cannot be checked before the loop has nothing else to do */
        if ((lack == LACK_DEVICE || lack == LACK_CHARGE || (lack == LACK_NOTHING && !w->idle)) &&
            wait_answer(w))
                return 0;

        (void) compose_timeout(w, lack, &message, &hint);
        (void) sd_varlink_errorbo(
                w->link, LKMD_ERROR_TIMEOUT,
                SD_JSON_BUILD_PAIR_STRING("message", message ?: "The time is over"),
                SD_JSON_BUILD_PAIR_STRING("hint", hint ?: "lkmctl status shows what is running"));
        wait_free(w);
        return 0;
}

/**
 * waits_new() - without any waiting call
 * @is_idle: as manager_is_idle()
 *
 * Return: 0, -ENOMEM or what sd-event says.
 */
int waits_new(Waits **ret, sd_event *event, waits_idle_t is_idle, void *userdata) {
        _cleanup_(waits_freep) Waits *w = NULL;
        int r;

        assert(ret && event && is_idle);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (Waits) { .event = sd_event_ref(event), .is_idle = is_idle, .userdata = userdata };
        LIST_INIT(&w->list);

        r = sd_event_add_defer(event, &w->check, on_check, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(w->check, LOOP_LULL);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->check, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &w->poll, CLOCK_MONOTONIC, POLL_USEC, 0, on_poll, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->poll, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(w);
        return 0;
}

/* @look: what Wait asks for the lists of the boot; without it, they count as settled */
void waits_set_lists(Waits *w, waits_lists_t look, void *userdata) {
        assert(w && look);

        w->look_at_lists = look;
        w->lists_userdata = userdata;
}

/* Return: NULL. */
Waits *waits_free(Waits *w) {
        if (!w)
                return NULL;

        while (!LIST_EMPTY(&w->list))
                wait_free(LIST_FIRST(&w->list));
        sd_event_source_disable_unref(w->check);
        sd_event_source_disable_unref(w->poll);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

static int wait_set(Wait *w, const WaitFor *what) {
        w->idle = what->idle;
        w->lists = what->lists;
        if (what->module && !(w->module = strdup(what->module)))
                return -ENOMEM;
        if (what->device && !(w->device = strdup(what->device)))
                return -ENOMEM;
        if (what->timeout_usec != UINT64_MAX) {
                int r = sd_event_add_time_relative(w->waits->event, &w->timeout, CLOCK_MONOTONIC,
                                                   what->timeout_usec, 0, on_timeout, w);

                if (r < 0)
                        return r;
        }
        return what->module || what->device ? sd_event_source_set_enabled(w->waits->poll, SD_EVENT_ONESHOT)
                                            : 0;
}

/**
 * waits_add() - answer this call when its conditions are met
 * @link: a reference is taken; not of a oneway call
 * @what: at least one condition
 *
 * Return: 0, -ENOMEM, -EALREADY for a link that waits, or what sd-event says.
 */
int waits_add(Waits *waits, sd_varlink *link, const WaitFor *what) {
        Wait *w;
        int r;

        assert(waits && link && what && (what->idle || what->lists || what->module || what->device));

        LIST_FOREACH(w, &waits->list, next)
                if (w->link == link)
                        return -EALREADY;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->waits = waits;
        w->link = sd_varlink_ref(link);
        LIST_INSERT_HEAD(&waits->list, w, next);

        r = wait_set(w, what);
        if (r < 0) {
                wait_free(w);
                return r;
        }

        waits_check_soon(waits);
        return 0;
}

/* The client is gone. Does nothing for a link that does not wait. */
void waits_remove(Waits *waits, sd_varlink *link) {
        Wait *w = LIST_FIRST(&waits->list);

        while (w) {
                Wait *following = LIST_NEXT(w, next);

                if (w->link == link)
                        wait_free(w);
                w = following;
        }
}

/* Something changed that a wait may be about. */
void waits_check_soon(Waits *w) {
        assert(w);

        if (!LIST_EMPTY(&w->list))
                (void) sd_event_source_set_enabled(w->check, SD_EVENT_ONESHOT);
}
