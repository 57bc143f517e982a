/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RootReader: the manager's end of the connection to lkmd-reader, and the helper of FileAccess. The connection is made
 * at the first file that lkmd may not read, which starts the reader, and kept.
 *
 * Reading files is synchronous, and so is this, but not without bounds: a reader that does not answer in time, or
 * cannot be reached, is not asked again before it is likely to be well, so that it costs the event loop one wait. What
 * could not be read meanwhile is an error of whoever wanted to read it. Owns the connection and the timer.
 */

#include "daemon/base/root-reader.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/clock.h"
#include "common/base/file-access.h"
#include "daemon/base/log.h"
#include "daemon/privileged/reader/reader-protocol.h"

#define START_USEC (10U * 1000U * 1000U) /* for the first answer: systemd starts the reader */
#define ANSWER_USEC (2U * 1000U * 1000U)
#define RETRY_MIN_USEC (1U * 1000U * 1000U)
#define RETRY_MAX_USEC (60U * 1000U * 1000U)

struct RootReader {
        char *address;
        int fd;
        bool answered;                  /* on this connection */
        bool in_trouble;                /* until the timer */
        uint64_t retry_usec;
        sd_event_source *timer;
        root_reader_retry_t retry;
        void *userdata;
};

static void disconnect(RootReader *r) {
        closep(&r->fd);
        r->fd = -EBADF;
        r->answered = false;
}

static int connect_reader(RootReader *r) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;

        if (r->fd >= 0)
                return 0;
        if (strlen(r->address) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) stpcpy(address.sun_path, r->address);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        r->fd = STEAL_FD(fd);
        return 0;
}

typedef union Control {
        struct cmsghdr header;          /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
} Control;

static int send_request(int fd, const char *path, int watch_fd) {
        ReaderRequest request = { .magic = READER_MAGIC, .flags = watch_fd >= 0 ? READER_WATCH : 0 };
        Control control = { .header = { .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec iov = { .iov_base = &request, .iov_len = sizeof(request) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        (void) stpcpy(request.path, path);
        if (watch_fd >= 0) {
                (void) memcpy(CMSG_DATA(&control.header), &watch_fd, sizeof(int));
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
        }
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int wait_for_answer(int fd, uint64_t usec) {
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + usec;

        for (;;) {
                uint64_t now = clock_usec(CLOCK_MONOTONIC);
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int r;

                r = poll(&p, 1, (int) ((MAX(end, now) - now) / 1000U));
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
        }
}

/* Return: 0 with the reader's answer, an error or a descriptor, in *ret; why there is none. */
static int receive_answer(int fd, int *ret) {
        ReaderReply reply;
        Control control = {};
        struct iovec iov = { .iov_base = &reply, .iov_len = sizeof(reply) };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes) };
        _cleanup_(closep) int file_fd = -EBADF;
        const struct cmsghdr *c;
        ssize_t n;

        n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
                (void) memcpy(&file_fd, CMSG_DATA(c), sizeof(int));
        if (n >= (ssize_t) sizeof(reply.magic) && reply.magic != READER_MAGIC &&
            ((reply.magic ^ READER_MAGIC) & READER_MAGIC_FAMILY) == 0)
                return -EPROTO;
        if (n != sizeof(reply) || reply.magic != READER_MAGIC || (reply.error == 0) != (file_fd >= 0))
                return n == 0 ? -ECONNRESET : -EBADMSG;
        *ret = reply.error < 0 ? reply.error : STEAL_FD(file_fd);
        return 0;
}

static int ask(RootReader *r, const char *path, int watch_fd, int *ret) {
        int q;

        q = connect_reader(r);
        if (q >= 0)
                q = send_request(r->fd, path, watch_fd);
        if (q >= 0)
                q = wait_for_answer(r->fd, r->answered ? ANSWER_USEC : START_USEC);
        return q >= 0 ? receive_answer(r->fd, ret) : q;
}

static void enter_trouble(RootReader *r, int error) {
        if (r->retry_usec == RETRY_MIN_USEC) /* once */
                log_warning(
                        "lkmd-reader, which opens what only root may read, %s",
                        error == -ETIMEDOUT ? "does not answer: systemctl restart lkmd-reader.socket"
                        : error == -EPROTO
                                ? "is of another version than lkmd, since one of them was replaced while the "
                                  "other one ran: systemctl restart lkmd"
                        : error == -ENOENT || error == -ECONNREFUSED
                                ? "cannot be reached, its socket is not there: systemctl restart lkmd-reader.socket"
                                : "ends as soon as it is started: systemctl restart lkmd-reader.socket");
        r->in_trouble = true;
        if (sd_event_source_set_time_relative(r->timer, r->retry_usec) >= 0)
                (void) sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
        r->retry_usec = MIN(2U * r->retry_usec, (uint64_t) RETRY_MAX_USEC);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        RootReader *r = userdata;

        r->in_trouble = false;
        r->retry(r->userdata);
        return 0;
}

/* The helper of FileAccess. Of the reader's errors those count that say that there is no such file. */
static int open_as_root(const char *path, int watch_fd, void *userdata) {
        RootReader *r = userdata;
        int q, answer = -EACCES;

        if (r->in_trouble || strlen(path) >= PATH_MAX)
                return -EACCES;
        q = ask(r, path, watch_fd, &answer);
        if (q == -ECONNRESET || q == -EPIPE) { /* it was stopped since the last question */
                disconnect(r);
                q = ask(r, path, watch_fd, &answer);
        }
        if (q < 0) {
                disconnect(r);
                enter_trouble(r, q);
                return -EACCES;
        }
        r->answered = true;
        r->retry_usec = RETRY_MIN_USEC;
        return answer >= 0 || answer == -ENOENT || answer == -ENOTDIR || answer == -ELOOP ? answer : -EACCES;
}

/**
 * root_reader_new() - from now on FileAccess can read what only root may
 * @address: of the reader's socket, copied
 * @retry:   called when lkmd-reader may be well again, from the event loop
 *
 * Return: 0; -ENOMEM; what sd_event_add_time(3) says.
 */
int root_reader_new(RootReader **ret, sd_event *event, const char *address, root_reader_retry_t retry,
                    void *userdata) {
        _cleanup_(root_reader_freep) RootReader *r = NULL;
        int q;

        assert(ret && event && address && retry);

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        *r = (RootReader) {
                .fd = -EBADF, .retry_usec = RETRY_MIN_USEC, .retry = retry, .userdata = userdata
        };
        r->address = strdup(address);
        if (!r->address)
                return -ENOMEM;
        q = sd_event_add_time(event, &r->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, r);
        if (q < 0)
                return q;
        (void) sd_event_source_set_description(r->timer, "reader-retry");
        q = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        if (q < 0)
                return q;

        file_access_set_helper(open_as_root, r);
        *ret = STEAL_PTR(r);
        return 0;
}

/* Has lkmd-reader failed to answer, and not been asked since? */
bool root_reader_is_in_trouble(const RootReader *r) {
        assert(r);

        return r->in_trouble;
}

/* Return: NULL. */
RootReader *root_reader_free(RootReader *r) {
        if (!r)
                return NULL;

        file_access_set_helper(NULL, NULL);
        disconnect(r);
        sd_event_source_disable_unref(r->timer);
        free(r->address);
        free(r);
        return NULL;
}
