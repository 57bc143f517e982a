/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/base/state-file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/limits.h"
#include "daemon/config/grants.h"
#include "daemon/history/audit.h"
#include "daemon/history/ledger.h"
#include "scratch.h"
#include "test.h"

#define _scratch_ _cleanup_(scratch_close)
#define SIZE_MAX_HERE 4096U

/* ---------------------------------------------------------------------------------------------- what is there */

static void put_nothing(const Scratch *s, const char *name) {
}

static void put_garbage(const Scratch *s, const char *name) {
        static const unsigned char bytes[] = { 0, 1, '\n', '{', 0xff, '"', 0, '\n', '}', '[', '[' };

        scratch_write_bytes(s, name, bytes, sizeof(bytes));
}

static void put_fifo(const Scratch *s, const char *name) {
        assert_int_equal(mkfifo(scratch_path(s, name), 0644), 0);
}

static void put_link_to_zero(const Scratch *s, const char *name) {
        scratch_link(s, name, "/dev/zero");
}

static void put_link(const Scratch *s, const char *name) {
        scratch_write(s, "precious", "{}");
        scratch_link(s, name, "precious");
}

static void put_dangling_link(const Scratch *s, const char *name) {
        scratch_link(s, name, "nowhere");
}

static void put_directory(const Scratch *s, const char *name) {
        scratch_mkdir(s, name);
}

static void put_full_directory(const Scratch *s, const char *name) {
        char inner[64];

        snprintf(inner, sizeof(inner), "%s/more", name);
        scratch_mkdir(s, inner);
}

static void put_socket(const Scratch *s, const char *name) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(s, name));
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
}

static void put_hard_link(const Scratch *s, const char *name) {
        scratch_write(s, "precious", "{}");
        assert_int_equal(link(scratch_path(s, "precious"), scratch_path(s, name)), 0);
}

static void put_writable(const Scratch *s, const char *name) {
        scratch_write(s, name, "{}");
        assert_int_equal(chmod(scratch_path(s, name), 0666), 0);
}

static void put_huge(const Scratch *s, const char *name) {
        scratch_write(s, name, "{}");
        assert_int_equal(truncate(scratch_path(s, name), 1LL << 33), 0);
}

typedef struct Thing {
        const char *name;
        void (*put)(const Scratch *s, const char *name);
        int error;                      /* of state_file_read() */
} Thing;

static const Thing things[] = {
        { "nothing",                      put_nothing,        -ENOENT  },
        { "garbage",                      put_garbage,        0        },
        { "a FIFO",                       put_fifo,           -EBADMSG },
        { "a link to /dev/zero",          put_link_to_zero,   -EBADMSG },
        { "a link to a file",             put_link,           -EBADMSG },
        { "a link to nothing",            put_dangling_link,  -EBADMSG },
        { "a directory",                  put_directory,      -EBADMSG },
        { "a directory with files",       put_full_directory, -EBADMSG },
        { "a socket",                     put_socket,         -EBADMSG },
        { "a file with two names",        put_hard_link,      -EBADMSG },
        { "a file that others can write", put_writable,       -EBADMSG },
        { "8 GiB of nothing",             put_huge,           -EBADMSG },
};

static void assert_precious_untouched(const Scratch *s) {
        _cleanup_(fclosep) FILE *f = fopen(scratch_path(s, "precious"), "re");
        char text[8];

        if (f)
                assert_string_equal(fgets(text, sizeof(text), f), "{}");
}

static void test_read(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(things); i++) {
                _cleanup_(freep) char *text = NULL;
                _scratch_ Scratch s;
                size_t size;

                scratch_open(&s);
                things[i].put(&s, "file");
                print_message("# %s\n", things[i].name);
                assert_int_equal(state_file_read(scratch_path(&s, "file"), SIZE_MAX_HERE, &text, &size),
                                 things[i].error);
        }
}

/* Whose file it is counts, and only root can make one of somebody else's. */
static void test_read_of_another_user(void **state) {
        _cleanup_(freep) char *text = NULL;
        _scratch_ Scratch s;
        size_t size;

        if (geteuid() != 0)
                return;
        scratch_open(&s);
        scratch_write(&s, "file", "{}");
        assert_int_equal(chown(scratch_path(&s, "file"), 1234, 0), 0);
        assert_int_equal(state_file_read(scratch_path(&s, "file"), SIZE_MAX_HERE, &text, &size), -EBADMSG);
}

/* As the file itself, and in the place where a new one is written. */
static void test_replace(void **state) {
        for (size_t i = 0; i < 2 * ARRAY_LEN(things); i++) {
                const Thing *thing = things + i / 2;
                _cleanup_(freep) char *text = NULL;
                _scratch_ Scratch s;
                struct stat st;
                size_t size;

                scratch_open(&s);
                thing->put(&s, i % 2 == 0 ? "file" : "file.new");
                print_message("# %s%s\n", thing->name, i % 2 == 0 ? "" : " as file.new");
                for (unsigned times = 0; times < 2; times++)
                        assert_ok(state_file_replace(scratch_path(&s, "file"), "new", 3));
                assert_ok(state_file_read(scratch_path(&s, "file"), SIZE_MAX_HERE, &text, &size));
                assert_string_equal(text, "new");
                assert_int_equal(lstat(scratch_path(&s, "file"), &st), 0);
                assert_int_equal(st.st_mode, S_IFREG | 0644);
                assert_precious_untouched(&s);
        }
}

