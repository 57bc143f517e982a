/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintOptions: compares the words of options lines with the parameters that the files of modules name. The kernel
 * takes a word that it does not know without an error, and only logs it.
 */

#include "cli/offline/lint-options.h"

#include <assert.h>

#include "cli/offline/lint-names.h"
#include "common/base/array.h"
#include "common/base/nearest-name.h"
#include "common/base/string-list.h"
#include "common/index/index-lookup.h"
#include "common/module/module-info.h"
#include "common/words/kernel-command-line.h"

#define BLANKS " \t\n\v\f\r"            /* of the kernel */

static Finding finding_of(const ConfigEntry *e, FindingKind kind, const char *instead) {
        return (Finding) { kind, e->file, e->line, 0, instead, e->name };
}

static bool is_of_kernel(const ConfigEntry *e) {
        return e->line == 0 && streq(e->file, KERNEL_COMMAND_LINE_FILE);
}

/* ------------------------------------------------------------------------------------------------- parameters */

/* "mousepoll = 8" is three words. */
static char *join_blanks(const char *text) {
        char *joined = strdup(text), *to = joined;

        for (const char *p = text; joined && *p; p++) {
                const char *next = p + strspn(p, BLANKS);

                if (next > p && (*next == '=' || (to > joined && to[-1] == '=')))
                        p = next;
                *to++ = *p;
                if (*p == '\0')
                        return joined;
        }
        if (joined)
                *to = '\0';
        return joined;
}

static const char *nearest_parameter(char *const *known, const char *word) {
        _cleanup_(freep) char *name = strndup(word, strcspn(word, "="));

        return name ? nearest_name_of(name, (const char *const *) known, string_list_count(known)) : NULL;
}

static int describe_instead(const ConfigEntry *e, const char *module, const char *word, char *const *known,
                            char **ret) {
        bool spaced = strstr(e->value, " =") || strstr(e->value, "= ");
        const char *nearest = nearest_parameter(known, word);
        _cleanup_(freep) char *joined = spaced ? join_blanks(e->value) : NULL;
        int n;

        if (spaced && joined)
                n = asprintf(ret, "options %s %s, without blanks around the =", e->name, joined);
        else if (nearest)
                n = asprintf(ret, "%s%s, if that is what is meant", nearest, word + strcspn(word, "="));
        else if (!known[0])
                n = asprintf(ret, "no line: %s has no parameters", module);
        else
                n = asprintf(ret, "one of its parameters: modinfo -p %s", module);
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

static int report_unknown(Lint *l, const ConfigEntry *e, const char *module, const char *word,
                          char *const *known) {
        Finding finding = finding_of(e, FINDING_UNKNOWN_PARAMETER, NULL);
        _cleanup_(freep) char *instead = NULL;
        int r = describe_instead(e, module, word, known, &instead);

        if (r < 0)
                return r;
        finding.instead = instead;
        if (*word == '=')
                return lint_report(
                        l, &finding,
                        "%s gets a word for each side of the blank beside the =, and has no such parameters: the kernel ignores them",
                        module);
        return lint_report(l, &finding, "%s has no parameter '%.*s': the kernel ignores it", module,
                           (int) strcspn(word, "="), word);
}

/* A lone "=" or "8" behind a blank comes of the blank, which is told once. */
static int lint_words(Lint *l, const ConfigEntry *e, const char *module, char *const *known) {
        bool spaced = false;
        size_t n;
        int r = 0;

        for (const char *p = e->value + strspn(e->value, BLANKS); r >= 0 && *p;
             p += n + strspn(p + n, BLANKS)) {
                _cleanup_(freep) char *word = NULL;

                n = kernel_assignment_length(p);
                word = strndup(p, n);
                if (!word)
                        return -ENOMEM;
                if (*word == '#')
                        return 0;       /* LintLines tells of it */
                word[strcspn(word, "\r")] = '\0';
                if (*word == '\0' || module_parameter_is_known(known, word))
                        continue;
                if (*word == '=' || word[strlen(word) - 1] == '=') {
                        r = spaced ? 0 : report_unknown(l, e, module, "=", known);
                        spaced = true;
                } else if (!spaced)
                        r = report_unknown(l, e, module, word, known);
                else
                        spaced = *word != '=';
        }
        return r;
}

/* The parameters of a module; read once, since it takes a while to decompress a file. */
typedef struct Known {
        const IndexModule *module;
        char **names;                   /* NULL: @error */
        int error;
} Known;

typedef struct KnownList {
        Known *items;
        size_t n_items;
} KnownList;

static void known_list_clear(KnownList *k) {
        for (size_t i = 0; i < k->n_items; i++)
                string_list_free(k->items[i].names);
        free(k->items);
}

/* Return: 0; -ENOMEM; why the file cannot be read. */
static int find_parameters(KnownList *k, const IndexModule *m, char *const **ret) {
        Known known = { .module = m };

        for (size_t i = 0; i < k->n_items; i++)
                if (k->items[i].module == m) {
                        *ret = k->items[i].names;
                        return k->items[i].error;
                }
        known.error = module_info_parameters(m->path, &known.names);
        if (known.error == -ENOMEM)
                return -ENOMEM;
        if (array_grow(&k->items, k->n_items, sizeof(*k->items)) < 0) {
                string_list_free(known.names);
                return -ENOMEM;
        }
        k->items[k->n_items++] = known;
        *ret = known.names;
        return known.error;
}

static int lint_module(Lint *l, KnownList *k, const ConfigEntry *e, const IndexModule *m) {
        char *const *known = NULL;
        int r = find_parameters(k, m, &known);

        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                Finding finding = finding_of(e, FINDING_NOT_READ, NULL);

                return lint_report(l, &finding, "whether %s has these parameters is not known: %s: %s",
                                   m->name, m->path, strerror(-r));
        }
        return lint_words(l, e, m->name, known);
}

