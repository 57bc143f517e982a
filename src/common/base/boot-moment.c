/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* BootMoment: see boot-moment.h. Owns nothing. */

#include "common/base/boot-moment.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/util.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

/**
 * boot_moment_now() - now, by the clock that goes on during suspend and that nobody can set
 *
 * If the id of the boot cannot be read, it is empty, and equals no other.
 */
void boot_moment_now(BootMoment *ret) {
        _cleanup_(closep) int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);

        assert(ret);

        *ret = (BootMoment) {};
        if (fd < 0 || read(fd, ret->id, BOOT_ID_SIZE - 1) != BOOT_ID_SIZE - 1)
                memset(ret->id, 0, sizeof(ret->id));
        ret->usec = clock_usec(CLOCK_BOOTTIME);
}
