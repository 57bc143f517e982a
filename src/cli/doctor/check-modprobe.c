/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_modprobe(): which program is modprobe? Owns nothing. */

#include <assert.h>
#include <libgen.h>

#include "cli/doctor/checks.h"

/* The first of the places where scripts and the kernel have it. */
static const char *find_modprobe(const Doctor *d) {
        static const char *const places[] = { "/usr/sbin/modprobe", "/sbin/modprobe", "/usr/bin/modprobe",
                                              "/bin/modprobe" };

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                if (doctor_has(d, places[i]))
                        return places[i];
        return NULL;
}

int check_modprobe(const Doctor *d, Diagnoses *ret) {
        const char *path = find_modprobe(d), *name;
        char full[PATH_MAX], target[PATH_MAX] = "", real[PATH_MAX];

        assert(ret);

        if (!path)
                return diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "reinstall kmod",
                        "there is no modprobe: scripts, systemd and an initramfs that is made now load no modules");
        doctor_path(d, path, full);
        (void) doctor_link(d, path, target);
        if (!realpath(full, real))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR,
                                     doctor_has(d, "/usr/lib/lkmd/lkmd-divert")
                                             ? "/usr/lib/lkmd/lkmd-divert off"
                                             : "reinstall kmod",
                                     "%s leads to %s, which is not there", path, target);
        name = basename(real);
        if (streq(name, "lkmctl"))
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "%s is lkmd's, which keeps to its policy",
                                     path);
        if (streq(name, "kmod") || streq(name, "modprobe"))
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "%s is kmod's", path);
        return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL, "%s is %s, neither kmod's nor lkmd's", path,
                             real + strlen(d->root));
}
