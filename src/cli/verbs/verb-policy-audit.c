/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy audit: what lkmd refused, would have refused in enforce mode, or had to report; by rule or by who asked. */

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/usage/usage.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"

static bool field_is_same(sd_json_variant *a, sd_json_variant *b, const char *key) {
        return streq_ptr(field_string(a, key), field_string(b, key));
}

/* Was it the same rule or line that decided? */
static bool is_same_rule(sd_json_variant *a, sd_json_variant *b) {
        return field_is_same(a, b, "source") && field_is_same(a, b, "file") && field_is_same(a, b, "rule") &&
               field_number(a, "line") == field_number(b, "line") &&
               field_number(a, "column") == field_number(b, "column");
}

static sd_json_variant *nth(sd_json_variant *entries, size_t i) {
        return sd_json_variant_by_index(entries, i);
}

/* Was it asked by the same: by a device, or by processes that are not told apart? */
static bool is_same_requester(sd_json_variant *a, sd_json_variant *b) {
        uint64_t uid_a, uid_b;
        bool has_a = field_unsigned(a, "uid", &uid_a), has_b = field_unsigned(b, "uid", &uid_b);

        return field_is_same(a, b, "origin") && has_a == has_b && (!has_a || uid_a == uid_b) &&
               field_is_same(a, b, "command") && field_is_same(a, b, "executable") &&
               field_is_same(a, b, "unit") && field_is_same(a, b, "container");
}

/* What entries have in common that are shown together. */
typedef bool (*is_same_t)(sd_json_variant *a, sd_json_variant *b);

static bool is_first(sd_json_variant *entries, size_t i, is_same_t is_same) {
        for (size_t k = 0; k < i; k++)
                if (is_same(nth(entries, k), nth(entries, i)))
                        return false;
        return true;
}

/* "rule no-usb, /etc/lkmd/policy.d/10-usb.yaml:4:5: no sticks"; @tone: of the name */
static void print_rule(const Output *out, sd_json_variant *entry, Tone tone) {
        const char *rule = field_string(entry, "rule");

        printf("%s", output_tone(out, stdout, tone));
        print_escaped(stdout, field_string(entry, "source") ?: "rule");
        if (rule) {
                putchar(' ');
                print_escaped(stdout, rule);
        }
        printf("%s", output_tone(out, stdout, TONE_PLAIN));
        if (field_string(entry, "file")) {
                printf(", ");
                print_place(stdout, entry);
        }
        if (field_string(entry, "reason")) {
                printf(": ");
                print_escaped(stdout, field_string(entry, "reason"));
        }
        if (field_bool(entry, "gone"))
                printf("%s (no longer in the policy)%s", output_tone(out, stdout, TONE_DIM),
                       output_tone(out, stdout, TONE_PLAIN));
}

static void print_rule_title(const Output *out, sd_json_variant *entry) {
        print_rule(out, entry, TONE_STRONG);
}

/* "python3 (uid 65534, a.service, /usr/bin/python3.13), by the kernel" */
static void print_requester_title(const Output *out, sd_json_variant *entry) {
        printf("%s", output_tone(out, stdout, TONE_STRONG));
        print_requester_kind(stdout, entry);
        printf("%s", output_tone(out, stdout, TONE_PLAIN));
}

static const char *kind_words(sd_json_variant *entry, Tone *ret_tone) {
        const char *kind = field_string(entry, "kind") ?: "?";

        *ret_tone = TONE_PLAIN;
        if (streq(kind, "refused")) {
                *ret_tone = TONE_BAD;
                return "refused";
        }
        if (streq(kind, "would_refuse")) {
                *ret_tone = TONE_WARN;
                return "would refuse";
        }
        return streq(kind, "reported") ? "allowed" : "?";
}

/* "  would refuse  x25  3 times in 2 boots, 2 min 5 s ago" */
static void print_count(const Output *out, sd_json_variant *entry, uint64_t now) {
        uint64_t count = field_number(entry, "count"), n_boots = field_number(entry, "boots"), first, last;
        Tone tone;
        const char *words = kind_words(entry, &tone);

        printf("  %s%-12s%s  ", output_tone(out, stdout, tone), words, output_tone(out, stdout, TONE_PLAIN));
        print_escaped(stdout, field_string(entry, "module"));
        if (count == 1)
                printf("  once");
        else if (count > 1)
                printf("  %" PRIu64 " times", count);
        if (n_boots > 1)
                printf(" in %" PRIu64 " boots", n_boots);
        if (field_unsigned(entry, "lastUSec", &last)) {
                printf(", ");
                print_age(stdout, now - MIN(last, now));
                if (count > 1 && field_unsigned(entry, "firstUSec", &first)) {
                        printf(", first ");
                        print_age(stdout, now - MIN(first, now));
                }
        }
}

