/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every sentence of common/explain, from each row of its tables, with whatever may stand in a name, file or log. */

#include "sentence.h"

#include <regex.h>
#include <signal.h>

#include "common/base/read-file.h"
#include "common/explain/error-text.h"
#include "common/explain/failure-text.h"
#include "common/explain/omission-text.h"
#include "test.h"

#define ERRNO_LAST 134

/* ---------------------------------------------------------------------------------------------- omissions */

static void check_obstacle(PlanOmissionKind kind, const char *text, bool ruled, const char *wanted_by) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        PlanOmission o = {
                .kind = kind,
                .module = (char *) text,
                .wanted_by = (char *) wanted_by,
                .required = true,
                .ruling = { .source = ruled ? POLICY_BY_RULE : _POLICY_SOURCE_INVALID,
                            .file = ruled ? (char *) text : NULL,
                            .line = 3,
                            .rule = (char *) text,
                            .reason = ruled ? (char *) text : NULL },
        };
        const Plan plan = { .key = (char *) text, .omissions = &o, .n_omissions = 1 };

        assert_ok(plan_explain_obstacle(&plan, &o, &message, &hint));
        sentence_check(message);
        sentence_check_hint(hint);
}

static void test_omissions(void **state) {
        for (PlanOmissionKind kind = 0; kind < _PLAN_OMISSION_KIND_MAX; kind++) {
                sentence_check_hint(omission_text(kind)->words);
                for (size_t i = 0; i < n_planted; i++) {
                        check_obstacle(kind, planted[i], true, NULL);
                        check_obstacle(kind, planted[i], false, NULL);
                        check_obstacle(kind, planted[i], true, planted[i]);
                        check_obstacle(kind, planted[i], false, "x");
                }
        }
}

/* ------------------------------------------------------------------------------------------------- errors */

typedef int (*text_t)(const char *module, int error, const char *const *log, size_t n, char **ret_message,
                      char **ret_hint);

static Distribution distribution;

static int insert(const char *module, int error, const char *const *log, size_t n, char **ret_message,
                  char **ret_hint) {
        return error_text_insert(module, error, log, n, distribution, ret_message, ret_hint);
}

static void check_error(text_t text, int error, const char *line) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;

        assert_ok(text("snd_x", error, &line, line ? 1 : 0, &message, &hint));
        sentence_check(message);
        sentence_check_hint(hint);
}

static void test_errors_without_a_log(void **state) {
        for (distribution = 0; distribution < _DISTRIBUTION_MAX; distribution++)
                for (int error = 1; error < ERRNO_LAST; error++) {
                        check_error(insert, error, NULL);
                        check_error(error_text_remove, error, NULL);
                }
}

/* "%s" of the pattern replaced. Return: to be freed. */
static char *fill(const char *pattern, const char *text) {
        char *filled = NULL;
        size_t size;
        FILE *f = open_memstream(&filled, &size);

        assert_non_null(f);
        (void) fputs("snd_x: ", f);
        while (*pattern)
                if (startswith(pattern, "%s")) {
                        (void) fputs(text, f);
                        pattern += 2;
                } else
                        (void) fputc(*pattern++, f);
        assert_int_equal(fclose(f), 0);
        return filled;
}

static void check_pattern(const char *pattern) {
        static const int errors[] = { EPERM, ENOENT, ENOEXEC, EINVAL, EKEYREJECTED, ENODEV };

        for (size_t i = 0; i < n_planted; i++) {
                _cleanup_(freep) char *line = fill(pattern, planted[i]);

                for (size_t k = 0; k < ARRAY_LEN(errors); k++)
                        check_error(insert, errors[k], line);
        }
}

/* The lines of the kernel are those of the table itself, so that none is forgotten. */
static void test_lines_of_the_kernel(void **state) {
        _cleanup_(freep) char *path = NULL, *source = NULL;
        _cleanup_(closep) int fd = -EBADF;
        regmatch_t match[2];
        size_t size, n = 0;
        regex_t row;

        assert_true(asprintf(&path, "%s/src/common/explain/error-text.c", getenv("LKMD_SOURCE_DIR")) > 0);
        fd = read_file_open(path);
        assert_ok(read_file(fd, 1 << 20, &source, &size));
        assert_int_equal(regcomp(&row, "\\{ [A-Z0-9]+, \"([^\"]*)\"", REG_EXTENDED), 0);
        distribution = DISTRIBUTION_DEBIAN;
        for (char *p = source; regexec(&row, p, 2, match, 0) == 0; n++) {
                char *pattern = p + match[1].rm_so;

                p += match[1].rm_eo + 1;
                p[-1] = '\0';
                check_pattern(pattern);
        }
        regfree(&row);
        assert_true(n > 15);
}

/* ---------------------------------------------------------------------------------------------- commands */

static void test_commands(void **state) {
        static const int statuses[] = { 1 << 8, 126 << 8, 127 << 8, 255 << 8, SIGKILL, 64 };

        for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
                for (size_t k = 0; k < n_planted; k++)
                        for (unsigned removes = 0; removes < 2; removes++) {
                                _cleanup_(freep) char *message = NULL, *hint = NULL;

                                assert_ok(error_text_command("snd_x",
                                                             &(CommandEnding) {
                                                                     .removes = removes,
                                                                     .file = planted[k],
                                                                     .line = 3,
                                                                     .wait_status = statuses[i],
                                                                     .output = planted[k],
                                                             },
                                                             &message, &hint));
                                sentence_check(message);
                                sentence_check_hint(hint);
                        }
}

/* ----------------------------------------------------------------------------------------------- constants */

static void test_constants(void **state) {
        static const char *const formats[] = { NO_INDEX_TEXT, NO_SUCH_MODULE_TEXT, MODULE_FILE_TEXT,
                                               UNKNOWN_PARAMETER_TEXT };

        for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
                _cleanup_(freep) char *text = fill(formats[i], "name");

                sentence_check(text);
        }
        sentence_check_hint(NO_SUCH_MODULE_HINT);
        sentence_check_hint(UNKNOWN_PARAMETER_HINT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_omissions),
                cmocka_unit_test(test_errors_without_a_log),
                cmocka_unit_test(test_lines_of_the_kernel),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_constants),
        };

        return RUN_TESTS(tests);
}
