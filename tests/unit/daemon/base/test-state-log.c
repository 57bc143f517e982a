/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/base/state-log.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/history/audit.h"
#include "daemon/history/ledger.h"
#include "scratch.h"
#include "test.h"

#define _scratch_ _cleanup_(scratch_close)
#define FILE_NAME "log"
#define ROUNDS 3000U
#define CAPACITY 8U

/* ------------------------------------------------------------------------------------------ a log of numbers */

typedef struct Numbers {
        StateLog log;
        unsigned n;                     /* 1 to this are in memory */
} Numbers;

static sd_json_variant *number_line(unsigned i) {
        sd_json_variant *v = NULL;

        assert_ok(sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("n", i)));
        return v;
}

static size_t count_numbers(void *userdata) {
        return ((Numbers *) userdata)->n;
}

static int format_number(size_t i, sd_json_variant **ret, void *userdata) {
        *ret = number_line((unsigned) i + 1);
        return 0;
}

static int take_number(sd_json_variant *v, void *userdata) {
        Numbers *numbers = userdata;
        sd_json_variant *n = sd_json_variant_by_key(v, "n");

        if (!n || sd_json_variant_unsigned(n) != numbers->n + 1)
                return -EBADMSG;
        numbers->n++;
        return 0;
}

static void numbers_read(Numbers *numbers, const char *path) {
        *numbers = (Numbers) { .log = {
                                       .loss = "it is lost",
                                       .count = count_numbers,
                                       .format = format_number,
                                       .take = take_number,
                                       .userdata = numbers,
                                       .lines_max = 500,
                               } };
        assert_ok(state_log_open(&numbers->log, path, 1U << 20));
}

static void numbers_open(Numbers *numbers, const char *path) {
        numbers_read(numbers, path);
        state_log_rewrite(&numbers->log);
}

static void numbers_add(Numbers *numbers) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = number_line(++numbers->n);

        state_log_append(&numbers->log, v);
}

static unsigned numbers_in_file(const char *path) {
        Numbers numbers;

        numbers_read(&numbers, path);
        state_log_close(&numbers.log);
        return numbers.n;
}

static void test_append(void **state) {
        _scratch_ Scratch s;
        Numbers numbers;

        scratch_open(&s);
        numbers_open(&numbers, scratch_path(&s, FILE_NAME));
        for (unsigned i = 0; i < 100; i++) {
                numbers_add(&numbers);
                assert_int_equal(numbers.log.n_lines, i + 1);
                assert_int_equal(numbers_in_file(scratch_path(&s, FILE_NAME)), i + 1);
        }
        state_log_close(&numbers.log);
        numbers_open(&numbers, scratch_path(&s, FILE_NAME));
        assert_int_equal(numbers.n, 100);
        state_log_close(&numbers.log);
}

static void set_file_size_max(rlim_t bytes) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit) { bytes, RLIM_INFINITY }), 0);
}

/* A disk that is full takes half a line. What is written later is whole all the same, and nothing is missing. */
static void test_full_disk(void **state) {
        _scratch_ Scratch s;
        Numbers numbers;

        (void) signal(SIGXFSZ, SIG_IGN);
        scratch_open(&s);
        numbers_open(&numbers, scratch_path(&s, FILE_NAME));
        numbers_add(&numbers);
        set_file_size_max(12);          /* {"n":1}\n and half of the next */
        for (unsigned i = 0; i < 50; i++)
                numbers_add(&numbers);
        assert_true(numbers.log.failed);
        assert_int_equal(numbers_in_file(scratch_path(&s, FILE_NAME)), 1);

        set_file_size_max(RLIM_INFINITY);
        for (unsigned i = 0; numbers.log.failed && i < 200; i++)
                numbers_add(&numbers);
        assert_false(numbers.log.failed);
        assert_int_equal(numbers_in_file(scratch_path(&s, FILE_NAME)), numbers.n);
        numbers_add(&numbers);
        assert_int_equal(numbers_in_file(scratch_path(&s, FILE_NAME)), numbers.n);
        assert_int_equal(access(scratch_path(&s, FILE_NAME ".new"), F_OK), -1);
        state_log_close(&numbers.log);
}

/* The last attempt is that of a clean end. */
static void test_full_disk_until_the_end(void **state) {
        _scratch_ Scratch s;
        Numbers numbers;

        (void) signal(SIGXFSZ, SIG_IGN);
        scratch_open(&s);
        set_file_size_max(1);
        numbers_open(&numbers, scratch_path(&s, FILE_NAME));
        for (unsigned i = 0; i < 50; i++)
                numbers_add(&numbers);
        set_file_size_max(RLIM_INFINITY);
        state_log_close(&numbers.log);
        assert_int_equal(numbers_in_file(scratch_path(&s, FILE_NAME)), 50);
}

/* ------------------------------------------------------------------------- whatever is read is read again so */

static uint64_t random_state;

static unsigned pick(unsigned n) {      /* xorshift64: the same on every machine */
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return (unsigned) (random_state % n);
}

