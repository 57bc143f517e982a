/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy preview: works out for every device of this machine which driver it gets with the modules of the running
 * kernel, and with those that --kernel or --root name, and reports what gets worse. Devices that ask for the same are
 * worked out once.
 */

#include <assert.h>
#include <inttypes.h>

#include "cli/offline/device.h"
#include "cli/offline/offline-policy.h"
#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/name-table.h"
#include "common/base/paths.h"
#include "common/base/string-arena.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-json.h"

typedef enum Change {
        CHANGE_NONE,
        CHANGE_LOST,                    /* there is no module for it */
        CHANGE_DENIED,                  /* its module is denied there */
        CHANGE_NEEDED_DENIED, /* one that is new, or was not needed before, keeps its driver out */
        CHANGE_WANTED_DENIED, /* it gets its driver, without something that comes along here */
        _CHANGE_MAX,
} Change;

typedef struct Preview {
        Run *run;
        const Index *here, *there;
        const OfflinePolicy *offline;
        NameTable *known; /* questions that were answered */
        StringArena strings;
        size_t n_devices, n_worse;
} Preview;

static const char *const change_names[_CHANGE_MAX] = {
        [CHANGE_LOST] = "lost",
        [CHANGE_DENIED] = "denied",
        [CHANGE_NEEDED_DENIED] = "needed_denied",
        [CHANGE_WANTED_DENIED] = "wanted_denied",
};

static void preview_clear(Preview *p) {
        name_table_free(p->known);
        string_arena_clear(&p->strings);
}

static bool plan_has_driver(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED && !plan->steps[i].fails)
                        return true;
        return false;
}

static bool plan_denies(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == PLAN_DENIED && streq(plan->omissions[i].module, module))
                        return true;
        return false;
}

/* The denial that is to be shown: of something that came along, that was not denied here. */
static const PlanOmission *find_denied_dependency(const Plan *here, const Plan *there) {
        for (size_t i = 0; i < there->n_omissions; i++) {
                const PlanOmission *o = there->omissions + i;

                if (o->kind == PLAN_DENIED && o->wanted_by && !plan_denies(here, o->module))
                        return o;
        }
        return NULL;
}

static const PlanOmission *find_requested_omission(const Plan *plan) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (!plan->omissions[i].wanted_by && plan->omissions[i].kind != PLAN_NOT_PREFERRED)
                        return plan->omissions + i;
        return NULL;
}

static Change compare(const Plan *here, const Plan *there, const PlanOmission **ret) {
        *ret = NULL;
        if (plan_has_driver(there)) {
                *ret = find_denied_dependency(here, there);
                return *ret ? CHANGE_WANTED_DENIED : CHANGE_NONE;
        }
        if (!plan_has_driver(here))
                return CHANGE_NONE;
        if (there->n_matches == 0)
                return CHANGE_LOST;
        *ret = find_denied_dependency(here, there);
        if (*ret)
                return CHANGE_NEEDED_DENIED;
        *ret = find_requested_omission(there);
        return *ret && (*ret)->kind != PLAN_DENIED && (*ret)->kind != PLAN_BLACKLISTED ? CHANGE_LOST
                                                                                       : CHANGE_DENIED;
}

static void print_drivers(FILE *f, const Plan *plan) {
        bool any = false;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED) {
                        (void) fputs(any ? ", " : "", f);
                        print_escaped(f, plan->steps[i].module);
                        any = true;
                }
}

static int write_story(FILE *f, Change change, const Plan *here, const PlanOmission *why) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        if (change == CHANGE_WANTED_DENIED)
                (void) fputs("gets its driver, but without ", f);
        else {
                (void) fputs("loses its driver ", f);
                print_drivers(f, here);
                (void) fputs(why ? ": " : ": no module there is for it", f);
        }
        if (!why)
                return 0;
        r = plan_omission_to_json(why, &v);
        if (r < 0)
                return r;
        print_escaped(f, why->module);
        (void) fputc(' ', f);
        print_omission(f, v);
        return 0;
}

