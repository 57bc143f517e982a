/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Authority: see authority.h. Owns nothing but its state.
 *
 * An lkmd that cannot do what udev, which runs as root, can do is not in charge: it cannot load, or cannot read what
 * it has to know. Nor is one whose administrator has a file of his own in the place of udev's
 * rule that loads drivers: he has told udev what to load. Devices that came while lkmd still was in charge are
 * announced to udev by lkmd-handover, which is started when lkmd notes that it has left.
 */

#include "daemon/authority.h"

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/history/journal.h"

struct Authority {
        AuthorityOptions options;
        bool serving;                   /* authority_begin() was called, and lkmd may step back and in */
};

/* Return: 0; -ENOMEM. */
int authority_new(Authority **ret, const AuthorityOptions *options) {
        Authority *a;

        assert(ret && options && options->charge && options->scheduler && options->udev && options->index &&
               options->coldplug && options->root_reader && options->settings && options->monitors &&
               options->stepped_in);

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->options = *options;
        *ret = a;
        return 0;
}

/* Return: NULL. */
Authority *authority_free(Authority *a) {
        free(a);
        return NULL;
}

/* What udev could do and lkmd cannot. */
static void find_obstacle(const Authority *a, Obstacle *ret) {
        const AuthorityOptions *o = &a->options;
        LoaderTrouble trouble = scheduler_get_trouble(o->scheduler);
        const Problem *unread = index_keeper_get_unread(o->index);
        int error = o->settings->coldplug ? coldplug_get_error(o->coldplug) : 0;

        *ret = (Obstacle) {};
        if (trouble != LOADER_IS_WELL)
                obstacle_set(ret, loader_trouble_text(trouble), loader_trouble_remedy(trouble));
        else if (unread)
                obstacle_set_unread(ret, unread, root_reader_is_in_trouble(o->root_reader));
        else if (error < 0)
                obstacle_set_no_devices(ret, error);
}

/* Notes what is in the way. */
static bool may_be_in_charge(const Authority *a, bool *ret_news) {
        Obstacle o;

        find_obstacle(a, &o);
        *ret_news = charge_set_obstacle(a->options.charge, &o);
        return !obstacle_exists(&o) && !udev_keeper_get_own_rule(a->options.udev);
}

static void report_obstacle(const Authority *a) {
        const Obstacle *o = charge_get_obstacle(a->options.charge);

        if (obstacle_exists(o))
                journal_stepped_back(a->options.monitors, o->text, o->remedy);
}

static void report_not_in_charge(const Authority *a) {
        const char *own_rule = udev_keeper_get_own_rule(a->options.udev);

        report_obstacle(a);
        if (own_rule)
                journal_own_rule(a->options.monitors, own_rule);
}

static void take(Authority *a) {
        int r = charge_take(a->options.charge);

        if (r < 0)
                log_warning("cannot tell udev that lkmd is in charge, so that both load drivers: %s",
                            strerror(-r));
}

static void leave(Authority *a) {
        int r = charge_leave(a->options.charge);

        if (r < 0)
                log_error("cannot tell udev that lkmd is not in charge: %s; systemctl stop lkmd",
                          strerror(-r));
}

/**
 * authority_begin() - take charge if nothing is against it
 *
 * At boot udevd starts after lkmd is ready, and must not load drivers then. All that is known of the loader by now is
 * that the connection was made; whether it answers shows later.
 */
void authority_begin(Authority *a) {
        bool news;

        assert(a);

        a->serving = true;
        if (may_be_in_charge(a, &news)) {
                take(a);
                return;
        }
        report_not_in_charge(a);
        (void) charge_remind(a->options.charge);
}

/**
 * authority_settle() - something that it depends on may have changed: step back, or in again
 * @good_news: for the journal, if lkmd is in charge again: why
 */
void authority_settle(Authority *a, const char *good_news) {
        bool may, news;

        assert(a && good_news);

        if (!a->serving)
                return;                 /* authority_begin() looks */
        may = may_be_in_charge(a, &news);
        if (may == charge_is_taken(a->options.charge)) {
                if (news)
                        report_obstacle(a);     /* another one than before */
                (void) charge_remind(a->options.charge);
                return;
        }
        if (!may) {
                report_not_in_charge(a);
                leave(a);
                return;
        }
        journal_stepped_in(a->options.monitors, good_news);
        take(a);
        a->options.stepped_in(a->options.userdata);
}

/* lkmd ends: udev loads drivers from now on. */
void authority_end(Authority *a) {
        assert(a);

        leave(a);
}
