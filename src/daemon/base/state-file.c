/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StateFile: reads and writes files in /run/lkmd/state, where nobody but lkmd writes. Owns nothing.
 *
 * Anything unexpected there, left by a crash, a full disk or an attacker who was lkmd for a while, prevents lkmd
 * neither from starting nor from writing.
 */

#include "daemon/base/state-file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/checked-file.h"
#include "common/base/limits.h"
#include "common/base/util.h"
#include "daemon/base/log.h"

/* ------------------------------------------------------------------------------------------------- reading */

static int refuse(const char *path, int error, const char *reason) {
        if (error != -ENOENT && error != -ENOMEM)
                log_warning("%s: %s; what is in it is not used, and it is replaced when it is written next", path, reason);
        return error;
}

/**
 * state_file_read() - the whole file, with a NUL behind it
 *
 * Return: 0; -ENOENT; another error, which was logged: the file must not be used.
 */
int state_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size) {
        const char *reason = NULL;
        int r;

        assert(path && ret && ret_size);

        r = checked_file_read(AT_FDCWD, path, geteuid(), size_max, ret, ret_size, &reason);
        return r < 0 ? refuse(path, r, reason) : 0;
}

/* A line that is longer than lkmd writes counts as bad, like one that does not parse or is truncated. */
static int take_lines(FILE *f, state_file_line_t take, void *userdata, size_t *ret_n_bad) {
        _cleanup_(freep) char *line = malloc(STATE_LINE_MAX + 2);
        size_t n = 0;
        int c, r;

        if (!line)
                return -ENOMEM;
        do {
                c = getc_unlocked(f);
                if (c != '\n' && c != EOF) {
                        if (n <= STATE_LINE_MAX)
                                line[n++] = (char) c;
                        continue;
                }
                line[MIN(n, (size_t) STATE_LINE_MAX)] = '\0';
                r = n == 0 && c == EOF ? 0 : n > STATE_LINE_MAX || strlen(line) < n ? -EBADMSG : take(line, userdata);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        (*ret_n_bad)++;
                n = 0;
        } while (c != EOF);
        return 0;
}

/* Seeks to the last @size_max bytes. */
static int skip_bytes(FILE *f, const char *path, size_t size_max) {
        struct stat st;

        if (fstat(fileno(f), &st) < 0)
                return -errno;
        if (st.st_size <= (off_t) size_max)
                return 0;
        log_warning("%s: it is larger than lkmd writes it, only the last %zu bytes are read", path, size_max);
        return fseeko(f, st.st_size - (off_t) size_max, SEEK_SET) < 0 ? -errno : 0;
}

/* From there, seeks to the last @lines_max lines, since many short lines take longer than few long ones. */
static int skip_lines(FILE *f, const char *path, size_t lines_max) {
        off_t start = ftello(f);
        size_t n = 0;
        int c;

        while ((c = getc_unlocked(f)) != EOF)
                n += c == '\n';
        if (start < 0 || fseeko(f, start, SEEK_SET) < 0)
                return -errno;
        if (n <= lines_max)
                return 0;
        log_warning("%s: it has more lines than lkmd writes, only the last %zu are read", path, lines_max);
        for (n -= lines_max; n > 0 && (c = getc_unlocked(f)) != EOF;)
                n -= c == '\n';
        return 0;
}

/**
 * state_file_read_lines() - call @take for each line
 * @size_max, @lines_max: bounds of what is read, from the end of the file
 *
 * The number of lines that @take rejects is logged.
 *
 * Return: 0, also if there is no file, or one that must not be used, which was logged; -ENOMEM.
 */
