/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/counters.h"

#include <systemd/sd-varlink-idl.h>

#include "common/base/util.h"
#include "common/interface/interface.h"
#include "daemon/service/counters-json.h"
#include "test.h"

static void test_times(void **state) {
        static const struct {
                uint64_t usec;
                size_t bucket;          /* PHASE_BUCKETS: beyond all of them */
        } cases[] = {
                { 0, 0 },            { 100, 0 },          { 101, 1 },          { 1000, 1 },
                { 1001, 2 },         { 10000, 2 },        { 49999, 3 },        { 100000, 4 },
                { 100001, 5 },       { 1000000, 6 },      { 4999999, 7 },      { 10000000, 8 },
                { 10000001, 9 },     { 60000000, 9 },     { 60000001, 10 },    { UINT64_MAX / 2, 10 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Counters c = {};

                counters_add_time(&c, PHASE_QUEUE, cases[i].usec);
                for (CounterPhase phase = 0; phase < _COUNTER_PHASE_MAX; phase++) {
                        bool here = phase == PHASE_QUEUE;

                        assert_int_equal(c.phases[phase].count, here);
                        assert_int_equal(c.phases[phase].sum_usec, here ? cases[i].usec : 0);
                        for (size_t k = 0; k < PHASE_BUCKETS; k++)
                                assert_int_equal(c.phases[phase].buckets[k], here && k == cases[i].bucket);
                }
        }
}

static void test_buckets_grow(void **state) {
        for (size_t i = 1; i < PHASE_BUCKETS; i++)
                assert_true(phase_bucket_usec(i) > phase_bucket_usec(i - 1));
}

static void test_queue(void **state) {
        static const struct {
                size_t queued;
                uint64_t high_water;
        } cases[] = { { 0, 0 }, { 3, 3 }, { 1, 3 }, { 0, 3 }, { 4, 4 } };
        Counters c = {};

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                counters_note_queue(&c, cases[i].queued);
                assert_int_equal(c.queue_high_water, cases[i].high_water);
        }
}

