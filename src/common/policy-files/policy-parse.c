/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyParse: reads a file after a check of who can write it; yaml-reader.c makes nodes of its text, and
 * policy-schema.c makes rules of the nodes. Owns nothing.
 */

#include "common/policy-files/policy-parse.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/read-file.h"
#include "common/policy-files/policy-schema.h"
#include "common/policy-files/yaml-reader.h"
#include "common/words/policy-words.h"

/* Adds a problem of a file as a whole. Return: @error; -ENOMEM. */
_printf_(4, 5) static int refuse(ProblemList *problems, const char *path, int error, const char *format,
                                 ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = problem_list_add_v(problems, path, 0, 0, format, ap);
        va_end(ap);
        return r < 0 ? r : error;
}

/*
 * Return: the beginning of line @line, searched from @from, the beginning of line @at; @end if there is no such
 * line.
 */
static const char *find_line(const char *from, const char *end, unsigned at, unsigned line) {
        for (; from < end && at < line; at++) {
                const char *feed = memchr(from, '\n', (size_t) (end - from));

                from = feed ? feed + 1 : end;
        }
        return from;
}

static int check_words(const PolicyRule *rule, const char *text, size_t size, const char *key,
                       const char *const *items, size_t n_items, ProblemList *problems) {
        for (size_t i = 0; i < n_items; i++)
                if (!policy_words_have(text, size, key, items[i])) {
                        int r = problem_list_add_at(
                                problems, rule->file, rule->line, rule->column,
                                "lkmd-loader, which reads no YAML, does not find '%s' under "
                                "\"%s\": write it there as it is, without \\ and on one line",
                                items[i], key);

                        return r < 0 ? r : -EBADMSG;
                }
        return 0;
}

/* Reports now what lkmd-loader would not find (loader-words.c), rather than when a driver is needed. */
static int check_all_words(const PolicyFile *f, const char *text, size_t size, ProblemList *problems) {
        const char *end = text + size, *from = text;
        unsigned line = 1;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_rules; i++) {
                const PolicyRule *rule = f->rules + i, *next = i + 1 < f->n_rules ? rule + 1 : NULL;
                const char *stop;

                from = find_line(from, end, line, rule->line);
                line = rule->line;
                /* of several rules on one line, the last is checked: the text is the same for all */
                stop = next && next->line > line ? find_line(from, end, line, next->line) : end;
                if (next && next->line == line)
                        continue;
                r = check_words(rule, from, (size_t) (stop - from), "options", rule->options,
                                rule->n_options, problems);
                if (r >= 0)
                        r = check_words(rule, from, (size_t) (stop - from), "parameters",
                                        rule->parameters, rule->n_parameters, problems);
        }
        return r;
}

/**
 * policy_file_parse() - parse a policy in memory
 * @path: for messages; copied
 * @text: @size bytes, need not end with a NUL byte
 */
int policy_file_parse(PolicyFile **ret, const char *path, PolicyFileKind kind, const char *text, size_t size,
                      ProblemList *problems) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(yaml_reader_freep) YamlReader *yaml = NULL;
        int r;

        assert(ret && path && (text || size == 0));

        if (size > POLICY_FILE_MAX)
                return refuse(problems, path, -EBADMSG, "it has more than %u bytes", POLICY_FILE_MAX);
        f = policy_file_new(path, kind);
        if (!f)
                return -ENOMEM;
        r = yaml_reader_new(&yaml, f->path, text, size, POLICY_DEPTH_MAX, problems);
        if (r < 0)
                return r;
        r = policy_schema_read(f, yaml);
        if (r >= 0 && kind != POLICY_FILE_GRANTS)
                r = check_all_words(f, text, size, problems);
        if (r < 0)
                return r;

        policy_file_set_mode(f, f->mode == _POLICY_MODE_INVALID ? POLICY_ENFORCE : f->mode);
        *ret = STEAL_PTR(f);
        return 0;
}

/* --------------------------------------------------------------------------------------------- reading */

/**
 * policy_check_trust() - check that only root can write a file or directory
 * @st: of the file or directory
 *
 * A process that is not root, as in tests, also trusts its own files.
 *
 * Return: 0; -EPERM, with a problem that says how to correct it; -ENOMEM.
 */
int policy_check_trust(const char *path, const struct stat *st, ProblemList *problems) {
        uid_t self = geteuid();

        assert(path && st);

        if (st->st_uid != 0 && (self == 0 || st->st_uid != self))
                return refuse(problems, path, -EPERM,
                              "it belongs to user %u, who could change it, so it is not used: "
                              "chown root '%s'",
                              (unsigned) st->st_uid, path);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return refuse(problems, path, -EPERM,
                              "others than its owner can write it, so it is not used: chmod go-w '%s'",
                              path);
        return 0;
}

