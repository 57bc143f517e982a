/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parameters of one module: its "options" lines in the order of the files, then the kernel command line,
 * then the request's own. What is joined is what modprobe would hand to the kernel, but for blanks at both
 * ends.
 */

#include "common/plan-parameters.h"

#include <assert.h>

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

static int add_origin(PlanStep *step, const char *text, size_t n, const ConfigEntry *entry) {
        _cleanup_(freep) char *copy = NULL, *file = NULL;
        PlanParameter *origins;

        copy = strndup(text, n);
        file = entry ? strdup(entry->file) : NULL;
        if (!copy || (entry && !file))
                return -ENOMEM;

        origins = reallocarray(step->parameter_origins, step->n_parameter_origins + 1, sizeof(*origins));
        if (!origins)
                return -ENOMEM;
        step->parameter_origins = origins;
        step->parameter_origins[step->n_parameter_origins++] = (PlanParameter) {
                .text = STEAL_PTR(copy),
                .file = STEAL_PTR(file),
                .line = entry ? entry->line : 0,
        };
        return 0;
}

/* @entry is NULL for what the request gave. */
static int add_text(PlanStep *step, const char *text, const ConfigEntry *entry, FILE *joined) {
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
                r = add_origin(step, text, n, entry);
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

/**
 * plan_parameters_collect() - fill in parameters and parameter_origins of a step
 * @module:     normalised
 * @option_key: what an "options" line may say instead of it; NULL: nothing
 * @requested:  goes behind the configured ones; NULL: none
 *
 * Return: 0; -ENOMEM, with the step to be freed as it is.
 */
int plan_parameters_collect(const ModprobeConfig *config, const char *module, const char *option_key,
                            const char *requested, PlanStep *step) {
        _cleanup_(fclosep) FILE *joined = NULL;
        const ConfigEntry *entries;
        size_t n, size;
        int r;

        assert(config && module && step && !step->parameters);

        joined = open_memstream(&step->parameters, &size);
        if (!joined)
                return -ENOMEM;

        entries = modprobe_config_entries(config, CONFIG_OPTIONS, &n);
        for (size_t i = 0; i < n; i++)
                if (streq(entries[i].name, module) || (option_key && streq(entries[i].name, option_key))) {
                        r = add_text(step, entries[i].value, &entries[i], joined);
                        if (r < 0)
                                return r;
                }

        if (requested) {
                r = add_text(step, requested, NULL, joined);
                if (r < 0)
                        return r;
        }

        if (fclose(STEAL_PTR(joined)) != 0 || !step->parameters) /* the text is complete from here on */
                return -ENOMEM;
        trim(step->parameters);
        return 0;
}
