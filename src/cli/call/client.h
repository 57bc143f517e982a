/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-json.h>

#include "cli/print/output.h"
#include "common/base/util.h"

typedef struct Client Client;

/* What a call does while it waits for its last reply. All may be NULL or 0. */
typedef struct CallHooks {
        /*
         * Each reply but the last; makes it a call with 'more'. Anything but 0 ends the call and is its
         * result.
         */
        int (*on_reply)(sd_json_variant *reply, void *userdata);
        /*
         * An error is about to be printed; what it carries (NULL: nothing) may be changed. Return: 0; negative
         * errno.
         */
        int (*on_error)(const char *error_id, sd_json_variant **fields, void *userdata);
        void (*on_second)(void *userdata);      /* a second has passed */
        void *userdata;
        uint64_t answer_usec;           /* give up after this time without any reply; 0: never */
        bool ends_with_stdout;          /* -EPIPE as soon as nobody reads standard output any more */
} CallHooks;

/* For what lkmd answers from memory. */
#define ANSWER_SOON_USEC (30 * UINT64_C(1000000))

int client_new(Client **ret, Output *out, const char *host);
Client *client_free(Client *c);
DEFINE_CLEANUP(Client, client_free);

int client_call(Client *c, const char *method, sd_json_variant *parameters, const CallHooks *hooks,
                sd_json_variant **ret_reply);
