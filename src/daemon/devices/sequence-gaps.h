/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQUENCE_GAPS_MAX 16U

/*
 * SequenceGaps: which sequence numbers have not come yet. A value; all zero: no number has come.
 */
typedef struct SequenceGaps {
        uint64_t next;                  /* the number after the highest one so far; 0: none came */
        struct {
                uint64_t first, last;   /* the numbers that are missing */
                uint64_t since_usec;    /* when the gap was found */
        } gaps[SEQUENCE_GAPS_MAX];      /* oldest first */
        size_t n_gaps;
} SequenceGaps;

void sequence_gaps_note(SequenceGaps *g, uint64_t number, uint64_t now_usec);
uint64_t sequence_gaps_take(SequenceGaps *g, uint64_t before_usec);
uint64_t sequence_gaps_oldest_usec(const SequenceGaps *g);
