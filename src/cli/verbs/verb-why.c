/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* why: who wanted a module, by which chain it came, when, and what it serves now. */

#include <assert.h>
#include <inttypes.h>

#include "cli/call/argument.h"
#include "cli/history/ancestry.h"
#include "cli/machine/module-drivers.h"
#include "cli/offline/suggestion.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/verbs.h"
#include "cli/verbs/why-chain.h"
#include "common/base/string-list.h"

#define DEVICES_SHOWN 16U
#define REQUESTS_SHOWN 8U
#define RECORDS_SHOWN 4U

/* What is known of the module; owns all of it but the module. */
typedef struct Answer {
        sd_json_variant *reply;         /* of DescribeModule */
        sd_json_variant *module;        /* of the reply */
        const char *name, *state;       /* likewise */
        History history;                /* of the module */
        Ancestry cause;
        char **devices;                 /* paths in /sys, NULL: none */
        DeviceNames *names;             /* NULL: none are known */
} Answer;

static void answer_clear(Answer *a) {
        sd_json_variant_unref(a->reply);
        history_clear(&a->history);
        ancestry_clear(&a->cause);
        string_list_free(a->devices);
        device_names_free(a->names);
}

typedef struct Question {
        Run *run;
        const char *name;
} Question;

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        const Question *q = userdata;

        return suggestion_add(q->run, error_id, q->name, fields);
}

static bool is_in_kernel(const Answer *a) {
        return streq(a->state, "live") || streq(a->state, "coming") || streq(a->state, "going");
}

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
static int fetch(Run *run, const char *name, Answer *a) {
        Question question = { run, name };
        const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC,
                                  .on_error = on_error,
                                  .userdata = &question };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        int r;

        r = argument_to_name(run, name, &parameters, "name");
        if (r != 0)
                return r;
        r = client_call(run->client, "DescribeModule", parameters, &hooks, &a->reply);
        if (r != 0)
                return r;
        a->module = field_object(a->reply, "module");
        a->name = field_string(a->module, "name");
        a->state = field_string(a->module, "state");
        if (!a->name || !a->state)
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        r = history_fetch(run->client, a->name, &a->history);
        if (r != 0 || !is_in_kernel(a))
                return r;
        r = ancestry_fetch(run->client, &a->history, a->name, &a->cause);
        if (r != 0)
                return r;
        (void) device_names_new(&a->names, NULL);
        return module_devices_new(NULL, a->name, &a->devices);
}

/* ---------------------------------------------------------------------------------------------------- text */

static void print_headline(const Output *out, const Answer *a) {
        print_module_state(out, a->name, a->state,
                           streq(a->state, "built_in") ? ", so nothing loaded it" : "");
}

/* "2026-11-23 12:01:33, 12.3 s after the start of the machine" */
static void print_when(const Output *out, sd_json_variant *record) {
        uint64_t ended;

        output_label(out, "Loaded");
        if (record_is_foreign(record) &&
            !streq_ptr(field_string(field_object(record, "requester"), "origin"), "foreign"))
                printf("before ");
        print_moment(stdout, field_number(record, "timeUSec"));
        if (field_unsigned(record, "endedUSec", &ended)) {
                printf(", ");
                print_duration(stdout, ended);
                printf(" after the machine had started");
        }
        putchar('\n');
}

/* "0.10 ms in the queue, 23.1 ms in the kernel (usable after 20.0 ms)" */
static void print_how_long(const Output *out, sd_json_variant *record) {
        uint64_t queued, began, duration, live;
        bool has_queue = field_unsigned(record, "queuedUSec", &queued) &&
                         field_unsigned(record, "beganUSec", &began) && began >= queued;
        bool has_duration = field_unsigned(record, "durationUSec", &duration) && duration > 0;

        if (!has_queue && !has_duration)
                return;
        output_label(out, "Took");
        if (has_queue) {
                print_duration(stdout, began - queued);
                printf(" in the queue");
        }
        if (has_duration) {
                printf("%s", has_queue ? ", " : "");
                print_duration(stdout, duration);
                printf(streq_ptr(field_string(record, "outcome"), "command_run") ? " for its command"
                                                                                 : " in the kernel");
        }
        if (has_duration && field_unsigned(record, "liveUSec", &live)) {
                printf(", usable after ");
                print_duration(stdout, live);
        }
        putchar('\n');
}

