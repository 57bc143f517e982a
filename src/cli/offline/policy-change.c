/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyChange: see policy-change.h. Each question is worked out once under both policies, by the plans that lkmd
 * would make, and the two are compared module by module. Owns the items and what it has asked; borrows policies and
 * index.
 */

#include "cli/offline/policy-change.h"

#include <assert.h>

#include "cli/offline/device.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/array.h"
#include "common/base/name-table.h"
#include "common/base/string-arena.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/device/modalias-subsystem.h"
#include "common/explain/omission-text.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-json.h"

typedef enum ChangeKind {
        CHANGE_REFUSED,
        CHANGE_WOULD_REFUSE,            /* if what is in audit mode were enforced */
        CHANGE_ALLOWED,
        _CHANGE_KIND_MAX,
} ChangeKind;

static const char *const kind_names[_CHANGE_KIND_MAX] = {
        [CHANGE_REFUSED] = "refused",
        [CHANGE_WOULD_REFUSE] = "would_refuse",
        [CHANGE_ALLOWED] = "allowed",
};
static const char *const kind_titles[_CHANGE_KIND_MAX] = {
        [CHANGE_REFUSED] = "Refused from now on:",
        [CHANGE_WOULD_REFUSE] = "Reported from now on, and refused once the rule is enforced:",
        [CHANGE_ALLOWED] = "Allowed from now on, and refused so far:",
};

typedef struct Item {
        ChangeKind kind;
        char *module;
        char *asker;                    /* the first one; NULL: only what is loaded was looked at */
        size_t n_askers;
        bool loaded;
        sd_json_variant *omission; /* what decides, after the change or, if it is allowed then, before it */
} Item;

struct PolicyChange {
        const Index *index;
        const OfflinePolicy *before, *after;
        NameTable *known; /* questions that have been asked */
        StringArena strings;
        size_t n_questions;
        Item *items;
        size_t n_items;
};

/* What one policy answers to one question. */
typedef struct Answer {
        Plan *plan;
        Plan *enforced; /* if nothing were in audit mode; NULL: the same */
} Answer;

static void answer_clear(Answer *a) {
        plan_free(a->plan);
        plan_free(a->enforced);
}

int policy_change_new(PolicyChange **ret, const Index *index, const OfflinePolicy *before,
                      const OfflinePolicy *after) {
        _cleanup_(policy_change_freep) PolicyChange *c = NULL;
        int r;

        assert(ret && index && before && after);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->index = index;
        c->before = before;
        c->after = after;
        r = name_table_new(&c->known);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(c);
        return 0;
}

