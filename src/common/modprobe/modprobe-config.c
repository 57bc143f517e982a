/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModprobeConfig: modprobe.d and the kernel command line, each line with its place. It has the same entries
 * as libkmod's configuration iterators, which do not say where a line is from. Owns the names, values and
 * paths that the entries point to. Never changes once it is made.
 */

#include "common/modprobe/modprobe-config.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/array.h"
#include "common/base/config-dirs.h"
#include "common/base/enum-names.h"
#include "common/base/file-access.h"
#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/string-arena.h"
#include "common/base/text.h"
#include "common/words/config-line.h"
#include "common/words/kernel-command-line.h"

#define FILE_SIZE_MAX (16U << 20)       /* bytes; real ones have some kilobytes */

typedef struct EntryList {
        ConfigEntry *items;
        size_t n_items, n_allocated;
} EntryList;

typedef struct ConfigFile {
        const char *path;
        const char *name;               /* its last part: decides order and masking */
        size_t rank;                    /* of its directory, the highest first */
        bool optional;                  /* need not be there */
} ConfigFile;

typedef struct FileList {
        ConfigFile *items;
        size_t n_items, n_allocated;
        StringArena paths;
        const ConfigObserver *observer; /* NULL: none */
} FileList;

struct ModprobeConfig {
        EntryList lists[_CONFIG_KIND_MAX];
        const ConfigEntry **blacklist;  /* of lists[CONFIG_BLACKLIST], by name, then by order */
        StringArena strings;
};

typedef struct Reader {                 /* one file while it is read */
        ModprobeConfig *config;
        ProblemList *problems;
        const ConfigObserver *observer; /* NULL: none */
        const char *file;
        const char
                *kept_file; /* the same, owned by the configuration; NULL: no entry has needed it so far */
        unsigned line;                  /* first physical line of this logical line */
} Reader;

static const char *const default_paths[] = { MODPROBE_DIRS, NULL };

static const char *const module_dir_files[] = { "modules.softdep", "modules.weakdep" };

static const char *const kind_names[_CONFIG_KIND_MAX] = {
        [CONFIG_ALIAS]     = "alias",
        [CONFIG_BLACKLIST] = "blacklist",
        [CONFIG_OPTIONS]   = "options",
        [CONFIG_INSTALL]   = "install",
        [CONFIG_REMOVE]    = "remove",
        [CONFIG_SOFTDEP]   = "softdep",
        [CONFIG_WEAKDEP]   = "weakdep",
};

/* Stores copies of the name, the value, and, once for all lines of a file, of its path. */
static int config_add(Reader *r, ConfigKind kind, const char *name, const char *value) {
        StringArena *strings = &r->config->strings;
        EntryList *l = &r->config->lists[kind];
        ConfigEntry e = { .kind = kind, .line = r->line };
        int q;

        q = array_reserve(&l->items, &l->n_allocated, l->n_items + 1, sizeof(*l->items));
        if (q < 0)
                return q;
        if (!r->kept_file)
                r->kept_file = string_arena_add(strings, r->file, strlen(r->file));
        e.file = r->kept_file;
        e.name = string_arena_add(strings, name, strlen(name));
        e.value = value ? string_arena_add(strings, value, strlen(value)) : NULL;
        if (!e.file || !e.name || (value && !e.value))
                return -ENOMEM;

        l->items[l->n_items++] = e;
        return 0;
}

/* ------------------------------------------------------------------------------------------------- lines */

/* Return: 1: @text is a complete line of that kind, which was added; 0: it is not. */
static int parse_arguments(Reader *r, ConfigKind kind, char *text) {
        char *name, *value = NULL;
        int q;

        name = config_word_next(&text);
        if (kind == CONFIG_ALIAS) {
                value = config_word_next(&text);
                if (value && name && (!module_name_normalize_in_place(name) || !module_name_normalize_in_place(value)))
                        return 0;
        } else {
                if (name && !module_name_normalize_in_place(name))
                        return 0;
                if (kind != CONFIG_BLACKLIST && *text)
                        value = text;
        }

        if (!name || (!value && kind != CONFIG_BLACKLIST))
                return 0;

        if (kind == CONFIG_OPTIONS)
                for (char *p = value; (p = strchr(p, '\t'));)
                        *p = ' ';

        q = config_add(r, kind, name, value);
        return q < 0 ? q : 1;
}

/* Return: 1: the line counts, or there is nothing in it; 0: it does not count, which was added to the problems. */
static int parse_line(Reader *r, char *text) {
        char shown[TEXT_SHOWN_MAX], *word;
        ConfigKind kind;
        int q = 0;

        if (*text == '#')
                return 1;
        word = config_word_next(&text);
        if (!word)
                return 1;

        kind = config_kind_from_string(word);
        if (kind >= 0) {
                q = parse_arguments(r, kind, text);
                if (q != 0)
                        return q;
        } else if (streq(word, "include") || streq(word, "config"))
                return problem_list_add(r->problems, r->file, r->line, "'%s' is not supported any more",
                                        word);

        text_show(word, shown);
        return problem_list_add(r->problems, r->file, r->line, "ignoring bad line starting with '%s'",
                                shown);
}

