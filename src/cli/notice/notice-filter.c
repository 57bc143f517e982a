/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NoticeFilter: see notice-filter.h. Any user can cause refusals, with ever new names: so there are a few notices at
 * once, then one from time to time, which says how many there were between. Owns the kinds that it has seen.
 */

#include "cli/notice/notice-filter.h"

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/name-table.h"
#include "common/base/string-arena.h"

struct NoticeFilter {
        NameTable *seen;
        StringArena strings;
        size_t n_seen;
        unsigned n_tokens;              /* notices that may be shown now */
        uint64_t refilled_usec;
        uint64_t n_left_out;            /* since the last that was shown */
};

int notice_filter_new(NoticeFilter **ret) {
        _cleanup_(notice_filter_freep) NoticeFilter *f = NULL;
        int r;

        assert(ret);

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->n_tokens = NOTICE_BURST;
        r = name_table_new(&f->seen);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(f);
        return 0;
}

/* Return: NULL. */
NoticeFilter *notice_filter_free(NoticeFilter *f) {
        if (!f)
                return NULL;

        name_table_free(f->seen);
        string_arena_clear(&f->strings);
        free(f);
        return NULL;
}

/* When there are too many kinds to remember, all are forgotten, and may come once more. */
static int forget_all(NoticeFilter *f) {
        NameTable *fresh = NULL;
        int r = name_table_new(&fresh);

        if (r < 0)
                return r;
        name_table_free(f->seen);
        string_arena_clear(&f->strings);
        f->strings = (StringArena) {};
        f->seen = fresh;
        f->n_seen = 0;
        return 0;
}

static int remember(NoticeFilter *f, const char *kind) {
        const char *kept;
        int r = f->n_seen >= NOTICE_KINDS_MAX ? forget_all(f) : 0;

        if (r < 0)
                return r;
        kept = string_arena_add(&f->strings, kind, strlen(kind));
        r = kept ? name_table_add(f->seen, kept, 0) : -ENOMEM;
        f->n_seen += r >= 0;
        return r;
}

static bool take_token(NoticeFilter *f, uint64_t now_usec) {
        uint64_t n;

        if (f->refilled_usec == 0)
                f->refilled_usec = now_usec;
        n = (now_usec - f->refilled_usec) / NOTICE_REFILL_USEC;
        f->n_tokens = (unsigned) MIN(f->n_tokens + n, (uint64_t) NOTICE_BURST);
        f->refilled_usec += n * NOTICE_REFILL_USEC;
        if (f->n_tokens == 0)
                return false;
        f->n_tokens--;
        return true;
}

/**
 * notice_filter_take() - is a notice to be shown?
 * @now_usec:       CLOCK_MONOTONIC
 * @ret_n_left_out: how many new kinds were left out before it, since there were too many
 *
 * Return: 1; 0; -ENOMEM.
 */
int notice_filter_take(NoticeFilter *f, const char *kind, uint64_t now_usec, uint64_t *ret_n_left_out) {
        int r;

        assert(f && kind && ret_n_left_out);

        if (name_table_find(f->seen, kind, &(size_t) { 0 }))
                return 0;
        r = remember(f, kind);
        if (r < 0)
                return r;
        if (!take_token(f, now_usec)) {
                f->n_left_out++;
                return 0;
        }
        *ret_n_left_out = f->n_left_out;
        f->n_left_out = 0;
        return 1;
}
