/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintPrint: findings of the administrator's files, then those of the distribution's; what was looked at. */

#include "cli/offline/lint-print.h"

#include <assert.h>

#include "cli/print/format.h"
#include "cli/print/wrap.h"
#include "common/base/string-list.h"
#include "common/base/text.h"

typedef struct Numbers {
        size_t n_local, n_notes, n_distributions, n_accepted;
} Numbers;

/* Ends the line. @column: where the text begins. */
static int print_text(const char *text, size_t column, size_t indent) {
        _cleanup_(freep) char *escaped = NULL;
        size_t width = wrap_width();

        if (text_escape(text, &escaped) < 0)
                return -ENOMEM;
        if (width == 0 || column + wrap_columns(escaped) <= width)
                (void) puts(escaped);
        else {
                printf("\n%*s", (int) indent, "");
                wrap_print(stdout, escaped, indent, width);
        }
        return 0;
}

static int print_finding(const Lint *l, const KeptFinding *f) {
        _cleanup_(freep) char *place = NULL, *escaped = NULL, *message = NULL;
        int r, n;

        n = f->line == 0     ? asprintf(&place, "%s: ", f->file)
            : f->column == 0 ? asprintf(&place, "%s:%u: ", f->file, f->line)
                             : asprintf(&place, "%s:%u:%u: ", f->file, f->line, f->column);
        if (n < 0) {
                place = NULL;
                return -ENOMEM;
        }
        r = text_escape(place, &escaped);
        if (r < 0)
                return r;
        if (asprintf(&message, "%s [%s]", f->message, finding_kind_to_string(f->kind)) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        (void) fputs(escaped, stdout);
        r = print_text(message, wrap_columns(escaped), 2);
        if (r >= 0 && f->instead) {
                output_hint(&l->run->out, 2, "instead");
                r = print_text(f->instead, strlen("  instead: "), 4);
        }
        if (r >= 0 && f->accepted) {
                output_hint(&l->run->out, 2, "accepted");
                r = print_text(f->accepted, strlen("  accepted: "), 4);
        }
        return r;
}

static Numbers count(const Lint *l) {
        Numbers n = {};

        for (size_t i = 0; i < l->n_findings; i++) {
                const KeptFinding *f = l->findings + i;

                n.n_accepted += f->accepted != NULL;
                n.n_distributions += !f->accepted && f->is_distributions;
                n.n_notes += !f->accepted && !f->is_distributions && finding_kind_is_note(f->kind);
                n.n_local += kept_finding_counts(f);
        }
        return n;
}

/* ---------------------------------------------------------------------------------------------- the last lines */

static void print_number(FILE *f, size_t n, const char *noun) {
        fprintf(f, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

/* "2 findings, 1 note; 3 accepted (--all shows them)" */
static void print_sum(FILE *f, const Numbers *n) {
        if (n->n_local == 0 && n->n_notes == 0 && n->n_distributions == 0)
                (void) fputs("Nothing found", f);
        else if (n->n_local == 0)
                (void) fputs("No mistake found", f);
        else
                print_number(f, n->n_local, "finding");
        if (n->n_notes > 0) {
                (void) fputs(", ", f);
                print_number(f, n->n_notes, "note");
        }
        if (n->n_distributions > 0)
                fprintf(f, ", %zu in files of the distribution", n->n_distributions);
        if (n->n_accepted > 0)
                fprintf(f, ", %zu accepted (--all shows %s)", n->n_accepted,
                        n->n_accepted == 1 ? "it" : "them");
}

static void print_directories(FILE *f, const LintScope *scope) {
        size_t n = string_list_count(scope->directories);

        for (size_t i = 0; i < n; i++)
                fprintf(f, "%s%s", i == 0 ? " of " : i + 1 == n ? " and " : ", ", scope->directories[i]);
}

/* "Looked at 5 lines in 2 files of /etc/modprobe.d, 3 rules and the kernel command line, with the 4230 modules in DIR." */
static int print_scope(const Lint *l, FILE *f) {
        size_t n_files = string_list_count(l->scope.files), n_rules = policy_count_rules(l->offline->policy);

        (void) fputs("Looked at ", f);
        print_number(f, l->scope.n_lines, "line");
        (void) fputs(" in ", f);
        print_number(f, n_files, "file");
        if (n_files > 0 || l->scope.directories)
                print_directories(f, &l->scope);
        else
                (void) fputs(" of modprobe.d", f);
        (void) fputs(", ", f);
        print_number(f, n_rules, "rule");
        fprintf(f, "%s, with the ",
                l->command_line ? " of the policy and the kernel command line"
                                : " of the policy, not at the kernel command line, which cannot be read");
        print_number(f, index_count_modules(l->index), "module");
        fprintf(f, " in %s.", index_get_module_dir(l->index));
        if (l->scope.n_unread > 0)
                fprintf(f, " Could not read %zu path%s, see above.", l->scope.n_unread,
                        l->scope.n_unread == 1 ? "" : "s");
        return 0;
}

static int print_last_lines(const Lint *l, const Numbers *n) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        int r;

        if (!f)
                return -ENOMEM;
        print_sum(f, n);
        (void) fputs(". ", f);
        r = print_scope(l, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        return r < 0 ? r : print_text(text, 0, 0);
}

/* -------------------------------------------------------------------------------------------------------- JSON */

static int finding_to_json(const KeptFinding *f, sd_json_variant **ret) {
        _cleanup_(freep) char *file = NULL, *text = NULL, *instead = NULL, *subject = NULL, *accepted = NULL;
        int r;

        if ((r = text_escape(f->file, &file)) < 0 || (r = text_escape(f->message, &text)) < 0 ||
            (r = text_escape(f->instead ?: "", &instead)) < 0 ||
            (r = text_escape(f->subject ?: "", &subject)) < 0 ||
            (r = text_escape(f->accepted ?: "", &accepted)) < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("kind", finding_kind_to_string(f->kind)),
                SD_JSON_BUILD_PAIR_STRING("level", finding_kind_is_note(f->kind) ? "note" : "finding"),
                SD_JSON_BUILD_PAIR_STRING("file", file),
                SD_JSON_BUILD_PAIR_CONDITION(f->line > 0, "line", SD_JSON_BUILD_UNSIGNED(f->line)),
                SD_JSON_BUILD_PAIR_CONDITION(f->column > 0, "column", SD_JSON_BUILD_UNSIGNED(f->column)),
                SD_JSON_BUILD_PAIR_CONDITION(f->subject != NULL, "subject", SD_JSON_BUILD_STRING(subject)),
                SD_JSON_BUILD_PAIR_STRING("message", text),
                SD_JSON_BUILD_PAIR_CONDITION(f->instead != NULL, "hint", SD_JSON_BUILD_STRING(instead)),
                SD_JSON_BUILD_PAIR_BOOLEAN("distribution", f->is_distributions),
                SD_JSON_BUILD_PAIR_CONDITION(f->accepted != NULL, "accepted",
                                             SD_JSON_BUILD_STRING(accepted)));
}

/* With --all: an object of another kind at the end. */
static int scope_to_json(const Lint *l, sd_json_variant **ret) {
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("kind", "looked_at"),
                              SD_JSON_BUILD_PAIR_STRING("release", index_get_release(l->index)),
                              SD_JSON_BUILD_PAIR_STRING("moduleDirectory", index_get_module_dir(l->index)),
                              SD_JSON_BUILD_PAIR_UNSIGNED("modules", index_count_modules(l->index)),
                              SD_JSON_BUILD_PAIR_STRV("directories", l->scope.directories),
                              SD_JSON_BUILD_PAIR_STRV("files", l->scope.files),
                              SD_JSON_BUILD_PAIR_UNSIGNED("lines", l->scope.n_lines),
                              SD_JSON_BUILD_PAIR_UNSIGNED("notRead", l->scope.n_unread),
                              SD_JSON_BUILD_PAIR_UNSIGNED("rules", policy_count_rules(l->offline->policy)),
                              SD_JSON_BUILD_PAIR_BOOLEAN("kernelCommandLine", l->command_line != NULL));
}

static int print_json(Lint *l) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *scope = NULL;
        int r = 0;

        output_list_begin(&l->run->out);
        for (size_t i = 0; r >= 0 && i < l->n_findings; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (l->findings[i].accepted && !l->run->all)
                        continue;
                r = finding_to_json(l->findings + i, &v);
                if (r >= 0)
                        r = output_json(&l->run->out, v);
        }
        if (r >= 0 && l->run->all) {
                r = scope_to_json(l, &scope);
                if (r >= 0)
                        r = output_json(&l->run->out, scope);
        }
        return r < 0 ? r : output_list_end(&l->run->out);
}

int lint_print(Lint *l) {
        bool in_distributions = false;
        Numbers n;
        int r = 0;

        assert(l);

        if (l->run->out.json != JSON_OFF)
                return print_json(l);
        n = count(l);
        for (size_t i = 0; r >= 0 && i < l->n_findings; i++) {
                const KeptFinding *f = l->findings + i;

                if (f->accepted && !l->run->all)
                        continue;
                if (f->is_distributions && !in_distributions) {
                        (void) puts("In files of the distribution, which do not decide the exit status:");
                        in_distributions = true;
                }
                r = print_finding(l, f);
        }
        return r < 0 || l->run->out.quiet ? r : print_last_lines(l, &n);
}

static bool is_shown_of(const KeptFinding *f, const char *file) {
        return streq(f->file, file) && !f->accepted;
}

int lint_print_file(const Lint *l, const char *file) {
        int r = 0, n = 0;

        assert(l && file);

        for (size_t i = 0; r >= 0 && i < l->n_findings; i++)
                if (is_shown_of(l->findings + i, file)) {
                        r = print_finding(l, l->findings + i);
                        n++;
                }
        return r < 0 ? r : n;
}

int lint_file_to_json(const Lint *l, const char *file, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r, n = 0;

        assert(l && file && ret);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < l->n_findings; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (!is_shown_of(l->findings + i, file))
                        continue;
                r = finding_to_json(l->findings + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
                n++;
        }
        if (r < 0)
                return r;
        *ret = STEAL_PTR(array);
        return n;
}