static void print_devices(const Output *out, const Answer *a) {
        size_t n = 0;

        for (char **device = a->devices; device && *device; device++, n++) {
                const char *path = startswith(*device, "/sys") ? *device + strlen("/sys") : *device;
                _cleanup_(freep) char *name = n < DEVICES_SHOWN ? why_device_name(a->names, path) : NULL;

                if (n >= DEVICES_SHOWN)
                        continue;
                output_label(out, n == 0 ? "Drives" : "");
                print_escaped(stdout, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
                if (name) {
                        printf(", ");
                        print_escaped(stdout, name);
                }
                putchar('\n');
        }
        if (n > DEVICES_SHOWN) {
                output_label(out, "");
                printf("and %zu more\n", n - DEVICES_SHOWN);
        }
}

/* Is a record a request that found the module there, later than its load? */
static bool is_later_request(const Answer *a, size_t i) {
        sd_json_variant *record = history_record(&a->history, i);

        return a->cause.n_steps > 0 && a->cause.steps[0].record &&
               streq_ptr(field_string(record, "outcome"), "already_loaded") &&
               field_number(record, "timeUSec") >= field_number(a->cause.steps[0].record, "timeUSec");
}

static void print_later(const Output *out, const Answer *a) {
        size_t n = 0;

        for (size_t i = 0; i < a->history.n_entries; i++) {
                if (!is_later_request(a, i) || n++ >= REQUESTS_SHOWN)
                        continue;
                output_label(out, n == 1 ? "Later" : "");
                print_date(stdout, field_number(history_record(&a->history, i), "timeUSec"));
                printf(", ");
                print_record_requester(stdout, history_record(&a->history, i));
                putchar('\n');
        }
        if (n > REQUESTS_SHOWN) {
                output_label(out, "");
                printf("and %zu more\n", n - REQUESTS_SHOWN);
        }
}

static int print_chain(const Output *out, const Answer *a) {
        sd_json_variant *record = a->cause.n_steps > 0 ? a->cause.steps[0].record : NULL;
        int r;

        if (!record) {
                output_label(out, "Loaded");
                printf("%s\n",
                       a->history.complete
                               ? "lkmd has not seen how"
                               : "too long ago: lkmd keeps only the latest records, see LedgerEntries= in lkmd.conf(5)");
                return 0;
        }
        putchar('\n');
        r = why_chain_print(out, &a->cause, a->names);
        if (r < 0)
                return r;
        putchar('\n');
        print_when(out, record);
        print_how_long(out, record);
        if (field_string(record, "parameters")) {
                output_label(out, "Parameters");
                print_escaped(stdout, field_string(record, "parameters"));
                putchar('\n');
        }
        return 0;
}

static void print_serves(const Output *out, const Answer *a) {
        if (field_elements(a->module, "holders") > 0) {
                output_label(out, "Used by");
                print_strings(stdout, field_array(a->module, "holders"));
                putchar('\n');
        }
        print_devices(out, a);
        print_later(out, a);
}

/* The last that happened to a module that is not there, newest first. */
static void print_last(const Output *out, const Answer *a) {
        size_t n = a->history.n_entries;

        if (n == 0) {
                output_label(out, "History");
                printf(a->history.complete ? "nobody has asked for it in this boot\n"
                                           : "nothing is kept about it\n");
        }
        for (size_t i = n; i > 0 && n - i < RECORDS_SHOWN; i--) {
                sd_json_variant *record = history_record(&a->history, i - 1);

                output_label(out, i == n ? "History" : "");
                print_date(stdout, field_number(record, "timeUSec"));
                printf("  %s", record_is_failure(record) ? output_tone(out, stdout, TONE_BAD) : "");
                print_outcome(stdout, record);
                printf("%s, ", output_tone(out, stdout, TONE_PLAIN));
                print_record_requester(stdout, record);
                putchar('\n');
        }
}

static void print_next(const Output *out, const Answer *a, const char *verb) {
        printf("\nNext: ");
        output_command(out, stdout);
        printf("%s ", verb);
        print_escaped(stdout, a->name);
        putchar('\n');
}

static int print_text(const Output *out, const Answer *a) {
        int r = 0;

        print_headline(out, a);
        if (is_in_kernel(a)) {
                r = print_chain(out, a);
                if (r >= 0)
                        print_serves(out, a);
        } else if (streq(a->state, "queued"))
                print_next(out, a, "wait --module");
        else if (!streq(a->state, "built_in")) {
                print_last(out, a);
                print_next(out, a, "why-not");
        }
        return r;
}

/* ---------------------------------------------------------------------------------------------------- JSON */

static int devices_to_json(const Answer *a, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (char **device = a->devices; r >= 0 && device && *device; device++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                const char *path = startswith(*device, "/sys") ? *device + strlen("/sys") : *device;
                _cleanup_(freep) char *name = why_device_name(a->names, path);

                r = sd_json_buildo(
                        &v, SD_JSON_BUILD_PAIR_STRING("device", path),
                        SD_JSON_BUILD_PAIR_CONDITION(name != NULL, "name", SD_JSON_BUILD_STRING(name)));
                if (r == -EUCLEAN || r == -EINVAL)
                        continue;       /* its path is not text */
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0 && r != -EUCLEAN && r != -EINVAL)
                return r;
        *ret = STEAL_PTR(array);
        return 0;
}

/* @later: only the requests that found it there; else all records. */
static int records_to_json(const Answer *a, bool later, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < a->history.n_entries; i++)
                if (!later || is_later_request(a, i))
                        r = sd_json_variant_append_array(&array, history_record(&a->history, i));
        if (r < 0)
                return r;
        *ret = STEAL_PTR(array);
        return 0;
}

