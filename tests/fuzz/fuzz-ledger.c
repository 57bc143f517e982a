/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the ledger's file: what is believed of it can be shown, is bounded, and is the same when it is read
 * once more from what was written of it.
 */

#include <syslog.h>

#include "daemon/base/log.h"
#include "daemon/history/ledger.h"
#include "scratch.h"
#include "support.h"

#define CAPACITY 32U

static Scratch scratch;

static void at_exit(void) {
        scratch_close(&scratch);
}

static void check_request(const Request *q) {
        must(q->origin >= 0 && q->origin < _ORIGIN_MAX);
        must(q->key != NULL);
        fuzz_must_be_printable(q->key);
        fuzz_must_be_printable(q->device);
        fuzz_must_be_printable(q->subsystem);
        fuzz_must_be_printable(q->driver);
        fuzz_must_be_printable(q->command);
        fuzz_must_be_printable(q->unit);
}

static void check_record(const Record *r) {
        must(r->id > 0 && r->module && r->request);
        must(r->outcome > OUTCOME_UNDER_WAY && r->outcome < _OUTCOME_MAX);
        must(r->error <= 0);
        check_request(r->request);
        fuzz_must_be_printable(r->module);
        fuzz_must_be_printable(r->parent);
        fuzz_must_be_printable(r->parameters);
        fuzz_must_be_printable(r->message);
        fuzz_must_be_printable(r->hint);
        fuzz_must_be_printable(r->allowed_by.file);
        for (size_t i = 0; r->kernel_log && r->kernel_log[i]; i++)
                fuzz_must_be_printable(r->kernel_log[i]);
        for (size_t i = 0; r->kernel_stack && r->kernel_stack[i]; i++)
                fuzz_must_be_printable(r->kernel_stack[i]);
}

static void ask(Ledger *l) {
        for (size_t i = 0; i < ledger_count(l); i++) {
                const char *module = ledger_get(l, i)->module;
                const Record *load = ledger_find_load(l, module);

                check_record(ledger_get(l, i));
                must(!load || (streq(load->module, module) && !load->gone && !load->removal));
                (void) ledger_was_requested(l, module);
        }
}

/* What @text makes of the file. */
static char *read_and_write(const char *path, size_t *ret_n) {
        _cleanup_(ledger_freep) Ledger *l = NULL;

        must(ledger_new(&l, path, CAPACITY) == 0);
        *ret_n = ledger_count(l);
        must(*ret_n <= CAPACITY);
        ask(l);
        return fuzz_read_file(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        fuzz_mount_empty("/sys");
        log_set_level(LOG_EMERG);
        scratch_open(&scratch);
        must(atexit(at_exit) == 0);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *path = scratch_path(&scratch, "ledger");
        _cleanup_(freep) char *first = NULL, *second = NULL;
        size_t n_first, n_second;

        scratch_write_bytes(&scratch, "ledger", data, size);
        first = read_and_write(path, &n_first);
        second = read_and_write(path, &n_second);
        must(n_first == n_second);
        must(streq(first, second));
        return 0;
}
