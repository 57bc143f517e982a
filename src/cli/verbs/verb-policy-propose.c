/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy propose: what was used, as an allow list. */

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/verbs/proposal.h"
#include "cli/verbs/verbs.h"

static int print(Run *run, const Proposal *p, sd_json_variant *status) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *rules = NULL, *object = NULL;
        int r;

        if (run->out.json == JSON_OFF) {
                proposal_print(p, stdout, field_string(status, "kernelRelease"), run->since_usec);
                return output_flush();
        }
        r = proposal_to_json(p, &rules);
        if (r >= 0)
                r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_UNSIGNED("version", 1),
                                   SD_JSON_BUILD_PAIR_STRING("default", "deny"),
                                   SD_JSON_BUILD_PAIR_VARIANT("rules", rules));
        return r < 0 ? r : output_json(&run->out, object);
}

int verb_policy_propose(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL, *status = NULL;
        _cleanup_(proposal_freep) Proposal *p = NULL;
        int r;

        r = client_call(run->client, "List", NULL, &hooks, &list);
        if (r != 0)
                return r;
        r = client_call(run->client, "Status", NULL, &hooks, &status);
        if (r != 0)
                return r;
        if (!field_array(list, "modules"))
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);

        r = proposal_new(&p);
        if (r >= 0)
                r = proposal_add_modules(p, field_array(list, "modules"), run->since_usec);
        if (r >= 0)
                r = proposal_add_failures(p, field_array(status, "failures"), run->since_usec);
        if (r < 0)
                return r;
        if (proposal_count(p) == 0)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "lkmctl policy propose --since=boot",
                                        "no module was loaded since then, so there is nothing to propose");
        proposal_sort(p);
        return print(run, p, status);
}
