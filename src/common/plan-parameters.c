/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parameters of one module: its "options" lines in the order of the files, then the kernel command line,
 * then what rules of the policy add, then the request's own: what comes later wins. Without such rules, what is
 * joined is what modprobe would hand to the kernel, but for blanks at both ends.
 */

#include "common/plan-parameters.h"

#include <assert.h>

#include "common/plan-rules.h"

#define BLANKS " \t\n\v\f\r"

/* As the kernel cuts them: at blanks, but not between double quotes (lib/cmdline.c, next_arg()). */
static size_t assignment_length(const char *p) {
        bool quoted = false;
        size_t n;

        for (n = 0; p[n] && (quoted || !strchr(BLANKS, p[n])); n++)
                if (p[n] == '"')
                        quoted = !quoted;

        return n;
}

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

/* @file is NULL for what the request gave. */
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
                n = assignment_length(text);
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

typedef struct Collection {
        PlanStep *step;
        FILE *joined;
} Collection;

static int on_rule_with_options(const PolicyRule *rule, void *userdata) {
        Collection *c = userdata;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rule->n_options; i++)
                r = add_text(c->step, rule->options[i], rule->file, rule->line, c->joined);
        return r;
}

static int add_lines(const PlanGraph *g, const Node *n, Collection *c) {
        const ConfigEntry *entries;
        size_t n_entries;
        int r;

        entries = modprobe_config_entries(index_get_config(g->index), CONFIG_OPTIONS, &n_entries);
        for (size_t i = 0; i < n_entries; i++) {
                const ConfigEntry *e = entries + i;

                if (!streq(e->name, n->name) && !(n->option_key && streq(e->name, n->option_key)))
                        continue;
                r = add_text(c->step, e->value, e->file, e->line, c->joined);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * plan_parameters_collect() - fill in parameters and parameter_origins of a step
 * @n: its node, placed
 *
 * Return: 0; -ENOMEM, with the step to be freed as it is.
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
                r = add_text(step, g->request->parameters, NULL, 0, joined);
        if (r < 0)
                return r;

        if (fclose(STEAL_PTR(joined)) != 0 || !step->parameters) /* the text is complete from here on */
                return -ENOMEM;
        trim(step->parameters);
        return 0;
}
