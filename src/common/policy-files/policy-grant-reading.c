/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyGrantReading: the keys of grants. An entry with a key that cannot be kept is refused: half of an entry
 * would match more than was granted.
 */

#include "common/policy-files/policy-grant-reading.h"

#include "common/base/clock.h"
#include "common/base/number.h"
#include "common/policy/policy-grants.h"

static int take_whole_number(PolicyReading *r, const YamlNode *value, uint64_t max, uint64_t *ret) {
        const char *p = value->text;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "a number");
        if (number_take(&p, max, ret) < 0 || *p != '\0')
                return policy_complain_about_text(r, value, "expected a number");
        return 0;
}

/* "given": the time, CLOCK_REALTIME in microseconds. */
int policy_read_given(PolicyReading *r, const YamlNode *value, int argument) {
        return take_whole_number(r, value, UINT64_MAX, &r->rule->given_usec);
}

/* "by": the ID of the user who gave it. */
int policy_read_by(PolicyReading *r, const YamlNode *value, int argument) {
        uint64_t uid = 0;
        int e;

        e = take_whole_number(r, value, UINT32_MAX - 1, &uid);
        r->rule->has_giver = true;
        r->rule->giver = (uint32_t) uid;
        return e;
}

/* "uptime": when it ends, CLOCK_BOOTTIME in seconds with six decimal places. */
int policy_read_uptime(PolicyReading *r, const YamlNode *value, int argument) {
        static const char expected[] = "expected seconds since boot, as 1234.567890";
        const char *p = value->text, *point;
        uint64_t seconds, usec;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "seconds since boot");
        if (number_take(&p, UINT64_MAX / USEC_PER_SEC - 1, &seconds) < 0 || *p != '.')
                return policy_complain_about_text(r, value, expected);
        point = p++;
        if (number_take(&p, USEC_PER_SEC - 1, &usec) < 0 || p - point != 7 || *p != '\0')
                return policy_complain_about_text(r, value, expected);
        r->rule->ends_boot_usec = seconds * USEC_PER_SEC + usec;
        return 0;
}

/* "boot": the boot in which the whole file was written. */
int policy_read_boot(PolicyReading *r, const YamlNode *value, int argument) {
        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "the id of a boot");
        if (value->length != BOOT_ID_SIZE - 1 || !policy_is_word(value->text))
                return policy_complain_about_text(r, value, "expected the id of a boot");
        return policy_keep_text(r, value, &r->file->boot_id);
}

/* An entry that lkmd cannot have written may mean more than is read from it. */
int policy_finish_grant(PolicyReading *r, const YamlNode *where) {
        const PolicyPatterns *names = r->rule->match + POLICY_KEY_MODULE;
        const char *problem = r->rule->reason ? policy_grant_check_reason(r->rule->reason)
                                              : "a reason is needed: whoever meets the grant is told";

        if (!r->rule->id)
                problem = "a grant needs an \"id\"";
        else if (names->n_items != 1 || names->items[0].negated)
                problem = "a grant is for one module or one glob, which cannot be negated";
        else if (r->rule->verdict != POLICY_ALLOW && r->rule->verdict != POLICY_DENY)
                problem = "a grant allows or denies";
        return problem ? yaml_reader_complain(r->yaml, where, "%s", problem) : 0;
}
