/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/reader/reader.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "daemon/privileged/reader/reader-protocol.h"
#include "reader-bench.h"
#include "test.h"

#define SOMEBODY 65534U

static int make_files(void **state) {
        reader_bench_mount();
        reader_bench_file("/etc/modprobe.d/root.conf", "x", 0600);
        reader_bench_file("/etc/modprobe.d/group.conf", "x", 0640);
        reader_bench_file("/etc/modprobe.d/group-writes.conf", "x", 0660);
        reader_bench_file("/etc/modprobe.d/root.key", "x", 0600);
        reader_bench_file("/etc/modprobe.d/somebody.conf", "x", 0600);
        assert_ok(chown("/etc/modprobe.d/somebody.conf", SOMEBODY, SOMEBODY));
        assert_ok(mkfifo("/etc/modprobe.d/fifo.conf", 0600));
        reader_bench_link("/etc/modprobe.d/same.conf", "root.conf");
        reader_bench_link("/etc/modprobe.d/secret.conf", READER_ELSEWHERE "/secret");
        reader_bench_link("/etc/modprobe.d/public.conf", READER_ELSEWHERE "/private/public");
        reader_bench_link("/etc/modprobe.d/device.conf", "/dev/null");
        reader_bench_link("/etc/modprobe.d/nowhere.conf", "nowhere");
        reader_bench_link("/etc/modprobe.d/loop.conf", "loop.conf");
        reader_bench_link("/etc/modprobe.d/theirs.conf", "root.conf");
        assert_ok(lchown("/etc/modprobe.d/theirs.conf", SOMEBODY, SOMEBODY));
        reader_bench_directory("/etc/modprobe.d/private", 0700);
        reader_bench_file("/etc/modprobe.d/private/deep.conf", "x", 0600);
        reader_bench_directory("/etc/modprobe.d/open", 0777);
        reader_bench_file("/etc/modprobe.d/open/x.conf", "x", 0600);

        reader_bench_file(READER_ELSEWHERE "/secret", "x", 0600);
        reader_bench_directory(READER_ELSEWHERE "/private", 0700);
        reader_bench_file(READER_ELSEWHERE "/private/public", "x", 0644);
        reader_bench_directory(READER_ELSEWHERE "/lists", 0700);
        reader_bench_file(READER_ELSEWHERE "/lists/a.yaml", "x", 0600);
        reader_bench_file(READER_ELSEWHERE "/lists/a.conf", "x", 0600);

        reader_bench_file("/etc/modules-load.d/a.conf", "x", 0600);
        reader_bench_file("/etc/modules-load.d/a.key", "x", 0600);
        reader_bench_link("/etc/modules-load.d/secret.conf", READER_ELSEWHERE "/secret");

        reader_bench_file("/etc/lkmd/lkmd.conf", "x", 0600);
        reader_bench_file("/etc/lkmd/lkmd.key", "x", 0600);
        reader_bench_directory("/etc/lkmd/lkmd.conf.d", 0700);
        reader_bench_file("/etc/lkmd/lkmd.conf.d/a.conf", "x", 0600);
        reader_bench_directory("/etc/lkmd/policy.d", 0700);
        reader_bench_file("/etc/lkmd/policy.d/a.yaml", "x", 0600);
        reader_bench_file("/etc/lkmd/policy.d/a.key", "x", 0600);
        reader_bench_link("/etc/lkmd/lists", READER_ELSEWHERE "/lists");

        reader_bench_directory("/etc/udev/rules.d", 0700);
        reader_bench_file("/etc/udev/rules.d/61-x.rules", "x", 0600);
        reader_bench_file("/etc/udev/rules.d/61-x.hwdb", "x", 0600);
        reader_bench_link("/etc/udev/rules.d/62-out.rules", READER_ELSEWHERE "/secret");
        reader_bench_directory("/etc/udev/hwdb.d", 0700);
        reader_bench_file("/etc/udev/hwdb.d/61-x.hwdb", "x", 0600);
        reader_bench_file("/etc/udev/udev.conf", "x", 0600);

        reader_bench_directory("/lib/modules/6.12", 0700);
        reader_bench_file("/lib/modules/6.12/modules.dep.bin", "x", 0600);
        reader_bench_file("/lib/modules/6.12/a.ko.xz", "x", 0600);
        reader_bench_file("/lib/modules/6.12/signing_key.pem", "x", 0600);
        return 0;
}

