/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LogGroups: see log-groups.h. A group has parts: of who asked, the modules; of a module, who asked for it; of a
 * device, the modules. Owns groups, parts and a reference to one entry of each.
 */

#include "cli/history/log-groups.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/history/log-entry.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"
#include "common/base/array.h"

typedef struct Part {
        char *key;                      /* what its entries have in common */
        sd_json_variant *entry;         /* the first of them */
        uint64_t counts[_LOG_KIND_MAX], count;
} Part;

typedef struct Group {
        char *key;                      /* as in Part */
        sd_json_variant *entry;
        uint64_t count, first_usec, last_usec;
        Part *parts;
        size_t n_parts;
} Group;

struct LogGroups {
        GroupBy by;
        Group *items;
        size_t n_items;
};

int log_groups_new(LogGroups **ret, GroupBy by) {
        assert(ret && by != GROUP_BY_NOTHING);

        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->by = by;
        return 0;
}

/* Return: NULL. */
LogGroups *log_groups_free(LogGroups *g) {
        if (!g)
                return NULL;

        for (size_t i = 0; i < g->n_items; i++) {
                Group *group = g->items + i;

                for (size_t k = 0; k < group->n_parts; k++) {
                        free(group->parts[k].key);
                        sd_json_variant_unref(group->parts[k].entry);
                }
                free(group->parts);
                free(group->key);
                sd_json_variant_unref(group->entry);
        }
        free(g->items);
        free(g);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------- adding */

/* Processes that are not told apart; all devices are one. Return: owned by the caller; NULL: no memory. */
static char *key_of_requester(sd_json_variant *entry) {
        sd_json_variant *requester = field_object(entry, "requester");
        const char *origin = field_string(requester, "origin") ?: "";
        uint64_t uid;
        char *key;

        if (streq(origin, "device"))
                return strdup(origin);
        if (asprintf(&key, "%s\n%lld\n%s\n%s\n%s\n%s", origin,
                     field_unsigned(requester, "uid", &uid) ? (long long) uid : -1LL,
                     field_string(requester, "command") ?: "", field_string(requester, "executable") ?: "",
                     field_string(requester, "unit") ?: "", field_string(requester, "container") ?: "") < 0)
                return NULL;
        return key;
}

/* What the module is called, else what was asked for. */
static const char *name_of_module(sd_json_variant *entry) {
        return field_string(entry, "module") ?: field_string(field_object(entry, "requester"), "key") ?: "?";
}

static const char *name_of_device(sd_json_variant *entry) {
        return field_string(field_object(entry, "requester"), "device");
}

static Group *find_group(LogGroups *g, char *key, sd_json_variant *entry) {
        Group *group;

        for (size_t i = 0; i < g->n_items; i++)
                if (streq(g->items[i].key, key)) {
                        free(key);
                        return g->items + i;
                }
        if (array_grow(&g->items, g->n_items, sizeof(*g->items)) < 0) {
                free(key);
                return NULL;
        }
        group = g->items + g->n_items++;
        *group = (Group) { .key = key, .entry = sd_json_variant_ref(entry), .first_usec = UINT64_MAX };
        return group;
}

static Part *find_part(Group *group, char *key, sd_json_variant *entry) {
        Part *part;

        for (size_t i = 0; i < group->n_parts; i++)
                if (streq(group->parts[i].key, key)) {
                        free(key);
                        return group->parts + i;
                }
        if (array_grow(&group->parts, group->n_parts, sizeof(*group->parts)) < 0) {
                free(key);
                return NULL;
        }
        part = group->parts + group->n_parts++;
        *part = (Part) { .key = key, .entry = sd_json_variant_ref(entry) };
        return part;
}

/* Return: 0, also if the entry belongs to no group, as of no device; -ENOMEM. */
int log_groups_add(LogGroups *g, sd_json_variant *entry) {
        LogKind kind = log_kind_from_string(field_string(entry, "kind"));
        uint64_t usec = field_number(entry, "timeUSec");
        Group *group;
        Part *part;
        char *key;

        assert(g && entry);

        if (kind < 0 || (g->by == GROUP_BY_DEVICE && !name_of_device(entry)))
                return 0;
        key = g->by == GROUP_BY_REQUESTER ? key_of_requester(entry)
              : g->by == GROUP_BY_MODULE  ? strdup(name_of_module(entry))
                                          : strdup(name_of_device(entry));
        group = key ? find_group(g, key, entry) : NULL;
        if (!group)
                return -ENOMEM;
        key = g->by == GROUP_BY_MODULE ? key_of_requester(entry) : strdup(name_of_module(entry));
        part = key ? find_part(group, key, entry) : NULL;
        if (!part)
                return -ENOMEM;
        group->count++;
        group->first_usec = MIN(group->first_usec, usec);
        group->last_usec = MAX(group->last_usec, usec);
        part->count++;
        part->counts[kind]++;
        return 0;
}

/* ----------------------------------------------------------------------------------------------- printing */

static int by_count(const void *a, const void *b) {
        const Group *x = a, *y = b;

        if (x->count != y->count)
                return x->count < y->count ? 1 : -1;
        return (x->last_usec < y->last_usec) - (x->last_usec > y->last_usec);
}

static int parts_by_count(const void *a, const void *b) {
        const Part *x = a, *y = b;

        return (x->count < y->count) - (x->count > y->count);
}

static void sort(LogGroups *g) {
        if (g->n_items > 0)
                qsort(g->items, g->n_items, sizeof(*g->items), by_count);
        for (size_t i = 0; i < g->n_items; i++)
                qsort(g->items[i].parts, g->items[i].n_parts, sizeof(Part), parts_by_count);
}

static void print_requester_name(FILE *f, sd_json_variant *entry) {
        sd_json_variant *requester = field_object(entry, "requester");
        const char *origin = field_string(requester, "origin");

        if (streq_ptr(origin, "foreign")) {
                (void) fputs("without lkmd, ", f);
                print_requester_process(f, requester);
        } else
                print_requester_kind(f, requester);
}

/* A single process ID says nothing about several requests. */
static int without_pid(sd_json_variant **entry) {
        static const char *const kept[] = { "origin", "uid", "command", "executable", "unit", "container" };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *requester = NULL, *v = NULL;
        sd_json_variant *old = field_object(*entry, "requester");
        int r = sd_json_variant_new_object(&requester, NULL, 0);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(kept); i++) {
                sd_json_variant *field = sd_json_variant_by_key(old, kept[i]);

                if (field)
                        r = sd_json_variant_set_field(&requester, kept[i], field);
        }
        if (r >= 0)
                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("requester", requester));
        if (r < 0)
                return r;
        *entry = STEAL_PTR(v);
        return 0;
}

