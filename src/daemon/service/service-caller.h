/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

#include "daemon/history/request.h"

/* ServiceCaller: whether the client of a call may make it, and the request that the call becomes. */

typedef struct Service Service;

int dispatch_nothing(sd_varlink *link, sd_json_variant *parameters);
int service_admit(Service *s, sd_varlink *link, const char *method, sd_varlink_method_flags_t flags);
int request_of_client(Service *s, sd_varlink *link, const char *key, Request **ret);
int service_prepare_proof(Service *s, sd_varlink *link, Request *request, bool is_needed);
