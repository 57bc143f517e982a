/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* monitor: one line per event, until Ctrl-C, until the reader of the pipe is gone, or until lkmd ends. */

#include <assert.h>

#include "cli/call/interrupt.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/wrap.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"

#define SUBJECT_WIDTH 22                /* a longer one moves the text to the right */
#define WIDTH_BEFORE_SUBJECT (12 + 2 + 8 + 2)
#define LINE_PER_SUBJECT 5              /* on a narrow terminal */

/* The second column and its colour; a load that failed differs from one that succeeded. */
static const char *event_word(sd_json_variant *event, Tone *ret_tone) {
        const char *kind = field_string(event, "kind") ?: "?";

        *ret_tone = TONE_PLAIN;
        if (streq(kind, "finished")) {
                const char *outcome = field_string(field_object(event, "record"), "outcome");

                if (record_is_failure(field_object(event, "record"))) {
                        *ret_tone = TONE_BAD;
                        return streq_ptr(outcome, "kept_out") ? "kept out" : "failed";
                }
                *ret_tone = TONE_GOOD;
                return streq_ptr(outcome, "unloaded") ? "unloaded" : streq_ptr(outcome, "loaded") ? "loaded" : "finished";
        }
        if (streq(kind, "verdict") || streq(kind, "problem") || streq(kind, "slow") ||
            streq(kind, "rescan") || streq(kind, "noisy") || streq(kind, "charge") ||
            streq(kind, "foreign_denied") || streq(kind, "would_refuse") || streq(kind, "gate_refused"))
                *ret_tone = TONE_WARN;
        return streq(kind, "foreign_denied") || streq(kind, "gate_refused") ? "denied"
               : streq(kind, "would_refuse")                                ? "audit"
                                                                            : kind;
}

/* The third column: the module, the device, the file. */
static void print_subject(FILE *f, sd_json_variant *event) {
        sd_json_variant *record = field_object(event, "record"), *omission = field_object(event, "omission");
        sd_json_variant *problem = field_object(event, "problem"),
                        *requester = field_object(event, "requester");
        const char *device = field_string(requester, "device"), *slash;

        if (record)
                print_escaped(f, field_string(record, "module"));
        else if (omission)
                print_escaped(f, field_string(omission, "module"));
        else if (problem)
                print_place(f, problem);
        else if (device) {
                slash = strrchr(device, '/');
                print_escaped(f, slash ? slash + 1 : device);
        } else if (field_string(requester, "key"))
                print_escaped(f, field_string(requester, "key"));
        else
                (void) fputc('-', f);
}

/* What it asks for comes last: it may be long, and a terminal may have no room for all of it. */
static void print_device(FILE *f, sd_json_variant *event) {
        sd_json_variant *requester = field_object(event, "requester");
        const char *subsystem = field_string(requester, "subsystem");

        if (subsystem) {
                print_escaped(f, subsystem);
                (void) fputc(' ', f);
        }
        (void) fputs("device ", f);
        if (field_elements(event, "matches") > 0) {
                (void) fputs("for ", f);
                print_strings(f, field_array(event, "matches"));
        } else
                (void) fputs("that no module is for", f);
        (void) fputs(": ", f);
        print_escaped(f, field_string(requester, "key"));
}

/* The rest of the line. */
static void print_story(FILE *f, sd_json_variant *event) {
        const char *kind = field_string(event, "kind") ?: "", *message = field_string(event, "message");
        sd_json_variant *record = field_object(event, "record"), *omission = field_object(event, "omission");
        uint64_t usec;

        if (record) {
                if (streq(kind, "started")) {
                        const char *parameters = field_string(record, "parameters");

                        print_record_requester(f, record);
                        if (parameters && *parameters) {
                                (void) fputs(", with ", f);
                                print_escaped(f, parameters);
                        }
                } else if (streq(kind, "slow")) {
                        (void) fputs("takes long: ", f);
                        print_load_time(f, record, field_unsigned(record, "durationUSec", &usec) ? usec : 0);
                        (void) fputs(" so far", f);
                        print_whereabouts(f, record);
                } else {
                        print_outcome(f, record);
                        if (record_is_foreign(record)) {
                                (void) fputs(", ", f);
                                print_record_requester(f, record);
                        }
                }
        } else if (omission) {
                (void) fputs(streq(kind, "would_refuse") ? "would be left out: " : "left out: ", f);
                print_omission(f, omission);
                if (field_object(event, "requester")) {
                        (void) fputs(", ", f);
                        print_requester(f, field_object(event, "requester"));
                }
        } else if (field_object(event, "problem"))
                print_escaped(f, field_string(field_object(event, "problem"), "message"));
        else if (field_object(event, "requester") && !message)
                print_device(f, event);
        else
                print_escaped(f, message ?: "");
}

/* What @print writes about @event, as text. */
static int get_text(void (*print)(FILE *f, sd_json_variant *event), sd_json_variant *event, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        print(f, event);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(text);
        return 0;
}

/* One line, also on a terminal. */
static int print_event(const Output *out, sd_json_variant *event) {
        _cleanup_(freep) char *subject = NULL, *word = NULL, *story = NULL, *shorter = NULL;
        size_t width = out->full ? 0 : wrap_width(); /* 0: there is room for all of it */
        size_t subject_width = SUBJECT_WIDTH, before;
        Tone tone;

        if (text_escape(event_word(event, &tone), &word) < 0 || get_text(print_subject, event, &subject) < 0 ||
            get_text(print_story, event, &story) < 0)
                return -ENOMEM;
        if (width > 0)
                subject_width = MIN(subject_width, width / LINE_PER_SUBJECT);
        before = WIDTH_BEFORE_SUBJECT + MAX(subject_width, wrap_columns(subject)) + 2;
        if (before < width && wrap_shorten(story, width - before, out->utf8, &shorter) < 0)
                return -ENOMEM;

        print_time(stdout, field_number(event, "timeUSec"));
        printf("  %s", output_tone(out, stdout, tone));
        printf("%-8s%s  %-*s  %s\n", word, output_tone(out, stdout, TONE_PLAIN), (int) subject_width, subject,
               shorter ?: story);
        return output_flush();
}

/* Return: 0 to go on; negative errno to stop. */
static int on_event(sd_json_variant *reply, void *userdata) {
        sd_json_variant *event = field_object(reply, "event");
        Output *out = userdata;

        if (!event) {                           /* the first reply */
                if (out->stderr_terminal && output_wants_text(out))
                        (void) fprintf(stderr, "Watching lkmd, Ctrl-C ends.\n");
                return 0;
        }
        if (out->json != JSON_OFF)
                return output_json(out, event);
        return out->quiet ? 0 : print_event(out, event);
}

int verb_monitor(Run *run, char **args, unsigned n_args) {
        CallHooks hooks = { .on_reply = on_event, .userdata = &run->out, .ends_with_stdout = true };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = interrupt_is_the_end();
        if (r < 0)
                return r;

        r = client_call(run->client, "Monitor", NULL, &hooks, &reply);
        if (r != 0)
                return r;

        if (field_object(reply, "event")) {
                r = on_event(reply, &run->out);
                if (r < 0)
                        return r;
        }
        return failure_print_own(&run->out, CLIENT_ERROR_DISCONNECTED, "systemctl status lkmd",
                                 "lkmd went away");
}
