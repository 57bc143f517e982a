/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plan: the answer to "what would happen if", and the instructions for making it happen. Owns all of its
 * strings, so that it outlives the index it was made from. How it comes to be is in plan-builder.c.
 *
 * Unloading uses the same graph turned round: what a step waits for here may only go after it there, so the
 * steps from last to first are a valid order for removal, and a step may go once nobody else holds it.
 */

#include "common/plan.h"

#include <assert.h>

#include "common/plan-builder.h"

static const char *const action_names[_PLAN_ACTION_MAX] = {
        [PLAN_INSERT]  = "insert",
        [PLAN_COMMAND] = "command",
        [PLAN_BUILTIN] = "builtin",
};

static const char *const reason_names[_PLAN_REASON_MAX] = {
        [PLAN_REQUESTED]    = "requested",
        [PLAN_DEPENDENCY]   = "dependency",
        [PLAN_SOFTDEP_PRE]  = "softdep_pre",
        [PLAN_SOFTDEP_POST] = "softdep_post",
};

static const char *const omission_kind_names[_PLAN_OMISSION_KIND_MAX] = {
        [PLAN_BLACKLISTED]     = "blacklisted",
        [PLAN_DENIED]          = "denied",
        [PLAN_NOT_PREFERRED]   = "not_preferred",
        [PLAN_SOFTDEP_MISSING] = "softdep_missing",
        [PLAN_SOFTDEP_LOOP]    = "softdep_loop",
        [PLAN_FILE_MISSING]    = "file_missing",
        [PLAN_MODULE_MISSING]  = "module_missing",
        [PLAN_IMPOSSIBLE]      = "impossible",
};

/**
 * plan_new() - work out what a request comes to
 * @index:   asked, and with it its room for answers; borrowed for the call
 * @request: borrowed for the call
 *
 * Every module is judged by the policy (policy_judge()); an install line that only denies (see
 * command_is_denial()) is part of it and keeps its module out on every path, with ignore_install too. What
 * cannot be had without a denied module is left out with it. Other install lines are run in place of their
 * module, also beside softdeps, and whatever they do is not part of the plan.
 *
 * The plan is a snapshot: it looks whether the files are there, but not what the kernel has already.
 *
 * Return: 0, also for a key that means nothing (n_matches is 0) and if everything was left out;
 * -ENAMETOOLONG: longer than REQUEST_KEY_MAX; -ENOMEM.
 */
int plan_new(Plan **ret, Index *index, const PlanRequest *request) {
        _cleanup_(plan_freep) Plan *p = NULL;
        int r;

        assert(ret && index && request && request->key);

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->mode = request->mode;
        p->key = strdup(request->key);
        if (!p->key)
                return -ENOMEM;

        r = plan_build(p, index, request);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(p);
        return 0;
}

/**
 * plan_cause_copy() - keep a cause beyond its plan
 * @ret: empty; what is in it is to be cleared also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int plan_cause_copy(PlanCause *ret, const PlanCause *c) {
        assert(ret && c);

        *ret = (PlanCause) { .source = c->source, .line = c->line, .column = c->column };
        if ((c->file && !(ret->file = strdup(c->file))) || (c->rule && !(ret->rule = strdup(c->rule))) ||
            (c->reason && !(ret->reason = strdup(c->reason))))
                return -ENOMEM;
        return 0;
}

void plan_cause_clear(PlanCause *c) {
        free(c->file);
        free(c->rule);
        free(c->reason);
}

static void omission_clear(PlanOmission *o) {
        free(o->module);
        free(o->wanted_by);
        plan_cause_clear(&o->cause);
}

/**
 * plan_add_omission() - say of a step that it is left out after all
 * @cause: copied
 *
 * Return: 0; -ENOMEM.
 */
int plan_add_omission(Plan *p, PlanOmissionKind kind, size_t step, const PlanCause *cause) {
        const PlanStep *s;
        PlanOmission *o;
        int r;

        assert(p && step < p->n_steps && cause);

        o = reallocarray(p->omissions, p->n_omissions + 1, sizeof(*o));
        if (!o)
                return -ENOMEM;
        p->omissions = o;
        s = p->steps + step;
        o += p->n_omissions;
        *o = (PlanOmission) { .kind = kind, .required = s->required, .module = strdup(s->module) };
        if (s->parent != SIZE_MAX)
                o->wanted_by = strdup(p->steps[s->parent].module);
        r = plan_cause_copy(&o->cause, cause);
        if (r < 0 || !o->module || (s->parent != SIZE_MAX && !o->wanted_by)) {
                omission_clear(o);
                return -ENOMEM;
        }
        p->n_omissions++;
        return 0;
}

static void step_clear(PlanStep *s) {
        for (size_t i = 0; i < s->n_parameter_origins; i++) {
                free(s->parameter_origins[i].text);
                free(s->parameter_origins[i].file);
        }
        free(s->parameter_origins);
        for (size_t i = 0; i < s->n_words; i++) {
                free(s->words[i].text);
                free(s->words[i].file);
                free(s->words[i].name);
                free(s->words[i].alias_file);
        }
        free(s->words);
        free(s->module);
        free(s->path);
        free(s->alias);
        free(s->parameters);
        free(s->command);
        free(s->command_file);
        plan_cause_clear(&s->allowed_by);
        free(s->after);
}

Plan *plan_free(Plan *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_steps; i++)
                step_clear(&p->steps[i]);
        for (size_t i = 0; i < p->n_omissions; i++)
                omission_clear(p->omissions + i);
        free(p->steps);
        free(p->omissions);
        free(p->key);
        free(p);
        return NULL;
}

const char *plan_action_to_string(PlanAction a) {
        return a >= 0 && a < _PLAN_ACTION_MAX ? action_names[a] : NULL;
}

const char *plan_reason_to_string(PlanReason r) {
        return r >= 0 && r < _PLAN_REASON_MAX ? reason_names[r] : NULL;
}

const char *plan_omission_kind_to_string(PlanOmissionKind k) {
        return k >= 0 && k < _PLAN_OMISSION_KIND_MAX ? omission_kind_names[k] : NULL;
}
