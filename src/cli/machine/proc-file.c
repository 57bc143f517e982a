/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ProcFile: see proc-file.h. Owns nothing. */

#include "cli/machine/proc-file.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/limits.h"
#include "common/base/read-file.h"

static int _printf_(1, 0) read_whole(const char *format, va_list ap, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -EBADF;

        if (vasprintf(&path, format, ap) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = read_file_open(path);
        return fd < 0 ? fd : read_file(fd, PROC_TABLE_MAX, ret, ret_size);
}

/**
 * proc_file_new() - a file of /proc as one text
 * @ret:    the caller's; any bytes
 * @format: of its path
 *
 * Return: 0; -ENOENT or -ESRCH: it is not there, or its process has gone; -EACCES; -ENOMEM; -EFBIG: it has more than
 * PROC_TABLE_MAX bytes; what else open(2) and read(2) say.
 */
int proc_file_new(char **ret, const char *format, ...) {
        va_list ap;
        size_t size;
        int r;

        assert(ret && format);

        va_start(ap, format);
        r = read_whole(format, ap, ret, &size);
        va_end(ap);
        return r;
}

/**
 * proc_file_sized() - the same for a file that has NULs, such as the environment of a process
 * @ret: a NUL is behind its @ret_size bytes
 *
 * Return: as proc_file_new().
 */
int proc_file_sized(char **ret, size_t *ret_size, const char *format, ...) {
        va_list ap;
        int r;

        assert(ret && ret_size && format);

        va_start(ap, format);
        r = read_whole(format, ap, ret, ret_size);
        va_end(ap);
        return r;
}

/* The next line of a text, without its end. Return: NULL: there is none. */
char *proc_file_line(char **rest) {
        assert(rest);

        if (!*rest || **rest == '\0')
                return NULL;
        return strsep(rest, "\n");
}

/**
 * proc_line_split() - take a line apart at its blanks
 * @words: filled with the first @n_words of them; those that are not there become ""
 *
 * Return: how many there are, at most @n_words.
 */
unsigned proc_line_split(char *line, char *words[], unsigned n_words) {
        unsigned n = 0;
        char *word;

        assert(line && words);

        while (n < n_words && (word = strsep(&line, " \t")))
                if (*word)
                        words[n++] = word;
        for (unsigned i = n; i < n_words; i++)
                words[i] = (char *) "";
        return n;
}
