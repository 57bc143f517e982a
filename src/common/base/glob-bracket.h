/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

typedef enum BracketVerdict {
        BRACKET_MATCHES,
        BRACKET_DIFFERS,
        BRACKET_IS_BYTE,                /* never closed: the '[' is a byte like any other */
} BracketVerdict;

/* One "[..]" of a pattern against one byte, as fnmatch(3) of glibc has it in the C locale. */
BracketVerdict glob_bracket(const char *bracket, unsigned char c, const char **ret_after);
