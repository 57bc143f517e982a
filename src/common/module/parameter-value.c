/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ParameterValue: compares by what a value means to the kernel, since /sys/module shows 1 as Y, 0x10 as 16, and a text
 * without its quotes (kernel/params.c). Owns nothing.
 */

#include "common/module/parameter-value.h"

#include <assert.h>
#include <limits.h>
#include <strings.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/util.h"

#define ARRAY_OF "array of "

typedef enum Kind {
        KIND_UNKNOWN,
        KIND_BOOLEAN,
        KIND_NUMBER,
        KIND_TEXT,
} Kind;

/* The names of the types are those of include/linux/moduleparam.h. */
static Kind kind_of(const char *type) {
        static const struct {
                const char *type;
                Kind kind;
        } kinds[] = {
                { "bool", KIND_BOOLEAN }, { "invbool", KIND_BOOLEAN }, { "bint", KIND_BOOLEAN }, { "byte", KIND_NUMBER },
                { "hexint", KIND_NUMBER }, { "short", KIND_NUMBER },   { "ushort", KIND_NUMBER }, { "int", KIND_NUMBER },
                { "uint", KIND_NUMBER },  { "long", KIND_NUMBER },     { "ulong", KIND_NUMBER },  { "ullong", KIND_NUMBER },
                { "charp", KIND_TEXT },   { "string", KIND_TEXT },
        };

        for (size_t i = 0; type && i < ARRAY_LEN(kinds); i++)
                if (streq(type, kinds[i].type))
                        return kinds[i].kind;
        return KIND_UNKNOWN;
}

/* As kstrtobool(); a number of a "bint" counts by whether it is 0. Return: 1, 0; -EINVAL. */
static int read_boolean(const char *text) {
        if (text[0] == '\0')
                return -EINVAL;
        if (strchr("yYtT1", text[0]))
                return 1;
        if (strchr("nNfF0", text[0]))
                return 0;
        if (strncasecmp(text, "on", 2) == 0)
                return 1;
        return strncasecmp(text, "of", 2) == 0 ? 0 : -EINVAL;
}

/* As kstrtoint() and its kind with base 0: "0x10", "020" and "16" are one number. */
static bool read_number(const char *text, bool *ret_negative, unsigned long long *ret) {
        bool negative = text[0] == '-';
        char *end;

        text += negative || text[0] == '+';
        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        *ret = strtoull(text, &end, 0);
        *ret_negative = negative && *ret != 0;
        return errno == 0 && *end == '\0';
}

static ParameterMatch compare_one(Kind kind, const char *configured, const char *live) {
        unsigned long long a, b;
        bool a_negative, b_negative;

        if (streq(configured, live))
                return PARAMETER_EQUAL;
        if (kind == KIND_BOOLEAN && read_boolean(configured) >= 0 && read_boolean(live) >= 0)
                return read_boolean(configured) == read_boolean(live) ? PARAMETER_EQUAL
                                                                      : PARAMETER_DIFFERENT;
        if (kind == KIND_NUMBER && read_number(configured, &a_negative, &a) &&
            read_number(live, &b_negative, &b))
                return a == b && a_negative == b_negative ? PARAMETER_EQUAL : PARAMETER_DIFFERENT;
        return kind == KIND_UNKNOWN ? PARAMETER_INCOMPARABLE : PARAMETER_DIFFERENT;
}

/* The kernel may show more elements than were configured, with the defaults behind them. */
static ParameterMatch compare_elements(Kind kind, char *configured, char *live) {
        for (char *a, *b; (a = strsep(&configured, ","));) {
                ParameterMatch match;

                b = strsep(&live, ",");
                if (!b)
                        return PARAMETER_DIFFERENT;
                match = compare_one(kind, a, b);
                if (match != PARAMETER_EQUAL)
                        return match;
        }
        return PARAMETER_EQUAL;
}

/* The kernel takes quotes away at both ends of a value, and of a whole assignment (lib/cmdline.c, next_arg()). */
static bool copy_value(const char *assignment, char ret[static PARAMETERS_MAX]) {
        size_t n;

        assignment += strcspn(assignment, "=");
        assignment += *assignment == '=';
        assignment += *assignment == '"';
        n = strlen(assignment);
        n -= n > 0 && assignment[n - 1] == '"';
        if (n >= PARAMETERS_MAX)
                return false;
        memcpy(ret, assignment, n);
        ret[n] = '\0';
        return true;
}

/* Is an assignment, "NAME=VALUE" or "NAME", about the parameter of a name? '-' and '_' are one letter. */
bool parameter_name_equal(const char *assignment, const char *name) {
        size_t n;

        assert(assignment && name);

        assignment += *assignment == '"';
        n = strcspn(assignment, "=");
        return n == strcspn(name, "=") && module_name_equal(assignment, name, n);
}

/**
 * parameter_type_of() - the type of the parameter that an assignment sets
 * @types: "NAME:TYPE" each, as module_info_parameter_types() has them; NULL: none
 *
 * Return: borrowed from @types; NULL: not known.
 */
const char *parameter_type_of(char *const *types, const char *assignment) {
        size_t n = strcspn(assignment, "=");

        assert(assignment);

        for (size_t i = 0; types && types[i]; i++)
                if (strcspn(types[i], ":") == n && types[i][n] == ':' &&
                    module_name_equal(assignment, types[i], n))
                        return types[i] + n + 1;
        return NULL;
}

/**
 * parameter_compare() - does a parameter have the value that was configured?
 * @type:       "int", "array of charp" ...; NULL: not known
 * @assignment: "NAME=VALUE", or "NAME" for a switch that is on
 * @live:       what /sys/module shows, with or without the line's end
 */
ParameterMatch parameter_compare(const char *type, const char *assignment, const char *live) {
        bool is_array = type && startswith(type, ARRAY_OF);
        char configured[PARAMETERS_MAX], shown[PARAMETERS_MAX];
        Kind kind = kind_of(is_array ? type + strlen(ARRAY_OF) : type);
        size_t n;

        assert(assignment && live);

        n = strcspn(live, "\n");
        if (!copy_value(assignment, configured) || n >= sizeof(shown))
                return PARAMETER_INCOMPARABLE;
        memcpy(shown, live, n);
        shown[n] = '\0';
        if (!strchr(assignment, '=') && kind == KIND_BOOLEAN)
                (void) stpcpy(configured, "Y");
        return is_array ? compare_elements(kind, configured, shown) : compare_one(kind, configured, shown);
}