static int count_line(char *line, void *userdata) {
        char *seen = userdata;

        strcat(strcat(seen, line), "|");
        return line[0] == 'x' ? -EBADMSG : 0;
}

static void test_lines(void **state) {
        static const struct {
                const char *text;
                size_t size, size_max, lines_max;
                const char *seen;
        } cases[] = {
                { "",                 0,  100, 9, ""        },
                { "\n",               1,  100, 9, "|"       },
                { "a",                1,  100, 9, "a|"      }, /* cut off, or not: the line says it itself */
                { "a\nb\n",           4,  100, 9, "a|b|"    },
                { "a\n\nx\nb",        6,  100, 9, "a||x|b|" },
                { "a\nb\0c\nd\n",     8,  100, 9, "a|d|"    },
                { "aaa\nbbb\nccc\n", 12, 6,   9, "b|ccc|"  },
                { "aaa\nbbb\nccc\n", 12, 100, 2, "bbb|ccc|" },
                { "aaa\nbbb\nccc",   11, 100, 1, "bbb|ccc|" },
                { "aaa\nbbb\nccc\n", 12, 6,   1, "ccc|"    },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                char seen[64] = "";
                _scratch_ Scratch s;

                scratch_open(&s);
                scratch_write_bytes(&s, "file", cases[i].text, cases[i].size);
                assert_ok(state_file_read_lines(scratch_path(&s, "file"), cases[i].size_max,
                                                cases[i].lines_max, count_line, seen));
                assert_string_equal(seen, cases[i].seen);
        }
}

static void test_long_line(void **state) {
        _cleanup_(freep) char *text = malloc(STATE_LINE_MAX + 8), *seen = calloc(1, STATE_LINE_MAX + 8);
        _scratch_ Scratch s;

        scratch_open(&s);
        memset(text, 'y', STATE_LINE_MAX + 8);
        memcpy(text + STATE_LINE_MAX + 1, "\nb\n", 3);
        scratch_write_bytes(&s, "file", text, STATE_LINE_MAX + 4);
        assert_ok(state_file_read_lines(scratch_path(&s, "file"), LEDGER_FILE_MAX, 9, count_line, seen));
        assert_string_equal(seen, "b|");

        text[STATE_LINE_MAX] = '\n';
        text[STATE_LINE_MAX + 1] = 'b';
        *seen = '\0';
        scratch_write_bytes(&s, "file", text, STATE_LINE_MAX + 2);
        assert_ok(state_file_read_lines(scratch_path(&s, "file"), LEDGER_FILE_MAX, 9, count_line, seen));
        assert_int_equal(strlen(seen), STATE_LINE_MAX + 3);
}

/* ------------------------------------------------------------------------------------------------- its users */

static void use_ledger(const char *path) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *record = NULL;
        Ledger *l = NULL;

        assert_ok(ledger_new(&l, path, 8));
        assert_int_equal(ledger_count(l), 0);
        assert_ok(request_new_client(&request, "a", 0, 1, NULL));
        assert_ok(record_new(&record, "a", request));
        assert_ok(ledger_begin(l, record));
        record->outcome = OUTCOME_LOADED;
        ledger_end(l, record);
        ledger_free(l);

        assert_ok(ledger_new(&l, path, 8));
        assert_int_equal(ledger_count(l), 1);
        ledger_free(l);
}

static void use_audit(const char *path) {
        static const PlanRuling requester = { .source = POLICY_BY_RULE,
                                              .file = (char *) "/p.yaml",
                                              .line = 3 };
        _cleanup_(request_unrefp) Request *request = NULL;
        Audit *a = NULL;

        assert_ok(audit_new(&a, path));
        assert_int_equal(audit_count(a), 0);
        assert_ok(request_new_client(&request, "a", 0, 1, NULL));
        audit_note(a, AUDIT_REFUSED, "a", &requester, request);
        audit_free(a);

        assert_ok(audit_new(&a, path));
        assert_int_equal(audit_count(a), 1);
        audit_free(a);
}

static void use_grants(const char *path) {
        const Grant wanted = { .module = (char *) "a", .reason = (char *) "why", .verdict = POLICY_ALLOW,
                               .expires_usec = UINT64_MAX };
        _cleanup_(problem_list_clear) ProblemList problems = {};
        const Grant *grant;
        BootMoment now;
        Grants *g = NULL;

        boot_moment_now(&now);
        assert_ok(grants_new(&g, path, &now, &problems));
        assert_int_equal(grants_count(g), 0);
        assert_ok(grants_write(g));
        assert_ok(grants_add(g, &wanted, &grant));
        assert_ok(grants_write(g));
        grants_free(g);

        assert_ok(grants_new(&g, path, &now, &problems));
        assert_int_equal(grants_count(g), 1);
        grants_free(g);
}

/* Whatever is there, they start without it, and what they write is there the next time. */
static void test_users(void **state) {
        static void (*const users[])(const char *path) = { use_ledger, use_audit, use_grants };

        for (size_t i = 0; i < ARRAY_LEN(users) * ARRAY_LEN(things) * 2; i++) {
                const Thing *thing = things + i / 2 % ARRAY_LEN(things);
                _scratch_ Scratch s;

                scratch_open(&s);
                thing->put(&s, i % 2 == 0 ? "file" : "file.new");
                print_message("# %s\n", thing->name);
                users[i / 2 / ARRAY_LEN(things)](scratch_path(&s, "file"));
                assert_precious_untouched(&s);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_read_of_another_user),
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_users),
        };

        return RUN_TESTS(tests);
}
