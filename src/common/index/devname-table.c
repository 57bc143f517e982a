/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DevnameTable: the device nodes that depmod(8) found in "devname:" aliases. systemd-tmpfiles creates them
 * at boot (see kmod static-nodes); when one is opened, the kernel requests "char-major-M-m", an ordinary
 * alias. Owns the text of the file, which the entries point into. A line is "MODULE NODE cMAJOR:MINOR" or
 * "MODULE NODE bMAJOR:MINOR"; '#' begins a comment.
 */

#include "common/index/devname-table.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/array.h"
#include "common/base/read-file.h"
#include "common/base/text.h"

#define DEVNAME_FILE_MAX (1024U * 1024U) /* bytes; a distribution's has less than 2 KiB */

struct DevnameTable {
        char *text;
        Devname *entries;
        size_t n_entries;
};

/* Return: 0; -EBADMSG: the line is broken; -ENOMEM. */
static int add_line(DevnameTable *t, char *line) {
        char *module, *node, *device, *rest = line, type, after;
        unsigned major_number, minor_number;

        module = strsep(&rest, " \t");
        node = strsep(&rest, " \t");
        device = strsep(&rest, " \t");
        if (!device || rest || module[0] == '\0' || node[0] == '\0')
                return -EBADMSG;
        if ((device[0] != 'c' && device[0] != 'b') || device[1 + strspn(device + 1, "0123456789:")] != '\0')
                return -EBADMSG;        /* sscanf(3) would accept signs */
        if (sscanf(device, "%c%u:%u%c", &type, &major_number, &minor_number, &after) != 3)
                return -EBADMSG;
        if (node[0] == '/' || startswith(node, "../") || strstr(node, "/../"))
                return -EBADMSG;        /* it must be below /dev */

        if (array_grow(&t->entries, t->n_entries, sizeof(*t->entries)) < 0)
                return -ENOMEM;
        t->entries[t->n_entries++] = (Devname) {
                .module = module,
                .node = node,
                .block = type == 'b',
                .device = makedev(major_number, minor_number),
        };
        return 0;
}

static int read_lines(DevnameTable *t, const char *path, ProblemList *problems) {
        char *rest = t->text, *line;
        int r;

        for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
                char shown[TEXT_SHOWN_MAX];

                if (line[0] == '\0' || line[0] == '#')
                        continue;
                text_show(line, shown);
                r = add_line(t, line);
                if (r == -EBADMSG)
                        r = problem_list_add(problems, path, n, "ignoring '%s', it is no device node",
                                             shown);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * devname_table_new() - read modules.devname
 * @problems: gets broken lines, and a file that cannot be read, but not that there is no file
 *
 * Return: 0, also if nothing can be read; -ENOMEM.
 */
int devname_table_new(DevnameTable **ret, const char *path, ProblemList *problems) {
        _cleanup_(devname_table_freep) DevnameTable *t = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;
        int r;

        assert(ret && path);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        fd = read_file_open(path);
        r = fd < 0 ? fd : read_file(fd, DEVNAME_FILE_MAX, &t->text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT) {
                r = r == -EBADF
                            ? problem_list_add(problems, path, 0, "cannot be read: Not a regular file")
                            : problem_list_add_unread(problems, path, "cannot be read: %s", strerror(-r));
                if (r < 0)
                        return r;
        }
        if (t->text) {
                r = read_lines(t, path, problems);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(t);
        return 0;
}

/* Return: NULL. */
DevnameTable *devname_table_free(DevnameTable *t) {
        if (!t)
                return NULL;

        free(t->entries);
        free(t->text);
        free(t);
        return NULL;
}

/* All entries, in the order of the file. */
const Devname *devname_table_get(const DevnameTable *t, size_t *ret_n) {
        assert(t && ret_n);

        *ret_n = t->n_entries;
        return t->entries;
}
