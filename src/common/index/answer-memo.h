/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

/* AnswerMemo: the last answers, by key, in a fixed amount of memory. The oldest go first. */
typedef struct AnswerMemo AnswerMemo;

int answer_memo_new(AnswerMemo **ret, size_t size_bytes);
AnswerMemo *answer_memo_free(AnswerMemo *m);
DEFINE_CLEANUP(AnswerMemo, answer_memo_free);

uint64_t answer_memo_hash(const char *key, size_t n);
const void *answer_memo_get(const AnswerMemo *m, uint64_t hash, const char *key, size_t n);
void *answer_memo_put(AnswerMemo *m, uint64_t hash, const char *key, size_t n, const void *answer,
                      size_t size);
void answer_memo_clear(AnswerMemo *m);
