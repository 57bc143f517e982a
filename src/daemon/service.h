/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/util.h"
#include "daemon/manager.h"
#include "daemon/record.h"

/* Service: the varlink interface. Handlers parse, check rights and start; what they started replies. */

int service_new(Service **ret, Manager *m, int listen_fd, const char *address);
Service *service_free(Service *s);
DEFINE_CLEANUP(Service, service_free);

struct ucred;

int service_add_connection(Service *s, int fd, const struct ucred *ucred);
void service_tell_progress(Service *s, const char *kind, const Record *record);
