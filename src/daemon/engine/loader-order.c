/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderOrder: packs the parameters of a plan, with their origins, for the loader. Owns nothing. */

#include "daemon/engine/loader-order.h"

#include <assert.h>

static const LoaderOriginKind kinds[] = {
        [PLAN_WORDS_OF_LINE] = LOADER_BY_LINE,
        [PLAN_WORDS_OF_KERNEL_LINE] = LOADER_BY_KERNEL_LINE,
        [PLAN_WORDS_OF_RULE] = LOADER_BY_RULE,
        [PLAN_WORDS_OF_ROOT] = LOADER_BY_CLIENT,
        [PLAN_WORDS_ALLOWED] = LOADER_BY_PERMISSION,
        [PLAN_WORDS_NOT_ALLOWED] = LOADER_BY_PERMISSION, /* with an empty pattern, which allows nothing */
};

/* Equal strings are stored once. */
static int pack_string(LoaderWords *w, size_t *used, const char *s, uint16_t *ret) {
        size_t at = 0;

        for (; s && at < *used; at += strlen(w->strings + at) + 1)
                if (streq(w->strings + at, s)) {
                        *ret = (uint16_t) at;
                        return 0;
                }
        if (!s)
                return 0;
        if (strlen(s) >= sizeof(w->strings) - *used)
                return -E2BIG;
        (void) stpcpy(w->strings + *used, s);
        *ret = (uint16_t) *used;
        *used += strlen(s) + 1;
        return 0;
}

static int pack(LoaderWords *w, size_t *used, LoaderOriginKind kind, const PlanWords *words) {
        const char *from = words->text + strspn(words->text, " ");
        size_t n = strlen(from), at = strlen(w->text);
        LoaderOrigin *o = w->origins + w->n_origins;
        int r;

        while (n > 0 && from[n - 1] == ' ')
                n--;
        if (n == 0)
                return 0;
        if (w->n_origins == LOADER_ORIGINS_MAX || at + (at > 0) + n >= sizeof(w->text))
                return -E2BIG;
        if (at > 0)
                w->text[at++] = ' ';
        (void) memcpy(w->text + at, from, n); /* zeros follow */

        *o = (LoaderOrigin) { .kind = (uint16_t) kind, .size = (uint16_t) n };
        r = pack_string(w, used, words->name, &o->name);
        if (r >= 0)
                r = pack_string(w, used, words->file, &o->file);
        if (r >= 0)
                r = pack_string(w, used, words->alias_file, &o->alias_file);
        if (r >= 0)
                w->n_origins++;
        return r;
}

/**
 * loader_words_new() - pack parameters for a request
 * @more: a word that the settings add; NULL: none
 *
 * Return: 0, with NULL if there are no parameters; -E2BIG: they do not fit; -ENOMEM.
 */
int loader_words_new(LoaderWords **ret, const PlanWords *words, size_t n_words, const char *more) {
        _cleanup_(freep) LoaderWords *w = NULL;
        size_t used = 1;                /* the empty string */
        int r = 0;

        assert(ret && (words || n_words == 0));

        *ret = NULL;
        if (n_words == 0 && !more)
                return 0;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n_words; i++)
                r = pack(w, &used, kinds[words[i].kind], words + i);
        if (r >= 0 && more)
                r = pack(w, &used, LOADER_BY_SETTING, &(PlanWords) { .text = (char *) more });
        if (r < 0)
                return r;
        if (w->n_origins > 0)
                *ret = STEAL_PTR(w);
        return 0;
}

/* Is any word proved by a process of root's, whose connection has to be sent along? @words: NULL: none */
bool loader_words_have_client(const LoaderWords *words) {
        for (size_t i = 0; words && i < words->n_origins; i++)
                if (words->origins[i].kind == LOADER_BY_CLIENT)
                        return true;
        return false;
}