int state_file_read_lines(const char *path, size_t size_max, size_t lines_max, state_file_line_t take,
                          void *userdata) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(closep) int fd = -EBADF;
        const char *reason = NULL;
        size_t n_bad = 0;
        int r;

        assert(path && take);

        fd = checked_file_open(AT_FDCWD, path, geteuid(), &reason);
        if (fd < 0)
                return refuse(path, fd, reason) == -ENOMEM ? -ENOMEM : 0;
        f = fdopen(fd, "r");
        if (!f)
                return -ENOMEM;
        STEAL_FD(fd);
        r = skip_bytes(f, path, size_max);
        if (r >= 0)
                r = skip_lines(f, path, lines_max);
        if (r < 0)
                return refuse(path, r, strerrordesc_np(-r)) == -ENOMEM ? -ENOMEM : 0;

        r = take_lines(f, take, userdata, &n_bad);
        if (n_bad > 0)
                log_warning("%s: left out %zu lines that are none of lkmd's", path, n_bad);
        return r;
}

/* ------------------------------------------------------------------------------------------------- writing */

static int open_new(const char *path) {
        return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
}

/*
 * Beside @path, under an unused name. A leftover of a crash is removed; if that is impossible, since it is a
 * directory, another name is taken.
 */
static int open_temporary(const char *path, char **ret) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *name = NULL;

        if (asprintf(&name, "%s.new", path) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        fd = open_new(name);
        if (fd < 0 && errno == EEXIST && unlink(name) == 0)
                fd = open_new(name);
        if (fd < 0 && (errno == EEXIST || errno == EISDIR || errno == EPERM)) {
                free(name);
                if (asprintf(&name, "%s.new-XXXXXX", path) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                fd = mkostemp(name, O_CLOEXEC);
        }
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0644) < 0) {     /* whatever the umask is */
                int r = -errno;

                (void) unlink(name);
                return r;
        }

        *ret = STEAL_PTR(name);
        return STEAL_FD(fd);
}

/* A directory in the place of the file is exchanged with it, and removed if it is empty. */
static int put_in_place(const char *temporary, const char *path) {
        if (rename(temporary, path) == 0)
                return 0;
        if (errno != EISDIR)
                return -errno;
        if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) < 0)
                return -errno;
        (void) rmdir(temporary);
        return 0;
}

static int print_to(FILE *f, state_file_print_t print, void *userdata) {
        int r = print(f, userdata);

        if (r < 0)
                return r;
        errno = 0;
        return fflush(f) != 0 || ferror(f) ? -(errno > 0 ? errno : EIO) : 0;
}

/**
 * state_file_print() - replace a file atomically
 * @print: writes its content
 * @ret:   the open file, to append to it; may be NULL
 *
 * Return: 0, or why it could not be written, with the old file untouched.
 */
int state_file_print(const char *path, state_file_print_t print, void *userdata, FILE **ret) {
        _cleanup_(freep) char *temporary = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r;

        assert(path && print);

        fd = open_temporary(path, &temporary);
        if (fd < 0)
                return fd;
        f = fdopen(fd, "w");
        if (f)
                STEAL_FD(fd);
        r = f ? print_to(f, print, userdata) : -ENOMEM;
        if (r >= 0)
                r = put_in_place(temporary, path);
        if (r < 0) {
                (void) unlink(temporary);
                return r;
        }
        if (ret)
                *ret = STEAL_PTR(f);
        return 0;
}

typedef struct Text {
        const char *text;
        size_t size;
} Text;

static int print_text(FILE *f, void *userdata) {
        const Text *t = userdata;

        (void) fwrite(t->text, 1, t->size, f); /* print_to() checks for errors */
        return 0;
}

/**
 * state_file_replace() - replace a file with a text, atomically
 *
 * Return: 0, or why it could not be written, with the file as before.
 */
int state_file_replace(const char *path, const char *text, size_t size) {
        assert(path && (text || size == 0));

        return state_file_print(path, print_text, &(Text) { text, size }, NULL);
}

/**
 * state_file_touch() - create a file whose existence starts a unit (PathExists=)
 *
 * A failure is ignored: it only delays what the unit does.
 */
void state_file_touch(const char *path) {
        _cleanup_(closep) int fd = -EBADF;

        assert(path);

        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
}
