/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Notice: see notice.h. Made of the events of lkmd's method Monitor. Only anomalies are noticed: what a rule, a list
 * or a line of modprobe.d denies. A blacklist line is none, since distributions bring many; nor is what cannot be
 * loaded for the lack of a denied module, of which there is a notice of its own.
 */

#include "cli/notice/notice.h"

#include <assert.h>
#include <stdarg.h>

#include "cli/call/ssh-command.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"

#define ALLOW_FOR "--for=10min"

static int make(char **ret, const char *format, ...) _printf_(2, 3);

static int make(char **ret, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(ret, format, ap);
        va_end(ap);
        if (n >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

/* Where a text for people is put together. */
typedef void (*writer_t)(FILE *f, sd_json_variant *event);

static int write_text(writer_t writer, sd_json_variant *event, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        writer(f, event);
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

static const char *module_of(sd_json_variant *event) {
        return field_string(field_object(event, "omission"), "module");
}

/* ------------------------------------------------------------------------------------------------- the parts */

static void write_refusal(FILE *f, sd_json_variant *event) {
        print_requester(f, field_object(event, "requester"));
        (void) fputs(": ", f);
        print_omission(f, field_object(event, "omission"));
}

static void write_message(FILE *f, sd_json_variant *event) {
        print_escaped(f, field_string(event, "message"));
}

static void write_key(FILE *f, sd_json_variant *event) {
        print_escaped(f, field_string(field_object(event, "requester"), "key"));
}

static void write_module(FILE *f, sd_json_variant *event) {
        print_escaped(f, module_of(event));
}

/* "needed by python3", "needed for device 1-1:1.0": what a grant is good for */
static void write_reason(FILE *f, sd_json_variant *event) {
        sd_json_variant *requester = field_object(event, "requester");

        (void) fputs(field_string(requester, "device") ? "needed for " : "needed by ", f);
        print_requester_short(f, requester);
}

/* Does a grant decide before what has decided? None does for containers. */
static bool can_be_granted(sd_json_variant *event) {
        const char *source = field_string(field_object(event, "omission"), "source") ?: "",
                   *origin = field_string(field_object(event, "requester"), "origin") ?: "";

        return !streq(origin, "container") && !streq(source, "kernel") && !streq(source, "command_line") &&
               !streq(source, "grant");
}

static int make_command(sd_json_variant *event, char **ret) {
        _cleanup_(freep) char *reason = NULL, *option = NULL, *command = NULL;
        const char *module = module_of(event);
        const char *words[] = { "lkmctl", "policy", "allow", module, ALLOW_FOR, NULL };
        int r;

        if (!can_be_granted(event))
                return 0;
        r = write_text(write_reason, event, &reason);
        if (r >= 0)
                r = make(&option, "--reason=%s", reason);
        if (r < 0)
                return r;
        words[5] = option;
        r = ssh_words_join(words, ARRAY_LEN(words), &command);
        return r < 0 ? r : make(ret, "%s%s", geteuid() == 0 ? "" : "sudo ", command);
}

/* The same module for the same requester, whatever its process is called this time; ports and PIDs differ. */
static int make_kind(sd_json_variant *event, const char *what, char **ret) {
        sd_json_variant *requester = field_object(event, "requester");
        const char *origin = field_string(requester, "origin") ?: "",
                   *unit = field_string(requester, "unit"), *command = field_string(requester, "command"),
                   *key = field_string(requester, "key");
        uint64_t uid = UINT64_MAX;

        (void) field_unsigned(requester, "uid", &uid);
        return make(ret, "%s %s %s %s %s %lld", field_string(event, "kind"), what, origin, unit ?: "",
                    (streq(origin, "device") ? key : command) ?: "", (long long) uid);
}

/* --------------------------------------------------------------------------------------------------- notices */

static int from_refusal(Notice *n, sd_json_variant *event, const char *words) {
        _cleanup_(freep) char *module = NULL;
        int r;

        r = write_text(write_module, event, &module);
        if (r >= 0)
                r = make(&n->summary, "%s %s", module, words);
        if (r >= 0)
                r = write_text(write_refusal, event, &n->body);
        if (r >= 0)
                r = make_kind(event, module, &n->kind);
        return r < 0 ? r : make_command(event, &n->command);
}

/* The gate refuses by itself: there may be no module at all, as for a socket of what is built in. */
static int from_gate(Notice *n, sd_json_variant *event) {
        _cleanup_(freep) char *key = NULL;
        int r;

        r = write_text(write_key, event, &key);
        if (r >= 0)
                r = make(&n->summary, "%s was refused", key);
        if (r >= 0)
                r = write_text(write_message, event, &n->body);
        return r < 0 ? r : make_kind(event, key, &n->kind);
}

static int from_message(Notice *n, sd_json_variant *event) {
        int r;

        r = make(&n->summary, "%s", "A denied module was loaded without lkmd");
        if (r >= 0)
                r = write_text(write_message, event, &n->body);
        return r < 0 ? r : make(&n->kind, "foreign %s", n->body);
}

/**
 * notice_from_event() - is an event one that people are to know of?
 * @event: as the type Event of io.lkmd.Manager
 * @audit: also what would be refused if what is in audit mode were enforced
 *
 * Return: 1, with the notice; 0; -ENOMEM.
 */
int notice_from_event(Notice *ret, sd_json_variant *event, bool audit) {
        _cleanup_(notice_clear) Notice n = {};
        const char *kind, *left_out;
        int r;

        assert(ret && event);

        kind = field_string(event, "kind") ?: "";
        left_out = field_string(field_object(event, "omission"), "kind") ?: "";
        if (streq(kind, "verdict") && streq(left_out, "denied") && module_of(event))
                r = from_refusal(&n, event, "was refused");
        else if (streq(kind, "would_refuse") && audit && streq(left_out, "denied") && module_of(event))
                r = from_refusal(&n, event, "would be refused, but the rule is in audit mode");
        else if (streq(kind, "gate_refused"))
                r = from_gate(&n, event);
        else if (streq(kind, "foreign_denied"))
                r = from_message(&n, event);
        else
                return 0;
        if (r < 0)
                return r;
        n.event = sd_json_variant_ref(event);
        *ret = n;
        n = (Notice) {};
        return 1;
}

void notice_clear(Notice *n) {
        assert(n);

        free(n->kind);
        free(n->summary);
        free(n->body);
        free(n->command);
        sd_json_variant_unref(n->event);
        *n = (Notice) {};
}

int notice_to_json(const Notice *n, sd_json_variant **ret) {
        assert(n && ret);

        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("summary", n->summary),
                              SD_JSON_BUILD_PAIR_STRING("body", n->body),
                              SD_JSON_BUILD_PAIR_CONDITION(n->command != NULL, "command",
                                                           SD_JSON_BUILD_STRING(n->command)),
                              SD_JSON_BUILD_PAIR_VARIANT("event", n->event));
}
