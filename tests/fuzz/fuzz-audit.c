/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the audit's file: what is believed of it can be shown, is bounded, and is the same when it is read
 * once more from what was written of it.
 */

#include <syslog.h>

#include "common/base/limits.h"
#include "daemon/base/log.h"
#include "daemon/history/audit.h"
#include "scratch.h"
#include "support.h"

static Scratch scratch;

static void at_exit(void) {
        scratch_close(&scratch);
}

/* As Audit shows it. */
static char *describe(Audit *a) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        char *text = NULL;

        must(audit_describe(a, false, &v) >= 0);
        must(sd_json_variant_elements(v) == audit_count(a));
        must(sd_json_variant_format(v, 0, &text) >= 0);
        for (size_t i = 0; i < sd_json_variant_elements(v); i++) {
                static const char *const texts[] = { "module", "key", "device", "file", "rule", "reason" };
                sd_json_variant *entry = sd_json_variant_by_index(v, i);

                for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
                        sd_json_variant *field = sd_json_variant_by_key(entry, texts[k]);

                        if (field)
                                fuzz_must_be_printable(sd_json_variant_string(field));
                }
        }
        return text;
}

static char *read_and_write(const char *path) {
        _cleanup_(audit_freep) Audit *a = NULL;

        must(audit_new(&a, path) == 0);
        must(audit_count(a) <= AUDIT_ENTRIES_MAX);
        return describe(a);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        log_set_level(LOG_EMERG);
        scratch_open(&scratch);
        must(atexit(at_exit) == 0);
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *first = NULL, *second = NULL, *first_file = NULL, *second_file = NULL;
        const char *path = scratch_path(&scratch, "audit");

        scratch_write_bytes(&scratch, "audit", data, size);
        first = read_and_write(path);
        first_file = fuzz_read_file(path);
        second = read_and_write(path);
        second_file = fuzz_read_file(path);
        must(streq(first, second));
        must(streq(first_file, second_file));
        return 0;
}
