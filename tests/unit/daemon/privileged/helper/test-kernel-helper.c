/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/helper/kernel-helper.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "scratch.h"
#include "test.h"

#define SOCKET (&(LKMD_REQUEST_SOCKET)[1]) /* without the slash at its beginning */
#define SHUT (&(LKMD_SHUT_FILE)[1])
#define LIST (&(USERMODE_HELPERS_FILE)[1])

/* ----------------------------------------------------------------------------------------------- arguments */

static void test_task(void **state) {
        static char longest[REQUEST_NAME_MAX + 1], too_long[64 * 1024];
        const struct {
                const char *argv[6];
                HelperTask task;
        } cases[] = {
                { { LKMD_REQUEST_PROGRAM, "-q", "--", "net-pf-38" }, HELPER_ASK },
                { { "/sbin/modprobe", "-q", "--", "net-pf-38" }, HELPER_ASK }, /* CONFIG_STATIC_USERMODEHELPER */
                { { "/usr/sbin/modprobe", "-q", "--", "net-pf-38" }, HELPER_ASK },
                { { "lkmd-request", "-q", "--", "../../x" }, HELPER_ASK },
                { { "lkmd-request", "-q", "--", "\xff\n" }, HELPER_ASK }, /* lkmd knows what to do with it */
                { { "lkmd-request", "-q", "--", longest }, HELPER_ASK },
                { { "lkmd-request", "-q", "--", too_long }, HELPER_PASS },
                { { "lkmd-request", "-q", "--", "" }, HELPER_PASS },
                { { "lkmd-request", "-q", "--" }, HELPER_PASS },
                { { "lkmd-request" }, HELPER_PASS },
                { { "lkmd-request", "-q", "net-pf-38" }, HELPER_PASS },
                { { "lkmd-request", "-r", "--", "net-pf-38" }, HELPER_PASS },
                { { "lkmd-request", "-q", "--", "a", "b" }, HELPER_PASS },
                { { "/tmp/modprobe", "-q", "--", "a" }, HELPER_OTHER },
                { { "modprobe", "-q", "--", "a" }, HELPER_OTHER }, /* the kernel names paths */
                { { "/sbin/request-key", "create" }, HELPER_OTHER },
                { { "" }, HELPER_OTHER },
                { {}, HELPER_OTHER },
        };

        memset(longest, 'x', sizeof(longest) - 1);
        memset(too_long, 'x', sizeof(too_long) - 1);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *name = NULL;
                int argc = 0;

                while (cases[i].argv[argc])
                        argc++;
                if (kernel_helper_task(argc, (char *const *) cases[i].argv, &name) != cases[i].task)
                        print_message("case %zu\n", i);
                assert_int_equal(kernel_helper_task(argc, (char *const *) cases[i].argv, &name),
                                 cases[i].task);
                if (cases[i].task == HELPER_ASK)
                        assert_ptr_equal(name, cases[i].argv[3]);
                else
                        assert_null(name);
        }
}

static void test_three_hundred_arguments(void **state) {
        const char *argv[302] = { "lkmd-request", "-q", "--" };
        const char *name = NULL;

        for (size_t i = 3; i < 301; i++)
                argv[i] = "x";
        assert_int_equal(kernel_helper_task(301, (char *const *) argv, &name), HELPER_PASS);
}

/* -------------------------------------------------------------------------------------------------- asking */

typedef struct Peer {
        int fd;                         /* listening */
        RequestReply replies[4];
        size_t n_replies, reply_size;   /* 0: the right one */
        RequestPacket packet;           /* that it got */
        ssize_t size;
} Peer;

static int listen_at(const Scratch *s) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        scratch_mkdir(s, "run/lkmd");
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(s, SOCKET));
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 8), 0);
        return fd;
}

static void *on_peer(void *userdata) {
        Peer *p = userdata;
        int fd = accept(p->fd, NULL, NULL);

        p->size = recv(fd, &p->packet, sizeof(p->packet), MSG_TRUNC);
        for (size_t i = 0; i < p->n_replies; i++)
                (void) send(fd, p->replies + i, p->reply_size ?: sizeof(p->replies[i]), MSG_NOSIGNAL);
        (void) close(fd);
        return NULL;
}

static RequestAnswer ask(Peer *p, const char *name) {
        _cleanup_(scratch_close) Scratch s;
        RequestAnswer answer;
        pthread_t thread;

        scratch_open(&s);
        p->fd = listen_at(&s);
        assert_int_equal(pthread_create(&thread, NULL, on_peer, p), 0);
        answer = kernel_helper_ask(s.dir, name);
        assert_int_equal(pthread_join(thread, NULL), 0);
        (void) close(p->fd);
        return answer;
}

