/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Foreign bytes (file contents, uevents, what a client sent) made fit for messages, journal and JSON. */

#define TEXT_SHOWN_MAX 96U              /* bytes of a text shown inside a message, with the NUL */

/* The text with every byte that is a control character or no UTF-8 as \xNN. */
int text_escape(const char *text, char **ret);

/* The same, cut with "..." where it is too long for @ret. */
void text_show(const char *text, char ret[static TEXT_SHOWN_MAX]);

/* Which of word(0), word(1), ... until NULL was probably meant; NULL if none is near. */
const char *text_nearest(const char *text, const char *(*word)(size_t i));
