/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

/* Text: foreign bytes (from files, uevents, clients) made fit for messages, the journal and JSON. */

#define TEXT_SHOWN_MAX 96U              /* bytes of a text in a message, with the NUL */

/* The text, with each byte that is not printable (see below) as \xNN. */
int text_escape(const char *text, char **ret);
/* The same of what printf(3) would make; whose strings may be any bytes. */
int text_escape_format(char **ret, const char *format, va_list arguments) _printf_(2, 0);

/* The same, cut off with "..." if it is too long for @ret. */
void text_show(const char *text, char ret[static TEXT_SHOWN_MAX]);

/*
 * Bytes of the character at @p if it is well-formed UTF-8, no control character and not invisible; else 0.
 */
size_t text_printable_length(const char *p);

/* The character at @p, if it is well-formed, beyond ASCII and not printable; else 0. */
uint32_t text_hidden_code_point(const char *p);
