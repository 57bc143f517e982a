/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Obstacle: the texts. Owns nothing. */

#include "daemon/config/obstacle.h"

#include <assert.h>

#include "common/base/util.h"

bool obstacle_exists(const Obstacle *o) {
        assert(o);

        return o->text[0] != '\0';
}

bool obstacle_equal(const Obstacle *a, const Obstacle *b) {
        assert(a && b);

        return streq(a->text, b->text) && streq(a->remedy, b->remedy);
}

/* @text, @remedy: copied, and truncated if need be. */
void obstacle_set(Obstacle *o, const char *text, const char *remedy) {
        assert(o && text && remedy);

        (void) snprintf(o->text, sizeof(o->text), "%s", text);
        (void) snprintf(o->remedy, sizeof(o->remedy), "%s", remedy);
}

/**
 * obstacle_set_unread() - a file of the configuration or of the modules could not be read
 * @reader_in_trouble: that would have opened it
 *
 * What the file says, udev and modprobe know, which run as root.
 */
void obstacle_set_unread(Obstacle *o, const Problem *unread, bool reader_in_trouble) {
        assert(o && unread);

        (void) snprintf(o->text, sizeof(o->text), "%s %s%s", unread->file,
                        startswith(unread->message, "it ") ? unread->message + strlen("it ") : unread->message,
                        reader_in_trouble ? ", since lkmd-reader does not work" : "");
        if (reader_in_trouble)
                (void) snprintf(o->remedy, sizeof(o->remedy), "systemctl restart lkmd-reader.socket");
        else if (strstr(unread->message, strerrordesc_np(EACCES))) /* root has to own it and the way to it */
                (void) snprintf(o->remedy, sizeof(o->remedy),
                                "namei -l '%s'; chown root and chmod go-w what is not root's alone",
                                unread->file);
        else
                (void) snprintf(o->remedy, sizeof(o->remedy), "cat '%s' >/dev/null; dmesg", unread->file);
}

/* The walk over /sys has found nothing, or not all of it. @error: negative errno. */
void obstacle_set_no_devices(Obstacle *o, int error) {
        assert(o && error < 0);

        if (error == -EACCES)
                obstacle_set(o, "lkmd may not read all of /sys, so that it does not see all devices",
                             "find /sys -maxdepth 3 -type d ! -perm -005; chmod go+rx what that lists");
        else
                obstacle_set(o, "lkmd finds no devices in /sys", "ls /sys/bus /sys/class");
}
