/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DenyCommand: hardening guides keep a module out with "install X /bin/false", or with something else that does
 * nothing. lkmd treats such a line as a denial. The shell would run the line, so this is a small part of its
 * grammar: a list of simple commands, each of which does nothing. What is not understood is a command. Owns nothing.
 */

#include "common/modprobe/deny-command.h"

#include <assert.h>
#include <string.h>

#include "common/base/util.h"

#define BLANKS " \t\n\v\f\r"
#define WORD_MAX 63U                    /* bytes of the name of a program */
#define SCRIPT_MAX 255U                 /* bytes of what follows "sh -c" */

static bool list_does_nothing(const char *p, bool may_nest);

static bool is_blank(char c) {
        return c != '\0' && strchr(BLANKS, c);
}

/* Separators of commands, and what may follow a redirection. */
static bool ends_word(char c) {
        return c == '\0' || strchr(BLANKS ";&|<>()", c);
}

/*
 * Takes a word without its quotes off *@p. Return: false: it is too long, is not closed, or has something that the
 * shell would expand.
 */
static bool take_word(const char **p, char *ret, size_t size) {
        const char *s = *p;
        char quote = '\0';
        size_t n = 0;

        for (; quote != '\0' ? *s != '\0' : !ends_word(*s); s++) {
                if (*s == '\\' || *s == '`' || *s == '$')
                        return false;
                if (*s == quote)
                        quote = '\0';
                else if (quote == '\0' && (*s == '"' || *s == '\''))
                        quote = *s;
                else if (n + 1 >= size)
                        return false;
                else
                        ret[n++] = *s;
        }
        ret[n] = '\0';
        *p = s;
        return quote == '\0' && n > 0;
}

/* The name without the usual directory of programs, if it has one. */
static const char *skip_directory(const char *word) {
        static const char *const dirs[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/",
                                            "/usr/local/bin/" };

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                if (startswith(word, dirs[i]))
                        return word + strlen(dirs[i]);
        return word;
}

static bool is_one_of(const char *word, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(word, words[i]))
                        return true;
        return false;
}

/* Of the shell itself, or of the system; /dev/null is no program, so the shell only says that. */
static bool program_does_nothing(const char *word) {
        static const char *const builtins[] = { ":", "exit", "/dev/null" };
        static const char *const programs[] = { "false", "true", "nologin" };

        return is_one_of(word, builtins, ARRAY_LEN(builtins)) ||
               is_one_of(skip_directory(word), programs, ARRAY_LEN(programs));
}

/* What runs the words after it. */
static bool is_prefix(const char *word) {
        static const char *const words[] = { "!", "exec", "command" };

        return is_one_of(word, words, ARRAY_LEN(words)) || streq(skip_directory(word), "busybox");
}

static const char *skip_blanks(const char *p) {
        return p + strspn(p, BLANKS);
}

/* Takes "-c SCRIPT" off *@p. Return: whether the script does nothing. */
static bool script_does_nothing(const char **p) {
        char word[WORD_MAX + 1], script[SCRIPT_MAX + 1];

        *p = skip_blanks(*p);
        if (!take_word(p, word, sizeof(word)) || !streq(word, "-c"))
                return false;
        *p = skip_blanks(*p);
        return take_word(p, script, sizeof(script)) && list_does_nothing(script, /* may_nest= */ false);
}

/* Moves *@p from a quote to the one that closes it. Return: false: none does, or something in between would run. */
static bool skip_quoted(const char **p) {
        char quote = *(*p)++;

        for (; **p != '\0'; ++*p) {
                if (**p == quote)
                        return true;
                if (quote == '"' && (**p == '`' || **p == '\\' || startswith(*p, "$(")))
                        return false;
        }
        return false;
}

/*
 * Takes arguments and redirections off *@p, up to the end of the command. They do not matter, except for what makes
 * the shell run something else.
 */
static bool skip_arguments(const char **p) {
        for (char before = '\0'; **p != '\0'; before = *(*p)++) {
                char c = **p;

                if ((c == '#' && is_blank(before)) || c == ';' || c == '|' || (c == '&' && before != '>'))
                        return true;
                if (strchr("`()\n\\", c))
                        return false;
                if ((c == '"' || c == '\'') && !skip_quoted(p))
                        return false;
        }
        return true;
}

/* Takes a simple command off *@p. */
static bool command_does_nothing(const char **p, bool may_nest) {
        static const char *const shells[] = { "sh", "bash", "dash" };
        char word[WORD_MAX + 1];

        do {
                *p = skip_blanks(*p);
                if (!take_word(p, word, sizeof(word)))
                        return false;
        } while (is_prefix(word));

        if (may_nest && is_one_of(skip_directory(word), shells, ARRAY_LEN(shells))) {
                if (!script_does_nothing(p))
                        return false;
        } else if (!program_does_nothing(word))
                return false;
        return skip_arguments(p);
}

/* Commands with ";", "&&" or "||" between them, perhaps a ";" and a comment at the end. */
static bool list_does_nothing(const char *p, bool may_nest) {
        for (;;) {
                if (!command_does_nothing(&p, may_nest))
                        return false;
                if (*p == ';')
                        p++;
                else if (startswith(p, "&&") || startswith(p, "||")) {
                        p += 2;
                        continue;       /* another has to follow */
                } else
                        return *p == '\0' || *p == '#';
                p = skip_blanks(p);
                if (*p == '\0' || *p == '#')
                        return true;
        }
}

/**
 * command_is_denial() - is it "/bin/false" or its like?
 * @command: as written in the configuration
 */
bool command_is_denial(const char *command) {
        assert(command);

        return list_does_nothing(command, /* may_nest= */ true);
}