/* ----------------------------------------------------------------------------------------------------- names */

/* Each word as the kernel takes it. */
static int lint_built_in_options(Lint *l, const ConfigEntry *e) {
        Finding finding = finding_of(e, FINDING_BUILT_IN, NULL);
        _cleanup_(freep) char *instead = NULL;
        size_t size, n;
        FILE *f = open_memstream(&instead, &size);

        if (!f)
                return -ENOMEM;
        (void) fputs("write", f);
        for (const char *p = e->value + strspn(e->value, BLANKS); *p && *p != '#';
             p += n + strspn(p + n, BLANKS)) {
                n = kernel_assignment_length(p);
                (void) fprintf(f, " %s.%.*s", e->name, (int) n, p);
        }
        (void) fputs(" on the kernel command line", f);
        if (fclose(f) != 0)
                return -ENOMEM;
        finding.instead = instead;
        return lint_report(
                l, &finding,
                "this line does nothing: %s is built into the kernel, which takes its parameters from the kernel command line",
                e->name);
}

/* The kernel has parameters of many parts that are no modules; each has a directory while it runs. */
static bool is_part_of_kernel(const char *name) {
        char path[NAME_MAX + sizeof("/sys/module/")];

        if (snprintf(path, sizeof(path), "/sys/module/%s", name) >= (int) sizeof(path))
                return false;
        return access(path, F_OK) == 0;
}

/* Words with a dot are also those of systemd, of dracut and of the kernel itself. */
static int lint_absent(Lint *l, const ConfigEntry *e) {
        if (is_of_kernel(e))
                return is_part_of_kernel(e->name) ? 0 : lint_misspelt(l, e, e->name);
        return lint_no_module(l, e, e->name);
}

static int lint_entry(Lint *l, KnownList *k, const ConfigEntry *e) {
        const IndexModule *m = index_find_module(l->index, e->name);
        IndexAnswer answer = {};
        size_t n_modules = 0;
        int r = 0;

        if (m && !m->path)
                return is_of_kernel(e) ? 0 : lint_built_in_options(l, e);
        if (m)
                return lint_module(l, k, e, m);
        if (!is_of_kernel(e))           /* options may be those of an alias */
                r = index_lookup(l->index, e->name, &answer);
        for (size_t i = 0; r >= 0 && i < answer.n_matches; i++) {
                const IndexMatch *match = answer.matches + i;
                const IndexModule *found = match->module ?: index_find_module(l->index, match->name);

                n_modules += found != NULL || match->source == INDEX_COMMAND;
                if (found && found->path && answer.n_matches == 1)
                        r = lint_module(l, k, e, found);
        }
        index_answer_clear(&answer);
        if (r == -ENOMEM)
                return r;
        return n_modules > 0 ? 0 : lint_absent(l, e);
}

int lint_options(Lint *l) {
        _cleanup_(known_list_clear) KnownList known = {};
        const ConfigEntry *entries;
        size_t n;
        int r = 0;

        assert(l);

        entries = modprobe_config_entries(index_get_config(l->index), CONFIG_OPTIONS, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = lint_entry(l, &known, entries + i);
        return r;
}
