/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A manager whose whole surroundings are made up, so that an input does the same in every run. */

#include "common/base/paths.h"
#include "world.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "fake-modules.h"
#include "support.h"

#define CALM_USEC (3600ULL * 1000U * 1000U) /* nothing is held back or waited for that long */
#define TURNS_MAX 20000U                /* of the loop for one line of the input; a few for each message */

static const FakeTree tree = {
        .modules = (const FakeModule[]) {
                { "a" }, { "b", "a" }, { "c", "b a" }, { "d", "a" }, { "e", "d b a" }, { "f" }, { "g" }, { "h" },
                { "i", "j k" }, { "j", "k i" }, { "k", "i j" }, {}
        },
        .aliases = (const WriterEntry[]) {
                { "pci:a*", "a", 0 }, { "pci:e*", "e", 1 }, { "pci:*", "f", 2 }, { "usb:*", "c", 3 }, {}
        },
        .builtin = (const char *const[]) { "builtin", NULL },
};

static const char policy[] =
        "version: 1\n"
        "rules:\n"
        "  - match: {module: d}\n    verdict: deny\n    reason: fuzz\n"
        "  - match: {module: g}\n    verdict: deny\n    mode: audit\n    reason: fuzz\n"
        "  - match: {module: h}\n    verdict: audit\n    reason: fuzz\n"
        "  - match: {module: f}\n    options: [from=policy]\n";

static void write_file(const char *path, const char *text) {
        _cleanup_(fclosep) FILE *f = fopen(path, "we");

        must(f && fputs(text, f) >= 0 && fflush(f) == 0);
}

static void make_sys(void) {
        fuzz_mount_empty("/sys");
        must(setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 1) == 0);
        must(mkdir("/sys/module", 0755) == 0 && mkdir("/sys/devices", 0755) == 0);
        must(mkdir("/sys/devices/pci0", 0755) == 0 && mkdir("/sys" WORLD_DEVICE, 0755) == 0);
        must(mkdir("/sys/bus", 0755) == 0 && mkdir("/sys/bus/pci", 0755) == 0);
        must(mkdir("/sys/bus/pci/devices", 0755) == 0 && mkdir("/sys/bus/pci/drivers", 0755) == 0);
        must(symlink("../../../devices/pci0/x", "/sys/bus/pci/devices/x") == 0);
        must(symlink("../../../bus/pci", "/sys" WORLD_DEVICE "/subsystem") == 0);
        write_file("/sys" WORLD_DEVICE "/uevent", "MODALIAS=pci:e1\n");
        write_file("/sys" WORLD_DEVICE "/modalias", "pci:e1\n");
}

/* What cannot be told another place. */
static void make_etc(void) {
        fuzz_mount_empty("/etc");
        must(mkdir("/etc/lkmd", 0755) == 0 && mkdir("/etc/modprobe.d", 0755) == 0);
        write_file("/etc/lkmd/lkmd.conf", "[Manager]\nLogLevel=emerg\nLedgerEntries=64\n");
        write_file("/etc/group", "root:x:0:\n" LKMD_ADMIN_GROUP ":x:77:\n");
        write_file("/etc/modprobe.d/x.conf",
                   "install h /bin/true --for h; true\nremove h /bin/true; true\noptions a from=modprobe.d\n"
                   "softdep f pre: g post: a\nblacklist k\n");
}

static void make_files(World *w) {
        char path[256];
        struct utsname u;

        must(uname(&u) == 0);
        fake_tree_write(&w->scratch, &tree);
        (void) snprintf(path, sizeof(path), "lib/modules/%s", u.release);
        scratch_link(&w->scratch, path, FAKE_RELEASE);
        scratch_write(&w->scratch, "etc/lkmd/policy.d/p.yaml", policy);
        scratch_mkdir(&w->scratch, "run/lkmd");
}

