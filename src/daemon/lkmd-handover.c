/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-handover: run as root by lkmd.service before the manager starts ("take") and after it has stopped for
 * whatever reason ("give-back"). Does not stay. A failure here is said and does not keep lkmd from running:
 * two that load the same module do no harm, one that loads none does.
 */

#include <libudev.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/names.h"
#include "common/util.h"
#include "daemon/handover.h"
#include "daemon/service-manager.h"

extern char **environ;

static void say(const char *what, int error) {
        fprintf(stderr, "lkmd-handover: %s: %s\n", what, strerror(-error));
}

/* Return: exit status; -EINTR if a signal ended it; what posix_spawnp(3) said. */
static int run(char *const *argv) {
        int status, r;
        pid_t pid;

        r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
        if (r != 0)
                return -r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Return: NULL if systemd cannot be reached, which is told. @otherwise: what is done then. */
static sd_bus *connect_to_systemd(const char *otherwise) {
        sd_bus *bus = NULL;
        int r = service_manager_connect(&bus, SERVICE_MANAGER_ADDRESS);

        if (r < 0)
                fprintf(stderr, "lkmd-handover: cannot ask systemd about udevd, %s: %s\n", otherwise, strerror(-r));
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
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = connect_to_systemd(otherwise);
        int r;

        if (udevd_state(bus, otherwise) != SERVICE_UP)
                return;
        r = service_manager_signal(bus, UDEV_UNIT, SIGHUP);
        if (r < 0)
                say("cannot tell " UDEV_UNIT " to read its rules; it does so by itself before its next events", r);
}

/*
 * On the way back it is waited for: the devices that are announced next are for the rules as they are now. That is why
 * also one is asked that is just being started, which may have read them before, and one of which nobody knows: with a
 * connection too many udevd is started, with one too few devices are left without a driver.
 *
 * To udevd a uevent matters more than its control socket, so that while uevents come without an end it answers nobody,
 * and udevadm would wait a minute. Nothing is lost with one that does not answer: by then it is more than 3 s ago that
 * it looked for changed rules, as above.
 */
static void reload_udev(void) {
        static char *const reload[] = { (char *) "udevadm", (char *) "control", (char *) "--reload",
                                        (char *) "--timeout=" UDEV_RELOAD_TIMEOUT, NULL };

        if (run(reload) != 0)
                fprintf(stderr, "lkmd-handover: systemd-udevd did not read its rules within " UDEV_RELOAD_TIMEOUT
                                " s; it does so by itself before its next events\n");
}

static int take(void) {
        int r;

        r = handover_mask("");
        if (r == -EEXIST)
                fprintf(stderr, "lkmd-handover: " UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE
                                " is somebody's own; udev loads drivers as well\n");
        else if (r < 0)
                say("cannot mask udev's rule; udev loads drivers as well", r);
        if (r > 0)
                tell_udev();
        return 0;
}

/* Has it told what it is, and found nobody? */
static bool is_left_alone(struct udev_device *device) {
        return udev_device_get_property_value(device, "MODALIAS") && !udev_device_get_driver(device);
}

/*
 * A device that appeared after lkmd's end and before udev had its rule again was seen by nobody. Those
 * without a driver are announced once more; all others have theirs.
 */
static void announce_devices(void) {
        struct udev *udev = udev_new();
        struct udev_enumerate *enumerate = udev ? udev_enumerate_new(udev) : NULL;
        struct udev_list_entry *entry;

        if (!enumerate || udev_enumerate_scan_devices(enumerate) < 0) {
                say("cannot list the devices", -ENOMEM);
                return;
        }
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate)) {
                struct udev_device *device = udev_device_new_from_syspath(udev,
                                                                          udev_list_entry_get_name(entry));

                if (!device)
                        continue;
                if (is_left_alone(device))
                        (void) udev_device_set_sysattr_value(device, "uevent", "add");
                udev_device_unref(device);
        }
        udev_enumerate_unref(enumerate);
        udev_unref(udev);
}

/* On the way down nobody needs drivers any more, and udev would only be kept busy. */
static bool system_is_stopping(sd_bus *bus) {
        int r = service_manager_is_stopping(bus);

        if (r < 0)
                say("cannot ask for the state of the system, which is taken as running", r);
        return r > 0;
}

static int give_back(void) {
        static const char *const otherwise = "which is asked to read its rules even if it does not run";
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = handover_unmask("");
        if (r < 0) {
                say("cannot unmask udev's rule", r);
                return r;
        }
        if (r == 0)
                return 0;
        bus = connect_to_systemd(otherwise);
        if (bus && system_is_stopping(bus))
                return 0;
        if (udevd_state(bus, otherwise) != SERVICE_DOWN)
                reload_udev();
        announce_devices();
        return 0;
}

int main(int argc, char **argv) {
        if (argc == 2 && streq(argv[1], "take"))
                return take() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc == 2 && streq(argv[1], "give-back"))
                return give_back() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        fprintf(stderr, "lkmd-handover: run by lkmd.service, with 'take' or 'give-back'\n");
        return 2;
}
