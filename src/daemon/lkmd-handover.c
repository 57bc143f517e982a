/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-handover: run as root by lkmd.service before the manager starts ("take") and after it has stopped for whatever
 * reason ("give-back"), and by lkmd-handover.service when lkmd says that it is in charge no longer ("follow"). Does
 * not stay. A failure here is said and does not keep lkmd from running: two that load the same module do no harm, one
 * that loads none does.
 *
 * Nothing that udev does hangs on it: udev's rule goes by what is there, see handover.c. What is left for this
 * program are the devices that came in a moment when lkmd was in charge and had no time for them.
 */

#include <pwd.h>
#include <signal.h>

#include "common/names.h"
#include "common/util.h"
#include "daemon/handover-devices.h"
#include "daemon/handover.h"
#include "daemon/service-manager.h"

static void say(const char *what, int error) {
        fprintf(stderr, "lkmd-handover: %s: %s\n", what, strerror(-error));
}

/* Return: NULL if systemd cannot be reached, which is told. @about, @otherwise: who it is asked about; what is done then. */
static sd_bus *connect_to_systemd(const char *about, const char *otherwise) {
        sd_bus *bus = NULL;
        int r = service_manager_connect(&bus, SERVICE_MANAGER_ADDRESS);

        if (r < 0)
                fprintf(stderr, "lkmd-handover: cannot ask systemd about %s, %s: %s\n", about, otherwise, strerror(-r));
        return bus;
}

/* Return: a ServiceState, or negative if nobody can say, which is told. @bus may be NULL, @otherwise as above. */
static int udevd_state(sd_bus *bus, const char *otherwise) {
        int r;

        if (!bus)
                return -ENOTCONN;
        r = service_manager_get_state(bus, UDEV_UNIT);
        if (r < 0)
                fprintf(stderr, "lkmd-handover: systemd does not tell the state of " UDEV_UNIT ", %s: %s\n", otherwise,
                        strerror(-r));
        return r;
}

/*
 * Asked of a udevd that runs, and only of one: at boot udevd is started after lkmd, so that to wait for it would be
 * to wait for ourselves. One that is started later reads the rules as they are then.
 *
 * udevd reads them anew when the signal comes, beside whatever else goes on; to wait for that would be most of the
 * time until lkmd starts. Nobody has to: what udevd does before is what it did until now, and before it begins with
 * an event it looks for changed rules by itself unless it did in the last 3 s, on_sighup() and manager_reload() in
 * src/udev/udev-manager.c. Two that load the same module do no harm.
 */
static void tell_udev(void) {
        static const char *const otherwise = "which reads its rules by itself before its next events";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = connect_to_systemd("udevd", otherwise);
        int r;

        if (udevd_state(bus, otherwise) != SERVICE_UP)
                return;
        r = service_manager_signal(bus, UDEV_UNIT, SIGHUP);
        if (r < 0)
                say("cannot tell " UDEV_UNIT " to read its rules; it does so by itself before its next events", r);
}

/* --------------------------------------------------------------------------------------------------- take */

