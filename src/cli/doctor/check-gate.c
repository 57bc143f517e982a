/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_gate(): does the gate in the kernel refuse what the policy denies? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "cli/print/fields.h"
#include "common/base/paths.h"

#define GATE_PROGRAM LKMD_LIB_DIR "/lkmd-gate"

static int on_silence(const Doctor *d, Diagnoses *ret) {
        if (!doctor_has(d, LKMD_GATE_PIN_DIR))
                return 0;
        return diagnoses_add(ret, DIAGNOSIS_NOTE,
                             doctor_has(d, GATE_PROGRAM) ? GATE_PROGRAM " detach" : "rm -r " LKMD_GATE_PIN_DIR,
                             "the gate in the kernel refuses what the policy denied when lkmd ended");
}

static int on_off(const Doctor *d, const char *why, Diagnoses *ret) {
        if (doctor_has(d, LKMD_GATE_OFF_FILE))
                return diagnoses_add(
                        ret, DIAGNOSIS_NOTE, NULL,
                        "there is no gate in the kernel: %s; insmod and sockets of what is built in are not refused",
                        why ?: "nobody says why");
        return diagnoses_add(ret, DIAGNOSIS_REPAIR, "systemctl restart lkmd; journalctl -u lkmd-gate -b",
                             "there is no gate in the kernel: %s", why ?: "nobody says why");
}

int check_gate(const Doctor *d, Diagnoses *ret) {
        sd_json_variant *status = d->asker->status;
        const char *mode = field_string(status, "gate");
        uint64_t lost = field_number(field_object(status, "counters"), "gateLost");

        assert(ret);

        if (!doctor_lkmd_runs(d))
                return on_silence(d, ret);
        if (!mode)
                return 0;               /* an lkmd without one */
        if (streq(mode, "off"))
                return on_off(d, field_string(status, "gateOff"), ret);
        if (lost > 0)
                return diagnoses_add(
                        ret, DIAGNOSIS_NOTE, NULL,
                        "the gate in the kernel refuses what the policy denies; events of it were lost, of which lkmd has no record");
        return diagnoses_add(
                ret, DIAGNOSIS_OK, NULL, "the gate in the kernel refuses %s that the policy denies",
                streq(mode, "files") ? "requests, sockets and module files" : "requests and sockets");
}
