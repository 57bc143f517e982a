/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicySources: reads the kernel command line, the grants, the files of policy.d, and after each of these the
 * lists that it includes, into one Policy.
 */

#include "common/policy-files/policy-sources.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/array.h"
#include "common/base/checked-file.h"
#include "common/base/config-dirs.h"
#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/nearest-name.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/policy-files/policy-command-line.h"
#include "common/policy-files/policy-parse.h"
#include "common/policy/policy-file.h"
#include "common/policy/policy-grants.h"
#include "common/words/kernel-command-line.h"

#define SUFFIX ".yaml"
#define SUFFIX_WRONG ".yml"

typedef struct Names {
        char **items;
        size_t n;
} Names;

typedef struct Reader {
        const PolicySources *sources;
        const char *root;
        const char *const *list_dirs;
        PolicyFile **files;             /* in order */
        size_t n_files, n_rules;
        Names seen;                     /* names of files in higher directories */
        Names included;                 /* lists that have been read, or cannot be read */
        bool lists_checked;             /* the directories of lists */
        int lists_error;
        bool broken;
        bool may_deny;                  /* a file that cannot be used may contain "default: deny" */
        ProblemList *problems;
} Reader;

/* ----------------------------------------------------------------------------------------------- names */

static void names_clear(Names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i]);
        free(names->items);
        *names = (Names) {};
}

static bool names_have(const Names *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (streq(names->items[i], name))
                        return true;
        return false;
}

