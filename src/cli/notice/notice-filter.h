/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/util.h"

/* NoticeFilter: each kind of notice once, and never more than people can read. */
typedef struct NoticeFilter NoticeFilter;

int notice_filter_new(NoticeFilter **ret);
NoticeFilter *notice_filter_free(NoticeFilter *f);
DEFINE_CLEANUP(NoticeFilter, notice_filter_free);

int notice_filter_take(NoticeFilter *f, const char *kind, uint64_t now_usec, uint64_t *ret_n_left_out);
