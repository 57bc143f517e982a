/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/audit.h"

#include <systemd/sd-varlink-idl.h>

#include "common/base/limits.h"
#include "common/interface/interface.h"
#include "scratch.h"
#include "test.h"

#define RULE { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 5 }

static const PlanRuling rule = RULE;

static Request *new_device(const char *key, const char *device) {
        Request *r;

        assert_ok(request_new_device(&r, key, device, NULL, NULL));
        return r;
}

static void note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling, const char *key) {
        _cleanup_(request_unrefp) Request *request = new_device(key, "/devices/a");

        audit_note(a, kind, module, ruling, request);
}

/* "MODULE/KEY*COUNT " of all, in the order in which they are shown. */
static char *shown(Audit *a) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_ok(audit_describe(a, &array));
        for (size_t i = 0; i < sd_json_variant_elements(array); i++) {
                sd_json_variant *v = sd_json_variant_by_index(array, i);

                fprintf(f, "%s%s/%s*%u", i > 0 ? " " : "", sd_json_variant_string(sd_json_variant_by_key(v, "module")),
                        sd_json_variant_string(sd_json_variant_by_key(v, "key")),
                        (unsigned) sd_json_variant_unsigned(sd_json_variant_by_key(v, "count")));
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static void assert_shown(Audit *a, const char *expected) {
        _cleanup_(freep) char *text = shown(a);

        assert_string_equal(text, expected);
}

static void test_the_same_is_counted(void **state) {
        static const PlanRuling others[] = {
                { .source = POLICY_BY_LIST, .file = (char *) "/p.yaml", .line = 3, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/q.yaml", .line = 3, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 4, .column = 5 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 6 },
                { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 3, .column = 5, .rule = (char *) "r" },
                { .source = POLICY_BY_DEFAULT },
        };
        _cleanup_(request_unrefp) Request *client = NULL, *another = NULL, *device = NULL;
        _cleanup_(audit_freep) Audit *a = NULL;
        size_t n = 1;

        assert_ok(audit_new(&a, NULL));
        for (unsigned i = 0; i < 3; i++)
                note(a, AUDIT_REFUSED, "m", &rule, "k");
        assert_shown(a, "m/k*3");

        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
                note(a, AUDIT_REFUSED, "m", others + i, "k");
                assert_int_equal(audit_count(a), ++n);
        }
        note(a, AUDIT_WOULD_REFUSE, "m", &rule, "k");
        note(a, AUDIT_REPORTED, "m", &rule, "k");
        note(a, AUDIT_REFUSED, "m2", &rule, "k");
        note(a, AUDIT_REFUSED, "m", &rule, "k2");
        assert_int_equal(audit_count(a), n += 4);

        assert_ok(request_new_client(&client, "k", 0, 1, NULL));
        assert_ok(request_new_client(&another, "k", 1, 1, NULL));
        device = new_device("k", "/devices/b");
        audit_note(a, AUDIT_REFUSED, "m", &rule, client);
        audit_note(a, AUDIT_REFUSED, "m", &rule, another);
        audit_note(a, AUDIT_REFUSED, "m", &rule, device);
        assert_int_equal(audit_count(a), n + 3);
}

static void test_order(void **state) {
        static const PlanRuling later = { .source = POLICY_BY_RULE, .file = (char *) "/p.yaml", .line = 10 };
        static const PlanRuling first = { .source = POLICY_BY_RULE, .file = (char *) "/a.yaml", .line = 99 };
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_REFUSED, "z", &later, "k");
        note(a, AUDIT_REFUSED, "b", &rule, "k");
        note(a, AUDIT_REFUSED, "a", &rule, "k");
        note(a, AUDIT_REFUSED, "x", &first, "k");
        note(a, AUDIT_REFUSED, "d", &(PlanRuling) { .source = POLICY_BY_DEFAULT }, "k");
        assert_shown(a, "d/k*1 x/k*1 a/k*1 b/k*1 z/k*1");
}