static int names_add(Names *names, const char *name, size_t length) {
        int r;

        r = array_grow(&names->items, names->n, sizeof(*names->items));
        if (r < 0)
                return r;
        names->items[names->n] = strndup(name, length);
        if (!names->items[names->n])
                return -ENOMEM;
        names->n++;
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void names_sort(Names *names) {
        if (names->n > 0)
                qsort(names->items, names->n, sizeof(*names->items), compare_names);
}

/* Whether it is the name of a file with this suffix that is not hidden. */
static bool has_suffix(const char *name, const char *suffix) {
        return name[0] != '.' && endswith(name, suffix);
}

static void reader_clear(Reader *r) {
        for (size_t i = 0; i < r->n_files; i++)
                policy_file_free(r->files[i]);
        free(r->files);
        names_clear(&r->seen);
        names_clear(&r->included);
}

/* ----------------------------------------------------------------------------------------------- files */

/* Notes that a file cannot be used; the problem has been added. Return: 0; -ENOMEM if @error is. */
static int reader_break(Reader *r, int error) {
        if (error == -ENOMEM)
                return error;
        r->broken = true;
        return 0;
}

_printf_(3, 4) static int complain(Reader *r, const char *path, const char *format, ...) {
        va_list ap;
        int e;

        va_start(ap, format);
        e = problem_list_add_v(r->problems, path, 0, 0, format, ap);
        va_end(ap);
        r->broken = true;
        return e;
}

/* Takes @f, even on failure. */
static int add_file(Reader *r, PolicyFile *f) {
        _cleanup_(policy_file_freep) PolicyFile *taken = f;
        int e;

        if (r->n_files >= POLICY_FILES_MAX)
                return complain(r, f->path, "there are more than %u files, it is not used",
                                POLICY_FILES_MAX);
        if (r->n_rules + f->n_rules > POLICY_RULES_MAX)
                return complain(r, f->path, "with it there are more than %u rules, it is not used",
                                POLICY_RULES_MAX);
        e = array_grow(&r->files, r->n_files, sizeof(*r->files));
        if (e < 0)
                return e;
        if (!r->sources->keep_texts)
                policy_file_forget_text(f);
        r->n_rules += f->n_rules;
        r->files[r->n_files++] = STEAL_PTR(taken);
        return 0;
}

static bool is_draft(const Reader *r, const char *path) {
        return r->sources->draft && streq(r->sources->draft->path, path);
}

/* Return: as policy_file_read_if_there(). */
static int read_policy_file(Reader *r, const char *path, PolicyFileKind kind, PolicyFile **ret) {
        const PolicyDraft *draft = r->sources->draft;
        struct stat st;
        int e = 0;

        if (!is_draft(r, path))
                return policy_file_read_if_there(ret, path, kind, r->sources->trusted_only, r->problems);
        if (r->sources->trusted_only && file_access_stat(path, &st) == 0)
                e = policy_check_trust(
                        path, &st, r->problems); /* the new file will have owner and mode of the old one */
        return e < 0 ? e : policy_file_parse(ret, path, kind, draft->text, draft->size, r->problems);
}

static int make_path(const Reader *r, const char *dir, const char *name, const char *suffix, char **ret) {
        if (asprintf(ret, "%s%s%s%s%s", r->root, dir, name ? "/" : "", name ?: "", suffix) >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

static bool is_null_device(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int policy_sources_read_command_line(PolicyFile **ret, const char *given, ProblemList *problems) {
        _cleanup_(freep) char *text = NULL;
        int e;

        assert(ret);

        if (!given) {
                e = kernel_command_line_read(&text, problems);
                if (e < 0)
                        return e;
        }
        return policy_command_line_parse(ret, given ?: text ?: "", problems);
}

static int read_command_line(Reader *r) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        int e;

        e = policy_sources_read_command_line(&f, r->sources->command_line, r->problems);
        if (e < 0 || f->n_rules == 0)
                return e;
        return add_file(r, STEAL_PTR(f));
}

/*
 * The file of grants belongs to lkmd, as does its directory, so that lkmd can put any file there.
 * checked_file_read() therefore protects root, who reads it, too.
 */
static int read_grants_text(const char *path, char **ret, size_t *ret_size, const char **ret_reason) {
        _cleanup_(freep) char *dir = strdup(path);
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        char *slash;

        if (!dir)
                return -ENOMEM;
        slash = strrchr(dir, '/');
        *slash = '\0';
        fd = open(slash == dir ? "/" : dir, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0) {
                *ret_reason = errno == ENOTDIR ? "its directory is a link" : strerrordesc_np(errno);
                return -errno;
        }
        return checked_file_read(fd, slash + 1, st.st_uid, POLICY_FILE_MAX, ret, ret_size, ret_reason);
}

static int read_grants(Reader *r) {
        const char *given = r->sources->grants_file ?: LKMD_GRANTS_FILE, *reason;
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t size = 0;
        BootMoment now;
        int e;

        if (*given == '\0')
                return 0;
        e = make_path(r, given, NULL, "", &path);
        if (e < 0)
                return e;
        e = read_grants_text(path, &text, &size, &reason);
        if (e == -ENOENT || e == -ENOMEM)
                return e == -ENOENT ? 0 : e;
        if (e < 0)
                return problem_list_add(r->problems, path, 0, "it is not used: %s", reason);
        e = policy_file_parse(&f, path, POLICY_FILE_GRANTS, text, size, r->problems);
        if (e < 0) /* the problem has been added; the rules hold without grants, as in lkmd */
                return e == -ENOMEM ? e : 0;
        if (r->sources->boot)
                now = *r->sources->boot;
        else
                boot_moment_now(&now);
        e = policy_grants_settle(f, &now, r->problems);
        return e < 0 ? e : add_file(r, STEAL_PTR(f));
}

/* ----------------------------------------------------------------------------------------------- lists */

/* The names of all lists, including those that cannot be read. */
static int find_lists(Reader *r, Names *ret) {
        for (size_t i = 0; r->list_dirs[i]; i++) {
                _cleanup_(closedirp) DIR *dir = NULL;
                _cleanup_(freep) char *path = NULL;
                struct dirent *entry;
                int e;

                e = make_path(r, r->list_dirs[i], NULL, "", &path);
                if (e < 0)
                        return e;
                dir = file_access_opendir(path);
                while (dir && (entry = readdir(dir))) {
                        size_t length = strlen(entry->d_name);
                        _cleanup_(freep) char *name = NULL;

                        if (!has_suffix(entry->d_name, SUFFIX))
                                continue;
                        name = strndup(entry->d_name, length - strlen(SUFFIX));
                        if (!name)
                                return -ENOMEM;
                        e = names_have(ret, name) ? 0 : names_add(ret, name, strlen(name));
                        if (e < 0)
                                return e;
                }
        }
        names_sort(ret);
        return 0;
}

static int complain_about_list(Reader *r, const PolicyFile *f, const PolicyInclude *include) {
        _cleanup_(names_clear) Names lists = {};
        _cleanup_(freep) char *text = NULL;
        char shown[TEXT_SHOWN_MAX];
        const char *near;
        size_t size;
        FILE *stream;
        int e;

        e = find_lists(r, &lists);
        if (e < 0)
                return e;
        r->broken = true;
        text_show(include->name, shown);
        near = nearest_name_of(include->name, (const char *const *) lists.items, lists.n);

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        (void) fprintf(stream, "there is no list \"%s\"", shown);
        if (near) {
                text_show(near, shown);
                (void) fprintf(stream, "; did you mean \"%s\"?", shown);
        } else
                for (size_t i = 0; i < lists.n; i++) {
                        text_show(lists.items[i], shown);
                        (void) fprintf(stream, "%s%s", i == 0 ? "; there are " : ", ", shown);
                }
        if (fclose(stream) != 0)
                return -ENOMEM;
        return problem_list_add_at(r->problems, f->path, include->line, include->column, "%s", text);
}

/* Called only if a list is included. Return: 0; -EPERM: no list may be used; -ENOMEM. */
static int check_list_dirs(Reader *r) {
        for (size_t i = 0; r->list_dirs[i]; i++) {
                _cleanup_(freep) char *path = NULL;
                int e;

                e = make_path(r, r->list_dirs[i], NULL, "", &path);
                if (e < 0)
                        return e;
                e = policy_check_directory(path, r->problems);
                if (e < 0)
                        return e;
        }
        return 0;
}

static int read_list(Reader *r, const PolicyFile *f, const PolicyInclude *include) {
        int e = -ENOENT;

        for (size_t i = 0; r->list_dirs[i] && e == -ENOENT; i++) {
                _cleanup_(policy_file_freep) PolicyFile *list = NULL;
                _cleanup_(freep) char *path = NULL;

                e = make_path(r, r->list_dirs[i], include->name, SUFFIX, &path);
                if (e < 0)
                        return e;
                e = read_policy_file(r, path, POLICY_FILE_LIST, &list);
                if (e < 0)
                        continue;
                list->mode = f->mode == _POLICY_MODE_INVALID ? POLICY_ENFORCE : f->mode;
                policy_file_set_mode(list, list->mode);
                return add_file(r, STEAL_PTR(list));
        }
        return e == -ENOENT ? complain_about_list(r, f, include) : reader_break(r, e);
}

/* A list that is included several times is read at the first. */
static int read_includes(Reader *r, const PolicyFile *f) {
        int e;

        if (f->n_includes == 0)
                return 0;
        if (r->sources->trusted_only) {
                if (!r->lists_checked)
                        r->lists_error = check_list_dirs(r);
                r->lists_checked = true;
                if (r->lists_error < 0)
                        return reader_break(r, r->lists_error);
        }

        for (size_t i = 0; i < f->n_includes; i++) {
                const PolicyInclude *include = f->includes + i;

                if (names_have(&r->included, include->name))
                        continue;
                e = names_add(&r->included, include->name, strlen(include->name));
                if (e >= 0)
                        e = read_list(r, f, include);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* -------------------------------------------------------------------------------------------- policy.d */

static int tell_wrong_suffix(Reader *r, const char *dir, const char *name) {
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/%s", dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return problem_list_add(r->problems, path, 0,
                                "it is not used: its name would have to end in " SUFFIX);
}

/* The names of the files of a directory, sorted. Return: 0, also if it does not exist; -errno. */
static int list_directory(Reader *r, const char *path, Names *ret) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int e;

        if (r->sources->trusted_only) {
                e = policy_check_directory(
                        path, r->problems); /* also if it does not exist: somebody could create it */
                if (e < 0) {
                        r->may_deny = true;
                        return reader_break(r, e);
                }
        }
        dir = file_access_opendir(path);
        if (!dir && errno == ENOENT)
                return 0;
        if (!dir) {
                r->may_deny = r->broken = true;
                return errno == ENOMEM ? -ENOMEM
                                       : problem_list_add_unread(r->problems, path, "it cannot be read: %s",
                                                                 strerror(errno));
        }

        while ((entry = readdir(dir))) {
                e = 0;
                if (has_suffix(entry->d_name, SUFFIX))
                        e = names_add(ret, entry->d_name, strlen(entry->d_name));
                else if (has_suffix(entry->d_name, SUFFIX_WRONG))
                        e = tell_wrong_suffix(r, path, entry->d_name);
                if (e < 0)
                        return e;
                if (ret->n > POLICY_FILES_MAX)
                        return complain(r, path, "there are more than %u files, the rest is not used",
                                        POLICY_FILES_MAX);
        }
        names_sort(ret);
        return 0;
}

/* The target of a link is in other directories, which are checked as well. */
static int check_link(Reader *r, const char *path) {
        _cleanup_(freep) char *real = NULL;
        struct stat st;

        if (lstat(path, &st) < 0 ? errno != EACCES : !S_ISLNK(st.st_mode))
                return 0;
        real = file_access_realpath(path);
        if (!real)
                return 0;               /* reading it reports why */
        *(strrchr(real, '/') + 1) = '\0';
        return policy_check_directory(real, r->problems);
}

static int read_file(Reader *r, const char *path) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        const PolicyFile *added;
        struct stat st;
        size_t n;
        int e;

        if (!is_draft(r, path) && file_access_stat(path, &st) == 0 && is_null_device(&st))
                return 0; /* it masks files of the same name */

        e = r->sources->trusted_only ? check_link(r, path) : 0;
        if (e >= 0)
                e = read_policy_file(r, path, POLICY_FILE_RULES, &f);
        if (e == -ENOENT && (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode)))
                return 0; /* removed meanwhile: another reload follows */
        if (e == -ENOENT)
                return complain(r, path, "it is a link to a file that is not there");
        if (e < 0) {
                r->may_deny |= policy_file_may_deny(path);
                return reader_break(r, e);
        }

        n = r->n_files;
        added = f;
        e = add_file(r, STEAL_PTR(f));
        return e < 0 || r->n_files == n ? e : read_includes(r, added);
}

/* The draft of a file that is not there yet is one of its directory. */
static int add_draft(Reader *r, const char *path, Names *names) {
        const char *draft = r->sources->draft ? r->sources->draft->path : NULL, *name;
        int e;

        if (!draft || !startswith(draft, path) || draft[strlen(path)] != '/')
                return 0;
        name = draft + strlen(path) + 1;
        if (strchr(name, '/') || !has_suffix(name, SUFFIX) || names_have(names, name))
                return 0;
        e = names_add(names, name, strlen(name));
        names_sort(names);
        return e;
}

/* A directory of files; or one file of any name. */
static int read_directory(Reader *r, const char *dir) {
        _cleanup_(names_clear) Names names = {};
        _cleanup_(freep) char *path = NULL;
        struct stat st;
        int e;

        e = make_path(r, dir, NULL, "", &path);
        if (e < 0)
                return e;
        if (r->sources->files_too && file_access_stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
                return read_file(r, path);
        e = list_directory(r, path, &names);
        if (e >= 0)
                e = add_draft(r, path, &names);
        if (e < 0)
                return e;

        for (size_t i = 0; i < names.n; i++) {
                _cleanup_(freep) char *file = NULL;

                if (names_have(&r->seen, names.items[i]))
                        continue;
                e = make_path(r, dir, names.items[i], "", &file);
                if (e >= 0)
                        e = names_add(&r->seen, names.items[i], strlen(names.items[i]));
                if (e >= 0)
                        e = read_file(r, file);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------- the whole */

const char *const *policy_sources_dirs(void) {
        static const char *const dirs[] = { LKMD_POLICY_DIRS, NULL };

        return dirs;
}

const char *const *policy_sources_list_dirs(void) {
        static const char *const dirs[] = { LKMD_LIST_DIRS, NULL };

        return dirs;
}

static int read_all(Reader *r) {
        const char *const *dirs = r->sources->dirs ?: policy_sources_dirs();
        int e;

        e = read_command_line(r);
        if (e < 0)
                return e;
        e = read_grants(r);
        for (size_t i = 0; e >= 0 && dirs[i]; i++)
                e = read_directory(r, dirs[i]);
        return e;
}

/* What a broken file allows is not known, so no module is denied by default. */
static void drop_default_deny(Reader *r) {
        for (size_t i = 0; i < r->n_files; i++)
                if (r->files[i]->default_verdict == POLICY_DENY) {
                        r->files[i]->default_verdict = POLICY_NO_VERDICT;
                        r->may_deny = true;
                }
}

/**
 * policy_sources_read() - read all sources of the policy
 * @options:    of the new policy
 * @ret_broken: whether some file cannot be used; NULL: that is an error
 * @problems:   gets all errors, each with its place
 *
 * Return: 0; -EBADMSG, only if @ret_broken is NULL; -ENOMEM.
 */
int policy_sources_read(Policy **ret, const PolicySources *sources, const PolicyOptions *options,
                        bool *ret_broken, ProblemList *problems) {
        _cleanup_(reader_clear) Reader r = {
                .sources = sources,
                .problems = problems,
        };
        int e;

        assert(ret && sources && options);

        r.root = sources->root ?: "";
        r.list_dirs = sources->list_dirs ?: policy_sources_list_dirs();

        e = read_all(&r);
        if (e < 0)
                return e;
        if (r.broken && !ret_broken)
                return -EBADMSG;
        if (r.broken)
                drop_default_deny(&r);

        e = policy_new(ret, r.files, r.n_files, options);
        if (e < 0)
                return e;
        r.files = NULL; /* the policy has taken them */
        r.n_files = 0;
        if (r.broken && r.may_deny)
                policy_set_incomplete(*ret);
        if (ret_broken)
                *ret_broken = r.broken;
        return 0;
}
