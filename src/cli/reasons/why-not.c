/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * WhyNot: see why-not.h. The causes are looked for in the order in which they would stop a load, and the first one of
 * each candidate counts: what comes behind it may be its consequence. Owns its causes and candidates.
 */

#include "cli/reasons/why-not.h"

#include <assert.h>

#include "cli/machine/attribute.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/reasons/cause-device.h"
#include "cli/reasons/cause-kernel.h"
#include "cli/reasons/cause-name.h"
#include "cli/reasons/cause-outcome.h"
#include "cli/reasons/cause-plan.h"
#include "common/base/module-name.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/index/index-lookup.h"
#include "common/plan/kernel-names.h"
#include "common/plan/plan-builder.h"

/* Of a module that is not in the kernel. */
static const cause_look_t looks_at_absent[] = {
        cause_of_plan,    cause_of_kernel,           cause_of_symbols,
        cause_of_outcome, cause_of_plan_for_devices, cause_of_charge,
};

/* Of a device without a driver, whose module is in the kernel. */
static const cause_look_t looks_at_unbound[] = { cause_of_firmware, cause_of_probe };

void why_not_clear(WhyNot *w) {
        assert(w);

        cause_list_clear(&w->causes);
        string_list_free(w->candidates);
        cause_clear(&w->fine);
        *w = (WhyNot) {};
}

/* Return: 1: one was found and is in the list; 0; -ENOMEM. */
static int look(const Inquiry *q, const cause_look_t looks[], size_t n, CauseList *list) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                Cause c = {};

                r = looks[i](q, &c);
                if (r > 0 && cause_list_take(list, &c) < 0)
                        r = -ENOMEM;
        }
        return r;
}

static int fine_of_module(const Inquiry *q, bool there, Cause *ret) {
        sd_json_variant *record = field_object(field_object(q->described, "module"), "loadedBy");
        _cleanup_(freep) char *command = NULL, *date = NULL, *earlier = NULL;
        size_t size;
        FILE *f;
        int r;

        if (there && !q->module->path)
                return cause_make(ret, 0, q->name, NULL,
                                  "%s is part of the kernel image: there is nothing to load", q->name);
        if (!there) {
                if (asprintf(&command, "lkmctl load %s", q->module->name) < 0) {
                        command = NULL;
                        return -ENOMEM;
                }
                r = outcome_of_earlier(q, &earlier);
                if (r < 0)
                        return r;
                return cause_make(ret, 0, q->name, command,
                                  "%s is not loaded, and nothing stands in its way now%s", q->name,
                                  earlier ?: "");
        }
        if (!record)
                return cause_make(ret, 0, q->name, NULL, "%s is in the kernel", q->name);
        f = open_memstream(&date, &size);
        if (!f)
                return -ENOMEM;
        print_date(f, field_number(record, "timeUSec"));
        r = fclose(f) == 0 ? 0 : -ENOMEM;
        return r < 0 ? r : cause_make(ret, 0, q->name, NULL, "%s is in the kernel since %s", q->name, date);
}

static int describe(const WhyNotAsker *asker, const char *name, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        int r;

        if (!asker->client || !asker->status)
                return 0;
        r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", name));
        if (r >= 0)
                r = client_call(asker->client, "DescribeModule", parameters,
                                &(CallHooks) { .answer_usec = ANSWER_SOON_USEC, .silent = true }, ret);
        return r < 0 ? r : 0;
}

static int look_at_candidate(const WhyNotAsker *asker, Inquiry *q, WhyNot *w) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *described = NULL;
        FileFactsEffort effort = asker->brief ? FACTS_READ_UNUSUAL : FACTS_READ;
        size_t before = w->causes.n_items;
        int r, there;

        q->name = kernel_name_of(q->index, q->policy->facts, q->module->name, effort);
        there = inquiry_is_in_kernel(q);
        if (there < 0)
                return there;
        r = describe(asker, q->name, &described);
        if (r >= 0)
                r = string_list_append(&w->candidates, q->name, strlen(q->name));
        if (r < 0)
                return r;
        q->described = described;
        if (there && asker->container && !q->device)
                r = look(q, (const cause_look_t[]) { cause_of_plan }, 1, &w->causes);
        else if (!there)
                r = look(q, looks_at_absent, ARRAY_LEN(looks_at_absent), &w->causes);
        else if (q->device && !inquiry_driver(q) && (r = inquiry_can_have_driver(q)) > 0)
                r = look(q, looks_at_unbound, ARRAY_LEN(looks_at_unbound), &w->causes);
        if (r >= 0 && there && !asker->brief)
                r = look(q, (const cause_look_t[]) { cause_of_stale_build }, 1, &w->causes);
        if (r >= 0 && w->causes.n_items == before && !w->fine.sentence)
                r = fine_of_module(q, there, &w->fine);
        q->described = NULL;
        return r < 0 ? r : 0;
}

