/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Journal: see journal.h. Owns nothing. */

#include "daemon/history/journal.h"

#include <assert.h>
#include <inttypes.h>

static const char *success_words(Outcome outcome) {
        static const char *const words[_OUTCOME_MAX] = {
                [OUTCOME_LOADED] = "loaded",
                [OUTCOME_ALREADY_LOADED] = "found loaded already",
                [OUTCOME_BUILT_IN] = "found in the kernel image",
                [OUTCOME_COMMAND_RUN] = "its command was run instead",
                [OUTCOME_UNLOADED] = "unloaded",
        };

        return words[outcome] ?: "done";
}

LogFields journal_fields(const Request *request) {
        const Requester *process;

        assert(request);

        process = request->requester;
        return (LogFields) {
                .origin = request_origin_to_string(request->origin),
                .key = request->key,
                .device = request->device,
                .subsystem = request->subsystem,
                .requester_uid = request_get_uid(request),
                .requester_pid = request_get_pid(request),
                .has_login_uid = process && process->has_login_uid,
                .login_uid = process ? process->login_uid : 0,
                .command = request_get_command(request),
                .executable = process ? process->executable : NULL,
                .unit = request_get_unit(request),
                .container = process ? process->container : NULL,
                .is_inferred = process && process->inferred,
        };
}

static void log_success(const Record *record, const LogFields *fields) {
        const Request *request = record->request;
        _cleanup_(freep) char *whom = NULL;

        if (request_describe_whom(request, NULL, &whom) < 0)
                return;
        log_entry(LOG_INFO, fields, "%s: %s in %" PRIu64 ".%03" PRIu64 " ms for %s", record->module,
                  success_words(record->outcome), record->duration_usec / 1000, record->duration_usec % 1000,
                  whom);
}

/* What the record says of its module, beside the request. */
static void add_record(const Record *record, LogFields *fields) {
        fields->module = record->module;
        fields->outcome = outcome_to_string(record->outcome);
        fields->reason = record->removal ? NULL : plan_reason_to_string(record->reason);
        fields->parent = record->parent;
        fields->duration_usec = record->duration_usec;
}

/* The outcome of a job. */
void journal_record(const Record *record) {
        LogFields fields = journal_fields(record->request);

        fields.message_id = record->outcome == OUTCOME_KEPT_OUT    ? LKMD_MESSAGE_KEPT_OUT
                            : !outcome_is_success(record->outcome) ? LKMD_MESSAGE_FAILED
                            : record->removal                      ? LKMD_MESSAGE_UNLOADED
                                                                   : LKMD_MESSAGE_LOADED;
        add_record(record, &fields);
        fields.error = -record->error;

        if (!outcome_is_success(record->outcome))
                log_entry(record_is_remarkable(record)          ? LOG_ERR
                          : record->outcome == OUTCOME_KEPT_OUT ? LOG_NOTICE
                                                                : LOG_INFO,
                          &fields, "%s: %s", record->module, record->message ?: strerror(-record->error));
        else
                log_success(record, &fields);
}

/**
 * journal_foreign() - a module came or went without lkmd
 * @denied_by: what says that it should not be there, which is told to the monitors as well; NULL: nothing does
 */
void journal_foreign(Monitors *monitors, const Record *record, const PolicyRuling *denied_by) {
        _cleanup_(freep) char *words = NULL, *rule = NULL, *message = NULL;
        LogFields fields = journal_fields(record->request);

        fields.message_id = denied_by         ? LKMD_MESSAGE_FOREIGN_DENIED
                            : record->removal ? LKMD_MESSAGE_UNLOADED
                                              : LKMD_MESSAGE_LOADED;
        add_record(record, &fields);
        if (requester_describe(record->request->requester, &words) < 0)
                return;
        if (!denied_by) {
                log_entry(LOG_INFO, &fields, "%s: %s without lkmd, by %s", record->module,
                          record->removal ? "removed" : "loaded", words);
                return;
        }
        if (denied_by->file && asprintf(&rule, "%s:%u", denied_by->file, denied_by->line) < 0)
                rule = NULL;
        fields.rule = rule;
        if (asprintf(
                    &message,
                    "%s is in the kernel, though %s denies it: loaded without lkmd, by %s; to remove it: lkmctl unload %s",
                    record->module, rule ?: "the policy", words, record->module) < 0) {
                message = NULL;
                return;
        }
        log_entry(LOG_WARNING, &fields, "%s", message);
        monitors_message(monitors, "foreign_denied", message);
}

/* The gate told more than its buffer holds. */
void journal_gate_lost(Monitors *monitors, uint64_t n_events) {
        const LogFields fields = { .message_id = LKMD_MESSAGE_GATE_LOST,
                                   .requester_uid = -1,
                                   .requester_pid = -1 };
        _cleanup_(freep) char *message = NULL;

        if (asprintf(
                    &message,
                    "%" PRIu64
                    " events of the gate in the kernel were lost, since more was asked at once than it has room for: who asked "
                    "then is not known",
                    n_events) < 0) {
                message = NULL;
                return;
        }
        log_entry(LOG_WARNING, &fields, "%s", message);
        monitors_message(monitors, "gate_lost", message);
}

