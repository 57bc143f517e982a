/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

#include "cli/print/output.h"
#include "common/base/util.h"

typedef struct Client Client;

/* What happens during a call. All may be NULL or 0. */
typedef struct CallHooks {
        /*
         * Called for each reply but the last, and makes the call one with "more". Anything but 0 ends the call and is
         * its result.
         */
        int (*on_reply)(sd_json_variant *reply, void *userdata);
        /*
         * Called before an error is printed; may change the fields of the error (NULL: it has none). Return: 0;
         * negative errno.
         */
        int (*on_error)(const char *error_id, sd_json_variant **fields, void *userdata);
        void (*on_second)(void *userdata);      /* every second */
        int (*on_input)(
                void *userdata); /* standard input can be read; anything but 0 ends the call likewise */
        void *userdata;
        uint64_t answer_usec;           /* give up after this time without a reply; 0: never */
        bool silent;                    /* the verb can do without: errors are returned, and not reported */
        bool ends_with_stdout;          /* ends with -EPIPE when the reader of standard output is gone */
} CallHooks;

/* For calls that lkmd answers from memory. */
#define ANSWER_SOON_USEC (30 * UINT64_C(1000000))

int client_new(Client **ret, Output *out, const char *host);
Client *client_free(Client *c);
DEFINE_CLEANUP(Client, client_free);

/* Whether it can only ask the broker, being in a container. */
bool client_asks_broker(const Client *c);

int client_call(Client *c, const char *method, sd_json_variant *parameters, const CallHooks *hooks,
                sd_json_variant **ret_reply);
