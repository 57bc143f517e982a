/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyPattern: the values of the keys of "match:": globs, words, numbers, each possibly negated. Patterns that
 * can never match are refused, since nobody would notice that they do nothing.
 */

#include "common/policy-files/policy-pattern.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/util.h"
#include "common/module/name-glob.h"

#define BLANKS " \t"
#define GLOB_CHARACTERS "*?[]\\"
#define UID_HIGHEST (UINT32_MAX - 1)    /* UINT32_MAX means "no user" to the kernel */

/* ----------------------------------------------------------------------------------------------- globs */

/* Common mistakes in names of modules. */
static const char *check_module(const char *glob) {
        size_t n = strlen(glob);

        if (strchr(glob, '/'))
                return "expected the name of a module or a glob, not a path";
        if (strpbrk(glob, BLANKS))
                return "a module's name has no blanks; several are a list, [a, b]";
        if (strchr(glob, ','))
                return "a module's name has no comma; several are a list, [a, b]";
        if (n > strlen(".ko") && endswith(glob, ".ko"))
                return "expected the name of a module, which is without .ko";
        return NULL;
}

static int parse_glob(PolicyPattern *ret, PolicyValueKind kind, const char *text, StringArena *strings,
                      const char **ret_problem) {
        _cleanup_(freep) char *normal = NULL;
        const char *problem;

        problem = strlen(text) > REQUEST_KEY_MAX ? "it is longer than anything that is asked for"
                  : kind == POLICY_VALUE_MODULE  ? check_module(text)
                                                 : NULL;
        problem = problem ?: name_glob_check(text);
        if (problem) {
                *ret_problem = problem;
                return -EINVAL;
        }

        if (kind != POLICY_VALUE_TEXT) {
                normal = malloc(2 * strlen(text) + 1);
                if (!normal)
                        return -ENOMEM;
                if (!name_glob_normalize(text, normal)) {
                        *ret_problem = "its brackets do not pair up";
                        return -EINVAL;
                }
        }
        ret->glob = string_arena_add(strings, normal ?: text, strlen(normal ?: text));
        return ret->glob ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------------------------------------- others */

/* Reads decimal digits, and moves *p behind them. */
static bool take_uid(const char **p, uint32_t *ret) {
        uint64_t n = 0;

        if (!isdigit((unsigned char) **p))
                return false;
        for (; isdigit((unsigned char) **p); ++*p) {
                n = n * 10 + (uint64_t) (**p - '0');
                if (n > UID_HIGHEST)
                        return false;
        }
        *ret = (uint32_t) n;
        return true;
}

static int parse_uid(PolicyPattern *ret, const char *text, const char **ret_problem) {
        *ret_problem =
                "expected the number of a user, or of the first and the last of several, as 1000-60000";
        if (!take_uid(&text, &ret->min))
                return -EINVAL;
        ret->max = ret->min;
        if (*text == '-') {
                text++;
                if (!take_uid(&text, &ret->max))
                        return -EINVAL;
        }
        if (*text != '\0')
                return -EINVAL;
        if (ret->max < ret->min) {
                *ret_problem = "its first number is greater than its last";
                return -EINVAL;
        }
        return 0;
}

/* The booleans of YAML 1.1, except "y" and "n". */
const char *policy_boolean_parse(bool *ret, const char *text) {
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (strcasecmp(text, words[i]) == 0) {
                        *ret = i % 2 == 1;
                        return NULL;
                }
        return "expected yes or no";
}

static int parse_boolean(PolicyPattern *ret, const char *text, const char **ret_problem) {
        bool value;

        *ret_problem = policy_boolean_parse(&value, text);
        if (*ret_problem)
                return -EINVAL;
        ret->glob = value ? "yes" : "no";
        return 0;
}

static int parse_origin(PolicyPattern *ret, const char *text, const char **ret_problem) {
        RequestOrigin origin = request_origin_from_string(text);

        if (origin < 0 || origin >= _ORIGIN_ASKED_MAX) {
                *ret_problem = "expected device, kernel, client, boot or container";
                return -EINVAL;
        }
        ret->glob = request_origin_to_string(origin);
        return 0;
}

/**
 * policy_pattern_parse() - parse one value of a key of "match:"
 * @strings: gets the glob
 *
 * Return: 0; -EINVAL, with *@ret_problem; -ENOMEM.
 */
int policy_pattern_parse(PolicyPattern *ret, PolicyKey key, const char *text, StringArena *strings,
                         const char **ret_problem) {
        PolicyPattern pattern = { .negated = *text == '!' };
        int r;

        assert(ret && key >= 0 && key < _POLICY_KEY_MAX && strings && ret_problem);

        text += pattern.negated;
        if (*text == '\0') {
                *ret_problem = pattern.negated ? "there is nothing behind the '!'" : "an empty pattern";
                return -EINVAL;
        }

        switch (policy_keys[key].value) {
        case POLICY_VALUE_NUMBER:
                r = parse_uid(&pattern, text, ret_problem);
                break;
        case POLICY_VALUE_BOOLEAN:
                r = parse_boolean(&pattern, text, ret_problem);
                break;
        case POLICY_VALUE_ORIGIN:
                r = parse_origin(&pattern, text, ret_problem);
                break;
        default:
                r = parse_glob(&pattern, policy_keys[key].value, text, strings, ret_problem);
                break;
        }
        if (r < 0)
                return r;
        *ret = pattern;
        return 0;
}

/**
 * policy_module_parse() - parse the name of one module
 *
 * Return: 0; -EINVAL, with *@ret_problem; -ENOMEM.
 */
int policy_module_parse(const char **ret, const char *text, StringArena *strings, const char **ret_problem) {
        const char *problem;
        char *name;

        assert(ret && text && strings && ret_problem);

        problem = *text == '\0'                    ? "an empty name"
                  : strpbrk(text, GLOB_CHARACTERS) ? "expected the name of one module, not a glob"
                  : *text == '!'                   ? "expected the name of a module, which has no '!'"
                  : strlen(text) > MODULE_NAME_MAX ? "it is longer than the name of a module can be"
                                                   : check_module(text);
        if (problem) {
                *ret_problem = problem;
                return -EINVAL;
        }

        name = string_arena_add(strings, text, strlen(text));
        if (!name)
                return -ENOMEM;
        (void) module_name_normalize_in_place(name); /* without brackets it cannot fail */
        *ret = name;
        return 0;
}
