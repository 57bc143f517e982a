/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RefusalLog: entries in the journal about what the policy and modprobe.d did to requests, and about the kernel's
 * requests for programs without privilege. Owns the list of those that were logged already: the same line leaves the
 * same module out at every event, and is logged once for all devices, and once for each user.
 *
 * The kernel's requests have entries of the level notice, once in a boot, and audit records. What root's programs ask
 * for and get no load, as it is there already, has an entry of the level info. Anybody can cause the kernel's
 * requests, with ever new names; so there are a few entries at once, and then one from time to time. The same goes for
 * those of containers, which are counted on their own.
 */

#include "daemon/history/refusal-log.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/explain/omission-text.h"
#include "daemon/base/log.h"
#include "daemon/history/journal.h"

typedef struct Reported {
        char *items[REFUSAL_LOG_MAX];   /* "WHAT MODULE FILE:LINE WHO" */
        size_t n_items;
} Reported;

/* Those who can ask for anything, again and again. */
typedef struct Measured {
        Reported reported;              /* for the boot */
        const char *whose;              /* requests these are, for people */
        unsigned n_tokens;              /* entries that may be made now */
        uint64_t refilled_usec;         /* CLOCK_MONOTONIC */
        uint64_t n_suppressed;          /* since the last of these entries */
} Measured;

struct RefusalLog {
        AuditTrail *trail;              /* borrowed; NULL: none */
        Measured of_kernel, of_containers;
        Reported others;                /* until the configuration changes */
};

typedef struct Verdict {
        const char *what;               /* LKMD_OUTCOME= */
        const char *words;              /* the same, for people */
        const char *before_place;       /* between the words and the place of the line */
        const char *message_id;
        const char *module;
        const PlanRuling *ruling;
} Verdict;

static void measured_init(Measured *m, const char *whose) {
        *m = (Measured) {
                .whose = whose,
                .n_tokens = REFUSAL_LOG_BURST,
                .refilled_usec = clock_usec(CLOCK_MONOTONIC),
        };
}

/* @trail: for audit records about the kernel's requests, borrowed; NULL: none */
int refusal_log_new(RefusalLog **ret, AuditTrail *trail) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->trail = trail;
        measured_init(&(*ret)->of_kernel, "programs");
        measured_init(&(*ret)->of_containers, "containers");
        return 0;
}

static void reported_clear(Reported *r) {
        for (size_t i = 0; i < r->n_items; i++)
                free(r->items[i]);
        r->n_items = 0;
}

/* Return: NULL. */
RefusalLog *refusal_log_free(RefusalLog *v) {
        if (!v)
                return NULL;

        reported_clear(&v->of_kernel.reported);
        reported_clear(&v->of_containers.reported);
        reported_clear(&v->others);
        free(v);
        return NULL;
}

/* To be called after the configuration was read again: log each refusal once more. */
void refusal_log_forget(RefusalLog *v) {
        assert(v);

        reported_clear(&v->others);
}

/* Of root's programs, which are many, also the unit, and of containers their names. */
static const char *name_of_process(const Request *request) {
        if (request->origin == ORIGIN_CONTAINER)
                return request->requester && request->requester->container ? request->requester->container
                                                                           : "";
        if (request->origin != ORIGIN_KERNEL || request_get_uid(request) != 0)
                return "";
        return request_get_unit(request) ?: request_get_command(request) ?: "";
}

/* Return: true if it was not logged before. */
static bool remember(Reported *r, const Request *request, const Verdict *verdict) {
        char *text;

        if (asprintf(&text, "%s %s %s:%u %lld %s", verdict->what, verdict->module ?: request->key,
                     verdict->ruling && verdict->ruling->file ? verdict->ruling->file : "",
                     verdict->ruling ? verdict->ruling->line : 0, request_get_uid(request),
                     name_of_process(request)) < 0)
                return true;
        for (size_t i = 0; i < r->n_items; i++)
                if (streq(r->items[i], text)) {
                        free(text);
                        return false;
                }
        if (r->n_items == REFUSAL_LOG_MAX)
                reported_clear(r);
        r->items[r->n_items++] = text;
        return true;
}

static bool take_token(Measured *m) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC), n = (now - m->refilled_usec) / REFUSAL_LOG_REFILL_USEC;

        m->n_tokens = (unsigned) MIN(m->n_tokens + n, (uint64_t) REFUSAL_LOG_BURST);
        m->refilled_usec += n * REFUSAL_LOG_REFILL_USEC;
        if (m->n_tokens == 0) {
                m->n_suppressed++;
                return false;
        }
        m->n_tokens--;
        if (m->n_suppressed > 0)
                log_message(LOG_NOTICE,
                            "%" PRIu64 " requests of %s were not logged, since there were too many; "
                            "lkmctl policy audit has them",
                            m->n_suppressed, m->whose);
        m->n_suppressed = 0;
        return true;
}

/* NULL: one of those who do not ask again and again. */
static Measured *get_measured(RefusalLog *v, const Request *request) {
        return request->origin == ORIGIN_KERNEL      ? &v->of_kernel
               : request->origin == ORIGIN_CONTAINER ? &v->of_containers
                                                     : NULL;
}