/* What came or went without lkmd is not in the ledger. @module: NULL: several, the list could not be read */
void journal_forgotten(const char *module, int error) {
        log_warning("cannot write down that %s came or went without lkmd: %s", module ?: "some modules",
                    strerror(-error));
}

/* A job that takes longer than SlowLoadSec=. */
void journal_slow(const Record *record) {
        const char *where = record->kernel_stack ? record->kernel_stack[0] : NULL;
        char process[sizeof(", process ") + 3 * sizeof(pid_t)] = "";

        if (record->command_file && record->thread_id > 0)
                (void) snprintf(process, sizeof(process), ", process %d", (int) record->thread_id);
        log_entry(LOG_NOTICE,
                  &(LogFields) {
                          .message_id = LKMD_MESSAGE_SLOW,
                          .module = record->module,
                          .origin = request_origin_to_string(record->request->origin),
                          .requester_uid = -1,
                          .requester_pid = -1,
                  },
                  "%s: %s for %" PRIu64 " s now%s%s%s; others go on", record->module,
                  record->command_file
                          ? record->removal ? "its remove command runs" : "its install command runs"
                  : record->removal       ? "its exit runs"
                  : record->live_usec > 0 ? "it can be used, and the kernel waits for asynchronous probes"
                                          : "its init runs",
                  record->duration_usec / 1000000, process, where ? ", in " : "", where ?: "");
}

/**
 * journal_noisy() - a device sends so many events that it is held back
 * @n_events:  within @window_usec
 * @hold_usec: until it is processed next
 */
void journal_noisy(Monitors *monitors, const char *device, unsigned n_events, uint64_t window_usec,
                   uint64_t hold_usec) {
        _cleanup_(freep) char *message = NULL;

        assert(monitors && device);

        if (asprintf(&message,
                     "%s announces itself again and again (%u times in %" PRIu64 " s); it is looked at every "
                     "%" PRIu64 " s now, less often if it goes on",
                     device, n_events, window_usec / 1000000U, hold_usec / 1000000U) < 0) {
                message = NULL;
                return;
        }
        log_entry(LOG_NOTICE,
                  &(LogFields) {
                          .message_id = LKMD_MESSAGE_NOISY,
                          .device = device,
                          .requester_uid = -1,
                          .requester_pid = -1,
                  },
                  "%s", message);
        monitors_message(monitors, "noisy", message);
}

/**
 * journal_events_lost() - uevents were lost, so that all devices are walked over
 * @is_overflow: reported by the kernel; else sequence numbers are missing
 * @n_missing:   how many numbers
 */
void journal_events_lost(Monitors *monitors, bool is_overflow, uint64_t n_missing) {
        static const LogFields fields = {
                .message_id = LKMD_MESSAGE_EVENTS_LOST,
                .requester_uid = -1,
                .requester_pid = -1,
        };
        _cleanup_(freep) char *message = NULL;

        assert(monitors);

        if (is_overflow)
                message = strdup(
                        "the kernel dropped uevents, the buffer was full; looking at all devices again");
        else if (asprintf(&message, "%" PRIu64 " uevents did not come; looking at all devices again",
                          n_missing) < 0)
                message = NULL;
        /* gaps alone are normal where containers have network namespaces of their own */
        log_entry(is_overflow ? LOG_WARNING : LOG_INFO, &fields, "%s", message ?: "uevents were lost");
        monitors_message(monitors, "rescan", message ?: "uevents were lost");
}

static void journal_charge(Monitors *monitors, int level, const char *message_id, const char *message) {
        const LogFields fields = { .message_id = message_id, .requester_uid = -1, .requester_pid = -1 };

        log_entry(level, &fields, "%s", message);
        monitors_message(monitors, "charge", message);
}

/* lkmd is in charge again. @why: a sentence */
void journal_stepped_in(Monitors *monitors, const char *why) {
        _cleanup_(freep) char *message = NULL;

        assert(monitors && why);

        if (asprintf(&message, "%s; lkmd is in charge, and looks at all devices", why) < 0) {
                message = NULL;
                return;
        }
        journal_charge(monitors, LOG_NOTICE, LKMD_MESSAGE_STEPPED_IN, message);
}

/* lkmd is not in charge: the administrator has a file of his own in the place of udev's rule that loads drivers. */
void journal_own_rule(Monitors *monitors, const char *path) {
        _cleanup_(freep) char *message = NULL;

        assert(monitors && path);

        if (asprintf(
                    &message,
                    "%s is the administrator's own, and udev does what it says; lkmd loads nothing for devices; to have "
                    "lkmd load their drivers, write the same as rules of policy.d, lkmd-policy(5), and remove that file",
                    path) < 0) {
                message = NULL;
                return;
        }
        journal_charge(monitors, LOG_NOTICE, LKMD_MESSAGE_STEPPED_BACK, message);
}

/* lkmd is not in charge any more, since it cannot load, or cannot read what it has to know. */
void journal_stepped_back(Monitors *monitors, const char *why, const char *remedy) {
        _cleanup_(freep) char *message = NULL;

        assert(monitors && why && remedy);

        if (asprintf(&message, "%s; lkmd steps back, and udev loads drivers; to mend it: %s", why, remedy) < 0) {
                message = NULL;
                return;
        }
        journal_charge(monitors, LOG_ERR, LKMD_MESSAGE_STEPPED_BACK, message);
}
