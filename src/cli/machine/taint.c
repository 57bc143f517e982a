/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Taint: see taint.h. The letters are those of kernel/panic.c, taint_flags[]. Owns nothing. */

#include "cli/machine/taint.h"

#include <assert.h>

#include "cli/machine/attribute.h"
#include "common/base/string-list.h"
#include "common/base/util.h"

static const struct {
        unsigned bit;                   /* of /proc/sys/kernel/tainted */
        char letter;
        const char *words;
} taints[] = {
        { 0, 'P', "proprietary" },
        { 1, 'F', "loaded by force" },
        { 2, 'S', "the processor or system is out of its specification" },
        { 3, 'R', "removed by force" },
        { 4, 'M', "the processor reported an error (MCE)" },
        { 5, 'B', "bad memory pages" },
        { 6, 'U', "a program asked for it" },
        { 7, 'D', "the kernel has crashed before (oops)" },
        { 8, 'A', "ACPI tables were replaced" },
        { 9, 'W', "the kernel has warned" },
        { 10, 'C', "of the staging tree" },
        { 11, 'I', "works around a bug of the firmware" },
        { 12, 'O', "built outside of the kernel" },
        { 13, 'E', "without a valid signature" },
        { 14, 'L', "a soft lockup occurred" },
        { 15, 'K', "live patch" },
        { 16, 'X', "of the distribution's own" },
        { 17, 'T', "built with randomised structures" },
        { 18, 'N', "a test in the kernel" },
        { 19, 'J', "a program changed the kernel with fwctl" },
};

/* Return: NULL: it is none of these. */
const char *taint_words(char letter) {
        for (size_t i = 0; i < ARRAY_LEN(taints); i++)
                if (taints[i].letter == letter)
                        return taints[i].words;
        return NULL;
}

/**
 * taint_of_module() - the letters of a module in the kernel, as /sys/module/NAME/taint has them
 * @ret: "" for none
 *
 * Return: 0; -ENOENT: it is not there; -ENOMEM; what read(2) says.
 */
int taint_of_module(const Machine *machine, const char *module, char **ret) {
        _cleanup_(freep) char *directory = NULL;

        assert(machine && module && ret);

        if (asprintf(&directory, "%s/module/%s", machine->sys, module) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        return attribute_new(directory, "taint", ret);
}

/* The letters of the kernel, of whatever caused them; as taint_of_module(). */
int taint_of_kernel(const Machine *machine, char **ret) {
        char letters[ARRAY_LEN(taints) + 1];
        uint64_t bits;
        size_t n = 0;
        int r;

        assert(machine && ret);

        r = attribute_unsigned(machine->proc, "sys/kernel/tainted", &bits);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_LEN(taints); i++)
                if (bits & (UINT64_C(1) << taints[i].bit))
                        letters[n++] = taints[i].letter;
        letters[n] = '\0';
        *ret = strdup(letters);
        return *ret ? 0 : -ENOMEM;
}

/**
 * taint_bringers() - the modules in the kernel that have a letter
 * @ret: to be freed with string_list_free()
 *
 * Return: 0; -ENOMEM; what opendir(3) says.
 */
int taint_bringers(const Machine *machine, char letter, char ***ret) {
        _cleanup_(string_list_freep) char **modules = NULL;
        _cleanup_(closedirp) DIR *directory = NULL;
        _cleanup_(freep) char *path = NULL;
        const struct dirent *entry;
        int r;

        assert(machine && ret);

        if (asprintf(&path, "%s/module", machine->sys) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = string_list_new(&modules);
        if (r < 0)
                return r;
        directory = opendir(path);
        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                _cleanup_(freep) char *letters = NULL;

                if (entry->d_name[0] == '.')
                        continue;
                r = taint_of_module(machine, entry->d_name, &letters);
                if (r >= 0 && strchr(letters, letter))
                        r = string_list_append(&modules, entry->d_name, strlen(entry->d_name));
                if (r == -ENOMEM)
                        return r;
        }

        *ret = STEAL_PTR(modules);
        return 0;
}
