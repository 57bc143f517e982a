/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BrokerShares: see broker-shares.h. Owns the names. A container cannot choose its own, so there are as many as root
 * starts; if that is more than there is room for, the one that has asked for nothing for longest is forgotten, and
 * may ask as one that is new.
 */

#include "daemon/service/broker-shares.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"

static BrokerShare *find(BrokerShares *s, const char *container) {
        for (unsigned i = 0; i < s->n_items; i++)
                if (streq(s->items[i].container, container))
                        return s->items + i;
        return NULL;
}

/* Return: NULL without memory. */
static BrokerShare *add(BrokerShares *s, const char *container, uint64_t now_usec) {
        char *name = strdup(container);
        BrokerShare *place;

        if (!name)
                return NULL;
        if (s->n_items < BROKER_CONTAINERS_MAX)
                place = s->items + s->n_items++;
        else {
                place = s->items;
                for (unsigned i = 1; i < s->n_items; i++)
                        if (s->items[i].refilled_usec < place->refilled_usec)
                                place = s->items + i;
                free(place->container);
        }
        *place = (BrokerShare) { .container = name, .n_left = BROKER_BURST, .refilled_usec = now_usec };
        return place;
}

/**
 * broker_shares_take() - may a container make one more request?
 * @now_usec: CLOCK_MONOTONIC
 *
 * Return: 0: it may, and has; -EBUSY: not now; -ENOMEM.
 */
int broker_shares_take(BrokerShares *s, const char *container, uint64_t now_usec) {
        BrokerShare *share;
        uint64_t n;

        assert(s && container);

        share = find(s, container) ?: add(s, container, now_usec);
        if (!share)
                return -ENOMEM;
        n = (now_usec - share->refilled_usec) / BROKER_REFILL_USEC;
        share->n_left = (unsigned) MIN(share->n_left + n, (uint64_t) BROKER_BURST);
        share->refilled_usec += n * BROKER_REFILL_USEC;
        if (share->n_left == 0)
                return -EBUSY;
        share->n_left--;
        return 0;
}

void broker_shares_clear(BrokerShares *s) {
        assert(s);

        for (unsigned i = 0; i < s->n_items; i++)
                free(s->items[i].container);
        s->n_items = 0;
}
