/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ServiceCaller: see service-caller.h. Owns nothing. */

#include "daemon/service/service-caller.h"

#include "common/interface/interface.h"
#include "daemon/service/rights.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

/* For a method without parameters; sd-varlink needs a table all the same. */
int dispatch_nothing(sd_varlink *link, sd_json_variant *parameters) {
        static const sd_json_dispatch_field table[] = { {} };

        return sd_varlink_dispatch(link, parameters, table, NULL);
}

/* To be called first by each method: checks the rights of the client. Return: as rights_check(). */
int service_admit(Service *s, sd_varlink *link, const char *method, sd_varlink_method_flags_t flags) {
        return rights_check(clients_find_peer(s->clients, link), link, method, flags);
}

/* Return: 0, -ENOMEM, -E2BIG, or -ENOTCONN when the client has gone. */
int request_of_client(Service *s, sd_varlink *link, const char *key, Request **ret) {
        const Peer *peer = clients_find_peer(s->clients, link);
        _cleanup_(freep) char *unit = NULL;

        if (!peer)
                return -ENOTCONN;
        unit = peer_get_unit(peer);
        return request_new_client(ret, key, peer->uid, peer->pid, unit);
}

/**
 * service_prepare_proof() - keep what lkmd-loader needs to check a request of root's
 * @is_needed: the request has parameters or force
 *
 * What only root may ask for, lkmd-loader checks itself, by the connection of the client.
 *
 * Return: 0: go on; 1: refused, and the error was sent; negative errno.
 */
int service_prepare_proof(Service *s, sd_varlink *link, Request *request, bool is_needed) {
        const Peer *peer = clients_find_peer(s->clients, link);

        if (request->force && request->uid != 0) {
                (void) reply_message(link, LKMD_ERROR_DENIED, "run lkmctl as root",
                                     "%s: only root may go without the kernel's checks", request->key);
                return 1;
        }
        return is_needed && peer && request->uid == 0 ? request_keep_client(request, peer->fd) : 0;
}
