/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Grant, Revoke, Audit and ClearAudit, and the policy in the reply of Status. */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/glob.h"
#include "common/base/limits.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/device/module-devices.h"
#include "common/interface/interface.h"
#include "common/plan/plan-json.h"
#include "daemon/history/journal.h"
#include "daemon/history/record-json.h"
#include "daemon/planning/loaded-denied.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

/* -------------------------------------------------------------------------------------------------- grants */

/* When it expires by the wall clock as it is set now, since setting the clock does not prolong a grant. */
static uint64_t find_end(const Grant *g) {
        uint64_t now_boot = clock_usec(CLOCK_BOOTTIME);

        if (g->ends_boot_usec == UINT64_MAX)
                return g->expires_usec;
        return MIN(g->expires_usec,
                   clock_usec(CLOCK_REALTIME) + (g->ends_boot_usec - MIN(g->ends_boot_usec, now_boot)));
}

static int describe_grant(const Grant *g, sd_json_variant **ret) {
        uint64_t end_usec = find_end(g);
        _cleanup_(freep) char *module = NULL, *reason = NULL;
        int r;

        r = text_escape(g->module, &module);
        if (r >= 0)
                r = text_escape(g->reason, &reason);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("id", g->id), SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_STRING("verdict", policy_verdict_to_string(g->verdict)),
                SD_JSON_BUILD_PAIR_STRING("reason", reason),
                SD_JSON_BUILD_PAIR_CONDITION(end_usec != UINT64_MAX, "expiresUSec", SD_JSON_BUILD_UNSIGNED(end_usec)),
                SD_JSON_BUILD_PAIR_BOOLEAN("once", g->once),
                SD_JSON_BUILD_PAIR_CONDITION(g->has_uid, "uid", SD_JSON_BUILD_UNSIGNED(g->uid)),
                SD_JSON_BUILD_PAIR_UNSIGNED("createdUSec", g->created_usec));
}

typedef struct GrantParameters {
        const char *module, *verdict, *reason; /* borrowed */
        int64_t for_usec;
        int has_for;
        bool once;
} GrantParameters;

static int dispatch_for(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *userdata) {
        GrantParameters *p = userdata;

        if (sd_json_variant_is_null(v))
                return 0;
        p->has_for = true;
        return sd_json_dispatch_int64(name, v, flags, &p->for_usec);
}

/* "InvalidParameter", with a message and a hint. */
static int reply_invalid(sd_varlink *link, const char *parameter, const char *message, const char *hint) {
        return sd_varlink_errorbo(link, SD_VARLINK_ERROR_INVALID_PARAMETER,
                                  SD_JSON_BUILD_PAIR_STRING("parameter", parameter),
                                  SD_JSON_BUILD_PAIR_STRING("message", message),
                                  SD_JSON_BUILD_PAIR_STRING("hint", hint));
}

/* Return: 0: valid; else what a method handler returns: the error was sent. */
static int check_grant(sd_varlink *link, const GrantParameters *p) {
        const char *problem;
        int r = 0;

        if ((problem = grant_check_module(p->module)))
                r = reply_invalid(link, "module", problem, "name one module, or several by a glob such as usb*");
        else if ((problem = grant_check_reason(p->reason)))
                r = reply_invalid(link, "reason", problem, "say in a sentence what it is for");
        else if (p->has_for && p->once)
                r = reply_invalid(link, "once", "it cannot be both for a time and for one request",
                                  "give one of forUSec and once, or neither for until the reboot");
        else if (p->has_for && p->for_usec <= 0)
                r = reply_invalid(link, "forUSec", "the time has to be longer than nothing",
                                  "leave it out for until the reboot");
        else if (p->has_for && (uint64_t) p->for_usec > GRANT_USEC_MAX)
                r = reply_invalid(link, "forUSec", "that is longer than ten years",
                                  "what is to hold for good belongs into policy.d");
        else
                return 0;
        return r < 0 ? r : 1;
}

static void log_grant(const Request *request, const Grant *g, const char *what) {
        LogFields fields = journal_fields(request);

        fields.module = g->module;
        fields.rule = g->id;
        log_entry(LOG_NOTICE, &fields, "%s %s: %s %s: %s", g->id, what,
                  g->verdict == POLICY_ALLOW ? "allows" : "denies", g->module, g->reason);
}

