/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StatusVerdict: a table of what can be wrong, the worst first. The first row that holds is the verdict: it has the
 * line with which status begins, and mostly the command with which it ends. Owns nothing.
 */

#include "cli/verbs/status-verdict.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/verbs/status-policy.h"
#include "common/base/clock.h"

#define NAMES_SHOWN 3U

typedef struct Verdict {
        Tone tone;
        bool (*holds)(sd_json_variant *status);
        void (*say)(sd_json_variant *status);   /* without the full stop */
        void (*next)(const Output *out, sd_json_variant *status); /* NULL: nothing is to be done */
} Verdict;

static void say_field(sd_json_variant *status, const char *field) {
        print_escaped(stdout, field_string(status, field));
}

static bool in_charge_is(sd_json_variant *status, const char *who) {
        return streq_ptr(field_string(status, "inCharge"), who);
}

/* ---------------------------------------------------------------------------------------------------- the index */

static bool index_is_missing(sd_json_variant *status) {
        return !field_bool(status, "indexComplete");
}

static void say_index(sd_json_variant *status) {
        printf("No module can be loaded: the index of ");
        say_field(status, "kernelRelease");
        printf(" is missing");
}

static void next_index(const Output *out, sd_json_variant *status) {
        if (field_string(status, "steppedBackRemedy")) { /* it cannot be read */
                say_field(status, "steppedBackRemedy");
                putchar('\n');
                return;
        }
        printf("depmod ");
        say_field(status, "kernelRelease");
        printf("; if the directory itself is missing, install the package with the modules of that kernel\n");
}

/* ------------------------------------------------------------------------------------------------ who is in charge */

static bool has_stepped_back(sd_json_variant *status) {
        return field_string(status, "steppedBackRemedy") || field_string(status, "steppedBack");
}

static void say_stepped_back(sd_json_variant *status) {
        printf("udev loads drivers, and lkmd does not");
}

static void next_stepped_back(const Output *out, sd_json_variant *status) {
        if (!field_string(status, "steppedBackRemedy")) {
                output_command(out, stdout);
                printf("doctor\n");
                return;
        }
        say_field(status, "steppedBackRemedy");
        putchar('\n');
}

static bool has_own_rule(sd_json_variant *status) {
        return field_string(status, "ownUdevRule");
}

static void say_own_rule(sd_json_variant *status) {
        printf("udev loads drivers, by the administrator's own rule");
}

static void next_own_rule(const Output *out, sd_json_variant *status) {
        printf("to have lkmd load drivers, say the same in policy.d (lkmd-policy(5)), then rm ");
        say_field(status, "ownUdevRule");
        putchar('\n');
}

static bool both_load(sd_json_variant *status) {
        return !in_charge_is(status, "lkmd");
}

static void say_both(sd_json_variant *status) {
        printf(in_charge_is(status, "lkmd_and_udev") ? "lkmd and udev both load drivers"
                                                     : "lkmd does not load drivers");
}

static void next_both(const Output *out, sd_json_variant *status) {
        printf("journalctl -u lkmd -b\n");
}

/* ------------------------------------------------------------------------------------------------- what went wrong */

static bool policy_is_broken(sd_json_variant *status) {
        return field_bool(field_object(status, "policy"), "broken");
}

static void say_policy(sd_json_variant *status) {
        printf("A file of the policy is broken");
}

static void next_policy(const Output *out, sd_json_variant *status) {
        printf("lkmctl policy check\n");
}

static bool has_failures(sd_json_variant *status) {
        return field_elements(status, "failures") > 0;
}

/* "2 modules failed: floppy, x" */
static void say_failures(sd_json_variant *status) {
        sd_json_variant *failures = field_array(status, "failures");
        size_t n = field_elements(status, "failures");

        printf("%zu module%s failed: ", n, plural(n));
        for (size_t i = 0; i < MIN(n, (size_t) NAMES_SHOWN); i++) {
                printf("%s", i > 0 ? ", " : "");
                say_field(sd_json_variant_by_index(failures, i), "module");
        }
        if (n > NAMES_SHOWN)
                printf(" and %zu more", n - NAMES_SHOWN);
}

static void next_failures(const Output *out, sd_json_variant *status) {
        output_command(out, stdout);
        printf("status ");
        say_field(sd_json_variant_by_index(field_array(status, "failures"), 0), "module");
        putchar('\n');
}

static bool has_problems(sd_json_variant *status) {
        return field_elements(status, "problems") > 0;
}

static void say_problems(sd_json_variant *status) {
        size_t n = field_elements(status, "problems");

        printf("%zu file%s not as %s should be", n, n == 1 ? " is" : "s are", n == 1 ? "it" : "they");
}

