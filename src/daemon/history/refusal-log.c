/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RefusalLog: entries in the journal about what the policy and modprobe.d did to requests. Owns the list of those that
 * were logged already: the same line leaves the same module out at every event, and is logged once for all devices,
 * and once for each user.
 */

#include "daemon/history/refusal-log.h"

#include <assert.h>

#include "common/explain/omission-text.h"
#include "daemon/history/journal.h"

#define REFUSAL_LOG_MAX 256U            /* then the list starts anew, and entries may repeat */

struct RefusalLog {
        char *reported[REFUSAL_LOG_MAX]; /* "WHAT MODULE FILE:LINE WHO" */
        size_t n_reported;
};

typedef struct Verdict {
        const char *what;               /* LKMD_OUTCOME= */
        const char *words;              /* the same, for people */
        const char *before_place;       /* between the words and the place of the line */
        const char *message_id;
        const char *module;
        const PlanRuling *ruling;
} Verdict;

int refusal_log_new(RefusalLog **ret) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

/* Return: NULL. */
RefusalLog *refusal_log_free(RefusalLog *v) {
        if (!v)
                return NULL;

        refusal_log_forget(v);
        free(v);
        return NULL;
}

/* To be called after the configuration was read again: log each refusal once more. */
void refusal_log_forget(RefusalLog *v) {
        assert(v);

        for (size_t i = 0; i < v->n_reported; i++)
                free(v->reported[i]);
        v->n_reported = 0;
}

/* Return: true if it was not logged before. */
static bool remember(RefusalLog *v, const Request *request, const Verdict *verdict) {
        char *text;

        if (asprintf(&text, "%s %s %s:%u %lld", verdict->what, verdict->module, verdict->ruling->file ?: "",
                     verdict->ruling->line, request_get_uid(request)) < 0)
                return true;
        for (size_t i = 0; i < v->n_reported; i++)
                if (streq(v->reported[i], text)) {
                        free(text);
                        return false;
                }
        if (v->n_reported == REFUSAL_LOG_MAX)
                refusal_log_forget(v);
        v->reported[v->n_reported++] = text;
        return true;
}

/* @said: the sentence between the names of the module and the requester */
static void log_refusal(RefusalLog *v, const Request *request, const Verdict *verdict, const char *said) {
        const char *reason = verdict->ruling->source >= 0 ? verdict->ruling->reason : NULL;
        _cleanup_(freep) char *rule = NULL, *whom = NULL;
        LogFields fields = journal_fields(request);

        if (!remember(v, request, verdict) || request_describe_whom(request, request->command, &whom) < 0)
                return;
        if (verdict->ruling->file &&
            asprintf(&rule, "%s:%u", verdict->ruling->file, verdict->ruling->line) < 0)
                rule = NULL;

        fields.message_id = verdict->message_id;
        fields.module = verdict->module;
        fields.rule = rule;
        fields.outcome = verdict->what;
        log_entry(LOG_INFO, &fields, "%s %s %s: %s%s%s%s%s", verdict->module, said, whom, verdict->words,
                  rule ? verdict->before_place : "", rule ?: "", reason ? ": " : "", reason ?: "");
}

/* Log an omission. */
void refusal_log_omission(RefusalLog *v, const Request *request, const PlanOmission *o) {
        const OmissionText *text = omission_text(o->kind);

        assert(v && request && o);

        if (text->of_softdep && o->wanted_by)
                return;
        log_refusal(v, request,
                    &(Verdict) {
                            .what = plan_omission_kind_to_string(o->kind),
                            .words = text->words,
                            .before_place = text->before_place,
                            .message_id = LKMD_MESSAGE_LEFT_OUT,
                            .module = o->module,
                            .ruling = &o->ruling,
                    },
                    "is left out for");
}

/* Log what would have been left out if rules in audit mode were enforced. */
void refusal_log_would_refuse(RefusalLog *v, const Request *request, const PlanOmission *o) {
        const OmissionText *text = omission_text(o->kind);

        assert(v && request && o);

        log_refusal(v, request,
                    &(Verdict) {
                            .what = "would_refuse",
                            .words = text->words,
                            .before_place = text->before_place,
                            .message_id = LKMD_MESSAGE_WOULD_DENY,
                            .module = o->module,
                            .ruling = &o->ruling,
                    },
                    "would be left out for");
}

/* Log what was allowed by a rule with "verdict: audit". */
void refusal_log_reported(RefusalLog *v, const Request *request, const PlanStep *step) {
        assert(v && request && step);

        log_refusal(v, request,
                    &(Verdict) {
                            .what = "reported",
                            .words = "allowed and reported",
                            .before_place = " by ",
                            .message_id = LKMD_MESSAGE_REPORTED,
                            .module = step->module,
                            .ruling = &step->allowed_by,
                    },
                    "is loaded for");
}
