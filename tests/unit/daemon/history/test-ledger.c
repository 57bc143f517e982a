/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/ledger.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "scratch.h"
#include "test.h"

#define _scratch_ _cleanup_(scratch_close)
#define _ledger_ _cleanup_(ledger_freep)
#define FILE_NAME "ledger"

static Ledger *open_ledger(const Scratch *s, size_t capacity) {
        Ledger *l = NULL;

        assert_ok(ledger_new(&l, s ? scratch_path(s, FILE_NAME) : NULL, capacity));
        return l;
}

static Record *begin(Ledger *l, const char *module, PlanReason reason) {
        _cleanup_(request_unrefp) Request *request = NULL;
        Record *r = NULL;

        assert_ok(request_new_device(&request, "usb:v0525pA4A5", "/devices/usb1/1-1", "usb", NULL));
        assert_ok(record_new(&r, module, request));
        r->reason = reason;
        if (reason != PLAN_REQUESTED)
                r->parent = strdup("top");
        assert_ok(ledger_begin(l, r));
        record_unref(r);                /* the ledger has it */
        return ledger_get(l, 0);
}

static void done(Ledger *l, const char *module, PlanReason reason, Outcome outcome) {
        Record *r = begin(l, module, reason);

        r->outcome = outcome;
        r->removal = outcome == OUTCOME_UNLOADED;
        ledger_end(l, r);
}

/* The newest modules first: "c b a". */
static void assert_holds(const Ledger *l, const char *expected) {
        char names[1024] = "";

        for (size_t i = 0; i < ledger_count(l); i++) {
                if (i > 0)
                        strcat(names, " ");
                strcat(names, ledger_get(l, i)->module);
        }
        assert_string_equal(names, expected);
}

static off_t file_size(const Scratch *s) {
        struct stat st;

        assert_int_equal(stat(scratch_path(s, FILE_NAME), &st), 0);
        return st.st_size;
}

static void test_begin_and_end(void **state) {
        _ledger_ Ledger *l = open_ledger(NULL, 8);
        uint64_t begun;
        Record *r;

        r = begin(l, "a", PLAN_REQUESTED);
        assert_int_equal(r->id, 1);
        assert_int_equal(r->outcome, OUTCOME_UNDER_WAY);
        assert_true(r->time_usec > 0);
        begun = r->time_usec;
        r->outcome = OUTCOME_LOADED;
        ledger_end(l, r);
        assert_true(r->time_usec >= begun);
        assert_int_equal(begin(l, "b", PLAN_REQUESTED)->id, 2);
        assert_holds(l, "b a");
}

static void test_bounded(void **state) {
        _ledger_ Ledger *l = open_ledger(NULL, 3);

        assert_holds(l, "");
        for (const char *module = "abcdefg"; *module; module++)
                done(l, (char[]) { *module, '\0' }, PLAN_REQUESTED, OUTCOME_LOADED);
        assert_holds(l, "g f e");
        assert_int_equal(ledger_get(l, 0)->id, 7);
}

static void test_capacity_changes(void **state) {
        _ledger_ Ledger *l = open_ledger(NULL, 3);

        for (const char *module = "abcde"; *module; module++)
                done(l, (char[]) { *module, '\0' }, PLAN_REQUESTED, OUTCOME_LOADED);
        assert_ok(ledger_set_capacity(l, 5));
        assert_holds(l, "e d c");
        done(l, "f", PLAN_REQUESTED, OUTCOME_LOADED);
        done(l, "g", PLAN_REQUESTED, OUTCOME_LOADED);
        done(l, "h", PLAN_REQUESTED, OUTCOME_LOADED);
        assert_holds(l, "h g f e d");
        assert_ok(ledger_set_capacity(l, 2));
        assert_holds(l, "h g");
        assert_ok(ledger_set_capacity(l, 1));
        done(l, "i", PLAN_REQUESTED, OUTCOME_LOADED);
        assert_holds(l, "i");
        assert_ok(ledger_set_capacity(l, 1));
        assert_holds(l, "i");
}

