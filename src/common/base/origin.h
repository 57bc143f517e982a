/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

typedef enum RequestOrigin {            /* where a request comes from; names are those of the varlink enum Origin */
        ORIGIN_DEVICE,
        ORIGIN_KERNEL,
        ORIGIN_CLIENT,
        ORIGIN_BOOT,                    /* also what was there before lkmd started */
        ORIGIN_CONTAINER,               /* through the broker's socket */
        /* What lkmd is not asked about: it was done without lkmd, and is written down. No policy matches it. */
        ORIGIN_FOREIGN,
        ORIGIN_INITRAMFS,
        ORIGIN_IDLE,                    /* lkmd itself removes what is not used any more */
        _ORIGIN_MAX,
        _ORIGIN_ASKED_MAX = ORIGIN_FOREIGN,
        _ORIGIN_INVALID = -EINVAL,
} RequestOrigin;

const char *request_origin_to_string(RequestOrigin origin);
RequestOrigin request_origin_from_string(const char *s);
