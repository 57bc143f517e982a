/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ClientTrouble: why a client is not served: the error that it gets, and the entry in the journal. */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/interface/interface.h"
#include "daemon/base/log.h"
#include "daemon/clients/clients-internal.h"

#define TELL_AGAIN_USEC (10U * 60U * 1000U * 1000U)

static const struct {
        const char *error_id, *message, *hint; /* need no escaping in JSON */
        const char *entry;              /* in the journal, after "a client of user N " */
} troubles[_TROUBLE_MAX] = {
        [TROUBLE_USER_FULL] = { LKMD_ERROR_TOO_MANY_CLIENTS, "your user has too many connections to lkmd",
                                "end one of them, and try again",
                                "was refused: that user has as many connections as one may have" },
        [TROUBLE_FULL] = { LKMD_ERROR_TOO_MANY_CLIENTS, "there are too many connections to lkmd",
                           "try again in a moment; root and the group " LKMD_ADMIN_GROUP " have places of their own",
                           "was refused: all places are taken" },
        [TROUBLE_TOO_LARGE] = { LKMD_ERROR_MESSAGE_TOO_LARGE, "the call has more than 64 KiB", "send less at once",
                                "was cut off: a call of more than 64 KiB" },
        [TROUBLE_TOO_DEEP] = { LKMD_ERROR_MESSAGE_TOO_LARGE, "the call is nested deeper than 16 arrays and objects",
                               "no method of lkmd needs that", "was cut off: a call that is nested too deep" },
        [TROUBLE_TOO_SLOW] = { .entry = "was cut off: it does not read what it asked for" },
        [TROUBLE_NO_CALL] = { LKMD_ERROR_TOO_MANY_CLIENTS, "lkmd has no room for the call", "try again in a moment",
                              "could not be served" },
};

/* The error as a complete varlink message, in a static buffer. */
const char *client_trouble_answer(ClientTrouble trouble) {
        static char answer[512];

        (void) snprintf(answer, sizeof(answer),
                        "{\"error\":\"%s\",\"parameters\":{\"message\":\"%s\",\"hint\":\"%s\"}}",
                        troubles[trouble].error_id, troubles[trouble].message, troubles[trouble].hint);
        return answer;
}

/**
 * clients_report() - log trouble with a client: one entry for each kind, then none for TELL_AGAIN_USEC
 * @error: negative errno, 0 for none
 */
void clients_report(Clients *p, ClientTrouble trouble, uid_t uid, int error) {
        TroubleNote *note = p->notes + trouble;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        char again[64] = "";

        if (note->reported_usec > 0 && now - note->reported_usec < TELL_AGAIN_USEC) {
                note->n_unreported++;
                return;
        }
        if (note->n_unreported > 0)
                (void) snprintf(again, sizeof(again), "; %u more since this was said last",
                                note->n_unreported);
        log_entry(LOG_NOTICE, &(LogFields) { .requester_uid = uid, .requester_pid = -1, .error = -error },
                  "a client of user %u %s%s%s%s", (unsigned) uid, troubles[trouble].entry,
                  error < 0 ? ": " : "", error < 0 ? strerror(-error) : "", again);
        *note = (TroubleNote) { .reported_usec = now };
}
