/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/record-json.h"

#include "common/base/limits.h"
#include "test.h"

#define BAD "\xff\n\x80"                /* neither UTF-8 nor fit for a terminal */
#define SHOWN "\\xff\\x0a\\x80"

#define assert_described(call, v, expected)                                                             \
        do {                                                                                            \
                assert_ok(call);                                                                        \
                assert_json(v, expected);                                                               \
        } while (0)

static void assert_json(sd_json_variant *v, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_ok(sd_json_variant_format(v, 0, &text));
        assert_string_equal(text, expected);
}

static Record *new_record(const char *module, Request *request) {
        Record *r = NULL;

        assert_ok(record_new(&r, module, request));
        return r;
}

static char *copy(const char *s) {
        char *c = strdup(s);

        assert_non_null(c);
        return c;
}

static void test_requests(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *device = NULL, *client = NULL, *boot = NULL;
        _cleanup_(request_unrefp) Request *d = NULL, *c = NULL, *b = NULL;

        assert_ok(request_new_device(&d, "usb:v0525" BAD, "/devices/usb1/" BAD, "usb" BAD, "d" BAD));
        assert_described(describe_request(d, &device), device,
                         "{\"origin\":\"device\",\"key\":\"usb:v0525\\\\xff\\\\x0a\\\\x80\",\"device\":\"/"
                         "devices/usb1/"
                         "\\\\xff\\\\x0a\\\\x80\",\"subsystem\":\"usb\\\\xff\\\\x0a\\\\x80\","
                         "\"driver\":\"d\\\\xff\\\\x0a\\\\x80\"}");

        assert_ok(request_new_client(&c, "loop", 1000, 1, "boot.service"));
        free(c->command);
        c->command = copy("a b");
        assert_described(
                describe_request(c, &client), client,
                "{\"origin\":\"client\",\"key\":\"loop\",\"uid\":1000,\"pid\":1,\"command\":\"a b\","
                "\"unit\":\"boot.service\"}");

        assert_ok(request_new(&b, ORIGIN_BOOT, "tun"));
        assert_described(describe_request(b, &boot), boot, "{\"origin\":\"boot\",\"key\":\"tun\"}");
}

static void test_listed(void **state) {
        static const struct {
                const char *file;
                unsigned line;
                const char *json, *place;
        } cases[] = {
                { "/etc/modules-load.d/a\n.conf", 3,
                  "{\"origin\":\"boot\",\"key\":\"tun\",\"file\":\"/etc/modules-load.d/a\\\\x0a.conf\",\"line\":3}",
                  "/etc/modules-load.d/a\\x0a.conf:3" },
                { "/proc/cmdline", 0, "{\"origin\":\"boot\",\"key\":\"tun\",\"file\":\"/proc/cmdline\"}",
                  "/proc/cmdline" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *record_v = NULL, *again = NULL;
                _cleanup_(request_unrefp) Request *request = NULL;
                _cleanup_(record_unrefp) Record *r = NULL, *back = NULL;
                _cleanup_(freep) char *place = NULL;

                assert_ok(request_new_listed(&request, "tun", cases[i].file, cases[i].line));
                assert_described(describe_request(request, &v), v, cases[i].json);
                assert_ok(request_describe_place(request, &place));
                assert_string_equal(place, cases[i].place);
                r = new_record("tun", request);
                assert_true(record_is_lkmds(r));
                assert_ok(describe_record(r, &record_v));
                assert_ok(record_from_json(record_v, &back));
                assert_int_equal(back->request->line, cases[i].line);
                assert_true(record_is_lkmds(back));
        }
}

static Requester *new_process(pid_t pid, uid_t uid, const char *command) {
        Requester *p = NULL;

        assert_ok(requester_new(&p));
        p->has_process = true;
        p->pid = pid;
        p->uid = uid;
        p->command = copy(command);
        return p;
}

static const char process_text[] =
        "{\"origin\":\"kernel\",\"key\":\"crypto-aes\",\"uid\":0,\"pid\":12,\"loginUid\":1000,"
        "\"command\":\"a\\\\x0ab\",\"executable\":\"/bin/a\",\"unit\":\"a.service\",\"container\":\"c\","
        "\"inferred\":true,\"chain\":[{\"uid\":65534,\"pid\":11,\"command\":\"b\"},"
        "{\"uid\":5,\"pid\":10,\"command\":\"c\"}]}";

static Record *read_record(const char *requester) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *text = NULL;
        Record *r = NULL;

        assert_true(
                asprintf(&text,
                         "{\"timeUSec\":17,\"module\":\"aes\",\"requester\":%s,\"reason\":\"requested\"}",
                         requester) > 0);
        assert_ok(sd_json_parse(text, 0, &v, NULL, NULL));
        return record_from_json(v, &r) >= 0 ? r : NULL;
}

