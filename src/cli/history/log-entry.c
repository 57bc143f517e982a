/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LogEntry: see log-entry.h. Owns nothing. */

#include "cli/history/log-entry.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/wrap.h"
#include "common/base/enum-names.h"
#include "common/base/message-ids.h"
#include "common/explain/omission-text.h"

#define TEXT_INDENT 32U                 /* of the date and the word for the kind */

static const char *const kind_names[_LOG_KIND_MAX] = {
        [LOG_KIND_LOADED] = "loaded",
        [LOG_KIND_UNLOADED] = "unloaded",
        [LOG_KIND_FAILED] = "failed",
        [LOG_KIND_KEPT_OUT] = "kept_out",
        [LOG_KIND_LEFT_OUT] = "left_out",
        [LOG_KIND_DENIED] = "denied",
        [LOG_KIND_WOULD_DENY] = "would_deny",
        [LOG_KIND_REPORTED] = "reported",
        [LOG_KIND_DENIED_LOADED] = "denied_loaded",
        [LOG_KIND_ASKED] = "asked",
};

/* NULL: it is none. */
const char *log_kind_to_string(LogKind kind) {
        return ENUM_NAME(kind_names, kind);
}

LogKind log_kind_from_string(const char *s) {
        return (LogKind) ENUM_VALUE(kind_names, s);
}

/* For people, 9 letters at most. */
const char *log_kind_words(LogKind kind, Tone *ret_tone) {
        static const struct {
                const char *words;
                Tone tone;
        } table[_LOG_KIND_MAX] = {
                [LOG_KIND_LOADED]        = { "loaded",    TONE_GOOD  },
                [LOG_KIND_UNLOADED]      = { "unloaded",  TONE_PLAIN },
                [LOG_KIND_FAILED]        = { "failed",    TONE_BAD   },
                [LOG_KIND_KEPT_OUT]      = { "kept out",  TONE_WARN  },
                [LOG_KIND_LEFT_OUT]      = { "left out",  TONE_PLAIN },
                [LOG_KIND_DENIED]        = { "denied",    TONE_WARN  },
                [LOG_KIND_WOULD_DENY]    = { "may deny",  TONE_WARN  },
                [LOG_KIND_REPORTED]      = { "reported",  TONE_PLAIN },
                [LOG_KIND_DENIED_LOADED] = { "intruder",  TONE_BAD   },
                [LOG_KIND_ASKED]         = { "asked",     TONE_PLAIN },
        };

        assert(ret_tone);

        if (kind < 0 || kind >= _LOG_KIND_MAX) {
                *ret_tone = TONE_PLAIN;
                return "?";
        }
        *ret_tone = table[kind].tone;
        return table[kind].words;
}

/* Which omissions are refusals, omission-text.c knows. */
static LogKind kind_of_omission(const char *outcome) {
        PlanOmissionKind kind = plan_omission_kind_from_string(outcome);

        return kind >= 0 && omission_text(kind)->refusal != OMISSION_NO_REFUSAL ? LOG_KIND_DENIED
                                                                                : LOG_KIND_LEFT_OUT;
}

/**
 * log_kind_of_message() - what an entry of the journal is about
 * @outcome: its field LKMD_OUTCOME=; NULL: it has none
 *
 * Return: negative if it is not one of those that belong here.
 */
LogKind log_kind_of_message(const char *message_id, const char *outcome) {
        static const struct {
                const char *id;
                LogKind kind;
        } table[] = {
                { LKMD_MESSAGE_LOADED,            LOG_KIND_LOADED        },
                { LKMD_MESSAGE_UNLOADED,          LOG_KIND_UNLOADED      },
                { LKMD_MESSAGE_FAILED,            LOG_KIND_FAILED        },
                { LKMD_MESSAGE_KEPT_OUT,          LOG_KIND_KEPT_OUT      },
                { LKMD_MESSAGE_WOULD_DENY,        LOG_KIND_WOULD_DENY    },
                { LKMD_MESSAGE_REPORTED,          LOG_KIND_REPORTED      },
                { LKMD_MESSAGE_FOREIGN_DENIED,    LOG_KIND_DENIED_LOADED },
                { LKMD_MESSAGE_REFUSED_IN_KERNEL, LOG_KIND_DENIED        },
                { LKMD_MESSAGE_UNPRIVILEGED,      LOG_KIND_ASKED         },
                { LKMD_MESSAGE_ASKED,             LOG_KIND_ASKED         },
        };

        if (streq_ptr(message_id, LKMD_MESSAGE_LEFT_OUT))
                return kind_of_omission(outcome);
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (streq_ptr(message_id, table[i].id))
                        return table[i].kind;
        return _LOG_KIND_INVALID;
}

