/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where requests come from: policies speak of it, and every record of the ledger. */

#include "common/origin.h"

#include "common/util.h"

static const char *const origin_names[_ORIGIN_MAX] = {
        [ORIGIN_DEVICE] = "device",
        [ORIGIN_KERNEL] = "kernel",
        [ORIGIN_CLIENT] = "client",
        [ORIGIN_BOOT] = "boot",
};

const char *request_origin_to_string(RequestOrigin origin) {
        return origin >= 0 && origin < _ORIGIN_MAX ? origin_names[origin] : NULL;
}

RequestOrigin request_origin_from_string(const char *s) {
        for (RequestOrigin o = 0; o < _ORIGIN_MAX; o++)
                if (streq_ptr(s, origin_names[o]))
                        return o;
        return _ORIGIN_INVALID;
}
