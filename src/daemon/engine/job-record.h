/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/module/file-facts.h"
#include "daemon/engine/job-spec.h"
#include "daemon/engine/kernel-log.h"
#include "daemon/engine/loader-client.h"
#include "daemon/engine/loader-trouble.h"

/* JobRecord: fills the record of a job, before it begins and after it has finished. */

typedef struct JobFile {                /* that was to be inserted */
        FileFacts *files;               /* NULL: it is not looked at */
        const char *path;               /* NULL: none */
} JobFile;

bool job_wants_async_probe(const JobSpec *spec, const char *async_probe_modules);
int job_record_new(Record **ret, const JobSpec *spec, const char *async_probe_modules);
void job_record_already_loaded(Record *record);
void job_record_explain(Record *record, KernelLog *log, const LoaderOutcome *outcome, const JobFile *file);
void job_record_explain_command(Record *record, int error);
void job_record_explain_loader(Record *record, int error, LoaderTrouble trouble, bool was_sent);
