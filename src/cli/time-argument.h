/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Times as people type them. -EINVAL: it is none; -ERANGE: too long. */
int parse_seconds(const char *s, uint64_t *ret_usec);
int parse_time_span(const char *s, uint64_t *ret_usec);
int parse_since(const char *s, uint64_t now_usec, uint64_t *ret_usec);
