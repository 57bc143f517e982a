/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* plan: what a load would do, step by step, without doing it. */

#include <assert.h>

#include "cli/offline/offline-policy.h"
#include "cli/offline/offline.h"
#include "cli/offline/plan-print.h"
#include "cli/offline/trace.h"
#include "cli/verbs/verbs.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-json.h"

/* "asIfEnforced": what would be left out if nothing were in audit mode; "depends": rules about what is not known here */
static int print_json(Run *run, const Plan *plan, const Plan *enforced, const Trace *trace) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *omissions = NULL, *depends = NULL;
        int r;

        r = plan_to_json(plan, &v);
        if (r >= 0 && enforced) {
                r = plan_omissions_to_json(enforced, &omissions);
                if (r >= 0)
                        r = sd_json_variant_set_field(&v, "asIfEnforced", omissions);
        }
        if (r >= 0)
                r = trace_doubts_to_json(trace, &depends);
        if (r >= 0 && depends)
                r = sd_json_variant_set_field(&v, "depends", depends);
        return r < 0 ? r : output_json(&run->out, v);
}

static int plan_key(Run *run, const Index *index, const OfflinePolicy *policy, const char *key, bool first) {
        PolicyRequester somebody = { .origin = ORIGIN_CLIENT, .has_uid = true }; /* root */
        _cleanup_(plan_freep) Plan *plan = NULL, *enforced = NULL;
        PlanRequest request = offline_policy_request(policy, &somebody, PLAN_NAMED);
        _cleanup_(trace_clear) Trace trace = {};
        int r;

        offline_policy_complete(&somebody, key, /* is_device= */ false);
        request.key = key;
        request.trace = trace_add;
        request.trace_userdata = &trace;
        r = plan_new(&plan, index, &request);
        if (r >= 0)
                r = trace.error;
        if (r == -ENOMEM)
                return r;
        request.trace = NULL;
        if (r < 0 || plan->n_matches == 0)
                return report_no_such_module(run, index, key);
        if (plan->audited) {
                request.as_if_enforced = true;
                r = plan_new(&enforced, index, &request);
                if (r < 0)
                        return r;
        }

        if (run->out.json != JSON_OFF) {
                r = print_json(run, plan, enforced, &trace);
                return r < 0 ? r : (int) plan_status(plan);
        }
        if (output_wants_text(&run->out)) {
                if (!first)
                        putchar('\n');
                r = plan_print(&run->out, plan);
                if (r >= 0 && enforced)
                        r = plan_print_audited(plan, enforced);
                trace_print_doubts(&trace, stdout, "");
                if (r < 0)
                        return r;
        }
        return plan_status(plan);
}

int verb_plan(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        ExitStatus worst = STATUS_DONE;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = offline_policy(run, &policy);
        if (r != 0)
                return r;

        if (n_args > 1)
                output_list_begin(&run->out);
        for (unsigned i = 0; i < n_args; i++) {
                r = plan_key(run, index, &policy, args[i], i == 0);
                if (r < 0)
                        return r;
                worst = failure_worse(worst, (ExitStatus) r);
        }
        if (n_args > 1) {
                r = output_list_end(&run->out);
                if (r < 0)
                        return r;
        }
        r = output_flush();
        return r < 0 ? r : (int) worst;
}