static bool is_to_be_logged(RefusalLog *v, const Request *request, const Verdict *verdict) {
        Measured *m = get_measured(v, request);

        if (!m)
                return remember(&v->others, request, verdict);
        return remember(&m->reported, request, verdict) && take_token(m);
}

static void write_entry(int level, const Request *request, const Verdict *verdict, const char *rule,
                        const char *message) {
        LogFields fields = journal_fields(request);

        fields.message_id = verdict->message_id;
        fields.module = verdict->module;
        fields.rule = rule;
        fields.outcome = verdict->what;
        log_entry(level, &fields, "%s", message);
}

/*
 * @said: the sentence between the names of the module and the requester
 *
 * Return: true if it was logged, rather than before.
 */
static bool log_refusal(RefusalLog *v, const Request *request, const Verdict *verdict, const char *said) {
        const char *reason = verdict->ruling->source >= 0 ? verdict->ruling->reason : NULL;
        _cleanup_(freep) char *rule = NULL, *whom = NULL, *message = NULL;

        if (!is_to_be_logged(v, request, verdict))
                return false;
        if (verdict->ruling->file &&
            asprintf(&rule, "%s:%u", verdict->ruling->file, verdict->ruling->line) < 0)
                rule = NULL;
        if (request_describe_whom(request, request->command, &whom) < 0 ||
            asprintf(&message, "%s%s%s %s: %s%s%s%s%s", verdict->module ?: "", verdict->module ? " " : "",
                     said, whom, verdict->words, rule ? verdict->before_place : "", rule ?: "",
                     reason ? ": " : "", reason ?: "") < 0) {
                message = NULL;
                return true;
        }
        write_entry(get_measured(v, request) ? LOG_NOTICE : LOG_INFO, request, verdict, rule, message);
        return true;
}

/* An audit record, for what a process has asked for. @allowed: false: it was refused */
static void write_trail(const RefusalLog *v, const Request *request, bool allowed, const char *module,
                        const PlanRuling *ruling) {
        if (v->trail && request->origin != ORIGIN_DEVICE)
                audit_trail_write(v->trail, request, allowed, module, ruling);
}

/* Log an omission. */
void refusal_log_omission(RefusalLog *v, const Request *request, const PlanOmission *o) {
        const OmissionText *text = omission_text(o->kind);

        assert(v && request && o);

        if (text->of_softdep && o->wanted_by)
                return;
        if (log_refusal(v, request,
                        &(Verdict) {
                                .what = plan_omission_kind_to_string(o->kind),
                                .words = text->words,
                                .before_place = text->before_place,
                                .message_id = LKMD_MESSAGE_LEFT_OUT,
                                .module = o->module,
                                .ruling = &o->ruling,
                        },
                        "is left out for") &&
            omission_is_refusal(o))
                write_trail(v, request, /* allowed= */ false, o->module, &o->ruling);
}

/**
 * refusal_log_in_kernel() - log and tell monitors that the gate has refused something of which no plan tells
 * @ruling: what decided; without a file: the default of the policy, or a policy that is no longer in force
 */
void refusal_log_in_kernel(RefusalLog *v, Monitors *monitors, const Request *request,
                           const PlanRuling *ruling) {
        _cleanup_(freep) char *whom = NULL, *message = NULL;

        assert(v && monitors && request && ruling);

        if (log_refusal(v, request,
                        &(Verdict) {
                                .what = "denied",
                                .words = "denied",
                                .before_place = " by ",
                                .message_id = LKMD_MESSAGE_REFUSED_IN_KERNEL,
                                .ruling = ruling,
                        },
                        "the kernel refuses it to"))
                write_trail(v, request, /* allowed= */ false, NULL, ruling);
        if (request_describe_whom(request, NULL, &whom) < 0)
                return;
        if (asprintf(&message, "refused in the kernel to %s", whom) < 0)
                message = NULL;
        else
                monitors_gate_refused(monitors, request, message);
}

/**
 * refusal_log_asked() - log what a program makes the kernel ask for, or a container; not if it was refused
 * @module:  that is wanted for it; NULL: there is none of that name
 * @is_load: it is loaded now, or what it needs is, of which there are entries then
 *
 * All of programs without privilege, with an audit record. Of root's only what leads to no load: nothing else tells
 * that they use the module.
 */
void refusal_log_asked(RefusalLog *v, const Request *request, const char *module, bool is_load) {
        bool of_root = request->origin == ORIGIN_KERNEL && request_get_uid(request) == 0;
        _cleanup_(freep) char *whom = NULL, *message = NULL;
        const Verdict verdict = {
                .what = "asked",
                .message_id = of_root ? LKMD_MESSAGE_ASKED : LKMD_MESSAGE_UNPRIVILEGED,
                .module = module,
        };

        assert(v && request && get_measured(v, request));

        if ((of_root && is_load) || !is_to_be_logged(v, request, &verdict))
                return;
        if (request_describe_whom(request, NULL, &whom) < 0 ||
            asprintf(&message, "%s %s %s", module ?: "no module is there", module ? "is wanted for" : "for",
                     whom) < 0) {
                message = NULL;
                return;
        }
        write_entry(of_root ? LOG_INFO : LOG_NOTICE, request, &verdict, NULL, message);
        if (!of_root && request->origin == ORIGIN_KERNEL)
                write_trail(v, request, /* allowed= */ true, module, NULL);
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
