/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/*
 * BootMoment: a point in time that nobody can set back: how long ago the machine started, and which start
 * that was.
 */
#define BOOT_ID_SIZE 37U                /* with the NUL */

typedef struct BootMoment {
        char id[BOOT_ID_SIZE];          /* of the boot; "": not known */
        uint64_t usec;                  /* CLOCK_BOOTTIME */
} BootMoment;

void boot_moment_now(BootMoment *ret);
