/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/history/audit.h"

/* AuditKeeper: the audit; has it kept over boots, and fetches what was kept. */
typedef struct AuditKeeper AuditKeeper;

int audit_keeper_new(AuditKeeper **ret, sd_event *event, const char *file);
AuditKeeper *audit_keeper_free(AuditKeeper *k);
DEFINE_CLEANUP(AuditKeeper, audit_keeper_free);

Audit *audit_keeper_get(AuditKeeper *k);
