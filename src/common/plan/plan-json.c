/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PlanJson: see plan-json.h. */

#include "common/plan/plan-json.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/text.h"

typedef struct RulingText {              /* escaped: files may contain any bytes */
        char *file, *rule, *reason;
} RulingText;

static void ruling_text_clear(RulingText *t) {
        free(t->file);
        free(t->rule);
        free(t->reason);
}

static int ruling_text_make(const PlanRuling *c, RulingText *ret) {
        int r;

        r = text_escape(c->file ?: "", &ret->file);
        if (r >= 0)
                r = text_escape(c->rule ?: "", &ret->rule);
        if (r >= 0)
                r = text_escape(c->reason ?: "", &ret->reason);
        return r;
}

/* The fields of a ruling, to be used among those of another object. */
#define BUILD_RULING(c, t)                                                                                            \
        SD_JSON_BUILD_PAIR_CONDITION((c)->source >= 0, "source",                                                     \
                                     SD_JSON_BUILD_STRING(policy_source_to_string((c)->source))),                    \
                SD_JSON_BUILD_PAIR_CONDITION((c)->file != NULL, "file", SD_JSON_BUILD_STRING((t)->file)),            \
                SD_JSON_BUILD_PAIR_CONDITION((c)->line > 0, "line", SD_JSON_BUILD_UNSIGNED((c)->line)),              \
                SD_JSON_BUILD_PAIR_CONDITION((c)->column > 0, "column", SD_JSON_BUILD_UNSIGNED((c)->column)),        \
                SD_JSON_BUILD_PAIR_CONDITION((c)->rule != NULL, "rule", SD_JSON_BUILD_STRING((t)->rule)),            \
                SD_JSON_BUILD_PAIR_CONDITION((c)->reason != NULL, "reason", SD_JSON_BUILD_STRING((t)->reason))

/* A ruling as an object of its own. */
int plan_ruling_to_json(const PlanRuling *ruling, sd_json_variant **ret) {
        _cleanup_(ruling_text_clear) RulingText text = {};
        int r;

        assert(ruling && ret);

        r = ruling_text_make(ruling, &text);
        return r < 0 ? r : sd_json_buildo(ret, BUILD_RULING(ruling, &text));
}

int plan_omission_to_json(const PlanOmission *omission, sd_json_variant **ret) {
        _cleanup_(ruling_text_clear) RulingText text = {};
        _cleanup_(freep) char *module = NULL, *wanted_by = NULL;
        int r;

        assert(omission && ret);

        r = text_escape(omission->module, &module);
        if (r >= 0)
                r = text_escape(omission->wanted_by ?: "", &wanted_by);
        if (r < 0)
                return r;
        r = ruling_text_make(&omission->ruling, &text);
        if (r < 0)
                return r;

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("kind", plan_omission_kind_to_string(omission->kind)),
                SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_CONDITION(omission->wanted_by != NULL, "wantedBy",
                                             SD_JSON_BUILD_STRING(wanted_by)),
                SD_JSON_BUILD_PAIR_BOOLEAN("required", omission->required),
                BUILD_RULING(&omission->ruling, &text));
}

