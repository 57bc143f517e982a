/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trace: see trace.h. Owns the names of the modules. */

#include "cli/offline/trace.h"

#include <assert.h>

#include "cli/print/format.h"
#include "cli/print/policy-text.h"
#include "common/plan/plan-json.h"

void trace_add(const PolicySubject *subject, PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        Trace *t = userdata;
        TraceStep *items;

        if (t->error < 0)
                return;
        items = reallocarray(t->items, t->n_items + 1, sizeof(*items));
        if (!items) {
                t->error = -ENOMEM;
                return;
        }
        t->items = items;
        items[t->n_items] = (TraceStep) { strdup(subject->module), subject->part, how, *what };
        if (!items[t->n_items].module)
                t->error = -ENOMEM;
        else
                t->n_items++;
}

void trace_clear(Trace *t) {
        assert(t);

        for (size_t i = 0; i < t->n_items; i++)
                free(t->items[i].module);
        free(t->items);
        *t = (Trace) {};
}

/* The end of the steps about the same module, as the same part, as step @i. */
size_t trace_group_end(const Trace *t, size_t i) {
        size_t end = i + 1;

        assert(t && i < t->n_items);

        while (end < t->n_items && t->items[end].part == t->items[i].part &&
               streq(t->items[end].module, t->items[i].module))
                end++;
        return end;
}

/* The step that decided; there always is one. */
const TraceStep *trace_winner(const Trace *t, size_t first, size_t end) {
        assert(t && first < end);

        for (size_t i = first; i < end; i++)
                if (t->items[i].how == POLICY_DECIDES && t->items[i].what.verdict != POLICY_NO_VERDICT)
                        return t->items + i;
        return t->items + end - 1;
}

/* ------------------------------------------------------------------------------------------------ doubts */

/* The next step from *@i on that may decide otherwise than the one that does; NULL: none. *@i moves behind it. */
static const TraceStep *next_doubt(const Trace *t, size_t *i) {
        while (*i < t->n_items) {
                const TraceStep *s = t->items + (*i)++;
                size_t first = (size_t) (s - t->items), end;

                if (s->how != POLICY_DEPENDS || s->what.verdict == POLICY_NO_VERDICT)
                        continue;
                end = trace_group_end(t, first);
                if ((s->what.verdict == POLICY_DENY) !=
                    (trace_winner(t, first, end)->what.verdict == POLICY_DENY))
                        return s;
        }
        return NULL;
}

bool trace_has_doubts(const Trace *t) {
        size_t i = 0;

        assert(t);

        return next_doubt(t, &i);
}

bool traces_have_the_same_doubts(const Trace *a, const Trace *b) {
        size_t i = 0, k = 0;

        assert(a && b);

        for (;;) {
                const TraceStep *x = next_doubt(a, &i), *y = next_doubt(b, &k);

                if (!x || !y)
                        return x == y;
                if (x->what.rule != y->what.rule || x->what.unknown != y->what.unknown ||
                    !streq(x->module, y->module))
                        return false;
        }
}

/* Was it about the same module and rule before, as another part? */
static bool is_repeated(const Trace *t, const TraceStep *doubt) {
        size_t i = 0;

        for (const TraceStep *s; (s = next_doubt(t, &i)) != doubt;)
                if (s->what.rule == doubt->what.rule && streq(s->module, doubt->module))
                        return true;
        return false;
}

/* "subsystem, uid" */
static void print_keys(FILE *f, uint32_t keys) {
        const char *separator = "";

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                if (keys & POLICY_KEY_BIT(key)) {
                        fprintf(f, "%s%s", separator, policy_key_to_string(key));
                        separator = ", ";
                }
}

/* One line for each: "not known here: subsystem; rule x (FILE:LINE:COLUMN) denies usb_storage if subsystem is usb: REASON" */
void trace_print_doubts(const Trace *t, FILE *f, const char *indent) {
        const TraceStep *s;
        size_t i = 0;

        assert(t && f && indent);

        while ((s = next_doubt(t, &i))) {
                if (is_repeated(t, s))
                        continue;
                fprintf(f, "%snot known here: ", indent);
                print_keys(f, s->what.unknown);
                (void) fputs("; ", f);
                print_ruling_name(f, &s->what);
                (void) fputs(" (", f);
                print_ruling_place(f, &s->what);
                (void) fputs(s->what.verdict == POLICY_DENY ? ") denies " : ") allows ", f);
                print_escaped(f, s->module);
                (void) fputs(" if ", f);
                print_condition(f, s->what.rule, s->what.unknown);
                if (s->what.reason) {
                        (void) fputs(": ", f);
                        print_escaped(f, s->what.reason);
                }
                (void) fputc('\n', f);
        }
}