static void test_file_survives(void **state) {
        _scratch_ Scratch s;
        Ledger *l;
        Record *r;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        r = begin(l, "b", PLAN_DEPENDENCY);
        r->outcome = OUTCOME_FAILED;
        r->error = -ENOEXEC;
        r->message = strdup("it would not");
        r->duration_usec = 17;
        ledger_end(l, r);
        ledger_free(l);

        l = open_ledger(&s, 8);
        assert_holds(l, "b a");
        r = ledger_get(l, 0);
        assert_int_equal(r->id, 2);
        assert_int_equal(r->outcome, OUTCOME_FAILED);
        assert_int_equal(r->error, -ENOEXEC);
        assert_int_equal(r->reason, PLAN_DEPENDENCY);
        assert_int_equal(r->duration_usec, 17);
        assert_string_equal(r->parent, "top");
        assert_string_equal(r->message, "it would not");
        assert_string_equal(r->request->device, "/devices/usb1/1-1");
        assert_string_equal(r->request->key, "usb:v0525pA4A5");

        assert_int_equal(begin(l, "c", PLAN_REQUESTED)->id, 3); /* ids go on */
        ledger_free(l);
}

static void test_restart_with_less_room(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        for (const char *module = "abcde"; *module; module++)
                done(l, (char[]) { *module, '\0' }, PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        l = open_ledger(&s, 2);
        assert_holds(l, "e d");
        ledger_free(l);
}

/* lkmd died between the call and its outcome: the requester is there, the outcome is not made up. */
static void test_died_in_between(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        (void) begin(l, "a", PLAN_REQUESTED);
        ledger_free(l);

        l = open_ledger(&s, 8);
        assert_holds(l, "a");
        assert_int_equal(ledger_get(l, 0)->outcome, OUTCOME_FAILED);
        assert_int_equal(ledger_get(l, 0)->error, -EINTR);
        assert_non_null(strstr(ledger_get(l, 0)->message, "restarted"));
        assert_true(ledger_was_requested(l, "a")); /* not ours to remove: who knows */
        ledger_free(l);
}

static void append(const Scratch *s, const char *text) {
        _cleanup_(fclosep) FILE *f = fopen(scratch_path(s, FILE_NAME), "ae");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
}

static void test_half_a_line_at_the_end(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        append(&s, "{\"id\":2,\"record\":{\"module\":\"b\",\"cau");

        l = open_ledger(&s, 8);
        assert_holds(l, "a");
        done(l, "c", PLAN_REQUESTED, OUTCOME_LOADED); /* not behind the half line */
        ledger_free(l);
        l = open_ledger(&s, 8);
        assert_holds(l, "c a");
        ledger_free(l);
}

static void test_what_is_no_record_is_left_out(void **state) {
        static const char *const lines[] = {
                "\n",
                "null\n",
                "17\n",
                "\"gone\"\n",
                "[]\n",
                "{}\n",
                "nonsense\n",
                "{\"gone\":17}\n",
                "{\"gone\":\"never-seen\"}\n",
                "{\"id\":9}\n",
                "{\"id\":-1,\"record\":{}}\n",
                "{\"id\":\"9\",\"record\":{}}\n",
                "{\"id\":9,\"record\":17}\n",
                "{\"id\":9,\"record\":[]}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\"}}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\",\"requester\":17}}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\",\"requester\":{\"origin\":\"client\"}}}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\",\"requester\":{\"origin\":\"moon\",\"key\":\"b\"}}}\n",
                "{\"id\":9,\"record\":{\"module\":17,\"requester\":{\"origin\":\"client\",\"key\":\"b\"}}}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\",\"outcome\":\"moon\",\"requester\":{\"origin\":"
                "\"client\",\"key\":\"b\"}}}\n",
                "{\"id\":9,\"record\":{\"module\":\"b\",\"errno\":99999999999,\"requester\":{\"origin\":"
                "\"client\",\"key\":\"b\"}}}\n",
                /* an id after which none can follow */
                "{\"id\":18446744073709551615,\"record\":{\"module\":\"b\",\"reason\":\"requested\","
                "\"outcome\":\"loaded\","
                "\"requester\":{\"origin\":\"client\",\"key\":\"b\"}}}\n",
                "{\"id\":0,\"record\":{\"module\":\"b\",\"reason\":\"requested\",\"outcome\":\"loaded\","
                "\"requester\":{\"origin\":\"client\",\"key\":\"b\"}}}\n",
                "\xff\xfe\x01\n",
        };

        for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
                _scratch_ Scratch s;
                Ledger *l;

                scratch_open(&s);
                l = open_ledger(&s, 8);
                done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
                ledger_free(l);
                append(&s, lines[i]);
                append(&s, lines[i]);

                l = open_ledger(&s, 8);
                assert_holds(l, "a");
                assert_int_equal(begin(l, "c", PLAN_REQUESTED)->id, 2);
                ledger_free(l);
        }
}

