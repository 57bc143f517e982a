/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * PolicyWords: does a key of a policy have a certain text? For lkmd-loader, which must not parse YAML. It
 * knows the plain ways to write a list or a map. It does not find what is written with escapes, over several
 * lines or by reference; "lkmctl policy check" reports that.
 */
bool policy_words_have(const char *text, size_t size, const char *key, const char *item);
