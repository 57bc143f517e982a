/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Origin: where requests come from, as policies and the records of the ledger have it. */

#include "common/base/origin.h"

#include "common/base/enum-names.h"

static const char *const origin_names[_ORIGIN_MAX] = {
        [ORIGIN_DEVICE] = "device",
        [ORIGIN_KERNEL] = "kernel",
        [ORIGIN_CLIENT] = "client",
        [ORIGIN_BOOT] = "boot",
        [ORIGIN_CONTAINER] = "container",
        [ORIGIN_FOREIGN] = "foreign",
        [ORIGIN_INITRAMFS] = "initramfs",
        [ORIGIN_IDLE] = "idle",
};

const char *request_origin_to_string(RequestOrigin origin) {
        return ENUM_NAME(origin_names, origin);
}

RequestOrigin request_origin_from_string(const char *s) {
        return (RequestOrigin) ENUM_VALUE(origin_names, s);
}
