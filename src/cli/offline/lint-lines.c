/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintLines: how lines of modprobe.d are written, without regard to the modules that there are. */

#include "cli/offline/lint-lines.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/nearest-name.h"
#include "common/words/config-line.h"

#define BLANKS " \t"

/* One line, cut into its words. */
typedef struct Line {
        const char *file;
        unsigned line;
        const char *directive;
        ConfigKind kind;
        const char *name;               /* NULL: there is none */
        char *rest;                     /* behind the name and blanks */
} Line;

static Finding finding_of(const Line *x, FindingKind kind, const char *instead) {
        return (Finding) { kind, x->file, x->line, 0, instead, x->name };
}

/* ----------------------------------------------------------------------------------------- lines of no effect */

static bool is_same_but_case(const char *word, char ret[static 16]) {
        size_t n = strlen(word);

        if (n >= 16)
                return false;
        for (size_t i = 0; i <= n; i++)
                ret[i] = (char) tolower((unsigned char) word[i]);
        return config_kind_from_string(ret) >= 0;
}

static const char *directive(size_t i) {
        return config_kind_to_string((ConfigKind) i);
}

static int report_directive(Lint *l, const Line *x, const char *instead) {
        Finding finding = finding_of(x, FINDING_BAD_LINE, instead);

        return lint_report(l, &finding, "this line does nothing: there is no directive '%s'", x->directive);
}

