/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ToolMessage: where the messages of a tool go and which of them are said, for this process. kmod's levels are those
 * of syslog(3): LOG_CRIT is called FATAL. Unlike kmod's, a fatal message does not end the program: whoever says it
 * returns.
 */

#include "cli/kmod/tool-message.h"

#include <stdio.h>

static const char *program_name = "lkmctl";
static int message_level = LOG_WARNING;
static bool to_syslog;

/* @program: borrowed, for the rest of the run */
void tool_message_begin(const char *program) {
        program_name = program;
}

/* With facility daemon, as kmod does. */
void tool_message_to_syslog(void) {
        openlog(program_name, LOG_CONS, LOG_DAEMON);
        to_syslog = true;
}

/* @level: the last one that is said; 0: none */
void tool_message_set_level(int level) {
        message_level = level;
}

int tool_message_get_level(void) {
        return message_level;
}

static const char *level_to_word(int level) {
        switch (level) {
        case LOG_CRIT:
                return "FATAL";
        case LOG_ERR:
                return "ERROR";
        case LOG_WARNING:
                return "WARNING";
        case LOG_NOTICE:
                return "NOTICE";
        case LOG_INFO:
                return "INFO";
        default:
                return "DEBUG";
        }
}

void tool_message(int level, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        tool_message_list(level, format, ap);
        va_end(ap);
}

/* @format: a message with its line end */
void tool_message_list(int level, const char *format, va_list arguments) {
        _cleanup_(freep) char *text = NULL;

        if (level > message_level)
                return;
        if (vasprintf(&text, format, arguments) < 0) {
                text = NULL;
                return;
        }
        if (to_syslog)
                syslog(level, "%s: %s", level_to_word(level), text);
        else
                (void) fprintf(stderr, "%s: %s: %s", program_name, level_to_word(level), text);
}