static void test_garbage_file(void **state) {
        static const unsigned char bytes[] = { 0, 1, 2, '\n', 0, '{', '\n', 0xff, '"', '}' };
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        scratch_write_bytes(&s, FILE_NAME, bytes, sizeof(bytes));
        l = open_ledger(&s, 8);
        assert_holds(l, "");
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        l = open_ledger(&s, 8);
        assert_holds(l, "a");
        ledger_free(l);
}

static void test_nowhere_to_write(void **state) {
        static const char *const files[] = { "/nonexistent-directory/ledger", "/proc/ledger",
                                             "/dev/null/ledger", "/" };

        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                Ledger *l = NULL;

                assert_ok(ledger_new(&l, files[i], 8));
                done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
                ledger_module_gone(l, "a");
                assert_holds(l, "a");
                ledger_free(l);
        }
}

/* A gigabyte that takes no room on the disk, as a crash or a copy may leave it: what is behind counts. */
static void test_huge_file(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        assert_int_equal(truncate(scratch_path(&s, FILE_NAME), (off_t) 1 << 30), 0);

        l = open_ledger(&s, 8);
        assert_holds(l, "");
        done(l, "b", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        l = open_ledger(&s, 8);
        assert_holds(l, "b");
        ledger_free(l);
        assert_true(file_size(&s) < (1 << 20)); /* it has been written anew */
}

/* The clock was wrong then, or is now. */
static void test_from_the_future(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        append(&s,
               "{\"id\":7,\"record\":{\"timeUSec\":4102444800000000,\"endedUSec\":4102444800000000,"
               "\"durationUSec\":4102444800000000,\"module\":\"b\",\"reason\":\"requested\",\"outcome\":\"loaded\","
               "\"requester\":{\"origin\":\"client\",\"key\":\"b\"}}}\n");
        l = open_ledger(&s, 8);
        assert_holds(l, "b");
        assert_non_null(ledger_find_load(l, "b"));
        done(l, "c", PLAN_REQUESTED, OUTCOME_LOADED);
        assert_int_equal(ledger_get(l, 0)->id, 8);
        ledger_free(l);
        l = open_ledger(&s, 8);
        assert_holds(l, "c b");
        ledger_free(l);
}

/* What does not fit is in memory, and in the file once there is room. */
static void test_full_disk(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        (void) signal(SIGXFSZ, SIG_IGN);
        scratch_open(&s);
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        assert_int_equal(
                setrlimit(RLIMIT_FSIZE, &(struct rlimit) { (rlim_t) file_size(&s) + 9, RLIM_INFINITY }), 0);
        done(l, "b", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_module_gone(l, "a");
        assert_holds(l, "b a");
        assert_true(ledger_get(l, 1)->gone);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit) { RLIM_INFINITY, RLIM_INFINITY }), 0);
        for (unsigned i = 0; i < 300; i++)
                done(l, "c", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);
        l = open_ledger(&s, 8);
        assert_holds(l, "c c c c c c c c");
        ledger_free(l);
}

