/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ToolInsert: see tool-insert.h. The file is judged as a request of this process for it would be, by the rules that
 * lkmd reads, and by what the file says of itself: lkmd knows the files of its index only. Owns nothing.
 */

#include "cli/kmod/tool-insert.h"

#include <assert.h>
#include <stdio.h>

#include "cli/kmod/tool-ask.h"
#include "cli/kmod/tool-message.h"
#include "cli/machine/process.h"
#include "cli/offline/offline-policy.h"
#include "common/base/util.h"
#include "common/explain/omission-text.h"
#include "common/plan/plan-judge.h"

/* In a value with blanks and without quotes, the blanks would end it. */
static bool wants_quotes(const char *value) {
        return *value != '"' && *value != '\'' && strchr(value, ' ');
}

/**
 * tool_parameters_join() - parameters of a command line, as one string for the kernel
 * @words: ended by NULL
 * @ret:   NULL: there are none
 *
 * Return: 0; -ENOMEM.
 */
int tool_parameters_join(char *const *words, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;

        assert(words && ret);

        *ret = NULL;
        if (!*words)
                return 0;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (char *const *word = words; *word; word++) {
                const char *value = strchr(*word, '=');

                /* kmod puts no blank behind words that are empty while nothing else has come */
                if (word != words && ftell(f) > 0)
                        (void) fputc(' ', f);
                if (value && wants_quotes(value + 1))
                        (void) fprintf(f, "%.*s\"%s\"", (int) (value + 1 - *word), *word, value + 1);
                else
                        (void) fputs(*word, f);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

static int explain(const char *path, const char *name, const PolicyDecision *decision, char **ret_message,
                   char **ret_hint) {
        PlanOmission o = { .kind = plan_denial_kind(&decision->actual, POLICY_REQUESTED),
                           .module = (char *) name,
                           .required = true };
        const Plan plan = { .key = (char *) path };
        int r;

        r = plan_ruling_set(&o.ruling, &decision->actual);
        if (r >= 0)
                r = plan_explain_obstacle(&plan, &o, ret_message, ret_hint);
        plan_ruling_clear(&o.ruling);
        return r;
}

/*
 * Does the policy of this machine let the module of a file in? Whatever is wrong with the policy's files, lkmd and
 * policy lint report.
 * Return: 0: it does; 1: it does not, with *ret_message and *ret_hint; negative errno.
 */
static int judge(const char *path, const char *name, char **ret_message, char **ret_hint) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(offline_policy_done) OfflinePolicy policy = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(freep) char *absolute = NULL, *unit = NULL;
        PolicyRequester requester = { .origin = ORIGIN_CLIENT, .has_uid = true, .uid = getuid() };
        PolicyDecision decision;
        PlanRequest request;
        int r;

        absolute = realpath(path, NULL);
        if (!absolute)
                return -errno;
        r = process_unit_new("/proc", getpid(), &unit);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                requester.unknown |= POLICY_KEY_BIT(POLICY_KEY_UNIT);
        r = offline_policy_read(NULL, /* trusted_only= */ true, &policy, &problems);
        if (r >= 0)
                r = index_new(&index, &(IndexSources) {}, &problems);
        if (r < 0)
                return r;
        if (policy.broken)
                tool_message(LOG_WARNING,
                             "the policy has errors, and what is broken does not count for %s: "
                             "lkmctl policy lint shows them\n",
                             path);
        requester.key = name;
        requester.unit = unit;
        request = offline_policy_request(&policy, &requester, PLAN_NAMED);
        request.key = name;
        plan_judge_file(index, &request, absolute, &decision);
        if (decision.actual.verdict != POLICY_DENY)
                return 0;
        r = explain(path, name, &decision, ret_message, ret_hint);
        return r < 0 ? r : 1;
}

/**
 * tool_insert_is_allowed() - ask lkmd's policy about a module's file, if lkmd runs
 * @module:     of libkmod, with the path of its file
 * @ret_status: if it is denied: with what the tool ends
 *
 * Return: 1: it may go to the kernel; 0: it is kept out, which was said; negative errno.
 */
int tool_insert_is_allowed(struct kmod_module *module, ToolStatus *ret_status) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *sentence = NULL;
        const char *path;
        int r;

        assert(module && ret_status);

        path = kmod.kmod_module_get_path(module);
        if (!path || !tool_ask_is_possible())
                return 1;
        r = judge(path, kmod.kmod_module_get_name(module), &message, &hint);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (asprintf(&sentence, "could not insert module %s: %s; %s", path, message, hint) < 0) {
                sentence = NULL;
                return -ENOMEM;
        }
        *ret_status = tool_say_denied(sentence);
        return 0;
}
