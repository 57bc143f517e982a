/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelCommandLine: the kernel command line as kmod reads it: words with a dot are parameters of modules,
 * all others are the kernel's own. Cuts the caller's text into strings. Owns nothing.
 */

#include "common/words/kernel-command-line.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/module-name.h"
#include "common/base/util.h"

#define BLANKS " \t\n\v\f\r"

/*
 * Cuts off the next word of *@rest; blanks between double quotes do not end it. NULL: there are no more, or
 * a quote is not closed.
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
 * Splits one word at its first dot. If a boot loader has quoted the whole word ("mod.param=a b"), the quote
 * is moved to where the kernel wants it (mod.param="a b").
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
 * kernel_command_line_parse() - find the parameters of modules
 * @text:      of /proc/cmdline; cut into strings, which @on_option gets
 * @on_option: called for each, in order
 *
 * kmod, and so lkmd, ignores a word with a quote, a blank or a second dot outside of its value, and
 * everything after a quote that is not closed. "--" has no meaning (proc_cmdline(5), libkmod 34).
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

/* As next_arg() of lib/cmdline.c: a quote at either end is removed by itself. */
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
 * kernel_command_line_find() - the value of a parameter of the kernel's own
 * @text: of /proc/cmdline
 * @name: with '_' rather than '-'
 * @ret:  to be freed; NULL: there is none
 *
 * The kernel reads up to "--"; of several strings the last one counts.
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
 * kernel_command_line_each() - all values of a parameter that the programs of the system read
 * @text: of /proc/cmdline
 * @name: with '_' rather than '-'
 *
 * Such words may also follow "--", where the kernel does not look (proc_cmdline_parse() of systemd).
 *
 * Return: 0; -ENOMEM; the first negative value of @on_value.
 */
int kernel_command_line_each(const char *text, const char *name, kernel_value_t on_value, void *userdata) {
        _cleanup_(freep) char *copy = NULL;
        char *rest, *word;

        assert(text && name && on_value);

        copy = rest = strdup(text);
        if (!copy)
                return -ENOMEM;
        while ((word = next_word(&rest))) {
                int r;

                word = *word == '"' ? kernel_command_line_unquote(word) : word;
                if (!is_parameter(word, name))
                        continue;
                r = on_value(kernel_command_line_unquote(word + strlen(name) + 1), userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * kernel_command_line_count() - how often a parameter of the kernel's own is given
 * @ret: of kernel_command_line_find(), the last counts
 *
 * Return: 0; -ENOMEM.
 */
int kernel_command_line_count(const char *text, const char *name, size_t *ret) {
        _cleanup_(freep) char *copy = NULL;
        char *rest, *word;
        size_t n = 0;

        assert(text && name && ret);

        copy = rest = strdup(text);
        if (!copy)
                return -ENOMEM;
        while ((word = next_word(&rest)) && !streq(word, "--"))
                n += is_parameter(word + (*word == '"'), name);
        *ret = n;
        return 0;
}

/**
 * kernel_assignment_length() - bytes of the first of several parameters
 * @text: parameters of a module, without blanks before them
 *
 * The kernel splits at blanks, but not between double quotes (lib/cmdline.c, next_arg()).
 */
size_t kernel_assignment_length(const char *text) {
        bool quoted = false;
        size_t n;

        assert(text);

        for (n = 0; text[n] && (quoted || !strchr(BLANKS, text[n])); n++)
                if (text[n] == '"')
                        quoted = !quoted;
        return n;
}

/**
 * kernel_command_line_read() - the command line of the running kernel
 * @ret: NULL if it cannot be read, which is added to @problems
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
