/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModprobeOptions: the options of kmod's modprobe, of which long ones may be abbreviated and letters bundled. Owns the
 * list of words and of configuration paths; the strings are those of argv and of its copy of MODPROBE_OPTIONS.
 */

#include "cli/kmod/modprobe-options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kmod/tool-message.h"
#include "common/base/util.h"

#define OPTIONS_ENV "MODPROBE_OPTIONS"  /* also for the modprobe of an install command */

enum {
        OPTION_FIRST_TIME = 0x100,
        OPTION_FORCE_MODVERSION,
        OPTION_FORCE_VERMAGIC,
        OPTION_HOLDERS,
        OPTION_VERSIONS,
        OPTION_EXPORTS,
};

/* In kmod's order: getopt_long(3) lists those that an abbreviation can mean. */
static const struct option longs[] = {
        { "all", no_argument, NULL, 'a' },
        { "remove", no_argument, NULL, 'r' },
        { "remove-dependencies", no_argument, NULL, OPTION_HOLDERS },
        { "remove-holders", no_argument, NULL, OPTION_HOLDERS },
        { "wait", required_argument, NULL, 'w' },
        { "resolve-alias", no_argument, NULL, 'R' },
        { "first-time", no_argument, NULL, OPTION_FIRST_TIME },
        { "ignore-install", no_argument, NULL, 'i' },
        { "ignore-remove", no_argument, NULL, 'i' },
        { "use-blacklist", no_argument, NULL, 'b' },
        { "force", no_argument, NULL, 'f' },
        { "force-modversion", no_argument, NULL, OPTION_FORCE_MODVERSION },
        { "force-vermagic", no_argument, NULL, OPTION_FORCE_VERMAGIC },
        { "show-depends", no_argument, NULL, 'D' },
        { "showconfig", no_argument, NULL, 'c' },
        { "show-config", no_argument, NULL, 'c' },
        { "show-modversions", no_argument, NULL, OPTION_VERSIONS },
        { "dump-modversions", no_argument, NULL, OPTION_VERSIONS },
        { "show-exports", no_argument, NULL, OPTION_EXPORTS },
        { "dry-run", no_argument, NULL, 'n' },
        { "show", no_argument, NULL, 'n' },
        { "config", required_argument, NULL, 'C' },
        { "dirname", required_argument, NULL, 'd' },
        { "set-version", required_argument, NULL, 'S' },
        { "syslog", no_argument, NULL, 's' },
        { "quiet", no_argument, NULL, 'q' },
        { "verbose", no_argument, NULL, 'v' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        {},
};

void modprobe_print_help(const char *program) {
        (void) printf("Usage: %s [OPTIONS] MODULE [PARAMETER[=VALUE]...]\n"
                      "       %s [OPTIONS] -a MODULE...\n"
                      "       %s [OPTIONS] -r MODULE...\n"
                      "       %s [OPTIONS] -R MODULE\n"
                      "       %s [OPTIONS] -c\n"
                      "       %s [OPTIONS] --show-modversions|--show-exports FILE\n",
                      program, program, program, program, program, program);
        (void) fputs(
                "\n"
                "This is lkmd's modprobe: while lkmd runs, loads and removals go through it.\n"
                "\n"
                "What to do:\n"
                "  -a, --all                 all words are modules, none is a parameter\n"
                "  -r, --remove              remove modules\n"
                "      --remove-holders      with -r: also the modules that use them\n"
                "      --remove-dependencies the same, by its old name\n"
                "  -w, --wait MSEC           with -r: wait until a module is not in use\n"
                "      --first-time          fail if a module is loaded already, or not loaded with -r\n"
                "  -i, --ignore-install      without the install command of a module\n"
                "      --ignore-remove       without its remove command\n"
                "  -b, --use-blacklist       blacklist lines also count for modules by name\n"
                "  -f, --force               both of the next two; with -r: a forced removal\n"
                "      --force-modversion    whatever the versions of symbols\n"
                "      --force-vermagic      whatever kernel a module was built for\n"
                "\n"
                "What to show instead:\n"
                "  -R, --resolve-alias       the modules that a name or alias means\n"
                "  -D, --show-depends        what would be loaded, in this order\n"
                "  -c, --show-config         the configuration and the aliases (--showconfig)\n"
                "      --show-modversions    versions of the symbols that a file needs (--dump-modversions)\n"
                "      --show-exports        symbols that a file has for others\n"
                "\n"
                "In general:\n"
                "  -n, --dry-run, --show     do nothing; with -v show what would be done\n"
                "  -C, --config FILE         a file or directory in the place of modprobe.d\n"
                "  -d, --dirname DIR         below DIR, in the place of /\n"
                "  -S, --set-version RELEASE for another kernel\n"
                "  -s, --syslog              messages go to the system log\n"
                "  -q, --quiet               no messages\n"
                "  -v, --verbose             more messages, and what is done\n"
                "  -V, --version             show the version\n"
                "  -h, --help                show this text\n",
                stdout);
}

void modprobe_options_clear(ModprobeOptions *o) {
        assert(o);

        free(o->config_paths);
        free(o->words);
        free(o->environment);
}

/* ------------------------------------------------------------------------------------------ environment */

/* For the modprobe of install and remove commands. */
static int pass_on(const char *word) {
        _cleanup_(freep) char *both = NULL;
        const char *before = getenv(OPTIONS_ENV);

        if (!before)
                return setenv(OPTIONS_ENV, word, 1) < 0 ? -errno : 0;
        if (asprintf(&both, "%s %s", before, word) < 0) {
                both = NULL;
                return -ENOMEM;
        }
        return setenv(OPTIONS_ENV, both, 1) < 0 ? -errno : 0;
}

/*
 * Takes the next word off, in place: blanks separate words, two of them in a row enclose an empty one, and what is in
 * quotes of either kind is one word without them.
 */
static char *take_word(char **rest) {
        char *word = *rest, *to = *rest, quote = '\0';
        bool closed = false;

        if (**rest == '\0')
                return NULL;
        for (char *from = *rest;; from++) {
                if (*from == '\0') {
                        *rest = from;
                        break;
                }
                if (quote && *from == quote) {
                        quote = '\0';
                        if (closed) {   /* it was quoted from its first letter: the word ends here, in kmod as well */
                                *rest = from + 1;
                                break;
                        }
                } else if (!quote && (*from == '"' || *from == '\'')) {
                        closed = from == word;
                        quote = *from;
                } else if (!quote && *from == ' ') {
                        *rest = from + 1;
                        break;
                } else
                        *to++ = *from;
        }
        *to = '\0';
        return word;
}

/* The words of MODPROBE_OPTIONS come before those of the command line. */
static int add_environment(ModprobeOptions *o, int *argc, char **argv) {
        const char *value = getenv(OPTIONS_ENV);
        size_t n = 0, most = strlen(value ?: "") + (size_t) *argc + 2;
        char *rest, *word;

        o->words = calloc(most, sizeof(*o->words));
        o->environment = strdup(value ?: "");
        if (!o->words || !o->environment)
                return -ENOMEM;

        o->words[n++] = argv[0];
        rest = o->environment;
        while ((word = take_word(&rest)))
                o->words[n++] = word;
        for (int i = 1; i < *argc; i++)
                o->words[n++] = argv[i];
        *argc = (int) n;
        return 0;
}

/* ---------------------------------------------------------------------------------------------- options */

static int add_config_path(ModprobeOptions *o, const char *path) {
        const char **paths;
        size_t n = 0;
        int r;

        for (; o->config_paths && o->config_paths[n]; n++)
                ;
        paths = reallocarray(o->config_paths, n + 2, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        paths[n] = path;
        paths[n + 1] = NULL;
        o->config_paths = paths;
        r = pass_on("-C");
        return r < 0 ? r : pass_on(path);
}

static int read_wait(ModprobeOptions *o, const char *value) {
        char *end = NULL;

        o->wait_msec = strtoul(value, &end, 0);
        if (*value != '\0' && *end == '\0')
                return 0;
        tool_message(LOG_ERR, "unexpected wait value '%s'.\n", value);
        return -EINVAL;
}

/* What has a value, or is passed on. Return: as modprobe_options_read(). */
static int take_value(ModprobeOptions *o, int code) {
        switch (code) {
        case 'w':
                return read_wait(o, optarg);
        case 'C':
                return add_config_path(o, optarg);
        case 'd':
                o->root = optarg;
                return 0;
        case 'S':
                o->release = optarg;
                return 0;
        case 's':
                o->to_syslog = true;
                return pass_on("-s");
        case 'q':
                o->level = 0;
                return pass_on("-q");
        case 'v':
                o->level++;
                return pass_on("-v");
        default:
                return -EINVAL;         /* getopt has said what is wrong */
        }
}

static bool *find_flag(ModprobeOptions *o, int code) {
        const struct {
                int code;
                bool *flag;
        } flags[] = {
                { 'a', &o->all },
                { 'r', &o->remove },
                { 'R', &o->resolve },
                { 'i', &o->ignore_commands },
                { 'b', &o->use_blacklist },
                { 'f', &o->force },
                { 'c', &o->show_config },
                { 'n', &o->dry_run },
                { 'V', &o->show_version },
                { 'h', &o->show_help },
                { OPTION_FIRST_TIME, &o->first_time },
                { OPTION_FORCE_MODVERSION, &o->force_modversion },
                { OPTION_FORCE_VERMAGIC, &o->force_vermagic },
                { OPTION_HOLDERS, &o->remove_holders },
                { OPTION_VERSIONS, &o->show_versions },
                { OPTION_EXPORTS, &o->show_exports },
        };

        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
                if (flags[i].code == code)
                        return flags[i].flag;
        return NULL;
}

static int take(ModprobeOptions *o, int code) {
        bool *flag = find_flag(o, code);

        if (code == 'D') {
                o->dry_run = o->ignore_loaded = o->shows = true;
                return 0;
        }
        if (!flag)
                return take_value(o, code);
        *flag = true;
        return 0;
}

/**
 * modprobe_options_read() - read MODPROBE_OPTIONS and the command line
 * @ret: to be cleared, also after a failure
 *
 * Appends what the modprobe of an install command has to know to MODPROBE_OPTIONS. -h and -V end it.
 */
int modprobe_options_read(ModprobeOptions *ret, int argc, char **argv) {
        int code, r;

        assert(ret && argv);

        *ret = (ModprobeOptions) { .level = LOG_WARNING };
        r = add_environment(ret, &argc, argv);
        while (r >= 0 && !ret->show_help && !ret->show_version &&
               (code = getopt_long(argc, ret->words, "arw:RibfDcnC:d:S:sqvVh", longs, NULL)) >= 0)
                r = take(ret, code);
        if (r < 0)
                return r;
        ret->force_modversion |= ret->force;
        ret->force_vermagic |= ret->force;
        ret->args = ret->words + optind;
        ret->n_args = argc - optind;
        return 0;
}
