/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* plan: what a load would do, step by step, without doing it. */

#include <assert.h>

#include "cli/offline/offline-policy.h"
#include "cli/offline/offline.h"
#include "cli/offline/plan-print.h"
#include "cli/offline/trace.h"
#include "cli/print/format.h"
#include "cli/verbs/verbs.h"
#include "common/base/string-list.h"
#include "common/explain/failure-text.h"
#include "common/interface/interface.h"
#include "common/module/module-info.h"
#include "common/module/module-parameters.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-json.h"

/* "asIfEnforced": what would be left out if nothing were in audit mode; "depends": rules about what is not known here */
static int print_json(Run *run, const Plan *plan, const Plan *enforced, const Trace *trace) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *omissions = NULL, *depends = NULL;
        int r;

        r = plan_to_json(plan, &v);
        if (r >= 0 && enforced) {
                r = plan_omissions_to_json(enforced, &omissions);
                if (r >= 0)
                        r = sd_json_variant_set_field(&v, "asIfEnforced", omissions);
        }
        if (r >= 0)
                r = trace_doubts_to_json(trace, &depends);
        if (r >= 0 && depends)
                r = sd_json_variant_set_field(&v, "depends", depends);
        return r < 0 ? r : output_json(&run->out, v);
}

/* "name=value", unless it is an alias with a value in it, such as "dmi:bvn=". */
static bool is_parameter(const char *word) {
        size_t n = module_parameter_name_length(word);

        return n > 0 && word[n] == '=' && !memchr(word, ':', n);
}

/* As lkmd does before a load. Return: 0; an ExitStatus, after reporting why; negative errno. */
static int check_parameters(Run *run, const PlanStep *step, char *const *parameters, bool pass) {
        _cleanup_(string_list_freep) char **known = NULL;
        ExitStatus status;

        if (module_info_parameters(step->path, &known) < 0)
                return 0;               /* the kernel refuses a broken file */
        for (size_t i = 0; parameters[i]; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *fields = NULL;
                _cleanup_(freep) char *message = NULL, *hint = NULL, *name = NULL;
                int r;

                if (module_parameter_is_known(known, parameters[i]))
                        continue;
                name = strndup(parameters[i], module_parameter_name_length(parameters[i]));
                if (!name || asprintf(&message, UNKNOWN_PARAMETER_TEXT, step->module, name) < 0) {
                        message = NULL;
                        return -ENOMEM;
                }
                if (asprintf(&hint, UNKNOWN_PARAMETER_HINT, step->module) < 0) {
                        hint = NULL;
                        return -ENOMEM;
                }
                if (pass) {
                        (void) fflush(stdout);
                        (void) fputs("lkmctl: ", stderr);
                        print_escaped(stderr, message);
                        (void) fputs(", which is passed on (UnknownParameters=warn)\n", stderr);
                        continue;
                }
                r = sd_json_buildo(&fields, SD_JSON_BUILD_PAIR_STRING("message", message),
                                   SD_JSON_BUILD_PAIR_CONDITION(!run->root && !run->kernel, "hint",
                                                                SD_JSON_BUILD_STRING(hint)),
                                   SD_JSON_BUILD_PAIR_STRING("module", step->module),
                                   SD_JSON_BUILD_PAIR_STRING("parameter", name),
                                   SD_JSON_BUILD_PAIR_STRV("known", known));
                if (r < 0)
                        return r;
                status = failure_print(&run->out, LKMD_ERROR_UNKNOWN_PARAMETER, fields);
                return (int) status;
        }
        return 0;
}

static int check_all(Run *run, const Plan *plan, char *const *parameters, bool pass) {
        int r = 0;

        for (size_t i = 0; r == 0 && parameters && i < plan->n_steps; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED && plan->steps[i].action == PLAN_INSERT)
                        r = check_parameters(run, plan->steps + i, parameters, pass);
        return r;
}

/* @words: the key, then its parameters; @n: how many */
static int list_parameters(Run *run, char **words, unsigned n, char ***ret_list, char **ret_joined) {
        _cleanup_(string_list_freep) char **list = NULL;
        int r = 0;

        for (unsigned i = 1; r >= 0 && i < n; i++)
                r = string_list_append(&list, words[i], strlen(words[i]));
        if (r < 0)
                return r;
        r = module_parameters_join(list, ret_joined);
        if (r == -EINVAL || r == -E2BIG)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help plan",
                                         r == -EINVAL
                                                 ? "one of the parameters of '%s' is not NAME=VALUE"
                                                 : "the parameters of '%s' are longer than the kernel takes",
                                         words[0]);
        if (r < 0)
                return r;
        *ret_list = STEAL_PTR(list);
        return 0;
}

static int plan_key(Run *run, const Index *index, const OfflinePolicy *policy, char **words,
                    unsigned n_words, bool first) {
        _cleanup_(string_list_freep) char **parameters = NULL;
        _cleanup_(freep) char *joined = NULL;
        const char *key = words[0];
        PolicyRequester somebody = { .origin = ORIGIN_CLIENT, .has_uid = true }; /* root */
        _cleanup_(plan_freep) Plan *plan = NULL, *enforced = NULL;
        PlanRequest request = offline_policy_request(policy, &somebody, PLAN_NAMED);
        _cleanup_(trace_clear) Trace trace = {};
        int r;

        r = list_parameters(run, words, n_words, &parameters, &joined);
        if (r != 0)
                return r;
        request.parameters = joined;
        offline_policy_complete(&somebody, key, /* is_device= */ false);
        request.key = key;
        request.trace = trace_add;
        request.trace_userdata = &trace;
        r = plan_new(&plan, index, &request);
        if (r >= 0)
                r = trace.error;
        if (r == -ENOMEM)
                return r;
        request.trace = NULL;
        if (r < 0 || plan->n_matches == 0)
                return report_no_such_module(run, index, key);
        r = check_all(run, plan, parameters, policy->unknown_parameters_pass);
        if (r != 0)
                return r;
        if (plan->audited) {
                request.as_if_enforced = true;
                r = plan_new(&enforced, index, &request);
                if (r < 0)
                        return r;
        }

        if (run->out.json != JSON_OFF) {
                r = print_json(run, plan, enforced, &trace);
                return r < 0 ? r : (int) plan_status(plan);
        }
        if (output_wants_text(&run->out)) {
                if (!first)
                        putchar('\n');
                r = plan_print(&run->out, plan);
                if (r >= 0 && enforced)
                        r = plan_print_audited(plan, enforced);
                trace_print_doubts(&trace, stdout, "");
                if (r < 0)
                        return r;
        }
        return plan_status(plan);
}

int verb_plan(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        ExitStatus worst = STATUS_DONE;
        unsigned n_keys = 0;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = offline_policy(run, &policy, NULL);
        if (r != 0)
                return r;

        if (is_parameter(args[0]))
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help plan",
                                         "'%s' is a parameter, and no module stands before it", args[0]);
        for (unsigned i = 0; i < n_args; i++)
                n_keys += !is_parameter(args[i]);
        if (n_keys > 1)
                output_list_begin(&run->out);
        for (unsigned i = 0, n; i < n_args; i += n) {
                for (n = 1; i + n < n_args && is_parameter(args[i + n]); n++)
                        ;
                r = plan_key(run, index, &policy, args + i, n, i == 0);
                if (r < 0)
                        return r;
                worst = failure_worse(worst, (ExitStatus) r);
        }
        if (n_keys > 1) {
                r = output_list_end(&run->out);
                if (r < 0)
                        return r;
        }
        r = output_flush();
        return r < 0 ? r : (int) worst;
}
