/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-handover: run as root by lkmd.service before the manager starts ("take") and after it has stopped for any
 * reason ("give-back"), and by lkmd-handover.service when lkmd has stepped back or changed the denied names
 * ("follow"). It runs and exits. A failure is logged and does not keep lkmd from running: loading a module twice
 * does no harm, not loading it does.
 *
 * udev does not depend on this program: its rule tests by itself who is in charge, see udev-guard.c. This program
 * handles the devices that came while lkmd was in charge and that lkmd did not process.
 */

#include <pwd.h>
#include <signal.h>

#include "common/base/paths.h"
#include "common/base/util.h"
#include "daemon/privileged/handover/handover-denied.h"
#include "daemon/privileged/handover/handover-devices.h"
#include "daemon/privileged/handover/handover-kernel.h"
#include "daemon/privileged/handover/systemd.h"
#include "daemon/privileged/handover/udev-guard.h"

#define HANDOVER_UNIT "lkmd-handover.service"

static void say(const char *what, int error) {
        fprintf(stderr, "lkmd-handover: %s: %s\n", what, strerror(-error));
}

/* Return: NULL if systemd cannot be reached, which is logged. @otherwise: what is assumed about @about then. */
static sd_bus *connect_to_systemd(const char *about, const char *otherwise) {
        sd_bus *bus = NULL;
        int r = service_manager_connect(&bus, SERVICE_MANAGER_ADDRESS);

        if (r < 0)
                fprintf(stderr, "lkmd-handover: cannot ask systemd about %s, %s: %s\n", about, otherwise,
                        strerror(-r));
        return bus;
}

/* Return: a ServiceState, or negative if it is not known, which is logged. @bus may be NULL, @otherwise as above. */
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
 * Only for a running udevd: at boot udevd is started after lkmd, so that waiting for it would be a deadlock. A
 * udevd that is started later reads the rules as they are then.
 *
 * udevd reads them again after the signal. Waiting for that would be most of the time until lkmd starts, and is not
 * needed: until then udevd acts as before, and before it handles an event it checks for changed rules by itself,
 * unless it did so in the last 3 s, on_sighup() and manager_reload() in src/udev/udev-manager.c. Loading a module
 * twice does no harm.
 */
static void notify_udev(bool new_conf_dir) {
        static const char *const otherwise = "which reads its rules by itself before its next events";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = connect_to_systemd("udevd", otherwise);
        int r;

        if (udevd_state(bus, otherwise) != SERVICE_UP)
                return;
        if (new_conf_dir) {
                r = handover_touch_conf_dirs("");
                if (r < 0)
                        say("udevd does not know of " MODPROBE_RUN_DIR " before systemctl restart systemd-udevd", r);
        }
        r = service_manager_signal(bus, UDEV_UNIT, SIGHUP);
        if (r < 0)
                say("cannot tell " UDEV_UNIT " to read its rules; it does so by itself before its next events", r);
}

/* --------------------------------------------------------------------------------------------------- take */

/* Return: 0 with a text, owned by the caller. */
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

/* lkmd-handover.service is in the slice of lkmd.service, unless the administrator has moved one of them. */
static int name_lkmds_cgroup(char **text) {
        char *own = strstr(*text, "/" HANDOVER_UNIT), *changed;

        if (!own)
                return 0;
        if (asprintf(&changed, "%.*s/" LKMD_UNIT "%s", (int) (own - *text), *text,
                     own + strlen("/" HANDOVER_UNIT)) < 0)
                return -ENOMEM;
        free(*text);
        *text = changed;
        return 0;
}

/* Return: as handover_guard(). */
static int guard_udevs_rule(void) {
        _cleanup_(freep) char *text = NULL, *cgroup = NULL;
        int r;

        r = read_own_cgroup(&text);
        if (r >= 0)
                r = name_lkmds_cgroup(&text);
        if (r >= 0)
                r = handover_find_cgroup("", text, &cgroup);
        return r < 0 ? r : handover_guard("", cgroup);
}

/* Return: 1 if udev has to read its rules, else 0; failures are logged. */
static int stand_in_for_udevs_rule(void) {
        int r = guard_udevs_rule();

        if (r < 0 && r != -EEXIST)      /* a file of the administrator's: lkmd says so */
                say("cannot stand in for udev's rule; udev loads drivers as well", r);
        return r > 0;
}

/* Return: 0, or a negative errno, which was logged. */
static int find_user(uid_t *ret_uid, gid_t *ret_gid) {
        const struct passwd *user;
        int r;

        errno = 0;
        user = getpwnam(LKMD_USER);
        if (!user) {
                r = errno > 0 ? -errno : -ESRCH;
                say("there is no user " LKMD_USER, r);
                return r;
        }
        *ret_uid = user->pw_uid;
        *ret_gid = user->pw_gid;
        return 0;
}

