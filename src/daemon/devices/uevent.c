/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Uevent: the kernel's uevents (kernel-uevent.c), and by libudev's monitor those of udev for the subsystems where udev
 * has a say in the driver: always mtd (the MTD_FTL of its mtd_probe), others if the administrator's rules say so. Owns
 * the socket and the monitor. Messages that are not from the kernel, or for the monitor not from root, are dropped, so
 * a forged one never gets here. What the kernel has sent is read before what udev has sent, so that an answer never
 * comes first.
 *
 * Lost events show by ENOBUFS, when the buffer has overflowed, and by gaps in their numbers that do not fill.
 * Events of other network namespaces leave gaps too, all the time on a host of containers, so the wait for a gap to
 * fill becomes longer each time, up to a minute.
 */

#include "daemon/devices/uevent.h"

#include <assert.h>
#include <limits.h>

#include "common/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/devices/kernel-uevent.h"
#include "daemon/devices/sequence-gaps.h"

#define ALWAYS_ASK_UDEV "mtd"
#define EVENTS_AT_ONCE 256U             /* then other sources of the loop have their turn */
#define GAP_WAIT_USEC (500U * 1000U)    /* until a missing number counts as lost, at first */
#define GAP_WAIT_MAX_USEC (60U * 1000U * 1000U)
#define GAP_CALM_USEC (10U * 60U * 1000U * 1000U) /* without a loss, then the wait is the first one again */

struct Uevent {
        int kernel_fd;
        struct udev_monitor *udev;
        sd_event_source *kernel_source, *udev_source, *gap_source;
        SequenceGaps gaps;
        uint64_t gap_wait_usec, last_loss_usec;
        device_seen_t seen, answered;
        uevent_lost_t lost;
        void *userdata;
};

static inline void udev_device_unrefp(struct udev_device **device) {
        if (*device)
                (void) udev_device_unref(*device);
}

static const char *get_property(const char *key, void *userdata) {
        return udev_device_get_property_value(userdata, key);
}

/**
 * uevent_get_facts() - the facts of a libudev device
 * @action: what happened to it; "add" for one that was there already
 * @ret:    borrows from @device
 */
void uevent_get_facts(struct udev_device *device, const char *action, DeviceFacts *ret) {
        assert(device && action && ret);

        *ret = (DeviceFacts) { .sysname = udev_device_get_sysname(device) };
        device_facts_collect(ret, get_property, device);
        ret->action = action;
        ret->subsystem = udev_device_get_subsystem(device);
}

/* ------------------------------------------------------------------------------------------------ gaps */

static void arm_gap_timer(Uevent *u) {
        uint64_t oldest = sequence_gaps_oldest_usec(&u->gaps);

        if (oldest == UINT64_MAX)
                (void) sd_event_source_set_enabled(u->gap_source, SD_EVENT_OFF);
        else if (sd_event_source_set_time(u->gap_source, oldest + u->gap_wait_usec) >= 0)
                (void) sd_event_source_set_enabled(u->gap_source, SD_EVENT_ONESHOT);
}

static int on_gap_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Uevent *u = userdata;
        uint64_t now = clock_usec(CLOCK_MONOTONIC), n;

        /* this timer has a lower priority than the socket, so the missing events are not just unread */
        n = sequence_gaps_take(&u->gaps, now - MIN(now, u->gap_wait_usec));
        if (n > 0) {
                u->gap_wait_usec = now - u->last_loss_usec > GAP_CALM_USEC
                                           ? GAP_WAIT_USEC
                                           : MIN(u->gap_wait_usec * 2, (uint64_t) GAP_WAIT_MAX_USEC);
                u->last_loss_usec = now;
                u->lost(UEVENT_GAP, n, u->userdata);
        }
        arm_gap_timer(u);
        return 0;
}

static void note_number(Uevent *u, uint64_t number) {
        uint64_t oldest = sequence_gaps_oldest_usec(&u->gaps);

        sequence_gaps_note(&u->gaps, number, clock_usec(CLOCK_MONOTONIC));
        if (sequence_gaps_oldest_usec(&u->gaps) != oldest)
                arm_gap_timer(u);
}

/* The kernel reports dropped events: gaps in the numbers do not matter any more. */
static void lose(Uevent *u) {
        u->gaps = (SequenceGaps) {};
        arm_gap_timer(u);
        u->lost(UEVENT_OVERFLOW, 0, u->userdata);
}

/* --------------------------------------------------------------------------------------------- monitors */

static void pass_answer(Uevent *u, struct udev_device *device) {
        const char *path = udev_device_get_devpath(device), *action = udev_device_get_action(device);
        DeviceFacts facts;

        if (!path || !action)
                return;
        uevent_get_facts(device, action, &facts);
        u->answered(&facts, path, u->userdata);
}

/* Return: 0; negative errno as of a socket: -EAGAIN when there is nothing more to read. */
static int take_from_kernel(Uevent *u) {
        KernelUevent event;
        int r = kernel_uevent_receive(u->kernel_fd, &event);

        if (r < 0)
                return r;
        note_number(u, event.seqnum);
        u->seen(&event.facts, event.device, u->userdata);
        return 0;
}

