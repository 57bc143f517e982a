/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "daemon/history/record.h"
#include "daemon/service/service-context.h"

/* Service: the varlink interface. Handlers check, parse and start; the reply comes with the outcome. */
typedef struct Service Service;

int service_new(Service **ret, const ServiceContext *context, int listen_fd, const char *address);
Service *service_free(Service *s);
DEFINE_CLEANUP(Service, service_free);

struct ucred;

int service_add_connection(Service *s, int fd, const struct ucred *ucred);
const ServiceContext *service_get_context(const Service *s);
void service_report_progress(Service *s, const char *kind, const Record *record);
