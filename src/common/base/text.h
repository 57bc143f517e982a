/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Foreign bytes (file contents, uevents, what a client sent) made fit for messages, journal and JSON. */

#define TEXT_SHOWN_MAX 96U              /* bytes of a text shown inside a message, with the NUL */

/* The text with every byte of what is not printable (see below) as \xNN. */
int text_escape(const char *text, char **ret);

/* The same, cut with "..." where it is too long for @ret. */
void text_show(const char *text, char ret[static TEXT_SHOWN_MAX]);

/* Bytes of the character at @p if it is well-formed UTF-8, no control character and not invisible; else 0. */
size_t text_printable_length(const char *p);

/* The character at @p beyond ASCII that is well-formed and not printable; 0 if it is none. */
uint32_t text_hidden_code_point(const char *p);