/* As parse_line(), which cuts the line into pieces. */
static int parse_observed_line(Reader *r, char *text) {
        const ConfigObserver *o = r->observer;
        _cleanup_(freep) char *copy = NULL;
        int q;

        if (!o || !o->on_line || !*text)
                return parse_line(r, text);
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        q = parse_line(r, text);
        return q < 0 ? q : o->on_line(r->file, r->line, copy, q > 0, o->userdata);
}

static int parse_text(Reader *r, char *text, size_t size) {
        char *end = text + size, *line;
        unsigned n_lines;
        int q;

        r->line = 1;
        while ((line = config_line_next(&text, end, &n_lines))) {
                q = parse_observed_line(r, line);
                if (q < 0)
                        return q;
                r->line += n_lines;
        }

        return 0;
}

/* ------------------------------------------------------------------------------------------------- files */

static int report_path(const ConfigObserver *o, const char *path, ConfigPathFate fate, const char *by,
                       int error) {
        return o && o->on_path ? o->on_path(path, fate, by, error, o->userdata) : 0;
}

/* What kmod, which runs as root, does not read either: dangling links, loops of links, directories. */
static bool is_for_nobody(int error) {
        return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EISDIR ||
               error == ENAMETOOLONG;
}

/* Adds why a path cannot be read. */
static int report_unreadable(const ConfigObserver *o, const char *path, int error, ProblemList *problems) {
        int r = is_for_nobody(error)
                        ? problem_list_add(problems, path, 0, "cannot be read: %s", strerror(error))
                        : problem_list_add_unread(problems, path, "cannot be read: %s", strerror(error));

        return r < 0 ? r : report_path(o, path, CONFIG_PATH_UNREADABLE, NULL, error);
}

/*
 * lkmd-loader accepts parameters only from files that only root can write. This is reported before they are
 * needed.
 */
static int check_owner(int fd, const char *path, ProblemList *problems) {
        struct stat st;

        if (fstat(fd, &st) < 0 || (st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH))))
                return 0;
        return problem_list_add(problems, path, 0,
                                "others than root can write it, so loads that need its options are refused: chown root '%s'; "
                                "chmod go-w '%s'", path, path);
}

static int config_read_file(ModprobeConfig *c, const ConfigFile *file, const ModprobeConfigSources *sources,
                            ProblemList *problems) {
        size_t n_options = c->lists[CONFIG_OPTIONS].n_items;
        const ConfigObserver *o = sources->observer;
        Reader reader = { .config = c, .problems = problems, .observer = o, .file = file->path };
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        if (streq(reader.file, LKMD_DENIED_CONF))
                return 0;               /* made from the policy, which is asked directly */
        fd = read_file_open(reader.file);
        if (fd == -ENOENT && file->optional)
                return 0;
        r = fd < 0 ? fd : read_file(fd, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r == -EBADF || r == -EISDIR) {
                r = problem_list_add(problems, reader.file, 0, "is not a regular file, not read");
                return r < 0 ? r : report_path(o, reader.file, CONFIG_PATH_UNREADABLE, NULL, EBADF);
        }
        if (r < 0)
                return report_unreadable(o, reader.file, -r, problems);

        r = report_path(o, reader.file, CONFIG_PATH_READ, NULL, 0);
        if (r >= 0 && o && o->on_text)
                r = o->on_text(reader.file, text, size, o->userdata);
        if (r >= 0)
                r = parse_text(&reader, text, size);
        if (r >= 0 && !sources->paths && c->lists[CONFIG_OPTIONS].n_items > n_options)
                r = check_owner(fd, reader.file, problems);
        return r;
}

static void file_list_clear(FileList *l) {
        string_arena_clear(&l->paths);
        free(l->items);
}

static int file_list_add(FileList *l, const char *dir, const char *name, size_t rank, bool optional) {
        char joined[PATH_MAX];
        const char *path;
        int n;

        n = snprintf(joined, sizeof(joined), "%s%s%s", dir, name ? "/" : "", name ?: "");
        if (n < 0 || (size_t) n >= sizeof(joined))
                return 0;               /* too long to be opened */
        if (array_grow(&l->items, l->n_items, sizeof(*l->items)) < 0)
                return -ENOMEM;
        path = string_arena_add(&l->paths, joined, (size_t) n);
        if (!path)
                return -ENOMEM;

        l->items[l->n_items++] = (ConfigFile) {
                .path = path,
                .name = name ? strrchr(path, '/') + 1 : basename(path),
                .rank = rank,
                .optional = optional,
        };
        return 0;
}

