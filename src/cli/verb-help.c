/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* help and version: what commands.inc says. */

#include <string.h>

#include "cli/commands.h"
#include "cli/print/wrap.h"
#include "cli/verbs/verbs.h"
#include "common/base/paths.h"

/* "-q --quiet", "   --json[=short|pretty]" */
static int option_usage(const Option *o, char *buf, size_t size) {
        return snprintf(buf, size, "%c%c --%s%s%s%s", o->letter ? '-' : ' ', o->letter ?: ' ', o->name,
                        !o->value           ? ""
                        : o->value_optional ? "[="
                                            : "=",
                        o->value ?: "", o->value_optional ? "]" : "");
}

#define WIDTH 80U                       /* of all that is printed here */
#define VERB_WIDTH 31U                  /* of the left column */
#define OPTION_WIDTH 29U

/* "  LEFT   RIGHT", with the rest of RIGHT below its beginning */
static void print_pair(const char *left, size_t left_width, const char *right) {
        size_t indent = 2 + left_width;

        printf("  %-*s", (int) left_width, left);
        if (strlen(left) >= left_width)
                printf("\n%*s", (int) indent, "");
        wrap_print(stdout, right, indent, WIDTH);
}

static void print_verb_line(const Verb *v) {
        char usage[64];

        (void) snprintf(usage, sizeof(usage), "%s %s", v->name, v->arguments ?: "");
        print_pair(usage, VERB_WIDTH, v->summary);
}

static void print_option_line(const Option *o) {
        char usage[64];

        (void) option_usage(o, usage, sizeof(usage));
        print_pair(usage, OPTION_WIDTH, o->summary);
}

static void print_options(const Run *run, const char *title, OptionScope scope, const Verb *v) {
        bool titled = false;

        for (const Option *o = options; o->name; o++) {
                if (o->scope != scope || (v && !option_is_of(o, v)))
                        continue;
                if (!titled)
                        output_title(&run->out, title);
                titled = true;
                print_option_line(o);
        }
}

/* With an example each, which is what most people look for. */
static const struct {
        const char *title, *command, *what;
} groups[_GROUP_MAX] = {
        [GROUP_LOOK] = { "What is going on", "lkmctl log --since 1h", "what was loaded, failed or was denied" },
        [GROUP_EXPLAIN] = { "Why, and what would be", "lkmctl why-not 0000:00:1f.3", "why does this card have no driver?" },
        [GROUP_ACT] = { "Load and unload", "lkmctl unload --plan nfsd", "what would go with it, and what stays" },
        [GROUP_POLICY] = { "What may be loaded", "lkmctl policy deny usb-storage --for 1h", "no sticks while I am away" },
        [GROUP_BOOT] = { "The boot, and other programs", "lkmctl plot >boot.svg", "the loads of the boot as a picture" },
        [GROUP_HELP] = { "Help", "lkmctl help unload", "all options of a verb" },
};

static void print_group(const Run *run, VerbGroup group) {
        output_title(&run->out, groups[group].title);
        for (const Verb *v = verbs; v->name; v++)
                if (v->group == group)
                        print_verb_line(v);
        printf("  %s$ %s%s  # %s\n", output_tone(&run->out, stdout, TONE_DIM), groups[group].command,
               output_tone(&run->out, stdout, TONE_PLAIN), groups[group].what);
}

static void print_overview(const Run *run) {
        printf("lkmctl [OPTION...] [VERB [ARGUMENT...]]\n\n"
               "Controls lkmd, which loads the modules of this kernel, and answers questions.\n");
        for (VerbGroup group = 0; group < _GROUP_MAX; group++)
                print_group(run, group);
        print_options(run, "Options, before or after the verb", SCOPE_ALL, NULL);
        print_options(run, "Options of verbs that ask lkmd", SCOPE_ONLINE, NULL);
        print_options(run, "Options of verbs that look at modules without asking lkmd", SCOPE_OFFLINE, NULL);
        putchar('\n');
        wrap_print(
                stdout,
                "Options of single verbs: lkmctl help VERB. Exit status: 0 done, 1 failed, 2 wrong usage, 3 denied by the configuration, 4 lkmd cannot be "
                "reached, 5 no such module, alias or device. More: man lkmctl",
                0, WIDTH);
}

