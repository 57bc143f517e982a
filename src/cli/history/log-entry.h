/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/print/output.h"

/*
 * LogEntry: one thing that happened, from the journal or from the history of this boot, as an object with the fields
 * of lkmctl's --json: those of a Record of io.lkmd.Manager, and kind, boot, rule.
 */

typedef enum LogKind {                  /* the field kind */
        LOG_KIND_LOADED,
        LOG_KIND_UNLOADED,
        LOG_KIND_FAILED,
        LOG_KIND_KEPT_OUT,              /* by its install command */
        LOG_KIND_LEFT_OUT,              /* of a request, for a cause that is no refusal */
        LOG_KIND_DENIED,
        LOG_KIND_WOULD_DENY,
        LOG_KIND_REPORTED,              /* allowed by a rule that wants it reported */
        LOG_KIND_DENIED_LOADED,         /* without lkmd, though it is denied */
        LOG_KIND_ASKED,                 /* the kernel asked for it, whatever came of that */
        _LOG_KIND_MAX,
        _LOG_KIND_INVALID = -EINVAL,
} LogKind;

/* Which entries are wanted. Borrows its texts; those that are NULL or 0 do not matter. */
typedef struct LogFilter {
        const char *argument;           /* the module, or what was asked for, as it was given */
        const char *module;             /* the same as the kernel calls modules */
        const char *device;             /* path below /sys: this device, and those behind it */
        uint64_t since_usec;            /* CLOCK_REALTIME */
        bool failed, denied;            /* only these */
} LogFilter;

const char *log_kind_to_string(LogKind kind);
LogKind log_kind_from_string(const char *s);
const char *log_kind_words(LogKind kind, Tone *ret_tone);
LogKind log_kind_of_message(const char *message_id, const char *outcome);

int log_entry_from_record(sd_json_variant *record, sd_json_variant **ret);
bool log_filter_matches(const LogFilter *filter, sd_json_variant *entry);
int log_entry_print(const Output *out, sd_json_variant *entry);
