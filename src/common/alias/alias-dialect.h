/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

typedef enum AliasDialect {             /* how patterns are understood */
        ALIAS_FNMATCH,                  /* fnmatch(3) with flags 0 over each pattern: modprobe.d */
        ALIAS_INDEX,                    /* as libkmod searches modules.alias.bin; see alias-matcher.c */
} AliasDialect;
