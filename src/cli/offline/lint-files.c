/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintFiles: what lies in the directories of modprobe.d and of policies but has no effect there. modprobe.d is read by
 * ModprobeConfig, which says what it meets; so this is about the same files as loads are.
 */

#include "cli/offline/lint-files.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/offline/lint-accept-reading.h"
#include "cli/offline/lint-lines.h"
#include "cli/offline/lint-text.h"
#include "common/base/glob.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/string-list.h"
#include "common/policy-files/policy-sources.h"
#include "common/words/config-line.h"

#define FILE_SIZE_MAX (16U << 20)

typedef struct Observation {
        Lint *lint;
        bool is_garbled;                /* the file that is read */
} Observation;

static const char *last_part(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* ------------------------------------------------------------------------------------------- what is not read */

/* The lines that modprobe would follow in a file with another name. Return: 0; -ENOMEM. */
static int count_lines(const char *path, size_t *ret) {
        _cleanup_(closep) int fd = read_file_open(path);
        _cleanup_(freep) char *text = NULL;
        char *pos, *line, *word;
        unsigned n_lines;
        size_t size;
        int r;

        *ret = 0;
        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (pos = text; (line = config_line_next(&pos, text + size, &n_lines));)
                if (*line != '#' && (word = config_word_next(&line)) && config_kind_from_string(word) >= 0)
                        (*ret)++;
        return 0;
}

/* Why a file has such a name. */
static const char *explain_name(const char *name) {
        static const struct {
                const char *glob, *text;
        } reasons[] = {
                { "*.rpmsave", "rpm put it there when it removed or replaced the one that counted" },
                { "*.rpmorig", "rpm put it there when it replaced the one that counted" },
                { "*.rpmnew", "it is the new version from the package, the old one still counts" },
                { "*.dpkg-old", "dpkg put it there when it replaced the one that counted" },
                { "*.dpkg-dist", "it is the version of the package, yours still counts" },
                { "*.dpkg-new", "it is the version of the package, yours still counts" },
                { "*.dpkg-bak", "dpkg put it there when it removed the one that counted" },
                { "*.ucf-*", "ucf put it there beside the one that counts" },
                { "*.pacnew", "it is the new version from the package, the old one still counts" },
                { "*.pacsave", "pacman put it there when it removed the one that counted" },
                { "._cfg????_*", "it is the new version from the package, the old one still counts" },
                { "*~", "an editor keeps the earlier version there" },
                { "*.bak", "it looks like a copy of an earlier version" },
                { "*.orig", "it looks like a copy of an earlier version" },
                { "*.old", "it looks like a copy of an earlier version" },
                { "*.sw?", "an editor keeps its own state there" },
        };

        for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
                if (glob_match(reasons[i].glob, name))
                        return reasons[i].text;
        return NULL;
}

/* @what: "its 3 lines" */
static int report_ignored(Lint *l, const char *path, const char *suffix, const char *what) {
        const char *name = last_part(path), *why = explain_name(name);
        Finding finding = { FINDING_IGNORED_FILE, path, 0, 0, NULL, NULL };
        _cleanup_(freep) char *instead = NULL;

        if (asprintf(&instead,
                     "a name that ends in %s and has no dot before it, if this should count; else no file",
                     suffix) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        if (endswith(name, suffix))
                return lint_report(l, &finding, "nothing reads %s: its name begins with a dot", what);
        return lint_report(l, &finding, "nothing reads %s: its name does not end in %s%s%s%s", what, suffix,
                           why ? " (" : "", why ?: "", why ? ")" : "");
}

static int on_ignored_file(Lint *l, const char *path) {
        char what[64];
        size_t n;
        int r = count_lines(path, &n);

        if (r < 0 || n == 0)
                return r;
        (void) snprintf(what, sizeof(what), n == 1 ? "its line" : "its %zu lines", n);
        return report_ignored(l, path, ".conf", what);
}

static bool is_same_file(const char *a, const char *b) {
        struct stat x, y;

        return stat(a, &x) >= 0 && stat(b, &y) >= 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The usual way to switch off a file of a package is an empty file of its name. Equal ones hide nothing. */
static bool have_same_text(const char *a, const char *b) {
        _cleanup_(closep) int fd_a = read_file_open(a), fd_b = read_file_open(b);
        _cleanup_(freep) char *text_a = NULL, *text_b = NULL;
        size_t size_a, size_b;

        if (fd_a < 0 || fd_b < 0 || read_file(fd_a, FILE_SIZE_MAX, &text_a, &size_a) < 0 ||
            read_file(fd_b, FILE_SIZE_MAX, &text_b, &size_b) < 0)
                return false;
        return size_a == size_b && memcmp(text_a, text_b, size_a) == 0;
}

static int on_hidden_file(Lint *l, const char *path, const char *by) {
        Finding finding = { FINDING_HIDDEN_FILE,
                            by,
                            0,
                            0,
                            "another name for this file if the lines there should count too",
                            NULL };
        size_t n, n_by;
        int r;

        if (is_same_file(path, by) || have_same_text(path, by))
                return 0;
        r = count_lines(path, &n);
        if (r >= 0)
                r = count_lines(by, &n_by);
        if (r < 0 || n == 0 || n_by == 0)
                return r;
        return lint_report(l, &finding, "it hides %s, which has the same name: no line there counts (%zu)",
                           path, n);
}

static int on_unreadable(Lint *l, const char *path, int error) {
        Finding finding = { FINDING_NOT_READ, path, 0, 0, NULL, NULL };
        struct stat st;

        l->scope.n_unread++;
        if (error == EISDIR) {
                finding.instead = "files in the directory above it, or another name";
                return lint_report(l, &finding, "it is a directory, in which nothing looks for lines");
        }
        if (error == ENOENT && lstat(path, &st) >= 0 && S_ISLNK(st.st_mode)) {
                finding.instead = "a link to a file that is there, or to /dev/null if none is wanted";
                return lint_report(
                        l, &finding,
                        "it is a link to nothing: no line is read, and it hides no file of the same name");
        }
        if (error == EBADF)
                return lint_report(l, &finding, "it is no regular file, so nothing reads it");
        finding.instead = error == EACCES && geteuid() != 0 ? "run lkmctl policy lint as root" : NULL;
        return lint_report(l, &finding, "what it says is not known: %s", strerror(error));
}

/* modules.softdep: what modules say of themselves, in which nobody can write anything else. */
static bool is_of_modules(const Lint *l, const char *file) {
        return startswith(file, index_get_module_dir(l->index));
}

static int add_directory(Lint *l, const char *path) {
        for (char **d = l->scope.directories; d && *d; d++)
                if (is_same_file(*d, path))
                        return 0;
        return string_list_append(&l->scope.directories, path, strlen(path));
}

static int on_path(const char *path, ConfigPathFate fate, const char *by, int error, void *userdata) {
        Observation *o = userdata;
        Lint *l = o->lint;

        switch (fate) {
        case CONFIG_PATH_DIRECTORY:
                return add_directory(l, path);
        case CONFIG_PATH_READ:
                return is_of_modules(l, path) ? 0 : string_list_append(&l->scope.files, path, strlen(path));
        case CONFIG_PATH_HIDDEN:
                return on_hidden_file(l, path, by);
        case CONFIG_PATH_NOT_NAMED:
                return error ? 0 : on_ignored_file(l, path);
        case CONFIG_PATH_UNREADABLE:
                return on_unreadable(l, path, error);
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------- what is read */

static int on_text(const char *file, const char *text, size_t size, void *userdata) {
        Observation *o = userdata;

        return lint_text(o->lint, file, text, size, &o->is_garbled);
}

static int on_line(const char *file, unsigned line, const char *text, bool counts, void *userdata) {
        Observation *o = userdata;
        Lint *l = o->lint;
        int r;

        if (o->is_garbled || is_of_modules(l, file))
                return 0;
        r = acceptances_read_line(l, file, line, text);
        if (r < 0 || *text == '#')
                return r;
        l->scope.n_lines++;
        return lint_line(l, file, line, text, counts);
}

/* -------------------------------------------------------------------------------------------------- policies */

static bool is_policy_name(const char *name) {
        return name[0] != '.' && endswith(name, ".yaml");
}

/* Files that say that they are policies, beside those that count. */
static int lint_policy_file(Lint *l, const char *dir, const char *name) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t size;
        int r;

        if (asprintf(&path, "%s/%s", dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = read_file_open(path);
        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!startswith(text, "version:") && !strstr(text, "\nversion:"))
                return 0;
        return report_ignored(l, path, ".yaml", "this policy");
}

/* Whether there is anything in a file; the usual way to switch off a file of a package is an empty one of its name. */
static bool has_text(const char *path) {
        struct stat st;

        return stat(path, &st) >= 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* A policy that one in a higher directory hides, as in modprobe.d. @dirs: the highest first */
static int lint_hidden_policy(Lint *l, char *const *dirs, size_t dir, const char *name) {
        for (size_t i = 0; i < dir; i++) {
                _cleanup_(freep) char *path = NULL, *by = NULL;
                Finding finding = { FINDING_HIDDEN_FILE,
                                    NULL,
                                    0,
                                    0,
                                    "another name for this file if the rules there should count too",
                                    NULL };

                if (asprintf(&path, "%s/%s", dirs[dir], name) < 0)
                        path = NULL;
                if (asprintf(&by, "%s/%s", dirs[i], name) < 0)
                        by = NULL;
                if (!path || !by)
                        return -ENOMEM;
                if (access(by, F_OK) < 0)
                        continue;
                finding.file = by;
                if (!has_text(by) || !has_text(path) || is_same_file(path, by) || have_same_text(path, by))
                        return 0;
                return lint_report(l, &finding, "it hides %s, which has the same name: no rule there counts",
                                   path);
        }
        return 0;
}

static int lint_policy_dir(Lint *l, char *const *dirs, size_t dir) {
        _cleanup_(closedirp) DIR *d = opendir(dirs[dir]);
        const struct dirent *e;
        int r = 0;

        while (d && r >= 0 && (e = readdir(d)))
                if (is_policy_name(e->d_name))
                        r = lint_hidden_policy(l, dirs, dir, e->d_name);
                else if (e->d_type != DT_DIR)
                        r = lint_policy_file(l, dirs[dir], e->d_name);
        return r;
}

/* Those of --policy, or those of this build. */
static int list_policy_dirs(const Lint *l, char ***ret) {
        bool own = !l->run->policy.paths;
        const char *const *dirs = own ? policy_sources_dirs() : l->run->policy.paths;
        const char *root = own ? secure_getenv(LKMD_POLICY_ROOT_ENV) ?: "" : "";
        int r = string_list_new(ret);

        for (; r >= 0 && *dirs; dirs++) {
                _cleanup_(freep) char *dir = NULL;

                if (asprintf(&dir, "%s%s", root, *dirs) < 0) {
                        dir = NULL;
                        return -ENOMEM;
                }
                r = string_list_append(ret, dir, strlen(dir));
        }
        return r;
}

static int lint_policy_dirs(Lint *l) {
        _cleanup_(string_list_freep) char **dirs = NULL;
        int r = list_policy_dirs(l, &dirs);

        for (size_t i = 0; r >= 0 && dirs[i]; i++)
                r = lint_policy_dir(l, dirs, i);
        return r;
}

int lint_files(Lint *l) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *config = NULL;
        Observation observation = { .lint = l };
        ConfigObserver observer = { on_path, on_text, on_line, &observation };
        int r;

        assert(l);

        r = modprobe_config_new(&config,
                                &(ModprobeConfigSources) {
                                        .paths = l->run->config.paths,
                                        .module_dir = index_get_module_dir(l->index),
                                        .observer = &observer,
                                },
                                NULL);
        return r < 0 ? r : lint_policy_dirs(l);
}
