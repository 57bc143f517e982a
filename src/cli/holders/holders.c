/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holders: see holders.h. The order in which is looked matters: the later ones use what the earlier ones found. */

#include "cli/holders/holders.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/holders/kernel-holds.h"
#include "cli/holders/network-holds.h"
#include "cli/holders/own-devices.h"
#include "cli/holders/process-holds.h"
#include "cli/holders/storage-holds.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "common/base/text.h"

#define HOLDERS_IN_ERROR 3U             /* of those that tell most */

/* Return: 0; -ENOMEM. */
int holders_look(Subject *s) {
        static int (*const finders[])(Subject *s) = {
                own_devices_read,   process_spaces_find, kernel_holds_find,
                storage_holds_find, network_holds_find,  process_holds_find,
        };

        assert(s);

        for (size_t i = 0; i < ARRAY_LEN(finders); i++) {
                int r = finders[i](s);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->holds.n_items; i++)
                s->holds.items[i].references = (unsigned) MIN((uint64_t) s->holds.items[i].references,
                                                              s->n_references);
        holds_sort(&s->holds);
        return 0;
}

/**
 * holders_find() - look for all that uses a module
 * @root: what "/" is; "": the real one
 *
 * What vanishes meanwhile is left out.
 *
 * Return: 0; as subject_new().
 */
int holders_find(Subject **ret, const char *root, const char *module) {
        _cleanup_(subject_freep) Subject *s = NULL;
        int r;

        assert(ret);

        r = subject_new(&s, root, module);
        if (r >= 0)
                r = holders_look(s);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(s);
        return 0;
}

/* How many of the references that the kernel counts what was found can be: each counts for as many as it may have. */
uint64_t holders_explained(const Subject *s) {
        uint64_t n = 0;

        assert(s);

        for (size_t i = 0; i < s->holds.n_items; i++)
                n += s->holds.items[i].references;
        return MIN(n, s->n_references);
}

/* The one that is to end first. Return: NULL: none keeps the module. */
const Hold *holders_first(const Subject *s) {
        assert(s);

        for (size_t i = 0; i < s->holds.n_items; i++)
                if (s->holds.items[i].references > 0)
                        return s->holds.items + i;
        return NULL;
}

/* -------------------------------------------------------------------------------------------------------- JSON */

static int escape_into(sd_json_variant **v, const char *key, const char *text) {
        _cleanup_(freep) char *shown = NULL;
        int r;

        if (!text)
                return 0;
        r = text_escape(text, &shown);
        return r < 0 ? r : sd_json_variant_set_field_string(v, key, shown);
}

static int hold_to_json(const Hold *h, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("kind", hold_kind_to_string(h->kind)));
        if (r >= 0)
                r = escape_into(&v, "name", h->name);
        if (r >= 0)
                r = escape_into(&v, "how", h->how);
        if (r >= 0)
                r = sd_json_variant_set_field_unsigned(&v, "references", h->references);
        if (r >= 0 && h->probable)
                r = sd_json_variant_set_field_boolean(&v, "probable", true);
        if (r >= 0 && h->pid > 0)
                r = sd_json_variant_set_field_unsigned(&v, "pid", (uint64_t) h->pid);
        if (r >= 0)
                r = escape_into(&v, "command", h->command);
        if (r >= 0)
                r = escape_into(&v, "unit", h->unit);
        if (r >= 0)
                r = escape_into(&v, "next", h->next);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

/* {module, references, explained, holders: [..], unseenProcesses?, unseenNameSpaces?}. Return: 0; negative errno. */
int holders_to_json(const Subject *s, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *list = NULL;
        int r;

        assert(s && ret);

        r = sd_json_variant_new_array(&list, NULL, 0);
        for (size_t i = 0; r >= 0 && i < s->holds.n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *item = NULL;

                r = hold_to_json(s->holds.items + i, &item);
                if (r >= 0)
                        r = sd_json_variant_append_array(&list, item);
        }
        if (r >= 0)
                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("module", s->module),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("references", s->n_references),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("explained", holders_explained(s)),
                                   SD_JSON_BUILD_PAIR_VARIANT("holders", list));
        if (r >= 0 && s->n_unseen > 0)
                r = sd_json_variant_set_field_unsigned(&v, "unseenProcesses", s->n_unseen);
        if (r >= 0 && s->spaces_unseen)
                r = sd_json_variant_set_field_boolean(&v, "unseenNameSpaces", true);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}

/**
 * holders_to_list() - sentences about what keeps the module, for the error of an unload
 * @max: of them
 * @ret: an array of strings
 *
 * Return: 0; negative errno.
 */
