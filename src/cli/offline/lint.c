/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lint: keeps findings. Owns copies of them. What finds them is in lint-*.c, lint-print.c prints them. */

#include "cli/offline/lint.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/array.h"
#include "common/base/paths.h"
#include "common/base/string-list.h"

void shown_names_add(ShownNames *s, const char *name) {
        assert(s && name);

        if (s->n < NAMES_SHOWN)
                s->names[s->n] = name;
        s->n++;
}

void shown_names_print(const ShownNames *s, char *buf, size_t size) {
        size_t used = 0;

        assert(s && buf && size > 0);

        buf[0] = '\0';
        for (size_t i = 0; i < MIN(s->n, (size_t) NAMES_SHOWN) && used < size; i++)
                used += (size_t) snprintf(buf + used, size - used, "%s%s",
                                          i == 0          ? ""
                                          : i + 1 == s->n ? " and "
                                                          : ", ",
                                          s->names[i]);
        if (s->n > NAMES_SHOWN && used < size)
                (void) snprintf(buf + used, size - used, " and %zu more", s->n - NAMES_SHOWN);
}

static void kept_finding_clear(KeptFinding *f) {
        free(f->file);
        free(f->message);
        free(f->instead);
        free(f->subject);
        *f = (KeptFinding) {};
}

void lint_clear(Lint *l) {
        assert(l);

        for (size_t i = 0; i < l->n_findings; i++)
                kept_finding_clear(l->findings + i);
        free(l->findings);
        acceptance_list_clear(&l->acceptances);
        string_list_free(l->scope.directories);
        string_list_free(l->scope.files);
}

/**
 * lint_is_distributions() - is it a file that packages bring and that nobody else edits?
 *
 * Such are the files below /usr/lib, not below /usr/local/lib. Other trees count too, as with
 * --config=IMAGE/usr/lib/modprobe.d.
 */
bool lint_is_distributions(const Lint *l, const char *file) {
        static const char *const places[] = {
                "/usr/lib/modprobe.d/",
                LKMD_LIB_DIR "/" LKMD_POLICY_DIR "/",
                LKMD_LIB_DIR "/" LKMD_LINT_DIR "/",
                LKMD_DATA_DIR "/" LKMD_LIST_DIR "/",
        };
        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                if (strstr(file, places[i]))
                        return true;
        return startswith(file, "/lib/modprobe.d/") ||
               (startswith(file, index_get_module_dir(l->index)) && endswith(file, "/modules.softdep"));
}

bool kept_finding_counts(const KeptFinding *f) {
        assert(f);

        return !f->is_distributions && !f->accepted && !finding_kind_is_note(f->kind);
}

static bool is_kept(const Lint *l, const KeptFinding *f) {
        for (size_t i = 0; i < l->n_findings; i++) {
                const KeptFinding *other = l->findings + i;

                if (other->kind == f->kind && other->line == f->line && other->column == f->column &&
                    streq(other->file, f->file) && streq(other->message, f->message))
                        return true;
        }
        return false;
}

_printf_(3, 0) static int keep(Lint *l, const Finding *x, const char *format, va_list ap) {
        KeptFinding f = { .kind = x->kind, .line = x->line, .column = x->line > 0 ? x->column : 0 };

        if (vasprintf(&f.message, format, ap) < 0)
                f.message = NULL;
        f.file = strdup(x->file);
        f.instead = x->instead ? strdup(x->instead) : NULL;
        f.subject = x->subject ? strdup(x->subject) : NULL;
        if (!f.message || !f.file || !f.instead != !x->instead || !f.subject != !x->subject ||
            array_grow(&l->findings, l->n_findings, sizeof(*l->findings)) < 0) {
                kept_finding_clear(&f);
                return -ENOMEM;
        }
        f.is_distributions = lint_is_distributions(l, f.file);
        if (is_kept(l, &f))
                kept_finding_clear(&f);
        else
                l->findings[l->n_findings++] = f;
        return 0;
}

int lint_each_entry(Lint *l, ConfigKind kind, int (*check)(Lint *l, const ConfigEntry *e)) {
        const ConfigEntry *entries;
        size_t n;
        int r = 0;

        assert(l && check);

        entries = modprobe_config_entries(index_get_config(l->index), kind, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = check(l, entries + i);
        return r;
}

int lint_report(Lint *l, const Finding *x, const char *format, ...) {
        va_list ap;
        int r;

        assert(l && x && x->file && format);

        va_start(ap, format);
        r = keep(l, x, format, ap);
        va_end(ap);
        return r;
}

/* The administrator's first; then by place. */
static int compare_findings(const void *a, const void *b) {
        const KeptFinding *x = a, *y = b;
        int r = (int) x->is_distributions - (int) y->is_distributions;

        if (r == 0)
                r = strcmp(x->file, y->file);
        if (r == 0)
                r = (x->line > y->line) - (x->line < y->line);
        if (r == 0)
                r = (x->column > y->column) - (x->column < y->column);
        if (r == 0)
                r = (int) x->kind - (int) y->kind;
        return r != 0 ? r : strcmp(x->message, y->message);
}

int lint_complete(Lint *l) {
        int r;

        assert(l);

        for (size_t i = 0; i < l->n_findings; i++) {
                KeptFinding *f = l->findings + i;

                f->accepted = acceptance_list_find(&l->acceptances, f->kind, f->file, f->line, f->subject);
        }
        for (size_t i = 0; i < l->acceptances.n_items; i++) {
                const Acceptance *a = l->acceptances.items + i;
                Finding finding = { FINDING_UNUSED_ACCEPTANCE, a->file, a->line, 0, "remove it", NULL };

                if (a->used || lint_is_distributions(l, a->file))
                        continue;
                r = lint_report(l, &finding, "nothing of the kind %s is found where this accepts it",
                                finding_kind_to_string(a->kind));
                if (r < 0)
                        return r;
        }
        if (l->n_findings > 0)
                qsort(l->findings, l->n_findings, sizeof(*l->findings), compare_findings);
        return 0;
}
