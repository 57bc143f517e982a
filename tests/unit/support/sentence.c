/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sentence.h"

#include <ctype.h>

#include "common/base/text.h"
#include "common/plan/plan.h"
#include "common/policy/policy.h"
#include "test.h"

#define LONG \
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

const char *const planted[] = {
        "plain",
        "it's",
        "a\"b",
        "100%",
        "%s%n%d",
        "{field}",
        "two\nlines",
        "carriage\rreturn",
        "\033[31mred\033[0m",
        "\xc3\xbc" "ber",
        "\xff\xfe" "bytes",
        "\xef\xbb\xbf" "bom",
        "\xe2\x80\xae" "rtl",
        "zero\xe2\x80\x8bwidth",
        "back\\slash",
        LONG LONG LONG LONG LONG,
};

const size_t n_planted = ARRAY_LEN(planted);

/* Only names with a '_' are no words of the language. */
static void check_enum(const char *text, const char *name) {
        size_t n;

        if (!name || !strchr(name, '_'))
                return;
        n = strlen(name);
        for (const char *p = text; (p = strstr(p, name)); p++)
                if ((p == text || !(isalnum((unsigned char) p[-1]) || p[-1] == '_')) &&
                    !(isalnum((unsigned char) p[n]) || p[n] == '_'))
                        fail_msg("the enum word %s: %s", name, text);
}

static void check_enums(const char *text) {
        for (PlanOmissionKind i = 0; i < _PLAN_OMISSION_KIND_MAX; i++)
                check_enum(text, plan_omission_kind_to_string(i));
        for (PlanReason i = 0; i < _PLAN_REASON_MAX; i++)
                check_enum(text, plan_reason_to_string(i));
        for (PolicyTraceStep i = 0; i < _POLICY_TRACE_STEP_MAX; i++)
                check_enum(text, policy_trace_step_to_string(i));
        for (PolicySource i = 0; i < _POLICY_SOURCE_MAX; i++)
                check_enum(text, policy_source_to_string(i));
}

/* Not of what was planted: those have no such bytes. */
static void check_bytes(const char *text) {
        for (const char *p = text; *p;) {
                size_t n = text_printable_length(p);

                if (n == 0)
                        fail_msg("a byte that is not seen: %s", text);
                p += n;
        }
        if (strstr(text, "\\x5cx") || strstr(text, "\\\\x"))
                fail_msg("escaped twice: %s", text);
        if (strstr(text, "(null)"))
                fail_msg("(null): %s", text);
        if (strstr(text, "  "))
                fail_msg("two blanks: %s", text);
}

/* "{field}" is planted. */
static void check_fields(const char *text) {
        static const char *const fields[] = { "{module}",   "{is}",       "{place}", "{ruling}", "{chain}",
                                              "{reason}",   "{key}",      "{1}",     "{2}",      "{1st}",
                                              "{all}",      "{owner}",    "{sign}",  "{kind}",   "{rebuild}",
                                              "{firmware}", "{reinstall}" };

        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                if (strstr(text, fields[i]))
                        fail_msg("an open field: %s", text);
}

static void check_end(const char *text) {
        static const char *const halves[] = { " and", " or", " the", " a", " of", " to", " by", " with" };
        size_t n = strlen(text);

        if (n == 0 || isspace((unsigned char) *text) || strchr(",;:.)", *text))
                fail_msg("it begins in the middle: '%s'", text);
        if (strchr(",;:( ", text[n - 1]) || (text[n - 1] == '.' && (n < 3 || text[n - 2] != '.')))
                fail_msg("it ends in the middle: '%s'", text);
        for (size_t i = 0; i < ARRAY_LEN(halves); i++)
                if (endswith(text, halves[i]))
                        fail_msg("it ends in the middle: '%s'", text);
}

/* What is planted may have brackets, too, but none that does not close. */
static void check_brackets(const char *text) {
        int depth = 0;

        for (const char *p = text; *p; p++)
                depth += (*p == '(') - (*p == ')');
        if (depth != 0)
                fail_msg("a bracket that does not close: %s", text);
}

static void check(const char *text, bool sentence) {
        _cleanup_(freep) char *escaped = NULL;

        assert_non_null(text);
        assert_int_equal(text_escape(text, &escaped), 0);
        check_bytes(escaped);
        check_fields(escaped);
        check_enums(escaped);
        check_end(escaped);
        if (sentence)
                check_brackets(escaped);
}

void sentence_check(const char *text) {
        check(text, true);
}

void sentence_check_hint(const char *text) {
        if (text)
                check(text, false);
}
