/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/handover/systemd.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "must.h"
#include "scratch.h"
#include "test.h"

#define UNIT "some-thing.service"
#define UNIT_PATH "/org/freedesktop/systemd1/unit/some_2dthing_2eservice"

#define JOB_PATH "/org/freedesktop/systemd1/job/7"

/* A systemd with one unit, which serves one connection in a thread. */
typedef struct FakeSystemd {
        const char *unit_state, *system_state;  /* NULL: an error instead */
        const char *load_state;                 /* NULL: an error instead */
        const char *job;                        /* NULL: none; "gone": over when it is asked about */
        const char *restart;                    /* NULL: an error instead */
        uint64_t restart_usec;
        const char *refuse_signal;              /* name of an error, or NULL */
        bool hangs_up;                          /* on everybody */
        char signalled[64];                     /* "UNIT WHOM SIGNAL" of the last signal */
        Scratch scratch;
        char address[PATH_MAX];
        int listen_fd;
        pthread_t thread;
} FakeSystemd;

static void must_equal(const char *is, const char *expected) {
        must(streq(is, expected), expected);
}

static int reply_state(sd_bus_message *m, const char *state) {
        if (!state)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "not for you");
        return sd_bus_reply_method_return(m, "v", "s", state);
}

static int on_get_of_unit(FakeSystemd *f, sd_bus_message *m, const char *interface, const char *property) {
        if (streq(property, "RestartUSecNext") || streq(property, "Restart"))
                must_equal(interface, "org.freedesktop.systemd1.Service");
        else
                must_equal(interface, "org.freedesktop.systemd1.Unit");
        if (streq(property, "RestartUSecNext"))
                return sd_bus_reply_method_return(m, "v", "t", f->restart_usec);
        if (streq(property, "Restart"))
                return reply_state(m, f->restart);
        if (streq(property, "Job"))
                return sd_bus_reply_method_return(m, "v", "(uo)", f->job ? 7U : 0U, f->job ? JOB_PATH : "/");
        if (streq(property, "LoadState"))
                return reply_state(m, f->load_state);
        must_equal(property, "ActiveState");
        return reply_state(m, f->unit_state);
}

static int on_get(FakeSystemd *f, sd_bus_message *m) {
        const char *interface, *property;

        must_ok(sd_bus_message_read(m, "ss", &interface, &property));
        if (streq(sd_bus_message_get_path(m), UNIT_PATH))
                return on_get_of_unit(f, m, interface, property);
        if (streq(sd_bus_message_get_path(m), JOB_PATH)) {
                must_equal(interface, "org.freedesktop.systemd1.Job");
                must_equal(property, "JobType");
                return reply_state(m, streq(f->job, "gone") ? NULL : f->job);
        }
        must_equal(sd_bus_message_get_path(m), "/org/freedesktop/systemd1");
        must_equal(interface, "org.freedesktop.systemd1.Manager");
        must_equal(property, "SystemState");
        return reply_state(m, f->system_state);
}

static int on_kill_unit(FakeSystemd *f, sd_bus_message *m) {
        const char *unit, *whom;
        int32_t signo;

        must_ok(sd_bus_message_read(m, "ssi", &unit, &whom, &signo));
        if (f->refuse_signal)
                return sd_bus_reply_method_errorf(m, f->refuse_signal, "no");
        (void) snprintf(f->signalled, sizeof(f->signalled), "%s %s %d", unit, whom, signo);
        return sd_bus_reply_method_return(m, NULL);
}

static int on_restart_unit(FakeSystemd *f, sd_bus_message *m) {
        const char *unit, *mode;

        must_ok(sd_bus_message_read(m, "ss", &unit, &mode));
        if (f->refuse_signal)
                return sd_bus_reply_method_errorf(m, f->refuse_signal, "no");
        (void) snprintf(f->signalled, sizeof(f->signalled), "%s %s", unit, mode);
        return sd_bus_reply_method_return(m, "o", JOB_PATH);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
                return on_get(userdata, m);
        if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", "KillUnit"))
                return on_kill_unit(userdata, m);
        if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", "RestartUnit"))
                return on_restart_unit(userdata, m);
        return 0;
}