static void test_answers(void **state) {
        static const struct {
                RequestReply replies[4];
                size_t n_replies, reply_size;
                RequestAnswer answer;
        } cases[] = {
                { { { REQUEST_MAGIC, REQUEST_PENDING }, { REQUEST_MAGIC, REQUEST_DONE } },
                  2,
                  0,
                  REQUEST_DONE },
                { { { REQUEST_MAGIC, REQUEST_PENDING }, { REQUEST_MAGIC, REQUEST_FAILED } },
                  2,
                  0,
                  REQUEST_FAILED },
                { { { REQUEST_MAGIC, REQUEST_PENDING }, { REQUEST_MAGIC, REQUEST_PASS } },
                  2,
                  0,
                  REQUEST_PASS },
                { { { REQUEST_MAGIC, REQUEST_FAILED } }, 1, 0, REQUEST_FAILED },
                { { { REQUEST_MAGIC, REQUEST_PENDING },
                    { REQUEST_MAGIC, REQUEST_PENDING },
                    { REQUEST_MAGIC, REQUEST_DONE } },
                  3,
                  0,
                  REQUEST_DONE },
                { {}, 0, 0, REQUEST_PASS },     /* it hangs up */
                { { { REQUEST_MAGIC, REQUEST_PENDING } }, 1, 0, REQUEST_PASS },
                { { { REQUEST_MAGIC + 1, REQUEST_DONE } }, 1, 0, REQUEST_PASS }, /* of another version */
                { { { REQUEST_MAGIC, 0 } }, 1, 0, REQUEST_PASS },
                { { { REQUEST_MAGIC, REQUEST_PASS + 1 } }, 1, 0, REQUEST_PASS },
                { { { REQUEST_MAGIC, REQUEST_DONE } }, 1, 4, REQUEST_PASS },
                { { { REQUEST_MAGIC, REQUEST_DONE }, {} }, 1, 16, REQUEST_PASS },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Peer p = { .n_replies = cases[i].n_replies, .reply_size = cases[i].reply_size };

                memcpy(p.replies, cases[i].replies, sizeof(p.replies));
                assert_int_equal(ask(&p, "net-pf-38"), cases[i].answer);
                assert_int_equal(p.size, sizeof(p.packet));
                assert_int_equal(p.packet.magic, REQUEST_MAGIC);
                assert_string_equal(p.packet.name, "net-pf-38");
        }
}

static void test_nobody_is_there(void **state) {
        _cleanup_(scratch_close) Scratch s;
        int fd;

        scratch_open(&s);
        assert_int_equal(kernel_helper_ask(s.dir, "x"), REQUEST_PASS);
        fd = listen_at(&s);             /* and nobody accepts */
        assert_int_equal(kernel_helper_ask(s.dir, "x"), REQUEST_PASS);
        (void) close(fd);
        assert_int_equal(kernel_helper_ask(s.dir, "x"), REQUEST_PASS);
}

static void test_path_too_long(void **state) {
        char root[200];

        memset(root, 'x', sizeof(root) - 1);
        root[0] = '/';
        root[sizeof(root) - 1] = '\0';
        assert_int_equal(kernel_helper_ask(root, "x"), REQUEST_PASS);
}

/* ----------------------------------------------------------------------------------- the whole, as a process */

/* What a program in the place of modprobe, or another one, wrote down; and the kernel's log. */
typedef struct Run {
        int status;
        char said[4096], log[1024];
} Run;

static void read_back(const Scratch *s, const char *name, char *ret, size_t size) {
        FILE *f = fopen(scratch_path(s, name), "re");
        size_t n = f ? fread(ret, 1, size - 1, f) : 0;

        ret[n] = '\0';
        if (f)
                (void) fclose(f);
}

static void put_program(const Scratch *s, const char *name) {
        char text[512];

        snprintf(text, sizeof(text), "#!/bin/sh\necho \"${0##*/} $*\" >%s/said\nexit 7\n", s->dir);
        scratch_write(s, name, text);
        assert_int_equal(chmod(scratch_path(s, name), 0755), 0);
}

static Run run(const Scratch *s, const char *const *argv) {
        int argc = 0, status;
        Run ret;
        pid_t pid;

        while (argv[argc])
                argc++;
        scratch_write(s, "dev/kmsg", "");
        scratch_write(s, "said", "");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(kernel_helper_run(s->dir, argc, (char **) argv));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        ret.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        read_back(s, "said", ret.said, sizeof(ret.said));
        read_back(s, "dev/kmsg", ret.log, sizeof(ret.log));
        return ret;
}

static void test_falls_open(void **state) {
        _cleanup_(scratch_close) Scratch s;
        const char *asked[] = { "lkmd-request", "-q", "--", "net-pf-38", NULL },
                   *odd[] = { "lkmd-request", "-r", "x", NULL };
        Run r;

        scratch_open(&s);
        r = run(&s, asked);
        assert_int_equal(r.status, 1);
        assert_non_null(strstr(
                r.log,
                "lkmd-request: net-pf-38: not loaded: lkmd did not answer, and modprobe cannot be run"));

        put_program(&s, "usr/sbin/modprobe"); /* where there is no /sbin/modprobe */
        r = run(&s, asked);
        assert_string_equal(r.said, "modprobe -q -- net-pf-38\n");
        assert_int_equal(r.status, 7);
        assert_string_equal(r.log, "");
        r = run(&s, odd);
        assert_string_equal(r.said, "modprobe -r x\n");
}

