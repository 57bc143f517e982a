/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* modinfo(8): what module files say of themselves, as kmod prints it. */

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool.h"
#include "common/base/array.h"
#include "common/base/paths.h"

#define KEY_WIDTH 16                    /* of the names of fields, with the blanks behind */

typedef struct Inquiry {
        struct kmod_ctx *ctx;
        const char *field;              /* the only one to print; NULL: all */
        char separator;                 /* behind each field */
        bool names_only;                /* arguments are names of modules, not aliases or files */
} Inquiry;

/* What the lines "parm" and "parmtype" say of one parameter. Borrowed, and not ended. */
typedef struct Parameter {
        const char *name;
        size_t name_length;
        const char *description, *type; /* NULL: there is no such line */
} Parameter;

typedef struct ParameterList {
        Parameter *items;
        size_t n_items;
} ParameterList;

static void parameter_list_clear(ParameterList *l) {
        free(l->items);
}

static void info_list_freep(struct kmod_list **list) {
        if (*list)
                kmod.kmod_module_info_free_list(*list);
}

/* ------------------------------------------------------------------------------------------ parameters */

static Parameter *find_parameter(ParameterList *l, const char *name, size_t length) {
        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i].name_length == length && memcmp(l->items[i].name, name, length) == 0)
                        return l->items + i;
        return NULL;
}

static bool is_parameter(const char *key) {
        return streq(key, "parm") || streq(key, "parmtype");
}

/* Takes "NAME:TEXT" of either line. Return: 0, also if it is of neither form, which is said; -ENOMEM. */
static int add_parameter(ParameterList *l, const char *key, const char *value) {
        const char *colon = strchr(value, ':');
        Parameter *p;

        if (!colon) {
                tool_message(LOG_ERR, "Found invalid \"%s=%s\": missing ':'\n", key, value);
                return 0;
        }
        p = find_parameter(l, value, (size_t) (colon - value));
        if (!p) {
                int r = array_grow(&l->items, l->n_items, sizeof(*l->items));

                if (r < 0)
                        return r;
                p = l->items + l->n_items++;
                *p = (Parameter) { .name = value, .name_length = (size_t) (colon - value) };
        }
        *(streq(key, "parm") ? &p->description : &p->type) = colon + 1;
        return 0;
}

/* With @field, kmod puts a blank and parentheses where there is a type alone. */
static void print_parameter(const Inquiry *q, const Parameter *p) {
        if (!q->field)
                (void) printf("%-*s", KEY_WIDTH, "parm:");
        (void) printf("%.*s:", (int) p->name_length, p->name);
        if (p->description && p->type)
                (void) printf("%s (%s)", p->description, p->type);
        else if (p->description)
                (void) fputs(p->description, stdout);
        else if (q->field)
                (void) printf(" (%s)", p->type);
        else
                (void) fputs(p->type, stdout);
        (void) putchar(q->separator);
}

/* ---------------------------------------------------------------------------------------------- fields */

static void print_field(const Inquiry *q, const char *key, const char *value) {
        int width = KEY_WIDTH - 1 - (int) strlen(key);

        if (q->field) {
                if (streq(q->field, key))
                        (void) printf("%s%c", value, q->separator);
                return;
        }
        if (q->separator == '\0')
                (void) printf("%s=%s%c", key, value, q->separator);
        else
                (void) printf("%s:%*s%s%c", key, MAX(width, 0), "", value, q->separator);
}

/* The name and the file, which are printed in columns in any case. */
static void print_head(const Inquiry *q, const char *key, const char *value) {
        if (!q->field)
                (void) printf("%s:%*s%s%c", key, KEY_WIDTH - 1 - (int) strlen(key), "", value, q->separator);
        else if (streq(q->field, key))
                (void) printf("%s%c", value, q->separator);
}

