/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/limits.h"

/* BrokerShares: how many requests each container may make now, so that none floods lkmd. All zero: none has asked. */
typedef struct BrokerShare {
        char *container;
        unsigned n_left;
        uint64_t refilled_usec;         /* CLOCK_MONOTONIC */
} BrokerShare;

typedef struct BrokerShares {
        BrokerShare items[BROKER_CONTAINERS_MAX];
        unsigned n_items;
} BrokerShares;

int broker_shares_take(BrokerShares *s, const char *container, uint64_t now_usec);
void broker_shares_clear(BrokerShares *s);