/* An array, which may be empty. */
int plan_omissions_to_json(const Plan *plan, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        assert(plan && ret);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < plan->n_omissions; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = plan_omission_to_json(plan->omissions + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;

        *ret = STEAL_PTR(array);
        return 0;
}

static int parameters_to_json(const PlanStep *step, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < step->n_parameter_origins; i++) {
                const PlanParameter *p = step->parameter_origins + i;
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *text = NULL;

                r = text_escape(p->text, &text);
                if (r < 0)
                        return r;
                r = sd_json_buildo(
                        &v, SD_JSON_BUILD_PAIR_STRING("text", text),
                        SD_JSON_BUILD_PAIR_CONDITION(p->file != NULL, "file", SD_JSON_BUILD_STRING(p->file)),
                        SD_JSON_BUILD_PAIR_CONDITION(p->line > 0, "line", SD_JSON_BUILD_UNSIGNED(p->line)));
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int edges_to_json(const Plan *plan, const PlanStep *step, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < step->n_after; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = sd_json_buildo(
                        &v, SD_JSON_BUILD_PAIR_STRING("module", plan->steps[step->after[i].step].module),
                        SD_JSON_BUILD_PAIR_BOOLEAN("required", step->after[i].required));
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* One step; other steps are given by name. */
int plan_step_to_json(const Plan *plan, const PlanStep *step, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *after = NULL, *ruling = NULL;
        _cleanup_(freep) char *path = NULL, *command = NULL, *joined = NULL, *alias = NULL;
        int r;

        assert(plan && step && ret);

        if ((r = text_escape(step->path ?: "", &path)) < 0 ||
            (r = text_escape(step->command ?: "", &command)) < 0 ||
            (r = text_escape(step->parameters ?: "", &joined)) < 0 ||
            (r = text_escape(step->alias ?: "", &alias)) < 0)
                return r;
        r = parameters_to_json(step, &parameters);
        if (r < 0)
                return r;
        r = edges_to_json(plan, step, &after);
        if (r < 0)
                return r;
        if (step->allowed_by.file) {
                r = plan_ruling_to_json(&step->allowed_by, &ruling);
                if (r < 0)
                        return r;
        }

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("module", step->module),
                SD_JSON_BUILD_PAIR_CONDITION(step->kernel_name != NULL, "kernelName",
                                             SD_JSON_BUILD_STRING(step->kernel_name)),
                SD_JSON_BUILD_PAIR_STRING("action", plan_action_to_string(step->action)),
                SD_JSON_BUILD_PAIR_CONDITION(step->path != NULL, "path", SD_JSON_BUILD_STRING(path)),
                SD_JSON_BUILD_PAIR_CONDITION(step->alias != NULL, "alias", SD_JSON_BUILD_STRING(alias)),
                SD_JSON_BUILD_PAIR_STRING("reason", plan_reason_to_string(step->reason)),
                SD_JSON_BUILD_PAIR_CONDITION(
                        step->parent != SIZE_MAX, "parent",
                        SD_JSON_BUILD_STRING(step->parent == SIZE_MAX ? NULL
                                                                      : plan->steps[step->parent].module)),
                SD_JSON_BUILD_PAIR_BOOLEAN("required", step->required),
                SD_JSON_BUILD_PAIR_STRING("parameters", joined),
                SD_JSON_BUILD_PAIR_VARIANT("parameterOrigins", parameters),
                SD_JSON_BUILD_PAIR_CONDITION(step->command != NULL, "command",
                                             SD_JSON_BUILD_STRING(command)),
                SD_JSON_BUILD_PAIR_CONDITION(step->command_file != NULL, "commandFile",
                                             SD_JSON_BUILD_STRING(step->command_file)),
                SD_JSON_BUILD_PAIR_CONDITION(step->command_line > 0, "commandLine",
                                             SD_JSON_BUILD_UNSIGNED(step->command_line)),
                SD_JSON_BUILD_PAIR_CONDITION(ruling != NULL, "allowedBy", SD_JSON_BUILD_VARIANT(ruling)),
                SD_JSON_BUILD_PAIR_CONDITION(step->reported, "reported", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_CONDITION(step->unknown != 0, "notKnown",
                                             SD_JSON_BUILD_STRING(module_fault_unknown_text(step->unknown))),
                SD_JSON_BUILD_PAIR_VARIANT("after", after));
}

/* {"key": .., "steps": [..], "omissions": [..]}. Steps that will fail are among the omissions only. */
int plan_to_json(const Plan *plan, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *steps = NULL, *omissions = NULL;
        _cleanup_(freep) char *key = NULL;
        int r;

        assert(plan && ret);

        r = text_escape(plan->key, &key);
        if (r < 0)
                return r;
        r = sd_json_variant_new_array(&steps, NULL, 0);
        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (plan->steps[i].fails)
                        continue;
                r = plan_step_to_json(plan, plan->steps + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&steps, v);
        }
        if (r < 0)
                return r;
        r = plan_omissions_to_json(plan, &omissions);
        if (r < 0)
                return r;

        return sd_json_buildo(ret,
                              SD_JSON_BUILD_PAIR_STRING("key", key),
                              SD_JSON_BUILD_PAIR_VARIANT("steps", steps),
                              SD_JSON_BUILD_PAIR_VARIANT("omissions", omissions));
}
