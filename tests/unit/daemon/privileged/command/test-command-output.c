/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/command/command-output.h"

#include <fcntl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/util.h"
#include "scratch.h"
#include "test.h"

/* Runs a script with its output in a pipe. What is passed on goes to @passed_fd instead of standard error. */
static void run(CommandOutput *output, const char *script, int passed_fd, int *ret_stderr) {
        _cleanup_(closep) int pid_fd = -EBADF;
        int write_fd, status;
        pid_t pid;

        *ret_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        assert_true(*ret_stderr >= 0 && dup2(passed_fd, STDERR_FILENO) >= 0);
        assert_ok(command_output_open(output, &write_fd));
        pid = fork();
        if (pid == 0) {
                (void) dup2(write_fd, STDOUT_FILENO);
                (void) dup2(write_fd, STDERR_FILENO);
                (void) execl("/bin/sh", "sh", "-c", script, NULL);
                _exit(127);
        }
        (void) close(write_fd);
        pid_fd = pidfd_open(pid, 0);
        assert_true(pid_fd >= 0);
        command_output_until_exit(output, pid_fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void restore(int saved_stderr) {
        (void) dup2(saved_stderr, STDERR_FILENO);
        (void) close(saved_stderr);
}

static void read_all(int fd, char *text, size_t size) {
        ssize_t n = pread(fd, text, size - 1, 0);

        assert_true(n >= 0);
        text[n] = '\0';
}

static void test_what_is_kept(void **state) {
        static const struct {
                const char *script, *end, *passed_on;
        } cases[] = {
                { "exit 1", "", "" },
                { "echo out; echo err >&2", "out\nerr\n", "out\nerr\n" },
                { "printf 'a\\033\\377b'", "a\033\377b", "a\033\377b" },
                { "printf no-newline", "no-newline", "no-newline" },
        };
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(closep) int passed = open(scratch_path(&s, "passed"),
                                                    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                CommandOutput output;
                char text[64];
                int saved;

                run(&output, cases[i].script, passed, &saved);
                restore(saved);
                assert_true(output.fd < 0);     /* nobody has the other end any more */
                assert_string_equal(output.end, cases[i].end);
                read_all(passed, text, sizeof(text));
                assert_string_equal(text, cases[i].passed_on);
                command_output_close(&output);
        }
}

/* Far more than a pipe holds: all of it is passed on, and the end is kept. */
static void test_a_lot(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(closep) int passed = -EBADF;
        CommandOutput output;
        int saved;

        scratch_open(&s);
        passed = open(scratch_path(&s, "passed"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        run(&output, "i=0; while [ $i -lt 20000 ]; do echo 123456789; i=$((i+1)); done; printf LAST", passed,
            &saved);
        command_output_until_closed(&output);
        restore(saved);
        assert_int_equal(lseek(passed, 0, SEEK_END), 200004);
        assert_int_equal(strlen(output.end), LOADER_TEXT_MAX - 1);
        assert_string_equal(output.end + strlen(output.end) - 7, "89\nLAST");
}

/* The command is over when its shell is; what it left behind is read until it ends, and does not get SIGPIPE. */
static void test_left_behind(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(closep) int passed = -EBADF;
        _cleanup_(freep) char *script = NULL;
        CommandOutput output;
        char text[64];
        int saved, fifo;

        scratch_open(&s);
        passed = open(scratch_path(&s, "passed"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(mkfifo(scratch_path(&s, "go"), 0600), 0);
        assert_true(asprintf(&script, "echo first; (read go < %s; echo second; echo third) &",
                             scratch_path(&s, "go")) > 0);
        run(&output, script, passed, &saved);
        assert_string_equal(output.end, "first\n");
        assert_true(output.fd >= 0);

        fifo = open(scratch_path(&s, "go"), O_WRONLY | O_CLOEXEC);
        assert_true(fifo >= 0 && write(fifo, "x\n", 2) == 2);
        (void) close(fifo);
        command_output_until_closed(&output);
        restore(saved);
        assert_true(output.fd < 0);
        read_all(passed, text, sizeof(text));
        assert_string_equal(text, "first\nsecond\nthird\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_kept),
                cmocka_unit_test(test_a_lot),
                cmocka_unit_test(test_left_behind),
        };

        return RUN_TESTS(tests);
}
