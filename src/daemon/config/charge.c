/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Charge: see charge.h. udev's rule tests the mode of a file that root made (udev-guard.c). This process can change
 * its mode and nothing else, since the directory is root's. Owns the descriptor of the file, which systemd passes.
 * What lkmd may not do itself, lkmd-handover does when it is called. The call is a file, which lkmd-handover
 * removes before it acts: systemd starts it as long as the file exists (PathExists=), so no call is lost that comes
 * meanwhile.
 *
 * lkmd takes charge only when it can really load modules, and leaves it as soon as it cannot. If lkmd is killed,
 * lkmd-handover resets the file.
 */

#include "daemon/config/charge.h"

#include <assert.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "daemon/base/state-file.h"

struct Charge {
        int fd;                         /* negative: there is no file */
        char *call_file;
        bool taken;
        Obstacle obstacle;
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

/* Return: NULL. Charge is left. */
Charge *charge_free(Charge *c) {
        if (!c)
                return NULL;

        (void) charge_leave(c);
        closep(&c->fd);
        free(c->call_file);
        free(c);
        return NULL;
}

static int set_mode(const Charge *c, mode_t mode) {
        return c->fd >= 0 && fchmod(c->fd, 0600U | mode) < 0 ? -errno : 0;
}

/**
 * charge_call_handover() - have lkmd-handover check who is in charge and what is denied by name
 *
 * Failing to make the file is not fatal: systemd also notices the other change (lkmd-handover.path), unless
 * lkmd-handover runs at that moment.
 */
void charge_call_handover(const Charge *c) {
        assert(c);

        if (c->fd >= 0)
                state_file_touch(c->call_file);
}

/* Return: 0; what fchmod(2) said. */
static int report_and_call(const Charge *c) {
        int r = set_mode(c, IN_CHARGE_BEFORE);

        charge_call_handover(c);
        return r;
}

/**
 * charge_take() - from now on udev leaves drivers to lkmd
 *
 * The caller has been receiving uevents before this, and walks over all devices afterwards.
 *
 * Return: 0; what fchmod(2) said, with lkmd in charge and udev loading drivers as well.
 */
int charge_take(Charge *c) {
        assert(c);

        c->taken = true;
        return set_mode(c, IN_CHARGE_NOW | IN_CHARGE_BEFORE);
}

/**
 * charge_leave() - from now on udev loads drivers; lkmd-handover announces the devices that came before
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
 * charge_remind() - still not in charge: have lkmd-handover do again what this process may not
 *
 * Return: 0, also while in charge; what fchmod(2) said.
 */
int charge_remind(Charge *c) {
        assert(c);

        return c->taken ? 0 : report_and_call(c);
}

/* Note what keeps lkmd from being in charge. Return: whether that is news. */
bool charge_set_obstacle(Charge *c, const Obstacle *o) {
        bool news;

        assert(c && o);

        news = !obstacle_equal(&c->obstacle, o);
        c->obstacle = *o;
        return news;
}

/* Borrowed until it changes. */
const Obstacle *charge_get_obstacle(const Charge *c) {
        assert(c);

        return &c->obstacle;
}

bool charge_is_taken(const Charge *c) {
        assert(c);

        return c->taken;
}

/* Is there a file that udev's rule tests? */
bool charge_is_reported(const Charge *c) {
        assert(c);

        return c->fd >= 0;
}