static bool is_said(const ProblemList *problems, const char *path) {
        for (size_t i = 0; problems && i < problems->n_items; i++)
                if (streq(problems->items[i].file, path) && problems->items[i].line == 0)
                        return true;
        return false;
}

/*
 * Whoever can write a directory can replace the files in it, except in a directory with the sticky bit, where only
 * the owner of a file can.
 */
static int check_parents(const char *path, ProblemList *problems) {
        _cleanup_(freep) char *parent = strdup(path);
        uid_t self = geteuid();
        char *slash;

        if (!parent)
                return -ENOMEM;
        while ((slash = strrchr(parent, '/'))) {
                const char *name = slash == parent ? "/" : parent;
                struct stat st;

                *slash = '\0';
                if (file_access_stat(name, &st) < 0)
                        continue;
                if (st.st_uid != 0 && (self == 0 || st.st_uid != self))
                        return is_said(problems, name)
                                       ? -EPERM
                                       : refuse(problems, name, -EPERM,
                                                "it belongs to user %u, who could change what is below it, so that is "
                                                "not used: chown root '%s'",
                                                (unsigned) st.st_uid, name);
                if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
                        return is_said(problems, name)
                                       ? -EPERM
                                       : refuse(problems, name, -EPERM,
                                                "others than its owner can write it, so nothing below it is used: "
                                                "chmod go-w '%s'",
                                                name);
        }
        return 0;
}

/**
 * policy_check_directory() - check that only root can change the files of a directory, or replace the directory
 * @path: absolute; need not exist
 *
 * Return: as policy_check_trust().
 */
int policy_check_directory(const char *path, ProblemList *problems) {
        _cleanup_(freep) char *real = NULL;
        struct stat st;
        int r;

        assert(path);

        if (file_access_stat(path, &st) == 0) {
                r = policy_check_trust(path, &st, problems);
                if (r < 0)
                        return r;
        }
        r = check_parents(path, problems);
        if (r < 0)
                return r;
        real = file_access_realpath(path);
        return real && !streq(real, path) ? check_parents(real, problems) : 0;
}

static int check_file(int fd, const char *path, bool trusted_only, ProblemList *problems) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return refuse(problems, path, -errno, "it cannot be read: %s", strerror(errno));
        if (S_ISDIR(st.st_mode))
                return refuse(problems, path, -EISDIR, "it is a directory");
        if (!S_ISREG(st.st_mode))
                return refuse(problems, path, -EBADMSG, "it is no regular file");
        return trusted_only ? policy_check_trust(path, &st, problems) : 0;
}

/* Return: @error, or -ENOMEM. */
static int unread(ProblemList *problems, const char *path, int error) {
        int r = problem_list_add_unread(problems, path, "it cannot be read: %s", strerror(-error));

        return r < 0 ? r : error;
}

int policy_file_read_if_there(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                              ProblemList *problems) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        assert(ret && path);

        fd = file_access_open(path);
        if (fd == -ENOENT)
                return -ENOENT;
        if (fd < 0)
                return unread(problems, path, fd);
        r = check_file(fd, path, trusted_only, problems);
        if (r < 0)
                return r;
        r = read_file(fd, POLICY_FILE_MAX, &text, &size);
        if (r == -EFBIG)
                return refuse(problems, path, -EBADMSG, "it has more than %u bytes", POLICY_FILE_MAX);
        if (r < 0)
                return unread(problems, path, r);
        r = policy_file_parse(ret, path, kind, text, size, problems);
        if (r < 0)
                return r;
        (*ret)->text = STEAL_PTR(text);
        (*ret)->text_size = size;
        return 0;
}

/* Return: @p behind blanks and quotes. */
static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t\"'");
}

/**
 * policy_file_may_deny() - whether a file may contain "default: deny"
 *
 * For a file that is broken or cannot be read. Searches for the words, without parsing.
 */
bool policy_file_may_deny(const char *path) {
        _cleanup_(closep) int fd = file_access_open(path);
        _cleanup_(freep) char *text = NULL, *copy = NULL;
        size_t size = 0;

        if (fd < 0 || check_file(fd, path, /* trusted_only= */ false, NULL) < 0 ||
            read_file(fd, POLICY_FILE_MAX, &text, &size) < 0)
                return true;
        copy = strndup(text, size); /* shorter if there are NUL bytes */
        if (!copy || strlen(copy) < size)
                return true;
        for (const char *p = copy; (p = strstr(p, "default"));) {
                p = skip_blanks(p + strlen("default"));
                if (*p == ':' && startswith(skip_blanks(p + 1), "deny"))
                        return true;
        }
        return false;
}

/**
 * policy_file_read() - read one file
 * @trusted_only: refuse it unless only root can write it
 */
int policy_file_read(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                     ProblemList *problems) {
        int r;

        r = policy_file_read_if_there(ret, path, kind, trusted_only, problems);
        if (r == -ENOENT)
                return refuse(problems, path, -ENOENT, "it is not there");
        return r;
}