int vl_method_grant(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "module", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(GrantParameters, module), SD_JSON_MANDATORY },
                { "verdict", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(GrantParameters, verdict), SD_JSON_MANDATORY },
                { "reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(GrantParameters, reason), SD_JSON_MANDATORY },
                { "forUSec", _SD_JSON_VARIANT_TYPE_INVALID, dispatch_for, 0, SD_JSON_NULLABLE },
                { "once", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(GrantParameters, once),
                  SD_JSON_NULLABLE },
                {}
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *described = NULL, *reply = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        GrantParameters p = {};
        Service *s = userdata;
        const Grant *grant;
        int r;

        r = service_admit(s, link, "Grant", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        r = check_grant(link, &p);
        if (r != 0)
                return r < 0 ? r : 0;
        r = request_of_client(s, link, p.module, &request);
        if (r < 0)
                return r;

        r = policy_keeper_grant(s->context.policy,
                                &(Grant) {
                                        .module = (char *) p.module, /* only read */
                                        .reason = (char *) p.reason,
                                        .verdict = policy_verdict_from_string(p.verdict),
                                        .expires_usec = p.has_for ? clock_usec(CLOCK_REALTIME) + (uint64_t) p.for_usec
                                                                  : UINT64_MAX,
                                        .once = p.once,
                                        .has_uid = request->has_peer,
                                        .uid = request->uid,
                                },
                                &grant);
        if (r == -ENOSPC)
                return reply_invalid(link, "module", "there are too many grants", "lkmctl status lists them; revoke some");
        if (r == -EBADMSG)
                return reply_invalid(link, "module", "no policy can say that", "use plain letters");
        if (r < 0)
                return r;
        log_grant(request, grant, "given");
        r = describe_grant(grant, &described);
        if (r >= 0)
                r = sd_json_buildo(&reply, SD_JSON_BUILD_PAIR_VARIANT("grant", described));
        return r < 0 ? r : service_reply_after_looks(s, link, flags, reply);
}

typedef struct Keeping {
        const char *granted;            /* glob of modules */
        sd_json_variant *array;
        int error;
} Keeping;

static int add_keeping(const char *module, const PolicyRuling *ruling, void *userdata) {
        _cleanup_(string_list_freep) char **devices = NULL;
        Keeping *k = userdata;
        int r = 0;

        if (!glob_match(k->granted, module))
                return 0;
        r = module_devices_new(NULL, module, &devices);
        for (char **device = devices; r >= 0 && *device; device++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *shown = NULL;

                r = text_escape(*device, &shown);
                if (r >= 0)
                        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("device", shown),
                                           SD_JSON_BUILD_PAIR_STRING("module", module));
                if (r >= 0)
                        r = sd_json_variant_append_array(&k->array, v);
        }
        k->error = r;
        return r;
}

/* Devices whose driver would be denied now: what a grant has allowed stays in the kernel. */
static int describe_keeping(const ServiceContext *context, const char *granted, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        Keeping k = { .granted = granted };
        int r;

        r = sd_json_variant_new_array(&k.array, NULL, 0);
        if (r < 0)
                return r;
        (void) loaded_denied_list(context->planner, add_keeping, &k); /* none without /proc/modules */
        array = k.array;
        return k.error < 0 ? k.error : sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("keeping", array));
}

typedef struct RevokeParameters {
        const char *id;                 /* borrowed */
} RevokeParameters;

int vl_method_revoke(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "id", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(RevokeParameters, id),
                  SD_JSON_MANDATORY },
                {}
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(freep) char *module = NULL;
        RevokeParameters p = {};
        Service *s = userdata;
        const Grant *grant;
        int r;

        r = service_admit(s, link, "Revoke", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;

        grant = grants_find(policy_keeper_get_grants(s->context.policy), p.id);
        if (!grant)
                return reply_message(link, LKMD_ERROR_NO_SUCH_GRANT, "lkmctl status lists the grants that hold",
                                     "there is no grant '%s'; it may be over or used up", p.id);
        r = request_of_client(s, link, grant->module, &request);
        if (r < 0)
                return r;
        module = strdup(grant->module);
        if (!module)
                return -ENOMEM;
        log_grant(request, grant, "taken back");
        r = policy_keeper_revoke(s->context.policy, p.id);
        if (r >= 0)
                r = describe_keeping(&s->context, module, &reply);
        return r < 0 ? r : service_reply_after_looks(s, link, flags, reply);
}

/* --------------------------------------------------------------------------------------------------- audit */

int vl_method_audit(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "thisBoot", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0, SD_JSON_NULLABLE }, {}
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *entries = NULL;
        Service *s = userdata;
        const AuditHead *head;
        bool this_boot = false;
        int r;

        r = service_admit(s, link, "Audit", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &this_boot);
        if (r != 0)
                return r;

        r = audit_describe(s->context.audit, this_boot, &entries);
        if (r < 0)
                return r;
        head = audit_get_head(s->context.audit);
        return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("entries", entries),
                                  SD_JSON_BUILD_PAIR_UNSIGNED("dropped", head->n_dropped),
                                  SD_JSON_BUILD_PAIR_UNSIGNED("sinceUSec", head->since_usec),
                                  SD_JSON_BUILD_PAIR_UNSIGNED("boots", head->n_boots + 1),
                                  SD_JSON_BUILD_PAIR_BOOLEAN("earlier", head->joined));
}

