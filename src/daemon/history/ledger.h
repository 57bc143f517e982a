/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "daemon/history/record.h"

/*
 * Ledger: the bounded history of everything that was done to modules, in memory and in a file that survives a restart.
 */
typedef struct Ledger Ledger;

int ledger_new(Ledger **ret, const char *file, size_t capacity);
Ledger *ledger_free(Ledger *l);
DEFINE_CLEANUP(Ledger, ledger_free);

int ledger_set_capacity(Ledger *l, size_t capacity);

int ledger_begin(Ledger *l, Record *r);
void ledger_end(Ledger *l, Record *r);
void ledger_module_gone(Ledger *l, const char *module);

size_t ledger_count(const Ledger *l);
Record *ledger_get(const Ledger *l, size_t i);
bool ledger_is_complete(const Ledger *l);
Record *ledger_find_load(const Ledger *l, const char *module);
Record *ledger_find_wanted(const Ledger *l, const char *module);
bool ledger_is_on_demand(const Ledger *l, const char *module);
bool ledger_was_requested(const Ledger *l, const char *module);