static int print_json(Output *out, const Answer *a) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *cause = NULL, *devices = NULL,
                                                          *later = NULL, *history = NULL;
        sd_json_variant *holders = field_array(a->module, "holders");
        _cleanup_(freep) char *device_name = why_device_name(
                a->names, field_string(ancestry_requester(&a->cause), "device"));
        int r;

        if ((r = ancestry_to_json(&a->cause, &cause)) < 0 || (r = devices_to_json(a, &devices)) < 0 ||
            (r = records_to_json(a, true, &later)) < 0 || (r = records_to_json(a, false, &history)) < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("module", a->name), SD_JSON_BUILD_PAIR_STRING("state", a->state),
                SD_JSON_BUILD_PAIR_CONDITION(cause != NULL, "cause", SD_JSON_BUILD_VARIANT(cause)),
                SD_JSON_BUILD_PAIR_CONDITION(device_name != NULL, "deviceName",
                                             SD_JSON_BUILD_STRING(device_name)),
                SD_JSON_BUILD_PAIR_CONDITION(holders != NULL, "holders", SD_JSON_BUILD_VARIANT(holders)),
                SD_JSON_BUILD_PAIR_VARIANT("devices", devices), SD_JSON_BUILD_PAIR_VARIANT("later", later),
                SD_JSON_BUILD_PAIR_VARIANT("history", history),
                SD_JSON_BUILD_PAIR_BOOLEAN("complete", a->history.complete));
        return r < 0 ? r : output_json(out, v);
}

int verb_why(Run *run, char **args, unsigned n_args) {
        _cleanup_(answer_clear) Answer answer = {};
        int r;

        r = fetch(run, args[0], &answer);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                return print_json(&run->out, &answer);
        return output_wants_text(&run->out) ? print_text(&run->out, &answer) : STATUS_DONE;
}
