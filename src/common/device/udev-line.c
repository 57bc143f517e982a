/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevLines: the grammar of rule files, as udev_rules_parse_file() and parse_line() of systemd's udev-rules.c read it:
 * comments, continued lines, and KEY{ATTRIBUTE} OPERATOR "VALUE". What the keys mean is the matter of others. A line
 * that udev would ignore, because it is malformed or too long, is skipped. Owns the text of one rule and its keys.
 */

#include "common/device/udev-line.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/array.h"
#include "common/base/util.h"

#define BLANKS " \t\n\r"
#define LINE_MAX_BYTES 16384U           /* UDEV_LINE_SIZE: udev ignores a rule that is longer */

/* ----------------------------------------------------------------------------------------------- lines */

static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t\r");
}

/* Appends what is left of a rule's physical line. Return: 0; -E2BIG; -ENOMEM. */
static int append(char **text, size_t *size, const char *part, size_t n) {
        char *more;

        if (*size + n >= LINE_MAX_BYTES)
                return -E2BIG;
        more = realloc(*text, *size + n + 1);
        if (!more)
                return -ENOMEM;
        memcpy(more + *size, part, n);
        *size += n;
        more[*size] = '\0';
        *text = more;
        return 0;
}

/*
 * The next rule with its continued lines joined. Comments between them do not end it.
 *
 * Return: 1; 0: no more, also if the text ends in the middle of a rule; -E2BIG: a rule that is too long was skipped;
 * -ENOMEM.
 */
static int read_rule(UdevLines *l) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        unsigned first = 0;
        int result = 1;

        while (*l->next != '\0') {
                const char *end = l->next + strcspn(l->next, "\n"), *line = skip_blanks(l->next);
                bool continued;
                int r;

                l->next = *end == '\n' ? end + 1 : end;
                l->n_read++;
                line = MIN(line, end);
                if (line < end && *line == '#')
                        continue;
                continued = end > line && end[-1] == '\\';
                if (first == 0)
                        first = l->n_read;
                r = append(&text, &size, line, (size_t) (end - line) - continued);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        result = r;
                if (continued)
                        continue;
                if (result > 0 && size == 0) {
                        first = 0;      /* an empty line */
                        continue;
                }
                free(l->text);
                l->text = STEAL_PTR(text);
                l->number = first;
                return result;
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------ keys */

/* e"..": the escapes of C that matter here. Return: false: udev refuses it. */
static bool unescape_c(char *value) {
        static const char letters[] = "abfnrtv\\\"'", bytes[] = "\a\b\f\n\r\t\v\\\"'";
        char *to = value;

        for (const char *from = value; *from != '\0'; from++) {
                const char *letter;
                unsigned byte;

                if (*from != '\\') {
                        *to++ = *from;
                        continue;
                }
                from++;
                letter = *from != '\0' ? strchr(letters, *from) : NULL;
                if (letter)
                        *to++ = bytes[letter - letters];
                else if (*from == 'x' && isxdigit((unsigned char) from[1]) &&
                         isxdigit((unsigned char) from[2]) && sscanf(from + 1, "%2x", &byte) == 1 &&
                         byte != 0) {
                        *to++ = (char) byte;
                        from += 2;
                } else
                        return false;
        }
        *to = '\0';
        return true;
}

/* Plain: only \" means something, and ends nothing. */
static void unescape_quotes(char *value) {
        char *to = value;

        for (const char *from = value; *from != '\0'; from++)
                if (from[0] != '\\' || from[1] != '"')
                        *to++ = *from;
        *to = '\0';
}

/* Return: what follows the value; NULL: malformed. */
static char *take_value(char *p, UdevKey *key) {
        bool escaped = false;
        char *end;

        for (; *p == 'e' || *p == 'i'; p++) {
                bool *flag = *p == 'e' ? &escaped : &key->ignores_case;

                if (*flag)
                        return NULL;
                *flag = true;
        }
        if (*p != '"')
                return NULL;
        key->value = ++p;
        for (end = p; *end != '"'; end++) {
                if (end[0] == '\\' && (end[1] == '"' || (escaped && end[1] == '\\')))
                        end++;
                if (*end == '\0')
                        return NULL;
        }
        *end = '\0';
        if (!escaped)
                unescape_quotes(p);
        else if (!unescape_c(p))
                return NULL;
        return end + 1;
}

/* Return: what follows the operator; NULL: there is none. */
static char *take_operator(char *p, UdevKey *key) {
        key->matches = startswith(p, "==") || startswith(p, "!=");
        key->negated = p[0] == '!';
        if (key->matches)
                return p + 2;
        if (p[0] == '=')
                return p + 1;
        return p[0] != '\0' && strchr("+-:", p[0]) && p[1] == '=' ? p + 2 : NULL;
}

static bool is_end_of_name(const char *p) {
        return strchr(BLANKS "={", *p) || (strchr("+-!:", *p) && p[1] == '=');
}

/* Return: what follows the key; NULL: malformed. */
static char *take_key(char *p, UdevKey *key) {
        char *end;

        *key = (UdevKey) { .name = p };
        while (*p != '\0' && !is_end_of_name(p))
                p++;
        if (*p == '\0' || p == key->name)
                return NULL;
        end = p;
        if (*p == '{') {
                key->attribute = p + 1;
                p = strchr(p, '}');
                if (!p)
                        return NULL;
                *p++ = '\0';
        }
        p = take_operator(p + strspn(p, BLANKS), key);
        if (!p)
                return NULL;
        *end = '\0';
        return take_value(p + strspn(p, BLANKS), key);
}

/* Return: 1; 0: a malformed rule; -ENOMEM. */
static int read_keys(UdevLines *l) {
        char *p = l->text;

        l->n_keys = 0;
        for (;;) {
                UdevKey key;
                int r;

                p += strspn(p, BLANKS ",");
                if (*p == '\0')
                        return l->n_keys > 0;
                p = take_key(p, &key);
                if (!p)
                        return 0;
                r = array_reserve(&l->keys, &l->n_allocated, l->n_keys + 1, sizeof(*l->keys));
                if (r < 0)
                        return r;
                l->keys[l->n_keys++] = key;
        }
}

/**
 * udev_lines_next() - read the next rule
 * @l: at first zeroed, but for next, which is at the text
 *
 * Return: 1; 0: there are no more; -ENOMEM.
 */
int udev_lines_next(UdevLines *l) {
        assert(l && l->next);

        for (;;) {
                int r = read_rule(l);

                if (r == 0 || r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;
                r = read_keys(l);
                if (r != 0)
                        return r;
        }
}

/* The value that the rule assigns to a key without attribute; NULL: it has no such key. */
const char *udev_lines_get(const UdevLines *l, const char *name) {
        assert(l && name);

        for (size_t i = 0; i < l->n_keys; i++)
                if (!l->keys[i].matches && streq(l->keys[i].name, name))
                        return l->keys[i].value;
        return NULL;
}

void udev_lines_clear(UdevLines *l) {
        assert(l);

        free(l->text);
        free(l->keys);
        *l = (UdevLines) {};
}
