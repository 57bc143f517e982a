/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoadList: see load-list.h. The rules are those of systemd-modules-load(8) 257: first the kernel command line,
 * then the files in the order of their names; of several with the same name, the one in the highest directory
 * counts, whatever it contains. What is listed twice counts where it is listed first. Owns the names and paths that
 * the entries point to. Never changes once it is made.
 */

#include "common/modprobe/load-list.h"

#include <assert.h>
#include <limits.h>

#include "common/base/array.h"
#include "common/base/config-dirs.h"
#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/read-file.h"
#include "common/base/string-arena.h"
#include "common/base/text.h"
#include "common/words/kernel-command-line.h"

#define BLANKS " \t\n\r"
#define FILE_SIZE_MAX (1U << 20)        /* bytes; real ones have a few lines */

struct LoadList {
        LoadEntry *items;
        size_t n_items, n_allocated;
        bool is_full;                   /* which was reported */
        StringArena strings;
};

typedef struct ListFile {
        const char *path, *name;        /* its last part */
        size_t rank;                    /* of its directory, the highest first */
} ListFile;

typedef struct ListFiles {
        ListFile *items;
        size_t n_items;
        StringArena paths;
} ListFiles;

typedef struct ListReader {             /* one file, or the command line */
        LoadList *list;
        ProblemList *problems;
        const char *file;
        const char *kept_file;          /* the same, owned by the list; NULL: no entry has needed it so far */
        unsigned line;
} ListReader;

static const char *const directories[] = { MODULES_LOAD_DIRS, NULL };

static bool is_listed(const LoadList *l, const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < l->n_items; i++)
                if (strlen(l->items[i].name) == n && module_name_equal(l->items[i].name, name, n))
                        return true;
        return false;
}

static int report_full(ListReader *r) {
        if (r->list->is_full)
                return 0;
        r->list->is_full = true;
        return problem_list_add(r->problems, r->file, r->line,
                                "more than %u modules are listed for the boot, what follows is left out",
                                LOAD_LIST_MAX);
}

/* @name: without blanks around it */
static int add(ListReader *r, const char *name) {
        LoadList *l = r->list;
        char shown[TEXT_SHOWN_MAX];
        LoadEntry e;
        int q;

        if (strlen(name) > REQUEST_KEY_MAX) {
                text_show(name, shown);
                return problem_list_add(r->problems, r->file, r->line,
                                        "'%s' is too long for a module or an alias", shown);
        }
        if (is_listed(l, name))
                return 0;
        if (l->n_items >= LOAD_LIST_MAX)
                return report_full(r);
        q = array_reserve(&l->items, &l->n_allocated, l->n_items + 1, sizeof(*l->items));
        if (q < 0)
                return q;
        if (!r->kept_file)
                r->kept_file = string_arena_add(&l->strings, r->file, strlen(r->file));
        e = (LoadEntry) { .name = string_arena_add(&l->strings, name, strlen(name)),
                          .file = r->kept_file,
                          .line = r->line };
        if (!e.name || !e.file)
                return -ENOMEM;

        l->items[l->n_items++] = e;
        return 0;
}

/* ------------------------------------------------------------------------------------------ command line */

/* "a,b": what is between commas. */
static int on_value(const char *value, void *userdata) {
        _cleanup_(freep) char *copy = strdup(value);
        char *rest = copy, *name;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        while (r >= 0 && (name = strsep(&rest, ",")))
                if (*name)
                        r = add(userdata, name);
        return r;
}

static int read_command_line(LoadList *l, const LoadListSources *sources, ProblemList *problems) {
        ListReader reader = { .list = l, .problems = problems, .file = KERNEL_COMMAND_LINE_FILE };
        int r;

        if (!sources->command_line)
                return 0;
        r = kernel_command_line_each(sources->command_line, "modules_load", on_value, &reader);
        if (r >= 0 && sources->in_initramfs)
                r = kernel_command_line_each(sources->command_line, "rd.modules_load", on_value, &reader);
        return r;
}

/* ------------------------------------------------------------------------------------------------- files */

/*
 * Cuts off the next line. It ends at a newline, a carriage return or both, or at a NUL, as for read_line() of
 * systemd. Return: false: there are no more.
 */
static bool next_line(char **pos, char *end, char **ret) {
        char *p = *pos;

        if (p >= end)
                return false;
        *ret = p;
        while (p < end && !strchr("\n\r", *p)) /* also finds the NUL */
                p++;
        if (p + 1 < end && ((p[0] == '\r' && p[1] == '\n') || (p[0] == '\n' && p[1] == '\r')))
                *p++ = '\0';
        *p = '\0';                      /* there is one byte behind the text */
        *pos = p + 1;
        return true;
}