static int make_plan(const WhyNotAsker *asker, const Inquiry *q, Plan **ret) {
        PolicyRequester requester = { .origin = strchr(q->key, ':') ? ORIGIN_DEVICE : ORIGIN_CLIENT };
        PlanRequest request;

        if (q->device)
                requester = device_get_requester(q->device);
        else if (asker->container)
                requester = (PolicyRequester) { .origin = ORIGIN_CONTAINER, .container = asker->container };
        else
                requester.has_uid = requester.origin == ORIGIN_CLIENT; /* as root */
        offline_policy_complete(&requester, q->key, q->device != NULL);
        request = offline_policy_request(q->policy, &requester,
                                         requester.origin == ORIGIN_DEVICE ? PLAN_AUTOLOAD : PLAN_NAMED);
        request.key = q->key;
        if (asker->brief)
                request.file_effort = FACTS_READ_UNUSUAL;
        return plan_new(ret, q->index, &request);
}

/* All modules that the key means. Return: how many; -ENOMEM. */
static int look_at_all(const WhyNotAsker *asker, Inquiry *q, const IndexAnswer *answer, WhyNot *w) {
        int n = 0, r;

        for (size_t i = 0; i < answer->n_matches; i++) {
                bool again = false;

                q->module = answer->matches[i].module;
                if (!q->module)
                        continue;
                for (size_t k = 0; k < i; k++)
                        again |= answer->matches[k].module == q->module;
                if (again)
                        continue;
                r = look_at_candidate(asker, q, w);
                if (r < 0)
                        return r;
                n++;
        }
        q->module = NULL;
        return n;
}

/*
 * Whatever the key means. Return: 1: it means a module, or is turned off; 0: it means nothing here, which is not in
 * @w; -ENOMEM.
 */
static int ask(const WhyNotAsker *asker, Inquiry *q, WhyNot *w) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        char name[MODULE_NAME_MAX + 1];
        const IndexModule *other = NULL;
        int r;

        r = index_lookup(q->index, q->key, &answer);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return 0;
        if (answer.n_matches == 0 && module_name_normalize(q->key, name, sizeof(name)) >= 0) {
                other = kernel_name_find(q->index, q->policy->facts, name);
                if (!other)
                        return 0;
                q->key = other->name;
                r = index_lookup(q->index, q->key, &answer);
        }
        if (r >= 0)
                r = make_plan(asker, q, &plan);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        q->plan = plan;
        r = look_at_all(asker, q, &answer, w);
        if (r == 0)
                r = look(q, (const cause_look_t[]) { cause_of_plan }, 1, &w->causes);
        q->plan = NULL;
        return r < 0 ? r : r > 0;
}

static Inquiry inquiry_of(const WhyNotAsker *asker, const char *key, const Device *device) {
        return (Inquiry) {
                .machine = &asker->machine,
                .index = asker->index,
                .policy = asker->policy,
                .kernel_lines = asker->kernel_lines,
                .status = asker->status,
                .brief = asker->brief,
                .key = key,
                .device = device,
        };
}

static int say_unknown(Inquiry *q, WhyNot *w) {
        w->unknown = true;
        return look(q, (const cause_look_t[]) { cause_of_name }, 1, &w->causes);
}

/**
 * why_not_of_key() - about a name, an alias or a modalias
 * @ret: to be cleared, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int why_not_of_key(const WhyNotAsker *asker, const char *key, WhyNot *ret) {
        Inquiry q;
        int r;

        assert(asker && key && ret);

        *ret = (WhyNot) {};
        q = inquiry_of(asker, key, NULL);
        r = ask(asker, &q, ret);
        if (r == 0)
                r = say_unknown(&q, ret);
        return r < 0 ? r : 0;
}

/* The module of the driver that a device has; NULL: it is built in. */
static int module_of_driver(const WhyNotAsker *asker, const Device *d, char **ret) {
        _cleanup_(freep) char *directory = NULL;
        int r;

        if (asprintf(&directory, "%s%s/driver", asker->machine.sys, d->path) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = attribute_link_new(directory, "module", ret);
        return r == -ENOMEM ? r : 0;
}

/* Is a module among those that the device asks for? Also if none is known for it: others may load what they like. */
static int is_candidate(const WhyNotAsker *asker, const Device *d, const char *module,
                        char ***ret_candidates) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t n = device_keys(&d->uevent.facts, keys);
        bool any = false, found = false;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(index_answer_clear) IndexAnswer answer = {};

                if (index_lookup(asker->index, keys[i], &answer) < 0)
                        continue;
                for (size_t k = 0; k < answer.n_matches; k++) {
                        const char *name = answer.matches[k].name;

                        any = true;
                        found |= streq(name, module);
                        if (!string_list_contains(*ret_candidates, name) &&
                            string_list_append(ret_candidates, name, strlen(name)) < 0)
                                return -ENOMEM;
                }
        }
        return found || !any;
}

