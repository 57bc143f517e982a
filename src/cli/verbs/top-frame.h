/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/history/history.h"
#include "cli/print/output.h"

#define TOP_SLOWEST_MAX 8U
#define TOP_REFUSALS_MAX 6U

/* What top shows. Owns the objects, which are those of io.lkmd.Manager. */
typedef struct TopFrame {
        sd_json_variant *status, *before;       /* replies of Status; before may be NULL */
        uint64_t status_usec, before_usec;      /* when they came, CLOCK_MONOTONIC */
        sd_json_variant *slowest[TOP_SLOWEST_MAX]; /* records, the slowest first */
        size_t n_slowest;
        sd_json_variant *refusals[TOP_REFUSALS_MAX]; /* events of kind verdict, the latest first */
        size_t n_refusals;
        bool silent;                            /* lkmd has not answered */
} TopFrame;

void top_frame_clear(TopFrame *t);
void top_frame_set_status(TopFrame *t, sd_json_variant *status);
void top_frame_take_history(TopFrame *t, const History *history);
void top_frame_take_event(TopFrame *t, sd_json_variant *event);

void top_frame_print(const TopFrame *t, const Output *out, FILE *f);
int top_frame_to_json(const TopFrame *t, sd_json_variant **ret);