/* Whatever is known of the process for which the kernel asks, and of those before it, there and back. */
static void test_processes(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *again = NULL;
        _cleanup_(requester_unrefp) Requester *p = new_process(12, 0, "a\nb");
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *r = NULL;
        const Requester *back;

        p->has_login_uid = true;
        p->login_uid = 1000;
        p->executable = copy("/bin/a");
        p->unit = copy("a.service");
        p->container = copy("c");
        p->inferred = true;
        p->parent = new_process(11, 65534, "b");
        p->parent->parent = new_process(10, 5, "c");
        assert_ok(request_new_kernel(&request, "crypto-aes", p));
        assert_described(describe_request(request, &v), v, process_text);

        r = read_record(process_text);
        assert_non_null(r);
        back = r->request->requester;
        assert_false(r->request->has_peer);
        assert_int_equal(back->pid, 12);
        assert_true(back->has_login_uid && back->login_uid == 1000 && back->inferred);
        assert_string_equal(back->command, "a\\x0ab");
        assert_string_equal(back->parent->parent->command, "c");
        assert_null(back->parent->parent->parent);
        assert_described(describe_request(r->request, &again), again, process_text);
}

static void test_unknown_process(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(requester_unrefp) Requester *p = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *r = read_record("{\"origin\":\"kernel\",\"key\":\"a\"}");

        assert_non_null(r);
        assert_null(r->request->requester);
        assert_ok(requester_new(&p));
        assert_ok(request_new_kernel(&request, "a", p));
        assert_described(describe_request(request, &v), v, "{\"origin\":\"kernel\",\"key\":\"a\"}");
        assert_int_equal(request_get_uid(request), -1);
        assert_int_equal(request_get_pid(request), -1);
        assert_null(request_get_command(request));
        assert_false(request_get_requester(request).has_uid);
}

/* What lkmd does not write is not taken for a process: a user ID of another type must not become root's. */
static void test_broken_processes(void **state) {
        static const char *const fields[] = {
                "\"uid\":\"0\"",      "\"uid\":4294967295",
                "\"loginUid\":true",  "\"chain\":{}",
                "\"chain\":[7]",      "\"pid\":-1",
                "\"command\":7",      "\"executable\":\"a\\u0007\"",
                "\"inferred\":\"1\"", "\"chain\":[{},{},{},{},{},{},{},{},{}]"
        };

        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_true(asprintf(&text, "{\"origin\":\"kernel\",\"key\":\"a\",%s}", fields[i]) > 0);
                if (read_record(text))
                        fail_msg("%s was read", text);
        }
}

/* A chain that never ends is cut. */
static void test_long_chain(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(requester_unrefp) Requester *first = new_process(1, 0, "a");
        _cleanup_(request_unrefp) Request *request = NULL;
        Requester *last = first;

        for (unsigned i = 0; i < 100; i++)
                last = last->parent = new_process(2, 0, "b");
        assert_ok(request_new_kernel(&request, "a", first));
        assert_ok(describe_request(request, &v));
        assert_int_equal(sd_json_variant_elements(sd_json_variant_by_key(v, "chain")), REQUESTER_CHAIN_MAX);
}

/* What the policy and the journal are told of it. */
static void test_whom(void **state) {
        _cleanup_(requester_unrefp) Requester *p = new_process(4711, 65534, "python3");
        _cleanup_(request_unrefp) Request *request = NULL, *unknown = NULL, *client = NULL;
        _cleanup_(freep) char *whom = NULL, *nobody = NULL, *key = NULL, *named = NULL;
        PolicyRequester policy;

        p->unit = copy("a.service");
        assert_ok(request_new_kernel(&request, "net-pf-38", p));
        assert_ok(request_describe_whom(request, NULL, &whom));
        assert_string_equal(whom, "python3 (pid 4711, uid 65534, a.service), as net-pf-38");
        policy = request_get_requester(request);
        assert_true(policy.has_uid && policy.uid == 65534);
        assert_string_equal(policy.unit, "a.service");

        assert_ok(request_new_kernel(&unknown, "net-pf-38", NULL));
        assert_ok(request_describe_whom(unknown, NULL, &nobody));
        assert_string_equal(nobody, "a process that is not known, as net-pf-38");

        assert_ok(request_new_client(&client, "loop", 1000, 1, NULL));
        assert_ok(request_describe_whom(client, NULL, &key));
        assert_string_equal(key, "loop");
        assert_ok(request_describe_whom(client, "lkmctl", &named));
        assert_string_equal(named, "lkmctl");
}

