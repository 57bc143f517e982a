/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ModuleParameters: what somebody types as parameters of a module, as one text for the kernel. Owns nothing. */

#include "common/module/module-parameters.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/limits.h"
#include "common/base/util.h"

/* Of "name=value" or "name". */
size_t module_parameter_name_length(const char *assignment) {
        assert(assignment);

        return strcspn(assignment, "=");
}

static bool parameter_is_valid(const char *assignment) {
        size_t n = module_parameter_name_length(assignment);

        if (n == 0)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isgraph((unsigned char) assignment[i]) || assignment[i] == '"')
                        return false;
        for (const char *c = assignment + n; *c; c++)
                if (iscntrl((unsigned char) *c))
                        return false;
        return true;
}

/* As modprobe: a value with blanks and without quotes gets quotes. */
static void print_parameter(FILE *f, const char *assignment) {
        size_t n = module_parameter_name_length(assignment);
        const char *value = assignment + n;

        if (*value == '=' && strpbrk(value, " \t") && !strchr(value, '"'))
                fprintf(f, "%.*s=\"%s\"", (int) n, assignment, value + 1);
        else
                (void) fputs(assignment, f);
}

/**
 * module_parameters_join() - the parameters as one string for the kernel
 * @ret: NULL: there are none
 *
 * Return: 0; -EINVAL for one that cannot be a parameter; -E2BIG; -ENOMEM.
 */
int module_parameters_join(char *const *list, char **ret) {
        _cleanup_(freep) char *joined = NULL;
        size_t n = 0;
        FILE *f;

        *ret = NULL;
        if (!list || !list[0])
                return 0;
        for (size_t i = 0; list[i]; i++)
                if (!parameter_is_valid(list[i]))
                        return -EINVAL;

        f = open_memstream(&joined, &n);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; list[i]; i++) {
                if (i > 0)
                        (void) fputc(' ', f);
                print_parameter(f, list[i]);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        if (n >= PARAMETERS_MAX)
                return -E2BIG;

        *ret = STEAL_PTR(joined);
        return 0;
}
