/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_modprobe(): which program is modprobe? Owns nothing. */

#include <assert.h>
#include <libgen.h>

#include "cli/doctor/checks.h"
#include "common/base/paths.h"

#define DIVERT LKMD_LIB_DIR "/lkmd-divert"

/* The first of the places where scripts and the kernel have it. */
static const char *find_modprobe(const Doctor *d) {
        static const char *const places[] = { "/usr/sbin/modprobe", "/sbin/modprobe", "/usr/bin/modprobe",
                                              "/bin/modprobe" };

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                if (doctor_has(d, places[i]))
                        return places[i];
        return NULL;
}

/* How many of kmod's commands are lkmd's, and what is wrong with those. */
typedef struct Diversion {
        size_t n_ours, n_others;
        char orphaned[PATH_MAX];        /* the one whose own program is gone; "": none */
} Diversion;

static void look_at_command(const Doctor *d, const char *path, Diversion *ret) {
        char target[PATH_MAX], own[PATH_MAX];

        if (!doctor_has(d, path))
                return;
        if (!doctor_link(d, path, target) || !endswith(target, "/lkmctl")) {
                ret->n_others++;
                return;
        }
        ret->n_ours++;
        (void) snprintf(own, sizeof(own), "%s.distrib", path);
        if (!doctor_has(d, own))
                (void) snprintf(ret->orphaned, sizeof(ret->orphaned), "%s", path);
}

/* What lkmd-divert has not finished. Return: 1; 0: nothing; -ENOMEM. */
static int on_diversion(const Doctor *d, Diagnoses *ret) {
        static const char *const names[] = { "insmod", "lsmod", "modinfo", "modprobe", "rmmod" };
        Diversion diversion = {};
        int r;

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/usr/sbin/%s", names[i]);
                look_at_command(d, path, &diversion);
        }
        if (diversion.orphaned[0])
                r = diagnoses_add(ret, DIAGNOSIS_REPAIR, "reinstall kmod; " DIVERT " on",
                                  "%s is lkmd's, and the system's own, %s.distrib, is gone",
                                  diversion.orphaned, diversion.orphaned);
        else if (diversion.n_ours > 0 && diversion.n_others > 0)
                r = diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, DIVERT " on",
                        "%zu of kmod's commands are lkmd's and %zu are not: something interrupted lkmd-divert, or replaced them since",
                        diversion.n_ours, diversion.n_others);
        else
                return 0;
        return r < 0 ? r : 1;
}

int check_modprobe(const Doctor *d, Diagnoses *ret) {
        const char *path = find_modprobe(d), *name;
        char full[PATH_MAX], target[PATH_MAX] = "", real[PATH_MAX];
        int r;

        assert(ret);

        if (!path)
                return diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "reinstall kmod",
                        "there is no modprobe: scripts, systemd and an initramfs that is made now load no modules");
        doctor_path(d, path, full);
        r = on_diversion(d, ret);
        if (r != 0)
                return MIN(r, 0);
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
