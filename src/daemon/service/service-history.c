/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* History: the ledger, page by page, oldest entry first. */

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

typedef struct HistoryParameters {
        const char *module;             /* borrowed; NULL: all */
        uint64_t after;
} HistoryParameters;

static int append_entry(const Record *record, sd_json_variant **entries) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *entry = NULL;
        int r;

        r = describe_record(record, &v);
        if (r >= 0)
                r = sd_json_buildo(&entry, SD_JSON_BUILD_PAIR_UNSIGNED("id", record->id),
                                   SD_JSON_BUILD_PAIR_BOOLEAN("gone", record->gone),
                                   SD_JSON_BUILD_PAIR_VARIANT("record", v));
        return r < 0 ? r : sd_json_variant_append_array(entries, entry);
}

/**
 * describe_page() - entries behind a number
 * @module:   NULL: all
 * @ret_next: 0: there are no more
 *
 * Return: 0; what sd-json says.
 */
static int describe_page(const Ledger *ledger, const char *module, uint64_t after, sd_json_variant **ret,
                         uint64_t *ret_next) {
        size_t n_taken = 0;
        int r;

        *ret_next = 0;
        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = ledger_count(ledger); r >= 0 && i > 0; i--) {
                const Record *record = ledger_get(ledger, i - 1);

                if (record->id <= after || (module && !record_is_about(record, module)))
                        continue;
                if (n_taken++ == HISTORY_REPLY_MAX) {
                        *ret_next = after;
                        return 0;
                }
                after = record->id;
                r = append_entry(record, ret);
        }
        return r;
}

int vl_method_history(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                      void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "module", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(HistoryParameters, module), SD_JSON_NULLABLE },
                { "after", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
                  offsetof(HistoryParameters, after), SD_JSON_NULLABLE },
                {}
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *entries = NULL;
        char module[MODULE_NAME_MAX + 1];
        HistoryParameters p = {};
        Service *s = userdata;
        uint64_t next;
        int r;

        r = service_admit(s, link, "History", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        if (p.module && (p.module[0] == '\0' || module_name_normalize(p.module, module, sizeof(module)) < 0))
                return sd_varlink_error_invalid_parameter_name(link, "module");

        r = describe_page(s->context.ledger, p.module ? module : NULL, p.after, &entries, &next);
        if (r < 0)
                return r;
        return sd_varlink_replybo(
                link, SD_JSON_BUILD_PAIR_VARIANT("entries", entries),
                SD_JSON_BUILD_PAIR_CONDITION(next > 0, "next", SD_JSON_BUILD_UNSIGNED(next)),
                SD_JSON_BUILD_PAIR_BOOLEAN("complete", ledger_is_complete(s->context.ledger)));
}
