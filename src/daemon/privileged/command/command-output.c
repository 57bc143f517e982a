/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CommandOutput: see command-output.h. Owns the read end of the pipe. Runs in the thread of a request. */

#include "daemon/privileged/command/command-output.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>

#include "common/base/util.h"

#define PIPE_SIZE 65536U                /* pipe(7) */
#define CHUNK_SIZE 4096U

/**
 * command_output_open() - a pipe for one command
 * @ret_write_fd: for its standard output and error; closed on exec
 *
 * Return: 0; negative errno of pipe2(2).
 */
int command_output_open(CommandOutput *ret, int *ret_write_fd) {
        int fds[2];

        assert(ret && ret_write_fd);

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *ret = (CommandOutput) { .fd = fds[0] };
        *ret_write_fd = fds[1];
        (void) fcntl(fds[0], F_SETFL, O_NONBLOCK);
        return 0;
}

void command_output_close(CommandOutput *o) {
        closep(&o->fd);
        o->fd = -EBADF;
}

static void keep_end(CommandOutput *o, const char *bytes, size_t n) {
        size_t room = sizeof(o->end) - 1, kept = MIN(o->n_end, room - MIN(n, room));

        if (n > room) {
                bytes += n - room;
                n = room;
        }
        (void) memmove(o->end, o->end + o->n_end - kept, kept);
        (void) memcpy(o->end + kept, bytes, n);
        o->n_end = kept + n;
        o->end[o->n_end] = '\0';
}

/* The journal may be gone or stuck; the command must not be. */
static void pass_on(const char *bytes, size_t n) {
        while (n > 0) {
                ssize_t written = write(STDERR_FILENO, bytes, n);

                if (written <= 0)
                        return;
                bytes += written;
                n -= (size_t) written;
        }
}

/* Return: false: nothing is there to be read, now or ever. */
static bool take_some(CommandOutput *o) {
        char bytes[CHUNK_SIZE];
        ssize_t n = read(o->fd, bytes, sizeof(bytes));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n <= 0) {
                command_output_close(o);
                return false;
        }
        pass_on(bytes, (size_t) n);
        keep_end(o, bytes, (size_t) n);
        return true;
}

/**
 * command_output_until_exit() - pass on what is written until a process exits
 * @pid_fd: as of pidfd_open(2)
 *
 * What it wrote before that is passed on, also if a process that it left behind goes on writing.
 */
void command_output_until_exit(CommandOutput *o, int pid_fd) {
        assert(o && o->fd >= 0 && pid_fd >= 0);

        for (;;) {
                struct pollfd fds[] = { { .fd = o->fd, .events = POLLIN },
                                        { .fd = pid_fd, .events = POLLIN } };

                if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
                        break;
                if (fds[1].revents)
                        break;
                if (fds[0].revents)
                        (void) take_some(o);
        }
        for (size_t n = 0; o->fd >= 0 && n < PIPE_SIZE / CHUNK_SIZE && take_some(o); n++)
                ;
}

/* Pass on what processes write that the command left behind. Without a reader they would be killed. */
void command_output_until_closed(CommandOutput *o) {
        assert(o);

        while (o->fd >= 0) {
                struct pollfd fds[] = { { .fd = o->fd, .events = POLLIN } };

                if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
                        command_output_close(o);
                else if (fds[0].revents)
                        (void) take_some(o);
        }
}
