/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JobRecord: see job-record.h. Owns nothing. */

#include "daemon/engine/job-record.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/explain/error-text.h"
#include "common/explain/omission-text.h"
#include "common/module/module-list.h"
#include "daemon/base/log.h"
#include "daemon/engine/job-operation.h"
#include "daemon/engine/refusal.h"

/* Does AsyncProbeModules= add a parameter? @async_probe_modules: module_list_contains(); NULL: none. */
bool job_wants_async_probe(const JobSpec *spec, const char *async_probe_modules) {
        assert(spec);

        return job_operation(spec->op)->inserts && async_probe_modules &&
               module_list_contains(async_probe_modules, spec->module) &&
               !(spec->parameters && strstr(spec->parameters, "async_probe"));
}

/* The parameters of the request, and those that the settings add. */
static int make_parameters(const JobSpec *spec, const char *async_probe_modules, char **ret) {
        const char *given = spec->parameters ?: "";
        bool async = job_wants_async_probe(spec, async_probe_modules);

        *ret = NULL;
        if (given[0] == '\0' && !async)
                return 0;
        if (asprintf(ret, "%s%s%s", given, async && given[0] != '\0' ? " " : "", async ? "async_probe" : "") < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/**
 * job_record_new() - the record of a job that has not begun
 * @async_probe_modules: module_list_contains(); NULL: none
 *
 * Return: 0; -ENOMEM.
 */
int job_record_new(Record **ret, const JobSpec *spec, const char *async_probe_modules) {
        _cleanup_(record_unrefp) Record *record = NULL;
        int r;

        assert(ret && spec);

        r = record_new(&record, spec->module, spec->request);
        if (r >= 0 && spec->kernel_name)
                r = record_set_kernel_name(record, spec->kernel_name);
        if (r < 0)
                return r;
        record->submitted_usec = clock_usec(CLOCK_MONOTONIC);
        record->removal = job_operation(spec->op)->removes;
        record->reason = spec->reason;
        if (spec->parent && !(record->parent = strdup(spec->parent)))
                return -ENOMEM;
        record->command_line = spec->command_line;
        if (spec->command_file && !(record->command_file = strdup(spec->command_file)))
                return -ENOMEM;
        r = make_parameters(spec, async_probe_modules, &record->parameters);
        if (r < 0)
                return r;
        r = spec->allowed_by ? plan_ruling_copy(&record->allowed_by, spec->allowed_by) : 0;
        if (r < 0)
                return r;

        *ret = STEAL_PTR(record);
        return 0;
}

/* The module was loaded before the job began. */
void job_record_already_loaded(Record *record) {
        assert(record);

        record->outcome = OUTCOME_ALREADY_LOADED;
        if (record->parameters && record->request->origin == ORIGIN_CLIENT)
                record->message = strdup("parameters take effect at the next load only");
}

/* Can the cause be the file, so that it is worth reading? Inits fail with others. */
static bool may_be_the_file(int error, LoaderRefusal refusal) {
        static const int errors[] = { ENOEXEC, EBADMSG, EINVAL, EPERM,  EACCES,
                                      EXDEV,   ENOENT,  ELOOP,  EISDIR, EIO };

        if (refusal != LOADER_NOT_REFUSED)
                return refusal == LOADER_REFUSED_FILE;
        for (size_t i = 0; i < ARRAY_LEN(errors); i++)
                if (error == -errors[i])
                        return true;
        return false;
}

/* Explains a failure by the module's file. Return: 1: done; 0: its file shows no cause; -ENOMEM. */
static int explain_by_file(Record *record, const LoaderOutcome *outcome, const JobFile *file) {
        _cleanup_(module_fault_clear) ModuleFault fault = {};
        int r;

        if (!file->files || !file->path || !may_be_the_file(outcome->error, outcome->refusal))
                return 0;
        r = file_facts_check(file->files, file->path, FACTS_READ, &fault);
        if (r < 0 || fault.kind == MODULE_HAS_NO_FAULT)
                return r;
        r = explain_fault(&fault, record->module, &record->message, &record->hint);
        return r < 0 ? r : 1;
}

/* Explains a failure by the file, the errno and by what the kernel logged about the module. */
void job_record_explain(Record *record, KernelLog *log, const LoaderOutcome *outcome, const JobFile *file) {
        LoaderRefusal refusal = outcome->refusal;
        int error = outcome->error, r;
        size_t n = 0;

        assert(record && log && outcome && file);

        record->outcome = error == -ECANCELED && !record->removal && command_refused(outcome->wait_status)
                                  ? OUTCOME_KEPT_OUT
                                  : OUTCOME_FAILED;
        record->error = error;
        record->not_proven = refusal == LOADER_REFUSED_ARGUMENTS || refusal == LOADER_REFUSED_FORCE;
        (void) kernel_log_take(log, record->module, &record->kernel_log, &n);

        r = explain_by_file(record, outcome, file);
        if (r > 0)
                return;
        if (refusal != LOADER_NOT_REFUSED)
                r = refusal_text(refusal, record->module, &record->message, &record->hint);
        else if (error == -ECANCELED)
                r = error_text_command(record->module,
                                       &(CommandEnding) {
                                               .removes = record->removal,
                                               .file = record->command_file,
                                               .line = record->command_line,
                                               .wait_status = outcome->wait_status,
                                               .output = outcome->output,
                                       },
                                       &record->message, &record->hint);
        else if (record->removal)
                r = error_text_remove(record->module, error, (const char *const *) record->kernel_log, n,
                                      &record->message, &record->hint);
        else
                r = error_text_insert(record->module, error, (const char *const *) record->kernel_log, n,
                                      distribution_of_system(), &record->message, &record->hint);
        if (r < 0)
                log_error("%s: cannot put its failure into words: %s", record->module, strerror(-r));
}

/**
 * job_record_explain_loader() - explain a failure that the loader caused
 * @error:    what loader_client_send() returned, or -EHOSTDOWN
 * @was_sent: the loader has the request, so the outcome is unknown
 */
void job_record_explain_loader(Record *record, int error, LoaderTrouble trouble, bool was_sent) {
        int n;

        assert(record && error < 0);

        record->outcome = OUTCOME_FAILED;
        record->error = error;
        if (error == -E2BIG) {
                record->message = strdup("its path or its parameters are too long");
                record->hint = strdup("modprobe -c shows its options");
                return;
        }
        if (error == -ENOMEM) {
                record->message = strdup("there is no memory left");
                return;
        }
        if (trouble == LOADER_IS_WELL)
                n = asprintf(&record->message, "%s was not tried: lkmd-loader cannot be reached (%s)", record->module,
                             strerror(-error));
        else
                n = asprintf(&record->message, "%s %s: %s", record->module,
                             was_sent ? "may or may not be there" : "was not tried", loader_trouble_text(trouble));
        if (n < 0)
                record->message = NULL;
        record->hint = strdup(trouble == LOADER_IS_WELL ? "systemctl restart lkmd-loader.socket lkmd"
                                                        : loader_trouble_remedy(trouble));
}

/**
 * job_record_explain_command() - explain a failure that lkmd-command caused
 * @error: what command_client_send() returned, or of its LoaderOutcome
 */
void job_record_explain_command(Record *record, int error) {
        int r;

        assert(record && error < 0);

        record->outcome = OUTCOME_FAILED;
        record->error = error;
        if (error == -E2BIG || error == -ENOMEM) {
                job_record_explain_loader(record, error, LOADER_IS_WELL, false);
                return;
        }
        r = error_text_command_lost(record->module,
                                    &(CommandEnding) {
                                            .removes = record->removal,
                                            .file = record->command_file,
                                            .line = record->command_line,
                                    },
                                    error, &record->message, &record->hint);
        if (r < 0)
                log_error("%s: cannot put its failure into words: %s", record->module, strerror(-r));
}