/* The directory comes later, as /run/lkmd may: from then on all of it is in the file. */
static void test_directory_appears(void **state) {
        _scratch_ Scratch s;
        Ledger *l = NULL;

        scratch_open(&s);
        assert_ok(ledger_new(&l, scratch_path(&s, "run/ledger"), 8));
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        scratch_mkdir(&s, "run");
        done(l, "b", PLAN_REQUESTED, OUTCOME_LOADED);
        ledger_free(l);

        assert_ok(ledger_new(&l, scratch_path(&s, "run/ledger"), 8));
        assert_holds(l, "b a");
        ledger_free(l);
}

/* A link at its place is not written through. */
static void test_link_is_not_followed(void **state) {
        struct stat st;
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        scratch_write(&s, "precious", "");
        scratch_link(&s, FILE_NAME ".new", "precious");
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        assert_int_equal(stat(scratch_path(&s, "precious"), &st), 0);
        assert_int_equal(st.st_size, 0);
        ledger_free(l);
}

static void test_file_stays_small(void **state) {
        _scratch_ Scratch s;
        off_t largest = 0;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 4);
        for (unsigned i = 0; i < 1000; i++) {
                done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
                ledger_module_gone(l, "a");
                largest = MAX(largest, file_size(&s));
        }
        assert_true(largest < 64 * 1024);
        ledger_free(l);

        l = open_ledger(&s, 4);
        assert_holds(l, "a a a a");
        assert_int_equal(ledger_get(l, 0)->id, 1000);
        ledger_free(l);
}

static void test_find_load(void **state) {
        _ledger_ Ledger *l = open_ledger(NULL, 16);

        assert_null(ledger_find_load(l, "a"));
        done(l, "a", PLAN_REQUESTED, OUTCOME_FAILED);
        assert_null(ledger_find_load(l, "a"));
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        done(l, "a", PLAN_REQUESTED, OUTCOME_ALREADY_LOADED);
        done(l, "b", PLAN_REQUESTED, OUTCOME_COMMAND_RUN);
        assert_int_equal(ledger_find_load(l, "a")->id, 2);
        assert_int_equal(ledger_find_load(l, "b")->outcome, OUTCOME_COMMAND_RUN);

        ledger_module_gone(l, "a");
        assert_null(ledger_find_load(l, "a"));
        assert_non_null(ledger_find_load(l, "b"));
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED); /* and again */
        assert_int_equal(ledger_find_load(l, "a")->id, 5);
}

/* The kernel's word that it left is read when it is being loaded once more. */
static void test_left_before_it_came(void **state) {
        _scratch_ Scratch s;
        _ledger_ Ledger *l = NULL;
        Record *r;

        scratch_open(&s);
        l = open_ledger(&s, 10);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        r = begin(l, "a", PLAN_REQUESTED);
        ledger_module_gone(l, "a");
        assert_null(ledger_find_load(l, "a"));
        r->outcome = OUTCOME_LOADED;
        ledger_end(l, r);
        assert_ptr_equal(ledger_find_load(l, "a"), r);

        l = ledger_free(l);
        l = open_ledger(&s, 10);
        assert_non_null(ledger_find_load(l, "a"));

        /* One that could be used, and has left while finit_module(2) still waits, does leave. */
        r = begin(l, "b", PLAN_REQUESTED);
        r->live_usec = 1;
        ledger_module_gone(l, "b");
        r->outcome = OUTCOME_LOADED;
        ledger_end(l, r);
        assert_null(ledger_find_load(l, "b"));
}

