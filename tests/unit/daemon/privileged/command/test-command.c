/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-command from the first packet to the last. Its commands come from a modprobe.d of the test's, mounted over the
 * system's in a mount name space of a process of its own.
 */

#include "daemon/privileged/command/command.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/privileged/command/command-line.h"
#include "daemon/privileged/request/loader-protocol.h"
#include "scratch.h"
#include "test.h"

typedef struct Served {
        Scratch scratch;
        int fd;
        pid_t pid;
} Served;

/* In the child. */
static void serve(const Served *s, int fd) {
        static const char *const hidden[] = { "/run/modprobe.d", "/usr/lib/modprobe.d" };

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                _exit(3);
        (void) mkdir("/etc/modprobe.d", 0755);
        if (mount(scratch_path(&s->scratch, "modprobe.d"), "/etc/modprobe.d", NULL, MS_BIND, NULL) < 0)
                _exit(4);
        for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
                (void) mount("none", hidden[i], "tmpfs", 0, NULL);
        _exit(command_serve(fd) < 0 ? 5 : 0);
}

/* @lines: of modprobe.d. */
static void served_start(Served *s, const char *lines) {
        int fds[2];

        scratch_open(&s->scratch);
        assert_int_equal(chmod(s->scratch.dir, 0755), 0);
        scratch_write(&s->scratch, "modprobe.d/test.conf", lines);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        s->pid = fork();
        assert_true(s->pid >= 0);
        if (s->pid == 0) {
                (void) close(fds[0]);
                serve(s, fds[1]);
        }
        (void) close(fds[1]);
        s->fd = fds[0];
}

static void served_join(Served *s) {
        int status;

        if (s->fd >= 0)
                (void) close(s->fd);
        assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
        assert_int_equal(status, 0);
        scratch_close(&s->scratch);
}

static LoaderRequest request_of(LoaderOp op) {
        return (LoaderRequest) { .magic = LOADER_MAGIC, .op = op, .id = 7, .module = "lkmdt_x" };
}

static void ask(const Served *s, const LoaderRequest *r) {
        assert_int_equal(send(s->fd, r, LOADER_REQUEST_SIZE(r->words.n_origins), MSG_NOSIGNAL),
                         LOADER_REQUEST_SIZE(r->words.n_origins));
}

