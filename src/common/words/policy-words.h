/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * PolicyWords: does a text stand under a key of a policy? For lkmd-loader, which must not read YAML. It knows the
 * plain ways of writing a list or a map. What is written with escapes, over several lines, or by reference, it
 * does not find, and "lkmctl policy check" complains about that.
 */
bool policy_words_have(const char *text, size_t size, const char *key, const char *item);
