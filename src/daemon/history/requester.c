/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requester: the process that asked. Owns its strings; has a reference count, since requests and what the gate has
 * seen share it.
 */

#include "daemon/history/requester.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

/**
 * requester_describe() - the same in words, to be put behind "by": "insmod (pid 4711, uid 0, ssh.service)"
 * @r:   NULL: not known
 * @ret: owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int requester_describe(const Requester *r, char **ret) {
        size_t size;
        FILE *f;

        assert(ret);

        *ret = NULL;
        f = open_memstream(ret, &size);
        if (!f)
                return -ENOMEM;
        if (!r || !r->has_process) {
                (void) fputs("a process that is not known", f);
                return fclose(f) == 0 ? 0 : -ENOMEM;
        }
        (void) fprintf(f, "%s (pid %d, uid %u", r->command ?: r->executable ?: "a process", (int) r->pid,
                       (unsigned) r->uid);
        if (r->has_login_uid && r->login_uid != r->uid)
                (void) fprintf(f, ", logged in as uid %u", (unsigned) r->login_uid);
        if (r->container)
                (void) fprintf(f, ", container %s", r->container);
        else if (r->unit)
                (void) fprintf(f, ", %s", r->unit);
        (void) fprintf(f, ")%s", r->inferred ? ", it seems" : "");
        return fclose(f) == 0 ? 0 : -ENOMEM;
}
