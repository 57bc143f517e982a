/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Command: runs an install or remove line of modprobe.d, as modprobe would from a root shell: without a sandbox, in
 * the name spaces of the system, with all rights. What is run, root wrote; the manager only names the module. One
 * process, one connection, one request: a command that hangs holds up nothing, and the next one is run by the
 * program that is on the disk by then.
 *
 * Nothing here kills a command, and the signals by which the service is stopped are ignored. Borrows the connection.
 */

#include "daemon/privileged/command/command.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/util.h"
#include "daemon/privileged/command/command-insert.h"
#include "daemon/privileged/command/command-left.h"
#include "daemon/privileged/command/command-line.h"
#include "daemon/privileged/command/command-output.h"
#include "daemon/privileged/request/loader-request.h"

typedef struct Command {
        int fd;                         /* of the manager, borrowed */
        LoaderRequest request;
        LoaderRefusal refusal;
        int wait_status;
        CommandOutput output;
} Command;

/* The manager may be gone, which changes nothing. */
static void answer(const Command *c, const LoaderReply *reply) {
        (void) send(c->fd, reply, sizeof(*reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell_process(const Command *c, pid_t pid) {
        answer(c, &(LoaderReply) {
                          .magic = LOADER_MAGIC, .id = c->request.id, .op = LOADER_LOOK, .thread_id = pid });
}

/* As in a root shell. */
static void reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < SIGRTMIN; i++)
                (void) signal(i, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The environment is what the kernel gives to modprobe (kernel/module/kmod.c), and what modprobe adds. */
static pid_t start_command(const char *command, const char *module, int output_fd) {
        char variable[sizeof("MODPROBE_MODULE=") + MODULE_NAME_MAX];
        char home[] = "HOME=/", term[] = "TERM=linux",
             path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = { home, term, path, variable, NULL };
        pid_t pid;

        (void) snprintf(variable, sizeof(variable), "MODPROBE_MODULE=%s", module);
        pid = fork();
        if (pid == 0) {
                (void) dup2(output_fd, STDOUT_FILENO);
                (void) dup2(output_fd, STDERR_FILENO);
                reset_signals();
                (void) execle("/bin/sh", "sh", "-c", command, NULL, environment);
                _exit(127);
        }
        return pid < 0 ? -errno : pid;
}

/* Return: 0; -ECANCELED: it failed; another negative errno: it could not be started. */
static int run_command(Command *c, const char *command) {
        _cleanup_(closep) int pid_fd = -EBADF;
        int output_fd, r;
        pid_t pid;

        r = command_output_open(&c->output, &output_fd);
        if (r < 0)
                return r;
        pid = start_command(command, c->request.module, output_fd);
        (void) close(output_fd);
        if (pid < 0)
                return pid;
        tell_process(c, pid);
        pid_fd = pidfd_open(pid, 0);
        if (pid_fd >= 0)
                command_output_until_exit(&c->output, pid_fd);
        else                            /* no descriptor is left: it must not wait for a reader */
                command_output_close(&c->output);
        while (waitpid(pid, &c->wait_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(c->wait_status) && WEXITSTATUS(c->wait_status) == 0 ? 0 : -ECANCELED;
}

static int carry_out(Command *c) {
        _cleanup_(freep) char *command = NULL;
        int r;

        if (c->request.op == LOADER_INSERT) {
                tell_process(c, getpid());
                return command_insert(&c->request, &c->refusal);
        }
        if (c->request.op != LOADER_INSTALL_COMMAND && c->request.op != LOADER_REMOVE_COMMAND)
                return -EOPNOTSUPP;
        r = command_line_find(&c->request, &command, &c->refusal);
        return r < 0 ? r : run_command(c, command);
}

/* Return: as loader_receive(). The manager sends its request as soon as it has connected. */
static int wait_for_request(Command *c, int *ret_client_fd) {
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        size_t size;
        int r;

        do {
                if (poll(&p, 1, -1) < 0 && errno != EINTR)
                        return 0;
                r = loader_receive(c->fd, &c->request, &size, ret_client_fd);
        } while (r == -EAGAIN);
        return r;
}

/**
 * command_serve() - take one request, carry it out, answer
 * @fd: connection of the manager, borrowed
 *
 * It stays for what processes write that the command left behind: without a reader they would be killed.
 *
 * Return: 0, also when the command failed, which the answer says.
 */
int command_serve(int fd) {
        static Command c;
        _cleanup_(closep) int client_fd = -EBADF;
        uint64_t start;
        LoaderReply reply;

        assert(fd >= 0);

        c = (Command) { .fd = fd, .output = COMMAND_OUTPUT_NONE };
        (void) signal(SIGTERM, SIG_IGN); /* before the command is there */
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        if (wait_for_request(&c, &client_fd) <= 0)
                return 0;

        start = clock_usec(CLOCK_MONOTONIC);
        reply = (LoaderReply) { .magic = LOADER_MAGIC, .id = c.request.id, .op = c.request.op };
        reply.error = loader_request_prove(loader_places(), &c.request, client_fd, &c.refusal);
        closep(&client_fd);             /* before what may never end: the client waits for its closing */
        client_fd = -EBADF;
        if (reply.error >= 0)
                reply.error = carry_out(&c);
        reply.refusal = c.refusal;
        reply.wait_status = c.wait_status;
        (void) memcpy(reply.text, c.output.end, sizeof(reply.text));
        reply.duration_usec = clock_usec(CLOCK_MONOTONIC) - start;
        answer(&c, &reply);
        (void) shutdown(fd, SHUT_RDWR);
        if (c.request.op != LOADER_INSERT)
                command_left_report(c.request.module);
        command_output_until_closed(&c.output);
        return 0;
}