/* .. ", asked for by the kernel on behalf of python3 (uid 65534), as net-pf-9" */
static void print_requester_of_entry(const Output *out, sd_json_variant *entry) {
        if (!field_string(entry, "origin"))
                return;
        printf(", ");
        print_requester(stdout, entry);
}

/* .. ", as net-pf-9, by rule no-old, /etc/lkmd/policy.d/10-old.yaml:9:5: old" */
static void print_rule_of_entry(const Output *out, sd_json_variant *entry) {
        const char *device = field_string(entry, "device"), *key = field_string(entry, "key");

        if (device) {
                printf(", for device ");
                print_escaped(stdout, device);
        } else if (key) {
                printf(", as ");
                print_escaped(stdout, key);
        }
        printf(", by ");
        print_rule(out, entry, TONE_PLAIN);
}

/* "Since 2026-11-21 09:14:02, over 4 boots:", and what that lacks. */
static void print_extent(const Run *run, sd_json_variant *reply) {
        uint64_t since, n_boots = field_number(reply, "boots");

        if (run->since_usec == SINCE_BOOT) {
                printf("In this boot:\n\n");
                return;
        }
        if (!field_unsigned(reply, "sinceUSec", &since))
                return;                 /* an older lkmd, which knows this boot only */
        printf("Since ");
        print_date(stdout, MAX(since, run->since_usec));
        if (run->since_usec <= since)
                printf(", over %" PRIu64 " boot%s", n_boots, n_boots == 1 ? "" : "s");
        printf(":\n");
        if (!field_bool(reply, "earlier"))
                printf("What was kept of earlier boots has not been read. Try: systemctl status lkmd-audit.service\n");
        putchar('\n');
}

/* How entries are put together: what is said of all of them, and what of each. */
typedef struct Grouping {
        is_same_t is_same;
        void (*print_title)(const Output *out, sd_json_variant *entry);
        void (*print_rest)(const Output *out, sd_json_variant *entry);
} Grouping;

static void print_entries(const Output *out, const Grouping *g, sd_json_variant *entries,
                          bool *ret_any_would) {
        uint64_t now = clock_usec(CLOCK_REALTIME);
        bool any = false;

        ARRAY_FOREACH_INDEX(entries, i) {
                if (!is_first(entries, i, g->is_same))
                        continue;
                if (any)
                        putchar('\n');
                any = true;
                g->print_title(out, nth(entries, i));
                putchar('\n');
                ARRAY_FOREACH_INDEX(entries, k) {
                        if (k < i || !g->is_same(nth(entries, i), nth(entries, k)))
                                continue;
                        print_count(out, nth(entries, k), now);
                        g->print_rest(out, nth(entries, k));
                        putchar('\n');
                        *ret_any_would |= !field_bool(nth(entries, k), "gone") &&
                                          streq_ptr(field_string(nth(entries, k), "kind"), "would_refuse");
                }
        }
}

static void print_text(const Run *run, sd_json_variant *reply, sd_json_variant *entries) {
        static const Grouping by_rule = { is_same_rule, print_rule_title, print_requester_of_entry },
                              by_requester = { is_same_requester, print_requester_title,
                                               print_rule_of_entry };
        uint64_t dropped = field_number(reply, "dropped");
        bool any_would = false;

        print_extent(run, reply);
        print_entries(&run->out, run->by == GROUP_BY_REQUESTER ? &by_requester : &by_rule, entries,
                      &any_would);
        if (dropped > 0)
                printf("\nAnd %" PRIu64 " more, older ones, which were dropped.\n", dropped);
        if (sd_json_variant_elements(entries) == 0 && dropped == 0)
                printf("Nothing was refused, and nothing would have been.\n");
        else if (any_would)
                printf("\nWhat would be refused is in audit mode, by its file or by Mode=audit in\n"
                       "lkmd.conf: \"mode: enforce\" and Mode=enforce have it refused. lkmctl explain\n"
                       "MODULE says why a module is denied.\n");
}

