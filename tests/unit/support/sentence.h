/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Sentence: what every text for people has to be, whatever bytes were put into it: no byte that is not seen, none that
 * was escaped twice, no word of an enum, no field that was left open, and whole, from its beginning to its end.
 */

/* Texts that come from outside, from a plain name to what is made to confuse. */
extern const char *const planted[];
extern const size_t n_planted;

/* Escapes the text, as whoever shows it does. Fails the test, with the text, if it breaks a rule. */
void sentence_check(const char *text);
/* The same for what to do next, which may be commands. NULL: there is none. */
void sentence_check_hint(const char *text);
