/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Makes the completion of a shell: copies a template to standard output, and in the place of each line "@NAME@" what
 * that part says of the verbs and options in commands.inc. Runs while lkmctl is built, on the machine that builds.
 */

#include "cli/usage/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"

#define VERB(function, ...) { __VA_ARGS__ },
static const Verb verbs[] = {
#include "cli/usage/commands.inc"
        {}
};

#define OPTION(type, field, function, ...) { __VA_ARGS__ },
static const Option options[] = {
#include "cli/usage/commands.inc"
        {}
};

static bool has_verbs_below(const Verb *above) {
        for (const Verb *v = verbs; v->name; v++)
                if (verb_is_below(v, above->name))
                        return true;
        return false;
}

static bool is_first_word(const Verb *v) {
        return !strchr(v->name, ' ');
}

static const char *last_word(const Verb *v) {
        const char *blank = strchr(v->name, ' ');

        return blank ? blank + 1 : v->name;
}

/* May it stand before the verb? Those of a few verbs are not offered there, although they may. */
static bool is_common(const Option *o) {
        return o->scope == SCOPE_ALL || o->scope == SCOPE_ONLINE;
}

/* The words by which the templates know what to offer, each behind a blank. */
static void print_kinds(unsigned completes) {
        static const struct {
                Completion completion;
                const char *kind;
        } kinds[] = {
                { COMPLETE_MODULES, "modules" },     { COMPLETE_LOADED, "loaded" },
                { COMPLETE_PARAMETERS, "parameters" }, { COMPLETE_DEVICES, "devices" },
                { COMPLETE_FILES, "files" },         { COMPLETE_DIRECTORIES, "directories" },
                { COMPLETE_KERNELS, "kernels" },     { COMPLETE_HOSTS, "hosts" },
                { COMPLETE_VERBS, "verbs" },         { COMPLETE_POLICIES, "policies" },
                { COMPLETE_GRANTS, "grants" },       { COMPLETE_SYSPATHS, "syspaths" },
        };

        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (completes & kinds[i].completion)
                        printf(" %s", kinds[i].kind);
}

/* @escaped: characters that get a backslash */
static void print_quoted(const char *text, const char *escaped) {
        for (; *text; text++)
                if (*text == '\'')
                        (void) fputs("'\\''", stdout);  /* as good for fish as for the others */
                else
                        printf("%s%c", strchr(escaped, *text) ? "\\" : "", *text);
}

/* ---------------------------------------------------------------------------------------------------------- bash */

static void bash_verbs(void) {
        printf("        '') printf '%%s\\n'");
        for (const Verb *v = verbs; v->name; v++)
                if (is_first_word(v))
                        printf(" %s", v->name);
        printf(" ;;\n");
        for (const Verb *above = verbs; above->name; above++) {
                if (!has_verbs_below(above))
                        continue;
                printf("        %s) printf '%%s\\n'", above->name);
                for (const Verb *v = verbs; v->name; v++)
                        if (verb_is_below(v, above->name))
                                printf(" %s", last_word(v));
                printf(" ;;\n");
        }
}

static void bash_option(const Option *o) {
        char words[64];

        printf(" --%s%s", o->name, o->value && !o->value_optional ? "=" : "");
        if (!o->value_optional || !o->words)
                return;
        (void) snprintf(words, sizeof(words), "%s", o->words);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
                printf(" --%s=%s", o->name, word);
}

static void bash_options(void) {
        printf("        '') printf '%%s\\n'");
        for (const Option *o = options; o->name; o++)
                if (is_common(o))
                        bash_option(o);
        printf(" ;;\n");
        for (const Verb *v = verbs; v->name; v++) {
                printf("        '%s') printf '%%s\\n'", v->name);
                for (const Option *o = options; o->name; o++)
                        if (option_is_of(o, v))
                                bash_option(o);
                printf(" ;;\n");
        }
}

static void bash_values(void) {
        for (const Option *o = options; o->name; o++) {
                if (!o->value)
                        continue;
                printf("        --%s", o->name);
                if (o->letter)
                        printf(" | -%c", o->letter);
                printf(") offers='");
                print_kinds(o->completes);
                printf("' words='%s' optional=%s ;;\n", o->words ?: "", o->value_optional ? "yes" : "");
        }
}