/* Behind the entries: how far back they go, and what they lack. An older lkmd knows this boot only, and says less. */
static int extent_to_json(sd_json_variant *reply, sd_json_variant **ret) {
        static const char *const fields[] = { "sinceUSec", "boots", "earlier", "dropped" };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = sd_json_variant_set_field_string(&v, "kind", "extent");
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(fields); i++) {
                sd_json_variant *field = sd_json_variant_by_key(reply, fields[i]);

                if (field)
                        r = sd_json_variant_set_field(&v, fields[i], field);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

/* {"kind": "requester", what the entries have in common, "count", "entries"} */
static int requester_to_json(sd_json_variant *entries, size_t first, sd_json_variant **ret) {
        static const char *const fields[] = {
                "origin", "uid", "unit", "container", "command", "executable"
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *array = NULL;
        uint64_t count = 0;
        int r;

        r = sd_json_variant_set_field_string(&v, "kind", "requester");
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(fields); i++) {
                sd_json_variant *field = sd_json_variant_by_key(nth(entries, first), fields[i]);

                if (field)
                        r = sd_json_variant_set_field(&v, fields[i], field);
        }
        for (size_t i = first; r >= 0 && i < sd_json_variant_elements(entries); i++) {
                if (!is_same_requester(nth(entries, first), nth(entries, i)))
                        continue;
                count += field_number(nth(entries, i), "count");
                r = sd_json_variant_append_array(&array, nth(entries, i));
        }
        if (r >= 0)
                r = sd_json_variant_set_field_unsigned(&v, "count", count);
        if (r >= 0)
                r = sd_json_variant_set_field(&v, "entries", array);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

static int print_json(Run *run, sd_json_variant *reply, sd_json_variant *entries) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *extent = NULL;
        int r;

        r = extent_to_json(reply, &extent);
        if (r < 0)
                return r;
        output_list_begin(&run->out);
        ARRAY_FOREACH_INDEX(entries, i) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *group = NULL;

                if (run->by == GROUP_BY_REQUESTER && !is_first(entries, i, is_same_requester))
                        continue;
                r = run->by == GROUP_BY_REQUESTER ? requester_to_json(entries, i, &group) : 0;
                if (r >= 0)
                        r = output_json(&run->out, group ?: nth(entries, i));
                if (r < 0)
                        return r;
        }
        r = output_json(&run->out, extent);
        return r < 0 ? r : output_list_end(&run->out);
}

/* The entries that --since=TIME is about. */
static int select_entries(const Run *run, sd_json_variant *entries, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *selected = NULL;
        int r;

        r = sd_json_variant_new_array(&selected, NULL, 0);
        if (r < 0)
                return r;
        ARRAY_FOREACH_INDEX(entries, i) {
                if (run->since_usec != SINCE_BOOT &&
                    field_number(nth(entries, i), "lastUSec") < run->since_usec)
                        continue;
                r = sd_json_variant_append_array(&selected, nth(entries, i));
                if (r < 0)
                        return r;
        }
        *ret = STEAL_PTR(selected);
        return 0;
}

static int clear(Run *run) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        if (run->since_usec > 0)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl policy audit --clear",
                                         "--clear forgets all of it, so --since does not go with it");
        r = client_call(run->client, "ClearAudit", NULL, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);
        if (output_wants_text(&run->out))
                printf("The audit is empty; what happens from now on is counted.\n");
        return STATUS_DONE;
}

int verb_policy_audit(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL, *entries = NULL;
        int r;

        if (run->by == GROUP_BY_MODULE || run->by == GROUP_BY_DEVICE)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help policy audit",
                                         "'policy audit' has its entries by 'rule' or by 'requester'");
        if (run->clear)
                return clear(run);
        if (run->since_usec == SINCE_BOOT) {
                r = sd_json_variant_set_field_boolean(&parameters, "thisBoot", true);
                if (r < 0)
                        return r;
        }
        r = client_call(run->client, "Audit", parameters, &hooks, &reply);
        if (r != 0)
                return r;
        r = select_entries(run, field_array(reply, "entries"), &entries);
        if (r < 0)
                return r;
        if (run->out.json != JSON_OFF)
                return print_json(run, reply, entries);
        if (output_wants_text(&run->out))
                print_text(run, reply, entries);
        return STATUS_DONE;
}
