/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CausePlan: see cause-plan.h. The plan is that of a load, so what it says is what would happen; this picks the one
 * omission that says most about one candidate. Owns nothing.
 */

#include "cli/reasons/cause-plan.h"

#include <assert.h>

#include "common/explain/omission-text.h"
#include "common/plan/plan-builder.h"

#define CHAIN_MAX 64U                   /* a broken modules.dep may lead back to where it began */

static const PlanOmission *find_of(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (streq(plan->omissions[i].module, module) &&
                    !omission_text(plan->omissions[i].kind)->of_softdep)
                        return plan->omissions + i;
        return NULL;
}

/* What a module wanted and did not get, so that it is impossible. */
static const PlanOmission *find_wanted_by(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (streq_ptr(plan->omissions[i].wanted_by, module) &&
                    !omission_text(plan->omissions[i].kind)->of_softdep)
                        return plan->omissions + i;
        return NULL;
}

/* NULL: nothing stands in the way of the module. */
static const PlanOmission *find_obstacle(const Plan *plan, const char *module) {
        const PlanOmission *o = find_of(plan, module), *below = o;

        for (unsigned n = 0; below && below->kind == PLAN_IMPOSSIBLE && n < CHAIN_MAX; n++) {
                below = find_wanted_by(plan, below->module);
                o = below ?: o;
        }
        if (o)
                return o;
        below = find_wanted_by(plan, module);
        return below && below->required ? below : NULL;
}

static CauseKind kind_of(const PlanOmission *o) {
        switch (o->kind) {
        case PLAN_BLACKLISTED:
                return CAUSE_BLACKLISTED;
        case PLAN_DENIED:
                return CAUSE_DENIED;
        case PLAN_TURNED_OFF:
                return CAUSE_TURNED_OFF;
        case PLAN_FILE_MISSING:
        case PLAN_MODULE_MISSING:
                return CAUSE_FILE_MISSING;
        case PLAN_FILE_UNUSABLE:
                return o->fault == MODULE_FILE_MISSING           ? CAUSE_FILE_MISSING
                       : o->fault == MODULE_FILE_OF_OTHER_KERNEL ? CAUSE_VERMAGIC
                                                                 : CAUSE_FILE_UNUSABLE;
        default:
                return o->ruling.file ? CAUSE_DENIED : CAUSE_LEFT_OUT;
        }
}

static int make(const Inquiry *q, const Plan *plan, const PlanOmission *o, const char *before, Cause *ret) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        int r;

        r = plan_explain_obstacle(plan, o, &message, &hint);
        if (r >= 0)
                r = cause_make(ret, kind_of(o), q->module ? q->name : o->module, hint, "%s%s", before,
                               message);
        return r < 0 ? r : cause_place(ret, o->ruling.file, o->ruling.line);
}

static int on_command(const Inquiry *q, Cause *ret) {
        for (size_t i = 0; i < q->plan->n_steps; i++) {
                const PlanStep *s = q->plan->steps + i;
                int r;

                if (s->action != PLAN_COMMAND || !streq(s->module, q->module->name))
                        continue;
                r = cause_make(
                        ret, CAUSE_COMMAND, q->name, "take that line out, or run what it says by hand",
                        "%s is not loaded by itself: %s:%u runs \"%s\" in its place, and whether it gets in is up to that",
                        q->name, s->command_file, s->command_line, s->command);
                return r < 0 ? r : cause_place(ret, s->command_file, s->command_line);
        }
        return 0;
}

/* What is left out of the plan for the key, and why; @q->module may be NULL for a key that is turned off. */
int cause_of_plan(const Inquiry *q, Cause *ret) {
        const PlanOmission *o;

        assert(q && q->plan && ret);

        o = q->module ? find_obstacle(q->plan, q->module->name) : plan_find_obstacle(q->plan);
        if (o)
                return make(q, q->plan, o, "", ret);
        return q->module ? on_command(q, ret) : 0;
}

/* Who asks for a module by its name gets it, and devices do not: blacklist lines and rules about devices. */
int cause_of_plan_for_devices(const Inquiry *q, Cause *ret) {
        PolicyRequester device = { .origin = ORIGIN_DEVICE };
        _cleanup_(plan_freep) Plan *plan = NULL;
        const PlanOmission *o;
        PlanRequest request;
        int r;

        assert(q && ret);

        if (q->device || !q->module)
                return 0;
        offline_policy_complete(&device, q->module->name, /* is_device= */ false);
        request = offline_policy_request(q->policy, &device, PLAN_AUTOLOAD);
        request.key = q->module->name;
        r = plan_new(&plan, q->index, &request);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        o = find_obstacle(plan, q->module->name);
        return o ? make(q, plan, o, "devices do not get it: ", ret) : 0;
}