static void print_verbs_below(const Run *run, const Verb *above) {
        bool titled = false;

        for (const Verb *v = verbs; v->name; v++) {
                if (!verb_is_below(v, above->name))
                        continue;
                if (!titled)
                        output_title(&run->out, "Verbs");
                titled = true;
                print_verb_line(v);
        }
}

static void print_verb(const Run *run, const Verb *v) {
        printf("lkmctl [OPTION...] %s%s%s\n\n%s.\n", v->name, v->arguments ? " " : "", v->arguments ?: "",
               v->summary);
        if (v->text)
                wrap_print(stdout, v->text, 0, WIDTH);
        print_verbs_below(run, v);
        print_options(run, "Options", SCOPE_VERBS, v);
        print_options(run, "Options of verbs that look at modules without asking lkmd", SCOPE_OFFLINE, v);
        print_options(run, "Options of verbs that ask lkmd", SCOPE_ONLINE, v);
        print_options(run, "Options of all verbs", SCOPE_ALL, v);
}

static int verb_to_json(const Verb *v, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        int r;

        r = sd_json_variant_new_array(&list, NULL, 0);
        if (r < 0)
                return r;

        for (const Option *o = options; o->name; o++) {
                char letter[2] = { o->letter };

                if (!option_is_of(o, v))
                        continue;
                r = sd_json_variant_append_arraybo(
                        &list, SD_JSON_BUILD_PAIR_STRING("name", o->name),
                        SD_JSON_BUILD_PAIR_CONDITION(o->letter, "letter", SD_JSON_BUILD_STRING(letter)),
                        SD_JSON_BUILD_PAIR_CONDITION(o->value != NULL, "argument",
                                                     SD_JSON_BUILD_STRING(o->value)),
                        SD_JSON_BUILD_PAIR_BOOLEAN("ofAllVerbs", o->scope == SCOPE_ALL),
                        SD_JSON_BUILD_PAIR_STRING("summary", o->summary));
                if (r < 0)
                        return r;
        }

        return sd_json_buildo(ret,
                              SD_JSON_BUILD_PAIR_STRING("name", v->name),
                              SD_JSON_BUILD_PAIR_STRING("arguments", v->arguments ?: ""),
                              SD_JSON_BUILD_PAIR_STRING("summary", v->summary),
                              SD_JSON_BUILD_PAIR("options", SD_JSON_BUILD_VARIANT(list)));
}

static int print_json(Run *run, const char *name) {
        int r;

        if (!name)
                output_list_begin(&run->out);
        for (const Verb *v = verbs; v->name; v++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;

                if (name && !streq(name, v->name))
                        continue;
                r = verb_to_json(v, &object);
                if (r < 0)
                        return r;
                r = output_json(&run->out, object);
                if (r < 0)
                        return r;
        }
        return name ? 0 : output_list_end(&run->out);
}

static int no_such_verb(Run *run, const char *name) {
        const char *nearest = verb_find_nearest(name);

        return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help", "there is no verb '%s'%s%s%s",
                                 name, nearest ? ", did you mean '" : "", nearest ?: "",
                                 nearest ? "'?" : "");
}

/* @args: none, or a verb, whose two words may be one argument */
int verb_help(Run *run, char **args, unsigned n_args) {
        _cleanup_(freep) char *name = NULL;
        const Verb *v = NULL;

        if (n_args > 0) {
                if (asprintf(&name, "%s%s%s", args[0], n_args > 1 ? " " : "", n_args > 1 ? args[1] : "") < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                for (v = verbs; v->name && !streq(v->name, name); v++)
                        ;
                if (!v->name)
                        return no_such_verb(run, name);
        }

        if (run->out.json != JSON_OFF)
                return print_json(run, v ? v->name : NULL);
        if (v)
                print_verb(run, v);
        else
                print_overview(run);
        return STATUS_DONE;
}

/* policy: prints the verbs below it. */
int verb_policy(Run *run, char **args, unsigned n_args) {
        static char name[] = "policy";

        return verb_help(run, (char *[]) { name }, 1);
}

int verb_version(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
        int r;

        if (run->out.json == JSON_OFF) {
                printf("lkmctl %s\n", LKMD_VERSION);
                return STATUS_DONE;
        }

        r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("version", LKMD_VERSION));
        if (r < 0)
                return r;
        return output_json(&run->out, object);
}
