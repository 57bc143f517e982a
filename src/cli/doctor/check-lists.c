/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_lists(): who loads what is listed for the boot, modules-load.d(5) and modules_load=? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "cli/print/fields.h"

#define UNIT "systemd-modules-load.service"
#define DROP_IN "/" UNIT ".d/10-lkmd.conf"

/* The drop-in that has systemd leave the lists to lkmd. @ret: the one that counts. */
static bool find_drop_in(const Doctor *d, char ret[static PATH_MAX], bool *ret_masked) {
        static const char *const places[] = { "/etc/systemd/system", "/run/systemd/system",
                                              "/usr/local/lib/systemd/system", "/usr/lib/systemd/system" };

        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                char target[PATH_MAX];

                (void) snprintf(ret, PATH_MAX, "%s" DROP_IN, places[i]);
                if (!doctor_has(d, ret))
                        continue;
                *ret_masked = doctor_link(d, ret, target) && streq(target, "/dev/null");
                return true;
        }
        return false;
}

static int on_lkmds(const Doctor *d, Diagnoses *ret) {
        sd_json_variant *waiting = field_array(d->asker->status, "waitingForDevice"), *first;
        size_t n = field_elements(d->asker->status, "waitingForDevice");

        if (n == 0)
                return diagnoses_add(
                        ret, DIAGNOSIS_OK, NULL, "%s",
                        field_bool(d->asker->status, "listsSettled")
                                ? "lkmd has loaded what is listed to be loaded at boot"
                                : "lkmd loads what is listed to be loaded at boot, or leaves it to systemd in this boot");
        first = sd_json_variant_by_index(waiting, 0);
        return diagnoses_add(ret, DIAGNOSIS_NOTE, "lkmctl status",
                             "%zu module%s listed to be loaded at boot %s for a device, such as %s of %s", n,
                             n == 1 ? "" : "s", n == 1 ? "waits" : "wait",
                             field_string(first, "name") ?: "?", field_string(first, "file") ?: "?");
}

int check_lists(const Doctor *d, Diagnoses *ret) {
        char path[PATH_MAX];
        bool masked = false;

        assert(d && ret);

        if (!doctor_lkmd_runs(d))
                return diagnoses_add(
                        ret, DIAGNOSIS_OK, NULL,
                        "systemd loads what is listed to be loaded at boot, while lkmd does not run");
        if (!find_drop_in(d, path, &masked))
                return diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "reinstall lkmd; systemctl daemon-reload",
                        "systemd and lkmd both load what is listed to be loaded at boot: /usr/lib/systemd/system" DROP_IN
                        " is missing");
        if (masked)
                return diagnoses_add(
                        ret, DIAGNOSIS_NOTE, NULL,
                        "systemd and lkmd both load what is listed to be loaded at boot, as %s says", path);
        return on_lkmds(d, ret);
}
