/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

/*
 * Rtnetlink: asks the kernel about interfaces and routes of the network name space that a socket was made in,
 * rtnetlink(7). libsystemd keeps its own to itself, and three requests are not worth another library.
 */

/* @message: complete; borrowed. Return: 0; negative errno, which ends it. */
typedef int (*rtnetlink_message_t)(const struct nlmsghdr *message, void *userdata);

int rtnetlink_open(void);
int rtnetlink_ask(int fd, struct nlmsghdr *request, rtnetlink_message_t on_message, void *userdata);

const struct rtattr *rtnetlink_attribute(const struct nlmsghdr *message, size_t header_size,
                                         unsigned short type);
const struct rtattr *rtnetlink_nested(const struct rtattr *outer, unsigned short type);
const char *rtnetlink_string(const struct rtattr *attribute);