static int print_fields(const Inquiry *q, const struct kmod_list *list) {
        _cleanup_(parameter_list_clear) ParameterList parameters = {};
        int r;

        for (const struct kmod_list *l = list; l; l = kmod.kmod_list_next(list, l)) {
                const char *key = kmod.kmod_module_info_get_key(l),
                           *value = kmod.kmod_module_info_get_value(l);

                if (!is_parameter(key) || (q->field && !streq(q->field, "parm"))) {
                        print_field(q, key, value);
                        continue;
                }
                r = add_parameter(&parameters, key, value);
                if (r < 0)
                        return r;
        }
        for (size_t i = parameters.n_items; i > 0; i--) /* kmod lists the last one first */
                print_parameter(q, parameters.items + i - 1);
        return 0;
}

/* Return: 0; negative errno, which was said. */
static int print_module(const Inquiry *q, struct kmod_module *module) {
        _cleanup_(info_list_freep) struct kmod_list *list = NULL;
        const char *path = kmod.kmod_module_get_path(module);
        int r;

        if (!path)
                print_head(q, "name", kmod.kmod_module_get_name(module));
        print_head(q, "filename", path ?: "(builtin)");
        if (q->field && streq(q->field, "filename"))
                return 0;

        r = kmod.kmod_module_get_info(module, &list);
        if (r == -ENOENT && !path)
                return 0;               /* kernels before 5.2 say nothing of what is built in */
        if (r < 0) {
                tool_message(LOG_ERR, "could not get modinfo from '%s': %s\n",
                             kmod.kmod_module_get_name(module), strerror(-r));
                return r;
        }
        return print_fields(q, list);
}

/* ------------------------------------------------------------------------------------------- arguments */

/* A regular file, called as a module file is. */
static bool is_module_file(const char *name) {
        static const char *const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
        size_t n = strlen(name);
        struct stat st;

        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
                size_t length = strlen(suffixes[i]);

                if (n > length && streq(name + n - length, suffixes[i]))
                        return stat(name, &st) >= 0 && S_ISREG(st.st_mode);
        }
        return false;
}

static int print_file(const Inquiry *q, const char *path) {
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r;

        r = kmod.kmod_module_new_from_path(q->ctx, path, &module);
        if (r < 0) {
                tool_message(LOG_ERR, "Module file %s not found.\n", path);
                return r;
        }
        return print_module(q, module);
}

static int print_name(const Inquiry *q, const char *name) {
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r;

        r = kmod.kmod_module_new_from_name_lookup(q->ctx, name, &module);
        if (r < 0 || !module) {
                tool_message(LOG_ERR, "Module name %s not found.\n", name);
                return r < 0 ? r : -ENOENT;
        }
        return print_module(q, module);
}

