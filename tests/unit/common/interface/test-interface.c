/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the varlink interface lists is what the objects know: each enum by its names, each key of match: by a field. */

#include "common/interface/interface.h"

#include "common/base/origin.h"
#include "common/plan/plan.h"
#include "common/policy/policy-rule.h"
#include "test.h"

static const sd_varlink_symbol *find_symbol(const char *name) {
        for (const sd_varlink_symbol *const *s = vl_interface_io_lkmd_Manager.symbols; *s; s++)
                if (streq_ptr((*s)->name, name))
                        return *s;
        fail_msg("no symbol %s", name);
        return NULL;
}

static bool has_field(const sd_varlink_symbol *symbol, const char *name) {
        for (const sd_varlink_field *f = symbol->fields; f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER;
             f++)
                if (f->field_type != _SD_VARLINK_FIELD_COMMENT && streq_ptr(f->name, name))
                        return true;
        return false;
}

static size_t count_fields(const sd_varlink_symbol *symbol) {
        size_t n = 0;

        for (const sd_varlink_field *f = symbol->fields; f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER;
             f++)
                n += f->field_type != _SD_VARLINK_FIELD_COMMENT;
        return n;
}

static const char *omission_kind_to_string(int value) {
        return plan_omission_kind_to_string((PlanOmissionKind) value);
}

static const char *origin_to_string(int value) {
        return request_origin_to_string((RequestOrigin) value);
}

static const char *policy_mode_name(int value) {
        return policy_mode_to_string((PolicyMode) value);
}

static const char *policy_source_name(int value) {
        return policy_source_to_string((PolicySource) value);
}

static const char *reason_to_string(int value) {
        return plan_reason_to_string((PlanReason) value);
}

static void test_enums(void **state) {
        static const struct {
                const char *type;
                int n_values;
                const char *(*to_string)(int value);
        } cases[] = {
                { "OmissionKind", _PLAN_OMISSION_KIND_MAX, omission_kind_to_string },
                { "Origin",       _ORIGIN_MAX,             origin_to_string        },
                { "PolicyMode",   _POLICY_MODE_MAX,        policy_mode_name        },
                { "PolicySource", _POLICY_SOURCE_MAX,      policy_source_name      },
                { "Reason",       _PLAN_REASON_MAX,        reason_to_string        },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const sd_varlink_symbol *symbol = find_symbol(cases[i].type);

                assert_int_equal(count_fields(symbol), cases[i].n_values);
                for (int value = 0; value < cases[i].n_values; value++)
                        if (!has_field(symbol, cases[i].to_string(value)))
                                fail_msg("%s has no %s", cases[i].type, cases[i].to_string(value));
        }
}

/* What a rule goes by, apart from the module, the record of a request tells. */
static void test_keys(void **state) {
        const sd_varlink_symbol *requester = find_symbol("Requester");

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++) {
                const char *field = policy_keys[key].value == POLICY_VALUE_ALIAS ? "key"
                                                                                 : policy_key_to_string(key);

                if (policy_keys[key].owner != POLICY_KEY_OF_MODULE && !has_field(requester, field))
                        fail_msg("Requester has no %s", field);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_enums),
                cmocka_unit_test(test_keys),
        };

        return RUN_TESTS(tests);
}