static void bash_arguments(void) {
        for (const Verb *v = verbs; v->name; v++) {
                if (v->max_args > 0 && v->completes[0]) {
                        printf("        '%s 0') offers='", v->name);
                        print_kinds(v->completes[0]);
                        printf("' ;;\n");
                }
                if (v->max_args > 1 && v->completes[1]) {
                        printf("        '%s '*) offers='", v->name);
                        print_kinds(v->completes[1]);
                        printf("' ;;\n");
                }
        }
}

/* ----------------------------------------------------------------------------------------------------------- zsh */

static void zsh_option(const Option *o) {
        if (o->repeatable)
                printf("'*'");
        if (o->letter)
                printf("'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter, o->value ? "+" : "",
                       o->name, o->value ? "=" : "");
        else
                printf("'--%s%s[", o->name, o->value_optional ? "=-" : o->value ? "=" : "");
        print_quoted(o->summary, "[]:\\");
        putchar(']');
        if (o->value) {
                printf("%s:", o->value_optional ? ":" : "");
                print_quoted(o->value, "[]:\\");
                putchar(':');
                if (o->words)
                        printf("(%s)", o->words);
                else if (o->completes) {
                        printf(" _lkmctl_offer");
                        print_kinds(o->completes);
                }
        }
        putchar('\'');
}

static void zsh_argument(const char *number, const char *message, unsigned completes) {
        printf(" \\\n                        '%s:%s:", number, message);
        if (completes) {
                printf(" _lkmctl_offer");
                print_kinds(completes);
        }
        putchar('\'');
}

static void zsh_described(const Verb *v) {
        printf("                '%s:", last_word(v));
        print_quoted(v->summary, "\\");
        printf("'\n");
}

static void zsh_verbs(void) {
        for (const Verb *v = verbs; v->name; v++)
                if (is_first_word(v))
                        zsh_described(v);
}

static void zsh_verbs_below(void) {
        for (const Verb *above = verbs; above->name; above++) {
                if (!has_verbs_below(above))
                        continue;
                printf("        %s)\n                verbs=(\n", above->name);
                for (const Verb *v = verbs; v->name; v++)
                        if (verb_is_below(v, above->name))
                                zsh_described(v);
                printf("                )\n                ;;\n");
        }
}

static void zsh_options(void) {
        for (const Option *o = options; o->name; o++) {
                if (!is_common(o))
                        continue;
                printf("                ");
                zsh_option(o);
                printf(" \\\n");
        }
}

static void zsh_verb(const Verb *v) {
        printf("        '%s')\n                _arguments -S", v->name);
        for (const Option *o = options; o->name; o++) {
                if (!option_is_of(o, v))
                        continue;
                printf(" \\\n                        ");
                zsh_option(o);
        }
        if (has_verbs_below(v))
                printf(" \\\n                        '1:verb: _lkmctl_verbs %s' '*::argument: _lkmctl_below %s'",
                       v->name, v->name);
        if (v->max_args > 0)
                zsh_argument(v->min_args > 0 ? "1" : "1:", "argument", v->completes[0]);
        if (v->max_args > 1)
                zsh_argument("*", "argument", v->completes[1]);
        printf("\n                ;;\n");
}

static void zsh_arguments(void) {
        for (const Verb *v = verbs; v->name; v++)
                zsh_verb(v);
}

/* ---------------------------------------------------------------------------------------------------------- fish */

static void fish_options_with_value(void) {
        printf("            case");
        for (const Option *o = options; o->name; o++) {
                if (!o->value || o->value_optional)
                        continue;
                printf(" --%s", o->name);
                if (o->letter)
                        printf(" -%c", o->letter);
        }
        putchar('\n');
}

static void fish_verbs_with_verbs_below(void) {
        printf("            case");
        for (const Verb *v = verbs; v->name; v++)
                if (has_verbs_below(v))
                        printf(" %s", v->name);
        putchar('\n');
}

static void fish_verb(const Verb *v) {
        if (is_first_word(v))
                printf("complete -c lkmctl -n '__lkmctl_at none' -a %s -d '", v->name);
        else
                printf("complete -c lkmctl -n '__lkmctl_at %.*s' -a %s -d '", (int) strcspn(v->name, " "),
                       v->name, last_word(v));
        print_quoted(v->summary, "\\");
        printf("'\n");
}

