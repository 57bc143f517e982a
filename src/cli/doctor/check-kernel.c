/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_kernel(): what does the kernel refuse by itself? Owns nothing. */

#include <assert.h>
#include <glob.h>

#include "cli/doctor/checks.h"
#include "cli/machine/attribute.h"
#include "common/base/read-file.h"

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define SYSCTL_MAX ((size_t) 64 << 10)

/* A line that sets it, sysctl.d(5): slashes may stand for dots, and '-' before the name. */
static bool sets_modules_disabled(char *text) {
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                line += strspn(line, " \t-");
                if ((startswith(line, "kernel.modules_disabled") ||
                     startswith(line, "kernel/modules_disabled")) &&
                    strchr(line, '='))
                        return true;
        }
        return false;
}

/* The file of sysctl.d that says so. @ret: NULL: none does, or it may not be read. Return: 0; -ENOMEM. */
static int find_sysctl(const Doctor *d, char **ret) {
        static const char *const patterns[] = { "/etc/sysctl.conf", "/etc/sysctl.d/*.conf",
                                                "/run/sysctl.d/*.conf", "/usr/local/lib/sysctl.d/*.conf",
                                                "/usr/lib/sysctl.d/*.conf" };

        for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
                _cleanup_(globfree) glob_t found = {};
                char path[PATH_MAX];

                doctor_path(d, patterns[i], path);
                if (glob(path, 0, NULL, &found) != 0)
                        continue;
                for (size_t k = 0; k < found.gl_pathc; k++) {
                        _cleanup_(freep) char *text = NULL;

                        if (doctor_read(d, found.gl_pathv[k] + strlen(d->root), &text) < 0 ||
                            !sets_modules_disabled(text))
                                continue;
                        *ret = strdup(found.gl_pathv[k] + strlen(d->root));
                        return *ret ? 0 : -ENOMEM;
                }
        }
        return 0;
}

static int on_modules_disabled(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *file = NULL;
        uint64_t disabled;
        int r;

        r = attribute_unsigned(d->asker->machine.proc, "sys/kernel/modules_disabled", &disabled);
        if (r < 0 || disabled == 0)
                return r == -ENOMEM ? r : 0;
        r = find_sysctl(d, &file);
        if (r < 0)
                return r;
        if (file)
                return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL,
                                     "the kernel takes no module any more until it is restarted, as %s says",
                                     file);
        return diagnoses_add(
                ret, DIAGNOSIS_REPAIR, "reboot",
                "the kernel takes no module any more until it is restarted: kernel.modules_disabled is 1, "
                "which no file of sysctl.d says");
}

static int on_lockdown(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *text = NULL;
        const char *mode;
        int r;

        r = attribute_new(d->asker->machine.sys, "kernel/security/lockdown", &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        mode = strstr(text, "[integrity]")         ? "integrity"
               : strstr(text, "[confidentiality]") ? "confidentiality"
                                                   : NULL;
        if (!mode)
                return 0;
        return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL,
                             "it is locked down (%s): it takes only modules with a signature that it trusts",
                             mode);
}

static int on_sig_enforce(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = attribute_new(d->asker->machine.sys, "module/module/parameters/sig_enforce", &text);
        if (r < 0 || !streq(text, "Y"))
                return r == -ENOMEM ? r : 0;
        return diagnoses_add(ret, DIAGNOSIS_NOTE, NULL,
                             "it takes only modules with a signature that it trusts (module.sig_enforce)");
}

/* Four bytes of attributes, then the value. */
static int on_secure_boot(const Doctor *d, Diagnoses *ret) {
        _cleanup_(freep) char *value = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        size_t size;

        doctor_path(d, SECURE_BOOT, path);
        fd = read_file_open(path);
        if (fd < 0 || read_file(fd, SYSCTL_MAX, &value, &size) < 0 || size < 5 || value[4] != 1)
                return 0;
        return diagnoses_add(
                ret, DIAGNOSIS_NOTE, NULL,
                "this machine was started by Secure Boot: modules that are built here need a key that is enrolled (mokutil)");
}

int check_kernel(const Doctor *d, Diagnoses *ret) {
        static const check_t parts[] = { on_modules_disabled, on_lockdown, on_sig_enforce, on_secure_boot };
        size_t before = ret->n_items;
        int r = 0;

        assert(d);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++)
                r = parts[i](d, ret);
        if (r >= 0 && ret->n_items == before)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                                  "it takes modules, also those without a signature");
        return r;
}
