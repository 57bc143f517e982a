/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lines of patterns, the last one the key: what the matcher answers has to be what fnmatch(3) says of each
 * pattern, in their order, the first time and later. The first byte chooses the dialect; for that of
 * an index, patterns and keys that libkmod's search takes for something else than fnmatch(3) does are left
 * to the comparison with libkmod itself.
 */

#include <fnmatch.h>

#include "common/alias/alias-lookup.h"
#include "support.h"

#define PATTERNS_MAX 64U
#define TEXT_MAX 4096U                  /* longer ones take glibc too long */

static void check(AliasLookup *l, const AliasMatcher *m, char *const *patterns, size_t n, const char *key) {
        const AliasMatch *matches;
        size_t n_matches, next = 0;

        must(alias_lookup_find(l, m, key, strlen(key), &matches, &n_matches) == 0);
        for (size_t i = 0; i < n; i++) {
                bool found = next < n_matches && matches[next].priority == i;

                must(found == (fnmatch(patterns[i], key, 0) == 0));
                if (found)
                        must(streq(matches[next++].pattern, patterns[i]));
        }
        must(next == n_matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(alias_matcher_freep) AliasMatcher *m = NULL;
        _cleanup_(alias_lookup_freep) AliasLookup *l = NULL;
        _cleanup_(freep) char *text = NULL;
        char *patterns[PATTERNS_MAX], *key, *rest;
        AliasDialect dialect;
        size_t n = 0;

        if (size < 2 || size > TEXT_MAX)
                return 0;
        dialect = data[0] == 'i' ? ALIAS_INDEX : ALIAS_FNMATCH;
        text = fuzz_text(data + 1, size - 1);
        rest = text;
        key = strrchr(text, '\n');
        if (!key)
                return 0;
        *key++ = '\0';
        if (dialect == ALIAS_INDEX && (strpbrk(key, "*?[") || strchr(text, '\\')))
                return 0;

        must(alias_matcher_new(&m, dialect) == 0);
        while (rest && n < PATTERNS_MAX) {
                patterns[n] = strsep(&rest, "\n");
                must(alias_matcher_add(m, patterns[n], n % 2 ? "odd" : "even", (uint32_t) n) == 0);
                n++;
        }
        must(alias_matcher_seal(m) == 0);
        must(alias_lookup_new(&l) == 0);

        check(l, m, patterns, n, key);
        check(l, m, patterns, n, "a");
        check(l, m, patterns, n, key);
        return 0;
}
