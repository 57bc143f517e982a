/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * EditFile: see edit-file.h. The copy has a name of its own that lkmd does not read, since it begins with a dot, and
 * that editors take for YAML. It is removed in the end, unless somebody may still want what it says; a signal leaves
 * it. The lock is on the directory: what is checked is the policy as a whole, so two who edit two files of it would
 * each check something that never comes into force.
 */

#include "cli/verbs/edit-file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/file.h>

#include "cli/machine/proc-file.h"
#include "cli/print/format.h"
#include "cli/verbs/replace-file.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/string-list.h"
#include "common/policy-files/policy-sources.h"

#define SUFFIX ".yaml"
#define COPY_MARK ".edit-" /* between the name of the file and what makes that of the copy unique */
#define EDIT "lkmctl policy edit"

static const char template_rules[] =
        "# Rules about kernel modules, see lkmd-policy(5). The first rule that matches decides; what none matches is allowed.\n"
        "version: 1\n"
        "\n"
        "#rules:\n"
        "#  - id: no-usb-storage\n"
        "#    match: {module: [usb-storage, uas]}\n"
        "#    verdict: deny\n"
        "#    reason: no sticks at this machine\n"
        "#    mode: audit           # only report what would be refused; without this line it is refused\n";
static const char template_list[] =
        "# A list for \"include:\" in files of policy.d, see lkmd-policy(5). Each rule says why, and where that is from.\n"
        "version: 1\n"
        "description:\n"
        "\n"
        "rules:\n"
        "#  - id: dccp\n"
        "#    match: {module: dccp}\n"
        "#    verdict: deny\n"
        "#    reason: nobody here uses it\n"
        "#    source: https://example.org/advisory\n";

/* -------------------------------------------------------------------------------------------- which file */