/* What comes out is what the interface's description says of it. */
static void test_type(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL, *expected = NULL, *v = NULL;
        _cleanup_(audit_freep) Audit *a = NULL;
        const PlanRuling ruling = {
                .source = POLICY_BY_RULE, .file = (char *) "/\xff", .line = 3, .column = 5,
                .rule = (char *) "r", .reason = (char *) "why",
        };

        assert_ok(audit_new(&a, NULL));
        note(a, AUDIT_WOULD_REFUSE, "m", &ruling, "k\n");
        assert_ok(audit_describe(a, &array));
        v = sd_json_variant_ref(sd_json_variant_by_index(array, 0));
        assert_true(sd_json_variant_unsigned(sd_json_variant_by_key(v, "firstUSec")) > 0);
        assert_ok(sd_json_variant_set_field_unsigned(&v, "firstUSec", 1));
        assert_ok(sd_json_variant_set_field_unsigned(&v, "lastUSec", 1));
        assert_ok(sd_json_parse("{\"kind\":\"would_refuse\",\"module\":\"m\",\"source\":\"rule\",\"file\":\"/\\\\xff\","
                                "\"line\":3,\"column\":5,\"rule\":\"r\",\"reason\":\"why\",\"origin\":\"device\","
                                "\"key\":\"k\\\\x0a\",\"device\":\"/devices/a\",\"count\":1,\"firstUSec\":1,"
                                "\"lastUSec\":1}", 0, &expected, NULL, NULL));
        assert_true(sd_json_variant_equal(v, expected));
}

static void test_full(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;
        char key[16];

        assert_ok(audit_new(&a, NULL));
        for (unsigned i = 0; i < AUDIT_ENTRIES_MAX + 5; i++) {
                snprintf(key, sizeof(key), "k%u", i);
                note(a, AUDIT_REFUSED, "m", &rule, key);
                note(a, AUDIT_REFUSED, "m", &rule, "often");     /* never silent for longest */
        }
        assert_int_equal(audit_count(a), AUDIT_ENTRIES_MAX);
        assert_int_equal(audit_count_dropped(a), 6);
        note(a, AUDIT_REFUSED, "m", &rule, "often");
        assert_int_equal(audit_count_dropped(a), 6);
}

static void test_over_a_restart(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;
        const PlanRuling ruling = {
                .source = POLICY_BY_GRANT, .file = (char *) "/g", .line = 1, .rule = (char *) "grant-1"
        };
        const char *path;

        scratch_open(&s);
        path = scratch_path(&s, "audit");
        assert_ok(audit_new(&a, path));
        for (unsigned i = 0; i < 7; i++)
                note(a, AUDIT_REFUSED, "m", &ruling, "k");
        note(a, AUDIT_REPORTED, "n", &(PlanRuling) { .source = _POLICY_SOURCE_INVALID }, "\xff");
        a = audit_free(a);
        assert_ok(audit_new(&a, path));
        assert_shown(a, "n/\\xff*1 m/k*7");
        note(a, AUDIT_REFUSED, "m", &ruling, "k");       /* it is known again */
        assert_shown(a, "n/\\xff*1 m/k*8");
}

/* What was written is there without a proper end, too, and what is none of ours harms nobody. */
static void test_file_of_a_crash(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(audit_freep) Audit *a = NULL;

        scratch_open(&s);
        scratch_write(&s, "audit",
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":4}\n"
                      "{\"kind\":\"refused\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":0}\n"
                      "{\"kind\":\"no\",\"module\":\"m\",\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "{\"kind\":\"refused\",\"module\":7,\"origin\":\"device\",\"key\":\"k\",\"count\":1}\n"
                      "[]\n1\n\n{\"kind\":\"refused\",\"mod");
        assert_ok(audit_new(&a, scratch_path(&s, "audit")));
        assert_shown(a, "m/k*4");
}

static void test_no_place_for_the_file(void **state) {
        _cleanup_(audit_freep) Audit *a = NULL;

        assert_ok(audit_new(&a, "/nonexistent/audit"));
        note(a, AUDIT_REFUSED, "m", &rule, "k");
        assert_shown(a, "m/k*1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_same_is_counted),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_type),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_over_a_restart),
                cmocka_unit_test(test_file_of_a_crash),
                cmocka_unit_test(test_no_place_for_the_file),
        };

        return RUN_TESTS(tests);
}
