/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy-corpus/good: files that are read; each says how many rules it has ("# rules: N"). policy-
 * corpus/bad: files that are not; each says where, and a part of the message ("# expect: LINE:COLUMN:
 * TEXT"). What a file's name begins with ("list--", "grants--") is its kind. What no text file can hold is
 * made here.
 */

#include "common/policy-files/policy-parse.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "scratch.h"
#include "test.h"

#define FILES_MIN 40U                   /* of each corpus */

static PolicyFileKind kind_of(const char *name) {
        return startswith(name, "list--")     ? POLICY_FILE_LIST
               : startswith(name, "grants--") ? POLICY_FILE_GRANTS
                                              : POLICY_FILE_RULES;
}

/* The first line behind @mark. */
static void read_mark(const char *path, const char *mark, char *ret, size_t size) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        char line[1024];
        const char *found;

        assert_non_null(f);
        assert_non_null(fgets(line, sizeof(line), f));
        found = strstr(line, mark);
        if (!found)
                fail_msg("%s does not begin with \"%s\"", path, mark);
        snprintf(ret, size, "%.*s", (int) strcspn(found + strlen(mark), "\r\n"), found + strlen(mark));
}

static void show_problems(const char *path, const char *expected, const ProblemList *problems) {
        print_error("%s: expected %s, found:\n", path, expected);
        for (size_t i = 0; i < problems->n_items; i++)
                print_error("%s:%u:%u: %s\n", problems->items[i].file, problems->items[i].line,
                            problems->items[i].column, problems->items[i].message);
}

static void fail_with_problems(const char *path, const char *expected, const ProblemList *problems) {
        show_problems(path, expected, problems);
        fail_msg("%s", path);
}

/* Messages are sentences for a terminal. */
static void check_problems(const ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++) {
                _cleanup_(freep) char *escaped = NULL;

                assert_ok(text_escape(problems->items[i].message, &escaped));
                assert_string_equal(escaped, problems->items[i].message);
                assert_int_not_equal(escaped[strlen(escaped) - 1], '.');
        }
}

static bool has_problem(const ProblemList *problems, unsigned line, unsigned column, const char *text) {
        for (size_t i = 0; i < problems->n_items; i++)
                if (problems->items[i].line == line && problems->items[i].column == column &&
                    strstr(problems->items[i].message, text))
                        return true;
        return false;
}

typedef bool (*on_file_t)(const char *path, const char *name); /* false: not as it says */

static void each_file(const char *corpus, on_file_t on_file) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        size_t n = 0, n_failed = 0;

        snprintf(path, sizeof(path), "%s/tests/unit/policy-corpus/%s", getenv("LKMD_SOURCE_DIR"), corpus);
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir))) {
                char file[PATH_MAX + sizeof(entry->d_name)];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
                n_failed += !on_file(file, entry->d_name);
                n++;
        }
        assert_int_equal(n_failed, 0);
        assert_true(n >= FILES_MIN);
}

static bool on_good(const char *path, const char *name) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        ProblemList problems = {};
        char rules[64], found[64];

        read_mark(path, "# rules: ", rules, sizeof(rules));
        if (policy_file_read(&f, path, kind_of(name), false, &problems) < 0 || problems.n_items > 0) {
                show_problems(path, "no problem", &problems);
                problem_list_clear(&problems);
                return false;
        }
        snprintf(found, sizeof(found), "%zu", f->n_rules);
        if (!streq(rules, found))
                fail_msg("%s: %s rules", path, found);
        for (size_t i = 0; i < f->n_rules; i++) {
                assert_true(f->rules[i].mode >= 0 && f->rules[i].mode < _POLICY_MODE_MAX);
                assert_ptr_equal(f->rules[i].file, f->path);
                assert_true(f->rules[i].line > 1 && f->rules[i].column > 0);
        }
        return true;
}

static void test_good(void **state) {
        each_file("good", on_good);
}

static bool on_bad(const char *path, const char *name) {
        PolicyFile *f = (PolicyFile *) path;
        ProblemList problems = {};
        char expected[256], *text;
        unsigned long line, column;
        bool as_expected;

        read_mark(path, "# expect: ", expected, sizeof(expected));
        line = strtoul(expected, &text, 10);
        assert_int_equal(*text, ':');
        column = strtoul(text + 1, &text, 10);
        assert_true(startswith(text, ": "));

        as_expected = policy_file_read(&f, path, kind_of(name), false, &problems) == -EBADMSG &&
                      has_problem(&problems, (unsigned) line, (unsigned) column, text + 2);
        if (!as_expected)
                show_problems(path, expected, &problems);
        assert_ptr_equal(f, path);      /* untouched */
        check_problems(&problems);
        problem_list_clear(&problems);
        return as_expected;
}