static const char *const values[] = {
        "0", "1", "2", "-1", "17", "4294967295", "4294967296", "4503599627370496", "9223372036854775807",
        "18446744073709551615", "1e3", "0.5", "null", "true", "false", "\"\"", "\"a\"", "\"dummy\"", "\"loop\"",
        "\"\xc3\xa4\"", "\"\\u0007\"", "\"\\\\x0a\"", "\"\\u202e\"", "\"loaded\"", "\"unloaded\"", "\"failed\"",
        "\"requested\"", "\"dependency\"", "\"client\"", "\"device\"", "\"refused\"", "\"reported\"", "\"rule\"", "\"grant\"",
        "[]", "{}", "[1,\"a\"]", "{\"file\":\"/p.yaml\",\"line\":3}", "{\"reason\":\"why\"}", "{\"source\":\"rule\",\"file\":\"/f\"}",
        "{\"origin\":\"client\",\"key\":\"a\",\"uid\":1000,\"pid\":7}", "{\"origin\":\"device\",\"key\":\"b\",\"uid\":\"root\"}",
        "{\"origin\":\"client\",\"key\":\"a\",\"pid\":4294967297,\"uid\":0,\"forced\":true}",
};

static const char *const record_fields[] = {
        "timeUSec", "outcome", "reason", "parent", "alsoRequested", "allowedBy", "parameters", "durationUSec", "liveUSec",
        "threadId", "kernelStack", "errno", "message", "hint", "module", "requester",
};

static const char *const audit_fields[] = {
        "device", "uid", "firstUSec", "lastUSec", "source", "file", "line", "column", "rule", "reason",
        "kind", "module", "origin", "key", "count",
};

static void print_fields(FILE *f, const char *const *fields, size_t n) {
        for (unsigned i = pick(4); i > 0; i--)
                fprintf(f, ",\"%s\":%s", fields[pick((unsigned) n)], values[pick(ARRAY_LEN(values))]);
}

static void print_record_line(FILE *f) {
        if (pick(8) == 0) {
                fprintf(f, "{\"gone\":%s}", values[pick(ARRAY_LEN(values))]);
                return;
        }
        fprintf(f, "{\"id\":%s", pick(8) == 0 ? values[pick(ARRAY_LEN(values))] : (char[]) { (char) ('1' + pick(9)), '\0' });
        if (pick(4) == 0)
                fprintf(f, ",\"gone\":%s", values[pick(ARRAY_LEN(values))]);
        fprintf(f, ",\"record\":{\"module\":\"%c\",\"requester\":{\"origin\":\"client\",\"key\":\"k\"}",
                "ab"[pick(2)]);
        print_fields(f, record_fields, ARRAY_LEN(record_fields));
        fputs("}}", f);
}

static void print_audit_line(FILE *f) {
        fprintf(f, "{\"kind\":\"refused\",\"module\":\"%c\",\"origin\":\"client\",\"key\":\"k\",\"count\":%u", "ab"[pick(2)],
                pick(3));
        print_fields(f, audit_fields, ARRAY_LEN(audit_fields));
        fputs("}", f);
}

/* Lines of which most are nearly right, with some bytes changed. */
static void write_lines(const Scratch *s, void (*print)(FILE *f)) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        for (unsigned i = pick(12); i > 0; i--) {
                print(f);
                if (pick(10) > 0)
                        fputc('\n', f);
        }
        assert_int_equal(fclose(f), 0);
        for (unsigned i = pick(3); size > 0 && i > 0; i--)
                text[pick((unsigned) size)] = (char) pick(256);
        scratch_write_bytes(s, FILE_NAME, text, pick(10) == 0 && size > 0 ? pick((unsigned) size) : size);
}

static char *file_text(const char *path, size_t *ret_size) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        char *text = calloc(1, 1U << 20);

        assert_non_null(f);
        *ret_size = fread(text, 1, (1U << 20) - 1, f);
        return text;
}

static size_t pass_ledger(const char *path) {
        Ledger *l = NULL;
        size_t n;

        assert_ok(ledger_new(&l, path, CAPACITY));
        n = ledger_count(l);
        ledger_free(l);
        return n;
}

static size_t pass_audit(const char *path) {
        Audit *a = NULL;
        size_t n;

        assert_ok(audit_new(&a, path));
        n = audit_count(a);
        audit_free(a);
        return n;
}

static void test_round_trip(void **state) {
        static const struct {
                void (*print)(FILE *f);
                size_t (*pass)(const char *path);
        } kinds[] = { { print_record_line, pass_ledger }, { print_audit_line, pass_audit } };
        size_t n_seen = 0;

        for (unsigned i = 0; i < 2 * ROUNDS; i++) {
                _cleanup_(freep) char *first = NULL, *second = NULL;
                size_t n, size, second_size;
                _scratch_ Scratch s;
                const char *path;

                random_state = i + 1;
                (void) pick(1);
                scratch_open(&s);
                path = scratch_path(&s, FILE_NAME);
                write_lines(&s, kinds[i % 2].print);
                n = kinds[i % 2].pass(path);
                first = file_text(path, &size);
                assert_int_equal(kinds[i % 2].pass(path), n);
                second = file_text(path, &second_size);
                assert_string_equal(first, second);
                assert_int_equal(size, second_size);
                n_seen += n;
        }
        assert_true(n_seen > ROUNDS);   /* else most of them were not even nearly right */
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_full_disk_until_the_end),
                cmocka_unit_test(test_round_trip),
        };

        return RUN_TESTS(tests);
}
