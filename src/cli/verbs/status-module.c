/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StatusModule: the state of one module, how it got into the kernel, its configuration, and what lkmd did with it.
 */

#include "cli/verbs/status-module.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/call/argument.h"
#include "cli/offline/suggestion.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/status-build.h"

#define HISTORY_SHOWN 8U
#define STACK_SHOWN 16U

static void print_headline(const Output *out, sd_json_variant *module) {
        print_module_state(out, field_string(module, "name"), field_string(module, "state"), "");
}

static void print_text(const Output *out, const char *label, const char *text) {
        if (!text || *text == '\0')
                return;
        output_label(out, label);
        print_escaped(stdout, text);
        putchar('\n');
}

static void print_names(const Output *out, const char *label, sd_json_variant *array) {
        if (!array || sd_json_variant_elements(array) == 0)
                return;
        output_label(out, label);
        print_strings(stdout, array);
        putchar('\n');
}

static void print_use(const Output *out, sd_json_variant *module) {
        uint64_t size, count;

        if (field_unsigned(module, "sizeBytes", &size)) {
                output_label(out, "Size");
                print_size(stdout, size);
                putchar('\n');
        }
        if (field_unsigned(module, "refCount", &count)) {
                output_label(out, "In use");
                printf("%" PRIu64 " time%s", count, count == 1 ? "" : "s");
                if (field_elements(module, "holders") > 0) {
                        printf(", by ");
                        print_strings(stdout, field_array(module, "holders"));
                }
                putchar('\n');
        } else
                print_names(out, "Used by", field_array(module, "holders"));
}

/* Was it in the kernel when lkmd started? Then the time of the record is that of the start. */
static bool was_there_before(sd_json_variant *record) {
        const char *origin = field_string(field_object(record, "requester"), "origin");

        return record_is_foreign(record) && !streq_ptr(origin, "foreign");
}

/* How it got into the kernel. */
static void print_origin(const Output *out, sd_json_variant *module) {
        sd_json_variant *record = field_object(module, "loadedBy");
        const char *state = field_string(module, "state") ?: "";
        uint64_t usec;

        if (!record) {
                if (streq(state, "live")) {
                        output_label(out, "Loaded");
                        printf("before lkmd started, or without lkmd\n");
                }
                return;
        }

        output_label(out, "Loaded");
        if (was_there_before(record))
                printf("before ");
        print_moment(stdout, field_number(record, "timeUSec"));
        if (field_unsigned(record, "durationUSec", &usec)) {
                printf(", in ");
                print_load_time(stdout, record, usec);
        }
        putchar('\n');
        output_label(out, "Requester");
        print_record_requester(stdout, record);
        putchar('\n');
        print_text(out, "Parameters", field_string(record, "parameters"));
}

/* Where the kernel has something else than is configured, and why. */
static void print_live_parameters(const Output *out, sd_json_variant *parameters) {
        static const struct {
                const char *reason, *words;
        } reasons[] = {
                { "changed",          "it was changed after the load"                                        },
                { "loaded_before",    "the module was loaded before that file was written"                   },
                { "loaded_otherwise", "the module was loaded with another value"                             },
                { "loaded_elsewhere", "the module was not loaded by lkmd"                                    },
                { "built_in",         "modprobe.d does not reach what is built in: write it on the kernel command line" },
        };

        ARRAY_FOREACH_INDEX(parameters, i) {
                sd_json_variant *p = sd_json_variant_by_index(parameters, i);
                const char *state = field_string(p, "state") ?: "", *value = field_string(p, "value");

                if (streq(state, "same") || (streq(state, "not_shown") && !field_string(p, "reason")))
                        continue;
                output_label(out, "Differs");
                printf("%s", output_tone(out, stdout, TONE_WARN));
                print_escaped(stdout, field_string(p, "configured"));
                printf("%s", output_tone(out, stdout, TONE_PLAIN));
                if (field_string(p, "file")) {
                        printf(" (");
                        print_place(stdout, p);
                        putchar(')');
                }
                if (value) {
                        printf(streq(state, "incomparable") ? ", shown as " : ", but it is ");
                        print_escaped(stdout, value);
                } else if (streq(state, "unreadable"))
                        printf(", and only root can read what it is");
                for (size_t k = 0; k < ARRAY_LEN(reasons); k++)
                        if (streq_ptr(field_string(p, "reason"), reasons[k].reason))
                                printf(": %s", reasons[k].words);
                putchar('\n');
        }
}

static void print_configuration(const Output *out, sd_json_variant *reply) {
        sd_json_variant *omissions = field_array(reply, "omissions"), *blacklist = field_object(reply, "blacklist");
        const char *name = field_string(field_object(reply, "module"), "name");

        print_names(out, "Needs", field_array(reply, "dependencies"));
        print_text(out, "Configured", field_string(reply, "configuredParameters"));
        print_live_parameters(out, field_array(reply, "parameters"));
        if (blacklist) {
                output_label(out, "Blacklist");
                printf("%snot loaded for devices%s", output_tone(out, stdout, TONE_WARN),
                       output_tone(out, stdout, TONE_PLAIN));
                if (field_string(blacklist, "file")) {
                        printf(", ");
                        print_place(stdout, blacklist);
                }
                putchar('\n');
        }
        ARRAY_FOREACH_INDEX(omissions, i) {
                sd_json_variant *omission = sd_json_variant_by_index(omissions, i);
                const char *module = field_string(omission, "module");

                output_label(out, "Left out");
                if (!streq_ptr(module, name)) {
                        print_escaped(stdout, module);
                        printf(": ");
                }
                print_omission(stdout, omission);
                putchar('\n');
        }
}

