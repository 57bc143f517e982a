/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-json.h>

#include "cli/call/client.h"
#include "common/base/util.h"

/* What was done to modules in this boot, as lkmd has it. */
typedef struct History {
        sd_json_variant **entries;      /* HistoryEntry of io.lkmd.Manager, oldest first; owned */
        size_t n_entries;
        bool complete;                  /* nothing of this boot has been forgotten */
} History;

int history_fetch(Client *client, const char *module, History *ret);
void history_clear(History *h);

sd_json_variant *history_record(const History *h, size_t i);
sd_json_variant *history_find_load(const History *h, const char *module);