/* "modprobe X a=b", as if it were a script. */
static int lint_shell_line(Lint *l, const Line *x) {
        _cleanup_(freep) char *instead = NULL;
        bool loads = streq(x->directive, "modprobe") || streq(x->directive, "insmod");

        if (!loads || !x->name)
                return report_directive(l, x, NULL);
        if (*x->rest ? asprintf(&instead, "options %s %s", x->name, x->rest) < 0
                     : asprintf(&instead, "%s in a file of /etc/modules-load.d", x->name) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        return report_directive(l, x, instead);
}

static int lint_unknown_directive(Lint *l, const Line *x) {
        _cleanup_(freep) char *instead = NULL;
        const char *near = nearest_name(x->directive, directive);
        char lower[16];

        if (streq(x->directive, "include") || streq(x->directive, "config")) {
                Finding finding = finding_of(x, FINDING_BAD_LINE,
                                             "the lines themselves, in a file of modprobe.d");

                return lint_report(l, &finding, "this line does nothing: modprobe knows '%s' no longer",
                                   x->directive);
        }
        if (!is_same_but_case(x->directive, lower) && !near)
                return lint_shell_line(l, x);
        if (asprintf(&instead, "%s %s%s%s", is_same_but_case(x->directive, lower) ? lower : near,
                     x->name ?: "NAME", *x->rest ? " " : "", x->rest) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        return report_directive(l, x, instead);
}

/* A known directive that lacks something, or has a name that cannot be one. */
static int lint_incomplete(Lint *l, const Line *x) {
        static const char *const forms[_CONFIG_KIND_MAX] = {
                [CONFIG_ALIAS] = "alias PATTERN MODULE",          [CONFIG_BLACKLIST] = "blacklist MODULE",
                [CONFIG_OPTIONS] = "options MODULE PARAM=VALUE",  [CONFIG_INSTALL] = "install MODULE COMMAND",
                [CONFIG_REMOVE] = "remove MODULE COMMAND",        [CONFIG_SOFTDEP] = "softdep MODULE pre: MODULE post: MODULE",
                [CONFIG_WEAKDEP] = "weakdep MODULE MODULE",
        };
        Finding finding = finding_of(x, FINDING_BAD_LINE, forms[x->kind]);

        if (!x->name)
                return lint_report(l, &finding, "this line does nothing: it names no module");
        if (strpbrk(x->name, "[]"))
                return lint_report(l, &finding,
                                   "this line does nothing: a bracket in '%s' has no counterpart", x->name);
        return lint_report(l, &finding, "this line does nothing: there is nothing behind '%s'", x->name);
}

/* ---------------------------------------------------------------------------------------------------- names */

static bool is_file_name(const char *name) {
        const char *ko = strstr(name, ".ko");

        return strchr(name, '/') || (ko && (ko[3] == '\0' || ko[3] == '.'));
}

/* "/lib/x/a-b.ko.xz" is a file of a-b. */
static int name_of_file(const char *name, char **ret) {
        const char *slash = strrchr(name, '/');

        name = slash ? slash + 1 : name;
        *ret = strndup(name, strcspn(name, "."));
        return *ret ? 0 : -ENOMEM;
}

static int report_name(Lint *l, const Line *x, const char *name, const char *why, const char *directive_and,
                       const char *better) {
        _cleanup_(freep) char *instead = NULL;
        Finding finding = finding_of(x, FINDING_BAD_NAME, NULL);

        if (better && asprintf(&instead, "%s%s", directive_and, better) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "no module can be called '%s': %s", name, why);
}

static bool has_odd_byte(const char *word) {
        for (; *word; word++)
                if ((unsigned char) *word < 0x20 || (unsigned char) *word >= 0x7f)
                        return true;
        return false;
}

/* Return: 1: something was found; 0; negative errno. */
static int lint_name(Lint *l, const Line *x, const char *name, bool globs) {
        _cleanup_(freep) char *better = NULL, *start = NULL;
        int r;

        if (asprintf(&start, "%s ", x->directive) < 0) {
                start = NULL;
                return -ENOMEM;
        }
        if (strchr(name, ',')) {
                better = strndup(name, strcspn(name, ","));
                if (!better)
                        return -ENOMEM;
                r = report_name(l, x, name, "a comma does not separate names, each needs a line of its own",
                                start, better);
        } else if (is_file_name(name)) {
                r = name_of_file(name, &better);
                if (r >= 0)
                        r = report_name(l, x, name, "that is the name of its file", start, better);
        } else if (strpbrk(name, "\"'"))
                r = report_name(l, x, name, "quotes belong to the name", "the name without them", "");
        else if (strchr(";:.", name[strlen(name) - 1])) {
                better = strndup(name, strcspn(name, ";:."));
                if (!better)
                        return -ENOMEM;
                r = report_name(l, x, name, "the mark at its end belongs to the name", start, better);
        } else if (has_odd_byte(name))
                r = report_name(l, x, name, "it has a character that no name has", "", NULL);
        else if (!globs && strpbrk(name, "*?[")) {
                Finding finding = finding_of(
                        x, FINDING_BAD_NAME,
                        x->kind == CONFIG_BLACKLIST
                                ? "a line for each module, or a rule with match: {module: GLOB} in policy.d"
                                : "a line for each module");

                r = lint_report(l, &finding,
                                "%s takes no patterns: it is about a module that is really called '%s'",
                                x->directive, name);
        } else
                return 0;
        return r < 0 ? r : 1;
}

/* ---------------------------------------------------------------------------------------- lines with an effect */

/* The first of the further words; a comma may follow it. */
static int report_extra(Lint *l, const Line *x) {
        _cleanup_(freep) char *instead = NULL;
        Finding finding = finding_of(x, FINDING_EXTRA_WORDS, NULL);

        if (asprintf(&instead, "a line for each name, such as: blacklist %.*s",
                     (int) strcspn(x->rest, BLANKS ","), x->rest) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "only the first name counts, not '%s'", x->rest);
}

static int lint_blacklist(Lint *l, const Line *x) {
        int r = lint_name(l, x, x->name, /* globs= */ false);

        /* "blacklist x # why" works, since further words do not matter. */
        return r < 0 || *x->rest == '\0' || *x->rest == '#' ? r : report_extra(l, x);
}

static int lint_alias(Lint *l, const Line *x) {
        char *rest = x->rest, *target = config_word_next(&rest);
        int r;

        r = target ? lint_name(l, x, target, /* globs= */ false) : 0;
        if (r != 0)
                return r;
        rest += strspn(rest, BLANKS);
        if (*rest != '\0' && *rest != '#') {
                Finding finding = finding_of(x, FINDING_EXTRA_WORDS, "a line for each module");

                return lint_report(l, &finding, "an alias line has one module, so '%s' does not count",
                                   rest);
        }
        return 0;
}

/* The comment in the text behind the name; NULL: none. "#" may be a part of a word. */
static const char *find_comment(const char *rest) {
        for (const char *p = rest; (p = strchr(p, '#')); p++)
                if (p == rest || strchr(BLANKS, p[-1]))
                        return p;
        return NULL;
}

static int report_comment(Lint *l, const Line *x, const char *comment, const char *consequence) {
        Finding finding = finding_of(x, FINDING_TRAILING_COMMENT,
                                     "the comment on a line of its own, which begins with #");

        return lint_report(l, &finding, "modprobe.d has no comments behind a line: %s '%s'", consequence,
                           comment);
}

static int lint_options(Lint *l, const Line *x) {
        const char *comment = find_comment(x->rest);
        int r = lint_name(l, x, x->name, /* globs= */ false);

        return r < 0 || !comment ? r : report_comment(l, x, comment, "the module gets as parameters");
}

static int lint_command(Lint *l, const Line *x) {
        return lint_name(l, x, x->name, /* globs= */ true);
}

static bool is_place(const char *word) {
        return streq(word, "pre:") || streq(word, "post:");
}

/* "pre", "PRE:" */
static bool is_misspelt_place(const char *word) {
        size_t n = strcspn(word, ":");

        return !is_place(word) && (word[n] == '\0' || word[n + 1] == '\0') &&
               ((n == strlen("pre") && strncasecmp(word, "pre", n) == 0) ||
                (n == strlen("post") && strncasecmp(word, "post", n) == 0));
}

static int report_misspelt_place(Lint *l, const Line *x, const char *word) {
        Finding finding = finding_of(x, FINDING_SOFTDEP_WITHOUT_PLACE,
                                     tolower((unsigned char) word[1]) == 'r' ? "pre:" : "post:");

        return lint_report(l, &finding, "'%s' is taken for a module: the words are pre: and post:", word);
}

/* "pre:x" */
static bool is_glued_place(const char *word) {
        return !is_place(word) && (startswith(word, "pre:") || startswith(word, "post:"));
}

static int report_place(Lint *l, const Line *x, const char *word, const char *why) {
        _cleanup_(freep) char *instead = NULL;
        Finding finding = finding_of(x, FINDING_SOFTDEP_WITHOUT_PLACE, NULL);
        const char *colon = strchr(word, ':');

        if (colon ? asprintf(&instead, "softdep %s %.*s %s", x->name, (int) (colon + 1 - word), word,
                             colon + 1) < 0
                  : asprintf(&instead, "softdep %s pre: %s", x->name, word) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "'%s' is not loaded with %s: %s", word, x->name, why);
}

static int lint_commas(Lint *l, const Line *x, const char *word) {
        Finding finding = finding_of(x, FINDING_BAD_NAME, "blanks between the modules");

        return lint_report(l, &finding, "no module can be called '%s': a comma does not separate names",
                           word);
}

static int lint_softdep(Lint *l, const Line *x) {
        _cleanup_(freep) char *copy = strdup(x->rest);
        char *rest = copy, *word;
        bool placed = false;
        int r;

        if (!copy)
                return -ENOMEM;
        r = lint_name(l, x, x->name, /* globs= */ true);
        if (r != 0)
                return r;
        while (r >= 0 && (word = config_word_next(&rest))) {
                if (*word == '#')
                        return report_comment(l, x, find_comment(x->rest), "these are taken for modules:");
                if (is_place(word))
                        placed = true;
                else if (is_misspelt_place(word))
                        return report_misspelt_place(l, x, word);
                else if (strchr(word, ','))
                        return lint_commas(l, x, word);
                else if (is_glued_place(word))
                        r = report_place(l, x, word, "a blank has to follow the colon");
                else if (!placed)
                        return report_place(l, x, word, "neither pre: nor post: stands before it");
        }
        return r;
}

static int lint_counting(Lint *l, const Line *x) {
        switch (x->kind) {
        case CONFIG_ALIAS:
                return lint_alias(l, x);
        case CONFIG_BLACKLIST:
                return lint_blacklist(l, x);
        case CONFIG_OPTIONS:
                return lint_options(l, x);
        case CONFIG_INSTALL:
        case CONFIG_REMOVE:
                return lint_command(l, x);
        case CONFIG_SOFTDEP:
                return lint_softdep(l, x);
        default:
                return 0;
        }
}

int lint_line(Lint *l, const char *file, unsigned line, const char *text, bool counts) {
        _cleanup_(freep) char *copy = strdup(text);
        Line x = { .file = file, .line = line };
        char *rest = copy, *end;
        int r;

        assert(l && file && text);

        if (!copy)
                return -ENOMEM;
        for (end = copy + strlen(copy); end > copy && strchr(BLANKS "\r", end[-1]);)
                *--end = '\0';          /* LintText has told of the CR */
        x.directive = config_word_next(&rest);
        if (!x.directive || has_odd_byte(x.directive))
                return 0;
        if (*x.directive == '#') {
                Finding finding = finding_of(&x, FINDING_INDENTED_COMMENT,
                                             "a # at the beginning of the line");

                return lint_report(
                        l, &finding,
                        "modprobe complains about this line: a comment has no blanks before its #");
        }
        x.kind = config_kind_from_string(x.directive);
        x.name = config_word_next(&rest);
        x.rest = rest + strspn(rest, BLANKS);
        if (x.kind < 0)
                r = lint_unknown_directive(l, &x);
        else
                r = counts ? lint_counting(l, &x) : lint_incomplete(l, &x);
        return r < 0 ? r : 0;
}
