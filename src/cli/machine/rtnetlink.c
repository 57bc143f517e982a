/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rtnetlink: see rtnetlink.h. Owns nothing; the socket is the caller's. */

#include "cli/machine/rtnetlink.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/base/util.h"

#define REPLY_MAX ((size_t) 64 << 10)   /* bytes of one; the kernel sends 32 KiB at most, netlink_dump() */
#define REPLY_SEC 5                     /* nothing of it waits for devices */

/* Return: a socket; negative errno. */
int rtnetlink_open(void) {
        _cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval) { .tv_sec = REPLY_SEC },
                                 sizeof(struct timeval)) < 0)
                return -errno;
        return STEAL_FD(fd);
}

/* Return: 1: that was the last of it; 0: there is more; negative errno. */
static int take_message(const struct nlmsghdr *m, const struct nlmsghdr *request,
                        rtnetlink_message_t on_message, void *userdata) {
        bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
        int r;

        if (m->nlmsg_seq != request->nlmsg_seq)
                return 0;
        if (m->nlmsg_type == NLMSG_DONE)
                return 1;
        if (m->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *error = NLMSG_DATA(m);

                if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
                        return -EBADMSG;
                return error->error < 0 ? error->error : 1;
        }
        r = on_message(m, userdata);
        return r < 0 ? r : !dump;
}

/**
 * rtnetlink_ask() - send a request, and hear all of the answer
 * @request:    NLM_F_DUMP asks for all; the sequence number is filled in
 * @on_message: called for each message of the answer
 *
 * Return: 0; what @on_message or the kernel says; -EBADMSG.
 */
int rtnetlink_ask(int fd, struct nlmsghdr *request, rtnetlink_message_t on_message, void *userdata) {
        _cleanup_(freep) char *reply = malloc(REPLY_MAX);
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        int r = 0;

        assert(fd >= 0 && request && on_message);

        if (!reply)
                return -ENOMEM;
        request->nlmsg_flags |= NLM_F_REQUEST;
        request->nlmsg_seq = 1;
        if (sendto(fd, request, request->nlmsg_len, 0, (struct sockaddr *) &kernel, sizeof(kernel)) < 0)
                return -errno;

        while (r == 0) {
                ssize_t n = recv(fd, reply, REPLY_MAX, 0);
                struct nlmsghdr *m = (struct nlmsghdr *) reply;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EBADMSG;
                for (size_t left = (size_t) n; r == 0 && NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
                        r = take_message(m, request, on_message, userdata);
        }
        return r < 0 ? r : 0;
}

static const struct rtattr *find(const struct rtattr *a, size_t size, unsigned short type) {
        for (; RTA_OK(a, size); a = RTA_NEXT(a, size))
                if ((a->rta_type & NLA_TYPE_MASK) == type)
                        return a;
        return NULL;
}

/**
 * rtnetlink_attribute() - an attribute of a message
 * @header_size: bytes of the structure before the attributes, such as struct ifinfomsg
 *
 * Return: NULL: it has none of this type.
 */
const struct rtattr *rtnetlink_attribute(const struct nlmsghdr *message, size_t header_size,
                                         unsigned short type) {
        assert(message);

        if (message->nlmsg_len < NLMSG_SPACE(header_size))
                return NULL;
        return find((const struct rtattr *) ((const char *) message + NLMSG_SPACE(header_size)),
                    message->nlmsg_len - NLMSG_SPACE(header_size), type);
}

/* An attribute inside of another one. Return: NULL, also if @outer is. */
const struct rtattr *rtnetlink_nested(const struct rtattr *outer, unsigned short type) {
        return outer ? find(RTA_DATA(outer), RTA_PAYLOAD(outer), type) : NULL;
}

/* Return: NULL, also if @attribute is, or has no NUL at its end. */
const char *rtnetlink_string(const struct rtattr *attribute) {
        const char *text = attribute ? RTA_DATA(attribute) : NULL;
        size_t n = attribute ? RTA_PAYLOAD(attribute) : 0;

        return n > 0 && text[n - 1] == '\0' ? text : NULL;
}