static int read_lines(ListReader *r, char *text, size_t size) {
        char *end = text + size, *line;

        while (next_line(&text, end, &line)) {
                size_t n;
                int q;

                r->line++;
                line += strspn(line, BLANKS);
                if (*line == '\0' || *line == '#' || *line == ';')
                        continue;
                n = strlen(line);
                while (strchr(BLANKS, line[n - 1]))
                        n--;
                line[n] = '\0';
                q = add(r, line);
                if (q < 0)
                        return q;
        }
        return 0;
}

/* What systemd, which runs as root, does not read either. */
static int report_unreadable(const char *path, int error, ProblemList *problems) {
        if (error == -ENOMEM)
                return error;
        if (error == -EBADF || error == -EISDIR)
                return problem_list_add(problems, path, 0, "is not a regular file, not read");
        if (error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ENAMETOOLONG ||
            error == -EFBIG)
                return problem_list_add(problems, path, 0, "cannot be read: %s", strerror(-error));
        return problem_list_add_unread(problems, path, "cannot be read: %s", strerror(-error));
}

static int read_list_file(LoadList *l, const char *path, ProblemList *problems) {
        ListReader reader = { .list = l, .problems = problems, .file = path };
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        fd = read_file_open(path);      /* also of a link to /dev/null, which masks a file */
        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &text, &size);
        return r < 0 ? report_unreadable(path, r, problems) : read_lines(&reader, text, size);
}

static void list_files_clear(ListFiles *f) {
        string_arena_clear(&f->paths);
        free(f->items);
}

static int add_file(ListFiles *f, const char *directory, const char *name, size_t rank) {
        char joined[PATH_MAX];
        const char *path;
        int n = snprintf(joined, sizeof(joined), "%s/%s", directory, name);

        if (n < 0 || (size_t) n >= sizeof(joined))
                return 0;               /* too long to be opened */
        if (array_grow(&f->items, f->n_items, sizeof(*f->items)) < 0)
                return -ENOMEM;
        path = string_arena_add(&f->paths, joined, (size_t) n);
        if (!path)
                return -ENOMEM;
        f->items[f->n_items++] = (ListFile) { .path = path, .name = strrchr(path, '/') + 1, .rank = rank };
        return 0;
}

static int find_files(ListFiles *f, const char *directory, size_t rank, ProblemList *problems) {
        _cleanup_(closedirp) DIR *d = file_access_opendir(directory);
        struct dirent *e;

        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0
                                                           : report_unreadable(directory, -errno, problems);
        while ((errno = 0, e = readdir(d))) {
                int r;

                if (e->d_name[0] == '.' || !endswith(e->d_name, ".conf"))
                        continue;
                r = add_file(f, directory, e->d_name, rank);
                if (r < 0)
                        return r;
        }
        return errno == 0 ? 0
                          : problem_list_add_unread(problems, directory, "cannot be read to its end: %s",
                                                    strerror(errno));
}

static int compare_files(const void *a, const void *b) {
        const ListFile *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x->rank > y->rank) - (x->rank < y->rank);
}

static int read_files(LoadList *l, const char *root, ProblemList *problems) {
        _cleanup_(list_files_clear) ListFiles files = {};
        int r;

        for (size_t i = 0; directories[i]; i++) {
                char path[PATH_MAX];

                if (snprintf(path, sizeof(path), "%s%s", root ?: "", directories[i]) >= (int) sizeof(path))
                        return -ENAMETOOLONG;
                r = find_files(&files, path, i, problems);
                if (r < 0)
                        return r;
        }
        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(*files.items), compare_files);
        for (size_t i = 0; i < files.n_items; i++) {
                if (i > 0 && streq(files.items[i].name, files.items[i - 1].name))
                        continue;       /* hidden by the one in a higher directory */
                r = read_list_file(l, files.items[i].path, problems);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------ object */

/**
 * load_list_new() - read all lists
 * @problems: what cannot be read is added, and left out
 *
 * Return: 0; -ENOMEM; -ENAMETOOLONG for the root.
 */
int load_list_new(LoadList **ret, const LoadListSources *sources, ProblemList *problems) {
        _cleanup_(load_list_freep) LoadList *l = NULL;
        int r;

        assert(ret && sources);

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        r = read_command_line(l, sources, problems);
        if (r >= 0)
                r = read_files(l, sources->root, problems);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(l);
        return 0;
}

/* Return: NULL. */
LoadList *load_list_free(LoadList *l) {
        if (!l)
                return NULL;

        string_arena_clear(&l->strings);
        free(l->items);
        free(l);
        return NULL;
}

/* In the order in which systemd would load them. */
const LoadEntry *load_list_entries(const LoadList *l, size_t *ret_n) {
        assert(l && ret_n);

        *ret_n = l->n_items;
        return l->items;
}

/* The directories, the highest first, without a root; NULL-terminated. */
const char *const *load_list_directories(void) {
        return directories;
}