static void test_bad(void **state) {
        each_file("bad", on_bad);
}

/* ----------------------------------------------------------------------------- what no text file holds */

static void expect_refusal(const char *text, size_t size, unsigned line, unsigned column,
                           const char *message) {
        ProblemList problems = {};
        PolicyFile *f = NULL;

        assert_int_equal(policy_file_parse(&f, "FILE", POLICY_FILE_RULES, text, size, &problems), -EBADMSG);
        if (!has_problem(&problems, line, column, message))
                fail_with_problems("FILE", message, &problems);
        check_problems(&problems);
        problem_list_clear(&problems);
}

static void test_bytes(void **state) {
        static const struct {
                const char *text;
                size_t size;
                unsigned line, column;
                const char *message;
        } cases[] = {
#define BYTES(s) s, sizeof(s) - 1
                { BYTES(""), 1, 1, "\"version: 1\" is missing" },
                { BYTES("# only this"), 1, 1, "\"version: 1\" is missing" },
                { BYTES("version: 1\0"), 1, 11, "NUL" },
                { BYTES("# \xc3\xa4\nversion: \xc3\xa4\0"), 2, 11, "NUL" },
                { BYTES("version: 1\nmode: \xff"), 2, 7, "byte 0xff is no UTF-8" },
                { BYTES("version: \xc3"), 1, 10, "byte 0xc3 is no UTF-8" },
                { BYTES("version: \xc0\xaf"), 1, 10, "byte 0xc0 is no UTF-8" },
                { BYTES("version: \xed\xa0\x80"), 1, 10, "byte 0xed is no UTF-8" },
                { BYTES("version: \xc2\x85"), 1, 10, "U+0085, which people do not see" },
                { BYTES("# \xe2\x80\xa8version: 1"), 1, 3, "U+2028, which people do not see" },
                { BYTES("version: 1 # \xe2\x80\xaexyz"), 1, 14, "U+202E, which people do not see" },
                { BYTES("version: 1\n\xef\xbb\xbfmode: off"), 2, 1, "U+FEFF, which" },
                { BYTES("version: 1\nrules:\n  - reason: a\xf3\xa0\x80\xa0z"), 3, 14, "U+E0020, which" },
                { BYTES("version: 1\nrules:\n  - id: a\xe2\x80\x8bz"), 3, 10, "U+200B, which" },
                { BYTES("version: 1\n\x1b[1m"), 2, 1, "a control character (0x1b)" },
                { BYTES("version: 1\rmode: off"), 1, 11, "carriage return" },
                { BYTES("\xff\xfev\0e\0r\0"), 1, 1, "byte 0xff is no UTF-8" },
                { BYTES("version: 1\n\xef\xbf\xbf: 1"), 2, 1, "this is no YAML" },
                { BYTES("\x7f"
                        "ELF\2\1\1"),
                  1, 1, "a control character (0x7f)" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                expect_refusal(cases[i].text, cases[i].size, cases[i].line, cases[i].column,
                               cases[i].message);
}

/* Rules of 64 bytes and more, in memory. */
static char *make_rules(size_t n, size_t *ret_size) {
        char *text = NULL;
        FILE *f = open_memstream(&text, ret_size);

        assert_non_null(f);
        fprintf(f, "version: 1\nrules:\n");
        for (size_t i = 0; i < n; i++)
                fprintf(f, "- {id: r%zu, match: {module: m%zu}, verdict: deny}\n", i, i);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void test_limits(void **state) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(freep) char *text = NULL, *many = NULL, *large = NULL;
        size_t size;

        text = make_rules(POLICY_RULES_MAX, &size);
        assert_true(size < POLICY_FILE_MAX);
        assert_ok(policy_file_parse(&f, "FILE", POLICY_FILE_RULES, text, size, NULL));
        assert_int_equal(f->n_rules, POLICY_RULES_MAX);
        assert_string_equal(f->rules[POLICY_RULES_MAX - 1].id, "r65535");
        assert_string_equal(f->rules[POLICY_RULES_MAX - 1].match[POLICY_KEY_MODULE].items[0].glob, "m65535");

        many = make_rules(POLICY_RULES_MAX + 1, &size);
        expect_refusal(many, size, POLICY_RULES_MAX + 3, 3, "more than 65536 rules");

        large = calloc(1, POLICY_FILE_MAX + 1);
        assert_non_null(large);
        memset(large, '#', POLICY_FILE_MAX + 1);
        expect_refusal(large, POLICY_FILE_MAX + 1, 0, 0, "more than 4194304 bytes");
        memset(large, '[', POLICY_FILE_MAX);
        expect_refusal(large, POLICY_FILE_MAX, 1, 9, "nested deeper");
        memset(large, '{', POLICY_FILE_MAX);
        expect_refusal(large, POLICY_FILE_MAX, 1, 2, "expected a key");
        for (size_t i = 0; i < POLICY_FILE_MAX; i++)
                large[i] = "- "[i % 2];
        expect_refusal(large, POLICY_FILE_MAX, 1, 17, "nested deeper");
}

/* A file in which everything is wrong is not complained about without an end. */
static void test_problems_are_bounded(void **state) {
        _cleanup_(freep) char *text = NULL;
        ProblemList problems = {};
        PolicyFile *f = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        fprintf(file, "version: 1\nrules:\n");
        for (unsigned i = 0; i < 10000; i++)
                fprintf(file, "- verdcit: deny\n");
        assert_int_equal(fclose(file), 0);
        assert_int_equal(policy_file_parse(&f, "FILE", POLICY_FILE_RULES, text, size, &problems), -EBADMSG);
        assert_true(problems.n_items < 1000);
        assert_int_equal(problems.n_items + problems.n_dropped, 20000);
        problem_list_clear(&problems);
        assert_int_equal(policy_file_parse(&f, "FILE", POLICY_FILE_RULES, text, size, NULL), -EBADMSG);
}

/* ---------------------------------------------------------------------------------------- what is read */

static PolicyFile *parse(const char *text, PolicyFileKind kind) {
        ProblemList problems = {};
        PolicyFile *f = NULL;

        if (policy_file_parse(&f, "FILE", kind, text, strlen(text), &problems) < 0)
                fail_with_problems("FILE", "no problem", &problems);
        return f;
}

static void test_rule(void **state) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        const PolicyPattern *p;
        const PolicyRule *rule;

        f = parse("version: 1\n"
                  "default: deny\n"
                  "include: [one, two]\n"
                  "rules:\n"
                  "  - id: x\n"
                  "    match:\n"
                  "      module: ['!snd-hda-*', e1000e]\n"
                  "      alias: net-pf-*\n"
                  "      modalias: 'pci:v0000-*'\n"
                  "      signed: On\n"
                  "      intree: '!yes'\n"
                  "      origin: '!boot'\n"
                  "      unit: a-b@*.service\n"
                  "      uid: [7, '!1000-2000']\n"
                  "    verdict: audit\n"
                  "    options: {a: 1, b-c: x y, d: , e: ''}\n"
                  "    reason: why\n"
                  "    expires: 2030-01-01T01:00:00.5+01:00\n"
                  "  - prefer: [snd-hda-intel, b]\n"
                  "    mode: off\n"
                  "mode: audit\n",
                  POLICY_FILE_RULES);
        assert_int_equal(f->default_verdict, POLICY_DENY);
        assert_int_equal(f->default_line, 2);
        assert_int_equal(f->default_column, 10);
        assert_int_equal(f->mode, POLICY_AUDIT);
        assert_int_equal(f->n_includes, 2);
        assert_string_equal(f->includes[1].name, "two");
        assert_int_equal(f->includes[1].line, 3);
        assert_int_equal(f->includes[1].column, 16);

        rule = f->rules;
        assert_int_equal(rule->source, POLICY_BY_RULE);
        assert_string_equal(rule->id, "x");
        assert_int_equal(rule->line, 5);
        assert_int_equal(rule->column, 5);
        assert_int_equal(rule->verdict, POLICY_REPORT);
        assert_int_equal(rule->mode, POLICY_AUDIT);
        assert_string_equal(rule->reason, "why");
        assert_int_equal(rule->expires_usec, 1893456000500000);
        assert_false(rule->once);

        assert_int_equal(rule->match[POLICY_KEY_MODULE].n_items, 2);
        p = rule->match[POLICY_KEY_MODULE].items;
        assert_string_equal(p[0].glob, "snd_hda_*");
        assert_true(p[0].negated);
        assert_string_equal(p[1].glob, "e1000e");
        assert_false(p[1].negated);
        assert_string_equal(rule->match[POLICY_KEY_ALIAS].items[0].glob, "net_pf_*");
        assert_string_equal(rule->match[POLICY_KEY_MODALIAS].items[0].glob, "pci:v0000_*");
        assert_string_equal(rule->match[POLICY_KEY_SIGNED].items[0].glob, "yes");
        assert_string_equal(rule->match[POLICY_KEY_INTREE].items[0].glob, "yes");
        assert_true(rule->match[POLICY_KEY_INTREE].items[0].negated);
        assert_string_equal(rule->match[POLICY_KEY_ORIGIN].items[0].glob, "boot");
        assert_string_equal(rule->match[POLICY_KEY_UNIT].items[0].glob, "a-b@*.service");
        assert_int_equal(rule->match[POLICY_KEY_LICENSE].n_items, 0);
        p = rule->match[POLICY_KEY_UID].items;
        assert_int_equal(p[0].min, 7);
        assert_int_equal(p[0].max, 7);
        assert_int_equal(p[1].min, 1000);
        assert_int_equal(p[1].max, 2000);
        assert_true(p[1].negated);

        assert_int_equal(rule->n_options, 4);
        assert_string_equal(rule->options[0], "a=1");
        assert_string_equal(rule->options[1], "b-c=\"x y\"");
        assert_string_equal(rule->options[2], "d");
        assert_string_equal(rule->options[3], "e=");

        rule = f->rules + 1;
        assert_null(rule->id);
        assert_null(rule->reason);
        assert_int_equal(rule->verdict, POLICY_NO_VERDICT);
        assert_int_equal(rule->mode, POLICY_OFF);
        assert_int_equal(rule->n_prefer, 2);
        assert_string_equal(rule->prefer[0], "snd_hda_intel");
        assert_int_equal(rule->expires_usec, UINT64_MAX);
}

static void test_times(void **state) {
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                { "1970-01-01", 0 },
                { "1970-01-02", 86400000000 },
                { "2000-02-29T12:34:56Z", 951827696000000 },
                { "2000-02-29T12:34:56.789012345Z", 951827696789012 },
                { "2026-12-31T18:00:00-08:00", 1798768800000000 },
                { "2026-12-31 23:59:60Z", 1798761600000000 },
                { "9999-12-31T23:59:59Z", 253402300799000000 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(policy_file_freep) PolicyFile *f = NULL;
                char text[256];

                snprintf(text, sizeof(text), "version: 1\nrules: [{verdict: deny, expires: '%s'}]\n",
                         cases[i].text);
                f = parse(text, POLICY_FILE_RULES);
                if (f->rules[0].expires_usec != cases[i].usec)
                        fail_msg("%s: %ju", cases[i].text, (uintmax_t) f->rules[0].expires_usec);
        }
}

static void test_kinds(void **state) {
        _cleanup_(policy_file_freep) PolicyFile *list = NULL, *grants = NULL;

        list = parse("version: 1\ndescription: d\nrules:\n"
                     "- {match: {module: a}, verdict: deny, source: CVE-1, reason: nobody needs it}\n"
                     "- {match: {module: b}, verdict: deny, source: s, reason: r, mode: audit}\n",
                     POLICY_FILE_LIST);
        assert_int_equal(list->rules[0].source, POLICY_BY_LIST);
        assert_string_equal(list->rules[0].reason, "nobody needs it (CVE-1)");
        assert_int_equal(list->rules[0].mode, POLICY_ENFORCE);
        policy_file_set_mode(list, POLICY_OFF);
        assert_int_equal(list->rules[0].mode, POLICY_OFF);
        assert_int_equal(list->rules[1].mode, POLICY_AUDIT);

        grants = parse("version: 1\nrules: [{id: g, match: {module: a}, verdict: allow, reason: r, once: yes}]\n",
                       POLICY_FILE_GRANTS);
        assert_int_equal(grants->rules[0].source, POLICY_BY_GRANT);
        assert_true(grants->rules[0].once);
}

/* ------------------------------------------------------------------------------------- what is shipped */

static void test_shipped_lists(void **state) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        size_t n = 0;

        snprintf(path, sizeof(path), "%s/conf/lists", getenv("LKMD_SOURCE_DIR"));
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir))) {
                char file[PATH_MAX + sizeof(entry->d_name)];
                _cleanup_(policy_file_freep) PolicyFile *f = NULL;
                ProblemList problems = {};

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
                if (policy_file_read(&f, file, POLICY_FILE_LIST, false, &problems) < 0)
                        fail_with_problems(file, "no problem", &problems);
                assert_true(f->n_rules > 0);
                for (size_t i = 0; i < f->n_rules; i++) {
                        assert_int_equal(f->rules[i].verdict, POLICY_DENY);
                        assert_non_null(f->rules[i].id);
                        assert_non_null(f->rules[i].reason);
                        /* one kind: each rule is about modules, or about what users make the kernel ask for */
                        if (streq(entry->d_name, "no-unprivileged-autoload.yaml"))
                                assert_true(f->rules[i].match[POLICY_KEY_ALIAS].n_items > 0 &&
                                            f->rules[i].match[POLICY_KEY_UID].n_items == 1);
                        else
                                assert_true(f->rules[i].match[POLICY_KEY_MODULE].n_items > 0);
                }
                n++;
        }
        assert_int_equal(n, 5);
}

