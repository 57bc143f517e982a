/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requester: the process that asked. Owns its strings; has a reference count, since requests and what the gate has
 * seen share it.
 */

#include "daemon/history/requester.h"

#include <assert.h>

/* Return: 0 with one of which nothing is known, or -ENOMEM. */
int requester_new(Requester **ret) {
        Requester *r;

        assert(ret);

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->n_ref = 1;
        *ret = r;
        return 0;
}

Requester *requester_ref(Requester *r) {
        assert(r && r->n_ref > 0);

        r->n_ref++;
        return r;
}

/* Return: NULL. */
Requester *requester_unref(Requester *r) {
        if (!r || --r->n_ref > 0)
                return NULL;

        requester_unref(r->parent);
        free(r->command);
        free(r->executable);
        free(r->unit);
        free(r->container);
        free(r);
        return NULL;
}