static int rooted(const char *dir, char **ret) {
        if (asprintf(ret, "%s%s", secure_getenv(LKMD_POLICY_ROOT_ENV) ?: "", dir) >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

/* Those in a directory that lkmd would read. Return: 0, also if there is no such directory; -errno. */
static int list_files(const char *dir, char ***ret) {
        _cleanup_(closedirp) DIR *d = opendir(dir);
        struct dirent *entry;
        int r;

        r = string_list_new(ret);
        if (r < 0 || (!d && errno == ENOENT))
                return r;
        if (!d)
                return -errno;
        while (r >= 0 && (entry = readdir(d)))
                if (entry->d_name[0] != '.' && endswith(entry->d_name, SUFFIX))
                        r = string_list_append(ret, entry->d_name, strlen(entry->d_name));
        return r;
}

/* The only file that there is, or the first one. */
static int choose_file(Run *run, const char *dir, char **ret) {
        _cleanup_(string_list_freep) char **names = NULL;
        _cleanup_(freep) char *hint = NULL;
        size_t size;
        FILE *f;
        int r;

        r = list_files(dir, &names);
        if (r < 0)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo", "%s: %s", dir,
                                         strerror(-r));
        if (string_list_count(names) <= 1) {
                *ret = strdup(names[0] ?: "local" SUFFIX);
                return *ret ? 0 : -ENOMEM;
        }
        f = open_memstream(&hint, &size);
        if (!f)
                return -ENOMEM;
        for (char **name = names; *name; name++)
                fprintf(f, "%s" EDIT " %s", name == names ? "" : "; ", *name);
        if (fclose(f) != 0)
                return -ENOMEM;
        return failure_print_own(&run->out, CLIENT_ERROR_USAGE, hint, "which file? there are %zu in %s",
                                 string_list_count(names), dir);
}

static int bad_name(Run *run, const char *argument, const char *dir) {
        return failure_print_own(
                &run->out, CLIENT_ERROR_USAGE, EDIT " 10-usb",
                "'%s' is no file of the policy: lkmd reads those in %s, whose names end in " SUFFIX
                " and do not begin with a dot",
                argument, dir);
}

/* Is a path one in this directory? Return: 1, with the name; 0; negative errno. */
static int is_below(const char *argument, const char *dir, const char **ret_name) {
        const char *slash = strrchr(argument, '/');
        _cleanup_(freep) char *above = strndup(argument, (size_t) (slash - argument) + 1), *real = NULL,
                              *wanted = NULL;

        if (!above)
                return -ENOMEM;
        *ret_name = slash + 1;
        if (strlen(dir) == (size_t) (slash - argument) && startswith(argument, dir))
                return 1; /* the directory may be to be made */
        real = realpath(above, NULL);
        wanted = realpath(dir, NULL);
        return real && streq_ptr(real, wanted);
}

/* "10-usb", "10-usb.yaml", a path in policy.d, or a path in lists. */
static int take_argument(EditFile *f, Run *run, const char *argument, const char *dir) {
        _cleanup_(freep) char *lists = NULL, *name = NULL;
        const char *base = argument;
        int r;

        r = rooted(policy_sources_list_dirs()[0], &lists);
        if (r < 0)
                return r;
        f->kind = POLICY_FILE_RULES;
        if (strchr(argument, '/')) {
                r = is_below(argument, dir, &base);
                if (r == 0) {
                        r = is_below(argument, lists, &base);
                        f->kind = POLICY_FILE_LIST;
                }
                if (r <= 0)
                        return r < 0 ? r : bad_name(run, argument, dir);
        }
        if (asprintf(&name, "%s%s", base, endswith(base, SUFFIX) ? "" : SUFFIX) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        if (base[0] == '.' || base[0] == '\0' || streq(base, SUFFIX) ||
            strlen(name) + strlen(COPY_MARK) + 8 > NAME_MAX)
                return bad_name(run, argument, dir);
        if (asprintf(&f->path, "%s/%s", f->kind == POLICY_FILE_LIST ? lists : dir, name) < 0) {
                f->path = NULL;
                return -ENOMEM;
        }
        return 0;
}

/**
 * edit_file_find() - which file is meant?
 * @argument: a name or path; NULL: the only one of policy.d, or local.yaml
 */
int edit_file_find(EditFile *f, Run *run, const char *argument) {
        _cleanup_(freep) char *dir = NULL, *chosen = NULL;
        int r;

        assert(f && run);

        *f = (EditFile) { .lock_fd = -EBADF };
        r = rooted(policy_sources_dirs()[0], &dir);
        if (r >= 0 && !argument)
                r = choose_file(run, dir, &chosen);
        return r != 0 ? r : take_argument(f, run, argument ?: chosen, dir);
}

/* ------------------------------------------------------------------------------------------------ the file */

/* A file of the same name further down, which the new one masks. Return: 0, with it or NULL; -ENOMEM. */
static int find_masked(const EditFile *f, char **ret) {
        const char *const *dirs = f->kind == POLICY_FILE_LIST ? policy_sources_list_dirs()
                                                              : policy_sources_dirs();

        for (*ret = NULL; *++dirs;) {
                _cleanup_(freep) char *dir = NULL;
                int r = rooted(*dirs, &dir);

                if (r < 0)
                        return r;
                if (asprintf(ret, "%s%s", dir, strrchr(f->path, '/')) < 0) {
                        *ret = NULL;
                        return -ENOMEM;
                }
                if (access(*ret, F_OK) >= 0)
                        return 0;
                free(STEAL_PTR(*ret));
        }
        return 0;
}

static int read_text(const char *path, char **ret, size_t *ret_size) {
        _cleanup_(closep) int fd = read_file_open(path);

        return fd < 0 ? fd : read_file(fd, POLICY_FILE_MAX, ret, ret_size);
}

static int begin_new(EditFile *f, Run *run) {
        _cleanup_(freep) char *masked = NULL;
        int r;

        f->is_new = true;
        f->real = strdup(f->path);
        if (!f->real)
                return -ENOMEM;
        r = find_masked(f, &masked);
        if (r < 0)
                return r;
        if (masked) {
                if (output_wants_text(&run->out)) {
                        (void) fputs("lkmctl: a new file begins as ", stderr);
                        print_escaped(stderr, masked);
                        (void) fputs(", which it then replaces\n", stderr);
                }
                return read_text(masked, &f->text, &f->size);
        }
        f->text = strdup(f->kind == POLICY_FILE_LIST ? template_list : template_rules);
        f->size = f->text ? strlen(f->text) : 0;
        return f->text ? 0 : -ENOMEM;
}

static int read_file_of(EditFile *f, Run *run) {
        struct stat st;

        if (lstat(f->path, &st) < 0 && errno == ENOENT)
                return begin_new(f, run);
        f->real = realpath(f->path, NULL);
        if (!f->real)
                return -errno;
        if (stat(f->real, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                return read_text(f->real, &f->text, &f->size);
        return failure_print_own(
                &run->out, CLIENT_ERROR_LOCAL, "rm, for a file of your own", "%s is no regular file%s",
                f->path, S_ISCHR(st.st_mode) ? ": a link to a device masks all files of its name" : "");
}

/* ------------------------------------------------------------------------------------------------- the lock */

/* The process that holds the lock. Return: 0: it is not known. */
static unsigned long find_holder(int fd) {
        _cleanup_(freep) char *table = NULL;
        struct stat st;
        char *rest, *line;

        if (fstat(fd, &st) < 0 || proc_file_new(&table, "/proc/locks") < 0)
                return 0;
        rest = table;
        while ((line = proc_file_line(&rest))) {
                char *words[8];
                const char *inode;

                if (proc_line_split(line, words, ARRAY_LEN(words)) < 6 || !streq(words[1], "FLOCK"))
                        continue;
                inode = strrchr(words[5], ':');
                if (inode && strtoull(inode + 1, NULL, 10) == st.st_ino)
                        return strtoul(words[4], NULL, 10);
        }
        return 0;
}

static int take_lock(EditFile *f, Run *run, const char *dir) {
        unsigned long pid;

        f->lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->lock_fd < 0)
                return -errno;
        if (flock(f->lock_fd, LOCK_EX | LOCK_NB) >= 0)
                return 0;
        if (errno != EWOULDBLOCK)
                return -errno;
        pid = find_holder(f->lock_fd);
        if (pid == 0)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same once that is over",
                                         "somebody else edits the policy in %s right now", dir);
        return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same once that is over",
                                 "somebody else edits the policy in %s right now: process %lu", dir, pid);
}

/* ------------------------------------------------------------------------------------------------- the copy */

/* What an earlier run has left, since it was interrupted or refused. */
static void tell_of_earlier(const EditFile *f, const Run *run, const char *dir, const char *base) {
        _cleanup_(closedirp) DIR *d = opendir(dir);
        _cleanup_(freep) char *prefix = NULL;
        struct dirent *entry;

        if (asprintf(&prefix, ".%.*s" COPY_MARK, (int) (strlen(base) - strlen(SUFFIX)), base) < 0) {
                prefix = NULL;
                return;
        }
        while (d && !run->out.quiet && (entry = readdir(d))) {
                if (!startswith(entry->d_name, prefix) || !endswith(entry->d_name, SUFFIX))
                        continue;
                (void) fputs("lkmctl: an earlier edit was not installed, and is still in ", stderr);
                print_escaped(stderr, dir);
                (void) fputc('/', stderr);
                print_escaped(stderr, entry->d_name);
                (void) fputc('\n', stderr);
        }
}

static int make_copy(EditFile *f, const char *dir, const char *base) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *copy = NULL;
        FILE *stream;

        if (asprintf(&copy, "%s/.%.*s" COPY_MARK "XXXXXX" SUFFIX, dir, (int) (strlen(base) - strlen(SUFFIX)),
                     base) < 0) {
                copy = NULL;
                return -ENOMEM;
        }
        fd = mkostemps(copy, (int) strlen(SUFFIX), O_CLOEXEC);
        if (fd < 0)
                return -errno;
        f->copy = STEAL_PTR(copy);
        stream = fdopen(fd, "w");
        if (!stream)
                return -errno;
        fd = -EBADF;
        (void) fwrite(f->text, 1, f->size, stream);
        return fclose(stream) == 0 ? 0 : -errno;
}