static void *serve(void *userdata) {
        FakeSystemd *f = userdata;
        sd_id128_t id;
        sd_bus *bus;
        int fd;

        fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return NULL;            /* nobody came before the end */
        if (f->hangs_up) {
                (void) close(fd);
                return NULL;
        }
        must_ok(sd_bus_new(&bus));
        must_ok(sd_bus_set_fd(bus, fd, fd));
        must_ok(sd_id128_randomize(&id));
        must_ok(sd_bus_set_server(bus, true, id));
        must_ok(sd_bus_add_filter(bus, NULL, on_message, f));
        must_ok(sd_bus_start(bus));
        for (;;) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        break;          /* the client has gone */
        }
        sd_bus_close_unref(bus);
        return NULL;
}

static void fake_start(FakeSystemd *f) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        scratch_open(&f->scratch);
        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", scratch_path(&f->scratch, "private"));
        (void) snprintf(f->address, sizeof(f->address), "unix:path=%s", sa.sun_path);
        f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(f->listen_fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        assert_int_equal(listen(f->listen_fd, 1), 0);
        assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void fake_stop(FakeSystemd *f) {
        (void) shutdown(f->listen_fd, SHUT_RDWR);
        assert_int_equal(pthread_join(f->thread, NULL), 0);
        (void) close(f->listen_fd);
        scratch_close(&f->scratch);
}

static void test_states(void **state) {
        static const struct {
                const char *unit, *system;
                int state, stopping;
        } cases[] = {
                { "active", "running", SERVICE_UP, 0 },
                { "reloading", "degraded", SERVICE_UP, 0 },
                { "inactive", "starting", SERVICE_DOWN, 0 },
                { "activating", "initializing", SERVICE_STARTING, 0 },
                { "deactivating", "stopping", SERVICE_STOPPING, 1 },
                { "failed", "maintenance", SERVICE_DOWN, 0 },
                { "", "", SERVICE_DOWN, 0 },
                { NULL, NULL, -EACCES, -EACCES },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                FakeSystemd fake = { .unit_state = cases[i].unit, .system_state = cases[i].system };
                sd_bus *bus;

                fake_start(&fake);
                assert_ok(service_manager_connect(&bus, fake.address));
                assert_int_equal(service_manager_get_state(bus, UNIT), cases[i].state);
                assert_int_equal(service_manager_is_stopping(bus), cases[i].stopping);
                sd_bus_close_unref(bus);
                fake_stop(&fake);
        }
}

static void test_has_unit(void **state) {
        static const struct {
                const char *load_state;
                int expected;
        } cases[] = { { "loaded", 1 }, { "masked", 0 }, { "not-found", 0 }, { NULL, -EACCES } };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                FakeSystemd fake = { .load_state = cases[i].load_state };
                sd_bus *bus;

                fake_start(&fake);
                assert_ok(service_manager_connect(&bus, fake.address));
                assert_int_equal(service_manager_has_unit(bus, UNIT), cases[i].expected);
                sd_bus_close_unref(bus);
                fake_stop(&fake);
        }
}

