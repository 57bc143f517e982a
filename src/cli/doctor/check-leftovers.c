/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_leftovers(): what of lkmd still acts, though it does not run? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "common/base/paths.h"

#define LKMD_PROGRAM "/usr/sbin/lkmd"

static const struct {
        const char *path, *meaning, *command;
} leftovers[] = {
        { LKMD_DENIED_CONF, "udev and modprobe deny what lkmd denied when it ended", "rm " LKMD_DENIED_CONF },
        { UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE, "udev reads a copy of its rule that lkmd made",
          "rm " UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE "; udevadm control --reload" },
};

/* While lkmd is only stopped, all of that is as it should be: it would be again at its start. */
int check_leftovers(const Doctor *d, Diagnoses *ret) {
        bool installed = doctor_has(d, LKMD_PROGRAM), any = false;
        int r = 0;

        assert(ret);

        if (doctor_lkmd_runs(d))
                return 0;
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(leftovers); i++) {
                if (!doctor_has(d, leftovers[i].path))
                        continue;
                any = true;
                r = diagnoses_add(ret, installed ? DIAGNOSIS_NOTE : DIAGNOSIS_REPAIR, leftovers[i].command,
                                  "%s: %s is there, though lkmd %s", leftovers[i].meaning, leftovers[i].path,
                                  installed ? "does not run" : "is not installed");
        }
        if (r >= 0 && !any)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL, "nothing of lkmd acts while it does not run");
        return r;
}