/* Return: NULL. */
PolicyChange *policy_change_free(PolicyChange *c) {
        if (!c)
                return NULL;

        for (size_t i = 0; i < c->n_items; i++) {
                free(c->items[i].module);
                free(c->items[i].asker);
                sd_json_variant_unref(c->items[i].omission);
        }
        free(c->items);
        name_table_free(c->known);
        string_arena_clear(&c->strings);
        free(c);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------- comparing */

static const PlanOmission *find_refusal(const Plan *plan, const char *module) {
        for (size_t i = 0; plan && i < plan->n_omissions; i++)
                if (omission_is_refusal(plan->omissions + i) && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

static bool has_step(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, module) && !plan->steps[i].fails)
                        return true;
        return false;
}

static Item *find_item(PolicyChange *c, ChangeKind kind, const char *module) {
        for (size_t i = 0; i < c->n_items; i++)
                if (c->items[i].kind == kind && streq(c->items[i].module, module))
                        return c->items + i;
        return NULL;
}

/* @asker: NULL: it is loaded, and nobody is known to have asked */
static int note(PolicyChange *c, ChangeKind kind, const PlanOmission *o, const char *asker) {
        Item *item = find_item(c, kind, o->module), new = { .kind = kind };
        int r;

        if (!item) {
                r = array_grow(&c->items, c->n_items, sizeof(*c->items));
                if (r >= 0)
                        r = plan_omission_to_json(o, &new.omission);
                if (r < 0)
                        return r;
                new.module = strdup(o->module);
                if (!new.module) {
                        sd_json_variant_unref(new.omission);
                        return -ENOMEM;
                }
                item = c->items + c->n_items++;
                *item = new;
        }
        item->loaded |= !asker;
        item->n_askers += asker != NULL;
        if (asker && !item->asker) {
                item->asker = strdup(asker);
                return item->asker ? 0 : -ENOMEM;
        }
        return 0;
}

/* @plan: after the change; @reference: before it */
static int note_refusals(PolicyChange *c, ChangeKind kind, const Plan *plan, const Plan *reference,
                         const char *asker) {
        int r = 0;

        for (size_t i = 0; r >= 0 && plan && i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                if (find_refusal(plan, o->module) == o && has_step(reference, o->module))
                        r = note(c, kind, o, asker);
        }
        return r;
}

static int compare(PolicyChange *c, const Answer *before, const Answer *after, const char *asker) {
        int r;

        r = note_refusals(c, CHANGE_REFUSED, after->plan, before->plan, asker);
        for (size_t i = 0; r >= 0 && after->enforced && i < after->enforced->n_omissions; i++) {
                const PlanOmission *o = after->enforced->omissions + i;

                if (find_refusal(after->enforced, o->module) == o && has_step(after->plan, o->module) &&
                    has_step(before->enforced ?: before->plan, o->module))
                        r = note(c, CHANGE_WOULD_REFUSE, o, asker);
        }
        for (size_t i = 0; r >= 0 && i < before->plan->n_omissions; i++) {
                const PlanOmission *o = before->plan->omissions + i;

                if (find_refusal(before->plan, o->module) == o && has_step(after->plan, o->module))
                        r = note(c, CHANGE_ALLOWED, o, asker);
        }
        return r;
}

static int answer(const PolicyChange *c, const OfflinePolicy *policy, const char *key,
                  const PolicyRequester *requester, Answer *ret) {
        PlanMode mode = requester ? offline_policy_mode(requester->origin) : PLAN_NAMED;
        PlanRequest request = offline_policy_request(policy, requester, mode);
        int r;

        request.key = key;
        request.file_effort = FACTS_KNOWN; /* they are many */
        r = plan_new(&ret->plan, c->index, &request);
        if (r < 0 || !ret->plan->audited)
                return r;
        request.as_if_enforced = true;
        return plan_new(&ret->enforced, c->index, &request);
}

/* Has it been asked before? */
static int is_new(PolicyChange *c, const char *key, const PolicyRequester *requester) {
        static const PolicyRequester nobody = { .origin = _ORIGIN_INVALID };
        const PolicyRequester *q = requester ?: &nobody;
        _cleanup_(freep) char *question = NULL;
        const char *kept;
        int r;

        if (asprintf(&question, "%d %s %s %s %s %s %lld %s", (int) q->origin, q->subsystem ?: "",
                     q->driver ?: "", q->unit ?: "", q->command ?: "", q->container ?: "",
                     q->has_uid ? (long long) q->uid : -1, key) < 0) {
                question = NULL;
                return -ENOMEM;
        }
        if (name_table_find(c->known, question, &(size_t) { 0 }))
                return 0;
        kept = string_arena_add(&c->strings, question, strlen(question));
        r = kept ? name_table_add(c->known, kept, 0) : -ENOMEM;
        c->n_questions++;
        return r < 0 ? r : 1;
}

/* @requester: NULL: not known. @asker: who that is, in words; NULL: likewise */
static int ask(PolicyChange *c, const char *key, const PolicyRequester *requester, const char *asker) {
        _cleanup_(answer_clear) Answer before = {}, after = {};
        int r;

        r = is_new(c, key, requester);
        if (r <= 0)
                return r;
        r = answer(c, c->before, key, requester, &before);
        if (r >= 0)
                r = answer(c, c->after, key, requester, &after);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* a key that is too long means nothing */
        return compare(c, &before, &after, asker);
}

/* ------------------------------------------------------------------------------------------------- questions */

static int on_device(const Device *d, void *userdata) {
        PolicyRequester requester = device_get_requester(d);
        const char *keys[DEVICE_KEYS_MAX], *slash = strrchr(d->path, '/');
        size_t n = device_keys(&d->uevent.facts, keys);
        _cleanup_(freep) char *asker = NULL;
        int r = 0;

        if (asprintf(&asker, "device %s", slash ? slash + 1 : d->path) < 0) {
                asker = NULL;
                return -ENOMEM;
        }
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = ask(userdata, keys[i], &requester, asker);
        return r < 0 ? r : 0;
}

/* What the devices of this machine would ask for. */
int policy_change_add_devices(PolicyChange *c) {
        int r;

        assert(c);

        r = device_each(on_device, c);
        return r == -ENOENT ? 0 : r; /* there is no /sys */
}

static int describe_asker(sd_json_variant *requester, const char *key, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        print_requester_short(f, requester);
        if (!field_string(requester, "device")) {
                (void) fputs(" (", f);
                print_escaped(f, key);
                (void) fputc(')', f);
        }
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

/**
 * policy_change_add_asked() - something that was asked for
 * @requester: as the type Requester of io.lkmd.Manager; an AuditEntry has the same fields
 */
int policy_change_add_asked(PolicyChange *c, sd_json_variant *requester) {
        const char *key = field_string(requester, "key"), *origin = field_string(requester, "origin");
        _cleanup_(freep) char *asker = NULL;
        PolicyRequester q;
        uint64_t uid;
        int r;

        assert(c);

        q = (PolicyRequester) {
                .origin = origin ? request_origin_from_string(origin) : _ORIGIN_INVALID,
                .subsystem = field_string(requester, "subsystem"),
                .driver = field_string(requester, "driver"),
                .unit = field_string(requester, "unit"),
                .command = field_string(requester, "command"),
                .container = field_string(requester, "container"),
        };
        if (!key || q.origin < 0 || q.origin >= _ORIGIN_ASKED_MAX)
                return 0; /* lkmd was not asked */
        if (q.origin != ORIGIN_KERNEL)
                q.command = NULL; /* of clients it is not known for certain */
        if (q.origin == ORIGIN_DEVICE && !q.subsystem)
                q.subsystem = modalias_subsystem(key);
        if (field_unsigned(requester, "uid", &uid)) {
                q.has_uid = true;
                q.uid = (uid_t) uid;
        } else if (q.origin == ORIGIN_KERNEL) {
                q.has_uid = true;
                q.uid = POLICY_UID_UNKNOWN;
        }
        r = describe_asker(requester, key, &asker);
        return r < 0 ? r : ask(c, key, &q, asker);
}

/* A module in the kernel, whoever wanted it. */
int policy_change_add_loaded(PolicyChange *c, const char *module) {
        int r;

        assert(c && module);

        for (size_t i = 0; i < c->n_items; i++)
                c->items[i].loaded |= is_same_module(c->items[i].module, module);
        r = ask(c, module, NULL, NULL);
        return r < 0 ? r : 0;
}

/* --------------------------------------------------------------------------------------------------- answers */

size_t policy_change_count(const PolicyChange *c) {
        assert(c);

        return c->n_items;
}

static void print_item(const Item *item, FILE *f, const Output *out) {
        Tone tone = item->kind == CHANGE_REFUSED   ? TONE_BAD
                    : item->kind == CHANGE_ALLOWED ? TONE_GOOD
                                                   : TONE_WARN;

        fprintf(f, "  %s", output_tone(out, f, tone));
        print_escaped(f, item->module);
        fprintf(f, "%s  ", output_tone(out, f, TONE_PLAIN));
        print_omission(f, item->omission);
        if (item->asker) {
                (void) fputs("; asked for by ", f);
                print_escaped(f, item->asker);
        }
        if (item->n_askers > 1)
                fprintf(f, " and %zu other%s", item->n_askers - 1, item->n_askers == 2 ? "" : "s");
        if (item->loaded)
                (void) fputs(item->kind == CHANGE_ALLOWED ? "; it is loaded" : "; it is loaded, and stays",
                             f);
        (void) fputc('\n', f);
}

void policy_change_print(const PolicyChange *c, FILE *f, const Output *out) {
        assert(c && f && out);

        for (ChangeKind kind = 0; kind < _CHANGE_KIND_MAX; kind++) {
                bool any = false;

                for (size_t i = 0; i < c->n_items; i++) {
                        if (c->items[i].kind != kind)
                                continue;
                        if (!any)
                                fprintf(f, "%s\n", kind_titles[kind]);
                        any = true;
                        print_item(c->items + i, f, out);
                }
        }
        if (c->n_items == 0)
                fprintf(f, "None of %zu requests of this machine is answered differently.\n",
                        c->n_questions);
}

static int item_to_json(const Item *item, sd_json_variant **ret) {
        _cleanup_(freep) char *asker = NULL;
        int r;

        r = text_escape(item->asker ?: "", &asker);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("change", kind_names[item->kind]),
                SD_JSON_BUILD_PAIR_STRING("module", item->module),
                SD_JSON_BUILD_PAIR_BOOLEAN("loaded", item->loaded),
                SD_JSON_BUILD_PAIR_UNSIGNED("requesters", item->n_askers),
                SD_JSON_BUILD_PAIR_CONDITION(item->asker != NULL, "requester", SD_JSON_BUILD_STRING(asker)),
                SD_JSON_BUILD_PAIR_VARIANT("omission", item->omission));
}

/* An array. */
int policy_change_to_json(const PolicyChange *c, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        assert(c && ret);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < c->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = item_to_json(c->items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(array);
        return 0;
}
