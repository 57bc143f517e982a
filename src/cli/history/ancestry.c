/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ancestry: the records from a module up to the one that was asked for itself. All that a request brings along have
 * the same requester, so the record of a parent is that load of it which has the requester of the child; a parent that
 * was there before, for another request, has an earlier one.
 */

#include "cli/history/ancestry.h"

#include <assert.h>
#include <string.h>

#include "cli/print/fields.h"
#include "common/base/array.h"
#include "common/base/limits.h"

static int add_step(Ancestry *c, const char *module, sd_json_variant *record) {
        AncestryStep *step;

        if (array_grow(&c->steps, c->n_steps, sizeof(*c->steps)) < 0)
                return -ENOMEM;
        step = c->steps + c->n_steps;
        *step = (AncestryStep) { .module = strdup(module), .record = sd_json_variant_ref(record) };
        c->n_steps++;
        return step->module ? 0 : -ENOMEM;
}

static bool has_step(const Ancestry *c, const char *module) {
        for (size_t i = 0; i < c->n_steps; i++)
                if (streq(c->steps[i].module, module))
                        return true;
        return false;
}

static bool is_attempt(sd_json_variant *record, const char *module) {
        return sd_json_variant_by_key(record, "reason") &&
               (streq_ptr(field_string(record, "module"), module) ||
                streq_ptr(field_string(record, "fileModule"), module));
}

/* The record of the parent by the same request; else of its load; NULL: there is none. */
static sd_json_variant *find_parent(const History *history, const char *parent, sd_json_variant *child) {
        sd_json_variant *requester = field_object(child, "requester");

        for (size_t i = history->n_entries; i > 0; i--) {
                sd_json_variant *record = history_record(history, i - 1);

                if (is_attempt(record, parent) &&
                    sd_json_variant_equal(field_object(record, "requester"), requester))
                        return record;
        }
        return history_find_load(history, parent);
}

/**
 * ancestry_fetch() - ask lkmd for the records from a module up to whoever wanted it
 * @history: of the module
 * @ret:     cleared by ancestry_clear(), also after a failure
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int ancestry_fetch(Client *client, const History *history, const char *module, Ancestry *ret) {
        sd_json_variant *record;
        const char *parent;
        int r;

        assert(client && history && module && ret);

        *ret = (Ancestry) {};
        record = history_find_load(history, module);
        if (!record)
                return 0;
        r = add_step(ret, module, record);
        while (r == 0 && record && (parent = field_string(record, "parent")) && !has_step(ret, parent) &&
               ret->n_steps < CAUSE_STEPS_MAX) {
                _cleanup_(history_clear) History of_parent = {};

                r = history_fetch(client, parent, &of_parent);
                if (r != 0)
                        return r;
                r = add_step(ret, parent, find_parent(&of_parent, parent, record));
                record = ret->steps[ret->n_steps - 1].record;
        }
        return r;
}

void ancestry_clear(Ancestry *c) {
        assert(c);

        for (size_t i = 0; i < c->n_steps; i++) {
                free(c->steps[i].module);
                sd_json_variant_unref(c->steps[i].record);
        }
        free(c->steps);
        *c = (Ancestry) {};
}

/* Who asked for the last of the modules, and thereby for all; borrowed. NULL: not known. */
sd_json_variant *ancestry_requester(const Ancestry *c) {
        assert(c);

        for (size_t i = c->n_steps; i > 0; i--)
                if (c->steps[i - 1].record)
                        return field_object(c->steps[i - 1].record, "requester");
        return NULL;
}

/**
 * ancestry_to_json() - {"module", "record", "wantedBy": {"module", "record", "wantedBy": {"requester"}}}
 *
 * Return: 0, with NULL if nothing is known; what sd-json says.
 */
int ancestry_to_json(const Ancestry *c, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *inner = NULL;
        sd_json_variant *requester = ancestry_requester(c);
        int r = 0;

        assert(ret);

        if (requester)
                r = sd_json_buildo(&inner, SD_JSON_BUILD_PAIR_VARIANT("requester", requester));
        for (size_t i = c->n_steps; r >= 0 && i > 0; i--) {
                const AncestryStep *step = c->steps + i - 1;
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("module", step->module),
                                   SD_JSON_BUILD_PAIR_CONDITION(step->record != NULL, "record",
                                                                SD_JSON_BUILD_VARIANT(step->record)),
                                   SD_JSON_BUILD_PAIR_CONDITION(inner != NULL, "wantedBy",
                                                                SD_JSON_BUILD_VARIANT(inner)));
                sd_json_variant_unref(inner);
                inner = STEAL_PTR(v);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(inner);
        return 0;
}
