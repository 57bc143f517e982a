/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SequenceGaps: the kernel numbers its uevents and, since 6.11, takes the number before the lock under which it
 * sends them, so that two may arrive in the wrong order. So a missing number is not lost yet; it is when it has not
 * come after a while, which the caller measures. Owns nothing but itself. When there are more gaps than it can
 * hold, the newest one is extended over what follows: a loss may be reported where there was none, never the other
 * way round.
 */

#include "daemon/devices/sequence-gaps.h"

#include <assert.h>
#include <string.h>

static void gap_remove(SequenceGaps *g, size_t i) {
        memmove(g->gaps + i, g->gaps + i + 1, (g->n_gaps - i - 1) * sizeof(g->gaps[0]));
        g->n_gaps--;
}

static void gap_add(SequenceGaps *g, uint64_t first, uint64_t last, uint64_t now_usec) {
        if (g->n_gaps == SEQUENCE_GAPS_MAX) {
                g->gaps[g->n_gaps - 1].last = last;
                return;
        }
        g->gaps[g->n_gaps].first = first;
        g->gaps[g->n_gaps].last = last;
        g->gaps[g->n_gaps++].since_usec = now_usec;
}

/*
 * A number in the middle of a gap leaves two gaps. Without room for that, the whole gap stays, and may count as
 * lost.
 */
static void gap_split(SequenceGaps *g, size_t i, uint64_t number) {
        if (g->n_gaps == SEQUENCE_GAPS_MAX)
                return;
        memmove(g->gaps + i + 1, g->gaps + i, (g->n_gaps - i) * sizeof(g->gaps[0]));
        g->n_gaps++;
        g->gaps[i].last = number - 1;
        g->gaps[i + 1].first = number + 1;
}

static void fill(SequenceGaps *g, uint64_t number) {
        for (size_t i = 0; i < g->n_gaps; i++) {
                uint64_t first = g->gaps[i].first, last = g->gaps[i].last;

                if (number < first || number > last)
                        continue;
                if (first == last)
                        gap_remove(g, i);
                else if (number == first)
                        g->gaps[i].first++;
                else if (number == last)
                        g->gaps[i].last--;
                else
                        gap_split(g, i, number);
                return;
        }
}

/**
 * sequence_gaps_note() - an event with this number came
 * @number:   0: it has none, and is ignored
 * @now_usec: of any clock, the same for all calls
 */
void sequence_gaps_note(SequenceGaps *g, uint64_t number, uint64_t now_usec) {
        assert(g);

        if (number == 0)
                return;
        if (number < g->next) {
                fill(g, number);
                return;
        }
        if (g->next != 0 && number > g->next)
                gap_add(g, g->next, number - 1, now_usec);
        g->next = number + 1;
}

/**
 * sequence_gaps_take() - give up on numbers that have been missing for long
 * @before_usec: since this moment or longer
 *
 * Return: how many numbers these were; they are forgotten.
 */
uint64_t sequence_gaps_take(SequenceGaps *g, uint64_t before_usec) {
        uint64_t n = 0;

        assert(g);

        while (g->n_gaps > 0 && g->gaps[0].since_usec <= before_usec) {
                n += g->gaps[0].last - g->gaps[0].first + 1;
                gap_remove(g, 0);
        }
        return n;
}

/* When the oldest gap was found; UINT64_MAX: there is none. */
uint64_t sequence_gaps_oldest_usec(const SequenceGaps *g) {
        assert(g);

        return g->n_gaps > 0 ? g->gaps[0].since_usec : UINT64_MAX;
}
