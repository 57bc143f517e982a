/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Process: see process.h. A process may end at any time: that is -ENOENT or -ESRCH, as it was before. Owns nothing. */

#include "cli/machine/process.h"

#include <assert.h>
#include <limits.h>

#include "cli/machine/proc-file.h"
#include "common/base/control-group.h"
#include "common/base/number.h"

/**
 * process_parent() - the process that started another one, or has taken it over
 * @ret: 0: it is in another name space, or the kernel's
 *
 * Return: 0; -EINVAL: the file makes no sense; as proc_file_new().
 */
int process_parent(const char *proc, pid_t pid, pid_t *ret) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;
        int r;

        assert(proc && ret);

        r = proc_file_new(&text, "%s/%d/status", proc, pid);
        if (r < 0)
                return r;
        for (rest = text; (line = proc_file_line(&rest));) {
                const char *digits = line + strlen("PPid:");
                uint64_t parent;

                if (!startswith(line, "PPid:"))
                        continue;
                digits += strspn(digits, " \t");
                if (number_take(&digits, INT_MAX, &parent) < 0)
                        return -EINVAL;
                *ret = (pid_t) parent;
                return 0;
        }
        return -EINVAL;
}

/**
 * process_command_new() - the name of a process, which it chooses itself
 *
 * Return: 0; as proc_file_new().
 */
int process_command_new(const char *proc, pid_t pid, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t n;
        int r;

        assert(proc && ret);

        r = proc_file_new(&text, "%s/%d/comm", proc, pid);
        if (r < 0)
                return r;
        n = strlen(text);
        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        *ret = STEAL_PTR(text);
        return 0;
}

/**
 * process_unit_new() - the unit of the system's manager that a process belongs to
 * @ret: NULL: none
 *
 * Return: 0; as proc_file_new().
 */
int process_unit_new(const char *proc, pid_t pid, char **ret) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;
        int r;

        assert(proc && ret);

        r = proc_file_new(&text, "%s/%d/cgroup", proc, pid);
        if (r < 0)
                return r;
        for (rest = text; (line = proc_file_line(&rest));)
                if (startswith(line, "0::/"))
                        return control_group_unit(line + strlen("0::"), ret);
        *ret = NULL;
        return 0;
}
