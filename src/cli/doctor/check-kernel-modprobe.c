/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_kernel_modprobe(): which program does the kernel start when it needs a module itself? Owns nothing. */

#include <assert.h>

#include "cli/doctor/checks.h"
#include "cli/machine/attribute.h"
#include "common/base/paths.h"

#define SET_BACK "sysctl -w kernel.modprobe=/sbin/modprobe"

static bool is_modprobe(const char *program) {
        static const char *const names[] = { MODPROBE_PROGRAMS };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (streq(program, names[i]))
                        return true;
        return false;
}

static bool can_be_run(const Doctor *d, const char *program) {
        char path[PATH_MAX];

        doctor_path(d, program, path);
        return access(path, X_OK) >= 0;
}

/* CONFIG_STATIC_USERMODEHELPER: one program for all that the kernel starts, kernel/umh.c. Return: 1; 0; -ENOMEM. */
static int on_static_helper(const Doctor *d, Diagnoses *ret) {
        static const char key[] = "\nCONFIG_STATIC_USERMODEHELPER_PATH=\"";
        _cleanup_(freep) char *config = NULL, *name = NULL;
        const char *path;
        int r;

        if (asprintf(&name, "/boot/config-%s", d->asker->machine.release) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        if (doctor_read(d, name, &config) < 0 || !strstr(config, "\nCONFIG_STATIC_USERMODEHELPER=y\n"))
                return 0;
        path = strstr(config, key);
        path = path ? path + sizeof(key) - 1 : "";
        if (*path == '\0' || *path == '"')
                r = diagnoses_add(
                        ret, DIAGNOSIS_NOTE, NULL,
                        "this kernel starts no programs at all, as it was built: it loads no modules for itself");
        else
                r = diagnoses_add(
                        ret, DIAGNOSIS_NOTE, NULL,
                        "this kernel starts %.*s in the place of every program, as it was built: it asks lkmd only if that does so",
                        (int) strcspn(path, "\"\n"), path);
        return r < 0 ? r : 1;
}

static int on_lkmds(const Doctor *d, const char *program, Diagnoses *ret) {
        if (!can_be_run(d, program))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, SET_BACK,
                                     "the kernel loads no modules for itself: its program %s is missing",
                                     program);
        if (doctor_lkmd_runs(d))
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                                     "the kernel asks lkmd for the modules that it needs itself");
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                             "the kernel asks lkmd-request, which runs modprobe while lkmd does not answer");
}

static int on_modprobes(const Doctor *d, const char *program, Diagnoses *ret) {
        if (!can_be_run(d, program))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "reinstall kmod",
                                     "the kernel loads no modules for itself: its program %s is missing",
                                     program);
        if (!doctor_lkmd_runs(d))
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                                     "the kernel asks %s for the modules that it needs itself", program);
        return diagnoses_add(
                ret, DIAGNOSIS_REPAIR, "systemctl restart lkmd",
                "the kernel asks %s, not lkmd, for the modules that it needs itself: somebody set kernel.modprobe back",
                program);
}

int check_kernel_modprobe(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *program = NULL;
        int r;

        assert(d && ret);

        r = attribute_new(d->asker->machine.proc, "sys/kernel/modprobe", &program);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return diagnoses_add(ret, DIAGNOSIS_OK, NULL, "this kernel never asks for modules itself");
        r = on_static_helper(d, ret);
        if (r != 0)
                return MIN(r, 0);
        if (program[0] == '\0')
                return diagnoses_add(ret, DIAGNOSIS_NOTE, SET_BACK,
                                     "the kernel loads no modules for itself: kernel.modprobe is empty");
        if (streq(program, LKMD_REQUEST_PROGRAM))
                return on_lkmds(d, program, ret);
        if (is_modprobe(program))
                return on_modprobes(d, program, ret);
        if (!can_be_run(d, program))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, SET_BACK,
                                     "the kernel loads no modules for itself: its program %s is missing",
                                     program);
        return diagnoses_add(
                ret, DIAGNOSIS_NOTE, SET_BACK "; systemctl try-restart lkmd",
                "the kernel asks %s for the modules that it needs itself, and lkmd is not asked", program);
}