static void test_closed(void **state) {
        _cleanup_(scratch_close) Scratch s;
        const char *asked[] = { "/sbin/modprobe", "-q", "--", "a\nb\xff", NULL };
        Run r;

        scratch_open(&s);
        put_program(&s, "sbin/modprobe");
        assert_false(kernel_helper_is_closed(s.dir));
        scratch_mkdir(&s, "run/lkmd");
        scratch_link(&s, SHUT, "/dev/null");
        assert_false(kernel_helper_is_closed(s.dir));
        scratch_remove(&s, SHUT);
        scratch_write(&s, SHUT, "");
        assert_true(kernel_helper_is_closed(s.dir));
        r = run(&s, asked);
        assert_int_equal(r.status, 1);
        assert_string_equal(r.said, "");
        assert_string_equal(
                r.log,
                "<4>lkmd-request: a?b?: not loaded: lkmd did not answer, and OnFailure=closed is in lkmd.conf\n");

        assert_int_equal(chown(scratch_path(&s, SHUT), 65534, 65534), 0);
        assert_false(kernel_helper_is_closed(s.dir));
}

/* ----------------------------------------------------------------------------- CONFIG_STATIC_USERMODEHELPER */

static void test_may_run(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open_below(&s, "/var/lib"); /* where root alone can write on the way */
        assert_true(kernel_helper_may_run(s.dir, "/sbin/request-key"));
        assert_true(kernel_helper_may_run(s.dir, "/usr/lib/systemd/systemd-coredump"));
        assert_false(kernel_helper_may_run(s.dir, "/sbin/request-key "));
        assert_false(kernel_helper_may_run(s.dir, "/sbin/../sbin/request-key"));
        assert_false(kernel_helper_may_run(s.dir, "/opt/x"));
        assert_false(kernel_helper_may_run(s.dir, ""));

        scratch_write(&s, LIST, "# what we need\n/opt/x\n\n/opt/y y\nopt/z\n/opt/last");
        assert_true(kernel_helper_may_run(s.dir, "/opt/x"));
        assert_true(kernel_helper_may_run(s.dir, "/opt/last"));
        assert_false(kernel_helper_may_run(s.dir, "/opt/y"));
        assert_false(kernel_helper_may_run(s.dir, "/opt"));
        assert_false(kernel_helper_may_run(s.dir, "/opt/xx"));
        assert_false(kernel_helper_may_run(s.dir, ""));
        assert_false(kernel_helper_may_run(s.dir, "opt/z"));
        assert_false(kernel_helper_may_run(s.dir, "# what we need"));

        assert_int_equal(chmod(scratch_path(&s, LIST), 0666), 0);
        assert_false(kernel_helper_may_run(s.dir, "/opt/x"));
        assert_int_equal(chmod(scratch_path(&s, LIST), 0644), 0);
        assert_int_equal(chown(scratch_path(&s, LIST), 65534, 65534), 0);
        assert_false(kernel_helper_may_run(s.dir, "/opt/x"));
        scratch_write_bytes(&s, "bytes", "/opt/x\n\0/opt/x\n", 15);
        scratch_remove(&s, LIST);
        scratch_move(&s, "bytes", LIST);
        assert_false(kernel_helper_may_run(s.dir, "/opt/x"));
}

static void test_other_programs(void **state) {
        _cleanup_(scratch_close) Scratch s;
        const char *key[] = { "/sbin/request-key", "create", "1", NULL }, *evil[] = { "/tmp/x", "1", NULL },
                   *gone[] = { "/sbin/hotplug", "usb", NULL }, *none[] = { NULL };
        Run r;

        scratch_open(&s);
        put_program(&s, "sbin/request-key");
        put_program(&s, "tmp/x");
        r = run(&s, key);
        assert_string_equal(r.said, "request-key create 1\n");
        assert_int_equal(r.status, 7);
        r = run(&s, evil);
        assert_string_equal(r.said, "");
        assert_int_equal(r.status, 1);
        assert_string_equal(
                r.log,
                "<4>lkmd-request: /tmp/x: not run for the kernel: it is not in " USERMODE_HELPERS_FILE "\n");
        r = run(&s, gone);
        assert_int_equal(r.status, 1);
        assert_string_equal(r.log, "<4>lkmd-request: /sbin/hotplug: No such file or directory\n");
        r = run(&s, none);
        assert_int_equal(r.status, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_task),
                cmocka_unit_test(test_three_hundred_arguments),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_nobody_is_there),
                cmocka_unit_test(test_path_too_long),
                cmocka_unit_test(test_falls_open),
                cmocka_unit_test(test_closed),
                cmocka_unit_test(test_may_run),
                cmocka_unit_test(test_other_programs),
        };
        return RUN_TESTS(tests);
}