static int print_who(FILE *f, sd_json_variant *entry) {
        sd_json_variant *shown = entry;
        int r = without_pid(&shown);

        if (r < 0)
                return r;
        print_requester_name(f, shown);
        sd_json_variant_unref(shown);
        return 0;
}

static int print_part(const LogGroups *g, FILE *f, const Part *part) {
        const char *separator = ": ";

        if (g->by == GROUP_BY_MODULE) {
                int r = print_who(f, part->entry);

                if (r < 0)
                        return r;
        } else
                print_escaped(f, part->key);
        for (LogKind kind = 0; kind < _LOG_KIND_MAX; kind++) {
                Tone tone;

                if (part->counts[kind] == 0)
                        continue;
                (void) fprintf(f, "%s%" PRIu64 " %s", separator, part->counts[kind],
                               log_kind_words(kind, &tone));
                separator = ", ";
        }
        return 0;
}

static int add_cells(const LogGroups *g, Table *t, const Group *group) {
        FILE *f;
        int r;

        if ((r = table_line(t)) < 0 || !(f = table_cell(t)))
                return -ENOMEM;
        if (g->by == GROUP_BY_REQUESTER)
                r = print_who(f, group->entry);
        else
                print_escaped(f, group->key);
        if (r < 0 || (r = table_cell_end(t)) < 0)
                return r;
        f = table_cell(t);
        for (size_t i = 0; f && r >= 0 && i < group->n_parts; i++) {
                (void) fputs(i > 0 ? "; " : "", f);
                r = print_part(g, f, group->parts + i);
        }
        if (r < 0 || (r = table_cell_end(t)) < 0 || !(f = table_cell(t)))
                return r < 0 ? r : -ENOMEM;
        (void) fprintf(f, "%" PRIu64, group->count);
        if ((r = table_cell_end(t)) < 0 || !(f = table_cell(t)))
                return -ENOMEM;
        print_date(f, group->first_usec);
        if ((r = table_cell_end(t)) < 0 || !(f = table_cell(t)))
                return -ENOMEM;
        print_date(f, group->last_usec);
        return table_cell_end(t);
}

