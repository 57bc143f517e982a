/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * RootWords: did root write these words? Functions that take text as char * change it, and the byte behind
 * it has to be writable, too. Names of modules are normalised.
 */

bool root_options_hold(char *text, size_t size, const char *name, const char *words);
bool root_alias_leads(char *text, size_t size, const char *name, const char *module);
bool root_command_line_holds(char *text, const char *module, const char *words);
bool root_arguments_hold(const char *arguments, size_t size, const char *word);
bool root_arguments_force(const char *arguments, size_t size);

bool word_is_single(const char *word);
bool word_is_plain(const char *word);
int word_unquote(const char *word, char *ret, size_t size);
bool word_is_allowed(const char *word, const char *pattern);
