/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#include "common/base/util.h"

/* What a tool says, in the form in which kmod says it: "modprobe: FATAL: ...". */

void tool_message_begin(const char *program);
void tool_message_to_syslog(void);
void tool_message_set_level(int level);
int tool_message_get_level(void);
void tool_message(int level, const char *format, ...) _printf_(2, 3);
void tool_message_list(int level, const char *format, va_list arguments) _printf_(2, 0);
