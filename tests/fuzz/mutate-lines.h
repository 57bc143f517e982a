/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines that a target knows, for the mutator to put in; NULL-terminated. The target defines it. */
extern const char *const fuzz_known_lines[];
