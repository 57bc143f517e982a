/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderPacket: see loader-packet.h. Nothing here waits. Owns nothing. */

#include "daemon/engine/loader-packet.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/util.h"

#define BUFFER_SIZE (1024 * 1024)       /* room for LOADER_THREADS_MAX requests, so that send(2) need not wait */

/* Return: a connected socket; -ENAMETOOLONG; what connect(2) says. */
int loader_packet_connect(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;
        int size = BUFFER_SIZE;

        assert(path);

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) stpcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return STEAL_FD(fd);
}

static int copy_field(char *to, size_t size, const char *from) {
        if (!from)
                from = "";
        if (strlen(from) >= size)
                return -E2BIG;
        (void) stpcpy(to, from);
        return 0;
}

/* Return: 0; -E2BIG if a string does not fit. */
int loader_packet_make(LoaderRequest *ret, const LoaderOrder *order) {
        assert(ret && order);

        *ret = (LoaderRequest) {
                .magic = LOADER_MAGIC, .op = order->op, .id = order->id, .flags = order->flags
        };
        if (copy_field(ret->module, sizeof(ret->module), order->module) < 0 ||
            copy_field(ret->path, sizeof(ret->path), order->path) < 0)
                return -E2BIG;
        if (order->words)
                ret->words = *order->words;
        return 0;
}

/* @client_fd: sent along with LOADER_HAS_CLIENT. Return: 0; -EAGAIN if the socket is full; what sendmsg(2) says. */
int loader_packet_send(int fd, const LoaderRequest *request, int client_fd) {
        union {
                struct cmsghdr header;  /* for its alignment */
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec iov = { .iov_base = (void *) request,
                             .iov_len = LOADER_REQUEST_SIZE(request->words.n_origins) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (request->flags & LOADER_HAS_CLIENT) {
                (void) memcpy(CMSG_DATA(&control.header), &client_fd, sizeof(int));
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
        }
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/**
 * loader_packet_receive() - take one reply
 *
 * Return: 0; -EAGAIN: there is none; -EPROTO: the other end speaks another version of the protocol; -ECONNRESET: it
 * hung up, or what it says makes no sense.
 */
int loader_packet_receive(int fd, LoaderReply *ret) {
        ssize_t n;

        assert(ret);

        n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return -EAGAIN;
        if (n >= (ssize_t) sizeof(ret->magic) && ret->magic != LOADER_MAGIC &&
            ((ret->magic ^ LOADER_MAGIC) & LOADER_MAGIC_FAMILY) == 0)
                return -EPROTO;
        if (n != sizeof(*ret) || ret->magic != LOADER_MAGIC)
                return -ECONNRESET;
        ret->text[sizeof(ret->text) - 1] = '\0';
        return 0;
}

/* @ret: its output is that of @reply. */
void loader_packet_outcome(const LoaderReply *reply, LoaderOutcome *ret) {
        assert(reply && ret);

        *ret = (LoaderOutcome) {
                .id = reply->id,
                .error = reply->error,
                .refusal = reply->refusal < _LOADER_REFUSAL_MAX ? reply->refusal : LOADER_NOT_REFUSED,
                .wait_status = reply->wait_status,
                .output = reply->text,
                .duration_usec = reply->duration_usec,
        };
}