static int report_json(Preview *p, const Device *d, const char *key, Change change, const Plan *here,
                     const PlanOmission *why, const char *story) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *omission = NULL, *drivers = NULL;
        _cleanup_(freep) char *path = NULL, *escaped = NULL;
        int r;

        r = sd_json_variant_new_array(&drivers, NULL, 0);
        for (size_t i = 0; r >= 0 && i < here->n_steps; i++)
                if (here->steps[i].reason == PLAN_REQUESTED) {
                        _cleanup_(sd_json_variant_unrefp) sd_json_variant *name = NULL;

                        r = sd_json_variant_new_string(&name, here->steps[i].module);
                        if (r >= 0)
                                r = sd_json_variant_append_array(&drivers, name);
                }
        if (r >= 0 && why)
                r = plan_omission_to_json(why, &omission);
        if (r < 0 || (r = text_escape(d->path, &path)) < 0 || (r = text_escape(key, &escaped)) < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("device", path), SD_JSON_BUILD_PAIR_STRING("key", escaped),
                SD_JSON_BUILD_PAIR_CONDITION(d->uevent.facts.subsystem != NULL, "subsystem",
                                             SD_JSON_BUILD_STRING(d->uevent.facts.subsystem)),
                SD_JSON_BUILD_PAIR_STRING("change", change_names[change]),
                SD_JSON_BUILD_PAIR_VARIANT("drivers", drivers),
                SD_JSON_BUILD_PAIR_CONDITION(omission != NULL, "omission", SD_JSON_BUILD_VARIANT(omission)),
                SD_JSON_BUILD_PAIR_STRING("message", story));
        return r < 0 ? r : output_json(&p->run->out, v);
}

static int report(Preview *p, const Device *d, const char *key, Change change, const Plan *here,
                const PlanOmission *why) {
        _cleanup_(freep) char *story = NULL;
        size_t size;
        FILE *f;
        int r;

        p->n_worse++;
        f = open_memstream(&story, &size);
        if (!f)
                return -ENOMEM;
        r = write_story(f, change, here, why);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        if (p->run->out.json != JSON_OFF)
                return report_json(p, d, key, change, here, why, story);
        if (!output_wants_text(&p->run->out))
                return 0;
        printf("%s",
               output_tone(&p->run->out, stdout, change == CHANGE_WANTED_DENIED ? TONE_WARN : TONE_BAD));
        print_escaped(stdout, d->path);
        printf("%s (", output_tone(&p->run->out, stdout, TONE_PLAIN));
        print_escaped(stdout, d->uevent.facts.subsystem ?: "?");
        printf(") %s\n", story);
        return 0;
}

static int look_at(Preview *p, const Device *d, const char *key) {
        PolicyRequester requester = device_get_requester(d);
        PlanRequest request = offline_policy_request(p->offline, &requester, PLAN_AUTOLOAD);
        _cleanup_(plan_freep) Plan *here = NULL, *there = NULL;
        const PlanOmission *why;
        Change change;
        int r;

        request.key = key;
        request.file_effort = FACTS_KNOWN; /* they are many */
        r = plan_new(&here, p->here, &request);
        if (r >= 0)
                r = plan_new(&there, p->there, &request);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* a key that is too long means nothing */
        change = compare(here, there, &why);
        return change == CHANGE_NONE ? 0 : report(p, d, key, change, here, why);
}

/* One of many devices that ask for the same is enough where nothing gets worse. */
static int on_device(const Device *d, void *userdata) {
        Preview *p = userdata;
        const char *keys[DEVICE_KEYS_MAX];
        size_t n = device_keys(&d->uevent.facts, keys);
        int r;

        p->n_devices += n > 0;
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *question = NULL;
                const char *kept;
                size_t before = p->n_worse;

                if (asprintf(&question, "%s %s %s", d->uevent.facts.subsystem ?: "",
                             d->uevent.facts.driver ?: "", keys[i]) < 0) {
                        question = NULL;
                        return -ENOMEM;
                }
                if (name_table_find(p->known, question, &(size_t) { 0 }))
                        continue;
                r = look_at(p, d, keys[i]);
                if (r < 0)
                        return r;
                if (p->n_worse > before)
                        continue;
                kept = string_arena_add(&p->strings, question, strlen(question));
                r = kept ? name_table_add(p->known, kept, 0) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int verb_policy_preview(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        _cleanup_(index_unrefp) const Index *here = NULL, *there = NULL;
        _cleanup_(preview_clear) Preview p = { .run = run, .offline = &offline };
        int r;

        if (!run->kernel && !run->root)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE,
                                         "ls /lib/modules; lkmctl help policy preview",
                                         "--kernel=RELEASE or --root=DIR is needed: with which modules?");
        r = offline_index(run, true, &there);
        if (r != 0)
                return r;
        r = offline_index_here(run, &here);
        if (r != 0)
                return r;
        r = offline_policy(run, &offline, NULL);
        if (r != 0)
                return r;
        r = name_table_new(&p.known);
        if (r < 0)
                return r;
        p.here = here;
        p.there = there;

        output_list_begin(&run->out);
        r = device_each(on_device, &p);
        if (r < 0)
                return r;
        r = output_list_end(&run->out);
        if (r < 0)
                return r;
        if (output_wants_text(&run->out) && p.n_worse == 0)
                printf("No device of %zu gets less with the modules in %s.\n", p.n_devices,
                       index_get_module_dir(there));
        r = output_flush();
        return r < 0 ? r : p.n_worse > 0 ? STATUS_FAILED : STATUS_DONE;
}
