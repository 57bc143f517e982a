/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyCommandLine: rules of the kernel command line: module_blacklist=, which the kernel itself applies, then
 * lkmd.deny= and lkmd.allow= in their order. Each word is one rule. They are for machines that do not boot
 * otherwise, so an error in one of them does not affect the others, nor the policy.
 */

#include "common/policy-files/policy-command-line.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/nearest-name.h"
#include "common/base/text.h"
#include "common/policy-files/policy-pattern.h"
#include "common/policy/policy-file.h"
#include "common/words/kernel-command-line.h"

#define FILE_NAME KERNEL_COMMAND_LINE_FILE

typedef struct Words {
        PolicyFile *file;
        PolicyPattern *patterns;        /* of the word being read */
        size_t n_patterns;
        ProblemList *problems;
} Words;

static void words_clear(Words *w) {
        policy_file_free(w->file);
        free(w->patterns);
}

/* Makes a rule of the patterns of a word. */
static int add_rule(Words *w, PolicySource source, PolicyVerdict verdict, const char *reason) {
        PolicyRule *rule;

        if (w->n_patterns == 0)
                return 0;
        rule = policy_file_add_rule(w->file, source, 0, 0);
        if (!rule)
                return -ENOMEM;
        rule->verdict = verdict;
        rule->mode = POLICY_ENFORCE;
        rule->has_own_mode = true;
        rule->reason = reason;
        return policy_file_set_match(w->file, rule, POLICY_KEY_MODULE, w->patterns, w->n_patterns);
}

static int complain(const Words *w, const char *word, const char *item, const char *problem) {
        char shown[TEXT_SHOWN_MAX];

        text_show(item, shown);
        return problem_list_add(w->problems, FILE_NAME, 0, "%s=: \"%s\": %s", word, shown, problem);
}

/* ----------------------------------------------------------------------------------- module_blacklist= */

/* kernel/module/main.c, blacklisted(): compared byte by byte with the name with underscores. */
static int add_blacklisted(Words *w, const char *item) {
        static const char word[] = "module_blacklist";
        PolicyPattern pattern = {};
        const char *problem;
        int r;

        r = policy_module_parse(&pattern.glob, item, &w->file->strings, &problem);
        if (r == -EINVAL)
                return complain(w, word, item, problem);
        if (r < 0)
                return r;
        if (!streq(pattern.glob, item)) {
                r = complain(w, word, item,
                             "the kernel knows modules by names with '_', and does not go by this "
                             "one; lkmd does");
                if (r < 0)
                        return r;
        }
        r = array_grow(&w->patterns, w->n_patterns, sizeof(*w->patterns));
        if (r < 0)
                return r;
        w->patterns[w->n_patterns++] = pattern;
        return 0;
}

static int read_module_blacklist(Words *w, const char *text) {
        _cleanup_(freep) char *value = NULL;
        char *rest, *item;
        int r;

        r = kernel_command_line_find(text, "module_blacklist", &value);
        if (r < 0 || !value)
                return r;

        w->n_patterns = 0;
        for (rest = value; (item = strsep(&rest, ","));) {
                r = *item == '\0' ? 0 : add_blacklisted(w, item);
                if (r < 0)
                        return r;
        }
        return add_rule(w, POLICY_BY_KERNEL, POLICY_DENY, "module_blacklist= on the kernel command line");
}

/* ----------------------------------------------------------------------------- lkmd.deny=, lkmd.allow= */

static const struct {
        const char *name, *word, *reason;
        PolicyVerdict verdict;
} rule_words[] = {
        { "deny", "lkmd.deny", "lkmd.deny= on the kernel command line", POLICY_DENY },
        { "allow", "lkmd.allow", "lkmd.allow= on the kernel command line", POLICY_ALLOW },
};

/* A word with a negated pattern is ignored if a pattern is wrong: without it, the rule would match much more. */
static int add_globs(Words *w, const char *word, char *value) {
        bool negates = *value == '!' || strstr(value, ",!"), is_bad = false;
        const char *problem;
        char *item;
        int r;

        w->n_patterns = 0;
        if (*value == '\0')
                return complain(w, word, value, "expected names of modules or globs");
        while ((item = strsep(&value, ","))) {
                r = array_grow(&w->patterns, w->n_patterns, sizeof(*w->patterns));
                if (r < 0)
                        return r;
                r = policy_pattern_parse(w->patterns + w->n_patterns, POLICY_KEY_MODULE, item,
                                         &w->file->strings, &problem);
                if (r == -EINVAL) {
                        is_bad = true;
                        r = complain(w, word, item, problem);
                } else if (r >= 0)
                        w->n_patterns++;
                if (r < 0)
                        return r;
        }

        if (!is_bad || !negates)
                return 0;
        w->n_patterns = 0;
        return problem_list_add(w->problems, FILE_NAME, 0,
                                "%s= is ignored: it has a '!' and something wrong", word);
}

/* For kernel_command_line_parse(). */
static int on_option(char *module, char *parameter, void *userdata) {
        static const char *const names[] = { "deny", "allow" };
        Words *w = userdata;
        const char *near;
        char *value;
        int r;

        if (!streq(module, "lkmd"))
                return 0;
        value = parameter + strcspn(parameter, "=");
        if (*value == '=')
                *value++ = '\0';

        for (size_t i = 0; i < ARRAY_LEN(rule_words); i++) {
                if (!streq(parameter, rule_words[i].name))
                        continue;
                r = add_globs(w, rule_words[i].word, kernel_command_line_unquote(value));
                if (r < 0)
                        return r;
                return add_rule(w, POLICY_BY_COMMAND_LINE, rule_words[i].verdict, rule_words[i].reason);
        }

        near = nearest_name_of(parameter, names, ARRAY_LEN(names));
        if (near) {
                char shown[TEXT_SHOWN_MAX];

                text_show(parameter, shown); /* arbitrary bytes from the boot loader */
                return problem_list_add(w->problems, FILE_NAME, 0, "unknown lkmd.%s=; did you mean lkmd.%s=?", shown,
                                        near);
        }
        return 0;
}

/**
 * policy_command_line_parse() - the rules of a kernel command line
 * @ret:  may have no rules
 * @text: of /proc/cmdline
 *
 * Return: 0, also if words are ignored; -ENOMEM.
 */
int policy_command_line_parse(PolicyFile **ret, const char *text, ProblemList *problems) {
        _cleanup_(words_clear) Words w = { .problems = problems };
        _cleanup_(freep) char *copy = NULL;
        int r;

        assert(ret && text);

        w.file = policy_file_new(FILE_NAME, POLICY_FILE_RULES);
        copy = strdup(text);
        if (!w.file || !copy)
                return -ENOMEM;
        r = read_module_blacklist(&w, text);
        if (r < 0)
                return r;
        r = kernel_command_line_parse(copy, on_option, &w);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(w.file);
        return 0;
}
