/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ReplyText: what the objects of the interface mean, in sentences that all verbs share. Owns nothing. Values
 * that this version does not know (of a newer lkmd) are shown as they are.
 */

#include "cli/print/reply-text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "common/base/module-name.h"
#include "common/base/util.h"
#include "common/explain/omission-text.h"
#include "common/words/kernel-command-line.h"

#define LIVE_DIFFERENCE_USEC (100U * 1000U) /* a shorter wait for others is not mentioned */

static void print_detail(FILE *f, const char **separator, const char *words, const char *text) {
        if (!text)
                return;
        (void) fprintf(f, "%s%s", *separator, words);
        print_escaped(f, text);
        *separator = ", ";
}

static void print_detail_number(FILE *f, const char **separator, const char *words, uint64_t n) {
        (void) fprintf(f, "%s%s%" PRIu64, *separator, words, n);
        *separator = ", ";
}

/*
 * The process of a request: "python3 (pid 4711, uid 65534, logged in as uid 1000, a.service, /usr/bin/python3.13)".
 * @otherwise: if its name is not known
 */
static void print_process(FILE *f, sd_json_variant *requester, const char *otherwise) {
        const char *command = field_string(requester, "command"), *separator = " (";
        const char *executable = field_string(requester, "executable");
        uint64_t pid, uid, login_uid;
        bool has_uid = field_unsigned(requester, "uid", &uid);

        if (command)
                print_escaped(f, command);
        else
                (void) fputs(otherwise, f);
        if (field_unsigned(requester, "pid", &pid))
                print_detail_number(f, &separator, "pid ", pid);
        if (has_uid)
                print_detail_number(f, &separator, "uid ", uid);
        if (field_unsigned(requester, "loginUid", &login_uid) && !(has_uid && login_uid == uid))
                print_detail_number(f, &separator, "logged in as uid ", login_uid);
        print_detail(f, &separator, "", field_string(requester, "unit"));
        print_detail(f, &separator, "container ", field_string(requester, "container"));
        print_detail(f, &separator, "", executable);
        if (separator[0] == ',')
                (void) fputc(')', f);
}

static void print_any_process(FILE *f, sd_json_variant *requester) {
        bool is_known = sd_json_variant_by_key(requester, "pid") ||
                        sd_json_variant_by_key(requester, "executable") ||
                        sd_json_variant_by_key(requester, "uid") ||
                        sd_json_variant_by_key(requester, "unit");

        print_process(f, requester, is_known ? "a process" : "a process that is not known");
}

/* A process, or the one of a requester: "python3 (pid 4711, uid 65534, a.service)" */
void print_requester_process(FILE *f, sd_json_variant *process) {
        assert(f);

        print_any_process(f, process);
}

/* As above, and for which other requests it was: "modprobe (pid 7), while a module was loaded for init (pid 1)". */
static void print_processes(FILE *f, sd_json_variant *requester) {
        sd_json_variant *chain = field_array(requester, "chain");

        print_any_process(f, requester);
        ARRAY_FOREACH_INDEX(chain, i) {
                (void) fputs(i == 0 ? ", while a module was loaded for " : ", which was for ", f);
                print_any_process(f, sd_json_variant_by_index(chain, i));
        }
        if (field_bool(requester, "inferred"))
                (void) fputs(", it seems", f);
}

/* Names of modules, where '-' and '_' are alike; NULL is no name. */
bool is_same_module(const char *a, const char *b) {
        return a && b && strlen(a) == strlen(b) && module_name_equal(a, b, strlen(a));
}

/**
 * print_list_place() - who listed a module for the boot
 * @requester: of origin boot
 *
 * "listed in /etc/modules-load.d/a.conf:3", "listed by modules_load= on the kernel command line"
 */
void print_list_place(FILE *f, sd_json_variant *requester) {
        const char *file = field_string(requester, "file");

        assert(f);

        if (!file)
                (void) fputs("listed to be loaded at boot", f);
        else if (streq(file, KERNEL_COMMAND_LINE_FILE))
                (void) fputs("listed by modules_load= on the kernel command line", f);
        else {
                (void) fputs("listed in ", f);
                print_place(f, requester);
        }
}

