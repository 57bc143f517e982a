/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderRequest: see loader-request.h. What a request of each operation may have is a table here; which operations a
 * program carries out, it knows itself. Owns nothing.
 */

#include "daemon/privileged/request/loader-request.h"

#include <assert.h>
#include <sys/socket.h>

#include "common/base/util.h"

/* The characters of module names; others could have a meaning in modprobe.d. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+,.@"

typedef struct Shape {
        uint32_t flags;                 /* LOADER_* that are allowed */
        bool has_module, has_path;      /* required; a path is absolute */
        bool may_have_words;
} Shape;

static const Shape shapes[_LOADER_OP_MAX] = {
        [LOADER_INSERT] = {
                .flags = LOADER_FORCE_VERMAGIC | LOADER_FORCE_MODVERSIONS | LOADER_HAS_CLIENT,
                .has_module = true,
                .has_path = true,
                .may_have_words = true,
        },
        [LOADER_REMOVE] = {
                .flags = LOADER_FORCE_REMOVAL | LOADER_HAS_CLIENT,
                .has_module = true,
        },
        [LOADER_INSTALL_COMMAND] = {
                .flags = LOADER_HAS_CLIENT,
                .has_module = true,
                .may_have_words = true,
        },
        [LOADER_REMOVE_COMMAND] = {
                .has_module = true,
        },
};

static bool is_terminated(const char *s, size_t size) {
        return memchr(s, '\0', size) != NULL;
}

/**
 * loader_check_request() - is this packet a valid request?
 * @size: bytes that were received
 *
 * Return: 0; -EBADMSG for anything that a manager of this build does not send.
 */
int loader_check_request(const LoaderRequest *request, size_t size) {
        const Shape *shape;

        assert(request);

        if (size < LOADER_REQUEST_SIZE(0) || size > sizeof(*request) || request->magic != LOADER_MAGIC ||
            size != LOADER_REQUEST_SIZE(request->words.n_origins))
                return -EBADMSG;
        if (request->op < LOADER_INSERT || request->op >= _LOADER_OP_MAX)
                return -EBADMSG;
        shape = shapes + request->op;
        if (request->reserved != 0 || (request->flags & ~shape->flags))
                return -EBADMSG;
        if (!is_terminated(request->module, sizeof(request->module)) ||
            !is_terminated(request->path, sizeof(request->path)))
                return -EBADMSG;
        if ((request->module[0] != '\0') != shape->has_module || request->module[0] == '.' ||
            request->module[strspn(request->module, NAME_LETTERS)] != '\0')
                return -EBADMSG;
        if (shape->has_path && request->path[0] != '/')
                return -EBADMSG;
        if (request->words.n_origins > 0 &&
            !(shape->may_have_words && loader_words_are_sound(&request->words)))
                return -EBADMSG;
        return 0;
}

/*
 * Receives the packet that was checked, and a descriptor if one belongs to it. There is room for one, and the
 * kernel drops the rest. Return: 0; what recvmsg(2) says.
 */
static int receive_checked(int fd, LoaderRequest *request, int *ret_client_fd) {
        union {
                struct cmsghdr header; /* for its alignment */
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = CMSG_LEN(sizeof(int)), /* CMSG_SPACE() would have room for two */
        };
        const struct cmsghdr *c;
        ssize_t n;

        if (!(request->flags & LOADER_HAS_CLIENT)) {
                message.msg_control = NULL; /* then the kernel drops all of it */
                message.msg_controllen = 0;
        }
        n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
                (void) memcpy(ret_client_fd, CMSG_DATA(c), sizeof(int));
        return 0;
}

/* Says why the connection ends: to whoever reads the journal, and to a manager of another version. */
static void turn_away(int fd, LoaderRequest *request, size_t n) {
        const uint32_t magic = LOADER_MAGIC;
        bool is_version = n >= sizeof(magic) && request->magic != LOADER_MAGIC &&
                          ((request->magic ^ LOADER_MAGIC) & LOADER_MAGIC_FAMILY) == 0;

        if (is_version) {
                fprintf(stderr,
                        "%s: lkmd speaks version %u of the protocol, and this program %u: it was replaced while the other "
                        "one ran, so restart both: systemctl restart lkmd lkmd-loader\n",
                        program_invocation_short_name, request->magic & ~LOADER_MAGIC_FAMILY,
                        LOADER_MAGIC & ~LOADER_MAGIC_FAMILY);
                (void) send(fd, &magic, sizeof(magic), MSG_NOSIGNAL | MSG_DONTWAIT);
        } else
                fprintf(stderr, "%s: malformed request of %zu bytes, closing the connection\n",
                        program_invocation_short_name, n);
        (void) recv(fd, request, sizeof(*request), MSG_DONTWAIT);
}

/**
 * loader_receive() - take one request, without waiting
 * @request:       zeros, or what was received last
 * @ret_client_fd: the caller's on success; left alone if there is none
 *
 * The packet is checked before it is received: an unexpected descriptor is never received, since closing it may take
 * as long as its owner likes.
 *
 * Return: 1: a request that loader_check_request() takes; 0: the manager hung up, or has to be hung up on; -EAGAIN:
 * there is none.
 */
int loader_receive(int fd, LoaderRequest *request, size_t *ret_size, int *ret_client_fd) {
        ssize_t n;

        assert(fd >= 0 && request && ret_size && ret_client_fd);

        n = recv(fd, request, sizeof(*request), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
        if (n == 0)
                return 0;
        if (loader_check_request(request, (size_t) n) < 0) {
                turn_away(fd, request, (size_t) n);
                return 0;
        }
        if (receive_checked(fd, request, ret_client_fd) < 0)
                return 0;
        *ret_size = (size_t) n;
        return 1;
}

/**
 * loader_request_prove() - did root ask for what only root may ask for?
 * @client_fd: -EBADF: none; borrowed
 *
 * Return: 0; -EPERM with the reason; -ENOMEM.
 */
int loader_request_prove(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                         LoaderRefusal *ret_refusal) {
        int r;

        r = loader_force_check(places, request, client_fd, ret_refusal);
        return r < 0 ? r : loader_words_check(places, request, client_fd, ret_refusal);
}