/* Return: 1 if udev has to read it, else 0; failures are logged. */
static int hand_over_denied(uid_t uid) {
        int r = handover_update_denied("", uid);

        if (r < 0)
                say("cannot bring " LKMD_DENIED_CONF " up to date, so that what the policy denies is not all kept out "
                    "without lkmd", r);
        return r > 0;
}

/* OnFailure=. If that cannot be read, it stays as it is; failures are logged. */
static void hand_over_closed(uid_t uid) {
        int r = handover_is_closed("", uid);

        if (r >= 0)
                r = handover_shut_kernel("", r > 0);
        if (r < 0)
                say("cannot tell lkmd-request what OnFailure= says, so that it stays as it was", r);
}

/* Failures are logged; the kernel asks modprobe then, as without lkmd. */
static void take_kernel(void) {
        int r = handover_take_kernel("");

        if (r == -ENOEXEC)
                fprintf(stderr, "lkmd-handover: " LKMD_REQUEST_PROGRAM
                                " is missing, so that the kernel asks modprobe "
                                "and not lkmd; install lkmd again\n");
        else if (r < 0)
                say("cannot have the kernel ask lkmd for modules, so that it asks modprobe", r);
}

/* While lkmd runs: the program may be removed at any time. */
static void check_kernel(void) {
        int r = handover_check_kernel("");

        if (r > 0)
                fprintf(stderr,
                        "lkmd-handover: " LKMD_REQUEST_PROGRAM " is gone, so that the kernel asks modprobe "
                        "again; install lkmd again, and systemctl restart lkmd\n");
        else if (r < 0)
                say(LKMD_REQUEST_PROGRAM " is gone, and the kernel cannot be told to ask modprobe; "
                                         "sysctl kernel.modprobe=/sbin/modprobe",
                    r);
}

/*
 * @orderly: lkmd was stopped. If it has ended in another way, OnFailure=closed holds: lkmd-request stays, and loads
 * nothing.
 */
static void give_back_kernel(bool orderly) {
        int r;

        if (!orderly && access(LKMD_SHUT_FILE, F_OK) >= 0) {
                check_kernel();
                return;
        }
        r = handover_give_back_kernel("");

        if (r >= 0)
                r = handover_shut_kernel("", false);
        if (r < 0)
                say("cannot have the kernel ask modprobe again; sysctl kernel.modprobe=/sbin/modprobe", r);
}

/*
 * systemd may consider the loader's socket active although nobody listens, if its unit was missing for a while. And
 * it does not start a socket whose service runs, so that a loader in the init of some module has to end first.
 * While lkmd has no loader, it asks for this repeatedly, charge_remind().
 *
 * Return: 0 if a process listens or will; negative errno.
 */
static int see_to_loader_socket(void) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(fclosep) FILE *sockets = fopen("/proc/net/unix", "re");
        int r;

        if (!sockets)
                return -errno;
        if (handover_is_listening(sockets, LKMD_LOADER_SOCKET))
                return 0;
        r = service_manager_connect(&bus, SERVICE_MANAGER_ADDRESS);
        if (r < 0)
                return r;
        r = service_manager_get_state(bus, LKMD_LOADER_UNIT);
        if (r < 0)
                return r;
        return r == SERVICE_DOWN ? service_manager_restart(bus, LKMD_LOADER_SOCKET_UNIT) : 0;
}

static int take(void) {
        bool news = false, new_conf_dir;
        uid_t uid;
        gid_t gid;
        int r;

        r = find_user(&uid, &gid);
        if (r >= 0)
                r = handover_take_run_dir("");
        if (r >= 0)
                r = handover_open_charge("", uid, gid);
        if (r < 0)
                say("cannot make " LKMD_IN_CHARGE_FILE "; udev loads drivers as well", r);
        new_conf_dir = handover_make_conf_dir("") > 0; /* at boot, before udevd reads its configuration */
        if (r >= 0) {
                news = hand_over_denied(uid);
                hand_over_closed(uid);
        }
        take_kernel();
        if (stand_in_for_udevs_rule() || news || new_conf_dir)
                notify_udev(new_conf_dir);
        r = see_to_loader_socket();
        if (r < 0)
                say("cannot see to " LKMD_LOADER_SOCKET_UNIT, r);
        return 0;
}

/* ---------------------------------------------------------------------------------------------- give back */

/* During a shutdown nobody needs drivers any more, and udev would only be kept busy. */
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

/* An lkmd that is restarted in a moment walks over all devices itself, under its policy. */
static bool lkmd_is_back_soon(sd_bus *bus, const char *result) {
        int r = bus ? service_manager_restarts_soon(bus, LKMD_UNIT, result) : 0;

        if (r < 0)
                say("systemd does not tell whether lkmd is started again, which is taken as no", r);
        return r > 0;
}