static void make_manager(World *w) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sigset_t ours;

        must(sd_event_default(&event) >= 0);
        w->loader = fake_loader_new(event, scratch_path(&w->scratch, "loader"),
                                    scratch_path(&w->scratch, "command"));
        must(manager_new(&w->manager, &(ManagerOptions) {
                                              .varlink_fd = -EBADF,
                                              .broker_fd = -EBADF,
                                              .varlink_address = scratch_path(&w->scratch, "service"),
                                              .kmsg_fd = -EBADF,
                                              .request_fd = -EBADF,
                                              .in_charge_fd = -EBADF,
                                              .loader_address = scratch_path(&w->scratch, "loader"),
                                              .command_address = scratch_path(&w->scratch, "command"),
                                              .trail_address = scratch_path(&w->scratch, "trail"),
                                              .reader_address = scratch_path(&w->scratch, "reader"),
                                              .ledger_file = scratch_path(&w->scratch, "run/ledger"),
                                              .audit_file = scratch_path(&w->scratch, "run/audit"),
                                              .root = w->scratch.dir,
                                              .policy_root = w->scratch.dir,
                                      }) >= 0);

        w->context = service_get_context(manager_get_service(w->manager));

        /* the loop blocks them to hear of them; here they are libFuzzer's */
        must(sigemptyset(&ours) == 0 && sigaddset(&ours, SIGINT) == 0 && sigaddset(&ours, SIGTERM) == 0);
        must(sigprocmask(SIG_UNBLOCK, &ours, NULL) == 0);
}

static World *opened;

static void close_world(void) {
        opened->manager = manager_free(opened->manager);
        opened->loader = fake_loader_free(opened->loader);
        scratch_close(&opened->scratch);
}

void world_open(World *w) {
        fuzz_clock_start();
        make_sys();
        make_etc();
        scratch_open(&w->scratch);
        make_files(w);
        make_manager(w);
        opened = w;
        must(atexit(close_world) == 0);
        world_settle(w);
}

void world_answer_oldest(World *w, int error) {
        const LoaderRequest *oldest = fake_loader_oldest(w->loader);
        char module[MODULE_NAME_MAX + 1];

        if (!oldest)
                return;
        (void) stpcpy(module, oldest->module);
        fake_loader_answer(w->loader, module, error);
}

/* What was asked for goes on without whoever asked, and comes to its end. */
static void end_work(World *w) {
        fake_loader_hold(w->loader, false);
        while (fake_loader_oldest(w->loader)) {
                world_answer_oldest(w, 0);
                world_settle(w);
        }
        must(scheduler_is_idle(w->context->scheduler));
        }

static void revoke_grants(World *w) {
        const Grants *grants = policy_keeper_get_grants(w->context->policy);

        while (grants_count(grants) > 0)
                must(policy_keeper_revoke(w->context->policy, grants_get(grants, 0)->id) == 0);
}

void world_restore(World *w) {
        end_work(w);
        for (const char *m = WORLD_MODULES; *m; m++) {
                const char name[] = { *m, '\0' };

                world_set_module(w, *m, NULL);
                ledger_module_gone(w->context->ledger, name);
        }
        world_set_driver(w, false);
        revoke_grants(w);
        fuzz_clock_step(CALM_USEC);
        world_settle(w);
        must(manager_is_idle(w->manager));
        fake_loader_forget(w->loader);
        fuzz_look_for_leaks();
}

int world_connect(World *w, uid_t uid, gid_t gid) {
        const struct ucred ucred = { .pid = getpid(), .uid = uid, .gid = gid };
        int fds[2];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        must(service_add_connection(manager_get_service(w->manager), fds[0], &ucred) >= 0);
        return fds[1];
}

void world_turn(World *w) {
        must(sd_event_run(w->context->event, 0) >= 0);
}

void world_settle(World *w) {
        int r = 1;

        for (unsigned turns = 0; r > 0; turns++) {
                must(turns < TURNS_MAX);
                r = sd_event_run(w->context->event, 0);
        }
        must(r == 0);
}

void world_set_module(World *w, char letter, const char *state) {
        char dir[32], file[64];

        (void) snprintf(dir, sizeof(dir), "/sys/module/%c", letter);
        (void) snprintf(file, sizeof(file), "%s/initstate", dir);
        if (!state) {
                if (unlink(file) == 0)
                        must(rmdir(dir) == 0);
                return;
        }
        (void) mkdir(dir, 0755);
        write_file(file, state);
}

void world_set_driver(World *w, bool bound) {
        (void) unlink("/sys" WORLD_DEVICE "/driver");
        if (bound)
                must(symlink("../../../bus/pci/drivers", "/sys" WORLD_DEVICE "/driver") == 0);
}