/* @module: named already, so that a key which means it is not repeated; NULL: none */
static void print_requester_of(FILE *f, sd_json_variant *requester, const char *module) {
        const char *origin = field_string(requester, "origin") ?: "", *key = field_string(requester, "key");

        if (streq(origin, "device")) {
                (void) fputs("for device ", f);
                print_escaped(f, field_string(requester, "device"));
                if (key) {
                        (void) fputs(" (", f);
                        print_escaped(f, key);
                        (void) fputc(')', f);
                }
                return;
        }

        if (streq(origin, "idle")) {
                (void) fputs("by lkmd, since nobody used it", f);
                return;
        }
        if (streq(origin, "kernel")) {
                (void) fputs("asked for by the kernel on behalf of ", f);
                print_processes(f, requester);
        } else if (streq(origin, "client") || streq(origin, "container")) {
                (void) fputs("asked for by ", f);
                print_process(f, requester, streq(origin, "client") ? "a client" : "a process");
        } else if (streq(origin, "boot"))
                print_list_place(f, requester);
        else if (streq(origin, "initramfs"))
                (void) fputs("by the initramfs, before lkmd started", f);
        else if (streq(origin, "foreign")) {
                (void) fputs("without lkmd, by ", f);
                print_processes(f, requester);
        } else {
                (void) fputs("asked for by ", f);
                print_escaped(f, *origin ? origin : NULL);
        }
        if (key && !is_same_module(key, module)) {
                (void) fputs(", as ", f);
                print_escaped(f, key);
        }
}

/* "for device /devices/... (pci:v...)", "asked for by lkmctl (pid 4711, uid 0), as e1000e" */
void print_requester(FILE *f, sd_json_variant *requester) {
        assert(f);

        print_requester_of(f, requester, NULL);
}

/* Who asked, without what for: "devices", "the kernel on behalf of python3 (uid 65534, a.service)" */
void print_requester_kind(FILE *f, sd_json_variant *requester) {
        const char *origin = field_string(requester, "origin") ?: "";

        assert(f);

        if (streq(origin, "device"))
                (void) fputs("devices", f);
        else if (streq(origin, "kernel")) {
                (void) fputs("the kernel on behalf of ", f);
                print_any_process(f, requester);
        } else if (streq(origin, "client") || streq(origin, "container"))
                print_process(f, requester, streq(origin, "client") ? "a client" : "a process");
        else if (streq(origin, "boot"))
                (void) fputs("the boot", f);
        else if (streq(origin, "idle"))
                (void) fputs("lkmd, since nobody used it", f);
        else
                print_escaped(f, *origin ? origin : NULL);
}

/* The same in one or two words, for a table. */
void print_requester_short(FILE *f, sd_json_variant *requester) {
        const char *origin = field_string(requester, "origin") ?: "",
                   *device = field_string(requester, "device");

        assert(f);

        if (streq(origin, "device")) {
                const char *slash = device ? strrchr(device, '/') : NULL;

                (void) fputs("device ", f);
                print_escaped(f, slash ? slash + 1 : device);
        } else if (streq(origin, "container"))
                print_escaped(f, field_string(requester, "container") ?: origin);
        else if (streq(origin, "client") || streq(origin, "foreign") || streq(origin, "kernel")) {
                const char *command = field_string(requester, "command");

                print_escaped(f, command ?: origin);
        } else
                print_escaped(f, *origin ? origin : NULL);
}

/* True for what came or went without lkmd, which only wrote it down: what lkmd does at boot takes its time. */
bool record_is_foreign(sd_json_variant *record) {
        const char *origin = field_string(field_object(record, "requester"), "origin") ?: "";

        return streq(origin, "foreign") || streq(origin, "initramfs") ||
               (streq(origin, "boot") && !field_string(field_object(record, "requester"), "file") &&
                field_number(record, "durationUSec") == 0);
}

/* True for what the request itself means, false for what came along with it. */
bool record_is_requested(sd_json_variant *record) {
        return !field_string(record, "parent");
}

/* "needed by e1000e"; nothing for what was requested itself. Return: whether anything was printed. */
static bool print_reason(FILE *f, sd_json_variant *record) {
        static const struct {
                const char *reason, *words;
        } table[] = {
                { "dependency",   "needed by " },
                { "softdep_pre",  "wanted before " },
                { "softdep_post", "wanted after " },
        };
        const char *reason = field_string(record, "reason"), *parent = field_string(record, "parent");

        if (!parent)
                return false;
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (streq_ptr(reason, table[i].reason)) {
                        (void) fputs(table[i].words, f);
                        print_escaped(f, parent);
                        return true;
                }
        (void) fputs("along with ", f);
        print_escaped(f, parent);
        return true;
}

