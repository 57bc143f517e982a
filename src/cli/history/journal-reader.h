/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-json.h>

#include "cli/history/log-entry.h"
#include "common/base/util.h"

/* What of the journal can be read, and what not. */
typedef enum JournalState {
        JOURNAL_KEPT,                   /* also that of earlier boots */
        JOURNAL_VOLATILE,               /* there is none but that of this boot */
        JOURNAL_DENIED,                 /* the caller may not read it */
        JOURNAL_ABSENT,
} JournalState;

/* JournalReader: what lkmd wrote into the journal, as entries. */
typedef struct JournalReader JournalReader;

/* Of which boot entries are wanted. */
typedef struct JournalBoot {
        bool is_given;                  /* else of all */
        int64_t number;                 /* 0: this one; -1: the one before; 1: the oldest that the journal has */
} JournalBoot;

JournalState journal_find_state(void);

int journal_reader_new(JournalReader **ret, const LogFilter *filter, JournalBoot boot, bool follow);
JournalReader *journal_reader_free(JournalReader *j);
DEFINE_CLEANUP(JournalReader, journal_reader_free);

int journal_reader_next(JournalReader *j, sd_json_variant **ret);
int journal_reader_wait(JournalReader *j);
