/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Planner: see planner.h. A request whose plan would be another one if what is in audit mode were enforced gets
 * that other plan made, too, and what it leaves out beyond the first is what "would be refused": the same plan
 * that enforcing makes, so that the two cannot differ.
 */

#include "daemon/planner.h"

#include <assert.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/module-state.h"

static PlanRequest make_request(const Planner *p, const char *key, PlanMode mode) {
        return (PlanRequest) {
                .key = key,
                .mode = mode,
                .compat_kmod = p->settings->compat == COMPAT_KMOD,
                .blacklist_denies = p->settings->blacklist == BLACKLIST_DENY,
                .policy = policy_keeper_get(p->policy),
                .now_usec = clock_usec(CLOCK_REALTIME),
        };
}

/* Is it about something that a line denies? One that needs what is not there is another matter. */
static bool is_refusal(const PlanOmission *o) {
        return o->kind == PLAN_DENIED || o->kind == PLAN_BLACKLISTED ||
               (o->kind == PLAN_IMPOSSIBLE && o->cause.source >= 0);
}

/* The first omission, before the @end-th, that refuses a module; NULL: none does. */
static const PlanOmission *find_refusal(const Plan *plan, size_t end, const char *module) {
        for (size_t i = 0; i < end; i++)
                if (is_refusal(plan->omissions + i) && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

static void note_omissions(const Planner *p, const Request *request, const Plan *plan) {
        for (size_t i = 0; i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                monitors_verdict(p->monitors, request, o);
                verdicts_tell_omission(p->verdicts, request, o);
                if (!is_refusal(o) || find_refusal(plan, i, o->module))
                        continue;
                p->counters->denied++;
                audit_note(p->audit, AUDIT_REFUSED, o->module, &o->cause, request);
        }
        for (size_t i = 0; i < plan->n_omissions; i++)
                policy_keeper_use(p->policy, &plan->omissions[i].cause);
}

static void note_reported(const Planner *p, const Request *request, const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (!step->reported || module_state_read(step->module) == MODULE_LIVE)
                        continue;
                verdicts_tell_reported(p->verdicts, request, step);
                audit_note(p->audit, AUDIT_REPORTED, step->module, &step->allowed_by, request);
        }
}

static void note_would_refuse(const Planner *p, const Request *request, const Plan *plan, const Plan *enforced) {
        for (size_t i = 0; i < enforced->n_omissions; i++) {
                const PlanOmission *o = enforced->omissions + i;

                if (!is_refusal(o) || find_refusal(enforced, i, o->module) ||
                    find_refusal(plan, plan->n_omissions, o->module))
                        continue;
                p->counters->would_deny++;
                verdicts_tell_would_refuse(p->verdicts, request, o);
                audit_note(p->audit, AUDIT_WOULD_REFUSE, o->module, &o->cause, request);
        }
}

/**
 * planner_plan() - what a request comes to under the policy in force
 * @parameters: for the requested modules; NULL: none
 *
 * Tells monitors, journal, audit and counters what is left out, and what would be.
 *
 * Return: as plan_new().
 */
int planner_plan(const Planner *p, Index *index, const Request *request, PlanMode mode, const char *parameters,
                 Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = NULL, *enforced = NULL;
        PolicyRequester requester;
        PlanRequest question;
        int r;

        assert(p && index && request && ret);

        requester = request_get_requester(request);
        question = make_request(p, request->key, mode);
        question.requester = &requester;
        question.parameters = parameters;
        r = plan_new(&plan, index, &question);
        if (r < 0)
                return r;
        if (plan->audited) {
                question.as_if_enforced = true;
                r = plan_new(&enforced, index, &question);
                if (r < 0)
                        return r;
                note_would_refuse(p, request, plan, enforced);
        }
        note_reported(p, request, plan);
        note_omissions(p, request, plan); /* at last: it may change the policy */

        *ret = STEAL_PTR(plan);
        return 0;
}

/* Was something done for this step? */
static bool step_was_run(const PlanRun *run, const PlanStep *step) {
        const RecordList *records = plan_run_get_records(run);

        for (size_t i = 0; i < records->n_items; i++) {
                const Record *record = records->items[i];

                if (streq(record->module, step->module))
                        return record->outcome != OUTCOME_ALREADY_LOADED && record->outcome != OUTCOME_BUILT_IN &&
                               record->outcome != OUTCOME_DEPENDENCY_FAILED;
        }
        return false;
}

/* A plan was carried out: what it was allowed by once is used up. */
void planner_note_end(const Planner *p, const PlanRun *run) {
        const Plan *plan;

        assert(p && run);

        plan = plan_run_get_plan(run);
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].allowed_by.source == POLICY_BY_GRANT && step_was_run(run, plan->steps + i))
                        policy_keeper_use(p->policy, &plan->steps[i].allowed_by);
}

/**
 * planner_ask() - what would be done about a name or alias
 *
 * Return: as plan_new().
 */
int planner_ask(const Planner *p, Index *index, const char *key, PlanMode mode, Plan **ret) {
        PlanRequest question;

        assert(p && index && key && ret);

        question = make_request(p, key, mode);
        return plan_new(ret, index, &question);
}

bool planner_denies(const Planner *p, const Index *index, const char *module, PolicyRuling *ret) {
        PolicyDecision decision;
        PlanRequest question;

        assert(p && index && module && ret);

        question = make_request(p, module, PLAN_NAMED);
        plan_judge_name(index, &question, &decision);
        *ret = decision.actual;
        return ret->verdict == POLICY_DENY;
}