static void test_was_requested(void **state) {
        _ledger_ Ledger *l = open_ledger(NULL, 16);

        assert_true(ledger_was_requested(l, "a")); /* not through lkmd: not ours */
        done(l, "a", PLAN_DEPENDENCY, OUTCOME_LOADED);
        assert_false(ledger_was_requested(l, "a"));
        done(l, "a", PLAN_REQUESTED, OUTCOME_FAILED);
        assert_false(ledger_was_requested(l, "a"));
        done(l, "a", PLAN_REQUESTED, OUTCOME_ALREADY_LOADED);
        assert_true(ledger_was_requested(l, "a"));

        ledger_module_gone(l, "a");
        done(l, "a", PLAN_SOFTDEP_PRE, OUTCOME_LOADED); /* the old wish went with it */
        assert_false(ledger_was_requested(l, "a"));

        begin(l, "b", PLAN_DEPENDENCY)->also_requested = true;
        ledger_get(l, 0)->outcome = OUTCOME_LOADED;
        ledger_end(l, ledger_get(l, 0));
        assert_true(ledger_was_requested(l, "b"));
}

static void test_gone_survives(void **state) {
        _scratch_ Scratch s;
        Ledger *l;

        scratch_open(&s);
        l = open_ledger(&s, 8);
        done(l, "a", PLAN_REQUESTED, OUTCOME_LOADED);
        done(l, "b", PLAN_DEPENDENCY, OUTCOME_LOADED);
        ledger_module_gone(l, "a");
        ledger_free(l);

        for (unsigned restarts = 0; restarts < 2; restarts++) { /* the second reads what the first wrote anew */
                l = open_ledger(&s, 8);
                assert_holds(l, "b a");
                assert_null(ledger_find_load(l, "a"));
                assert_non_null(ledger_find_load(l, "b"));
                assert_false(ledger_was_requested(l, "b"));
                ledger_free(l);
        }
}

/* What a key is made of is no reason to forget its record. */
static void test_any_key_survives(void **state) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *r = NULL;
        char key[REQUEST_KEY_MAX + 1], shown[4 * REQUEST_KEY_MAX + 1] = "";
        _scratch_ Scratch s;
        Ledger *l;

        memset(key, '\xff', REQUEST_KEY_MAX);
        key[REQUEST_KEY_MAX] = '\0';
        for (size_t i = 0; i < REQUEST_KEY_MAX; i++)
                memcpy(shown + 4 * i, "\\xff", 5);

        scratch_open(&s);
        l = open_ledger(&s, 8);
        assert_ok(request_new_device(&request, key, "/devices/\xff", NULL, NULL));
        assert_ok(record_new(&r, "a", request));
        assert_ok(ledger_begin(l, r));
        r->outcome = OUTCOME_LOADED;
        ledger_end(l, r);
        ledger_free(l);

        for (unsigned restarts = 0; restarts < 2; restarts++) {
                l = open_ledger(&s, 8);
                assert_holds(l, "a");
                assert_string_equal(ledger_get(l, 0)->request->key, shown);
                assert_string_equal(ledger_get(l, 0)->request->device, "/devices/\\xff");
                ledger_free(l);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_begin_and_end),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_capacity_changes),
                cmocka_unit_test(test_file_survives),
                cmocka_unit_test(test_restart_with_less_room),
                cmocka_unit_test(test_died_in_between),
                cmocka_unit_test(test_half_a_line_at_the_end),
                cmocka_unit_test(test_what_is_no_record_is_left_out),
                cmocka_unit_test(test_garbage_file),
                cmocka_unit_test(test_huge_file),
                cmocka_unit_test(test_from_the_future),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_nowhere_to_write),
                cmocka_unit_test(test_directory_appears),
                cmocka_unit_test(test_link_is_not_followed),
                cmocka_unit_test(test_file_stays_small),
                cmocka_unit_test(test_find_load),
                cmocka_unit_test(test_left_before_it_came),
                cmocka_unit_test(test_was_requested),
                cmocka_unit_test(test_gone_survives),
                cmocka_unit_test(test_any_key_survives),
        };

        return RUN_TESTS(tests);
}