static void test_record_under_way(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *r = NULL;

        assert_ok(request_new(&request, ORIGIN_KERNEL, "net-pf-38"));
        r = new_record("af_alg", request);
        r->time_usec = 17;
        assert_described(
                describe_record(r, &v), v,
                "{\"timeUSec\":17,\"module\":\"af_alg\",\"requester\":{\"origin\":\"kernel\",\"key\":"
                "\"net-pf-38\"},"
                "\"reason\":\"requested\"}");
}

static void assert_same(const Record *a, const Record *b) {
        assert_string_equal(a->module, b->module);
        assert_int_equal(a->time_usec, b->time_usec);
        assert_int_equal(a->outcome, b->outcome);
        assert_int_equal(a->removal, b->removal);
        assert_int_equal(a->also_requested, b->also_requested);
        assert_int_equal(a->reason, b->reason);
        assert_int_equal(a->duration_usec, b->duration_usec);
        assert_int_equal(a->live_usec, b->live_usec);
        assert_int_equal(a->slow, b->slow);
        assert_int_equal(a->error, b->error);
        assert_true(streq_ptr(a->parent, b->parent));
        assert_true(streq_ptr(a->parameters, b->parameters));
        assert_true(streq_ptr(a->message, b->message));
        assert_true(streq_ptr(a->hint, b->hint));
        assert_int_equal(a->request->origin, b->request->origin);
        assert_string_equal(a->request->key, b->request->key);
        assert_true(streq_ptr(a->request->device, b->request->device));
        assert_true(streq_ptr(a->request->subsystem, b->request->subsystem));
        assert_true(streq_ptr(a->request->driver, b->request->driver));
        assert_true(streq_ptr(a->request->unit, b->request->unit));
        assert_int_equal(a->allowed_by.source, b->allowed_by.source);
        assert_int_equal(a->allowed_by.line, b->allowed_by.line);
        assert_int_equal(a->allowed_by.column, b->allowed_by.column);
        assert_true(streq_ptr(a->allowed_by.file, b->allowed_by.file));
        assert_true(streq_ptr(a->allowed_by.rule, b->allowed_by.rule));
        assert_true(streq_ptr(a->allowed_by.reason, b->allowed_by.reason));
        assert_true(streq_ptr(a->request->command, b->request->command));
        assert_int_equal(a->request->has_peer, b->request->has_peer);
        assert_int_equal(a->request->uid, b->request->uid);
        assert_int_equal(a->request->pid, b->request->pid);
}

static Record *there_and_back(const Record *r) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *parsed = NULL;
        _cleanup_(freep) char *text = NULL;
        Record *back = NULL;

        assert_ok(describe_record(r, &v));
        assert_ok(sd_json_variant_format(v, 0, &text));
        assert_ok(sd_json_parse(text, 0, &parsed, NULL, NULL));
        assert_ok(record_from_json(parsed, &back));
        return back;
}

static void test_there_and_back(void **state) {
        for (Outcome o = OUTCOME_UNDER_WAY; o < _OUTCOME_MAX; o++)
                for (PlanReason reason = 0; reason < _PLAN_REASON_MAX; reason++) {
                        _cleanup_(record_unrefp) Record *r = NULL, *back = NULL;
                        _cleanup_(request_unrefp) Request *request = NULL;

                        assert_ok(request_new_client(&request, "loop", 4294967294U, 4194304, "a.service"));
                        r = new_record("loop", request);
                        r->time_usec = 1790000000123456;
                        r->outcome = o;
                        r->reason = reason;
                        r->removal = o == OUTCOME_UNLOADED;
                        if (r->removal)
                                r->reason = PLAN_REQUESTED; /* has none, and comes back with none */
                        r->also_requested = reason == PLAN_DEPENDENCY && !r->removal;
                        r->slow = reason == PLAN_SOFTDEP_PRE;
                        r->parent = copy("top");
                        r->parameters = copy("a=1 b=\"2 3\" \"\\");
                        r->duration_usec = 4000000000;
                        r->live_usec = reason == PLAN_DEPENDENCY ? 3000000000 : 0;
                        r->error = o == OUTCOME_FAILED ? -ENOKEY : 0;
                        r->message = copy("it \xc3\xa4 \"failed\"");
                        r->hint = copy("try \\again");
                        back = there_and_back(r);
                        assert_same(r, back);
                }
}