static LoaderReply hear(const Served *s) {
        LoaderReply reply = {};

        assert_int_equal(recv(s->fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.magic, LOADER_MAGIC);
        assert_int_equal(reply.id, 7);
        return reply;
}

/* The process first. */
static LoaderReply hear_outcome(const Served *s) {
        LoaderReply reply = hear(s);

        assert_int_equal(reply.op, LOADER_LOOK);
        assert_true(reply.thread_id > 0);
        return hear(s);
}

static void test_outcomes(void **state) {
        static const struct {
                const char *line;
                LoaderOp op;
                int error, exit_status;
                const char *text;
        } cases[] = {
                { "install lkmdt_x echo $MODPROBE_MODULE; umask; pwd -P; exit 3", LOADER_INSTALL_COMMAND,
                  -ECANCELED, 3, "lkmdt_x\n" },
                { "install lkmdt_x echo loaded", LOADER_INSTALL_COMMAND, 0, 0, "loaded\n" },
                { "remove lkmdt_x echo out >&2", LOADER_REMOVE_COMMAND, 0, 0, "out\n" },
                { "install lkmdt_x echo \"[$CMDLINE_OPTS]\"", LOADER_INSTALL_COMMAND, 0, 0, "[]\n" },
                /* signals are as in a root shell, though lkmd-command ignores this one, and systemd that one */
                { "install lkmdt_x kill -TERM $$", LOADER_INSTALL_COMMAND, -ECANCELED, -SIGTERM, "" },
                { "install lkmdt_x kill -PIPE $$", LOADER_INSTALL_COMMAND, -ECANCELED, -SIGPIPE, "" },
                { "install lkmdt_x echo $HOME$TERM$PATH$LISTEN_FDS", LOADER_INSTALL_COMMAND, 0, 0,
                  "/linux/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                LoaderRequest r = request_of(cases[i].op);
                LoaderReply reply;
                Served s;

                served_start(&s, cases[i].line);
                ask(&s, &r);
                reply = hear_outcome(&s);
                assert_int_equal(reply.op, cases[i].op);
                assert_int_equal(reply.error, cases[i].error);
                if (cases[i].exit_status < 0)
                        assert_int_equal(WTERMSIG(reply.wait_status), -cases[i].exit_status);
                else
                        assert_int_equal(WEXITSTATUS(reply.wait_status), cases[i].exit_status);
                assert_memory_equal(reply.text, cases[i].text, strlen(cases[i].text));
                served_join(&s);
        }
}

/* No line, no command of the manager's, and nothing that is not for this program. */
static void test_refused(void **state) {
        static const struct {
                LoaderOp op;
                int error;
        } cases[] = {
                { LOADER_REMOVE_COMMAND, -ENOENT },
                { LOADER_REMOVE, -EOPNOTSUPP },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                LoaderRequest r = request_of(cases[i].op);
                LoaderReply reply;
                Served s;

                served_start(&s, "install lkmdt_x echo ran");
                ask(&s, &r);
                reply = hear(&s);
                assert_int_equal(reply.error, cases[i].error);
                served_join(&s);
        }
}

/* What member of lkmd-admin, or whoever is the manager, says never gets into the shell. */
static void test_words_that_root_did_not_write(void **state) {
        LoaderRequest r = request_of(LOADER_INSTALL_COMMAND);
        LoaderReply reply;
        Served s;

        (void) stpcpy(r.words.text, "$(id)");
        (void) memcpy(r.words.strings, "\0lkmdt_x\0/etc/modprobe.d/test.conf",
                      sizeof("\0lkmdt_x\0/etc/modprobe.d/test.conf"));
        r.words.n_origins = 1;
        r.words.origins[0] = (LoaderOrigin) { .kind = LOADER_BY_LINE, .size = 5, .name = 1, .file = 9 };
        served_start(&s, "install lkmdt_x echo $CMDLINE_OPTS");
        ask(&s, &r);
        reply = hear(&s);
        assert_int_equal(reply.error, -EPERM);
        assert_true(reply.refusal == LOADER_REFUSED_WORDS || reply.refusal == LOADER_REFUSED_ORIGIN);
        served_join(&s);
}

static void test_nonsense(void **state) {
        char byte;
        Served s;

        served_start(&s, "");
        assert_int_equal(send(s.fd, "nonsense", 8, MSG_NOSIGNAL), 8);
        assert_int_equal(recv(s.fd, &byte, 1, 0), 0);
        served_join(&s);
}

/* A stop of the service, and the end of the manager, do not reach the command. */
static void test_is_not_killed(void **state) {
        LoaderRequest r = request_of(LOADER_INSTALL_COMMAND);
        _cleanup_(scratch_close) Scratch kept;
        LoaderReply reply;
        char line[512];
        Served s;

        scratch_open(&kept);
        (void) snprintf(line, sizeof(line),
                        "install lkmdt_x while ! test -e %s/go; do sleep 0.01; done; echo done > %s/done",
                        kept.dir, kept.dir);
        served_start(&s, line);
        ask(&s, &r);
        reply = hear(&s);
        assert_true(reply.thread_id > 0);
        assert_int_equal(kill(s.pid, SIGTERM), 0);
        assert_int_equal(kill(s.pid, SIGHUP), 0);
        (void) close(s.fd);
        s.fd = -EBADF;
        scratch_write(&kept, "go", "");
        served_join(&s);
        assert_int_equal(access(scratch_path(&kept, "done"), F_OK), 0);
}

/* The reply does not wait for what the command left behind, whose output goes on being read. */
static void test_leaves_a_process_behind(void **state) {
        LoaderRequest r = request_of(LOADER_INSTALL_COMMAND);
        _cleanup_(scratch_close) Scratch kept;
        _cleanup_(fclosep) FILE *fifo = NULL;
        LoaderReply reply;
        char line[512];
        Served s;

        scratch_open(&kept);
        assert_int_equal(mkfifo(scratch_path(&kept, "fifo"), 0600), 0);
        (void) snprintf(line, sizeof(line), "install lkmdt_x (read word < %s/fifo; echo $word) & echo first",
                        kept.dir);
        served_start(&s, line);
        ask(&s, &r);
        reply = hear_outcome(&s);
        assert_int_equal(reply.error, 0);
        assert_string_equal(reply.text, "first\n");
        fifo = fopen(scratch_path(&kept, "fifo"), "we");
        assert_non_null(fifo);
        assert_true(fputs("second\n", fifo) >= 0 && fflush(fifo) == 0);
        served_join(&s);
}

static void test_expands(void **state) {
        static const struct {
                const char *command, *options, *expanded;
        } cases[] = {
                { "modprobe -i x $CMDLINE_OPTS", "a=1 b=2", "modprobe -i x a=1 b=2" },
                { "$CMDLINE_OPTS$CMDLINE_OPTS", "x", "xx" },
                { "$CMDLINE_OPT", "x", "$CMDLINE_OPT" },
                { "echo", "x", "echo" },
                { "$CMDLINE_OPTS", "", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *expanded = command_line_expand(cases[i].command, cases[i].options);

                assert_string_equal(expanded, cases[i].expanded);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_outcomes),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_words_that_root_did_not_write),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_is_not_killed),
                cmocka_unit_test(test_leaves_a_process_behind),
                cmocka_unit_test(test_expands),
        };

        return RUN_TESTS(tests);
}
