/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* KernelLines: see kernel-lines.h. Owns its lines. Format: Documentation/ABI/testing/dev-kmsg of the kernel. */

#include "cli/machine/kernel-lines.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>

#include "common/base/array.h"
#include "common/base/number.h"
#include "common/base/util.h"

#define RECORD_MAX   \
        ((size_t) 16 \
         << 10) /* bytes; the kernel's own limit is 8 KiB: CONSOLE_EXT_LOG_MAX, PRINTK_MESSAGE_MAX */
#define LINES_MAX 65536U

#define CLOCKS_DIFFER_USEC UINT64_C(100000) /* the log has a clock of its own */

void kernel_lines_clear(KernelLines *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                free(l->items[i].text);
        free(l->items);
        *l = (KernelLines) {};
}

/* "6,339,5140900,-;TEXT": priority, number, microseconds; lines that begin with a blank are properties of the one before. */
static int take_line(KernelLines *l, const char *line) {
        const char *text = isdigit((unsigned char) line[0]) ? strchr(line, ';') : NULL, *field = line;
        uint64_t usec = 0;
        char *copy;
        int r;

        if (!text || l->n_items >= LINES_MAX)
                return 0;
        for (unsigned i = 0; i < 2 && field; i++)
                field = (field = strchr(field, ',')) ? field + 1 : NULL;
        if (field && field < text)
                (void) number_take(&field, UINT64_MAX, &usec);
        r = array_reserve(&l->items, &l->n_allocated, l->n_items + 1, sizeof(*l->items));
        if (r < 0)
                return r;
        copy = strdup(text + 1);
        if (!copy)
                return -ENOMEM;
        l->items[l->n_items++] = (KernelLine) { usec, copy };
        return 0;
}

/**
 * kernel_lines_read() - the lines of the kernel's log
 * @ret: to be cleared, but not after a failure
 *
 * Return: 0; -EACCES, -EPERM: the caller may not read it (kernel.dmesg_restrict); -ENOMEM; what open(2) says.
 */
int kernel_lines_read(const Machine *machine, KernelLines *ret) {
        _cleanup_(kernel_lines_clear) KernelLines lines = {};
        _cleanup_(closep) int fd = -EBADF;
        char record[RECORD_MAX + 1];
        size_t kept = 0;                /* bytes of a line that has not ended */
        int r;

        assert(machine && ret);

        fd = open(machine->kernel_log, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n = read(fd, record + kept, RECORD_MAX - kept);
                char *line = record;

                if (n < 0 && (errno == EPIPE || errno == EINTR))
                        continue;       /* the oldest ones have just been overwritten */
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                if (n <= 0)
                        break;
                record[kept + (size_t) n] = '\0';
                for (char *end; (end = strchr(line, '\n')); line = end + 1) {
                        *end = '\0';
                        r = take_line(&lines, line);
                        if (r < 0)
                                return r;
                }
                kept = strlen(line);
                if (kept >= RECORD_MAX)
                        kept = 0;       /* not of the kernel's */
                memmove(record, line, kept);
        }

        *ret = lines;
        lines = (KernelLines) {};
        return 0;
}

/**
 * kernel_lines_next() - the next line that is not older than a moment
 * @l:  NULL: there are none
 * @at: 0 at first; where to go on
 *
 * Return: borrowed; NULL: there is no more.
 */
const char *kernel_lines_next(const KernelLines *l, uint64_t since_usec, size_t *at) {
        assert(at);

        while (l && *at < l->n_items) {
                const KernelLine *line = l->items + (*at)++;

                if (line->usec + CLOCKS_DIFFER_USEC >= since_usec)
                        return line->text;
        }
        return NULL;
}