static void next_problems(const Output *out, sd_json_variant *status) {
        printf("correct what is wrong, then ");
        output_command(out, stdout);
        printf("reload\n");
}

static bool has_denied(sd_json_variant *status) {
        return status_policy_is_worrying(status);
}

static void say_denied(sd_json_variant *status) {
        size_t n = field_elements(field_object(status, "policy"), "loadedButDenied");

        printf("%zu module%s in the kernel, though the policy denies %s", n, n == 1 ? " is" : "s are",
               n == 1 ? "it" : "them");
}

static bool has_unwatched(sd_json_variant *status) {
        return field_elements(status, "unwatched") > 0;
}

static void say_unwatched(sd_json_variant *status) {
        printf("Changes of some files are noticed late");
}

/* ----------------------------------------------------------------------------------------------------- all is well */

static bool is_busy(sd_json_variant *status) {
        return !field_bool(status, "idle");
}

static void say_busy(sd_json_variant *status) {
        size_t running = field_elements(status, "running");
        uint64_t queued = field_number(status, "queued");

        printf("lkmd is at work: %zu running, %" PRIu64 " waiting", running, queued);
}

static void next_busy(const Output *out, sd_json_variant *status) {
        output_command(out, stdout);
        printf("monitor\n");
}

/* lkmd does what udev did, and nobody has said yet what is to stay out. */
static bool has_no_policy(sd_json_variant *status) {
        sd_json_variant *policy = field_object(status, "policy");

        return policy && field_number(policy, "rules") == 0 &&
               !streq_ptr(field_string(policy, "defaultVerdict"), "deny");
}

static void say_well(sd_json_variant *status) {
        printf("All is well: lkmd loads drivers for devices");
}

static void next_no_policy(const Output *out, sd_json_variant *status) {
        output_command(out, stdout);
        printf("policy propose, an allow list of what this machine uses\n");
}

static bool only_watches(sd_json_variant *status) {
        return streq_ptr(field_string(field_object(status, "policy"), "mode"), "audit");
}

static void say_watches(sd_json_variant *status) {
        printf("All is well: lkmd loads drivers for devices, and its policy refuses nothing yet");
}

static void next_watches(const Output *out, sd_json_variant *status) {
        output_command(out, stdout);
        printf("policy audit; Mode=enforce in lkmd.conf(5) refuses what it lists\n");
}

static bool is_so(sd_json_variant *status) {
        return true;
}

static const Verdict verdicts[] = {
        { TONE_BAD, index_is_missing, say_index, next_index },
        { TONE_WARN, has_stepped_back, say_stepped_back, next_stepped_back },
        { TONE_WARN, has_own_rule, say_own_rule, next_own_rule },
        { TONE_WARN, both_load, say_both, next_both },
        { TONE_BAD, policy_is_broken, say_policy, next_policy },
        { TONE_WARN, has_failures, say_failures, next_failures },
        { TONE_WARN, has_problems, say_problems, next_problems },
        { TONE_WARN, has_denied, say_denied, NULL },    /* its section has the command */
        { TONE_WARN, has_unwatched, say_unwatched, NULL },
        { TONE_GOOD, is_busy, say_busy, next_busy },
        { TONE_GOOD, has_no_policy, say_well, next_no_policy },
        { TONE_GOOD, only_watches, say_watches, next_watches },
        { TONE_GOOD, is_so, say_well, NULL },
};

static const Verdict *find_verdict(sd_json_variant *status) {
        const Verdict *v = verdicts;

        while (!v->holds(status))
                v++;
        return v;
}

/* "● All is well: lkmd loads drivers for devices", and below it whose status this is. */
void status_print_verdict(const Output *out, sd_json_variant *status) {
        const Verdict *v = find_verdict(status);
        uint64_t started, now = clock_usec(CLOCK_REALTIME);

        assert(out && status);

        printf("%s%s%s ", output_tone(out, stdout, v->tone), out->utf8 ? "●" : "*",
               output_tone(out, stdout, TONE_PLAIN));
        v->say(status);
        putchar('\n');
        output_label(out, "lkmd");
        print_escaped(stdout, field_string(status, "version"));
        if (out->host) {
                printf(" on ");
                print_escaped(stdout, out->host);
        }
        if (field_unsigned(status, "startedUSec", &started) && started <= now) {
                printf(", up for ");
                print_duration(stdout, now - started);
        }
        putchar('\n');
}

/* The one command for the worst of what was shown; none if nothing is to be done. */
void status_print_next(const Output *out, sd_json_variant *status) {
        const Verdict *v = find_verdict(status);

        assert(out && status);

        if (!v->next)
                return;
        printf("\nNext: ");
        v->next(out, status);
}
