/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* status without a module or device: what to know at a glance when the machine misbehaves. */

#include <assert.h>
#include <inttypes.h>

#include "cli/offline/device-argument.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/status-build.h"
#include "cli/verbs/status-module.h"
#include "cli/verbs/status-policy.h"
#include "cli/verbs/status-verdict.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"

#define FAILURES_SHOWN 5U
#define PROBLEMS_SHOWN 10U
#define AFTER_UDEV_SHOWN 5U
#define BELOW_LABEL "              "       /* as wide as output_label() */

static void print_in_charge(const Output *out, sd_json_variant *status) {
        const char *in_charge = field_string(status, "inCharge") ?: "?";

        output_label(out, "In charge");
        if (streq(in_charge, "lkmd"))
                printf("lkmd loads drivers for devices, udev leaves it to lkmd\n");
        else if (streq(in_charge, "lkmd_and_udev")) {
                output_toned(out, TONE_WARN, "lkmd and udev both load drivers");
                printf(": udev's own rule is in force as well\n");
        } else if (streq(in_charge, "udev") && field_string(status, "ownUdevRule") &&
                   !field_string(status, "steppedBack")) {
                output_toned(out, TONE_WARN, "not lkmd");
                printf(": udev does what the administrator's own ");
                print_escaped(stdout, field_string(status, "ownUdevRule"));
                printf(" says\n");
        } else if (streq(in_charge, "udev")) {
                output_toned(out, TONE_WARN, "not lkmd");
                printf(": ");
                print_escaped(stdout, field_string(status, "steppedBack"));
                printf("; udev loads drivers\n");
        } else {
                print_escaped(stdout, in_charge);
                putchar('\n');
        }
}

/* Its release, and whom it asks for modules; nothing of the latter about a kernel that never does. */
static void print_kernel(const Output *out, sd_json_variant *status) {
        const char *program = field_string(status, "kernelProgram");

        output_label(out, "Kernel");
        print_escaped(stdout, field_string(status, "kernelRelease"));
        if (!program)
                putchar('\n');
        else if (field_bool(status, "kernelAsksLkmd"))
                printf(", asks lkmd for what it needs itself\n");
        else if (program[0] == '\0')
                printf(", asks for no modules itself: the sysctl kernel.modprobe is empty\n");
        else {
                printf(", ");
                output_toned(out, TONE_WARN, "does not ask lkmd");
                printf(" for the modules that it needs itself, but ");
                print_escaped(stdout, program);
                printf(" (kernel.modprobe)\n");
        }
}

/* "pci devices: drivers after udev (/etc/udev/rules.d/61-x.rules:1 sets driver_override)" */
static void print_after_udev(const Output *out, sd_json_variant *status) {
        sd_json_variant *rules = sd_json_variant_by_key(status, "afterUdev");
        size_t n = field_elements(status, "afterUdev");
        uint64_t waiting = field_number(status, "waitingForUdev");

        if (n == 0)
                return;
        output_label(out, "After udev");
        for (size_t i = 0; i < MIN(n, (size_t) AFTER_UDEV_SHOWN); i++) {
                sd_json_variant *rule = sd_json_variant_by_index(rules, i);
                uint64_t line = field_number(rule, "line");

                printf("%sdrivers of ", i > 0 ? BELOW_LABEL : "");
                print_escaped(stdout, field_string(rule, "devices"));
                printf(": ");
                print_escaped(stdout, field_string(rule, "file"));
                if (line > 0)
                        printf(":%" PRIu64, line);
                printf(" ");
                print_escaped(stdout, field_string(rule, "reason"));
                putchar('\n');
        }
        if (n > AFTER_UDEV_SHOWN) {
                printf(BELOW_LABEL "and %zu more rules; ", n - AFTER_UDEV_SHOWN);
                output_command(out, stdout);
                printf("--json=pretty status has them\n");
        }
        if (waiting > 0)
                printf(BELOW_LABEL "%" PRIu64 " device%s waiting for udev now\n", waiting,
                       waiting == 1 ? " is" : "s are");
}

/* "on, refuses requests and sockets", "off: lkmd.gate=off is on the kernel command line" */
static void print_gate(const Output *out, sd_json_variant *status) {
        const char *mode = field_string(status, "gate"), *why = field_string(status, "gateOff");
        uint64_t lost = field_number(field_object(status, "counters"), "gateLost");

        if (!mode)
                return;                 /* an lkmd without a gate */
        output_label(out, "Gate");
        if (streq(mode, "off")) {
                printf("off: ");
                print_escaped(stdout, why ?: "?");
                printf("; who asks the kernel is not known, and no socket is refused\n");
                return;
        }
        printf("in the kernel, refuses requests, sockets%s",
               streq(mode, "files") ? " and module files" : "");
        if (lost > 0)
                printf("; %sevents of it were lost %" PRIu64 " time%s%s",
                       output_tone(out, stdout, TONE_WARN), lost, plural(lost),
                       output_tone(out, stdout, TONE_PLAIN));
        putchar('\n');
}