/* "needed by e1000e, for device ..." */
void print_record_requester(FILE *f, sd_json_variant *record) {
        assert(f);

        if (print_reason(f, record))
                (void) fputs(", ", f);
        if (record_is_foreign(record) &&
            streq_ptr(field_string(field_object(record, "requester"), "origin"), "boot"))
                (void) fputs("at boot, before lkmd started", f);
        else
                print_requester_of(f, field_object(record, "requester"), field_string(record, "module"));
}

/* What it came along with, else who asked: "for device 0000:00:1f.2", "asked for by lkmctl" */
void print_record_requester_brief(FILE *f, sd_json_variant *record) {
        sd_json_variant *requester = field_object(record, "requester");
        const char *origin = field_string(requester, "origin") ?: "";
        static const struct {
                const char *origin, *words;
        } table[] = {
                { "device", "for " },
                { "client", "asked for by " },
                { "kernel", "asked for by the kernel on behalf of " },
                { "foreign", "without lkmd, by " },
        };

        assert(f);

        if (print_reason(f, record))
                return;
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (streq(origin, table[i].origin)) {
                        (void) fputs(table[i].words, f);
                        print_requester_short(f, requester);
                        return;
                }
        print_record_requester(f, record);
}

/* What it came along with, else who asked. */
void print_record_requester_short(FILE *f, sd_json_variant *record) {
        assert(f);

        if (!print_reason(f, record))
                print_requester_short(f, field_object(record, "requester"));
}

/* True for what was in the kernel before the request. */
bool record_is_old(sd_json_variant *record) {
        const char *outcome = field_string(record, "outcome");

        return outcome && (streq(outcome, "already_loaded") || streq(outcome, "built_in"));
}

bool record_is_failure(sd_json_variant *record) {
        const char *outcome = field_string(record, "outcome");

        return outcome && (streq(outcome, "failed") || streq(outcome, "kept_out") ||
                           streq(outcome, "dependency_failed"));
}

/* "3.7 s (usable after 45.0 ms)", where the kernel made it wait for others that much longer. */
void print_load_time(FILE *f, sd_json_variant *record, uint64_t usec) {
        uint64_t live;

        print_duration(f, usec);
        if (!field_unsigned(record, "liveUSec", &live) || usec < live + LIVE_DIFFERENCE_USEC)
                return;
        (void) fputs(" (usable after ", f);
        print_duration(f, live);
        (void) fputc(')', f);
}

/* "loaded in 12.3 ms"; of a failure also the sentence. */
void print_outcome(FILE *f, sd_json_variant *record) {
        static const struct {
                const char *outcome, *words, *before_time; /* NULL: the time says nothing */
        } table[] = {
                { "loaded",            "loaded",                                       " in "      },
                { "already_loaded",    "was loaded already",                           NULL        },
                { "built_in",          "is part of the kernel image",                  NULL        },
                { "command_run",       "its command was run instead",                  ", in "     },
                { "unloaded",          "unloaded",                                     " in "      },
                { "failed",            "failed",                                       " after "   },
                { "kept_out",          "kept out",                                     " after "   },
                { "dependency_failed", "not tried, since something it needs failed",   NULL        },
        };
        const char *outcome = field_string(record, "outcome"), *message = field_string(record, "message");
        const char *before_time = ", ";
        size_t i;

        assert(f);

        if (!outcome) {
                (void) fputs("under way", f);
                before_time = " for ";
        } else {
                for (i = 0; i < ARRAY_LEN(table) && !streq(outcome, table[i].outcome); i++)
                        ;
                if (i < ARRAY_LEN(table)) {
                        (void) fputs(table[i].words, f);
                        before_time = table[i].before_time;
                } else
                        print_escaped(f, outcome);
        }

        uint64_t usec;
        if (before_time && field_unsigned(record, "durationUSec", &usec)) {
                (void) fputs(before_time, f);
                print_load_time(f, record, usec);
        }
        if (message && record_is_failure(record)) {
                (void) fputs(": ", f);
                print_escaped(f, message);
        }
}

/*
 * ", in msleep": where in the kernel a load is that takes long, if that is known; ", process 4711" of a command, which
 * is in no place that would say anything.
 */
void print_whereabouts(FILE *f, sd_json_variant *record) {
        sd_json_variant *innermost = sd_json_variant_by_index(field_array(record, "kernelStack"), 0);
        uint64_t process;

        assert(f);

        if (!sd_json_variant_is_string(innermost)) {
                if (field_unsigned(record, "threadId", &process))
                        (void) fprintf(f, ", process %" PRIu64, process);
                return;
        }
        (void) fputs(", in ", f);
        print_escaped(f, sd_json_variant_string(innermost));
}

