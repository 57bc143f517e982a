/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanParameters: the parameters of one module: its "options" lines in the order of the files, then the kernel
 * command line, then options of rules, then those of the request; later ones override earlier ones. Without
 * options of rules, the result is what modprobe passes to the kernel, except for blanks at both ends.
 */

#include "common/plan/plan-parameters.h"

#include <assert.h>

#include "common/base/module-name.h"
#include "common/plan/plan-rules.h"
#include "common/words/kernel-command-line.h"
#include "common/words/root-words.h"

#define BLANKS " \t\n\v\f\r"

static int add_origin(PlanStep *step, const char *text, size_t n, const char *file_name, unsigned line) {
        _cleanup_(freep) char *copy = NULL, *file = NULL;
        PlanParameter *origins;

        copy = strndup(text, n);
        file = file_name ? strdup(file_name) : NULL;
        if (!copy || (file_name && !file))
                return -ENOMEM;

        origins = reallocarray(step->parameter_origins, step->n_parameter_origins + 1, sizeof(*origins));
        if (!origins)
                return -ENOMEM;
        step->parameter_origins = origins;
        step->parameter_origins[step->n_parameter_origins++] = (PlanParameter) {
                .text = STEAL_PTR(copy),
                .file = STEAL_PTR(file),
                .line = line,
        };
        return 0;
}

/* Empty text is not checked by lkmd-loader. */
static int add_words(PlanStep *step, const PlanWords *what) {
        PlanWords copy = { .kind = what->kind }, *words;

        if (what->text[strspn(what->text, " ")] == '\0')
                return 0;
        words = reallocarray(step->words, step->n_words + 1, sizeof(*words));
        if (!words)
                return -ENOMEM;
        step->words = words;

        copy.text = strdup(what->text);
        copy.file = what->file ? strdup(what->file) : NULL;
        copy.name = what->name ? strdup(what->name) : NULL;
        copy.alias_file = what->alias_file ? strdup(what->alias_file) : NULL;
        step->words[step->n_words++] = copy;
        return copy.text && !copy.file == !what->file && !copy.name == !what->name &&
                               !copy.alias_file == !what->alias_file
                       ? 0
                       : -ENOMEM;
}

/* @file: NULL: parameters of the request. */
static int add_text(PlanStep *step, const char *text, const char *file, unsigned line, FILE *joined) {
        size_t n;
        int r;

        if (!*text)
                return 0;
        if (ftell(joined) > 0 && fputc(' ', joined) < 0)
                return -ENOMEM;
        if (fputs(text, joined) < 0)
                return -ENOMEM;

        for (text += strspn(text, BLANKS); *text; text += n + strspn(text + n, BLANKS)) {
                n = kernel_assignment_length(text);
                r = add_origin(step, text, n, file, line);
                if (r < 0)
                        return r;
        }

        return 0;
}

static void trim(char *s) {
        size_t blanks = strspn(s, " "), n = strlen(s + blanks);

        while (n > 0 && s[blanks + n - 1] == ' ')
                n--;
        memmove(s, s + blanks, n);
        s[n] = '\0';
}

/*
 * The file with the alias @name of the node's module: that of the alias by which it was found, or depmod's. *ret:
 * NULL:
 * @name is that of the module.
 */
static int find_alias_file(const PlanGraph *g, const Node *n, const char *name, char **ret) {
        *ret = NULL;
        if (streq(name, n->name))
                return 0;
        if (n->origin && n->origin->kind == CONFIG_ALIAS)
                *ret = strdup(n->origin->file);
        else if (asprintf(ret, "%s/%s", index_get_module_dir(g->index),
                          startswith(name, "symbol:") ? "modules.symbols" : "modules.alias") < 0)
                *ret = NULL;
        return *ret ? 0 : -ENOMEM;
}

typedef struct Collection {
        PlanStep *step;
        FILE *joined;
} Collection;

static int on_rule_with_options(const PolicyRule *rule, void *userdata) {
        Collection *c = userdata;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rule->n_options; i++) {
                PlanWords words = { .kind = PLAN_WORDS_OF_RULE,
                                    .text = (char *) rule->options[i],
                                    .file = (char *) rule->file };

                r = add_text(c->step, rule->options[i], rule->file, rule->line, c->joined);
                if (r >= 0)
                        r = add_words(c->step, &words);
        }
        return r;
}

