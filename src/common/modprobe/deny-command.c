/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DenyCommand: hardening guides keep a module out with "install X /bin/false", or with /bin/true, which
 * reports success. lkmd treats such a line as a denial. A line that does anything else as well is a command.
 * Owns nothing.
 */

#include "common/modprobe/deny-command.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define BLANKS " \t\n\v\f\r"

/* Return: what follows the name of the program; NULL: it is neither false nor true. */
static const char *skip_program(const char *p) {
        static const char *const dirs[] = { "/bin/",      "/sbin/",          "/usr/bin/",
                                            "/usr/sbin/", "/usr/local/bin/", "" };
        static const char *const names[] = { "false", "true" };

        for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
                size_t n = strlen(dirs[i]);

                if (strncmp(p, dirs[i], n) != 0)
                        continue;
                for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
                        if (strncmp(p + n, names[k], strlen(names[k])) == 0)
                                return p + n + strlen(names[k]);
                if (n > 0)
                        return NULL;
        }

        return NULL;
}

/*
 * Arguments, redirections and a comment do not matter; anything that makes the shell run another command
 * does.
 */
static bool is_harmless(const char *p) {
        for (char before = '\0'; *p; before = *p++)
                switch (*p) {
                case '#':
                        if (before == '\0' || strchr(BLANKS, before))
                                return true;
                        break;
                case '&':
                        if (before != '>')
                                return false;
                        break;
                case ';':
                case '|':
                case '`':
                case '\n':
                case '(':
                        return false;
                }

        return true;
}

/**
 * command_is_denial() - is it "/bin/false" or its like?
 * @command: as written in the configuration
 */
bool command_is_denial(const char *command) {
        const char *p;

        assert(command);

        p = skip_program(command + strspn(command, BLANKS));
        if (!p)
                return false;
        if (*p && !strchr(BLANKS, *p)) /* "/bin/falsework", "true;reboot" */
                return *p == '>' && is_harmless(p);
        return is_harmless(p);
}
