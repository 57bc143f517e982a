/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SignalWatch: see signal-watch.h. Owns nothing: the sources belong to the loop. */

#include "daemon/base/signal-watch.h"

#include <assert.h>

#include "common/base/util.h"
#include "daemon/base/loop-order.h"

/**
 * signal_watch() - block a signal, and take it in the loop
 * @handler: NULL: the loop ends, with 0
 *
 * Return: 0; what sd_event_add_signal(3) says.
 */
int signal_watch(sd_event *event, int number, sd_event_signal_handler_t handler, void *userdata) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        int r;

        assert(event);

        /* without a handler, userdata is the exit code of the loop */
        r = sd_event_add_signal(event, &source, number | SD_EVENT_SIGNAL_PROCMASK, handler,
                                handler ? userdata : NULL);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(source, LOOP_SIGNALS);
        if (r < 0)
                return r;
        return sd_event_source_set_floating(source, true);
}
