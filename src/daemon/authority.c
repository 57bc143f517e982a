/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Authority: see authority.h. Owns nothing but its state.
 *
 * An lkmd that cannot load is not in charge, nor one whose administrator has a file of his own in the place of udev's
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

        assert(ret && options && options->charge && options->scheduler && options->udev &&
               options->monitors && options->stepped_in);

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

static bool may_be_in_charge(const Authority *a) {
        return scheduler_get_trouble(a->options.scheduler) == LOADER_IS_WELL &&
               !udev_keeper_get_own_rule(a->options.udev);
}

static void report_not_in_charge(const Authority *a) {
        LoaderTrouble trouble = scheduler_get_trouble(a->options.scheduler);
        const char *own_rule = udev_keeper_get_own_rule(a->options.udev);

        if (trouble != LOADER_IS_WELL)
                journal_stepped_back(a->options.monitors, loader_trouble_text(trouble),
                                     loader_trouble_remedy(trouble));
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
        assert(a);

        a->serving = true;
        if (may_be_in_charge(a)) {
                take(a);
                return;
        }
        report_not_in_charge(a);
        (void) charge_remind(a->options.charge);
}

/**
 * authority_settle() - the loader or the files of udev have changed: step back, or in again
 * @good_news: for the journal, if lkmd is in charge again: why
 */
void authority_settle(Authority *a, const char *good_news) {
        bool may;

        assert(a && good_news);

        if (!a->serving)
                return;                 /* authority_begin() looks */
        may = may_be_in_charge(a);
        if (may == charge_is_taken(a->options.charge)) {
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