static void test_what_is_opened(void **state) {
        static const struct {
                const char *path;
                int error;              /* 0: it is opened */
        } cases[] = {
                { "/etc/modprobe.d", 0 },
                { "/etc/modprobe.d/root.conf", 0 },
                { "/etc/modprobe.d/group.conf", 0 },
                { "/etc/modprobe.d/group-writes.conf", 0 }, /* who may write it is up to who reads it */
                { "/etc/modprobe.d/same.conf", 0 },
                { "/etc/modprobe.d/public.conf", 0 }, /* a link out, to what everybody may read */
                { "/etc/modprobe.d/private", 0 },
                { "/etc/modprobe.d/private/deep.conf", 0 },
                { "/etc/modprobe.d//private/./deep.conf", 0 },
                { "/etc/modules-load.d", 0 },
                { "/etc/modules-load.d/a.conf", 0 },
                { "/etc/lkmd/lkmd.conf", 0 },
                { "/etc/lkmd/lkmd.conf.d/a.conf", 0 },
                { "/etc/lkmd/policy.d", 0 },
                { "/etc/lkmd/policy.d/a.yaml", 0 },
                { "/etc/lkmd/lists", 0 }, /* a directory that root has put elsewhere */
                { "/etc/lkmd/lists/a.yaml", 0 },
                { "/lib/modules", 0 },
                { "/lib/modules/6.12", 0 },
                { "/lib/modules/6.12/modules.dep.bin", 0 },
                { "/lib/modules/6.12/a.ko.xz", 0 },
                { "/usr/lib/udev/rules.d", 0 },
                { "/etc/udev/rules.d", 0 },
                { "/etc/udev/rules.d/61-x.rules", 0 },
                { "/etc/udev/hwdb.d/61-x.hwdb", 0 },

                { "/etc/shadow", -EPERM },
                { "/etc/passwd", -EPERM },
                { "/etc", -EPERM },
                { "/", -EPERM },
                { "", -EPERM },
                { "etc/modprobe.d/root.conf", -EPERM },
                { READER_ELSEWHERE "/secret", -EPERM },
                { READER_ELSEWHERE "/lists/a.yaml", -EPERM },
                { "/etc/modprobe.d.d/root.conf", -EPERM },
                { "/etc/modprobe.d/../shadow", -EPERM },
                { "/etc/modprobe.d/..", -EPERM },
                { "/proc/self/root/etc/modprobe.d/root.conf", -EPERM },
                { "/etc/modprobe.d/root.key", -EPERM },
                { "/etc/modprobe.d/somebody.conf", -EPERM },
                { "/etc/modprobe.d/secret.conf", -EPERM },
                { "/etc/modules-load.d/a.key", -EPERM },
                { "/etc/modules-load.d/secret.conf", -EPERM },
                { "/etc/modprobe.d/theirs.conf", -EPERM },
                { "/etc/modprobe.d/open/x.conf", -EPERM },
                { "/etc/modprobe.d/fifo.conf", -EINVAL },
                { "/etc/modprobe.d/device.conf", -EINVAL },
                { "/etc/modprobe.d/nowhere.conf", -ENOENT },
                { "/etc/modprobe.d/none.conf", -ENOENT },
                { "/etc/modprobe.d/root.conf/x.conf", -ENOTDIR },
                { "/etc/modprobe.d/loop.conf", -ELOOP },
                { "/etc/lkmd/lkmd.key", -EPERM },
                { "/etc/lkmd/policy.d/a.key", -EPERM },
                { "/lib/modules/6.12/signing_key.pem", -EPERM },
                { "/etc/udev", -EPERM },
                { "/etc/udev/udev.conf", -EPERM },
                { "/etc/udev/rules.d/61-x.hwdb", -EPERM },
                { "/etc/udev/rules.d/62-out.rules", -EPERM },
                { "/etc/udev/hwdb.d/../rules.d/61-x.rules", -EPERM },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                int fd = reader_open(cases[i].path, -EBADF);

                if (fd >= 0)
                        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
                if (MIN(fd, 0) != cases[i].error)
                        fail_msg("%s: %d", cases[i].path, fd);
                closep(&fd);
        }
}

/* Are there events? Takes them. */
static bool has_events(int fd) {
        char events[4096];
        bool any = false;

        while (read(fd, events, sizeof(events)) > 0)
                any = true;
        return any;
}

/* What lkmd may not watch is watched for it: the file, and the way to it from the first private directory on. */
static void test_watches(void **state) {
        int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), fd;

        assert_true(watch_fd >= 0);
        fd = reader_open("/etc/modprobe.d/private/deep.conf", watch_fd);
        assert_true(fd >= 0);
        closep(&fd);
        assert_false(has_events(watch_fd));
        reader_bench_file("/etc/modprobe.d/other.conf", "x", 0600);
        assert_false(has_events(watch_fd)); /* lkmd can see that for itself */
        reader_bench_file("/etc/modprobe.d/private/deep.conf", "y", 0600);
        assert_true(has_events(watch_fd));
        reader_bench_file("/etc/modprobe.d/private/other.conf", "y", 0600);
        assert_true(has_events(watch_fd));
        assert_ok(chmod("/etc/modprobe.d/private/deep.conf", 0644));
        assert_true(has_events(watch_fd));
        assert_ok(chmod("/etc/modprobe.d/private", 0755));
        assert_true(has_events(watch_fd));
        closep(&watch_fd);
}

/* A descriptor of something else is nothing to watch with; what is refused is not watched either. */
static void test_no_watches(void **state) {
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
            watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        assert_int_equal(reader_open("/etc/modprobe.d/root.conf", null_fd), -EINVAL);
        assert_int_equal(reader_open("/etc/modprobe.d/secret.conf", watch_fd), -EPERM);
        reader_bench_file(READER_ELSEWHERE "/secret", "y", 0600);
        assert_false(has_events(watch_fd));
        closep(&null_fd);
        closep(&watch_fd);
}

/* A request of another version is answered with the own one, in four bytes that all versions have. */
static void test_another_version(void **state) {
        const uint32_t other = READER_MAGIC + 1;
        uint32_t said[2] = {};
        int fds[2];

        assert_ok(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
        assert_int_equal(send(fds[0], &other, sizeof(other), 0), sizeof(other));
        assert_int_equal(reader_serve(fds[1]), -EPROTO);
        assert_int_equal(recv(fds[0], said, sizeof(said), MSG_DONTWAIT), 4);
        assert_int_equal(said[0], READER_MAGIC);
        assert_int_equal(send(fds[0], "nonsense", 8, 0), 8);
        assert_int_equal(reader_serve(fds[1]), -EBADMSG);
        assert_int_equal(recv(fds[0], said, sizeof(said), MSG_DONTWAIT), -1);
        closep(&fds[0]);
        closep(&fds[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_opened),
                cmocka_unit_test(test_watches),
                cmocka_unit_test(test_no_watches),
                cmocka_unit_test(test_another_version),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_files, NULL);
}