static int file_compare(const void *a, const void *b) {
        const ConfigFile *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x->rank > y->rank) - (x->rank < y->rank);
}

static bool file_name_counts(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n >= 6 && streq(name + n - 5, ".conf");
}

static int file_list_add_entry(FileList *l, DIR *d, const char *dir, const char *name, size_t rank,
                               ProblemList *problems) {
        _cleanup_(freep) char *path = NULL;
        struct stat st;
        int error;

        if (!file_name_counts(name) && !l->observer)
                return 0;

        if (asprintf(&path, "%s/%s", dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        error = fstatat(dirfd(d), name, &st, 0) < 0 ? errno : 0;
        if (error == EACCES)
                error = -file_access_stat(path, &st);
        if (error == 0 && S_ISDIR(st.st_mode))
                error = EISDIR;
        if (!file_name_counts(name))
                return report_path(l->observer, path, CONFIG_PATH_NOT_NAMED, NULL, error);
        if (error)
                return report_unreadable(l->observer, path, error, problems);

        return file_list_add(l, dir, name, rank, false);
}

/* A path that does not exist is ignored, as in kmod. */
static int file_list_add_path(FileList *l, const char *path, size_t rank, ProblemList *problems) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct stat st;
        int r;

        r = file_access_stat(path, &st);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return report_unreadable(l->observer, path, -r, problems);
        if (!S_ISDIR(st.st_mode))
                return file_list_add(l, path, NULL, rank, false);

        d = file_access_opendir(path);
        if (!d)
                return report_unreadable(l->observer, path, errno, problems);
        r = report_path(l->observer, path, CONFIG_PATH_DIRECTORY, NULL, 0);
        if (r < 0)
                return r;

        for (;;) {
                struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e)
                        break;
                r = file_list_add_entry(l, d, path, e->d_name, rank, problems);
                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return problem_list_add_unread(problems, path, "cannot be read to its end: %s",
                                               strerror(errno));

        return 0;
}

/*
 * The files of all directories are read in the order of their names; of several with the same name only the
 * one in the highest directory, whatever it contains (conf_files_insert_sorted() of libkmod 34).
 */
static int read_files(ModprobeConfig *c, const ModprobeConfigSources *sources, ProblemList *problems) {
        _cleanup_(file_list_clear) FileList files = { .observer = sources->observer };
        const char *const *paths = sources->paths ?: default_paths;
        int r;

        for (size_t i = 0; sources->module_dir && i < ARRAY_LEN(module_dir_files); i++) {
                r = file_list_add(&files, sources->module_dir, module_dir_files[i], 0, true);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; paths[i]; i++) {
                r = file_list_add_path(&files, paths[i], i + 1, problems);
                if (r < 0)
                        return r;
        }

        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(*files.items), file_compare);

        for (size_t i = 0, kept = SIZE_MAX; i < files.n_items; i++) {
                ConfigFile *f = &files.items[i];

                if (kept != SIZE_MAX && streq(f->name, files.items[kept].name)) {
                        r = report_path(sources->observer, f->path, CONFIG_PATH_HIDDEN,
                                        files.items[kept].path, 0);
                        if (r < 0)
                                return r;
                        continue;
                }
                kept = i;
                r = config_read_file(c, f, sources, problems);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* ----------------------------------------------------------------------------------- kernel command line */

static int add_blacklisted(Reader *r, char *names) {
        EntryList *l = &r->config->lists[CONFIG_BLACKLIST];
        char *name;
        int q;

        while ((name = strsep(&names, ","))) {
                bool dashed = strchr(name, '-');

                (void) module_name_normalize_in_place(
                        name); /* libkmod keeps the dashes here, and then never finds the module */
                q = config_add(r, CONFIG_BLACKLIST, name, NULL);
                if (q < 0)
                        return q;
                l->items[l->n_items - 1].dashed = dashed;
        }

        return 0;
}

static int on_kernel_option(char *module, char *parameter, void *userdata) {
        char shown[TEXT_SHOWN_MAX];
        Reader *r = userdata;

        if (streq(module, "modprobe") && startswith(parameter, "blacklist="))
                return add_blacklisted(r, parameter + strlen("blacklist="));

        if (!module_name_normalize_in_place(module)) {
                text_show(module, shown);
                return problem_list_add(r->problems, r->file, 0, "ignoring bad module name '%s'", shown);
        }

        for (char *p = parameter; (p = strchr(p, '\t'));)
                *p = ' ';
        return config_add(r, CONFIG_OPTIONS, module, parameter);
}

static int read_command_line(ModprobeConfig *c, const char *command_line, ProblemList *problems) {
        Reader reader = { .config = c, .problems = problems, .file = KERNEL_COMMAND_LINE_FILE };
        _cleanup_(freep) char *text = strdup(command_line);

        if (!text)
                return -ENOMEM;
        return kernel_command_line_parse(text, on_kernel_option, &reader);
}

/* --------------------------------------------------------------------------------------------- the whole */

static int blacklist_compare(const void *a, const void *b) {
        const ConfigEntry *x = *(const ConfigEntry *const *) a, *y = *(const ConfigEntry *const *) b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x > y) - (x < y); /* both are in one array */
}

static int sort_blacklist(ModprobeConfig *c) {
        const EntryList *l = &c->lists[CONFIG_BLACKLIST];

        if (l->n_items == 0)
                return 0;

        c->blacklist = reallocarray(NULL, l->n_items, sizeof(*c->blacklist));
        if (!c->blacklist)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_items; i++)
                c->blacklist[i] = &l->items[i];
        qsort(c->blacklist, l->n_items, sizeof(*c->blacklist), blacklist_compare);
        return 0;
}

