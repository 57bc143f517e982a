/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Charge: see charge.h. udev's rule looks at the mode of a file that root made (udev-guard.c) and that this process may
 * change the mode of, and nothing else: it is root's directory. Owns the file descriptor of it, which systemd passes.
 * What lkmd may not do itself, lkmd-handover does when it is called, by a file that it removes before it looks:
 * systemd starts it as long as the file is there (PathExists=), so that no call is lost that comes while it runs.
 *
 * lkmd takes charge only when it can really load something, and leaves it as soon as it cannot; what happens
 * to the file when lkmd is killed is lkmd-handover's business.
 */

#include "daemon/config/charge.h"

#include <assert.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "daemon/base/state-file.h"

struct Charge {
        int fd;                         /* negative: there is nobody to tell */
        char *call_file;
        bool taken;
};

/**
 * charge_new() - not taken yet
 * @fd:        of the file, taken also on failure; negative: none, as in a test
 * @call_file: in a directory of lkmd's own, copied
 *
 * Return: 0 or -ENOMEM.
 */
int charge_new(Charge **ret, int fd, const char *call_file) {
        Charge *c;

        assert(ret && call_file);

        c = calloc(1, sizeof(*c));
        if (!c || !(c->call_file = strdup(call_file))) {
                free(c);
                closep(&fd);
                return -ENOMEM;
        }
        c->fd = fd;
        *ret = c;
        return 0;
}

/* Return: NULL. It is left. */
Charge *charge_free(Charge *c) {
        if (!c)
                return NULL;

        (void) charge_leave(c);
        closep(&c->fd);
        free(c->call_file);
        free(c);
        return NULL;
}

static int tell(const Charge *c, mode_t mode) {
        return c->fd >= 0 && fchmod(c->fd, 0600U | mode) < 0 ? -errno : 0;
}

/**
 * charge_call_handover() - have lkmd-handover look at who is in charge and at what is denied by name
 *
 * A file that cannot be made is no reason to stop: systemd also notices the other change (lkmd-handover.path), if
 * lkmd-handover does not run at that moment.
 */
void charge_call_handover(const Charge *c) {
        assert(c);

        if (c->fd >= 0)
                state_file_touch(c->call_file);
}

/* Return: 0; what fchmod(2) said. */
static int report_and_call(const Charge *c) {
        int r = tell(c, IN_CHARGE_BEFORE);

        charge_call_handover(c);
        return r;
}

/**
 * charge_take() - from now on udev leaves drivers to lkmd
 *
 * Whoever calls this has uevents coming in already, and looks at all devices afterwards.
 *
 * Return: 0; what fchmod(2) said, with lkmd in charge and udev loading drivers as well.
 */
int charge_take(Charge *c) {
        assert(c);

        c->taken = true;
        return tell(c, IN_CHARGE_NOW | IN_CHARGE_BEFORE);
}

/**
 * charge_leave() - from now on udev loads drivers; lkmd-handover sees to it that it looks at what came before
 *
 * Return: 0, also if it was not taken; what fchmod(2) said.
 */
int charge_leave(Charge *c) {
        assert(c);

        if (!c->taken)
                return 0;
        c->taken = false;
        return report_and_call(c);
}

/**
 * charge_remind() - it is left still, and lkmd-handover is to do what we may not: a change of the file starts it
 *
 * Return: 0, also if it is taken; what fchmod(2) said.
 */
int charge_remind(Charge *c) {
        assert(c);

        return c->taken ? 0 : report_and_call(c);
}

bool charge_is_taken(const Charge *c) {
        assert(c);

        return c->taken;
}

/* Is there somebody who is told? */
bool charge_is_reported(const Charge *c) {
        assert(c);

        return c->fd >= 0;
}