static void print_index(const Output *out, sd_json_variant *status) {
        output_label(out, "Index");
        if (!field_bool(status, "indexComplete")) {
                output_toned(out, TONE_BAD, "missing or incomplete");
                printf(", nothing can be loaded from ");
                print_escaped(stdout, field_string(status, "moduleDirectory"));
        } else {
                printf("%" PRIu64 " modules, %" PRIu64 " aliases in ",
                       field_number(status, "modulesKnown"), field_number(status, "aliasesKnown"));
                print_escaped(stdout, field_string(status, "moduleDirectory"));
        }
        putchar('\n');
}

static void print_queue(const Output *out, sd_json_variant *status) {
        uint64_t queued = field_number(status, "queued");
        size_t running = field_elements(status, "running");

        output_label(out, "Queue");
        if (field_bool(status, "idle"))
                printf("idle\n");
        else
                printf("%zu running, %" PRIu64 " waiting\n", running, queued);
}

/* Only the unusual: events that were lost or held back, and walks over all devices. */
static void print_events(const Output *out, sd_json_variant *counters) {
        uint64_t lost = field_number(counters, "lost"), rescans = field_number(counters, "rescans");
        uint64_t backed_off = field_number(counters, "backedOff");

        if (lost == 0 && rescans == 0 && backed_off == 0)
                return;

        output_label(out, "Events");
        printf("%" PRIu64 " announced", field_number(counters, "events"));
        if (lost > 0)
                printf(", %slost %" PRIu64 " time%s%s", output_tone(out, stdout, TONE_WARN), lost,
                       plural(lost), output_tone(out, stdout, TONE_PLAIN));
        if (rescans > 0)
                printf(", all devices looked at again %" PRIu64 " time%s", rescans, plural(rescans));
        if (backed_off > 0)
                printf(", %" PRIu64 " held back of devices that come and go", backed_off);
        putchar('\n');
}

static void print_facts(const Output *out, sd_json_variant *status) {
        sd_json_variant *counters = field_object(status, "counters");
        uint64_t devices = field_number(counters, "coldplugDevices"), failures = field_number(counters, "failures");
        uint64_t slow = field_number(counters, "slow"), kept_out = field_number(counters, "keptOut");

        print_in_charge(out, status);
        print_kernel(out, status);
        print_after_udev(out, status);
        print_gate(out, status);
        print_index(out, status);
        status_print_policy(out, status);

        output_label(out, "Coldplug");
        printf("%s, %" PRIu64 " device%s looked at", field_bool(status, "coldplugDone") ? "done" : "under way",
               devices, plural(devices));
        putchar('\n');
        print_events(out, counters);

        output_label(out, "Modules");
        printf("%" PRIu64 " in the kernel; lkmd loaded %" PRIu64 ", removed %" PRIu64 ", ",
               field_number(status, "modulesLoaded"), field_number(counters, "loads"), field_number(counters, "unloads"));
        if (failures > 0)
                printf("%s%" PRIu64 " failed%s", output_tone(out, stdout, TONE_BAD), failures,
                       output_tone(out, stdout, TONE_PLAIN));
        else
                printf("none failed");
        if (kept_out > 0)
                printf(", %" PRIu64 " kept out by %s install command", kept_out,
                       kept_out == 1 ? "its" : "their");
        if (slow > 0)
                printf(", %s%" PRIu64 " slow%s", output_tone(out, stdout, TONE_WARN), slow,
                       output_tone(out, stdout, TONE_PLAIN));
        putchar('\n');
        print_queue(out, status);
}

/* How long a job has been under way. */
static uint64_t running_usec(sd_json_variant *record, uint64_t now) {
        uint64_t usec, since;

        if (field_unsigned(record, "durationUSec", &usec))
                return usec;
        return field_unsigned(record, "timeUSec", &since) && since <= now ? now - since : 0;
}

