/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel command line as kmod reads it: words with a dot are parameters of modules, everything else is
 * the kernel's own. Cuts the caller's text into strings; owns nothing.
 */

#include "common/words/kernel-command-line.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/module-name.h"
#include "common/base/util.h"

#define BLANKS " \t\n\v\f\r"

/*
 * Cuts the next word off *@rest; blanks between double quotes do not end it. NULL: no more, or a quote stays
 * open.
 */
static char *next_word(char **rest) {
        char *word, *p;
        bool quoted = false;

        word = *rest + strspn(*rest, BLANKS);
        for (p = word; *p; p++)
                if (*p == '"')
                        quoted = !quoted;
                else if (!quoted && strchr(BLANKS, *p))
                        break;

        if (p == word || quoted)
                return NULL;

        *rest = *p ? p + 1 : p;
        *p = '\0';
        return word;
}

/*
 * Splits one word at its first dot. A boot loader may have quoted the whole of it ("mod.param=a b"); the
 * quote then moves to where the kernel wants it (mod.param="a b").
 */
static bool split_word(char *word, char **ret_module, char **ret_parameter) {
        bool quoted = *word == '"';
        char *module = word + quoted, *parameter, *value;

        parameter = module + strcspn(module, ".=\"" BLANKS);
        if (*parameter != '.')
                return false;
        *parameter++ = '\0';

        value = parameter + strcspn(parameter, ".=\"" BLANKS);
        if (*value && *value != '=')
                return false;

        if (quoted) {
                assert(*value);         /* the closing quote is still to come */
                memmove(word, module, (size_t) (value + 1 - module));
                *value = '"';
                module--;
                parameter--;
        }

        *ret_module = module;
        *ret_parameter = parameter;
        return true;
}

/**
 * kernel_command_line_parse() - find the parameters of modules in it
 * @text:      of /proc/cmdline; cut into pieces, and what @on_option gets points into it
 * @on_option: called for each in order
 *
 * A word in which anything but the value holds a quote, a blank or a second dot means nothing to kmod, nor
 * to us; neither does what follows an open quote. "--" has no meaning (proc_cmdline(5), libkmod 34).
 *
 * Return: 0, or the first negative value of @on_option.
 */
int kernel_command_line_parse(char *text, kernel_option_t on_option, void *userdata) {
        char *word;

        assert(text && on_option);

        while ((word = next_word(&text))) {
                char *module, *parameter;
                int r;

                if (!split_word(word, &module, &parameter))
                        continue;

                r = on_option(module, parameter, userdata);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* lib/cmdline.c, next_arg(): a quote at either end, each by itself. */
char *kernel_command_line_unquote(char *value) {
        size_t n;

        assert(value);

        value += *value == '"';
        n = strlen(value);
        if (n > 0 && value[n - 1] == '"')
                value[n - 1] = '\0';
        return value;
}

static bool is_parameter(const char *word, const char *name) {
        size_t n = strlen(name);

        return module_name_equal(word, name, n) && word[n] == '=';
}

/**
 * kernel_command_line_find() - what the kernel has for a parameter of its own
 * @text: of /proc/cmdline
 * @name: with '_' rather than '-'
 * @ret:  the value, to be freed; NULL if there is none
 *
 * The kernel reads up to "--", and what is said last holds for parameters that are texts.
 *
 * Return: 0; -ENOMEM.
 */
int kernel_command_line_find(const char *text, const char *name, char **ret) {
        _cleanup_(freep) char *copy = NULL, *found = NULL;
        char *rest, *word;

        assert(text && name && ret);

        copy = rest = strdup(text);
        if (!copy)
                return -ENOMEM;

        while ((word = next_word(&rest)) && !streq(word, "--")) {
                word = *word == '"' ? kernel_command_line_unquote(word) : word;
                if (!is_parameter(word, name))
                        continue;
                free(found);
                found = strdup(kernel_command_line_unquote(word + strlen(name) + 1));
                if (!found)
                        return -ENOMEM;
        }

        *ret = STEAL_PTR(found);
        return 0;
}

/**
 * kernel_command_line_read() - what the running kernel was started with
 * @ret: NULL if it cannot be read, which @problems says
 *
 * Return: 0; -ENOMEM.
 */
int kernel_command_line_read(char **ret, ProblemList *problems) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;

        assert(ret);

        *ret = NULL;
        f = fopen(KERNEL_COMMAND_LINE_FILE, "re");
        if (!f || getdelim(&text, &n, '\0', f) < 0)
                return problem_list_add(problems, KERNEL_COMMAND_LINE_FILE, 0, "cannot be read");

        *ret = STEAL_PTR(text);
        return 0;
}
