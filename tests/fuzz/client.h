/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define FUZZ_CALLS_MAX 256U             /* of one client; what is more is not checked */

/*
 * One client of the service, a plain socket that never waits, and what it may expect: a last reply to each call that
 * is not oneway, in the order of the calls, and of the kind that this call has.
 */
typedef struct FuzzClient {
        int fd;                         /* negative: not connected */
        bool is_admin;                  /* may change things */
        bool unknown;                   /* it said what only sd-varlink can count */
        char calls[FUZZ_CALLS_MAX];     /* letters of their methods */
        size_t n_calls, n_replies;
        char *text;                     /* of a reply that has not come to its end */
        size_t n_text;
} FuzzClient;

void fuzz_client_take(FuzzClient *c, int fd);    /* a new connection; not while it has one */
void fuzz_client_hang_up(FuzzClient *c);
void fuzz_client_shut_down(FuzzClient *c);
void fuzz_client_call(FuzzClient *c, const char *text); /* FLAGS, METHOD, PARAMETERS: see fuzz-varlink.c */
void fuzz_client_send(FuzzClient *c, const char *text, size_t size);
void fuzz_client_read(FuzzClient *c);
