/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Log: structured entries for the journal if standard error is connected to it, else plain lines on standard error.
 */

#include "daemon/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "common/base/text.h"

#define FIELDS_MAX 26U

static int log_level = LOG_INFO;

typedef struct Entry {
        struct iovec fields[FIELDS_MAX];
        size_t n_fields;
} Entry;

/* Up to which syslog(3) level messages are logged. */
void log_set_level(int level) {
        log_level = level;
}

static bool journal_is_connected(void) {
        static int connected = -1;

        if (connected < 0)
                connected = secure_getenv("JOURNAL_STREAM") != NULL; /* systemd.exec(5) */
        return connected;
}

static void entry_add(Entry *e, const char *format, ...) _printf_(2, 3);
static void entry_add(Entry *e, const char *format, ...) {
        char *text = NULL;
        va_list ap;
        int n;

        if (e->n_fields >= FIELDS_MAX)
                return;
        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return;                 /* an entry without this field is better than none */
        e->fields[e->n_fields++] = (struct iovec) { .iov_base = text, .iov_len = (size_t) n };
}

static void entry_add_string(Entry *e, const char *name, const char *value) {
        if (value)
                entry_add(e, "%s=%s", name, value);
}

static void entry_send(int level, const LogFields *f, const char *text) {
        Entry e = {};

        entry_add(&e, "MESSAGE=%s", text);
        entry_add(&e, "PRIORITY=%d", level);
        entry_add(&e, "SYSLOG_IDENTIFIER=lkmd");
        entry_add_string(&e, "MESSAGE_ID", f->message_id);
        entry_add_string(&e, "LKMD_MODULE", f->module);
        entry_add_string(&e, "LKMD_ORIGIN", f->origin);
        entry_add_string(&e, "LKMD_KEY", f->key);
        entry_add_string(&e, "LKMD_DEVICE", f->device);
        entry_add_string(&e, "LKMD_SUBSYSTEM", f->subsystem);
        entry_add_string(&e, "LKMD_REASON", f->reason);
        entry_add_string(&e, "LKMD_PARENT", f->parent);
        entry_add_string(&e, "LKMD_RULE", f->rule);
        entry_add_string(&e, "LKMD_OUTCOME", f->outcome);
        if (f->requester_uid >= 0)
                entry_add(&e, "LKMD_REQUESTER_UID=%lld", f->requester_uid);
        if (f->requester_pid >= 0)
                entry_add(&e, "LKMD_REQUESTER_PID=%lld", f->requester_pid);
        if (f->has_login_uid)
                entry_add(&e, "LKMD_REQUESTER_LOGINUID=%u", (unsigned) f->login_uid);
        entry_add_string(&e, "LKMD_REQUESTER_COMM", f->command);
        entry_add_string(&e, "LKMD_REQUESTER_EXE", f->executable);
        entry_add_string(&e, "LKMD_REQUESTER_UNIT", f->unit);
        entry_add_string(&e, "LKMD_REQUESTER_CONTAINER", f->container);
        entry_add_string(&e, "LKMD_REQUESTER_INFERRED", f->is_inferred ? "1" : NULL);
        if (f->duration_usec > 0)
                entry_add(&e, "LKMD_DURATION_USEC=%" PRIu64, f->duration_usec);
        if (f->error > 0)
                entry_add(&e, "ERRNO=%d", f->error);

        (void) sd_journal_sendv(e.fields, (int) e.n_fields);
        for (size_t i = 0; i < e.n_fields; i++)
                free(e.fields[i].iov_base);
}

static void _printf_(3, 0) log_va(int level, const LogFields *fields, const char *format, va_list ap) {
        _cleanup_(freep) char *said = NULL, *text = NULL;

        if (level > log_level)
                return;
        if (vasprintf(&said, format, ap) < 0) {
                said = NULL;
                return;
        }
        if (text_escape(said, &text) < 0) /* names, keys and reasons may be arbitrary bytes */
                return;

        if (journal_is_connected())
                entry_send(level, fields, text);
        else
                fprintf(stderr, "lkmd: %s\n", text);
}

/* An entry without fields. */
void log_message(int level, const char *format, ...) {
        static const LogFields none = { .requester_uid = -1, .requester_pid = -1 };
        va_list ap;

        va_start(ap, format);
        log_va(level, &none, format, ap);
        va_end(ap);
}

/* An entry with fields to search for: journalctl LKMD_MODULE=e1000e. */
void log_entry(int level, const LogFields *fields, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_va(level, fields, format, ap);
        va_end(ap);
}

/* A problem in a file of the configuration. */
void log_problem(const Problem *problem) {
        static const LogFields fields = {
                .message_id = LKMD_MESSAGE_PROBLEM,
                .requester_uid = -1,
                .requester_pid = -1,
        };

        if (problem->column > 0)
                log_entry(LOG_WARNING, &fields, "%s:%u:%u: %s", problem->file, problem->line, problem->column,
                          problem->message);
        else if (problem->line > 0)
                log_entry(LOG_WARNING, &fields, "%s:%u: %s", problem->file, problem->line, problem->message);
        else
                log_entry(LOG_WARNING, &fields, "%s: %s", problem->file, problem->message);
}
