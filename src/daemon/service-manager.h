/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/util.h"

typedef struct ServiceManager ServiceManager;

int service_manager_new(ServiceManager **ret, const char *address);
ServiceManager *service_manager_free(ServiceManager *m);
DEFINE_CLEANUP(ServiceManager, service_manager_free);

int service_manager_runs(ServiceManager *m, const char *unit);
int service_manager_signal(ServiceManager *m, const char *unit, int signo);
int service_manager_is_stopping(ServiceManager *m);