static LogKind kind_of_record(sd_json_variant *record) {
        static const struct {
                const char *outcome;
                LogKind kind;
        } table[] = {
                { "loaded",            LOG_KIND_LOADED   },
                { "built_in",          LOG_KIND_LOADED   },
                { "command_run",       LOG_KIND_LOADED   },
                { "already_loaded",    LOG_KIND_ASKED    },
                { "unloaded",          LOG_KIND_UNLOADED },
                { "failed",            LOG_KIND_FAILED   },
                { "dependency_failed", LOG_KIND_FAILED   },
                { "kept_out",          LOG_KIND_KEPT_OUT },
        };
        const char *outcome = field_string(record, "outcome");

        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (streq_ptr(outcome, table[i].outcome))
                        return table[i].kind;
        return _LOG_KIND_INVALID;
}

/**
 * log_entry_from_record() - the entry for a record of the history
 *
 * Return: 1; 0: it is under way, or of a kind that is not known; what sd-json says.
 */
int log_entry_from_record(sd_json_variant *record, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = sd_json_variant_ref(record);
        const char *kind = log_kind_to_string(kind_of_record(record));
        int r;

        assert(ret);

        if (!kind)
                return 0;
        r = sd_json_variant_set_field_string(&v, "kind", kind);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 1;
}

/* Is it the device, or one behind it? */
static bool is_behind(const char *device, const char *of) {
        size_t n = strlen(of);

        return device && startswith(device, of) && (device[n] == '\0' || device[n] == '/');
}

static bool is_about(const LogFilter *filter, sd_json_variant *entry) {
        const char *module = field_string(entry, "module");

        return (module && filter->module && streq(module, filter->module)) ||
               streq_ptr(field_string(entry, "fileModule"), filter->argument) ||
               streq_ptr(field_string(field_object(entry, "requester"), "key"), filter->argument);
}

bool log_filter_matches(const LogFilter *filter, sd_json_variant *entry) {
        LogKind kind = log_kind_from_string(field_string(entry, "kind"));
        bool failed = kind == LOG_KIND_FAILED || kind == LOG_KIND_KEPT_OUT;
        bool denied = kind == LOG_KIND_DENIED || kind == LOG_KIND_WOULD_DENY ||
                      kind == LOG_KIND_DENIED_LOADED;

        assert(filter);

        if ((filter->failed || filter->denied) && !(filter->failed && failed) && !(filter->denied && denied))
                return false;
        if (field_number(entry, "timeUSec") < filter->since_usec)
                return false;
        if (filter->device &&
            !is_behind(field_string(field_object(entry, "requester"), "device"), filter->device))
                return false;
        return !filter->argument || is_about(filter, entry);
}

/* @brief: of who asked, what tells it from others */
static void print_story(FILE *f, sd_json_variant *entry, bool brief) {
        LogKind kind = log_kind_from_string(field_string(entry, "kind"));
        const char *message = field_string(entry, "message");
        bool is_record = kind == LOG_KIND_LOADED || kind == LOG_KIND_UNLOADED || kind == LOG_KIND_FAILED ||
                         kind == LOG_KIND_KEPT_OUT;

        if (!is_record && message) {    /* it says all of it */
                print_escaped(f, message);
                return;
        }
        print_escaped(f, field_string(entry, "module")
                                 ?: field_string(field_object(entry, "requester"), "key"));
        (void) fputs(": ", f);
        if (field_string(entry, "outcome")) {
                print_outcome(f, entry);
                (void) fputs(", ", f);
        }
        if (brief)
                print_record_requester_brief(f, entry);
        else
                print_record_requester(f, entry);
}

/*
 * "2026-11-29 16:20:01  loaded     sctp: loaded in 12.3 ms, asked for by .."; on a terminal without paths and aliases of
 * devices, unless it is to be full. Return: 0; negative errno.
 */
int log_entry_print(const Output *out, sd_json_variant *entry) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size;
        const char *words;
        Tone tone;

        assert(out && entry);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        print_story(f, entry, wrap_width() > 0 && !out->full);
        if (fflush(f) != 0)
                return -ENOMEM;
        words = log_kind_words(log_kind_from_string(field_string(entry, "kind")), &tone);
        print_date(stdout, field_number(entry, "timeUSec"));
        printf("  %s%-9s%s  ", output_tone(out, stdout, tone), words, output_tone(out, stdout, TONE_PLAIN));
        wrap_paragraph(text, TEXT_INDENT);
        return 0;
}
