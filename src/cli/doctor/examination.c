/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Examination: the table of the checks. Owns nothing. */

#include "cli/doctor/examination.h"

#include <assert.h>

#include "cli/doctor/checks.h"

static const struct {
        const char *name;               /* up to 16 characters */
        check_t check;
} checks[] = {
        { "lkmd", check_lkmd },
        { "udev", check_udev },
        { "kernel.modprobe", check_kernel_modprobe },
        { "gate", check_gate },
        { "modprobe", check_modprobe },
        { "boot lists", check_lists },
        { "command line", check_command_line },
        { "policy", check_policy },
        { "watching", check_watching },
        { "module index", check_index },
        { "initramfs", check_images },
        { "loaded modules", check_stale },
        { "kernel", check_kernel },
        { "leftovers", check_leftovers },
};

/**
 * doctor_examine() - do all checks
 * @ret: to be cleared, also after a failure
 *
 * Return: 0; negative errno.
 */
int doctor_examine(const Doctor *d, Diagnoses *ret) {
        int r = 0;

        assert(d && ret);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(checks); i++) {
                ret->check = checks[i].name;
                r = checks[i].check(d, ret);
                if (r < 0 && r != -ENOMEM)
                        r = diagnoses_add(ret, DIAGNOSIS_UNKNOWN,
                                          geteuid() != 0 ? "sudo lkmctl doctor" : NULL,
                                          "it could not be looked at: %s", strerror(-r));
        }
        return r;
}