/* "/etc/modprobe.d/local.conf:3", from the fields file and line. */
void print_place(FILE *f, sd_json_variant *object) {
        uint64_t line, column;

        assert(f);

        print_escaped(f, field_string(object, "file"));
        if (field_unsigned(object, "line", &line) && line > 0)
                (void) fprintf(f, ":%" PRIu64, line);
        if (field_unsigned(object, "column", &column) && column > 0)
                (void) fprintf(f, ":%" PRIu64, column);
}

/* "blacklisted by /etc/modprobe.d/local.conf:3, wanted by usb_storage" */
void print_omission(FILE *f, sd_json_variant *omission) {
        const char *kind = field_string(omission, "kind"), *wanted_by = field_string(omission, "wantedBy");
        PlanOmissionKind known = plan_omission_kind_from_string(kind);
        const OmissionText *text = known >= 0 ? omission_text(known) : NULL;

        assert(f);

        if (text)
                (void) fputs(text->words, f);
        else
                print_escaped(f, kind);

        if (field_string(omission, "file")) {
                (void) fputs(text ? text->before_place : ", see ", f);
                print_place(f, omission);
        }
        if (field_string(omission, "reason") && !(text && text->says_reason)) {
                (void) fputs(": ", f);
                print_escaped(f, field_string(omission, "reason"));
        }
        if (wanted_by) {
                (void) fputs(field_bool(omission, "required") ? ", needed by " : ", wanted by ", f);
                print_escaped(f, wanted_by);
        }
}

/* "/etc/lkmd/lkmd.conf:7: unknown key 'Foo'" */
void print_problem(FILE *f, sd_json_variant *problem) {
        assert(f);

        print_place(f, problem);
        (void) fputs(": ", f);
        print_escaped(f, field_string(problem, "message"));
}

/* "a, b, c" */
void print_strings(FILE *f, sd_json_variant *array) {
        assert(f);

        ARRAY_FOREACH_INDEX(array, i) {
                sd_json_variant *v = sd_json_variant_by_index(array, i);

                if (i > 0)
                        (void) fputs(", ", f);
                print_escaped(f, sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL);
        }
}

/* The field "devices" of a reply: those that were looked at again, and what became of each. Nothing if there is none. */
void print_looked_at(FILE *f, sd_json_variant *reply) {
        sd_json_variant *devices = field_array(reply, "devices");

        if (field_elements(reply, "devices") > 0)
                (void) fputs("Looked at again, since they are not refused it any more:\n", f);
        ARRAY_FOREACH_INDEX(devices, i) {
                sd_json_variant *device = sd_json_variant_by_index(devices, i);

                (void) fputs("  ", f);
                print_escaped(f, field_string(device, "device"));
                (void) fputs("\n      ", f);
                print_strings(f, field_array(device, "modules"));
                (void) fputs(": ", f);
                print_escaped(f, field_string(device, "result"));
                (void) fputc('\n', f);
        }
}

static const char *state_words(const char *state, Tone *ret_tone) {
        static const struct {
                const char *state, *words;
                Tone tone;
        } table[] = {
                { "live",       "in the kernel",                      TONE_GOOD },
                { "coming",     "being loaded, its init is running",  TONE_WARN },
                { "going",      "being removed, its exit is running", TONE_WARN },
                { "built_in",   "part of the kernel image",           TONE_GOOD },
                { "queued",     "waiting for its turn in lkmd",       TONE_WARN },
                { "not_loaded", "not loaded",                         TONE_DIM  },
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (streq_ptr(state, table[i].state)) {
                        *ret_tone = table[i].tone;
                        return table[i].words;
                }
        *ret_tone = TONE_PLAIN;
        return state;
}

/* The first line of an answer about a module. @state: a ModuleState; NULL: not known. @remark: behind it */
void print_module_state(const Output *out, const char *name, const char *state, const char *remark) {
        Tone tone;
        const char *words = state_words(state, &tone);

        printf("%s%s%s ", output_tone(out, stdout, tone), out->utf8 ? "●" : "*",
               output_tone(out, stdout, TONE_PLAIN));
        print_escaped(stdout, name);
        printf(": ");
        print_escaped(stdout, words);
        printf("%s\n", remark);
}