static int take_from_udev(Uevent *u) {
        _cleanup_(udev_device_unrefp) struct udev_device *device = NULL;

        errno = 0;
        device = udev_monitor_receive_device(u->udev);
        if (!device)
                return errno > 0 ? -errno : -EAGAIN; /* 0: libudev filtered one */
        pass_answer(u, device);
        return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Uevent *u = userdata;

        for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
                int r = source == u->udev_source ? take_from_udev(u) : take_from_kernel(u);

                if (r == -EAGAIN)
                        break;
                if (r == -ENOBUFS)
                        lose(u);
                else if (r < 0 && r != -EINTR)
                        log_debug("a uevent was left out: %s", strerror(-r));
        }
        return 0;
}

static void report_buffer(int r) {
        if (r < 0)
                log_warning("cannot size the buffer for uevents: %s", strerror(-r));
}

static int watch(Uevent *u, sd_event *event, int fd, const char *name, int64_t priority,
                 sd_event_source **ret_source) {
        int r = sd_event_add_io(event, ret_source, fd, EPOLLIN, on_readable, u);

        if (r < 0)
                return r;
        (void) sd_event_source_set_description(*ret_source, name);
        return sd_event_source_set_priority(*ret_source, priority);
}

static int open_kernel(Uevent *u, const UeventOptions *options) {
        int fd = kernel_uevent_listen();

        if (fd < 0)
                return fd;
        u->kernel_fd = fd;
        report_buffer(kernel_uevent_set_buffer(fd, options->receive_buffer_bytes));
        return watch(u, options->event, fd, "kernel", LOOP_EVENTS, &u->kernel_source);
}

static int open_udev(Uevent *u, const UeventOptions *options) {
        int r;

        errno = 0;
        u->udev = udev_monitor_new_from_netlink(options->udev, "udev");
        if (!u->udev)
                return errno > 0 ? -errno : -ENOMEM;
        report_buffer(udev_monitor_set_receive_buffer_size(
                u->udev, (int) MIN(options->receive_buffer_bytes, (size_t) INT_MAX)));
        r = udev_monitor_filter_add_match_subsystem_devtype(u->udev, ALWAYS_ASK_UDEV, NULL);
        if (r < 0)
                return r;
        r = udev_monitor_enable_receiving(u->udev);
        if (r < 0)
                return r;
        return watch(u, options->event, udev_monitor_get_fd(u->udev), "udev", LOOP_UDEV_EVENTS,
                     &u->udev_source);
}

/**
 * uevent_listen_to_udev() - whose events of udev's are passed on from now on, beside those of mtd
 * @subsystems: a StringList; NULL: all
 *
 * Return: 0; -ENOMEM; what setsockopt(2) says.
 */
int uevent_listen_to_udev(Uevent *u, char *const *subsystems) {
        int r;

        assert(u);

        r = udev_monitor_filter_remove(u->udev);
        if (r == -ENOENT)
                r = 0;                  /* there was none */
        if (r >= 0 && subsystems)
                r = udev_monitor_filter_add_match_subsystem_devtype(u->udev, ALWAYS_ASK_UDEV, NULL);
        for (char *const *name = subsystems; r >= 0 && name && *name; name++)
                r = udev_monitor_filter_add_match_subsystem_devtype(u->udev, *name, NULL);
        return r < 0 ? r : udev_monitor_filter_update(u->udev);
}

/**
 * uevent_new() - pass every uevent to @options->seen from now on
 *
 * Return: 0, -ENOMEM, or why there is no netlink socket.
 */
int uevent_new(Uevent **ret, const UeventOptions *options) {
        _cleanup_(uevent_freep) Uevent *u = NULL;
        int r;

        assert(ret && options && options->event && options->udev && options->seen && options->answered &&
               options->lost);

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->kernel_fd = -EBADF;
        u->seen = options->seen;
        u->answered = options->answered;
        u->lost = options->lost;
        u->userdata = options->userdata;
        u->gap_wait_usec = GAP_WAIT_USEC;

        r = sd_event_add_time(options->event, &u->gap_source, CLOCK_MONOTONIC, UINT64_MAX, 0, on_gap_timer,
                              u);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(u->gap_source, "uevent-gap");
        r = sd_event_source_set_enabled(u->gap_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(u->gap_source, LOOP_EVENT_GAPS);
        if (r < 0)
                return r;
        r = open_kernel(u, options);
        if (r < 0)
                return r;
        r = open_udev(u, options);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(u);
        return 0;
}

/* Return: NULL. */
Uevent *uevent_free(Uevent *u) {
        if (!u)
                return NULL;

        sd_event_source_disable_unref(u->kernel_source);
        sd_event_source_disable_unref(u->udev_source);
        sd_event_source_disable_unref(u->gap_source);
        closep(&u->kernel_fd);
        if (u->udev)
                udev_monitor_unref(u->udev);
        free(u);
        return NULL;
}