static void fish_verbs(void) {
        for (const Verb *v = verbs; v->name; v++)
                fish_verb(v);
}

static void fish_option(const Option *o) {
        printf("complete -c lkmctl -n '__lkmctl_at");
        if (is_common(o))
                printf(" none");
        for (const Verb *v = verbs; v->name; v++)
                if (option_is_of(o, v))
                        printf(is_first_word(v) ? " %s" : " \"%s\"", v->name);
        printf("' -l %s", o->name);
        if (o->letter)
                printf(" -s %c", o->letter);
        printf(" -d '");
        print_quoted(o->summary, "\\");
        putchar('\'');
        if (o->value && !o->value_optional)
                printf(" -x");
        if (o->words)
                printf(" -a '%s'", o->words);
        else if (o->completes) {
                printf(" -a '(__lkmctl_offer");
                print_kinds(o->completes);
                printf(")'");
        }
        putchar('\n');
}

static void fish_options(void) {
        for (const Option *o = options; o->name; o++)
                fish_option(o);
}

/* The verbs themselves as arguments of one: the first words of all, then the second ones. */
static void fish_verbs_as_arguments(const Verb *of) {
        printf("complete -c lkmctl -n '__lkmctl_at \"%s\"; and __lkmctl_first' -a '", of->name);
        for (const Verb *v = verbs; v->name; v++)
                if (is_first_word(v))
                        printf("%s ", v->name);
        printf("'\n");
        for (const Verb *above = verbs; above->name; above++) {
                if (!has_verbs_below(above))
                        continue;
                printf("complete -c lkmctl -n '__lkmctl_at \"%s\"; and contains -- %s (__lkmctl_words)[2]' -a '",
                       of->name, above->name);
                for (const Verb *v = verbs; v->name; v++)
                        if (verb_is_below(v, above->name))
                                printf("%s ", last_word(v));
                printf("'\n");
        }
}

static void fish_argument(const Verb *v, const char *place, unsigned completes) {
        if (!completes)
                return;
        printf("complete -c lkmctl -n '__lkmctl_at \"%s\"; and __lkmctl_%s' -a '(__lkmctl_offer", v->name,
               place);
        print_kinds(completes);
        printf(")'\n");
}

static void fish_arguments(void) {
        for (const Verb *v = verbs; v->name; v++) {
                if (v->completes[0] & COMPLETE_VERBS) {
                        fish_verbs_as_arguments(v);
                        continue;
                }
                if (v->max_args > 0)
                        fish_argument(v, "first", v->completes[0]);
                if (v->max_args > 1)
                        fish_argument(v, "rest", v->completes[1]);
        }
}

/* ------------------------------------------------------------------------------------------------------ templates */

static const struct {
        const char *name;
        void (*print)(void);
} parts[] = {
        { "bash verbs", bash_verbs },
        { "bash options", bash_options },
        { "bash values", bash_values },
        { "bash arguments", bash_arguments },
        { "zsh verbs", zsh_verbs },
        { "zsh verbs below", zsh_verbs_below },
        { "zsh options", zsh_options },
        { "zsh arguments", zsh_arguments },
        { "fish options with value", fish_options_with_value },
        { "fish verbs with verbs below", fish_verbs_with_verbs_below },
        { "fish verbs", fish_verbs },
        { "fish options", fish_options },
        { "fish arguments", fish_arguments },
};

/* @line: "@NAME@\n" Return: 0; -EINVAL: there is no such part. */
static int print_part(const char *line) {
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
                size_t n = strlen(parts[i].name);

                if (strncmp(line + 1, parts[i].name, n) == 0 && streq(line + 1 + n, "@\n")) {
                        parts[i].print();
                        return 0;
                }
        }
        return -EINVAL;
}

int main(int argc, char **argv) {
        _cleanup_(fclosep) FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
        char line[512];

        if (!template) {
                (void) fprintf(stderr, "usage: generate TEMPLATE\n");
                return EXIT_FAILURE;
        }
        while (fgets(line, sizeof(line), template))
                if (line[0] != '@')
                        (void) fputs(line, stdout);
                else if (print_part(line) < 0) {
                        (void) fprintf(stderr, "%s: there is no part %s", argv[1], line);
                        return EXIT_FAILURE;
                }
        return fflush(stdout) == 0 && !ferror(template) ? EXIT_SUCCESS : EXIT_FAILURE;
}
