/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "reader-bench.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/util.h"
#include "daemon/base/root-reader.h"
#include "daemon/privileged/reader/reader.h"
#include "must.h"

#define SOMEBODY 65534U
#define COMMAND_MAX 512U

static int commands_fd[2], done_fd[2];  /* commands for root; a byte for each that was run */

void reader_bench_mount(void) {
        static const char *const places[] = { "/etc/modprobe.d", "/etc/lkmd", "/etc/udev", "/lib/modules",
                                              READER_ELSEWHERE };

        MUST(unshare(CLONE_NEWNS) == 0);
        MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                (void) mkdir(places[i], 0755);
                MUST(mount("none", places[i], "tmpfs", 0, "mode=0755") == 0);
        }
}

void reader_bench_file(const char *path, const char *text, unsigned mode) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        MUST(fd >= 0);
        MUST(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
        MUST(fchmod(fd, mode) == 0);
        MUST(close(fd) == 0);
}

void reader_bench_directory(const char *path, unsigned mode) {
        MUST(mkdir(path, 0700) == 0);
        MUST(chmod(path, mode) == 0);
}

void reader_bench_link(const char *path, const char *target) {
        MUST(symlink(target, path) == 0);
}

static int listen_at(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        MUST(fd >= 0 && strlen(path) < sizeof(address.sun_path));
        (void) stpcpy(address.sun_path, path);
        (void) unlink(path);
        MUST(bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0);
        MUST(chmod(path, 0666) == 0);
        MUST(listen(fd, 8) == 0);
        return fd;
}

/* One connection after the other, until it is killed. */
static pid_t start_reader(int listen_fd) {
        pid_t pid = fork();

        MUST(pid >= 0);
        if (pid > 0)
                return pid;
        for (;;) {
                int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

                MUST(fd >= 0);
                (void) reader_serve(fd);
                (void) close(fd);
        }
}

static void on_retry(void *userdata) {}

static void run_as_somebody(void (*run)(void *event), const char *socket_path) {
        _cleanup_(root_reader_freep) RootReader *reader = NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;

        MUST(setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
        MUST(sd_event_new(&event) >= 0);
        MUST(root_reader_new(&reader, event, socket_path, on_retry, NULL) >= 0);
        run(event);
        MUST(!root_reader_is_in_trouble(reader));
}

void reader_bench_do(const char *command) {
        char text[COMMAND_MAX] = "", c;

        MUST(strlen(command) < sizeof(text));
        (void) stpcpy(text, command);
        MUST(write(commands_fd[1], text, sizeof(text)) == (ssize_t) sizeof(text));
        MUST(read(done_fd[0], &c, 1) == 1);
}

/* Until there is nobody any more who has commands. */
static void run_commands(void) {
        char command[COMMAND_MAX];

        while (read(commands_fd[0], command, sizeof(command)) == (ssize_t) sizeof(command)) {
                MUST(system(command) == 0); /* NOLINT(cert-env33-c): commands of the test's own */
                MUST(write(done_fd[1], "", 1) == 1);
        }
}

void reader_bench_run(void (*run)(void *event), const char *socket_path) {
        int listen_fd = listen_at(socket_path), status;
        pid_t reader = start_reader(listen_fd), pid;

        MUST(pipe2(commands_fd, O_CLOEXEC) == 0 && pipe2(done_fd, O_CLOEXEC) == 0);
        pid = fork();
        MUST(pid >= 0);
        if (pid == 0) {
                (void) close(done_fd[1]);
                run_as_somebody(run, socket_path);
                _exit(0);
        }
        (void) close(commands_fd[1]);
        run_commands();
        MUST(waitpid(pid, &status, 0) == pid);
        (void) close(commands_fd[0]);
        (void) close(done_fd[0]);
        (void) close(done_fd[1]);
        MUST(kill(reader, SIGKILL) == 0 && waitpid(reader, NULL, 0) == reader);
        (void) close(listen_fd);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
