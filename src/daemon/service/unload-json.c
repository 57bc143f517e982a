/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UnloadJson: see unload-json.h. Owns nothing. */

#include "daemon/service/unload-json.h"

#include <assert.h>

#include "common/base/text.h"
#include "daemon/history/record-json.h"

/* An array of strings, escaped. */
static int describe_strings(char *const *strings, sd_json_variant **ret) {
        int r = sd_json_variant_new_array(ret, NULL, 0);

        for (; r >= 0 && strings && *strings; strings++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *text = NULL;

                r = text_escape(*strings, &text);
                if (r >= 0)
                        r = sd_json_variant_new_string(&v, text);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int describe_step(const UnloadStep *step, sd_json_variant **ret) {
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("module", step->module),
                SD_JSON_BUILD_PAIR_STRING("reason", unload_reason_to_string(step->reason)),
                SD_JSON_BUILD_PAIR_CONDITION(step->parent != NULL, "parent", SD_JSON_BUILD_STRING(step->parent)),
                SD_JSON_BUILD_PAIR_CONDITION(step->command != NULL, "command", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_UNSIGNED("sizeBytes", step->size_bytes));
}

static int describe_stay(const UnloadStay *stay, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *requester = NULL, *modules = NULL;
        bool in_use = stay->kind == UNLOAD_STAYS_IN_USE && stay->ref_count >= 0;
        int r;

        r = stay->record ? describe_request(stay->record->request, &requester) : 0;
        if (r >= 0 && stay->modules)
                r = describe_strings(stay->modules, &modules);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("module", stay->module),
                SD_JSON_BUILD_PAIR_STRING("kind", unload_stay_kind_to_string(stay->kind)),
                SD_JSON_BUILD_PAIR_CONDITION(stay->parent != NULL, "parent", SD_JSON_BUILD_STRING(stay->parent)),
                SD_JSON_BUILD_PAIR_CONDITION(requester != NULL, "requester", SD_JSON_BUILD_VARIANT(requester)),
                SD_JSON_BUILD_PAIR_CONDITION(modules != NULL, "modules", SD_JSON_BUILD_VARIANT(modules)),
                SD_JSON_BUILD_PAIR_CONDITION(in_use, "refCount", SD_JSON_BUILD_INTEGER(stay->ref_count)),
                SD_JSON_BUILD_PAIR_CONDITION(stay->changed, "changed", SD_JSON_BUILD_BOOLEAN(true)));
}

static int describe_need(const Need *need, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *through = NULL;
        _cleanup_(freep) char *name = NULL, *words = NULL, *text = NULL, *module = NULL;
        int r;

        r = describe_strings(need->through, &through);
        if (r >= 0)
                r = text_escape(need->name, &name);
        if (r >= 0)
                r = text_escape(need->module, &module);
        if (r >= 0)
                r = need_describe(need, &words);
        if (r >= 0)
                r = text_escape(words, &text);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("kind", need_kind_to_string(need->kind)),
                SD_JSON_BUILD_PAIR_STRING("name", name), SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_VARIANT("through", through), SD_JSON_BUILD_PAIR_STRING("text", text));
}

int describe_unload_steps(const UnloadPlan *plan, sd_json_variant **ret) {
        int r;

        assert(plan && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = describe_step(plan->steps + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

int describe_unload_stays(const UnloadPlan *plan, sd_json_variant **ret) {
        int r;

        assert(plan && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < plan->n_stays; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = describe_stay(plan->stays + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

int describe_needs(const NeedList *needs, const UnloadPlan *plan, sd_json_variant **ret) {
        int r;

        assert(needs && plan && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < needs->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (!unload_plan_find_step(plan, needs->items[i].module))
                        continue;
                r = describe_need(needs->items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}