static int add_line(const PlanGraph *g, const Node *n, const ConfigEntry *e, Collection *c) {
        _cleanup_(freep) char *alias_file = NULL;
        bool of_kernel = e->line == 0 && streq(e->file, KERNEL_COMMAND_LINE_FILE);
        int r;

        r = find_alias_file(g, n, e->name, &alias_file);
        if (r < 0)
                return r;
        r = add_text(c->step, e->value, e->file, e->line, c->joined);
        if (r < 0)
                return r;
        return add_words(c->step, &(PlanWords) {
                                          .kind = of_kernel ? PLAN_WORDS_OF_KERNEL_LINE : PLAN_WORDS_OF_LINE,
                                          .text = (char *) e->value,
                                          .file = (char *) e->file,
                                          .name = (char *) e->name,
                                          .alias_file = alias_file,
                                  });
}

static int add_lines(const PlanGraph *g, const Node *n, Collection *c) {
        const ConfigEntry *entries;
        size_t n_entries;
        int r = 0;

        entries = modprobe_config_entries(index_get_config(g->index), CONFIG_OPTIONS, &n_entries);
        for (size_t i = 0; r >= 0 && i < n_entries; i++) {
                const ConfigEntry *e = entries + i;

                if (streq(e->name, n->name) || (n->option_key && streq(e->name, n->option_key)))
                        r = add_line(g, n, e, c);
        }
        return r;
}

/* A question without a requester is answered as if root asked. */
static bool is_roots(const PlanRequest *request) {
        const PolicyRequester *r = request->requester;

        return !r || !r->has_uid || r->uid == 0;
}

/* A parameter of the request: from root, or allowed or not by the rule that allows the module. */
static int add_requested_word(const PlanGraph *g, const Node *n, const char *word, const char *alias_file,
                              PlanStep *step) {
        const PolicyRule *rule = n->ruling[n->part].rule;
        PlanWords words = { .kind = PLAN_WORDS_OF_ROOT,
                            .text = (char *) word,
                            .name = (char *) g->request->key,
                            .alias_file = (char *) alias_file };

        if (is_roots(g->request))
                return add_words(step, &words);

        words.kind = PLAN_WORDS_NOT_ALLOWED;
        words.alias_file = NULL;
        for (size_t i = 0; rule && i < rule->n_parameters; i++)
                if (word_is_allowed(word, rule->parameters[i])) {
                        words.kind = PLAN_WORDS_ALLOWED;
                        words.name = (char *) rule->parameters[i];
                        words.file = (char *) rule->file;
                        break;
                }
        return add_words(step, &words);
}

static int add_requested(const PlanGraph *g, const Node *n, Collection *c) {
        const char *text = g->request->parameters;
        _cleanup_(freep) char *alias_file = NULL, *key = NULL;
        size_t length;
        int r;

        key = strdup(g->request->key);
        if (!key)
                return -ENOMEM;
        (void) module_name_normalize_in_place(key);
        r = find_alias_file(g, n, key, &alias_file);
        if (r >= 0)
                r = add_text(c->step, text, NULL, 0, c->joined);

        for (text += strspn(text, BLANKS); r >= 0 && *text; text += length + strspn(text + length, BLANKS)) {
                _cleanup_(freep) char *word = NULL;

                length = kernel_assignment_length(text);
                word = strndup(text, length);
                r = word ? add_requested_word(g, n, word, alias_file, c->step) : -ENOMEM;
        }
        return r;
}

/**
 * plan_parameters_collect() - set parameters, parameter_origins and words of a step
 * @n: its node, placed
 *
 * Return: 0; -ENOMEM.
 */
int plan_parameters_collect(const PlanGraph *g, const Node *n, PlanStep *step) {
        _cleanup_(fclosep) FILE *joined = NULL;
        Collection c = { .step = step };
        size_t size;
        int r;

        assert(g && n && step && !step->parameters);

        c.joined = joined = open_memstream(&step->parameters, &size);
        if (!joined)
                return -ENOMEM;

        r = add_lines(g, n, &c);
        if (r >= 0)
                r = plan_rules_each_options(g, n, on_rule_with_options, &c);
        if (r >= 0 && n->requested && g->request->parameters)
                r = add_requested(g, n, &c);
        if (r < 0)
                return r;

        if (fclose(STEAL_PTR(joined)) != 0 || !step->parameters) /* the text is complete now */
                return -ENOMEM;
        trim(step->parameters);
        return 0;
}
