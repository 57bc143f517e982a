/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

int ssh_words_join(const char *const *words, size_t n_words, char **ret);
int ssh_command_new(const char *host, const char *const *words, size_t n_words, char **ret);
