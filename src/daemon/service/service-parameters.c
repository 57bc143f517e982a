/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ServiceParameters: checks of the parameters of Load: syntax, known to the module, allowed to this client. */

#include <assert.h>

#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/explain/failure-text.h"
#include "common/interface/interface.h"
#include "common/module/module-info.h"
#include "common/module/module-parameters.h"
#include "daemon/base/log.h"
#include "daemon/service/service-internal.h"

static int reply_unknown_parameter(sd_varlink *link, const char *module, const char *assignment,
                                   char **known) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *name = NULL;

        name = strndup(assignment, module_parameter_name_length(assignment));
        if (!name || asprintf(&message, UNKNOWN_PARAMETER_TEXT, module, name) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(&hint, UNKNOWN_PARAMETER_HINT, module) < 0) {
                hint = NULL;
                return -ENOMEM;
        }
        return sd_varlink_errorbo(link, LKMD_ERROR_UNKNOWN_PARAMETER,
                                  SD_JSON_BUILD_PAIR_STRING("message", message),
                                  SD_JSON_BUILD_PAIR_STRING("hint", hint),
                                  SD_JSON_BUILD_PAIR_STRING("module", module),
                                  SD_JSON_BUILD_PAIR_STRING("parameter", name),
                                  SD_JSON_BUILD_PAIR_STRV("known", known));
}

/* Return: as load_parameters_check_rights(). */
static int check_parameters(Service *s, sd_varlink *link, const PlanStep *step, char *const *parameters) {
        _cleanup_(string_list_freep) char **known = NULL;
        int r;

        r = module_info_parameters(step->path, &known);
        if (r < 0) {
                log_debug("%s: cannot tell its parameters: %s", step->path, strerror(-r));
                return 0;               /* the kernel refuses a broken file */
        }

        for (size_t i = 0; parameters[i]; i++) {
                if (module_parameter_is_known(known, parameters[i]))
                        continue;
                if (s->context.settings->unknown_parameters == UNKNOWN_PARAMETERS_WARN) {
                        log_warning("%s has no parameter '%s', passing it on", step->module, parameters[i]);
                        continue;
                }
                r = reply_unknown_parameter(link, step->module, parameters[i], known);
                return r < 0 ? r : 1;
        }
        return 0;
}

/**
 * load_parameters_check() - do the requested modules have these parameters?
 *
 * Return: as load_parameters_check_rights().
 */
int load_parameters_check(Service *s, sd_varlink *link, const Plan *plan, char *const *parameters) {
        if (!parameters || !parameters[0])
                return 0;
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;
                int r;

                if (step->reason != PLAN_REQUESTED || step->action != PLAN_INSERT)
                        continue;
                r = check_parameters(s, link, step, parameters);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int reply_refused(sd_varlink *link, const PlanStep *step, const char *message, const char *hint) {
        _cleanup_(freep) char *module = NULL, *clean_message = NULL, *clean_hint = NULL;
        int r;

        r = text_escape(step->module, &module);
        if (r >= 0)
                r = text_escape(message, &clean_message);
        if (r >= 0)
                r = text_escape(hint, &clean_hint);
        if (r < 0)
                return r;
        (void) sd_varlink_errorbo(
                link, LKMD_ERROR_DENIED, SD_JSON_BUILD_PAIR_STRING("message", clean_message),
                SD_JSON_BUILD_PAIR_STRING("hint", clean_hint),
                SD_JSON_BUILD_PAIR_STRING("module", module)); /* returns the errno of the error */
        return 1;
}

static int refuse_words(sd_varlink *link, const PlanStep *step, const PlanWords *words, uid_t uid) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        int n = (int) strcspn(words->text, "=");

        if (asprintf(&message,
                     "%s was not loaded: user %u is not root, and no rule allows them the parameter '%s'",
                     step->module, (unsigned) uid, words->text) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(&hint,
                     "root allows it by a rule in /etc/lkmd/policy.d that allows %s (verdict: allow) and has "
                     "parameters: [\"%.*s=*\"]",
                     step->module, n, words->text) < 0) {
                hint = NULL;
                return -ENOMEM;
        }
        return reply_refused(link, step, message, hint);
}

static int refuse_in_command(sd_varlink *link, const PlanStep *step) {
        _cleanup_(freep) char *message = NULL;

        if (asprintf(&message, "%s was not loaded: %s:%u runs a command in its place, into which only root may put "
                               "parameters", step->module, step->command_file, step->command_line) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        return reply_refused(link, step, message, "load it without parameters, or as root");
}

/**
 * load_parameters_check_rights() - may the requester give these parameters?
 *
 * Root may. Others need a rule that allows the load and these words; lkmd-loader checks its file as well.
 *
 * Return: 0: go on; 1: refused, and the error was sent; negative errno.
 */
int load_parameters_check_rights(sd_varlink *link, const Plan *plan, const Request *request) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                for (size_t k = 0; k < step->n_words; k++) {
                        if (step->words[k].kind == PLAN_WORDS_NOT_ALLOWED)
                                return refuse_words(link, step, step->words + k, request->uid);
                        if (step->words[k].kind == PLAN_WORDS_ALLOWED && step->action == PLAN_COMMAND &&
                            strstr(step->command, "$CMDLINE_OPTS"))
                                return refuse_in_command(link, step);
                }
        }
        return 0;
}
