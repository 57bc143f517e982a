/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Proposal: an allow list of the modules that lkmd knows to have been used. Each is listed once, with the others that
 * the same kind of requester brought; what only came along is listed too, since it may be requested by itself the next
 * time. Owns its strings.
 */

#include "cli/verbs/proposal.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/paths.h"

typedef struct Item {
        ProposalGroup group;
        char *part;                     /* PROPOSAL_DEVICE: subsystem; PROPOSAL_CONTAINER: its name */
        char *module;
        char *comment;                  /* one line */
} Item;

struct Proposal {
        Item *items;
        size_t n_items;
        unsigned number;                /* of the rules' names; 0: none */
};

int proposal_new(Proposal **ret) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void item_clear(Item *i) {
        free(i->part);
        free(i->module);
        free(i->comment);
}

/* Return: NULL. */
Proposal *proposal_free(Proposal *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_items; i++)
                item_clear(p->items + i);
        free(p->items);
        free(p);
        return NULL;
}

size_t proposal_count(const Proposal *p) {
        assert(p);

        return p->n_items;
}

static bool has_module(const Proposal *p, const char *module) {
        for (size_t i = 0; i < p->n_items; i++)
                if (streq(p->items[i].module, module))
                        return true;
        return false;
}

/* -------------------------------------------------------------------------------------------- collecting */

static ProposalGroup group_of(sd_json_variant *record) {
        const char *origin = field_string(field_object(record, "requester"), "origin");

        if (!record || record_is_foreign(record))
                return PROPOSAL_BEFORE;
        if (!record_is_requested(record) && !field_bool(record, "alsoRequested"))
                return PROPOSAL_NEEDED;
        return streq_ptr(origin, "device")   ? PROPOSAL_DEVICE
               : streq_ptr(origin, "kernel") ? PROPOSAL_KERNEL
               : streq_ptr(origin, "boot")   ? PROPOSAL_BOOT
               : streq_ptr(origin, "container") &&
                               field_string(field_object(record, "requester"), "container")
                       ? PROPOSAL_CONTAINER
                       : PROPOSAL_CLIENT;
}