static int print_text(const LogGroups *g, const Output *out) {
        const Column columns[] = {
                { .title = g->by == GROUP_BY_REQUESTER ? "WHO ASKED"
                           : g->by == GROUP_BY_MODULE  ? "MODULE"
                                                       : "DEVICE",
                  .wrap = true },
                { .title = g->by == GROUP_BY_MODULE ? "WHO ASKED" : "FOR", .wrap = true, .shorten = 16 },
                { .title = "TIMES", .right = true },
                { .title = "FIRST", .wrap = true, .spare = 100 },
                { .title = "LAST", .wrap = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        for (size_t i = 0; r >= 0 && i < g->n_items; i++)
                r = add_cells(g, table, g->items + i);
        return r < 0 ? r : table_print(table);
}

static int part_to_json(const LogGroups *g, const Part *part, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *counts = NULL;
        int r;

        r = sd_json_variant_new_object(&counts, NULL, 0);
        for (LogKind kind = 0; r >= 0 && kind < _LOG_KIND_MAX; kind++)
                if (part->counts[kind] > 0)
                        r = sd_json_variant_set_field_unsigned(&counts, log_kind_to_string(kind),
                                                               part->counts[kind]);
        if (r < 0)
                return r;
        if (g->by == GROUP_BY_MODULE) {
                sd_json_variant *entry = part->entry;

                r = without_pid(&entry);
                if (r < 0)
                        return r;
                v = entry;
                r = 0;
        } else
                r = sd_json_variant_set_field_string(&v, "module", part->key);
        if (r >= 0)
                r = sd_json_variant_set_field_unsigned(&v, "count", part->count);
        if (r >= 0)
                r = sd_json_variant_set_field(&v, "kinds", counts);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

static int group_to_json(const LogGroups *g, const Group *group, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *parts = NULL;
        const char *kind = g->by == GROUP_BY_REQUESTER ? "requester"
                           : g->by == GROUP_BY_MODULE  ? "module"
                                                       : "device";
        int r = 0;

        if (g->by == GROUP_BY_REQUESTER) {
                sd_json_variant *entry = group->entry;

                r = without_pid(&entry);
                if (r < 0)
                        return r;
                v = entry;
        } else
                r = sd_json_variant_set_field_string(&v, kind, group->key);
        for (size_t i = 0; r >= 0 && i < group->n_parts; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *part = NULL;

                r = part_to_json(g, group->parts + i, &part);
                if (r >= 0)
                        r = sd_json_variant_append_array(&parts, part);
        }
        if (r < 0 || (r = sd_json_variant_set_field_string(&v, "kind", kind)) < 0 ||
            (r = sd_json_variant_set_field_unsigned(&v, "count", group->count)) < 0 ||
            (r = sd_json_variant_set_field_unsigned(&v, "firstUSec", group->first_usec)) < 0 ||
            (r = sd_json_variant_set_field_unsigned(&v, "lastUSec", group->last_usec)) < 0 ||
            (r = sd_json_variant_set_field(&v, "entries", parts)) < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

/**
 * log_groups_print() - what there is most of first: a table, or an object of a list that the caller has begun
 *
 * Return: 0; negative errno.
 */
int log_groups_print(LogGroups *g, Output *out) {
        int r = 0;

        assert(g && out);

        sort(g);
        if (out->json == JSON_OFF)
                return g->n_items > 0 ? print_text(g, out) : 0;
        for (size_t i = 0; r >= 0 && i < g->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = group_to_json(g, g->items + i, &v);
                if (r >= 0)
                        r = output_json(out, v);
        }
        return r;
}
