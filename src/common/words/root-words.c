/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RootWords: what lkmd-loader compares the parameters of a request with: a line of modprobe.d, the kernel
 * command line, the arguments of a process. Each function answers yes or no, and allocates nothing. Owns
 * nothing.
 */

#include "common/words/root-words.h"

#include <assert.h>

#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/util.h"
#include "common/words/config-line.h"
#include "common/words/kernel-command-line.h"

#define BLANKS " \t\n\v\f\r"
/* These have no meaning to the shell, wherever in a word they are. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/=+@%-"

/* Equal except for blanks at both ends, and for tabs, which modprobe replaces by blanks. */
static bool words_equal(char *written, const char *words) {
        size_t n;

        for (char *p = written; (p = strchr(p, '\t'));)
                *p = ' ';
        written += strspn(written, " ");
        words += strspn(words, " ");
        n = strlen(words);
        while (n > 0 && words[n - 1] == ' ')
                n--;
        return n > 0 && strncmp(written, words, n) == 0 && written[n + strspn(written + n, " ")] == '\0';
}

/* Cuts off the next line "KEYWORD NAME REST". Return: NAME; NULL: there are no more. */
static char *next_line_of(const char *keyword, char **pos, char *end, char **ret_rest) {
        unsigned n_lines;
        char *line;

        while ((line = config_line_next(pos, end, &n_lines))) {
                const char *word = *line == '#' ? NULL : config_word_next(&line);
                char *name;

                if (!word || !streq(word, keyword))
                        continue;
                name = config_word_next(&line);
                if (!name || !module_name_normalize_in_place(name))
                        continue;
                *ret_rest = line;
                return name;
        }
        return NULL;
}

/**
 * root_options_hold() - is there a line "options NAME WORDS" with exactly these words?
 * @text: of a file of modprobe.d
 */
bool root_options_hold(char *text, size_t size, const char *name, const char *words) {
        char *end = text + size, *rest, *found;

        assert(text && name && words);

        while ((found = next_line_of("options", &text, end, &rest)))
                if (streq(found, name) && words_equal(rest, words))
                        return true;
        return false;
}

/**
 * root_alias_leads() - is there a line "alias PATTERN MODULE" whose pattern is or matches this name?
 * @text: of a file of modprobe.d, or depmod's modules.alias or modules.symbols
 */
bool root_alias_leads(char *text, size_t size, const char *name, const char *module) {
        char *end = text + size, *rest, *pattern;

        assert(text && name && module);

        while ((pattern = next_line_of("alias", &text, end, &rest))) {
                char *to = config_word_next(&rest);

                if (to && module_name_normalize_in_place(to) && streq(to, module) &&
                    (streq(pattern, name) || glob_match(pattern, name)))
                        return true;
        }
        return false;
}

typedef struct Search {
        const char *module, *words;
} Search;

static int on_option(char *module, char *parameter, void *userdata) {
        const Search *s = userdata;

        if (!module_name_normalize_in_place(module) || !streq(module, s->module))
                return 0;
        return words_equal(parameter, s->words) ? -EEXIST : 0; /* found: stop */
}

/**
 * root_command_line_holds() - does the kernel command line have MODULE.WORDS?
 * @text: of /proc/cmdline
 */
bool root_command_line_holds(char *text, const char *module, const char *words) {
        assert(text && module && words);

        return kernel_command_line_parse(text, on_option, &(Search) { module, words }) == -EEXIST;
}

/* As a whole argument, or in double quotes inside of one, as in JSON. */
static bool argument_holds(const char *argument, const char *word) {
        size_t n = strlen(word);

        if (streq(argument, word))
                return true;
        for (const char *p = argument; (p = strstr(p, word)); p++)
                if (p > argument && p[-1] == '"' && p[n] == '"')
                        return true;
        return false;
}

/**
 * root_arguments_hold() - do the arguments of a process have this word?
 * @arguments: of /proc/PID/cmdline, with a NUL behind them
 * @word:      for the kernel; its value may be in double quotes that the argument does not have
 */
bool root_arguments_hold(const char *arguments, size_t size, const char *word) {
        char bare[4096];

        assert(arguments && word);

        if (*word == '\0' || word_unquote(word, bare, sizeof(bare)) < 0)
                return false;
        for (const char *a = arguments; a < arguments + size; a += strlen(a) + 1)
                if (argument_holds(a, word) || argument_holds(a, bare))
                        return true;
        return false;
}

/* Is it a command of kmod that has an option -f, or lkmctl by that name? */
static bool program_knows_f(const char *program) {
        static const char *const programs[] = { "insmod", "modprobe", "rmmod" };
        const char *slash = strrchr(program, '/');

        for (size_t i = 0; i < ARRAY_LEN(programs); i++)
                if (streq(slash ? slash + 1 : program, programs[i]))
                        return true;
        return false;
}

/* -f, also among other letters, "--force" or its beginning. Behind the letters of modprobe that have a value it is that. */
static bool is_short_force(const char *argument) {
        if (argument[0] != '-')
                return false;
        if (argument[1] == '-')
                return strlen(argument) > strlen("--") && startswith("--force", argument);
        return memchr(argument + 1, 'f', strcspn(argument + 1, "wCdS")) != NULL;
}

/* Do the arguments have --force or its like, the -f of modprobe, or "forceVermagic" in JSON? */
bool root_arguments_force(const char *arguments, size_t size) {
        bool knows_f;

        assert(arguments);

        knows_f = size > 0 && program_knows_f(arguments);
        for (const char *a = arguments; a < arguments + size; a += strlen(a) + 1)
                if (startswith(a, "--force") || strstr(a, "\"force") || (knows_f && is_short_force(a)))
                        return true;
        return false;
}

/**
 * word_is_single() - is it one parameter for the kernel, and not several (next_arg() of lib/cmdline.c)?
 *
 * A name with a quote in it is refused.
 */
bool word_is_single(const char *word) {
        bool quoted = false;

        assert(word);

        if (word[strcspn(word, "=\"")] == '"' || strchr("=", *word))
                return false;
        for (; *word; word++)
                if (*word == '"')
                        quoted = !quoted;
                else if (!quoted && strchr(BLANKS, *word))
                        return false;
        return !quoted;
}

/* Can it be put into a shell command without any special meaning? */
bool word_is_plain(const char *word) {
        assert(word);

        return *word != '\0' && word[strspn(word, PLAIN)] == '\0';
}

/**
 * word_unquote() - NAME="VALUE" without the quotes, as it is written where a blank does not end a word
 *
 * Return: 0; -E2BIG.
 */
int word_unquote(const char *word, char *ret, size_t size) {
        const char *value;
        size_t n;

        assert(word && ret);

        n = strlen(word);
        if (n >= size)
                return -E2BIG;
        (void) memcpy(ret, word, n + 1);

        value = strchr(word, '=');
        if (!value || value[1] != '"' || word + n < value + 3 || strchr(value + 2, '"') != word + n - 1)
                return 0;
        (void) memmove(ret + (value + 1 - word), value + 2, (size_t) (word + n - (value + 3)));
        ret[n - 2] = '\0';
        return 0;
}

/* Does the pattern of a rule's "parameters" allow the whole assignment? */
bool word_is_allowed(const char *word, const char *pattern) {
        char bare[4096];

        assert(word && pattern);

        return word_is_single(word) && word_unquote(word, bare, sizeof(bare)) >= 0 && glob_match(pattern, bare);
}
