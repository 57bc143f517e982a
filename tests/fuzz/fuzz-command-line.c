/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a kernel command line, and its last line as the name of a parameter of the kernel's own: what is found
 * lies in it and is in the form that is promised, and "install" lines that are taken for a denial run nothing else.
 */

#include "common/modprobe/deny-command.h"
#include "common/policy-files/policy-command-line.h"
#include "common/words/kernel-command-line.h"
#include "support.h"

#define BLANKS " \t\n\v\f\r"

typedef struct Seen {
        const char *begin, *end;        /* of the text */
        const char *last;               /* where the option before this one began */
        size_t n_options;
} Seen;

static int on_option(char *module, char *parameter, void *userdata) {
        Seen *s = userdata;
        size_t n_name = strcspn(parameter, "=");

        must(module >= s->begin && module <= s->end && parameter > module && parameter <= s->end);
        must(module > s->last);
        must(!strpbrk(module, ".=\"" BLANKS));
        for (size_t i = 0; i < n_name; i++)
                must(!strchr(".\"" BLANKS, parameter[i]));
        must(parameter + strlen(parameter) <= s->end);
        s->last = module;
        s->n_options++;
        return 0;
}

static size_t parse_options(const char *text) {
        _cleanup_(freep) char *copy = strdup(text);
        Seen s = {};

        must(copy != NULL);
        s = (Seen) { .begin = copy, .end = copy + strlen(copy), .last = copy - 1 };
        must(kernel_command_line_parse(copy, on_option, &s) == 0);
        return s.n_options;
}

static void check_find(const char *text, const char *name) {
        _cleanup_(freep) char *value = NULL, *again = NULL;

        must(kernel_command_line_find(text, name, &value) == 0);
        must(kernel_command_line_find(text, name, &again) == 0);
        must(streq_ptr(value, again));
        must(!value || strlen(value) < strlen(text));
}

static void check_policy(const char *text) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        ProblemList problems = {};

        must(policy_command_line_parse(&f, text, &problems) == 0);
        for (size_t i = 0; i < f->n_rules; i++)
                must(f->rules[i].verdict != POLICY_NO_VERDICT);
        for (size_t i = 0; i < problems.n_items; i++)
                fuzz_must_be_printable(problems.items[i].message);
        problem_list_clear(&problems);
}

/*
 * A list of commands may be a denial if each of them is, but nothing that the shell runs in a shell of its own, unless
 * in quotes or a comment; and what is a denial alone is one behind another.
 */
static void check_denial(const char *text) {
        _cleanup_(freep) char *twice = NULL;
        size_t n = strcspn(text, "#'\"");

        if (!command_is_denial(text))
                return;
        for (size_t i = 0; i < n; i++)
                must(text[i] != '`' && text[i] != '(');
        must(asprintf(&twice, "/bin/false || %s", text) >= 0);
        must(command_is_denial(twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = fuzz_text(data, size);
        char *name = strrchr(text, '\n');

        check_denial(text);
        if (name)
                *name++ = '\0';
        check_find(text, name && *name ? name : "lkmd.mode");
        must(parse_options(text) == parse_options(text));
        check_policy(text);
        return 0;
}
