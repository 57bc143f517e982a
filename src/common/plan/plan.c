/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plan: see plan.h. plan-builder.c makes plans.
 *
 * Unloading uses the same graph in reverse: a module may be removed only after the steps that wait for it, so the
 * steps from last to first are a valid order for removal, and a module is removed once no other one uses it.
 */

#include "common/plan/plan.h"

#include <assert.h>

#include "common/base/enum-names.h"

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
        [PLAN_FILE_UNUSABLE]   = "file_unusable",
        [PLAN_MODULE_MISSING]  = "module_missing",
        [PLAN_TURNED_OFF]      = "turned_off",
        [PLAN_IMPOSSIBLE]      = "impossible",
};

static int copy_text(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

/* Return: 0; -ENOMEM: plan_ruling_clear() frees what has been copied. */
int plan_ruling_set(PlanRuling *c, const PolicyRuling *ruling) {
        int r;

        c->source = ruling ? ruling->source : _POLICY_SOURCE_INVALID;
        if (!ruling)
                return 0;
        c->line = ruling->line;
        c->column = ruling->column;
        r = copy_text(ruling->file, &c->file);
        if (r >= 0)
                r = copy_text(ruling->id, &c->rule);
        if (r >= 0)
                r = copy_text(ruling->reason, &c->reason);
        return r;
}

/**
 * plan_ruling_copy() - copy a ruling, to keep it longer than its plan
 * @ret: empty; has to be cleared, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int plan_ruling_copy(PlanRuling *ret, const PlanRuling *c) {
        assert(ret && c);

        *ret = (PlanRuling) { .source = c->source, .line = c->line, .column = c->column };
        if ((c->file && !(ret->file = strdup(c->file))) || (c->rule && !(ret->rule = strdup(c->rule))) ||
            (c->reason && !(ret->reason = strdup(c->reason))))
                return -ENOMEM;
        return 0;
}

void plan_ruling_clear(PlanRuling *c) {
        free(c->file);
        free(c->rule);
        free(c->reason);
}

/**
 * plan_omission_init() - set all of an omission except its ruling
 * @module, @wanted_by: copied
 *
 * Return: 0; -ENOMEM. It has to be cleared in both cases.
 */
int plan_omission_init(PlanOmission *ret, PlanOmissionKind kind, const char *module, const char *wanted_by) {
        int r;

        assert(ret && module);

        *ret = (PlanOmission) { .kind = kind, .ruling.source = _POLICY_SOURCE_INVALID };
        r = copy_text(module, &ret->module);
        return r < 0 ? r : copy_text(wanted_by, &ret->wanted_by);
}

void plan_omission_clear(PlanOmission *o) {
        free(o->module);
        free(o->wanted_by);
        plan_ruling_clear(&o->ruling);
}

/**
 * plan_add_omission() - add an omission for a step that is left out later
 * @ruling: copied
 *
 * Return: 0; -ENOMEM.
 */
int plan_add_omission(Plan *p, PlanOmissionKind kind, size_t step, const PlanRuling *ruling) {
        _cleanup_(plan_omission_clear) PlanOmission o = {};
        PlanOmission *omissions;
        const PlanStep *s;
        int r;

        assert(p && step < p->n_steps && ruling);

        s = p->steps + step;
        r = plan_omission_init(&o, kind, s->module, s->parent == SIZE_MAX ? NULL : p->steps[s->parent].module);
        if (r >= 0)
                r = plan_ruling_copy(&o.ruling, ruling);
        if (r < 0)
                return r;
        o.required = s->required;

        omissions = reallocarray(p->omissions, p->n_omissions + 1, sizeof(*omissions));
        if (!omissions)
                return -ENOMEM;
        p->omissions = omissions;
        p->omissions[p->n_omissions++] = o;
        o = (PlanOmission) {};
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
        free(s->kernel_name);
        free(s->path);
        free(s->alias);
        free(s->parameters);
        free(s->command);
        free(s->command_file);
        plan_ruling_clear(&s->allowed_by);
        free(s->after);
}

Plan *plan_free(Plan *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_steps; i++)
                step_clear(&p->steps[i]);
        for (size_t i = 0; i < p->n_omissions; i++)
                plan_omission_clear(p->omissions + i);
        free(p->steps);
        free(p->omissions);
        free(p->key);
        free(p);
        return NULL;
}

PolicyPart plan_part_of(PlanReason reason) {
        return reason == PLAN_REQUESTED    ? POLICY_REQUESTED
               : reason == PLAN_DEPENDENCY ? POLICY_DEPENDENCY
                                           : POLICY_SOFTDEP;
}

/* What the kernel calls the module, as far as it is known. */
const char *plan_step_name(const PlanStep *step) {
        assert(step);

        return step->kernel_name ?: step->module;
}

PolicyPart plan_step_part(const PlanStep *step) {
        assert(step);

        return plan_part_of(step->reason);
}

const char *plan_action_to_string(PlanAction a) {
        return ENUM_NAME(action_names, a);
}

const char *plan_reason_to_string(PlanReason r) {
        return ENUM_NAME(reason_names, r);
}

const char *plan_omission_kind_to_string(PlanOmissionKind k) {
        return ENUM_NAME(omission_kind_names, k);
}

PlanOmissionKind plan_omission_kind_from_string(const char *s) {
        return (PlanOmissionKind) ENUM_VALUE(omission_kind_names, s);
}