/* -------------------------------------------------------------------------------------------------- JSON */

static int append_name(sd_json_variant **array, const char *name) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r = sd_json_variant_new_string(&v, name);

        return r < 0 ? r : sd_json_variant_append_array(array, v);
}

int trace_step_to_json(const TraceStep *m, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *unknown = NULL;
        PlanRuling ruling = {
                .source = m->what.source,
                .file = (char *) m->what.file,
                .line = m->what.line,
                .column = m->what.column,
                .rule = (char *) m->what.id,
                .reason = (char *) m->what.reason,
        };
        int r;

        r = plan_ruling_to_json(&ruling, &v);
        if (r >= 0)
                r = sd_json_variant_set_field_string(&v, "how", policy_trace_step_to_string(m->how));
        if (r >= 0)
                r = sd_json_variant_set_field_string(&v, "verdict",
                                                     policy_verdict_to_string(m->what.verdict));
        for (PolicyKey key = 0; r >= 0 && key < _POLICY_KEY_MAX; key++)
                if (m->what.unknown & POLICY_KEY_BIT(key))
                        r = append_name(&unknown, policy_key_to_string(key));
        if (r >= 0 && unknown)
                r = sd_json_variant_set_field(&v, "unknown", unknown);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(v);
        return 0;
}

/* {"module", and the fields of the step}, one for each doubt. *ret: NULL if there is none. */
int trace_doubts_to_json(const Trace *t, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        const TraceStep *s;
        size_t i = 0;
        int r = 0;

        assert(t && ret);

        while (r >= 0 && (s = next_doubt(t, &i))) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (is_repeated(t, s))
                        continue;
                r = trace_step_to_json(s, &v);
                if (r >= 0)
                        r = sd_json_variant_set_field_string(&v, "module", s->module);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(array);
        return 0;
}

/* ------------------------------------------------------------------------------------------------- words */

/* "rule no-usb", "blacklist line" */
void print_ruling_name(FILE *f, const PolicyRuling *what) {
        static const char *const words[_POLICY_SOURCE_MAX] = {
                [POLICY_BY_KERNEL] = "kernel",
                [POLICY_BY_COMMAND_LINE] = "command line",
                [POLICY_BY_GRANT] = "grant",
                [POLICY_BY_RULE] = "rule",
                [POLICY_BY_LIST] = "list",
                [POLICY_BY_INSTALL] = "install line",
                [POLICY_BY_BLACKLIST] = "blacklist line",
                [POLICY_BY_DEFAULT] = "default",
        };

        assert(f && what);

        (void) fputs(what->source >= 0 && what->source < _POLICY_SOURCE_MAX ? words[what->source] : "?", f);
        if (what->id) {
                (void) fputc(' ', f);
                print_escaped(f, what->id);
        }
}

/* "FILE:LINE:COLUMN", as far as it is known; nothing if there is no file. */
void print_ruling_place(FILE *f, const PolicyRuling *what) {
        assert(f && what);

        if (!what->file)
                return;
        print_escaped(f, what->file);
        if (what->line > 0)
                fprintf(f, ":%u", what->line);
        if (what->line > 0 && what->column > 0)
                fprintf(f, ":%u", what->column);
}

const char *trace_step_words(PolicyTraceStep how) {
        static const char *const words[_POLICY_TRACE_STEP_MAX] = {
                [POLICY_DECIDES] = "decides",
                [POLICY_WOULD_DECIDE] = "would decide, but is in audit mode",
                [POLICY_ADDS] = "adds options or a preference",
                [POLICY_TOO_LATE] = "too late: decided above",
                [POLICY_IS_OFF] = "off: its mode says so",
                [POLICY_IS_OVER] = "expired",
                [POLICY_SKIPS_CONTAINERS] = "does not count for containers, which it does not name",
                [POLICY_SKIPS_DEPENDENCIES] = "is about who asks, not for what only comes along",
                [POLICY_DEPENDS] = "depends on what is not known here",
        };

        return how >= 0 && how < _POLICY_TRACE_STEP_MAX ? words[how] : "?";
}
