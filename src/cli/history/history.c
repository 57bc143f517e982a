/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* History: the entries of all replies of the method History in one array, of which it owns the references. */

#include "cli/history/history.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "common/base/array.h"

static int take_entries(History *h, sd_json_variant *entries) {
        ARRAY_FOREACH_INDEX(entries, i) {
                sd_json_variant *entry = sd_json_variant_by_index(entries, i);

                if (!field_object(entry, "record"))
                        continue;
                if (array_grow(&h->entries, h->n_entries, sizeof(*h->entries)) < 0)
                        return -ENOMEM;
                h->entries[h->n_entries++] = sd_json_variant_ref(entry);
        }
        return 0;
}

/* Return: 1: there is another page, behind @after; otherwise as history_fetch(). */
static int fetch_page(Client *client, const char *module, uint64_t *after, History *h) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
        uint64_t next;
        int r;

        r = sd_json_buildo(
                &parameters,
                SD_JSON_BUILD_PAIR_CONDITION(module != NULL, "module", SD_JSON_BUILD_STRING(module)),
                SD_JSON_BUILD_PAIR_CONDITION(*after > 0, "after", SD_JSON_BUILD_UNSIGNED(*after)));
        if (r < 0)
                return r;
        r = client_call(client, "History", parameters, &(CallHooks) { .answer_usec = ANSWER_SOON_USEC },
                        &reply);
        if (r != 0)
                return r;
        h->complete = field_bool(reply, "complete");
        r = take_entries(h, field_array(reply, "entries"));
        if (r < 0)
                return r;
        if (!field_unsigned(reply, "next", &next) || next <= *after)
                return 0;
        *after = next;
        return 1;
}

/**
 * history_fetch() - ask lkmd for all that it did and saw
 * @module: only of this one; NULL: of all
 * @ret:    cleared by history_clear(), also after a failure
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int history_fetch(Client *client, const char *module, History *ret) {
        uint64_t after = 0;
        int r;

        assert(client && ret);

        *ret = (History) {};
        do
                r = fetch_page(client, module, &after, ret);
        while (r == 1 && after > 0);
        return r;
}

void history_clear(History *h) {
        assert(h);

        for (size_t i = 0; i < h->n_entries; i++)
                sd_json_variant_unref(h->entries[i]);
        free(h->entries);
        *h = (History) {};
}

/* The @i-th record, the type Record of io.lkmd.Manager; borrowed. */
sd_json_variant *history_record(const History *h, size_t i) {
        assert(h && i < h->n_entries);

        return field_object(h->entries[i], "record");
}

/* Is a record what brought its module into the kernel? */
static bool is_load(sd_json_variant *record) {
        const char *outcome = field_string(record, "outcome");

        return sd_json_variant_by_key(record, "reason") && outcome &&
               (streq(outcome, "loaded") || streq(outcome, "command_run"));
}

/**
 * history_find_load() - the load of a module that is in the kernel
 * @module: as the kernel calls it
 *
 * Return: the record, borrowed; NULL: there is none, or it has been forgotten.
 */
sd_json_variant *history_find_load(const History *h, const char *module) {
        assert(h && module);

        for (size_t i = h->n_entries; i > 0; i--) {
                sd_json_variant *record = history_record(h, i - 1);

                if (!field_bool(h->entries[i - 1], "gone") &&
                    streq_ptr(field_string(record, "module"), module) && is_load(record))
                        return record;
        }
        return NULL;
}
