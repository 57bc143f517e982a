/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Planner: see planner.h. If enforcing the rules in audit mode would change the plan of a request, that other plan is
 * made too, and what only it leaves out "would be refused". It is the plan that enforcing would make, so audit and
 * enforcement cannot differ.
 */

#include "daemon/planning/planner.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/explain/omission-text.h"
#include "common/plan/kernel-names.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-judge.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"

/* Both only grow, and so does their sum. */
static uint64_t get_generation(const Planner *p) {
        return policy_keeper_get_generation(p->policy) + index_keeper_get_generation(p->index);
}

static PlanRequest make_request(const Planner *p, const char *key, PlanMode mode) {
        return (PlanRequest) {
                .key = key,
                .mode = mode,
                .compat_kmod = p->settings->compat == COMPAT_KMOD,
                .cache = index_keeper_get_cache(p->index),
                .blacklist_denies = p->settings->blacklist == BLACKLIST_DENY,
                .policy = policy_keeper_get(p->policy),
                .now_usec = clock_usec(CLOCK_REALTIME),
                .files = policy_keeper_get_facts(p->policy),
        };
}

/* The first of @end omissions that refuses a module; NULL: none does. */
static const PlanOmission *find_refusal(const Plan *plan, size_t end, const char *module) {
        for (size_t i = 0; i < end; i++)
                if (omission_is_refusal(plan->omissions + i) && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

/**
 * planner_note_omissions() - report omissions to monitors, journal, audit and counters
 * @first: of the plan's omissions; those before it were reported
 *
 * May change the policy, since a grant that denies once is used up.
 */
void planner_note_omissions(const Planner *p, const Request *request, const Plan *plan, size_t first) {
        assert(p && request && plan);

        for (size_t i = first; i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                monitors_verdict(p->monitors, "verdict", request, o);
                refusal_log_omission(p->refusal_log, request, o);
                if (!omission_is_refusal(o) || find_refusal(plan, i, o->module))
                        continue;
                p->counters->denied++;
                audit_note(p->audit, AUDIT_REFUSED, o->module, &o->ruling, request);
                refused_devices_note(p->refused, request, o->module);
        }
        for (size_t i = first; i < plan->n_omissions; i++)
                policy_keeper_use(p->policy, &plan->omissions[i].ruling);
}

static void note_reported(const Planner *p, const Request *request, const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (!step->reported || module_state_read(plan_step_name(step)) == MODULE_LIVE)
                        continue;
                refusal_log_reported(p->refusal_log, request, step);
                audit_note(p->audit, AUDIT_REPORTED, step->module, &step->allowed_by, request);
        }
}

static void note_would_refuse(const Planner *p, const Request *request, const PlanOmission *o) {
        p->counters->would_deny++;
        monitors_verdict(p->monitors, "would_refuse", request, o);
        refusal_log_would_refuse(p->refusal_log, request, o);
        audit_note(p->audit, AUDIT_WOULD_REFUSE, o->module, &o->ruling, request);
}

static void note_difference(const Planner *p, const Request *request, const Plan *plan, const Plan *enforced) {
        for (size_t i = 0; i < enforced->n_omissions; i++) {
                const PlanOmission *o = enforced->omissions + i;

                if (!omission_is_refusal(o) || find_refusal(enforced, i, o->module) ||
                    find_refusal(plan, plan->n_omissions, o->module))
                        continue;
                note_would_refuse(p, request, o);
        }
}

/* @requester: where who asks is written, for as long as the question is used */
static PlanRequest ask_for_request(const Planner *p, const Request *request, PlanMode mode,
                                   PolicyRequester *requester) {
        PlanRequest question = make_request(p, request->key, mode);

        *requester = request_get_requester(request);
        question.requester = requester;
        return question;
}

/**
 * planner_plan() - plan a request under the policy in force
 * @parameters: for the requested modules; NULL: none
 *
 * Reports to monitors, journal, audit and counters what is left out, and what would be.
 *
 * Return: as plan_new().
 */
int planner_plan(const Planner *p, const Index *index, const Request *request, PlanMode mode,
                 const char *parameters, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = NULL, *enforced = NULL;
        PolicyRequester requester;
        PlanRequest question;
        int r;

        assert(p && index && request && ret);

        question = ask_for_request(p, request, mode, &requester);
        question.parameters = parameters;
        question.ignore_install = request->ignore_install;
        r = plan_new(&plan, index, &question);
        if (r < 0)
                return r;
        if (plan->audited) {
                question.as_if_enforced = true;
                r = plan_new(&enforced, index, &question);
                if (r < 0)
                        return r;
                note_difference(p, request, plan, enforced);
        }
        note_reported(p, request, plan);
        plan->generation = get_generation(p);
        planner_note_omissions(p, request, plan, 0); /* last: it may change the policy */

        *ret = STEAL_PTR(plan);
        return 0;
}

/* -------------------------------------------------------------------------------- while it is carried out */

/**
 * planner_has_news() - may the policy judge the steps of a plan otherwise than when it was last asked?
 *
 * Reads files that have changed. If none has, it costs next to nothing, so that it can be called before every load.
 */
bool planner_has_news(const Planner *p, Plan *plan) {
        const Policy *policy;
        uint64_t generation;

        assert(p && plan);

        (void) index_keeper_get(p->index);
        policy = policy_keeper_get(p->policy);
        generation = get_generation(p);
        if (generation == plan->generation && !policy_has_dates(policy))
                return false;
        plan->generation = generation;
        return true;
}

/**
 * planner_denies_step() - is a step denied that was allowed when its plan was made?
 * @part:     of the request that the step is judged as
 * @ret:      what denies it; to be cleared
 * @ret_kind: the kind of omission
 *
 * A step that would be denied if rules in audit mode were enforced is reported, once.
 */
bool planner_denies_step(const Planner *p, const Request *request, Plan *plan, size_t step, PolicyPart part,
                         PlanRuling *ret, PlanOmissionKind *ret_kind) {
        PolicyRequester requester = request_get_requester(request);
        const Index *index = index_keeper_get(p->index);
        PlanRequest question = make_request(p, plan->key, plan->mode); /* the index may change it */
        PlanStep *s = plan->steps + step;
        PolicyDecision decision;

        assert(step < plan->n_steps && ret && ret_kind);

        question.requester = &requester;
        plan_judge_step(index, &question, s, part, &decision);
        *ret = (PlanRuling) {};
        *ret_kind = plan_denial_kind(&decision.actual, part);
        if (decision.actual.verdict == POLICY_DENY) {
                (void) plan_ruling_set(ret, &decision.actual); /* without memory, denied without a reason */
                return true;
        }
        if (decision.would.verdict == POLICY_DENY && !s->would_refuse) {
                PlanOmission o = { .kind = plan_denial_kind(&decision.would, part), .module = s->module };

                s->would_refuse = true;
                if (plan_ruling_set(&o.ruling, &decision.would) >= 0)
                        note_would_refuse(p, request, &o);
                plan_ruling_clear(&o.ruling);
        }
        return false;
}

/* A step is about to be carried out: a grant for one request that allowed it is used up, whatever the outcome. */
void planner_use(const Planner *p, const PlanStep *step) {
        assert(p && step);

        if (step->allowed_once)
                policy_keeper_use(p->policy, &step->allowed_by);
}

/* ------------------------------------------------------------------------------------------------ questions */

/**
 * planner_ask() - the plan for a name or alias, without a request
 *
 * Return: as plan_new().
 */
int planner_ask(const Planner *p, const Index *index, const char *key, PlanMode mode, Plan **ret) {
        PlanRequest question;

        assert(p && index && key && ret);

        question = make_request(p, key, mode);
        return plan_new(ret, index, &question);
}

/**
 * planner_ask_for() - the plan of a request that is not carried out now
 *
 * Return: as plan_new().
 */
int planner_ask_for(const Planner *p, const Index *index, const Request *request, PlanMode mode,
                    Plan **ret) {
        PolicyRequester requester;
        PlanRequest question;

        assert(p && index && request && ret);

        question = ask_for_request(p, request, mode, &requester);
        return plan_new(ret, index, &question);
}

static bool is_denied(const Index *index, const PlanRequest *question, PolicyRuling *ret) {
        PolicyDecision decision;

        plan_judge_name(index, question, &decision);
        *ret = decision.actual;
        return ret->verdict == POLICY_DENY;
}

bool planner_denies(const Planner *p, const Index *index, const char *module, PolicyRuling *ret) {
        PlanRequest question;

        assert(p && index && module && ret);

        question = make_request(p, module, PLAN_NAMED);
        return is_denied(index, &question, ret);
}

bool planner_denies_request(const Planner *p, const Index *index, const Request *request,
                            PolicyRuling *ret) {
        PolicyRequester requester;
        PlanRequest question;

        assert(p && index && request && ret);

        question = ask_for_request(p, request, PLAN_NAMED, &requester);
        return is_denied(index, &question, ret);
}

const PolicyRule *planner_find_idle_rule(const Planner *p, const Index *index, const Request *request,
                                         const char *kernel_name) {
        const Policy *policy = policy_keeper_get(p->policy);
        PolicyRequester requester;
        const IndexModule *known;

        assert(p && index && request && kernel_name);

        if (policy_least_idle_usec(policy) == 0)
                return NULL;            /* no rule is about it */
        requester = request_get_requester(request);
        known = planner_find_module(p, index, kernel_name);
        return policy_find_idle(policy,
                                &(PolicySubject) {
                                        .requester = &requester,
                                        .part = POLICY_REQUESTED,
                                        .module = known ? known->name : kernel_name,
                                        .path = known ? known->path : NULL,
                                },
                                clock_usec(CLOCK_REALTIME));
}

uint64_t planner_least_idle_usec(const Planner *p) {
        uint64_t usec;

        assert(p);

        usec = policy_least_idle_usec(policy_keeper_get(p->policy));
        return usec == 0 ? UINT64_MAX : usec;
}

const char *planner_kernel_name(const Planner *p, const Index *index, const char *module,
                                FileFactsEffort effort) {
        assert(p && index && module);

        if (module_state_read(module) != MODULE_ABSENT)
                return module;
        return kernel_name_of(index, policy_keeper_get_facts(p->policy), module, effort);
}

const IndexModule *planner_find_module(const Planner *p, const Index *index, const char *kernel_name) {
        assert(p && index && kernel_name);

        return kernel_name_find(index, policy_keeper_get_facts(p->policy), kernel_name);
}

/* Has the policy in force the rule of an entry of the audit? @userdata: the PolicyKeeper */
bool planner_has_rule(const PlanRuling *ruling, void *userdata) {
        assert(ruling && userdata);

        return policy_has_rule(policy_keeper_get(userdata), &(PolicyRuling) {
                                                                    .source = ruling->source,
                                                                    .file = ruling->file,
                                                                    .line = ruling->line,
                                                                    .column = ruling->column,
                                                                    .id = ruling->rule,
                                                            });
}
