/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_lkmd(): does lkmd run, will it after the next boot, and does it load drivers? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "cli/print/fields.h"
#include "common/base/paths.h"

#define UNIT_IN_ETC "/etc/systemd/system/" LKMD_UNIT
#define ENABLED_IN_ETC "/etc/systemd/system/sysinit.target.wants/" LKMD_UNIT
#define ENABLED_IN_LIB "/usr/lib/systemd/system/sysinit.target.wants/" LKMD_UNIT

static bool is_enabled(const Doctor *d) {
        return doctor_has(d, ENABLED_IN_ETC) || doctor_has(d, ENABLED_IN_LIB);
}

static bool is_masked(const Doctor *d) {
        char target[PATH_MAX];

        return doctor_link(d, UNIT_IN_ETC, target) && streq(target, "/dev/null");
}

static int on_silence(const Doctor *d, Diagnoses *ret) {
        static const char rest[] =
                "udev and modprobe load modules, and of its policy only what they read holds";

        if (is_masked(d))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR,
                                     "systemctl unmask " LKMD_UNIT "; systemctl enable --now lkmd",
                                     "lkmd is masked by " UNIT_IN_ETC ": %s", rest);
        if (!is_enabled(d))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "systemctl enable --now lkmd",
                                     "lkmd does not run, and is not started at boot: %s", rest);
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, "systemctl start lkmd; journalctl -u lkmd -b",
                             "lkmd does not answer: %s", rest);
}

static int on_charge(sd_json_variant *status, Diagnoses *ret) {
        const char *in_charge = field_string(status, "inCharge") ?: "?",
                   *own = field_string(status, "ownUdevRule");
        const char *stepped_back = field_string(status, "steppedBack");

        if (streq(in_charge, "lkmd"))
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "lkmd %s runs and loads drivers for devices",
                                     field_string(status, "version"));
        if (stepped_back)
                return diagnoses_add(ret, DIAGNOSIS_REPAIR,
                                     field_string(status, "steppedBackRemedy") ?: "journalctl -u lkmd -b",
                                     "lkmd runs, but udev loads drivers: %s", stepped_back);
        if (own)
                return diagnoses_add(ret, DIAGNOSIS_REPAIR,
                                     "see lkmd-policy(5) for rules that say the same, then remove the file",
                                     "lkmd runs, but udev loads drivers, as %s says", own);
        if (streq(in_charge, "lkmd_and_udev"))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "journalctl -u lkmd -b",
                                     "lkmd and udev both load drivers: udev's own rule is in force as well");
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, "journalctl -u lkmd -b",
                             "lkmd runs, but drivers are loaded by %s", in_charge);
}

int check_lkmd(const Doctor *d, Diagnoses *ret) {
        sd_json_variant *status = d->asker->status;
        const char *version = field_string(status, "version");
        int r;

        assert(ret);

        if (!status)
                return on_silence(d, ret);
        r = on_charge(status, ret);
        if (r >= 0 && !is_enabled(d))
                r = diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "systemctl enable lkmd",
                        "lkmd runs, but is not started at boot: after a restart udev loads drivers again");
        if (r >= 0 && !streq_ptr(version, LKMD_VERSION))
                r = diagnoses_add(ret, DIAGNOSIS_REPAIR, "systemctl restart lkmd",
                                  "lkmd %s runs, but " LKMD_VERSION " is installed: it was not restarted since",
                                  version ?: "of another version");
        return r;
}
