/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

typedef struct AliasMatcher AliasMatcher;

/* AliasCheck: are the arrays of a matcher, which came from a file, a trie? Only for alias-matcher.c. */
int alias_check(AliasMatcher *m);
