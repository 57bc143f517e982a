/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy allow, deny, revoke: grants, which lkmd keeps in /run. */

#include <assert.h>
#include <inttypes.h>

#include "cli/call/argument.h"
#include "cli/offline/suggestion.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"
#include "common/explain/failure-text.h"

static int add_parameters(Run *run, const char *verdict, sd_json_variant **parameters) {
        int r;

        r = sd_json_variant_set_field_string(parameters, "verdict", verdict);
        if (r >= 0 && run->for_usec > 0)
                r = sd_json_variant_set_field_unsigned(parameters, "forUSec", run->for_usec);
        if (r >= 0 && run->once)
                r = sd_json_variant_set_field_boolean(parameters, "once", true);
        return r;
}

/* "usb_storage is allowed until 2026-11-26 12:30:00 (grant-3)" */
static void print_grant(const Output *out, sd_json_variant *grant, const char *verdict) {
        const char *id = field_string(grant, "id");
        uint64_t expires;

        print_escaped(stdout, field_string(grant, "module"));
        printf(" is %s ", streq(verdict, "allow") ? "allowed" : "denied");
        if (field_bool(grant, "once"))
                printf("once");
        else if (field_unsigned(grant, "expiresUSec", &expires)) {
                printf("until ");
                print_date(stdout, expires);
        } else
                printf("until reboot");
        if (!id) {
                putchar('\n');
                return;
        }
        printf(" (");
        print_escaped(stdout, id);
        printf(")\n");
        output_hint(out, 0, "Take it back");
        output_command(out, stdout);
        printf("policy revoke ");
        print_escaped(stdout, id);
        putchar('\n');
}

static int give(Run *run, const char *module, const char *verdict) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        _cleanup_(freep) char *escaped = NULL;
        unsigned n_times = (run->for_usec > 0) + run->once + run->until_reboot;
        char hint[32 + MODULE_NAME_MAX], name[MODULE_NAME_MAX + 1];
        int r;

        if (suggestion_from_file(module, name)) {
                (void) snprintf(hint, sizeof(hint), "the same with %s", name);
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, hint, MODULE_FILE_TEXT, module,
                                         name);
        }
        (void) snprintf(hint, sizeof(hint), "lkmctl help policy %s", verdict);
        if (n_times != 1)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_USAGE, hint,
                        n_times == 0
                                ? "for how long? One of --for=TIME, --once and --until-reboot is needed"
                                : "for how long? Only one of --for, --once and --until-reboot is possible");
        if (!run->reason)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_USAGE, hint,
                        "why? --reason=TEXT is needed: somebody will find this grant and wonder");

        r = argument_to_name(run, module, &parameters, "module");
        if (r != 0)
                return r;
        r = text_escape(run->reason, &escaped);
        if (r < 0)
                return r;
        if (!streq(escaped, run->reason))
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, hint,
                                        "the reason '%s' is not one line of text", run->reason);
        r = sd_json_variant_set_field_string(&parameters, "reason", run->reason);
        if (r < 0)
                return r;
        r = add_parameters(run, verdict, &parameters);
        if (r < 0)
                return r;
        r = client_call(run->client, "Grant", parameters, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);
        if (!field_object(reply, "grant"))
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        if (output_wants_text(&run->out)) {
                print_grant(&run->out, field_object(reply, "grant"), verdict);
                print_looked_at(stdout, reply);
        }
        return STATUS_DONE;
}

int verb_policy_allow(Run *run, char **args, unsigned n_args) {
        return give(run, args[0], "allow");
}

int verb_policy_deny(Run *run, char **args, unsigned n_args) {
        return give(run, args[0], "deny");
}

/* What the grant has let in stays. */
static void print_keeping(sd_json_variant *reply) {
        sd_json_variant *keeping = field_array(reply, "keeping");

        if (field_elements(reply, "keeping") > 0)
                printf("Denied from now on, and in use until it is unloaded:\n");
        ARRAY_FOREACH_INDEX(keeping, i) {
                sd_json_variant *device = sd_json_variant_by_index(keeping, i);

                printf("  ");
                print_escaped(stdout, field_string(device, "module"));
                printf(", for device ");
                print_escaped(stdout, field_string(device, "device"));
                putchar('\n');
        }
}

int verb_policy_revoke(Run *run, char **args, unsigned n_args) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        int r;

        r = argument_to_name(run, args[0], &parameters, "id");
        if (r != 0)
                return r;
        r = client_call(run->client, "Revoke", parameters, NULL, &reply);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);
        if (output_wants_text(&run->out)) {
                print_escaped(stdout, args[0]);
                printf(" is taken back: the rules hold again.\n");
                print_keeping(reply);
                print_looked_at(stdout, reply);
        }
        return STATUS_DONE;
}
