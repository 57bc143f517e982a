/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Progress: shows on a terminal which modules are under way. Owns their names. The line is rewritten with carriage
 * returns and blanks, which every terminal understands.
 */

#include "cli/call/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "common/base/clock.h"
#include "common/base/util.h"

static ProgressItem *item_find(const Progress *p, const char *module) {
        for (size_t i = 0; i < p->n_items; i++)
                if (streq(p->items[i].module, module))
                        return &p->items[i];
        return NULL;
}

/* Without memory it is not shown. */
static ProgressItem *item_add(Progress *p, const char *module) {
        _cleanup_(freep) char *copy = strdup(module);
        ProgressItem *items;

        if (!copy)
                return NULL;
        items = reallocarray(p->items, p->n_items + 1, sizeof(*items));
        if (!items)
                return NULL;

        p->items = items;
        p->items[p->n_items] = (ProgressItem) { .module = STEAL_PTR(copy) };
        return &p->items[p->n_items++];
}

static void item_remove(Progress *p, ProgressItem *item) {
        free(item->module);
        *item = p->items[--p->n_items];
}

/**
 * progress_event() - note what began or ended
 * @event:    an Event of the interface; kinds that say nothing about progress are ignored
 * @now_usec: CLOCK_MONOTONIC; the times of the daemon are not used, since its clock may be another
 */
void progress_event(Progress *p, sd_json_variant *event, uint64_t now_usec) {
        const char *kind = field_string(event, "kind") ?: "", *module;
        sd_json_variant *record = field_object(event, "record");
        ProgressItem *item;

        assert(p);

        module = field_string(record, "module");
        if (!module)
                return;
        item = item_find(p, module);

        if (streq(kind, "finished")) {
                if (item)
                        item_remove(p, item);
        } else if (streq(kind, "started") || streq(kind, "slow")) {
                if (!item)
                        item = item_add(p, module);
                if (item)
                        item->since_usec = now_usec - MIN(field_number(record, "durationUSec"), now_usec);
        }
}

/* "e1000e 12 s, uas 3 s"; while nothing is known to run: "waiting for lkmd 12 s" */
void progress_print(const Progress *p, FILE *f, uint64_t now_usec) {
        assert(p && f);

        for (size_t i = 0; i < p->n_items; i++) {
                if (i > 0)
                        (void) fputs(", ", f);
                print_escaped(f, p->items[i].module);
                (void) fprintf(f, " %" PRIu64 " s", (now_usec - p->items[i].since_usec) / USEC_PER_SEC);
        }
        if (p->n_items == 0)
                (void) fprintf(f, "waiting for lkmd %" PRIu64 " s", (now_usec - p->since_usec) / USEC_PER_SEC);
}

static int terminal_width(void) {
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* To be called once a second. */
void progress_draw(Progress *p) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size;
        int width;

        assert(p);

        f = open_memstream(&text, &size);
        if (!f)
                return;
        progress_print(p, f, clock_usec(CLOCK_MONOTONIC));
        if (fflush(f) != 0)
                return;

        width = MIN(size < 1024 ? (int) size : 1024, terminal_width() - 3);
        while (width > 0 && ((unsigned char) text[width] & 0xc0) == 0x80)
                width--;                        /* not within a character */
        if (width <= 0)
                return;
        progress_clear(p);
        (void) fprintf(stderr, "\r  %.*s", width, text);
        (void) fflush(stderr);
        p->n_shown = width + 2;
}

/* To be called before anything else is printed. */
void progress_clear(Progress *p) {
        assert(p);

        if (p->n_shown > 0)
                (void) fprintf(stderr, "\r%*s\r", p->n_shown, "");
        p->n_shown = 0;
}

void progress_done(Progress *p) {
        assert(p);

        progress_clear(p);
        for (size_t i = 0; i < p->n_items; i++)
                free(p->items[i].module);
        free(p->items);
        *p = (Progress) {};
}