static void print_running(const Output *out, sd_json_variant *status) {
        sd_json_variant *running = field_array(status, "running");
        uint64_t now = clock_usec(CLOCK_REALTIME);

        if (field_elements(status, "running") == 0)
                return;

        output_title(out, "Running");
        ARRAY_FOREACH_INDEX(running, i) {
                sd_json_variant *record = sd_json_variant_by_index(running, i);

                printf("  ");
                print_escaped(stdout, field_string(record, "module"));
                printf("  for ");
                print_load_time(stdout, record, running_usec(record, now));
                print_whereabouts(stdout, record);
                printf(", ");
                print_record_requester(stdout, record);
                putchar('\n');
        }
}

static void print_failures(const Output *out, sd_json_variant *status) {
        sd_json_variant *failures = field_array(status, "failures");
        size_t n = field_elements(status, "failures");
        uint64_t now = clock_usec(CLOCK_REALTIME);

        if (n == 0)
                return;

        output_title(out, "Latest failures");
        ARRAY_FOREACH_INDEX(failures, i) {
                sd_json_variant *record = sd_json_variant_by_index(failures, i);
                uint64_t when = field_number(record, "timeUSec");
                const char *hint = field_string(record, "hint"), *message = field_string(record, "message");

                if (i >= FAILURES_SHOWN) {
                        printf("  and %zu more: ", n - i);
                        output_command(out, stdout);
                        printf("status --json\n");
                        break;
                }
                printf("  %s", output_tone(out, stdout, TONE_BAD));
                print_escaped(stdout, field_string(record, "module"));
                printf("%s  ", output_tone(out, stdout, TONE_PLAIN));
                print_age(stdout, now - MIN(when, now));
                printf(": ");
                print_escaped(stdout, message ?: "failed");
                printf("\n      ");
                print_record_requester(stdout, record);
                putchar('\n');
                if (hint) {
                        output_hint(out, 6, "try");
                        print_escaped(stdout, hint);
                        putchar('\n');
                }
        }
}

/* "nvidia  since 2 min, /etc/modules-load.d/gpu.conf:1" */
static void print_waiting(const Output *out, sd_json_variant *status) {
        sd_json_variant *waiting = field_array(status, "waitingForDevice");
        uint64_t now = clock_usec(CLOCK_REALTIME);

        if (field_elements(status, "waitingForDevice") == 0)
                return;

        output_title(out, "Listed for the boot, and waiting for a device");
        ARRAY_FOREACH_INDEX(waiting, i) {
                sd_json_variant *entry = sd_json_variant_by_index(waiting, i);
                const char *name = field_string(entry, "name"), *module = field_string(entry, "module");

                printf("  ");
                print_escaped(stdout, name);
                if (!is_same_module(name, module)) {
                        printf(" (");
                        print_escaped(stdout, module);
                        putchar(')');
                }
                printf("  for ");
                print_duration(stdout, now - MIN(field_number(entry, "sinceUSec"), now));
                printf(", ");
                print_list_place(stdout, entry);
                putchar('\n');
        }
}

static void print_problems(const Output *out, sd_json_variant *status, const char *field, const char *title) {
        sd_json_variant *problems = field_array(status, field);
        size_t n = field_elements(status, field);

        if (n == 0)
                return;

        output_title(out, title);
        ARRAY_FOREACH_INDEX(problems, i) {
                if (i >= PROBLEMS_SHOWN) {
                        printf("  and %zu more: ", n - i);
                        output_command(out, stdout);
                        printf("status --json\n");
                        break;
                }
                printf("  ");
                print_problem(stdout, sd_json_variant_by_index(problems, i));
                putchar('\n');
        }
}

int verb_status(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *status = NULL;
        const Machine machine = machine_here("");
        int r;

        if (n_args > 0) {
                r = run->out.host ? 0 : device_argument_is(args[0]);
                return r < 0 ? r : r > 0 ? verb_devices(run, args, n_args) : status_of_module(run, args[0]);
        }

        r = client_call(run->client, "Status", NULL, &hooks, &status);
        if (r != 0)
                return r;
        if (!field_string(status, "version"))
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        if (run->out.json != JSON_OFF)
                return output_json(&run->out, status);
        if (!output_wants_text(&run->out))
                return STATUS_DONE;

        status_print_verdict(&run->out, status);
        print_facts(&run->out, status);
        if (!run->out.host) {
                r = status_print_taint(&run->out, &machine);
                if (r < 0)
                        return r;
        }
        print_running(&run->out, status);
        print_waiting(&run->out, status);
        print_failures(&run->out, status);
        print_problems(&run->out, status, "problems", "Broken files");
        print_problems(&run->out, status, "unwatched", "Not watched for changes");
        status_print_policy_details(&run->out, status);
        status_print_next(&run->out, status);
        return STATUS_DONE;
}