/**
 * modprobe_config_new() - read all configuration that kmod would read
 * @sources:  borrowed for the call
 * @problems: gets what could not be read or parsed, with its place; everything else counts all the same. May
 *            be NULL
 *
 * Return: 0; -ENOMEM.
 */
int modprobe_config_new(ModprobeConfig **ret, const ModprobeConfigSources *sources, ProblemList *problems) {
        _cleanup_(modprobe_config_freep) ModprobeConfig *c = NULL;
        int r;

        assert(ret && sources);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;

        r = read_files(c, sources, problems);
        if (r < 0)
                return r;

        if (sources->command_line) {
                r = read_command_line(c, sources->command_line, problems);
                if (r < 0)
                        return r;
        }

        for (ConfigKind k = 0; k < _CONFIG_KIND_MAX; k++)
                array_shrink(&c->lists[k].items, &c->lists[k].n_allocated, c->lists[k].n_items, sizeof(ConfigEntry));
        r = sort_blacklist(c);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(c);
        return 0;
}

ModprobeConfig *modprobe_config_free(ModprobeConfig *c) {
        if (!c)
                return NULL;

        for (ConfigKind k = 0; k < _CONFIG_KIND_MAX; k++)
                free(c->lists[k].items);
        string_arena_clear(&c->strings);
        free(c->blacklist);
        free(c);
        return NULL;
}

/**
 * modprobe_config_entries() - all entries of one kind
 *
 * Return: an array in the order of reading; NULL if there are none.
 */
const ConfigEntry *modprobe_config_entries(const ModprobeConfig *c, ConfigKind kind, size_t *ret_n) {
        assert(c && ret_n);
        assert(kind >= 0 && kind < _CONFIG_KIND_MAX);

        *ret_n = c->lists[kind].n_items;
        return c->lists[kind].items;
}

/**
 * modprobe_config_is_blacklisted() - is there a blacklist line for exactly this module?
 * @module:    normalised
 * @ret_entry: the first such line, if there is one. May be NULL
 */
bool modprobe_config_is_blacklisted(const ModprobeConfig *c, const char *module,
                                    const ConfigEntry **ret_entry) {
        size_t low = 0, high;

        assert(c && module);

        high = c->lists[CONFIG_BLACKLIST].n_items;
        while (low < high) {            /* finds the first that is not smaller */
                size_t middle = low + (high - low) / 2;

                if (strcmp(c->blacklist[middle]->name, module) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        if (low == c->lists[CONFIG_BLACKLIST].n_items || !streq(c->blacklist[low]->name, module))
                return false;
        if (ret_entry)
                *ret_entry = c->blacklist[low];
        return true;
}

/**
 * modprobe_config_find_command() - the install or remove line for a module
 * @kind:   CONFIG_INSTALL or CONFIG_REMOVE
 * @module: normalised
 *
 * Return: the first line whose pattern matches; NULL: there is none.
 */
const ConfigEntry *modprobe_config_find_command(const ModprobeConfig *c, ConfigKind kind,
                                                const char *module) {
        const EntryList *l;

        assert(c && module);
        assert(kind == CONFIG_INSTALL || kind == CONFIG_REMOVE);

        l = &c->lists[kind];
        for (size_t i = 0; i < l->n_items; i++)
                if (glob_match(l->items[i].name, module))
                        return &l->items[i];

        return NULL;
}

const char *config_kind_to_string(ConfigKind kind) {
        return ENUM_NAME(kind_names, kind);
}

bool config_entry_turns_off(const ConfigEntry *e) {
        assert(e);

        return e->kind == CONFIG_ALIAS && (streq(e->value, "off") || streq(e->value, "null"));
}

ConfigKind config_kind_from_string(const char *word) {
        return (ConfigKind) ENUM_VALUE(kind_names, word);
}