/* "needed by lockd", "0000:00:1f.6", "lkmctl" */
static int describe(sd_json_variant *record, bool failed, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        if (record)
                print_record_requester_short(f, record);
        if (failed)
                (void) fputs(", it failed", f);
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

int proposal_add(Proposal *p, ProposalGroup group, const char *part, const char *module,
                 const char *comment) {
        _cleanup_(item_clear) Item item = { .group = group };

        assert(p && module);

        if (has_module(p, module))
                return 0;
        if (array_grow(&p->items, p->n_items, sizeof(*p->items)) < 0)
                return -ENOMEM;
        item.module = strdup(module);
        item.part = strdup(part ?: "");
        item.comment = strdup(comment ?: "");
        if (!item.module || !item.part || !item.comment)
                return -ENOMEM;

        p->items[p->n_items++] = item;
        item = (Item) {};
        return 0;
}

/* @record: NULL: not known. */
static int add(Proposal *p, const char *module, sd_json_variant *record, bool failed) {
        ProposalGroup group = group_of(record);
        _cleanup_(freep) char *comment = NULL;
        int r;

        if (!module)
                return 0;
        r = describe(record, failed, &comment);
        if (r < 0)
                return r;
        return proposal_add(p, group,
                            field_string(field_object(record, "requester"),
                                         group == PROPOSAL_CONTAINER ? "container" : "subsystem"),
                            module, comment);
}

static bool is_held_by_any(const Proposal *p, sd_json_variant *module) {
        sd_json_variant *holders = field_array(module, "holders");

        ARRAY_FOREACH_INDEX(holders, i) {
                sd_json_variant *v = sd_json_variant_by_index(holders, i);

                if (sd_json_variant_is_string(v) && has_module(p, sd_json_variant_string(v)))
                        return true;
        }
        return false;
}

/**
 * proposal_add_modules() - the modules in the kernel, as List has them
 * @since_usec: CLOCK_REALTIME; only those that were loaded since, and what they need; 0: all
 */
int proposal_add_modules(Proposal *p, sd_json_variant *modules, uint64_t since_usec) {
        size_t n_before;
        int r = 0;

        assert(p);

        ARRAY_FOREACH_INDEX(modules, i) {
                sd_json_variant *module = sd_json_variant_by_index(modules, i),
                                *record = field_object(module, "loadedBy");

                if (since_usec > 0 && (!record || field_number(record, "timeUSec") < since_usec))
                        continue;
                r = add(p, field_string(module, "name"), record, /* failed= */ false);
                if (r < 0)
                        return r;
        }
        if (since_usec == 0)
                return 0;

        do {
                n_before = p->n_items;
                ARRAY_FOREACH_INDEX(modules, i) {
                        sd_json_variant *module = sd_json_variant_by_index(modules, i);

                        if (!is_held_by_any(p, module))
                                continue;
                        r = add(p, field_string(module, "name"), field_object(module, "loadedBy"), false);
                        if (r < 0)
                                return r;
                }
        } while (p->n_items > n_before);
        return 0;
}

/* What a container was refused, by entries of the audit. */
int proposal_add_refused(Proposal *p, sd_json_variant *entries, const char *container) {
        int r;

        assert(p && container);

        ARRAY_FOREACH_INDEX(entries, i) {
                sd_json_variant *entry = sd_json_variant_by_index(entries, i);
                const char *module = field_string(entry, "module"),
                           *command = field_string(entry, "command");

                if (!module || !streq_ptr(field_string(entry, "origin"), "container") ||
                    !streq_ptr(field_string(entry, "kind"), "refused") ||
                    !streq_ptr(field_string(entry, "container"), container))
                        continue;
                r = proposal_add(p, PROPOSAL_CONTAINER, container, module, command);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Modules whose load failed: they will be tried again, and need not be denied. */
int proposal_add_failures(Proposal *p, sd_json_variant *failures, uint64_t since_usec) {
        int r;

        assert(p);

        ARRAY_FOREACH_INDEX(failures, i) {
                sd_json_variant *record = sd_json_variant_by_index(failures, i);

                if (field_number(record, "timeUSec") < since_usec || !field_object(record, "requester"))
                        continue;
                r = add(p, field_string(record, "module"), record, /* failed= */ true);
                if (r < 0)
                        return r;
        }
        return 0;
}

int proposal_filter(Proposal *p, proposal_keep_t keep, void *userdata) {
        size_t n = 0;
        int r = 0;

        assert(p && keep);

        for (size_t i = 0; i < p->n_items; i++) {
                Item *item = p->items + i;

                if (r >= 0)
                        r = keep(item->group, item->part, item->module, userdata);
                if (r != 0)
                        p->items[n++] = *item; /* also what was not asked about, so that it is freed */
                else
                        item_clear(item);
        }
        p->n_items = n;
        return MIN(r, 0);
}

void proposal_number_rules(Proposal *p, unsigned n) {
        assert(p);

        p->number = n;
}

static bool has_parts(ProposalGroup group) {
        return group == PROPOSAL_DEVICE || group == PROPOSAL_CONTAINER;
}

static int by_group(const void *a, const void *b) {
        const Item *x = a, *y = b;
        int c = (x->group > y->group) - (x->group < y->group);

        if (c == 0 && has_parts(x->group))
                c = strcmp(x->part, y->part);
        return c != 0 ? c : strcmp(x->module, y->module);
}

void proposal_sort(Proposal *p) {
        assert(p);

        if (p->n_items > 0)
                qsort(p->items, p->n_items, sizeof(*p->items), by_group);
}

/* ---------------------------------------------------------------------------------------------- printing */

static bool is_same_group(const Item *a, const Item *b) {
        return a->group == b->group && (!has_parts(a->group) || streq(a->part, b->part));
}

static size_t group_end(const Proposal *p, size_t i) {
        size_t end = i + 1;

        while (end < p->n_items && is_same_group(p->items + i, p->items + end))
                end++;
        return end;
}

size_t proposal_count_rules(const Proposal *p) {
        size_t n = 0;

        assert(p);

        for (size_t i = 0; i < p->n_items; i = group_end(p, i))
                n++;
        return n;
}

static const struct {
        const char *id, *comment, *reason;
} groups[] = {
        [PROPOSAL_DEVICE] = { "devices", "Drivers of devices", "used by a device" },
        [PROPOSAL_KERNEL] = { "kernel", "Asked for by the kernel on behalf of programs", "used by a program" },
        [PROPOSAL_BOOT] = { "boot", "Listed to be loaded at boot", "listed to be loaded at boot" },
        [PROPOSAL_CLIENT] = { "by-name", "Loaded by people and programs, by name", "loaded by name" },
        [PROPOSAL_CONTAINER] = { "container", "Asked for by a container", "used by a container" },
        [PROPOSAL_BEFORE] = { "before-lkmd", "In the kernel without lkmd, mostly from before it started",
                              "there at boot" },
        [PROPOSAL_LISTED] = { "listed", "In a list of modules, loaded by whatever it was",
                              "used by a machine" },
        [PROPOSAL_NEEDED] = { "needed",
                           "Came along with those above; they may as well be asked for by themselves",
                           "needed by others" },
};

/* "devices-pci", "devices-pci-2"; without what a name of a rule may not have */
static void write_id(const Proposal *p, FILE *f, const Item *item) {
        (void) fputs(groups[item->group].id, f);
        if (has_parts(item->group) && item->part[0] != '\0') {
                (void) fputc('-', f);
                for (const char *c = item->part; *c && c - item->part < 48; c++)
                        (void) fputc((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                                                     (*c >= '0' && *c <= '9')
                                             ? *c
                                             : '_',
                                     f);
        }
        if (p->number > 1)
                fprintf(f, "-%u", p->number);
}

/* In quotes, unless it is plain. */
static void write_name(FILE *f, const char *name) {
        static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null" };
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
        bool plain = name[n] == '\0' && *name >= 'a' && *name <= 'z';

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                plain = plain && !streq(name, words[i]);
        if (plain) {
                (void) fputs(name, f);
                return;
        }
        (void) fputc('"', f);
        for (const char *p = name; *p; p++)
                if (*p == '"' || *p == '\\' || *p < ' ')
                        (void) fputc('?', f);
                else
                        (void) fputc(*p, f);
        (void) fputc('"', f);
}

/* @indent: of the "-" before the rule. */
static void write_group(const Proposal *p, FILE *f, unsigned indent, size_t first, size_t end) {
        const Item *item = p->items + first;
        int column = (int) indent;

        fprintf(f, "\n%*s# %s", column, "", groups[item->group].comment);
        if (has_parts(item->group)) {
                (void) fputs(": ", f);
                print_escaped(f, item->part[0] ? item->part : "of no subsystem");
        }
        fprintf(f, ".\n%*s- id: ", column, "");
        write_id(p, f, item);
        fprintf(f, "\n%*smatch:\n", column + 2, "");
        if (item->group == PROPOSAL_CONTAINER) {
                fprintf(f, "%*scontainer: ", column + 4, "");
                write_name(f, item->part);
                (void) fputc('\n', f);
        }
        fprintf(f, "%*smodule:\n", column + 4, "");
        for (size_t i = first; i < end; i++) {
                fprintf(f, "%*s- ", column + 6, "");
                write_name(f, p->items[i].module);
                if (p->items[i].comment[0])
                        fprintf(f, "  # %s", p->items[i].comment);
                (void) fputc('\n', f);
        }
        fprintf(f, "%*sverdict: allow\n%*sreason: %s\n", column + 2, "", column + 2, "",
                groups[item->group].reason);
}

/**
 * proposal_print_rules() - the rules alone, to stand behind others
 * @indent: columns before the "-" of each
 */
void proposal_print_rules(const Proposal *p, FILE *f, unsigned indent) {
        assert(p && f);

        for (size_t i = 0; i < p->n_items;) {
                size_t end = group_end(p, i);

                write_group(p, f, indent, i, end);
                i = end;
        }
}

/* What it was made from: the first lines. */
static void write_source(FILE *f, const ProposalHead *head) {
        fprintf(f, "# %s, proposed by lkmctl %s on ",
                head->files ? "What machines used" : "What this machine used", LKMD_VERSION);
        print_date(f, clock_usec(CLOCK_REALTIME));
        if (head->release) {
                (void) fputs(", kernel ", f);
                print_escaped(f, head->release);
        }
        (void) fputs(".\n", f);
        for (size_t i = 0; head->files && head->files[i]; i++) {
                (void) fputs("# From ", f);
                print_escaped(f, head->files[i]);
                (void) fputc('\n', f);
        }
        if (head->n_unmatched > 0)
                fprintf(f, "# %zu modalias%s in there match%s no module of this kernel.\n",
                        head->n_unmatched, head->n_unmatched == 1 ? "" : "es",
                        head->n_unmatched == 1 ? "es" : "");
        (void) fputs("#\n", f);
        if (head->since_usec > 0) {
                (void) fputs("# Only what was loaded since ", f);
                print_date(f, head->since_usec);
                (void) fputs(", and what that needs: the rest of what is in use is not here.\n#\n", f);
        }
}

/* proposal_print() - a file for policy.d */
void proposal_print(const Proposal *p, FILE *f, const ProposalHead *head) {
        assert(p && f && head);

        if (head->of_container) {
                (void) fputs(
                        "# What a container was refused. Read it, remove what it is not to load, and put it into\n"
                        "# /etc/lkmd/policy.d, under a name that ends in .yaml.\n\nversion: 1\n\nrules:\n",
                        f);
                proposal_print_rules(p, f, 2);
                return;
        }
        write_source(f, head);
        (void) fputs("# Read it, remove what is not to be loaded, and put it into /etc/lkmd/policy.d,\n"
                     "# under a name that ends in .yaml. To try it first, remove the # before \"mode\":\n"
                     "# then nothing is refused, and \"lkmctl policy audit\" lists what would have been.\n"
                     "# Remove that line when nothing in the list is needed by this machine.\n"
                     "#\n"
                     "# What an allowed module needs is allowed with it; see lkmd-policy(5).\n"
                     "\n"
                     "version: 1\n"
                     "# mode: audit\n"
                     "default: deny\n"
                     "\n"
                     "rules:\n",
                     f);
        proposal_print_rules(p, f, 2);
}

static int group_to_json(const Proposal *p, size_t first, size_t end, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *modules = NULL;
        _cleanup_(freep) char *id = NULL;
        size_t size;
        FILE *f = open_memstream(&id, &size);
        int r = 0;

        if (!f)
                return -ENOMEM;
        write_id(p, f, p->items + first);
        if (fclose(f) != 0)
                return -ENOMEM;
        for (size_t i = first; r >= 0 && i < end; i++)
                r = sd_json_variant_append_arraybo(
                        &modules, SD_JSON_BUILD_PAIR_STRING("module", p->items[i].module),
                        SD_JSON_BUILD_PAIR_STRING("requester", p->items[i].comment));
        if (r < 0)
                return r;
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("rule", id),
                              SD_JSON_BUILD_PAIR_CONDITION(p->items[first].group == PROPOSAL_CONTAINER,
                                                           "container",
                                                           SD_JSON_BUILD_STRING(p->items[first].part)),
                              SD_JSON_BUILD_PAIR_STRING("verdict", "allow"),
                              SD_JSON_BUILD_PAIR_STRING("reason", groups[p->items[first].group].reason),
                              SD_JSON_BUILD_PAIR_VARIANT("modules", modules));
}

/* An array of rules. */
int proposal_to_json(const Proposal *p, sd_json_variant **ret) {
        int r;

        assert(p && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < p->n_items;) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                size_t end = group_end(p, i);

                r = group_to_json(p, i, end, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
                i = end;
        }
        return r;
}