int vl_method_clear_audit(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                          void *userdata) {
        _cleanup_(request_unrefp) Request *request = NULL;
        Service *s = userdata;
        LogFields fields;
        int r;

        r = service_admit(s, link, "ClearAudit", flags);
        if (r != 0)
                return r;
        r = dispatch_nothing(link, parameters);
        if (r != 0)
                return r;
        r = request_of_client(s, link, "audit", &request);
        if (r < 0)
                return r;

        fields = journal_fields(request);
        fields.key = NULL;              /* it asks for no module */
        log_entry(LOG_NOTICE, &fields, "the audit is cleared, which had %zu entries",
                  audit_count(s->context.audit));
        audit_clear(s->context.audit);
        return sd_varlink_reply(link, NULL);
}

/* -------------------------------------------------------------------------------------------------- status */

static int describe_files(const Policy *policy, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < policy_count_files(policy); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *path = NULL;

                r = text_escape(policy_get_file(policy, i)->path, &path);
                if (r >= 0)
                        r = sd_json_variant_new_string(&v, path);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int describe_grants(const Grants *grants, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < grants_count(grants); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = describe_grant(grants_get(grants, i), &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

static int describe_denied_module(const char *module, const PolicyRuling *ruling, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *reason = NULL;
        int r;

        r = plan_ruling_to_json(
                &(PlanRuling) {
                        .source = ruling->source,
                        .file = (char *) ruling->file, /* only read */
                        .line = ruling->line,
                        .column = ruling->column,
                        .rule = (char *) ruling->id,
                        .reason = (char *) ruling->reason,
                },
                &reason);
        if (r >= 0)
                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("module", module));
        if (r >= 0)
                r = sd_json_variant_merge_object(&v, reason);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(v);
        return 0;
}

typedef struct DeniedArray {
        sd_json_variant *array;
        int error;
} DeniedArray;

static int add_denied_module(const char *module, const PolicyRuling *ruling, void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        DeniedArray *a = userdata;

        a->error = describe_denied_module(module, ruling, &v);
        if (a->error >= 0)
                a->error = sd_json_variant_append_array(&a->array, v);
        return a->error;
}

static int describe_loaded_but_denied(const ServiceContext *context, sd_json_variant **ret) {
        DeniedArray a = {};
        int r;

        r = sd_json_variant_new_array(&a.array, NULL, 0);
        if (r < 0)
                return r;
        (void) loaded_denied_list(context->planner, add_denied_module, &a); /* none without /proc/modules */
        *ret = a.array;                 /* for the caller to free, also on failure */
        return a.error;
}

/**
 * describe_policy() - the policy in force as the varlink type Policy
 *
 * Return: 0, -ENOMEM or what sd-json says.
 */
int describe_policy(const ServiceContext *context, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *files = NULL, *problems = NULL, *grants = NULL,
                                                          *denied = NULL;
        const Policy *policy;
        PolicyRuling fallback;
        int r;

        assert(context && ret);

        policy = policy_keeper_get(context->policy);
        fallback = policy_get_default(policy, NULL);
        r = describe_files(policy, &files);
        if (r >= 0)
                r = describe_problems(policy_keeper_get_problems(context->policy), &problems);
        if (r >= 0)
                r = describe_grants(policy_keeper_get_grants(context->policy), &grants);
        if (r >= 0)
                r = describe_loaded_but_denied(context, &denied);
        if (r < 0)
                return r;

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("mode", policy_mode_to_string(context->settings->mode)),
                SD_JSON_BUILD_PAIR_STRING("defaultVerdict", policy_verdict_to_string(fallback.verdict)),
                SD_JSON_BUILD_PAIR_UNSIGNED("rules", policy_count_rules(policy)),
                SD_JSON_BUILD_PAIR_VARIANT("files", files),
                SD_JSON_BUILD_PAIR_BOOLEAN("broken", policy_keeper_is_broken(context->policy)),
                SD_JSON_BUILD_PAIR_STRING("standing", policy_standing_to_string(policy_keeper_get_standing(context->policy))),
                SD_JSON_BUILD_PAIR_BOOLEAN("lacksDefault", policy_is_incomplete(policy)),
                SD_JSON_BUILD_PAIR_VARIANT("problems", problems), SD_JSON_BUILD_PAIR_VARIANT("grants", grants),
                SD_JSON_BUILD_PAIR_VARIANT("loadedButDenied", denied));
}