int holders_to_list(const Subject *s, size_t max, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        int r;

        assert(s && ret);

        r = sd_json_variant_new_array(&list, NULL, 0);
        for (size_t i = 0; r >= 0 && i < s->holds.n_items && sd_json_variant_elements(list) < max; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *item = NULL;
                _cleanup_(freep) char *text = NULL;
                size_t size;
                FILE *f;

                if (s->holds.items[i].references == 0)
                        break;
                f = open_memstream(&text, &size);
                if (!f)
                        return -ENOMEM;
                hold_write(f, s->holds.items + i);
                if (fclose(f) != 0)
                        return -ENOMEM;
                r = sd_json_variant_new_string(&item, text);
                if (r >= 0)
                        r = sd_json_variant_append_array(&list, item);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(list);
        return 0;
}

/**
 * holders_add_to_error() - say in a refusal of an unload what keeps the module, and what to do about it
 * @fields: of the error InUse
 *
 * Return: 0, also if nothing is found; negative errno.
 */
int holders_add_to_error(const char *root, sd_json_variant **fields) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
        const char *module = field_string(*fields, "module");
        _cleanup_(subject_freep) Subject *s = NULL;
        _cleanup_(freep) char *hint = NULL, *next = NULL;
        const Hold *first;
        int r;

        assert(root && fields);

        r = module ? holders_find(&s, root, module) : -ENOENT;
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        first = holders_first(s);
        if (first && first->next)
                r = text_escape(first->next, &next);
        if (r >= 0 && next)
                r = hold_text(&hint, "%s; lkmctl holders %s shows all that uses it", next, s->module);
        else if (r >= 0)
                r = hold_text(&hint, "lkmctl holders %s shows what uses it", s->module);
        if (r >= 0)
                r = holders_to_list(s, HOLDERS_IN_ERROR, &list);
        if (r >= 0)
                r = sd_json_variant_set_field(fields, "heldBy", list);
        if (r >= 0)
                r = sd_json_variant_set_field_string(fields, "hint", hint);
        return r < 0 ? r : 0;
}

/* -------------------------------------------------------------------------------------------------------- text */

/* "/mnt is a mounted ext4 of /dev/loop0" */
void hold_write(FILE *f, const Hold *h) {
        assert(f && h);

        if (h->pid > 0) {
                (void) fprintf(f, "process %d (", h->pid);
                print_escaped(f, h->command);
                (void) fputc(')', f);
                if (h->unit) {
                        (void) fputs(" of ", f);
                        print_escaped(f, h->unit);
                }
        } else
                print_escaped(f, h->name);
        (void) fputs(h->probable ? " probably " : " ", f);
        print_escaped(f, h->how);
}

static void write_references(FILE *f, const Hold *h) {
        (void) fprintf(f, "%u", h->references);
}

static void write_next(FILE *f, const Hold *h) {
        if (h->next)
                print_escaped(f, h->next);
        else
                (void) fputc('-', f);
}

static int print_table(const Subject *s, const Output *out) {
        static const Column columns[] = {
                { "HOLDER", .wrap = true },
                { "REFS", .right = true },
                { "WHAT ENDS IT", .whole = true },
        };
        static void (*const writers[])(FILE *f, const Hold *h) = { hold_write, write_references,
                                                                   write_next };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        if (s->holds.n_items == 0)
                return 0;
        putchar('\n');
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        for (size_t i = 0; r >= 0 && i < s->holds.n_items; i++) {
                r = table_line(table);
                for (size_t k = 0; r >= 0 && k < ARRAY_LEN(writers); k++) {
                        FILE *f = table_cell(table);

                        if (f)
                                writers[k](f, s->holds.items + i);
                        r = table_cell_end(table);
                }
        }
        return r < 0 ? r : table_print(table);
}

static void print_head(const Subject *s) {
        uint64_t explained = holders_explained(s);
        bool any = s->holds.n_items > 0;

        print_escaped(stdout, s->module);
        if (s->n_references == 0 && !any)
                printf(" is not in use.\n");
        else if (s->n_references == 0)
                printf(" has no references: it can be removed.\nWhat follows goes with it.\n");
        else if (explained == s->n_references)
                printf(" has %" PRIu64 " reference%s; what follows explains %s.\n", s->n_references,
                       s->n_references == 1 ? "" : "s", s->n_references == 1 ? "it" : "them");
        else
                printf(" has %" PRIu64 " reference%s, of which %s%" PRIu64 " can be explained.\n",
                       s->n_references, s->n_references == 1 ? "" : "s", explained > 0 ? "" : "only ",
                       explained);
}

/* What was not seen, and the next command. */
static void print_rest(const Subject *s) {
        bool unexplained = holders_explained(s) < s->n_references;

        if (s->n_unseen > 0)
                printf("\nNot seen: what %u process%s of other users %s open.\n  sudo lkmctl holders %s\n",
                       s->n_unseen, s->n_unseen == 1 ? "" : "es", s->n_unseen == 1 ? "has" : "have",
                       s->module);
        else if (s->spaces_unseen)
                printf("\nNot seen: interfaces of other network name spaces.\n  sudo lkmctl holders %s\n",
                       s->module);
        else if (unexplained && (startswith(s->module, "nft_") || startswith(s->module, "xt_") ||
                                 startswith(s->module, "nf_") || startswith(s->module, "ip_set")))
                printf("\nProbably rules of the packet filter use it:\n  nft list ruleset\n");
        else if (unexplained)
                printf("\nWho takes and drops references now:\n  lkmctl holders --trace=10s %s\n",
                       s->module);
}

/* Return: 0; negative errno. */
int holders_print(const Subject *s, const Output *out) {
        int r;

        assert(s && out);

        print_head(s);
        r = print_table(s, out);
        if (r < 0)
                return r;
        print_rest(s);
        return output_flush();
}
