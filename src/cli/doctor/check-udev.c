/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_udev(): which 80-drivers.rules does udev read, and what follows from it? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "common/base/paths.h"

#define OWN "/" UDEV_AUTOLOAD_RULE
#define RELOAD "; udevadm control --reload"

static bool is_mask(const Doctor *d, const char *path) {
        _cleanup_(freep) char *text = NULL;
        char target[PATH_MAX];

        if (doctor_link(d, path, target) && streq(target, "/dev/null"))
                return true;
        return doctor_read(d, path, &text) >= 0 && text[0] == '\0';
}

/* One of the administrator's. */
static int on_own_file(const Doctor *d, const char *path, Diagnoses *ret) {
        _cleanup_(freep) char *command = NULL;

        if (asprintf(&command, "rm %s" RELOAD, path) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        if (!is_mask(d, path))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, command,
                                     "udev does what %s says, in the place of its own rule and of lkmd's",
                                     path);
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, command, "%s masks udev's rule: %s", path,
                             doctor_lkmd_runs(d) ? "lkmd is not in charge, and nobody loads drivers"
                                                 : "nobody loads drivers");
}

static int on_run_file(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *text = NULL;

        if (is_mask(d, UDEV_RUN_RULES_DIR OWN))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR,
                                     "rm " UDEV_RUN_RULES_DIR OWN RELOAD "; systemctl try-restart lkmd",
                                     UDEV_RUN_RULES_DIR OWN
                                     " masks udev's rule, as earlier versions of lkmd did: %s",
                                     doctor_lkmd_runs(d) ? "when lkmd ends, nobody loads drivers"
                                                         : "nobody loads drivers");
        if (doctor_read(d, UDEV_RUN_RULES_DIR OWN, &text) < 0 || !startswith(text, UDEV_RULE_HEAD))
                return on_own_file(d, UDEV_RUN_RULES_DIR OWN, ret);
        if (!doctor_has(d, UDEV_LIB_RULES_DIR OWN))
                return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL,
                                     "udev has no " UDEV_AUTOLOAD_RULE
                                     " of its own: while lkmd does not run, nobody loads drivers");
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "%s",
                             doctor_lkmd_runs(d) ? "udev leaves drivers to lkmd while lkmd is in charge"
                                                 : "udev loads drivers as long as lkmd does not run");
}

int check_udev(const Doctor *d, Diagnoses *ret) {
        assert(d && ret);

        if (doctor_has(d, UDEV_ETC_RULES_DIR OWN))
                return on_own_file(d, UDEV_ETC_RULES_DIR OWN, ret);
        if (doctor_has(d, UDEV_RUN_RULES_DIR OWN))
                return on_run_file(d, ret);
        if (doctor_has(d, UDEV_LOCAL_RULES_DIR OWN))
                return on_own_file(d, UDEV_LOCAL_RULES_DIR OWN, ret);
        if (doctor_lkmd_runs(d))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "systemctl restart lkmd",
                                     "udev does not know that lkmd loads drivers: " UDEV_RUN_RULES_DIR OWN
                                     " is missing");
        if (!doctor_has(d, UDEV_LIB_RULES_DIR OWN))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "reinstall udev",
                                     "nobody loads drivers: " UDEV_LIB_RULES_DIR OWN
                                     " is missing, and lkmd does not run");
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "udev loads drivers by its own rule");
}
