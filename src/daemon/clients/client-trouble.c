/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ClientTrouble: why a client is not served: the error that it gets, and the entry in the journal. */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "daemon/base/log.h"
#include "daemon/clients/clients-internal.h"

#define TELL_AGAIN_USEC (10U * 60U * 1000U * 1000U)

static const struct {
        const char *error_id, *message, *hint; /* need no escaping in JSON */
        const char *entry;              /* in the journal, after "a client of user N " or "of container NAME " */
        const char *message_to_container, *hint_to_container; /* NULL: the same */
} troubles[_TROUBLE_MAX] = {
        [TROUBLE_USER_FULL] = { "TooManyClients", "your user has too many connections to lkmd",
                                "end one of them, and try again",
                                "was refused: it has as many connections as one may have",
                                "this container has too many connections to lkmd",
                                "end one of them, and try again" },
        [TROUBLE_FULL] = { "TooManyClients", "there are too many connections to lkmd",
                           "try again in a moment; root and the group " LKMD_ADMIN_GROUP
                           " have places of their own",
                           "was refused: all places are taken", "there are too many connections to lkmd",
                           "try again in a moment" },
        [TROUBLE_TOO_LARGE] = { "MessageTooLarge", "the call has more than 64 KiB", "send less at once",
                                "was cut off: a call of more than 64 KiB" },
        [TROUBLE_TOO_DEEP] = { "MessageTooLarge", "the call is nested deeper than 16 arrays and objects",
                               "no method of lkmd needs that", "was cut off: a call that is nested too deep" },
        [TROUBLE_TOO_SLOW] = { .entry = "was cut off: it does not read what it asked for" },
        [TROUBLE_NO_CALL] = { "TooManyClients", "lkmd has no room for the call", "try again in a moment",
                              "could not be served" },
};

/* The error as a complete varlink message, in a static buffer. */
const char *client_trouble_answer(const Clients *p, ClientTrouble trouble) {
        const char *message = p->is_broker ? troubles[trouble].message_to_container : NULL,
                   *hint = p->is_broker ? troubles[trouble].hint_to_container : NULL;
        static char answer[512];

        (void) snprintf(answer, sizeof(answer),
                        "{\"error\":\"%s.%s\",\"parameters\":{\"message\":\"%s\",\"hint\":\"%s\"}}",
                        p->interface, troubles[trouble].error_id, message ?: troubles[trouble].message,
                        hint ?: troubles[trouble].hint);
        return answer;
}

/**
 * clients_report() - log trouble with a client: one entry for each kind, then none for TELL_AGAIN_USEC
 * @error: negative errno, 0 for none
 */
void clients_report(Clients *p, ClientTrouble trouble, const Peer *peer, int error) {
        TroubleNote *note = p->notes + trouble;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        char again[64] = "", user[32];

        if (note->reported_usec > 0 && now - note->reported_usec < TELL_AGAIN_USEC) {
                note->n_unreported++;
                return;
        }
        if (note->n_unreported > 0)
                (void) snprintf(again, sizeof(again), "; %u more since this was said last",
                                note->n_unreported);
        (void) snprintf(user, sizeof(user), "user %u", (unsigned) peer->uid);
        log_entry(LOG_NOTICE,
                  &(LogFields) {
                          .requester_uid = peer->uid,
                          .requester_pid = -1,
                          .container = peer->container,
                          .error = -error,
                  },
                  "a client of %s%s %s%s%s%s", peer->container ? "container " : "", peer->container ?: user,
                  troubles[trouble].entry, error < 0 ? ": " : "", error < 0 ? strerror(-error) : "", again);
        *note = (TroubleNote) { .reported_usec = now };
}
