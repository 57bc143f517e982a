/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modprobe --show-depends without libkmod, which takes longer to open than to ask: for a module by its name whose
 * dependencies are there and whose way no softdep, command or alias changes. All else is left to libkmod.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/kmod/modprobe.h"
#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/problem-list.h"
#include "common/base/string-list.h"
#include "common/index/index-file.h"
#include "common/modprobe/modprobe-config.h"
#include "common/words/kernel-command-line.h"

typedef struct Depends {
        const char *directory;          /* of the modules, absolute */
        char *command_line;
        ModprobeConfig *config;
        IndexFile *modules;             /* modules.dep.bin */
        char **paths;                   /* of the module, then of its dependencies, the nearest first */
} Depends;

static void depends_clear(Depends *d) {
        modprobe_config_free(d->config);
        index_file_free(d->modules);
        string_list_free(d->paths);
        free(d->command_line);
}

/* Return: 0; -ENODATA: something about it is for libkmod; another negative errno. */
static int open_files(const Modprobe *m, Depends *d) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        char path[PATH_MAX];
        int r;

        if ((size_t) snprintf(path, sizeof(path), "%s/modules.dep.bin", d->directory) >= sizeof(path))
                return -ENODATA;
        r = index_file_map(&d->modules, path);
        if (r >= 0)
                r = kernel_command_line_read(&d->command_line, &problems);
        if (r >= 0)
                r = modprobe_config_new(&d->config,
                                        &(ModprobeConfigSources) {
                                                .paths = m->options.config_paths,
                                                .module_dir = d->directory,
                                                .command_line = d->command_line,
                                        },
                                        &problems);
        return r < 0 ? r : problems.n_items > 0 ? -ENODATA : 0;
}

/* Return: 0; -ENODATA: it is not there; -ENOMEM. */
static int add_path(Depends *d, const char *path, size_t size) {
        _cleanup_(freep) char *absolute = NULL;
        int n;

        n = path[0] == '/' ? asprintf(&absolute, "%.*s", (int) size, path)
                           : asprintf(&absolute, "%s/%.*s", d->directory, (int) size, path);
        if (n < 0) {
                absolute = NULL;
                return -ENOMEM;
        }
        return access(absolute, F_OK) < 0 ? -ENODATA : string_list_append(&d->paths, absolute, (size_t) n);
}

/* The line of modules.dep: the path of the module, and those of all that it needs. */
static int find_paths(Depends *d, const char *module) {
        const char *value, *colon;
        int r;

        if (index_file_search(d->modules, module, &value) < 0)
                return -ENODATA;
        colon = strchr(value, ':');
        if (!colon)
                return -ENODATA;
        r = add_path(d, value, (size_t) (colon - value));
        for (const char *word = colon + 1; r >= 0 && *(word += strspn(word, " ")) != '\0';
             word += strcspn(word, " "))
                r = add_path(d, word, strcspn(word, " "));
        return r;
}

static bool any_matches(const Depends *d, ConfigKind kind, const char *name) {
        const ConfigEntry *entries;
        size_t n;

        entries = modprobe_config_entries(d->config, kind, &n);
        for (size_t i = 0; i < n; i++)
                if (glob_match(entries[i].name, name))
                        return true;
        return false;
}

/* @ret: those of the configuration, with a blank behind each; then @extra */
static int find_options(const Depends *d, const char *module, const char *extra, char **ret) {
        _cleanup_(freep) char *text = NULL;
        const ConfigEntry *entries;
        size_t n, size = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        entries = modprobe_config_entries(d->config, CONFIG_OPTIONS, &n);
        for (size_t i = 0; i < n; i++)
                if (streq(entries[i].name, module))
                        (void) fprintf(f, "%s ", entries[i].value);
        (void) fputs(extra ?: "", f);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

static bool is_plain(const Modprobe *m, const Depends *d, const char *module, bool is_main) {
        return (is_main && m->options.ignore_commands) ||
               (!any_matches(d, CONFIG_SOFTDEP, module) && !any_matches(d, CONFIG_INSTALL, module));
}

/* The lines in the order of loading. Return: 0 with @ret; -ENODATA: it is left to libkmod; -ENOMEM. */
static int make_lines(const Modprobe *m, const Depends *d, const char *parameters, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = string_list_count(d->paths); r >= 0 && i > 0; i--) {
                const char *path = d->paths[i - 1];
                _cleanup_(freep) char *options = NULL;
                char name[NAME_MAX + 1];

                if (module_name_of_path(path, strlen(path), name, sizeof(name)) == 0 ||
                    !is_plain(m, d, name, i == 1))
                        r = -ENODATA;
                else
                        r = find_options(d, name, i == 1 ? parameters : NULL, &options);
                if (r >= 0)
                        (void) fprintf(f, "insmod %s %s\n", path, options);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r >= 0)
                *ret = STEAL_PTR(text);
        return r;
}

/**
 * modprobe_depend_soon() - show what a load would insert, if that is easily told
 * @parameters: NULL: none
 *
 * Return: whether it was shown.
 */
bool modprobe_depend_soon(Modprobe *m, const char *name, const char *parameters) {
        _cleanup_(depends_clear) Depends d = {};
        _cleanup_(freep) char *lines = NULL;
        char here[sizeof(MODULE_ROOT) + sizeof(struct utsname)], key[NAME_MAX + 1];
        const ModprobeOptions *o = &m->options;
        struct utsname u;

        assert(m && name);

        if (m->ctx || !o->ignore_loaded || o->resolve || o->use_blacklist || modprobe_is_path(name) ||
            strchr(name, ':') || module_name_normalize(name, key, sizeof(key)) < 0 || uname(&u) < 0)
                return false;
        (void) snprintf(here, sizeof(here), MODULE_ROOT "/%s", u.release);
        d.directory = m->module_dir ?: here;
        if (d.directory[0] != '/' || !modprobe_files_are_sound(d.directory) || open_files(m, &d) < 0 ||
            any_matches(&d, CONFIG_ALIAS, key) || find_paths(&d, key) < 0 ||
            make_lines(m, &d, parameters, &lines) < 0)
                return false;
        (void) fputs(lines, stdout);
        return true;
}