/* Return: 0 with a text that is the caller's. */
static int read_own_cgroup(char **ret) {
        _cleanup_(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
        size_t size = 0;

        if (!f)
                return -errno;
        *ret = NULL;
        if (getdelim(ret, &size, '\0', f) < 0) {
                free(*ret);
                return ferror(f) ? -EIO : -ENOENT;
        }
        return 0;
}

/* Return: as handover_guard(). */
static int guard_udevs_rule(void) {
        _cleanup_(freep) char *text = NULL, *cgroup = NULL;
        int r;

        r = read_own_cgroup(&text);
        if (r >= 0)
                r = handover_find_cgroup("", text, &cgroup);
        return r < 0 ? r : handover_guard("", cgroup);
}

static int prepare_charge(void) {
        const struct passwd *user;
        int r;

        r = handover_take_run_dir("");
        if (r < 0)
                return r;
        errno = 0;
        user = getpwnam(LKMD_USER);
        if (!user)
                return errno > 0 ? -errno : -ESRCH;
        return handover_open_charge("", user->pw_uid, user->pw_gid);
}

static void stand_in_for_udevs_rule(void) {
        int r;

        r = guard_udevs_rule();
        if (r == -EEXIST)
                fprintf(stderr, "lkmd-handover: " UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE
                                " is somebody's own; udev loads drivers as well\n");
        else if (r < 0)
                say("cannot stand in for udev's rule; udev loads drivers as well", r);
        if (r > 0)
                tell_udev();
}

static int take(void) {
        int r = prepare_charge();

        if (r < 0)
                say("cannot make " LKMD_IN_CHARGE_FILE "; udev loads drivers as well", r);
        stand_in_for_udevs_rule();
        return 0;
}

/* ---------------------------------------------------------------------------------------------- give back */

/* On the way down nobody needs drivers any more, and udev would only be kept busy. */
static bool system_is_stopping(sd_bus *bus) {
        int r = bus ? service_manager_is_stopping(bus) : 0;

        if (r < 0)
                say("cannot ask for the state of the system, which is taken as running", r);
        return r > 0;
}

static void announce(void) {
        int r = handover_announce_devices();

        if (r < 0)
                say("cannot list the devices", r);
}

/* A lkmd that is there again in a moment looks at all devices itself, and by its policy. */
static bool lkmd_is_back_soon(sd_bus *bus, const char *result) {
        int r = bus ? service_manager_restarts_soon(bus, LKMD_UNIT, result) : 0;

        if (r < 0)
                say("systemd does not tell whether lkmd is started again, which is taken as no", r);
        return r > 0;
}

/*
 * Whether or not it is started again, an lkmd that is not there is not in charge: that was its own to say, but it may
 * have been killed. Devices that came since then are udev's already.
 *
 * Those before may have been left to an lkmd that had no time for them. If one follows, it sees to them; if that
 * one ends without having been in charge, they are owed still, and udev is to have them now.
 */
static int give_back(void) {
        static const char *const otherwise = "and devices are announced to udev";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        mode_t charge = 0;
        int r;

        stand_in_for_udevs_rule();      /* an earlier lkmd left a mask there */
        r = handover_read_charge("", &charge);
        if (r >= 0)
                r = handover_set_charge("", IN_CHARGE_NOW, 0);
        if (r < 0)
                say("cannot change " LKMD_IN_CHARGE_FILE, r);
        else if (charge == 0)
                return 0;               /* nobody has relied on it */
        bus = connect_to_systemd(LKMD_UNIT, otherwise);
        if (bus && system_is_stopping(bus))
                return 0;
        if (!(charge & IN_CHARGE_OWED) && lkmd_is_back_soon(bus, getenv("SERVICE_RESULT") ?: "success"))
                return 0;
        announce();
        return handover_set_charge("", IN_CHARGE_BEFORE | IN_CHARGE_OWED, 0);
}

/* ------------------------------------------------------------------------------------------------- follow */

/*
 * lkmd says that it is in charge no longer, or has ended for good without "give-back", which systemd does not run for
 * a unit that is masked or gone. While lkmd runs the file is its own to change.
 */
static int follow(void) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        mode_t charge;
        int r, state;

        r = handover_read_charge("", &charge);
        if (r < 0) {
                say("cannot read " LKMD_IN_CHARGE_FILE, r);
                return r;
        }
        if (charge == 0)
                return 0;
        bus = connect_to_systemd(LKMD_UNIT, "and devices are announced to udev");
        if (!bus) {
                announce();
                return 0;
        }
        state = service_manager_get_state(bus, LKMD_UNIT);
        if (system_is_stopping(bus) || state == SERVICE_STARTING || (state == SERVICE_UP && charge & IN_CHARGE_NOW))
                return 0;
        if (state == SERVICE_STOPPING && service_manager_has_unit(bus, LKMD_UNIT) > 0)
                return 0;               /* "give-back" comes */
        if (state == SERVICE_DOWN && lkmd_is_back_soon(bus, NULL))
                return 0;
        announce();
        return state == SERVICE_DOWN ? handover_set_charge("", IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED, 0) : 0;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int (*run)(void);
        } verbs[] = { { "take", take }, { "give-back", give_back }, { "follow", follow } };

        for (size_t i = 0; argc == 2 && i < ARRAY_LEN(verbs); i++)
                if (streq(argv[1], verbs[i].name))
                        return verbs[i].run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        fprintf(stderr, "lkmd-handover: run by lkmd.service and lkmd-handover.service, with 'take', 'give-back' or "
                        "'follow'\n");
        return 2;
}
