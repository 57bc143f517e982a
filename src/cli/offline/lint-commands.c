/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintCommands: commands of install and remove lines that cannot be run, and denials that are hard to recognize. The
 * shell runs them (system(3)); only the first word of each simple command is looked at.
 */

#include "cli/offline/lint-commands.h"

#include <assert.h>
#include <sys/stat.h>

#include "common/base/nearest-name.h"
#include "common/modprobe/deny-command.h"

#define BLANKS " \t\r"
#define SEPARATORS ";&|\n"

static const char *const program_dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                            "/usr/bin",        "/sbin",          "/bin" };

static const char *const denials[] = { "/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true" };

/* What the shell itself knows (POSIX, 2.14 and 2.4). */
static const char *const shell_words[] = {
        ":",    ".",    "!",   "{",     "}",     "[",    "break", "case", "cd",   "command", "continue", "do",
        "done", "echo", "elif", "else", "esac",  "eval", "exec",  "exit", "export", "false", "fi",       "for",
        "if",   "in",   "printf", "read", "return", "set", "shift", "test", "then", "time",  "trap",     "true",
        "type", "ulimit", "umask", "unset", "until", "wait", "while", "kill",
};

static Finding finding_of(const ConfigEntry *e, FindingKind kind, const char *instead) {
        return (Finding) { kind, e->file, e->line, 0, instead, e->name };
}

static bool is_shell_word(const char *word) {
        for (size_t i = 0; i < ARRAY_LEN(shell_words); i++)
                if (streq(shell_words[i], word))
                        return true;
        return false;
}

static bool is_program(const char *path, int *ret_error) {
        struct stat st;

        *ret_error = stat(path, &st) < 0   ? errno
                     : S_ISDIR(st.st_mode) ? EISDIR
                     : st.st_mode & 0111   ? 0
                                           : EACCES;
        return *ret_error == 0;
}

/* Return: 0: the shell finds it; else why not, as an errno. */
static int find_program(const char *word) {
        char path[4096];
        int error = ENOENT;

        if (*word == '/')
                return is_program(word, &error) ? 0 : error;
        for (size_t i = 0; i < ARRAY_LEN(program_dirs); i++)
                if (snprintf(path, sizeof(path), "%s/%s", program_dirs[i], word) < (int) sizeof(path) &&
                    is_program(path, &error))
                        return 0;
        return ENOENT;
}

static int report_program(Lint *l, const ConfigEntry *e, const char *word, int error) {
        const char *nearest = nearest_name_of(word, denials, ARRAY_LEN(denials));
        Finding finding = finding_of(e, FINDING_COMMAND_MISSING, NULL);
        const char *directive = config_kind_to_string(e->kind);
        _cleanup_(freep) char *instead = NULL;

        if (nearest ? asprintf(&instead, "%s %s %s, if that is what is meant", directive, e->name, nearest) <
                              0
                    : asprintf(&instead, error == EACCES ? "chmod +x, or another program"
                                                         : "the path of a program that is there") < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "the command cannot be run, so %s fails for %s: %s: %s",
                           e->kind == CONFIG_INSTALL ? "each load" : "each removal", e->name, word,
                           strerror(error));
}

/* Words of the shell that a command follows. */
static bool is_prefix(const char *word) {
        static const char *const prefixes[] = { "!",     "{",     "if", "then", "else",    "elif",
                                                "while", "until", "do", "exec", "command", "time" };

        for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
                if (streq(prefixes[i], word))
                        return true;
        return false;
}

/* The end of the arguments; NULL: what follows is quoted, or the line ends. */
static const char *skip_arguments(const char *p) {
        for (; *p && !strchr("\"'`$()\\", *p); p++)
                if (strchr(SEPARATORS, *p) && !(*p == '&' && p[-1] == '>'))
                        return p;
        return NULL;
}

/* Is a quote open at the end? The shell does nothing then. */
static bool has_open_quote(const char *p) {
        char quote = '\0';

        for (; *p; p++) {
                if (*p == '\\' && quote != '\'' && p[1])
                        p++;
                else if (*p == quote)
                        quote = '\0';
                else if (!quote && (*p == '"' || *p == '\''))
                        quote = *p;
        }
        return quote != '\0';
}

static int report_quote(Lint *l, const ConfigEntry *e) {
        Finding finding = finding_of(e, FINDING_COMMAND_MISSING,
                                     "the command with both quotes, or without any");

        return lint_report(l, &finding,
                           "the command cannot be run, so %s fails for %s: a quote is not closed",
                           e->kind == CONFIG_INSTALL ? "each load" : "each removal", e->name);
}

static int lint_programs(Lint *l, const ConfigEntry *e) {
        const char *p = e->value;

        if (has_open_quote(p))
                return report_quote(l, e);
        while (p) {
                _cleanup_(freep) char *word = NULL;
                size_t n;
                int error;

                p += strspn(p, BLANKS SEPARATORS);
                n = strcspn(p, BLANKS SEPARATORS "<>#");
                word = strndup(p, n);
                if (!word)
                        return -ENOMEM;
                if (n == 0 || strpbrk(word, "$`\"'()\\=*?"))
                        return 0;       /* only the shell knows what that is */
                error = is_shell_word(word) ? 0 : find_program(word);
                if (error)
                        return report_program(l, e, word, error);
                p = is_prefix(word) ? p + n : skip_arguments(p + n);
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------------- denials */

/* "/bin/false" or "/bin/true", perhaps with words after it: what guides have, and what scanners look for. */
static bool is_usual(const char *command) {
        static const char *const names[] = { "false", "true" };
        const char *slash, *end;

        command += strspn(command, BLANKS);
        end = command + strcspn(command, BLANKS);
        slash = memrchr(command, '/', (size_t) (end - command));
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                size_t n = strlen(names[i]);

                if (slash && (size_t) (end - slash - 1) == n && strncmp(slash + 1, names[i], n) == 0)
                        return true;
        }
        return false;
}

static int lint_denial(Lint *l, const ConfigEntry *e) {
        Finding finding = finding_of(e, FINDING_UNUSUAL_DENIAL, NULL);
        _cleanup_(freep) char *instead = NULL;

        if (e->kind != CONFIG_INSTALL || !command_is_denial(e->value) || is_usual(e->value))
                return 0;
        if (asprintf(&instead, "install %s /bin/false", e->name) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding,
                           "'%s' keeps %s out, but whoever looks for /bin/false does not see it", e->value,
                           e->name);
}

bool command_only_loads(const char *command) {
        size_t n;

        assert(command);

        command += strspn(command, BLANKS);
        n = strcspn(command, BLANKS);
        if (strpbrk(command, SEPARATORS "{("))
                return false;
        return (n >= 8 && startswith(command + n - 8, "modprobe")) ||
               (n >= 6 && startswith(command + n - 6, "insmod"));
}

static int lint_command(Lint *l, const ConfigEntry *e) {
        int r = lint_denial(l, e);

        return r < 0 || command_is_denial(e->value) ? r : lint_programs(l, e);
}

int lint_commands(Lint *l) {
        int r = lint_each_entry(l, CONFIG_INSTALL, lint_command);

        return r < 0 ? r : lint_each_entry(l, CONFIG_REMOVE, lint_command);
}