/* All modules that the name or alias means. */
static int print_alias(const Inquiry *q, const char *alias) {
        _cleanup_(kmod_module_list_unrefp) struct kmod_list *list = NULL;
        int r;

        r = kmod.kmod_module_new_from_lookup(q->ctx, alias, &list);
        if (r < 0 || !list) {
                tool_message(LOG_ERR, r < 0 ? "Module alias %s not found.\n" : "Module %s not found.\n",
                             alias);
                return r < 0 ? r : -ENOENT;
        }
        for (struct kmod_list *l = list; l; l = kmod.kmod_list_next(list, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = kmod.kmod_module_get_module(l);
                int e = print_module(q, module);

                r = e < 0 ? e : r;
        }
        return r;
}

/* ---------------------------------------------------------------------------------------- command line */

static void print_help(void) {
        (void) fputs(
                "Usage:\n"
                "\tmodinfo [options] <modulename|filename> [args]\n"
                "Options:\n"
                "\t-a, --author                Print only 'author'\n"
                "\t-d, --description           Print only 'description'\n"
                "\t-l, --license               Print only 'license'\n"
                "\t-p, --parameters            Print only 'parm'\n"
                "\t-n, --filename              Print only 'filename'\n"
                "\t-0, --null                  Use \\0 instead of \\n\n"
                "\t-m, --modname               Handle argument as module name instead of alias or filename\n"
                "\t-F, --field=FIELD           Print only provided FIELD\n"
                "\t-k, --set-version=VERSION   Use VERSION instead of `uname -r`\n"
                "\t-b, --basedir=DIR           Use DIR as filesystem root for /lib/modules\n"
                "\t-V, --version               Show version\n"
                "\t-h, --help                  Show this help\n",
                stdout);
}

typedef struct Options {
        Inquiry inquiry;
        const char *release, *root;     /* of -k and -b; NULL: not given */
        bool answered;                  /* help or version: nothing else is to be done */
} Options;

/* Return: 0; -EINVAL, which getopt has said. */
static int take_options(int argc, char **argv, Options *o) {
        static const struct option longs[] = {
                { "author", no_argument, NULL, 'a' },
                { "description", no_argument, NULL, 'd' },
                { "license", no_argument, NULL, 'l' },
                { "parameters", no_argument, NULL, 'p' },
                { "filename", no_argument, NULL, 'n' },
                { "null", no_argument, NULL, '0' },
                { "modname", no_argument, NULL, 'm' },
                { "field", required_argument, NULL, 'F' },
                { "set-version", required_argument, NULL, 'k' },
                { "basedir", required_argument, NULL, 'b' },
                { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        static const struct {
                int letter;
                const char *field;
        } fields[] = { { 'a', "author" },
                       { 'd', "description" },
                       { 'l', "license" },
                       { 'p', "parm" },
                       { 'n', "filename" } };
        int code;

        while (!o->answered && (code = getopt_long(argc, argv, "adlpn0mF:k:b:Vh", longs, NULL)) >= 0) {
                for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                        if (fields[i].letter == code)
                                o->inquiry.field = fields[i].field;
                switch (code) {
                case '0':
                        o->inquiry.separator = '\0';
                        break;
                case 'm':
                        o->inquiry.names_only = true;
                        break;
                case 'F':
                        o->inquiry.field = optarg;
                        break;
                case 'k':
                        o->release = optarg;
                        break;
                case 'b':
                        o->root = optarg;
                        break;
                case 'h':
                        print_help();
                        o->answered = true;
                        break;
                case 'V':
                        tool_print_version();
                        o->answered = true;
                        break;
                case '?':
                        return -EINVAL;
                default:
                        break;
                }
        }
        return 0;
}

/* *ret: NULL: the modules of the running kernel. Return: 0; negative errno. */
static int make_directory(const Options *o, char **ret) {
        struct utsname u;

        if (!o->root && !o->release)
                return 0;
        if (!o->release && uname(&u) < 0)
                return -errno;
        if (asprintf(ret, "%s" MODULE_ROOT "/%s", o->root ?: "", o->release ?: u.release) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int tool_modinfo(int argc, char **argv) {
        static const char *const no_config[] = { NULL };
        _cleanup_(kmod_ctx_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(freep) char *directory = NULL;
        Options o = { .inquiry.separator = '\n' };
        int r, worst = TOOL_DONE;

        if (take_options(argc, argv, &o) < 0)
                return TOOL_FAILED;
        if (o.answered)
                return TOOL_DONE;
        if (optind >= argc) {
                tool_message(LOG_ERR, "missing module or filename.\n");
                return TOOL_FAILED;
        }
        r = make_directory(&o, &directory);
        if (r < 0)
                return r;
        if (tool_context_new(&ctx, directory, no_config, /* level= */ -1) < 0)
                return TOOL_FAILED;

        o.inquiry.ctx = ctx;
        for (; optind < argc; optind++) {
                if (o.inquiry.names_only)
                        r = print_name(&o.inquiry, argv[optind]);
                else if (is_module_file(argv[optind]))
                        r = print_file(&o.inquiry, argv[optind]);
                else
                        r = print_alias(&o.inquiry, argv[optind]);
                worst = r < 0 ? TOOL_FAILED : worst;
        }
        return worst;
}
