/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StatusPolicy: the policy in status, as one line among the facts and as sections about what needs attention. */

#include "cli/verbs/status-policy.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/clock.h"

#define SHOWN_MAX 10U

/* Return: whether the list ends here. */
static bool print_rest(const Output *out, size_t i, size_t n) {
        if (i < SHOWN_MAX)
                return false;
        printf("  and %zu more: ", n - i);
        output_command(out, stdout);
        printf("status --json\n");
        return true;
}

bool status_policy_is_worrying(sd_json_variant *status) {
        sd_json_variant *policy = field_object(status, "policy");

        return field_bool(policy, "broken") || field_elements(policy, "loadedButDenied") > 0;
}

/* "     Refused: 3 so far, 2 more would be: lkmctl policy audit"; nothing if it has nothing to tell of */
static void print_counts(const Output *out, sd_json_variant *counters) {
        uint64_t denied = field_number(counters, "denied"), would = field_number(counters, "wouldDeny");

        putchar('\n');
        if (denied == 0 && would == 0)
                return;
        output_label(out, "Refused");
        if (denied > 0)
                printf("%s%" PRIu64 " so far%s", output_tone(out, stdout, TONE_WARN), denied,
                       output_tone(out, stdout, TONE_PLAIN));
        if (would > 0)
                printf("%s%" PRIu64 "%s would be in mode enforce", denied > 0 ? ", " : "", would,
                       denied > 0 ? " more" : "");
        printf(": ");
        output_command(out, stdout);
        printf("policy audit\n");
}

/* What is in force while a file is broken, and what is missing. */
static void print_standing(const Output *out, sd_json_variant *policy) {
        const char *standing = field_string(policy, "standing");

        if (!field_bool(policy, "broken"))
                return;
        printf("%sa file is broken%s, ", output_tone(out, stdout, TONE_BAD), output_tone(out, stdout, TONE_PLAIN));
        if (field_bool(policy, "lacksDefault"))
                printf("only what can be read of it is in force, and %snothing is denied by default%s, though it may say so; ",
                       output_tone(out, stdout, TONE_BAD), output_tone(out, stdout, TONE_PLAIN));
        else if (streq_ptr(standing, "partial"))
                printf("only what can be read of it is in force; ");
        else if (streq_ptr(standing, "last_good"))
                printf("what it was when lkmd could last read it is in force; ");
        else
                printf("what was in force before still is; ");
}

/* "      Policy: enforce, 12 rules in 2 files, everything else is denied" */
void status_print_policy(const Output *out, sd_json_variant *status) {
        sd_json_variant *policy = field_object(status, "policy");
        uint64_t rules = field_number(policy, "rules");
        size_t files = field_elements(policy, "files");

        assert(out);

        if (!policy)
                return;
        output_label(out, "Policy");
        print_standing(out, policy);
        if (rules == 0 && !streq_ptr(field_string(policy, "defaultVerdict"), "deny")) {
                printf("none, everything is allowed");
                print_counts(out, field_object(status, "counters"));
                return;
        }
        print_escaped(stdout, field_string(policy, "mode"));
        printf(", %" PRIu64 " rule%s", rules, rules == 1 ? "" : "s");
        if (files > 0)
                printf(" in %zu file%s", files, files == 1 ? "" : "s");
        printf(", everything else is %s",
               streq_ptr(field_string(policy, "defaultVerdict"), "deny") ? "denied" : "allowed");
        print_counts(out, field_object(status, "counters"));
}

static void print_grants(const Output *out, sd_json_variant *grants) {
        uint64_t now = clock_usec(CLOCK_REALTIME), expires;

        if (!grants || sd_json_variant_elements(grants) == 0)
                return;
        output_title(out, "Allowed or denied for a time");
        ARRAY_FOREACH_INDEX(grants, i) {
                sd_json_variant *grant = sd_json_variant_by_index(grants, i);

                if (print_rest(out, i, sd_json_variant_elements(grants)))
                        return;
                printf("  ");
                print_escaped(stdout, field_string(grant, "module"));
                printf("  %s, ", streq_ptr(field_string(grant, "verdict"), "deny") ? "denied" : "allowed");
                if (field_bool(grant, "once"))
                        printf("once");
                else if (field_unsigned(grant, "expiresUSec", &expires)) {
                        print_duration(stdout, expires - MIN(expires, now));
                        printf(" left");
                } else
                        printf("until reboot");
                if (field_string(grant, "reason")) {
                        printf(": ");
                        print_escaped(stdout, field_string(grant, "reason"));
                }
                putchar('\n');
                output_hint(out, 6, "take it back");
                output_command(out, stdout);
                printf("policy revoke ");
                print_escaped(stdout, field_string(grant, "id"));
                putchar('\n');
        }
}

static void print_denied(const Output *out, sd_json_variant *denied) {
        if (!denied || sd_json_variant_elements(denied) == 0)
                return;
        output_title(out, "Loaded but denied");
        ARRAY_FOREACH_INDEX(denied, i) {
                sd_json_variant *module = sd_json_variant_by_index(denied, i);

                if (print_rest(out, i, sd_json_variant_elements(denied)))
                        return;
                printf("  %s", output_tone(out, stdout, TONE_WARN));
                print_escaped(stdout, field_string(module, "module"));
                printf("%s  by ", output_tone(out, stdout, TONE_PLAIN));
                if (field_string(module, "file"))
                        print_place(stdout, module);
                else
                        print_escaped(stdout, field_string(module, "source") ?: "the policy");
                if (field_string(module, "reason")) {
                        printf(": ");
                        print_escaped(stdout, field_string(module, "reason"));
                }
                putchar('\n');
        }
        output_hint(out, 6, "remove them");
        output_command(out, stdout);
        printf("unload MODULE\n");
}

static void print_problems(const Output *out, sd_json_variant *problems) {
        if (!problems || sd_json_variant_elements(problems) == 0)
                return;
        output_title(out, "Broken policy");
        ARRAY_FOREACH_INDEX(problems, i) {
                if (print_rest(out, i, sd_json_variant_elements(problems)))
                        return;
                printf("  ");
                print_problem(stdout, sd_json_variant_by_index(problems, i));
                putchar('\n');
        }
        output_hint(out, 6, "correct it, lkmd reads it again by itself; to look for mistakes");
        printf("lkmctl policy check\n");
}

void status_print_policy_details(const Output *out, sd_json_variant *status) {
        sd_json_variant *policy = field_object(status, "policy");

        assert(out);

        if (!policy)
                return;
        print_problems(out, field_array(policy, "problems"));
        print_denied(out, field_array(policy, "loadedButDenied"));
        print_grants(out, field_array(policy, "grants"));
}
