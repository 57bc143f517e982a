/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* doctor: who is in charge of what, and what needs a hand. */

#include "cli/doctor/examination.h"
#include "cli/verbs/machine-look.h"
#include "cli/verbs/verbs.h"
#include "common/base/paths.h"

/* The directories of this machine below another root, for tests. */
typedef struct Paths {
        char sys[PATH_MAX], proc[PATH_MAX], boot[PATH_MAX], firmware[PATH_MAX];
} Paths;

static const char *below(const char *root, const char *name, char ret[static PATH_MAX]) {
        (void) snprintf(ret, PATH_MAX, "%s%s", root, name);
        return ret;
}

static void move_machine(Machine *m, const char *root, Paths *paths) {
        m->sys = below(root, m->sys, paths->sys);
        m->proc = below(root, m->proc, paths->proc);
        m->boot = below(root, m->boot, paths->boot);
        m->firmware = below(root, m->firmware, paths->firmware);
}

static int show(Run *run, const Diagnoses *l) {
        int r = 0, e;

        if (run->out.json == JSON_OFF) {
                if (output_wants_text(&run->out))
                        diagnoses_print(&run->out, l);
                return 0;
        }
        output_list_begin(&run->out);
        for (size_t i = 0; r >= 0 && i < l->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = diagnosis_to_json(l->items + i, &v);
                if (r >= 0)
                        r = output_json(&run->out, v);
        }
        e = output_list_end(&run->out);
        return r < 0 ? r : e;
}

int verb_doctor(Run *run, char **args, unsigned n_args) {
        const char *root = secure_getenv(LKMD_DOCTOR_ROOT_ENV) ?: "",
                   *reader = secure_getenv(LKMD_INITRAMFS_PROGRAM_ENV) ?: LKMD_INITRAMFS_PROGRAM;
        _cleanup_(machine_look_close) MachineLook look = {};
        _cleanup_(diagnoses_clear) Diagnoses found = {};
        Doctor doctor = { .run = run, .root = root, .image_reader = reader, .asker = &look.asker };
        Paths paths;
        int r;

        r = machine_look_open(run, &look);
        if (r != 0)
                return r;
        move_machine(&look.asker.machine, root, &paths);
        r = doctor_examine(&doctor, &found);
        if (r >= 0)
                r = show(run, &found);
        return r < 0 ? r : diagnoses_count(&found, DIAGNOSIS_REPAIR) > 0 ? STATUS_FAILED : STATUS_DONE;
}