/*
 * Whether it is restarted or not, an lkmd that has ended is not in charge. It notes that itself, but it may have
 * been killed. udev handles the devices that come from now on.
 *
 * Devices that came before may not have been processed. If lkmd is restarted, it handles them; if that one ends
 * without having been in charge, they are still unhandled, and are announced to udev now.
 */
static int give_back(void) {
        const char *result = getenv("SERVICE_RESULT") ?: "success";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        bool back_soon, news;
        mode_t charge = 0;
        uid_t uid;
        gid_t gid;
        int r;

        r = handover_read_charge("", &charge);
        if (r >= 0)
                r = handover_set_charge("", IN_CHARGE_NOW, 0); /* first: udev loads drivers from now on */
        if (r < 0)
                say("cannot change " LKMD_IN_CHARGE_FILE, r);
        bus = connect_to_systemd(LKMD_UNIT, "which is taken as stopped for good");
        if (system_is_stopping(bus))
                return 0;
        back_soon = lkmd_is_back_soon(bus, result);
        if (back_soon)
                check_kernel();
        else
                give_back_kernel(streq(result, "success"));
        news = stand_in_for_udevs_rule(); /* an earlier version of lkmd may have left a mask there */
        if (find_user(&uid, &gid) >= 0)
                news |= (!back_soon && streq(result, "success") && handover_forget_denied("", uid) > 0) ||
                        hand_over_denied(uid);
        if (news)
                notify_udev(/* new_conf_dir= */ false);
        if (charge == 0 || (back_soon && !(charge & IN_CHARGE_OWED)))
                return 0;
        announce();
        return handover_set_charge("", IN_CHARGE_BEFORE | IN_CHARGE_OWED, 0);
}

/* ------------------------------------------------------------------------------------------------- follow */

/* Do the devices that lkmd left have to be announced now? @state: of lkmd.service, negative: not known */
static bool is_ours_to_announce(sd_bus *bus, int state, mode_t charge) {
        if (charge == 0 || system_is_stopping(bus))
                return false;
        switch (state) {
        case SERVICE_STARTING:
                return false;           /* lkmd walks over all devices when it is in charge */
        case SERVICE_UP:
                return !(charge & IN_CHARGE_NOW);
        case SERVICE_STOPPING:
                return service_manager_has_unit(bus, LKMD_UNIT) == 0; /* else "give-back" is run */
        case SERVICE_DOWN:
                return !lkmd_is_back_soon(bus, NULL);
        default:
                return true;
        }
}

/*
 * lkmd has stepped back, or the denied names have changed; or lkmd has ended for good without "give-back", which
 * systemd does not run for a unit that is masked or missing. While lkmd runs, only lkmd changes the file that says
 * whether it is in charge.
 */
static int follow(void) {
        static const char *const otherwise = "which is taken as stopped for good";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        mode_t charge;
        uid_t uid;
        gid_t gid;
        int state, r;

        r = handover_answer_call("");   /* first, since a later change is another call */
        if (r < 0) {
                say("cannot remove " LKMD_HANDOVER_CALL_FILE ", and would be started without an end", r);
                (void) sleep(1);        /* a compromised lkmd can put anything there; do not keep systemd busy */
        }
        bus = connect_to_systemd(LKMD_UNIT, otherwise);
        state = bus ? service_manager_get_state(bus, LKMD_UNIT) : -ENOTCONN;
        r = handover_read_charge("", &charge);
        if (r < 0) {
                say("cannot read " LKMD_IN_CHARGE_FILE, r);
                return r;
        }
        /* After a stop, "give-back" has done this. */
        if (state == SERVICE_UP || state == SERVICE_STARTING) {
                bool news =
                        stand_in_for_udevs_rule(); /* a file of the administrator's has gone from its place */

                if (find_user(&uid, &gid) >= 0) {
                        news |= hand_over_denied(uid);
                        hand_over_closed(uid);
                }
                if (news)
                        notify_udev(/* new_conf_dir= */ false);
        }
        if (state != SERVICE_DOWN || lkmd_is_back_soon(bus, NULL))
                check_kernel();
        else
                give_back_kernel(/* orderly= */ false); /* systemd runs no "give-back" for a masked unit */
        if (state == SERVICE_UP && !(charge & IN_CHARGE_NOW))
                (void) see_to_loader_socket(); /* lkmd logs what is wrong, and asks again */
        if (!is_ours_to_announce(bus, state, charge))
                return 0;
        announce();
        if (state == SERVICE_UP)
                return 0;
        return handover_set_charge("", IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED, 0);
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