/* Makes the last two directories of a path, as far as they are missing. */
static int make_directory(const char *dir) {
        _cleanup_(freep) char *above = strdup(dir);

        if (!above)
                return -ENOMEM;
        *strrchr(above, '/') = '\0';
        if ((mkdir(above, 0755) < 0 && errno != EEXIST) || (mkdir(dir, 0755) < 0 && errno != EEXIST))
                return -errno;
        return 0;
}

static int begin(EditFile *f, Run *run) {
        _cleanup_(freep) char *dir = strndup(f->path, (size_t) (strrchr(f->path, '/') - f->path));
        const char *base;
        int r;

        if (!dir)
                return -ENOMEM;
        base = f->path + strlen(dir) + 1;
        r = access(dir, F_OK) < 0 && errno == ENOENT ? make_directory(dir) : 0;
        if (r >= 0)
                r = take_lock(f, run, dir);
        if (r == 0)
                r = read_file_of(f, run);
        if (r != 0)
                return r;
        tell_of_earlier(f, run, dir, base);
        return make_copy(f, dir, base);
}

/* Locks, reads and copies the file. Only now is it known whether it is there. */
int edit_file_begin(EditFile *f, Run *run) {
        int r;

        assert(f && f->path && run);

        r = begin(f, run);
        if (r == -EACCES || r == -EPERM || r == -EROFS)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL,
                                         r == -EROFS
                                                 ? "mount the file system with that directory for writing"
                                                 : "the same with sudo",
                                         "%s cannot be changed: %s", f->path, strerror(-r));
        if (r >= 0 || r == -ENOMEM)
                return r;
        return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, NULL, "%s cannot be edited: %s", f->path,
                                 strerror(-r));
}

/* What the editor has made of it. */
int edit_file_read_copy(const EditFile *f, char **ret, size_t *ret_size) {
        assert(f && f->copy && ret && ret_size);

        return read_text(f->copy, ret, ret_size);
}

/* Is the file itself what it was when it was copied? Return: 1; 0: somebody else has changed it; negative errno. */
int edit_file_is_untouched(const EditFile *f) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        assert(f && f->real);

        r = read_text(f->real, &text, &size);
        if (r == -ENOENT)
                return f->is_new;
        if (r < 0)
                return r;
        return !f->is_new && size == f->size && memcmp(text, f->text, size) == 0;
}

/* Puts @text into its place. Return: 0; negative errno, with the file as it was. */
int edit_file_install(EditFile *f, const char *text, size_t size) {
        int r;

        assert(f && f->real && text);

        r = replace_file_keeping(f->real, text, size);
        if (r >= 0)
                (void) unlink(f->copy); /* now, in case a signal ends this */
        return r;
}

void edit_file_done(EditFile *f) {
        assert(f);

        if (f->copy && !f->keep_copy)
                (void) unlink(f->copy);
        if (f->lock_fd >= 0)
                (void) close(f->lock_fd);
        free(f->copy);
        free(f->text);
        free(f->real);
        free(f->path);
        *f = (EditFile) { .lock_fd = -EBADF };
}
