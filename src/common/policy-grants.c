/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The keys of grants, and which grants still hold. Nothing is read that is not kept: whoever keeps half of an entry
 * makes it wider than it was given.
 */

#include "common/policy-grants.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>

#include "common/names.h"
#include "common/policy-reading.h"
#include "common/text.h"

#define USEC_PER_SEC 1000000ULL

/* ------------------------------------------------------------------------------------------------- keys */

/* Decimal digits up to @max, and nothing else before @end. */
static bool take_number(const char **p, uint64_t max, uint64_t *ret) {
        uint64_t n = 0;

        if (!isdigit((unsigned char) **p))
                return false;
        for (; isdigit((unsigned char) **p); ++*p) {
                uint64_t digit = (uint64_t) (**p - '0');

                if (n > (max - digit) / 10)
                        return false;
                n = n * 10 + digit;
        }
        *ret = n;
        return true;
}

static int take_whole_number(PolicyReading *r, const YamlNode *value, uint64_t max, uint64_t *ret) {
        const char *p = value->text;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "a number");
        if (!take_number(&p, max, ret) || *p != '\0')
                return policy_complain_about_text(r, value, "expected a number");
        return 0;
}

/* "given": when, CLOCK_REALTIME in microseconds. */
int policy_read_given(PolicyReading *r, const YamlNode *value, int argument) {
        return take_whole_number(r, value, UINT64_MAX, &r->rule->given_usec);
}

/* "by": the user who gave it. */
int policy_read_by(PolicyReading *r, const YamlNode *value, int argument) {
        uint64_t uid = 0;
        int e;

        e = take_whole_number(r, value, UINT32_MAX - 1, &uid);
        r->rule->has_giver = true;
        r->rule->giver = (uint32_t) uid;
        return e;
}

/* "uptime": at which it ends, in seconds with microseconds behind a point. */
int policy_read_uptime(PolicyReading *r, const YamlNode *value, int argument) {
        static const char expected[] = "expected seconds since boot, as 1234.567890";
        const char *p = value->text, *point;
        uint64_t seconds, usec;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "seconds since boot");
        if (!take_number(&p, UINT64_MAX / USEC_PER_SEC - 1, &seconds) || *p != '.')
                return policy_complain_about_text(r, value, expected);
        point = p++;
        if (!take_number(&p, USEC_PER_SEC - 1, &usec) || p - point != 7 || *p != '\0')
                return policy_complain_about_text(r, value, expected);
        r->rule->ends_boot_usec = seconds * USEC_PER_SEC + usec;
        return 0;
}

/* "boot": in which all of the file was written. */
int policy_read_boot(PolicyReading *r, const YamlNode *value, int argument) {
        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "the id of a boot");
        if (value->length != BOOT_ID_SIZE - 1 || !policy_is_word(value->text))
                return policy_complain_about_text(r, value, "expected the id of a boot");
        return policy_keep_text(r, value, &r->file->boot_id);
}

const char *policy_grant_check_reason(const char *reason) {
        assert(reason);

        if (reason[strspn(reason, " \t")] == '\0')
                return "a reason is needed: whoever meets the grant is told";
        if (strlen(reason) > GRANT_REASON_MAX)
                return "it is too long";
        for (const char *p = reason; *p; p += text_printable_length(p))
                if (text_printable_length(p) == 0)
                        return "it has to be one line of text that can be read";
        return NULL;
}

/* An entry that is no grant as lkmd gives them was written by somebody else, and may mean more than is kept of it. */
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

/* ----------------------------------------------------------------------------------------------- moment */

/* What may be said against a grant that allows something; one that denies is good until its time is over. */
static const char *find_doubt(const PolicyFile *f, const PolicyRule *rule, const BootMoment *now) {
        if (rule->verdict == POLICY_DENY)
                return NULL;
        if (*now->id == '\0')
                return "the id of this boot cannot be read";
        if (!f->boot_id)
                return "the file does not say in which boot it was given";
        if (!streq(f->boot_id, now->id))
                return "it was given in another boot";
        if (rule->expires_usec != UINT64_MAX && rule->ends_boot_usec == UINT64_MAX)
                return "it has a time and no \"uptime\", which nobody can set back";
        return NULL;
}

/**
 * policy_grants_settle() - leave only the grants that hold still
 * @f: of the kind POLICY_FILE_GRANTS
 *
 * A grant for a time ends by the wall clock, which the judge looks at, or by the clock of the boot, whichever says so
 * first: else setting the clock back would give it more time. An allowance whose time cannot be told is over.
 *
 * Return: 0; -ENOMEM.
 */
int policy_grants_settle(PolicyFile *f, const BootMoment *now, ProblemList *problems) {
        bool is_of_this_boot;
        size_t kept = 0;

        assert(f && f->kind == POLICY_FILE_GRANTS && now);

        is_of_this_boot = f->boot_id && *now->id && streq(f->boot_id, now->id);
        for (size_t i = 0; i < f->n_rules; i++) {
                const PolicyRule *rule = f->rules + i;
                const char *doubt = find_doubt(f, rule, now);
                int r;

                if (doubt) {
                        r = problem_list_add_at(problems, f->path, rule->line, rule->column,
                                                "%s does not hold: %s; give it again", rule->id, doubt);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (is_of_this_boot && rule->ends_boot_usec <= now->usec)
                        continue;
                f->rules[kept++] = *rule;
        }
        f->n_rules = kept;
        return 0;
}