static void print_history(const Output *out, sd_json_variant *history) {
        size_t n = history ? sd_json_variant_elements(history) : 0;

        if (n == 0)
                return;

        output_title(out, "History");
        ARRAY_FOREACH_INDEX(history, i) {
                sd_json_variant *record = sd_json_variant_by_index(history, i);
                const char *hint = field_string(record, "hint");

                if (i >= HISTORY_SHOWN) {
                        printf("  and %zu older\n", n - i);
                        break;
                }
                printf("  ");
                print_date(stdout, field_number(record, "timeUSec"));
                printf("  %s", record_is_failure(record) ? output_tone(out, stdout, TONE_BAD) : "");
                print_outcome(stdout, record);
                printf("%s", output_tone(out, stdout, TONE_PLAIN));
                print_whereabouts(stdout, record);
                printf(", ");
                print_record_requester(stdout, record);
                putchar('\n');
                if (hint && record_is_failure(record)) {
                        output_hint(out, 6, "try");
                        print_escaped(stdout, hint);
                        putchar('\n');
                }
        }
}

/*
 * Where a module that takes long is in the kernel. lkmd sees the innermost function at most; who has
 * CAP_SYS_ADMIN on the same machine sees all of them, fs/proc/base.c proc_pid_stack().
 */
static void print_stack(const Output *out, sd_json_variant *record) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[64], line[256];
        uint64_t thread;

        if (!record || field_string(record, "outcome") || !field_unsigned(record, "threadId", &thread) || out->host)
                return;
        (void) snprintf(path, sizeof(path), "/proc/%" PRIu64 "/stack", thread);
        f = fopen(path, "re");
        for (unsigned n = 0; f && n < STACK_SHOWN && fgets(line, sizeof(line), f); n++) {
                const char *function = startswith(line, "[<") && strchr(line, ' ') ? strchr(line, ' ') + 1 : line;

                if (n == 0)
                        printf("\n%sIn the kernel%s, thread %" PRIu64 "\n", output_tone(out, stdout, TONE_STRONG),
                               output_tone(out, stdout, TONE_PLAIN), thread);
                line[strcspn(line, "\n")] = '\0';
                printf("  ");
                print_escaped(stdout, function);
                putchar('\n');
        }
}

/* Not where it would be denied, or has just failed: then there is a hint above. */
static bool load_may_help(sd_json_variant *reply) {
        sd_json_variant *latest = sd_json_variant_by_index(field_array(reply, "history"), 0);
        sd_json_variant *omissions = field_array(reply, "omissions");

        ARRAY_FOREACH_INDEX(omissions, i)
                if (field_bool(sd_json_variant_by_index(omissions, i), "required"))
                        return false;
        return !record_is_failure(latest);
}

static void print_next(const Output *out, sd_json_variant *reply) {
        sd_json_variant *module = field_object(reply, "module");
        const char *state = field_string(module, "state") ?: "", *verb;

        if (streq(state, "not_loaded") && load_may_help(reply))
                verb = "load";
        else if (streq(state, "queued") || streq(state, "coming"))
                verb = "wait --module";
        else
                return;

        printf("\nNext: ");
        output_command(out, stdout);
        printf("%s ", verb);
        print_escaped(stdout, field_string(module, "name"));
        putchar('\n');
}

typedef struct Question {
        Run *run;
        const char *name;
} Question;

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        const Question *q = userdata;

        return suggestion_add(q->run, error_id, q->name, fields);
}

static int look_at_build(sd_json_variant *module, StatusBuild *ret) {
        Machine machine = machine_here("");
        const char *name = field_string(module, "name");

        if (!name || strchr(name, '/'))
                return 0;
        return status_build_look(&machine, name, field_string(module, "path"), ret);
}

/* lkmd's reply, with what lkmctl has seen itself as the field "build". */
static int show_json(Run *run, const StatusBuild *build, sd_json_variant **reply) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
        int r;

        r = status_build_to_json(build, &object);
        if (r >= 0 && object)
                r = sd_json_variant_set_field(reply, "build", object);
        return r < 0 ? r : output_json(&run->out, *reply);
}

/* Return: ExitStatus; negative errno. */
int status_of_module(Run *run, const char *name) {
        Question question = { run, name };
        const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC,
                                  .on_error = on_error,
                                  .userdata = &question };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        _cleanup_(status_build_clear) StatusBuild build = {};
        const Output *out = &run->out;
        sd_json_variant *module;
        int r;

        r = argument_to_name(run, name, &parameters, "name");
        if (r != 0)
                return r;
        r = client_call(run->client, "DescribeModule", parameters, &hooks, &reply);
        if (r != 0)
                return r;
        module = field_object(reply, "module");
        if (!module)
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        if (!out->host) {
                r = look_at_build(module, &build);
                if (r < 0)
                        return r;
        }
        if (out->json != JSON_OFF)
                return show_json(run, &build, &reply);
        if (!output_wants_text(out))
                return STATUS_DONE;

        print_headline(out, module);
        print_text(out, "File", field_string(module, "path"));
        status_build_print(out, &build, field_string(module, "name") ?: name);
        if (field_string(module, "fileModule")) {
                output_label(out, "Called");
                print_escaped(stdout, field_string(module, "fileModule"));
                printf(" by its file: in modprobe.d, modules.dep and lkmctl load\n");
        }
        print_use(out, module);
        print_origin(out, module);
        print_configuration(out, reply);
        print_history(out, field_array(reply, "history"));
        print_stack(out, sd_json_variant_by_index(field_array(reply, "history"), 0));
        print_next(out, reply);
        return STATUS_DONE;
}
