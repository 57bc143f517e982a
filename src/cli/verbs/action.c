/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Action: see action.h. Owns nothing. */

#include "cli/verbs/action.h"

#include <assert.h>

#include "cli/call/interrupt.h"
#include "cli/call/ssh-command.h"
#include "cli/holders/holders.h"
#include "cli/offline/suggestion.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/unload-text.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/interface/interface.h"

static int on_progress(sd_json_variant *reply, void *userdata) {
        Action *a = userdata;

        progress_event(&a->progress, field_object(reply, "progress"), clock_usec(CLOCK_MONOTONIC));
        return 0;
}

static void on_second(void *userdata) {
        Action *a = userdata;

        progress_draw(&a->progress);
}

/* The hint for what lkmd-loader refused since it came by ssh: the same command, typed on that machine. */
static int hint_at_ssh(const Action *a, sd_json_variant **fields) {
        _cleanup_(freep) const char **words = calloc((size_t) a->n_args + 8, sizeof(*words));
        _cleanup_(freep) char *command = NULL;
        bool dashed = false;
        size_t n = 0;
        int r;

        if (!words)
                return -ENOMEM;
        words[n++] = "lkmctl";
        words[n++] = a->verb;
        if (a->run->force)
                words[n++] = "--force";
        if (a->run->force_removal)
                words[n++] = "--force-removal";
        if (a->run->holders)
                words[n++] = "--holders";
        if (a->run->force_vermagic)
                words[n++] = "--force-vermagic";
        if (a->run->force_modversion)
                words[n++] = "--force-modversion";
        for (unsigned i = 0; i < a->n_args; i++)
                dashed = dashed || a->args[i][0] == '-';
        if (dashed)
                words[n++] = "--";
        for (unsigned i = 0; i < a->n_args; i++)
                words[n++] = a->args[i];

        r = ssh_command_new(a->run->out.host, words, n, &command);
        if (r >= 0)
                r = sd_json_variant_set_field_string(fields, "hint", command);
        return r < 0 ? r : 0;
}

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        Action *a = userdata;

        progress_clear(&a->progress);
        if (a->run->out.host && field_bool(*fields, "notProven"))
                return hint_at_ssh(a, fields);
        if (streq(error_id, LKMD_ERROR_IN_USE))
                return holders_add_to_error("", fields);
        return suggestion_add(a->run, error_id, a->args[0], fields);
}

/* Not what came along but was loaded before. */
static bool record_is_shown(sd_json_variant *record) {
        return record_is_requested(record) || !record_is_old(record);
}

/* One line per module, with those that came along indented; what follows the names is aligned. */
static void print_records(const Output *out, sd_json_variant *records) {
        int width = 0;

        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);
                int length;

                if (!record_is_shown(record))
                        continue;
                length = (int) strnlen(field_string(record, "module") ?: "?", MODULE_NAME_MAX);
                length += record_is_requested(record) ? 0 : 2;
                width = MAX(width, length);
        }

        ARRAY_FOREACH_INDEX(records, i) {
                sd_json_variant *record = sd_json_variant_by_index(records, i);
                bool requested = record_is_requested(record);
                _cleanup_(freep) char *name = NULL;
                Tone tone;

                if (!record_is_shown(record) ||
                    text_escape(field_string(record, "module") ?: "?", &name) < 0)
                        continue;
                tone = record_is_failure(record) ? TONE_BAD : requested ? TONE_STRONG : TONE_PLAIN;
                printf("%s%s%-*s%s  ", requested ? "" : "  ", output_tone(out, stdout, tone),
                       requested ? width : width - 2, name, output_tone(out, stdout, TONE_PLAIN));
                print_outcome(stdout, record);
                if (!requested) {
                        printf(", ");
                        print_record_requester_short(stdout, record);
                }
                putchar('\n');
        }
}

static void print_omissions(const Output *out, sd_json_variant *omissions) {
        ARRAY_FOREACH_INDEX(omissions, i) {
                sd_json_variant *omission = sd_json_variant_by_index(omissions, i);

                printf("%s", output_tone(out, stdout, TONE_WARN));
                print_escaped(stdout, field_string(omission, "module"));
                printf("%s  left out: ", output_tone(out, stdout, TONE_PLAIN));
                print_omission(stdout, omission);
                putchar('\n');
        }
}

/**
 * action_call() - make the call, show its progress on a terminal, and print the outcome
 *
 * Return: as client_call().
 */
int action_call(Action *a, sd_json_variant *parameters) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        CallHooks hooks = { .on_error = on_error, .userdata = a };
        Run *run = a->run;
        int r;

        r = interrupt_says(
                "\nlkmctl: stopped waiting; lkmd goes on, and \"lkmctl status\" shows how it ends\n");
        if (r < 0)
                return r;

        a->progress.since_usec = clock_usec(CLOCK_MONOTONIC);
        if (run->out.stderr_terminal && !run->out.quiet) {
                hooks.on_reply = on_progress;
                hooks.on_second = on_second;
        }
        r = client_call(run->client, a->method, parameters, &hooks, &reply);
        progress_clear(&a->progress);
        progress_done(&a->progress);
        if (r != 0)
                return r;

        if (run->out.json != JSON_OFF)
                return output_json(&run->out, reply);
        if (!output_wants_text(&run->out))
                return 0;
        print_records(&run->out, field_array(reply, "records"));
        print_omissions(&run->out, field_array(reply, "omissions"));
        print_unload_stays(&run->out, reply);
        if (field_elements(reply, "records") == 0 && field_elements(reply, "omissions") == 0)
                printf("Nothing to do.\n");
        return output_flush();
}

/* Return: 0 or what sd-json says. */
int parameters_set_flag(sd_json_variant **parameters, const char *field, bool value) {
        int r = value ? sd_json_variant_set_field_boolean(parameters, field, true) : 0;

        return r < 0 ? r : 0;
}
