/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/device/device-facts.h"

/* Bytes of a message; the kernel's own limit is 2048, UEVENT_BUFFER_SIZE, and a path. */
#define KERNEL_UEVENT_MAX 8192U

/* KernelUevent: one message of the kernel, and its memory. Do not copy it: the facts point into it. */
typedef struct KernelUevent {
        char text[KERNEL_UEVENT_MAX + 1];
        char device[PATH_MAX];          /* below /sys */
        uint64_t seqnum;                /* 0: it has none */
        DeviceFacts facts;
} KernelUevent;

int kernel_uevent_listen(void);
int kernel_uevent_set_buffer(int fd, size_t bytes);
int kernel_uevent_receive(int fd, KernelUevent *ret);
int kernel_uevent_parse(KernelUevent *u, size_t size);