/**
 * why_not_only_candidates() - the modules that a device asks for, without what stands in their way
 * @ret: to be cleared, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int why_not_only_candidates(const WhyNotAsker *asker, const Device *device, WhyNot *ret) {
        int r;

        assert(asker && device && ret);

        *ret = (WhyNot) {};
        r = is_candidate(asker, device, "", &ret->candidates);
        return r < 0 ? r : 0;
}

/* A device with a driver: that of a module which it does not ask for, such as vfio-pci, keeps others away. */
static int look_at_bound(const WhyNotAsker *asker, const Device *d, WhyNot *w) {
        const char *driver = d->uevent.facts.driver, *name = d->uevent.facts.sysname ?: d->path;
        _cleanup_(freep) char *module = NULL, *command = NULL;
        Cause c = {};
        int r;

        r = module_of_driver(asker, d, &module);
        if (r < 0)
                return r;
        r = is_candidate(asker, d, module ?: "", &w->candidates);
        if (r < 0)
                return r;
        if (!module)
                return cause_make(&w->fine, 0, NULL, NULL,
                                  "%s has the driver %s, which is part of the kernel image", name, driver);
        if (r > 0)
                return cause_make(&w->fine, 0, module, NULL, "%s has the driver %s, of the module %s", name,
                                  driver, module);
        if (asprintf(&command, "echo %s > %s%s/driver/unbind; lkmctl why-not %s", name, asker->machine.sys,
                     d->path, name) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        r = cause_make(&c, CAUSE_OTHER_DRIVER, module, command,
                       "%s has the driver %s, of the module %s, which is not one that it asks for", name,
                       driver, module);
        return r < 0 ? r : cause_list_take(&w->causes, &c);
}

/**
 * why_not_of_device() - about a device
 * @ret: to be cleared, also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int why_not_of_device(const WhyNotAsker *asker, const Device *device, WhyNot *ret) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t n = device_keys(&device->uevent.facts, keys);
        bool known = false;
        Inquiry q;
        int r;

        assert(asker && device && ret);

        *ret = (WhyNot) {};
        if (device->uevent.facts.driver) {
                r = look_at_bound(asker, device, ret);
                return r < 0 ? r : 0;
        }
        q = inquiry_of(asker, n > 0 ? keys[0] : "", device);
        r = look(&q, (const cause_look_t[]) { cause_of_device }, 1, &ret->causes);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; i < n; i++) {
                q = inquiry_of(asker, keys[i], device);
                r = ask(asker, &q, ret);
                if (r < 0)
                        return r;
                known |= r > 0;
        }
        if (known)
                return 0;
        q = inquiry_of(asker, keys[0], device);
        r = say_unknown(&q, ret);
        return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------------------------------------------ printing */

/* The names of the candidates as an array; names of files may be any bytes. Return: 0; negative errno. */
int why_not_candidates_to_json(const WhyNot *w, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        assert(w && ret);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (char **s = w->candidates; r >= 0 && s && *s; s++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *name = NULL;

                r = text_escape(*s, &name);
                if (r >= 0)
                        r = sd_json_variant_new_string(&v, name);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;

        *ret = STEAL_PTR(array);
        return 0;
}

/* {subject, causes, candidates, sentence?, command?}; the last two where there is no cause */
int why_not_to_json(const WhyNot *w, const char *subject, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *causes = NULL, *candidates = NULL;
        _cleanup_(freep) char *escaped = NULL;
        const bool fine = w->causes.n_items == 0;
        int r;

        assert(w && subject && ret);

        r = text_escape(subject, &escaped);
        if (r >= 0)
                r = cause_list_to_json(&w->causes, &causes);
        if (r >= 0)
                r = why_not_candidates_to_json(w, &candidates);
        if (r < 0)
                return r;
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("subject", escaped),
                              SD_JSON_BUILD_PAIR_VARIANT("causes", causes),
                              SD_JSON_BUILD_PAIR_VARIANT("candidates", candidates),
                              SD_JSON_BUILD_PAIR_CONDITION(fine && w->fine.sentence, "sentence",
                                                           SD_JSON_BUILD_STRING(w->fine.sentence)),
                              SD_JSON_BUILD_PAIR_CONDITION(fine && w->fine.command, "command",
                                                           SD_JSON_BUILD_STRING(w->fine.command)));
}

/* Each cause with what to try; what is fine only if nothing else is to be said. */
void why_not_print(const Output *out, const WhyNot *w, const char *indent) {
        assert(out && w && indent);

        for (size_t i = 0; i < w->causes.n_items; i++)
                cause_print(out, w->causes.items + i, indent);
        if (w->causes.n_items == 0 && w->fine.sentence)
                cause_print(out, &w->fine, indent);
}
