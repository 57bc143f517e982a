/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelLog: which symbol is unknown, or which vermagic is needed, the kernel writes only to its log. Owns the
 * descriptor of /dev/kmsg, which systemd opens since that takes CAP_SYSLOG, and the latest lines; error-text decides
 * which of them are about a module. Without the log, failures are explained from their errno alone. Format of a line:
 * Documentation/ABI/testing/dev-kmsg.
 */

#include "daemon/engine/kernel-log.h"

#include <assert.h>
#include <fcntl.h>

#include "common/explain/error-text.h"

#define LINES_MAX 128U                  /* then the oldest is dropped */
#define TAKE_MAX 8U                     /* lines for one failure */

struct KernelLog {
        int fd;
        char *lines[LINES_MAX];
        size_t first, n_lines;
};

/**
 * kernel_log_new() - read the kernel's log
 * @fd: of /dev/kmsg, opened for reading; taken. Negative: there is none, and no failure gets any lines.
 *
 * Return: 0 or -ENOMEM (then @fd is still the caller's).
 */
int kernel_log_new(KernelLog **ret, int fd) {
        KernelLog *l;

        assert(ret);

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;

        l->fd = fd;
        if (fd >= 0) {
                int flags = fcntl(fd, F_GETFL);

                if (flags >= 0)
                        (void) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        }
        kernel_log_skip(l);

        *ret = l;
        return 0;
}

/* Return: NULL. */
KernelLog *kernel_log_free(KernelLog *l) {
        if (!l)
                return NULL;

        for (size_t i = 0; i < l->n_lines; i++)
                free(l->lines[(l->first + i) % LINES_MAX]);
        closep(&l->fd);
        free(l);
        return NULL;
}

/* To be called while no job is under way: drops what was written so far. */
void kernel_log_skip(KernelLog *l) {
        assert(l);

        if (l->fd >= 0)
                (void) lseek(l->fd, 0, SEEK_END);
        for (size_t i = 0; i < l->n_lines; i++)
                free(l->lines[(l->first + i) % LINES_MAX]);
        l->n_lines = 0;
}

static void keep_line(KernelLog *l, const char *text) {
        char *copy = strdup(text);

        if (!copy)
                return;
        if (l->n_lines == LINES_MAX) {
                free(l->lines[l->first]);
                l->first = (l->first + 1) % LINES_MAX;
                l->n_lines--;
        }
        l->lines[(l->first + l->n_lines++) % LINES_MAX] = copy;
}

/* "PRIORITY,SEQUENCE,TIME,FLAGS[,..];TEXT\n KEY=VALUE\n.." */
static void keep_record(KernelLog *l, char *record) {
        char *text = strchr(record, ';');

        if (!text)
                return;
        text++;
        text[strcspn(text, "\n")] = '\0';
        keep_line(l, text);
}

static void kernel_log_drain(KernelLog *l) {
        char record[8192];              /* one read(2) is one record; CONSOLE_EXT_LOG_MAX */

        if (l->fd < 0)
                return;
        for (;;) {
                ssize_t n = read(l->fd, record, sizeof(record) - 1);

                if (n < 0 && (errno == EPIPE || errno == EINTR))
                        continue;       /* EPIPE: lines were overwritten, go on with the oldest one left */
                if (n <= 0)
                        return;
                record[n] = '\0';
                keep_record(l, record);
        }
}

/**
 * kernel_log_take() - the lines about a module since kernel_log_skip()
 * @ret_lines: NULL-terminated array of strings, both to be freed; NULL when there are none
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_log_take(KernelLog *l, const char *module, char ***ret_lines, size_t *ret_n) {
        char **lines;
        size_t n = 0;

        assert(l && module && ret_lines && ret_n);

        kernel_log_drain(l);

        lines = calloc(TAKE_MAX + 1, sizeof(*lines));
        if (!lines)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_lines && n < TAKE_MAX; i++) {
                char *line = l->lines[(l->first + i) % LINES_MAX];

                if (!error_text_concerns(module, line))
                        continue;
                lines[n] = strdup(line);
                if (lines[n])
                        n++;
        }

        if (n == 0) {
                free(lines);
                lines = NULL;
        }
        *ret_lines = lines;
        *ret_n = n;
        return 0;
}
