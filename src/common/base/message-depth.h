/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* How deep a JSON text is nested, before anything parses it. */
size_t message_depth(const char *text, size_t size);
