/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RequesterTable: the kernel starts a program for each request, which knows its own process and what is asked for.
 * Where the gate has seen that process begin, it belongs to one request for certain. Else it is the oldest one for the
 * same thing, which is marked as inferred, and only if all of these are of one user: what a user may must not depend
 * on a guess.
 *
 * A cipher is put together by a thread of the kernel's, cryptomgr_probe, which asks for the parts of it. Its requests
 * are concluded to come from the latest one for a cipher that a process has made, crypto_larval_lookup() in
 * crypto/api.c.
 *
 * Requests that nobody claims (they were refused later, or their program is not lkmd's) go when they are old or when
 * there are too many. Owns its entries.
 */

#include "daemon/gate/requester-table.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/limits.h"

typedef struct Waiting Waiting;

struct Waiting {
        Waiting *next;                  /* a younger one */
        pid_t helper;                   /* 0: not known */
        GateEvent event;
        GateEvent *cause;               /* concluded; NULL: none */
};

struct RequesterTable {
        char *root;
        GateEvent cipher;               /* the latest request of a process for one; id 0: none */
        Waiting *oldest, **end;
        size_t n;
};

/**
 * requester_table_new() - an empty table
 * @root: prefix of /proc and /sys, for tests; ""
 *
 * Return: 0; -ENOMEM.
 */
int requester_table_new(RequesterTable **ret, const char *root) {
        _cleanup_(requester_table_freep) RequesterTable *t = NULL;

        assert(ret && root);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->end = &t->oldest;
        t->root = strdup(root);
        if (!t->root)
                return -ENOMEM;
        *ret = STEAL_PTR(t);
        return 0;
}

/* Takes an entry out of the list. */
static Waiting *take(RequesterTable *t, Waiting **place) {
        Waiting *w = *place;

        *place = w->next;
        if (!w->next)
                t->end = place;
        t->n--;
        return w;
}

static Waiting *waiting_free(Waiting *w) {
        if (w)
                free(w->cause);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Waiting, waiting_free);

/* Return: NULL. */
RequesterTable *requester_table_free(RequesterTable *t) {
        if (!t)
                return NULL;

        while (t->oldest)
                waiting_free(take(t, &t->oldest));
        free(t->root);
        free(t);
        return NULL;
}

/* A thread that asks again has got its answer. */
static void forget_thread(RequesterTable *t, uint32_t tid) {
        for (Waiting **place = &t->oldest; *place;)
                if ((*place)->event.tid == tid)
                        waiting_free(take(t, place));
                else
                        place = &(*place)->next;
}

static bool is_cipher(const GateEvent *event) {
        return startswith(event->name, "crypto-");
}

/* A thread that only the kernel can have started: no process runs without a program. */
static bool is_of_cryptomgr(const GateEvent *event) {
        for (size_t i = 0; i < sizeof(event->executable); i++)
                if (event->executable[i] != '\0')
                        return false;
        return startswith(event->command, "cryptomgr_");
}

/* Return: 0; -ENOMEM. */
static int find_cause(RequesterTable *t, Waiting *w) {
        if (!is_cipher(&w->event))
                return 0;
        if (!is_of_cryptomgr(&w->event)) {
                t->cipher = w->event;
                return 0;
        }
        if (t->cipher.id == 0 || t->cipher.id + GATE_CAUSE_NSEC < w->event.id)
                return 0;
        w->cause = malloc(sizeof(*w->cause));
        if (!w->cause)
                return -ENOMEM;
        *w->cause = t->cipher;
        return 0;
}

/**
 * requester_table_add() - a request has passed the gate
 *
 * Return: 0; -ENOMEM.
 */
int requester_table_add(RequesterTable *t, const GateEvent *event) {
        _cleanup_(waiting_freep) Waiting *w = NULL;
        int r;

        assert(t && event);

        forget_thread(t, event->tid);
        while (t->n >= GATE_WAITING_MAX ||
               (t->oldest && t->oldest->event.id + GATE_WAITING_NSEC < event->id))
                waiting_free(take(t, &t->oldest));
        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (Waiting) { .event = *event };
        r = find_cause(t, w);
        if (r < 0)
                return r;
        *t->end = w;
        t->end = &w->next;
        t->n++;
        STEAL_PTR(w);
        return 0;
}

/* The program for a request has begun. */
void requester_table_note_helper(RequesterTable *t, const GateEvent *event) {
        assert(t && event);

        for (Waiting *w = t->oldest; w; w = w->next)
                if (w->event.id == event->id && w->event.tid == event->tid)
                        w->helper = (pid_t) event->helper;
                else if (w->helper == (pid_t) event->helper)
                        w->helper = -1; /* an earlier process with this number: it has ended */
}

/* Return: the place of the request that belongs to this process, or NULL. */
static Waiting **find_exact(RequesterTable *t, const char *alias, pid_t helper) {
        for (Waiting **place = &t->oldest; *place; place = &(*place)->next)
                if ((*place)->helper == helper && streq((*place)->event.name, alias))
                        return place;
        return NULL;
}

/* Return: the place of the oldest request for this whose process is not known, if all of them are of one user. */
static Waiting **find_likely(RequesterTable *t, const char *alias) {
        Waiting **found = NULL;

        for (Waiting **place = &t->oldest; *place; place = &(*place)->next) {
                const Waiting *w = *place;

                if (w->helper != 0 || !streq(w->event.name, alias))
                        continue;
                if (found && (*found)->event.uid != w->event.uid)
                        return NULL;
                found = found ?: place;
        }
        return found;
}

/**
 * requester_table_claim() - who asked for this?
 * @alias:  as the kernel wrote it
 * @helper: process of the program that the kernel has started for it
 * @ret:    a new reference
 *
 * The request is no longer in the table afterwards.
 *
 * Return: 1; 0 if it is not known; -ENOMEM.
 */
int requester_table_claim(RequesterTable *t, const char *alias, pid_t helper, Requester **ret) {
        _cleanup_(requester_unrefp) Requester *requester = NULL;
        _cleanup_(waiting_freep) Waiting *w = NULL;
        Waiting **place;
        bool is_exact;
        int r;

        assert(t && alias && helper > 0 && ret);

        place = find_exact(t, alias, helper);
        is_exact = place;
        if (!place)
                place = find_likely(t, alias);
        if (!place)
                return 0;
        w = take(t, place);
        r = gate_requester_new(&requester, &w->event, t->root);
        if (r < 0)
                return r;
        requester->inferred = !is_exact;
        if (w->cause) {
                r = gate_requester_new(&requester->parent, w->cause, t->root);
                if (r < 0)
                        return r;
                requester->parent->inferred = true;
        }
        *ret = STEAL_PTR(requester);
        return 1;
}

size_t requester_table_count(const RequesterTable *t) {
        assert(t);

        return t->n;
}