/* ----------------------------------------------------------------------------------------------- files */

static void expect_error(const char *path, bool trusted_only, int error, const char *message) {
        ProblemList problems = {};
        PolicyFile *f = NULL;
        int r;

        r = policy_file_read(&f, path, POLICY_FILE_RULES, trusted_only, &problems);
        if (r != error || problems.n_items != 1 || !strstr(problems.items[0].message, message) ||
            !streq(problems.items[0].file, path)) {
                print_error("returned %d\n", r);
                fail_with_problems(path, message, &problems);
        }
        problem_list_clear(&problems);
}

static void test_files(void **state) {
        _cleanup_(policy_file_freep) PolicyFile *f = NULL;
        _cleanup_(freep) char *large = NULL;
        ProblemList problems = {};
        const char *path;
        Scratch s;

        scratch_open(&s);
        scratch_write(&s, "a.yaml", "version: 1\n");
        path = scratch_path(&s, "a.yaml");
        assert_ok(policy_file_read(&f, path, POLICY_FILE_RULES, true, &problems));
        assert_string_equal(f->path, path);

        assert_int_equal(chmod(path, 0666), 0);
        expect_error(path, true, -EPERM, "chmod go-w '");
        assert_int_equal(chmod(path, 0664), 0);
        expect_error(path, true, -EPERM, "others than its owner can write it");
        f = policy_file_free(f);
        assert_ok(policy_file_read(&f, path, POLICY_FILE_RULES, false, &problems));
        if (geteuid() == 0) {
                assert_int_equal(chmod(path, 0644), 0);
                assert_int_equal(chown(path, 1000, 0), 0);
                expect_error(path, true, -EPERM,
                             "it belongs to user 1000, who could change it, so it is not used: "
                             "chown root '");
        } else {
                assert_int_equal(chmod(path, 0), 0);
                expect_error(path, true, -EACCES, "cannot be read");
        }

        expect_error(scratch_path(&s, "none.yaml"), true, -ENOENT, "it is not there");
        assert_int_equal(
                policy_file_read_if_there(&f, scratch_path(&s, "none"), POLICY_FILE_RULES, true, &problems),
                -ENOENT);
        assert_int_equal(problems.n_items, 0);
        scratch_mkdir(&s, "dir.yaml");
        expect_error(scratch_path(&s, "dir.yaml"), true, -EISDIR, "it is a directory");
        assert_int_equal(mkfifo(scratch_path(&s, "fifo.yaml"), 0600), 0);
        expect_error(scratch_path(&s, "fifo.yaml"), true, -EBADMSG, "it is no regular file");
        scratch_link(&s, "link.yaml", "loop.yaml");
        scratch_link(&s, "loop.yaml", "link.yaml");
        expect_error(scratch_path(&s, "link.yaml"), true, -ELOOP, "cannot be read");

        large = calloc(10, 1 << 20);
        assert_non_null(large);
        memset(large, '\n', 10 << 20);
        scratch_write_bytes(&s, "large.yaml", large, 10 << 20);
        expect_error(scratch_path(&s, "large.yaml"), true, -EBADMSG, "it has more than 4194304 bytes");
        scratch_close(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_problems_are_bounded),
                cmocka_unit_test(test_rule),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_shipped_lists),
                cmocka_unit_test(test_files),
        };

        return RUN_TESTS(tests);
}
