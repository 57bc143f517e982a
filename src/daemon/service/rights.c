/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rights: one table says who may call which method, and with which flags; nobody may call a method that is not in it.
 * Who the client is was determined when it connected (peer.c).
 *
 * For sd-varlink, a call without a reply ("oneway") is over when its handler returns. So methods that reply later, or
 * whose reply is their purpose, do not accept that flag.
 */

#include "daemon/service/rights.h"

#include <assert.h>

#include "common/base/util.h"
#include "daemon/base/log.h"

#define ONEWAY SD_VARLINK_METHOD_ONEWAY
#define MORE SD_VARLINK_METHOD_MORE

typedef enum Right {
        RIGHT_ANYONE,
        RIGHT_ADMIN,                    /* root and members of LKMD_ADMIN_GROUP */
        RIGHT_CONTAINER,                /* who came by the broker's socket, and so has no other right */
} Right;

static const struct {
        const char *method;
        Right right;
        sd_varlink_method_flags_t flags; /* that it may be called with */
} rights[] = {
        { "Load", RIGHT_ADMIN, ONEWAY | MORE },
        { "Unload", RIGHT_ADMIN, ONEWAY | MORE },
        { "Sweep", RIGHT_ADMIN, ONEWAY },
        { "Reload", RIGHT_ADMIN, ONEWAY },
        { "Grant", RIGHT_ADMIN, ONEWAY },
        { "Revoke", RIGHT_ADMIN, ONEWAY },
        { "ClearAudit", RIGHT_ADMIN, ONEWAY },
        { "Audit", RIGHT_ANYONE, 0 },
        { "Status", RIGHT_ANYONE, 0 },
        { "DescribeModule", RIGHT_ANYONE, 0 },
        { "List", RIGHT_ANYONE, 0 },
        { "History", RIGHT_ANYONE, 0 },
        { "Monitor", RIGHT_ANYONE, MORE },
        { "Wait", RIGHT_ANYONE, 0 },
        { "Require", RIGHT_CONTAINER, 0 }, /* of io.lkmd.Broker */
};

/* Replies to a call that is refused. Return: what a method handler returns. */
static int refuse(sd_varlink *link, const char *method, sd_varlink_method_flags_t flags, const char *parameter) {
        int r;

        if (flags & ONEWAY) {
                log_debug("a call of %s wants no answer and is not carried out", method);
                return 1;
        }
        r = parameter ? sd_varlink_error_invalid_parameter_name(link, parameter) :
                        sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, NULL);
        return r < 0 ? r : 1;
}

/**
 * rights_check() - may this client call that method with these flags?
 * @peer:   NULL: not known
 * @method: without the name of the interface
 * @flags:  of the call
 *
 * Return: 0: it may; otherwise what a method handler returns: the error was sent, unless the call is oneway.
 */
int rights_check(const Peer *peer, sd_varlink *link, const char *method, sd_varlink_method_flags_t flags) {
        assert(link && method);

        for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
                if (!streq(rights[i].method, method))
                        continue;
                if (!peer || (rights[i].right == RIGHT_ADMIN && !peer->admin) ||
                    (rights[i].right == RIGHT_CONTAINER) != peer->by_broker)
                        break;
                if (flags & ~rights[i].flags)
                        return refuse(link, method, flags,
                                      flags & ~rights[i].flags & ONEWAY ? "oneway" :
                                      flags & ~rights[i].flags & MORE   ? "more" : "flags");
                return 0;
        }
        return refuse(link, method, flags, NULL);
}