static void test_outcomes(void **state) {
        static const struct {
                Outcome outcome;
                bool removal;
                uint64_t loads, unloads, failures, kept_out;
        } cases[] = {
                { OUTCOME_LOADED, false, 1, 0, 0 },
                { OUTCOME_COMMAND_RUN, false, 1, 0, 0 },
                { OUTCOME_COMMAND_RUN, true, 0, 1, 0 },
                { OUTCOME_UNLOADED, true, 0, 1, 0 },
                { OUTCOME_FAILED, false, 0, 0, 1 },
                { OUTCOME_KEPT_OUT, false, 0, 0, 0, 1 },
                { OUTCOME_FAILED, true, 0, 0, 1 },
                { OUTCOME_ALREADY_LOADED, false, 0, 0, 0 },
                { OUTCOME_BUILT_IN, false, 0, 0, 0 },
                { OUTCOME_DEPENDENCY_FAILED, false, 0, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Counters c = {};

                counters_note_outcome(&c, &(Record) {
                                                  .outcome = cases[i].outcome,
                                                  .removal = cases[i].removal,
                                                  .duration_usec = 1500,
                                          });
                assert_int_equal(c.loads, cases[i].loads);
                assert_int_equal(c.unloads, cases[i].unloads);
                assert_int_equal(c.failures, cases[i].failures);
                assert_int_equal(c.kept_out, cases[i].kept_out);
                assert_int_equal(c.phases[PHASE_LOAD].count, cases[i].loads);
                assert_int_equal(c.phases[PHASE_LOAD].sum_usec, cases[i].loads * 1500);
                assert_int_equal(c.phases[PHASE_UNLOAD].count, cases[i].unloads);
                assert_int_equal(c.phases[PHASE_UNLOAD].sum_usec, cases[i].unloads * 1500);
        }
}

/* ------------------------------------------------------------------------------------------ description */

static const sd_varlink_symbol *find_symbol(const char *name) {
        for (const sd_varlink_symbol *const *s = vl_interface_io_lkmd_Manager.symbols; *s; s++)
                if (streq_ptr((*s)->name, name))
                        return *s;
        fail_msg("no symbol %s", name);
        return NULL;
}

static size_t count_fields(const sd_varlink_symbol *symbol) {
        size_t n = 0;

        for (const sd_varlink_field *f = symbol->fields; f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER; f++)
                n += f->field_type != _SD_VARLINK_FIELD_COMMENT;
        return n;
}

/* Every field of the structure, by giving each its own value and finding all of them again. */
static void test_every_counter_is_described(void **state) {
        const size_t n = offsetof(Counters, phases) / sizeof(uint64_t);
        const sd_varlink_symbol *symbol = find_symbol("Counters");
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        uint64_t all = 0;
        Counters c = {};

        for (size_t i = 0; i < n; i++)
                ((uint64_t *) &c)[i] = UINT64_C(1) << i;
        assert_ok(describe_counters(&c, &v));
        assert_int_equal(count_fields(symbol), n);
        for (const sd_varlink_field *f = symbol->fields; f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER; f++) {
                sd_json_variant *field;

                if (f->field_type == _SD_VARLINK_FIELD_COMMENT)
                        continue;
                field = sd_json_variant_by_key(v, f->name);
                if (!field)
                        fail_msg("no %s", f->name);
                all |= sd_json_variant_unsigned(field);
        }
        assert_int_equal(all, (UINT64_C(1) << n) - 1);
}

static void assert_number(sd_json_variant *object, const char *name, uint64_t expected) {
        sd_json_variant *v = sd_json_variant_by_key(object, name);

        assert_non_null(v);
        assert_int_equal(sd_json_variant_unsigned(v), expected);
}

static void test_phases_are_described(void **state) {
        static const uint64_t at_most[PHASE_BUCKETS] = { 1, 1, 1, 3, 3, 3, 3, 3, 3, 3 };
        const sd_varlink_symbol *symbol = find_symbol("Phase");
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        sd_json_variant *load, *buckets;
        Counters c = {};

        counters_add_time(&c, PHASE_LOAD, 20000);
        counters_add_time(&c, PHASE_LOAD, 30000);
        counters_add_time(&c, PHASE_LOAD, 7);
        counters_add_time(&c, PHASE_LOAD, 100000000);
        assert_ok(describe_phases(&c, &v));

        assert_int_equal(sd_json_variant_elements(v), _COUNTER_PHASE_MAX);
        assert_int_equal(count_fields(symbol), _COUNTER_PHASE_MAX);
        for (CounterPhase phase = 0; phase < _COUNTER_PHASE_MAX; phase++) {
                const char *name = counter_phase_to_string(phase);
                const sd_varlink_field *f = symbol->fields;

                assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(
                                            sd_json_variant_by_index(v, phase), "phase")),
                                    name);
                while (f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER &&
                       (f->field_type == _SD_VARLINK_FIELD_COMMENT || !streq(f->name, name)))
                        f++;
                assert_int_not_equal(f->field_type, _SD_VARLINK_FIELD_TYPE_END_MARKER);
        }

        load = sd_json_variant_by_index(v, PHASE_LOAD);
        assert_number(load, "count", 4);
        assert_number(load, "sumUSec", 100050007);
        buckets = sd_json_variant_by_key(load, "buckets");
        assert_int_equal(sd_json_variant_elements(buckets), PHASE_BUCKETS);
        for (size_t i = 0; i < PHASE_BUCKETS; i++) {
                assert_number(sd_json_variant_by_index(buckets, i), "leUSec", phase_bucket_usec(i));
                assert_number(sd_json_variant_by_index(buckets, i), "count", at_most[i]);
        }
        assert_number(sd_json_variant_by_index(v, PHASE_UNLOAD), "count", 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_buckets_grow),
                cmocka_unit_test(test_queue),
                cmocka_unit_test(test_outcomes),
                cmocka_unit_test(test_every_counter_is_described),
                cmocka_unit_test(test_phases_are_described),
        };

        return RUN_TESTS(tests);
}