static void test_restarts_soon(void **state) {
        static const struct {
                const char *job, *restart;
                uint64_t restart_usec;
                const char *result;
                int expected;
        } cases[] = {
                { "restart", "no", 0, "success", 1 },
                { "try-restart", "no", 0, "success", 1 },
                { "start", "no", 0, "success", 1 },
                { "start", "no", 0, NULL, 1 },
                { "stop", "always", 0, "signal", 0 },
                { "stop", "always", 0, NULL, 0 },
                { "reload", "always", 0, "signal", 1 },
                { "gone", "always", 0, "signal", 1 },
                { "gone", "no", 0, "signal", 0 },
                { NULL, "always", 0, NULL, 0 },
                { NULL, "always", 0, "success", 1 },
                { NULL, "always", 100000, "signal", 1 },
                { NULL, "always", 2000000, "signal", 1 },
                { NULL, "always", 2000001, "signal", 0 },
                { NULL, "no", 0, "signal", 0 },
                { NULL, "on-failure", 0, "signal", 1 },
                { NULL, "on-failure", 0, "exit-code", 1 },
                { NULL, "on-failure", 0, "oom-kill", 1 },
                { NULL, "on-failure", 0, "success", 0 },
                { NULL, "on-success", 0, "success", 1 },
                { NULL, "on-success", 0, "signal", 0 },
                { NULL, "on-abnormal", 0, "core-dump", 1 },
                { NULL, "on-abnormal", 0, "watchdog", 1 },
                { NULL, "on-abnormal", 0, "timeout", 1 },
                { NULL, "on-abnormal", 0, "exit-code", 0 },
                { NULL, "on-watchdog", 0, "watchdog", 1 },
                { NULL, "on-watchdog", 0, "signal", 0 },
                { NULL, "on-abort", 0, "signal", 1 },
                { NULL, "on-abort", 0, "watchdog", 0 },
                { NULL, "nonsense", 0, "signal", 0 },
                { NULL, NULL, 0, "signal", -EACCES },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                FakeSystemd fake = {
                        .job = cases[i].job,
                        .restart = cases[i].restart,
                        .restart_usec = cases[i].restart_usec,
                };
                sd_bus *bus;

                fake_start(&fake);
                assert_ok(service_manager_connect(&bus, fake.address));
                assert_int_equal(service_manager_restarts_soon(bus, UNIT, cases[i].result), cases[i].expected);
                sd_bus_close_unref(bus);
                fake_stop(&fake);
        }
}

static void test_signal_to_main_process(void **state) {
        FakeSystemd fake = {};
        sd_bus *bus;
        char expected[64];

        (void) snprintf(expected, sizeof(expected), UNIT " main %d", SIGHUP);
        fake_start(&fake);
        assert_ok(service_manager_connect(&bus, fake.address));
        assert_ok(service_manager_signal(bus, UNIT, SIGHUP));
        sd_bus_close_unref(bus);
        fake_stop(&fake);
        assert_string_equal(fake.signalled, expected);
}

static void test_signal_refused(void **state) {
        FakeSystemd fake = { .refuse_signal = SD_BUS_ERROR_ACCESS_DENIED };
        sd_bus *bus;

        fake_start(&fake);
        assert_ok(service_manager_connect(&bus, fake.address));
        assert_int_equal(service_manager_signal(bus, UNIT, SIGHUP), -EACCES);
        sd_bus_close_unref(bus);
        fake_stop(&fake);
        assert_string_equal(fake.signalled, "");
}

static void test_restart(void **state) {
        FakeSystemd fake = {}, refusing = { .refuse_signal = SD_BUS_ERROR_ACCESS_DENIED };
        sd_bus *bus;

        fake_start(&fake);
        assert_ok(service_manager_connect(&bus, fake.address));
        assert_ok(service_manager_restart(bus, UNIT));
        sd_bus_close_unref(bus);
        fake_stop(&fake);
        assert_string_equal(fake.signalled, UNIT " replace");

        fake_start(&refusing);
        assert_ok(service_manager_connect(&bus, refusing.address));
        assert_int_equal(service_manager_restart(bus, UNIT), -EACCES);
        sd_bus_close_unref(bus);
        fake_stop(&refusing);
}

static void test_nobody_there(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char address[PATH_MAX + 16];
        sd_bus *bus = NULL;

        scratch_open(&s);
        (void) snprintf(address, sizeof(address), "unix:path=%s", scratch_path(&s, "private"));
        assert_int_equal(service_manager_connect(&bus, address), -ENOENT);
        assert_null(bus);
}

static void test_hangs_up(void **state) {
        FakeSystemd fake = { .hangs_up = true };
        sd_bus *bus = NULL;
        int r;

        fake_start(&fake);
        r = service_manager_connect(&bus, fake.address);
        if (r >= 0)                     /* the connection is made in the background */
                r = service_manager_get_state(bus, UNIT);
        assert_true(r < 0);
        sd_bus_close_unref(bus);
        fake_stop(&fake);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_has_unit),
                cmocka_unit_test(test_restarts_soon),
                cmocka_unit_test(test_signal_to_main_process),
                cmocka_unit_test(test_signal_refused),
                cmocka_unit_test(test_restart),
                cmocka_unit_test(test_nobody_there),
                cmocka_unit_test(test_hangs_up),
        };

        return RUN_TESTS(tests);
}