static void test_there_and_back_of_a_device(void **state) {
        _cleanup_(record_unrefp) Record *r = NULL, *back = NULL, *again = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;

        assert_ok(request_new_device(&request, "k" BAD, "/d" BAD, "s" BAD, NULL));
        r = new_record("m" BAD, request);
        r->outcome = OUTCOME_FAILED;
        r->parent = copy("top" BAD);
        r->parameters = copy("p" BAD);
        r->message = copy("m" BAD " is not there");
        r->hint = copy("look for m" BAD);
        back = there_and_back(r);
        assert_string_equal(back->module, "m" SHOWN);
        assert_string_equal(back->parent, "top" SHOWN);
        assert_string_equal(back->parameters, "p" SHOWN);
        assert_string_equal(back->message, "m" SHOWN " is not there");
        assert_string_equal(back->hint, "look for m" SHOWN);
        assert_string_equal(back->request->key, "k" SHOWN);
        assert_string_equal(back->request->device, "/d" SHOWN);
        assert_string_equal(back->request->subsystem, "s" SHOWN);

        again = there_and_back(back);   /* a ledger lives through many restarts */
        assert_same(back, again);
}

static void test_problems(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *empty = NULL;
        _cleanup_(problem_list_clear) ProblemList list = {};

        assert_described(describe_problems(&list, &empty), empty, "[]");
        assert_ok(problem_list_add(&list, "/etc/lkmd/lkmd.conf", 3, "it says %s", BAD));
        assert_ok(problem_list_add(&list, "/etc/" BAD, 0, "unreadable"));
        assert_described(describe_problems(&list, &v), v,
                         "[{\"file\":\"/etc/lkmd/lkmd.conf\",\"line\":3,\"message\":\"it says "
                         "\\\\xff\\\\x0a\\\\x80\"},"
                         "{\"file\":\"/etc/\\\\xff\\\\x0a\\\\x80\",\"message\":\"unreadable\"}]");
}

static void test_record_list(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *empty = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *r = NULL;
        RecordList list = {};

        assert_described(describe_records(&list, &empty), empty, "[]");
        assert_ok(request_new(&request, ORIGIN_BOOT, "tun"));
        r = new_record("tun", request);
        assert_ok(record_list_add(&list, r));
        assert_ok(record_list_add(&list, r));
        assert_int_equal(r->n_ref, 3);
        assert_ok(describe_records(&list, &v));
        assert_int_equal(sd_json_variant_elements(v), 2);
        record_list_clear(&list);
        assert_int_equal(r->n_ref, 1);
}

static void test_no_records(void **state) {
        static const char *const texts[] = {
                "null",
                "17",
                "\"x\"",
                "[]",
                "{}",
                "{\"module\":\"m\"}",
                "{\"requester\":{\"origin\":\"boot\",\"key\":\"k\"}}",
                "{\"module\":\"m\",\"requester\":[]}",
                "{\"module\":\"m\",\"requester\":{\"key\":\"k\"}}",
                "{\"module\":\"m\",\"requester\":{\"origin\":\"boot\"}}",
                "{\"module\":\"m\",\"requester\":{\"origin\":\"boot\",\"key\":1}}",
                "{\"module\":\"m\",\"requester\":{\"origin\":17,\"key\":\"k\"}}",
                "{\"module\":\"m\",\"outcome\":\"\",\"requester\":{\"origin\":\"boot\",\"key\":\"k\"}}",
                "{\"module\":\"m\",\"errno\":4294967296,\"requester\":{\"origin\":\"boot\",\"key\":\"k\"}}",
        };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                Record *r = NULL;

                assert_ok(sd_json_parse(texts[i], 0, &v, NULL, NULL));
                assert_int_equal(record_from_json(v, &r), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_listed),
                cmocka_unit_test(test_processes),
                cmocka_unit_test(test_unknown_process),
                cmocka_unit_test(test_broken_processes),
                cmocka_unit_test(test_long_chain),
                cmocka_unit_test(test_whom),
                cmocka_unit_test(test_record_under_way),
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_there_and_back_of_a_device),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_record_list),
                cmocka_unit_test(test_no_records),
        };

        return RUN_TESTS(tests);
}
