/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelUevent: the netlink socket of the kernel's uevents, and what a message says. Owns nothing.
 *
 * Not by libudev: since systemd 258.6 it has opinions on what a property may be. Control characters or bytes that are
 * no UTF-8, as in the names that some mice, keyboards and eMMC cards give themselves, make it leave out the property,
 * in some versions the whole event, and the device would have no driver. Here they are bytes.
 */

#include "daemon/devices/kernel-uevent.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "common/base/util.h"

#define KERNEL_GROUP 1U                 /* of NETLINK_KOBJECT_UEVENT; udev sends to 2 */

/**
 * kernel_uevent_listen() - open a socket that gets all uevents of the kernel from now on
 *
 * Return: a non-blocking file descriptor; what socket(2) and bind(2) say.
 */
int kernel_uevent_listen(void) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
        _cleanup_(closep) int fd = -EBADF;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return STEAL_FD(fd);
}

/**
 * kernel_uevent_set_buffer() - how much of what has not been read is kept
 *
 * Return: 0; -EPERM: it is net.core.rmem_max now, since more takes CAP_NET_ADMIN; what setsockopt(2) says.
 */
int kernel_uevent_set_buffer(int fd, size_t bytes) {
        int size = (int) MIN(bytes, (size_t) INT_MAX), is = 0;
        socklen_t length = sizeof(is);

        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) >= 0)
                return 0;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &is, &length) < 0)
                return -errno;
        return is < size ? -EPERM : 0;
}

/* Nothing of an assignment counts behind a line break: a value must not become a property of its own. */
static void cut_lines(char *text, size_t size) {
        for (char *end = text + size; text < end; text += strlen(text) + 1) {
                char *rest = strchr(text, '\n');

                if (rest)
                        memset(rest, '\0', strlen(rest));
        }
}

static const char *find_value(const char *text, size_t size, const char *key) {
        const char *value = NULL;

        for (const char *end = text + size; text < end; text += strlen(text) + 1)
                if (startswith(text, key))
                        value = text + strlen(key);
        return value;
}

/**
 * kernel_uevent_parse() - what the message in @u->text says
 * @size: its bytes, at most KERNEL_UEVENT_MAX; assignments, each ended by a NUL
 *
 * Return: 0 with all the rest of @u; -EBADMSG: it lacks an action or a path.
 */
int kernel_uevent_parse(KernelUevent *u, size_t size) {
        const char *value;
        size_t length;

        assert(u && size <= KERNEL_UEVENT_MAX);

        u->text[size] = '\0';
        cut_lines(u->text, size);
        value = find_value(u->text, size, "SEQNUM=");
        u->seqnum = value ? strtoull(value, NULL, 10) : 0;
        value = find_value(u->text, size, "DEVPATH=");
        length = value ? strlen(value) : 0;
        if (length == 0 || value[0] != '/' || length >= sizeof(u->device))
                return -EBADMSG;
        memcpy(u->device, value, length + 1);

        u->facts = (DeviceFacts) {};
        device_facts_parse(&u->facts, u->text, size);
        return u->facts.action ? 0 : -EBADMSG;
}

/**
 * kernel_uevent_receive() - take the next message from the socket
 *
 * Return: 0; -EAGAIN: there is none; -ENOBUFS: some were lost; -EBADMSG: this one is not from the kernel, too long,
 * or not a uevent; what recvmsg(2) says.
 */
int kernel_uevent_receive(int fd, KernelUevent *ret) {
        struct sockaddr_nl sender = {};
        struct iovec memory = { .iov_base = ret->text, .iov_len = sizeof(ret->text) - 1 };
        struct msghdr message = {
                .msg_name = &sender,
                .msg_namelen = sizeof(sender),
                .msg_iov = &memory,
                .msg_iovlen = 1,
        };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

        if (n < 0)
                return -errno;
        /* others than the kernel have a port; only who has CAP_NET_ADMIN can send at all */
        if (sender.nl_family != AF_NETLINK || sender.nl_pid != 0 || (message.msg_flags & MSG_TRUNC))
                return -EBADMSG;
        return kernel_uevent_parse(ret, (size_t) n);
}
