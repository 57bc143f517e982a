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

/* Return: false if udevd does not run, or nobody could say; the latter is told. */
static bool udevd_runs(ServiceManager *manager) {
        int r = service_manager_runs(manager, UDEV_UNIT);

        if (r < 0)
                say("cannot ask for the state of " UDEV_UNIT, r);
        return r > 0;
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
static void tell_udev(ServiceManager *manager) {
        int r;

        if (!udevd_runs(manager))
                return;
        r = service_manager_signal(manager, UDEV_UNIT, SIGHUP);
        if (r < 0)
                say("cannot tell " UDEV_UNIT " to read its rules; it does so by itself before its next events", r);
}

/*
 * On the way back it is waited for: the devices that are announced next are for the rules as they are now. To udevd a
 * uevent matters more than its control socket, so that while uevents come without an end it answers nobody, and
 * udevadm would wait a minute. Nothing is lost with one that does not answer, as above.
 */
static void reload_udev(ServiceManager *manager) {
        static char *const reload[] = { (char *) "udevadm", (char *) "control", (char *) "--reload",
                                        (char *) "--timeout=" UDEV_RELOAD_TIMEOUT, NULL };

        if (udevd_runs(manager) && run(reload) != 0)
                fprintf(stderr, "lkmd-handover: systemd-udevd did not read its rules within " UDEV_RELOAD_TIMEOUT
                                " s; it does so by itself before its next events\n");
}

static ServiceManager *connect_to_manager(void) {
        ServiceManager *manager = NULL;
        int r = service_manager_new(&manager, SERVICE_MANAGER_ADDRESS);

        if (r < 0)
                say("cannot ask systemd about udevd, which reads its rules by itself before its next events", r);
        return manager;
}

static int take(void) {
        int r;

        r = handover_mask("");
        if (r == -EEXIST)
                fprintf(stderr, "lkmd-handover: " UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE
                                " is somebody's own; udev loads drivers as well\n");
        else if (r < 0)
                say("cannot mask udev's rule; udev loads drivers as well", r);
        if (r > 0) {
                _cleanup_(service_manager_freep) ServiceManager *manager = connect_to_manager();

                if (manager)
                        tell_udev(manager);
        }
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
static bool system_is_stopping(ServiceManager *manager) {
        int r = service_manager_is_stopping(manager);

        if (r < 0)
                say("cannot ask for the state of the system", r);
        return r > 0;
}

static int give_back(void) {
        int r;

        r = handover_unmask("");
        if (r < 0) {
                say("cannot unmask udev's rule", r);
                return r;
        }
        if (r > 0) {
                _cleanup_(service_manager_freep) ServiceManager *manager = connect_to_manager();

                if (manager && system_is_stopping(manager))
                        return 0;
                if (manager)
                        reload_udev(manager);
                announce_devices();
        }
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
