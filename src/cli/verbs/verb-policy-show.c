/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy show: the rules in force, merged, in the order in which they are applied. */

#include <assert.h>

#include "cli/offline/explanation.h"
#include "cli/offline/offline-policy.h"
#include "cli/print/format.h"
#include "cli/print/policy-text.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"

typedef struct Listing {
        const OfflinePolicy *offline;
        const PolicyRule *rule;
        size_t order;
} Listing;

static void write_order(FILE *f, const Listing *l) {
        fprintf(f, "%zu", l->order);
}

/* Whether the module may go when nobody uses it. */
static void write_idle_unload(FILE *f, const PolicyRule *rule) {
        if (!rule->has_idle_unload)
                return;
        (void) fputs("idle-unload ", f);
        if (rule->idle_unload_usec == POLICY_IDLE_NO || rule->idle_unload_usec == POLICY_IDLE_YES)
                (void) fputs(rule->idle_unload_usec == POLICY_IDLE_NO ? "no" : "yes", f);
        else
                print_duration(f, rule->idle_unload_usec);
}

static void write_verdict(FILE *f, const Listing *l) {
        const PolicyRule *rule = l->rule;

        if (rule->verdict != POLICY_NO_VERDICT) {
                (void) fputs(policy_verdict_to_string(rule->verdict), f);
                if (rule->scope == POLICY_SCOPE_USE)
                        (void) fputs(", sockets too", f);
                for (size_t i = 0; i < rule->n_parameters; i++) {
                        (void) fputs(i == 0 ? ", parameters " : " ", f);
                        print_escaped(f, rule->parameters[i]);
                }
                if (rule->has_idle_unload)
                        (void) fputs(", ", f);
                write_idle_unload(f, rule);
                return;
        }
        for (size_t i = 0; i < rule->n_prefer; i++) {
                (void) fputs(i == 0 ? "prefer " : ",", f);
                print_escaped(f, rule->prefer[i]);
        }
        for (size_t i = 0; i < rule->n_options; i++) {
                (void) fputs(i == 0 && rule->n_prefer == 0 ? "options " : " ", f);
                print_escaped(f, rule->options[i]);
        }
        if (rule->has_idle_unload && (rule->n_prefer > 0 || rule->n_options > 0))
                (void) fputs(", ", f);
        write_idle_unload(f, rule);
}

static void write_mode(FILE *f, const Listing *l) {
        (void) fputs(policy_mode_to_string(policy_get_rule_mode(l->offline->policy, l->rule)), f);
}

static void write_match(FILE *f, const Listing *l) {
        print_match(f, l->rule);
}

static void write_rule(FILE *f, const Listing *l) {
        print_ruling_name(f, &(PolicyRuling) { .source = l->rule->source, .id = l->rule->id });
}

static void write_place(FILE *f, const Listing *l) {
        print_ruling_place(
                f,
                &(PolicyRuling) { .file = l->rule->file, .line = l->rule->line, .column = l->rule->column });
}

/* How long it still applies, and why it exists. */
static void write_reason(FILE *f, const Listing *l) {
        const PolicyRule *rule = l->rule;
        const char *separator = "";

        if (rule->expires_usec <= l->offline->now_usec) {
                (void) fputs("expired", f);
                separator = ": ";
        } else if (rule->expires_usec != UINT64_MAX) {
                print_duration(f, rule->expires_usec - l->offline->now_usec);
                (void) fputs(" left", f);
                separator = ": ";
        } else if (rule->once) {
                (void) fputs("once", f);
                separator = ": ";
        }
        if (rule->reason) {
                (void) fputs(separator, f);
                print_escaped(f, rule->reason);
        }
}

static int add_rule(Table *table, const Listing *l) {
        static void (*const writers[])(FILE *f, const Listing *l) = {
                write_order, write_verdict, write_mode, write_match, write_rule, write_place, write_reason,
        };
        int r;

        r = table_line(table);
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(writers); i++) {
                FILE *f = table_cell(table);

                if (f)
                        writers[i](f, l);
                r = table_cell_end(table);
        }
        return r;
}

static int add_default(Table *table, const PolicyRuling *d, PolicyMode mode) {
        int r;

        r = table_line(table);
        for (size_t i = 0; r >= 0 && i < 7; i++) {
                FILE *f = table_cell(table);

                if (f && i == 1)
                        (void) fputs(policy_verdict_to_string(d->verdict), f);
                else if (f && i == 2)
                        (void) fputs(policy_mode_to_string(mode), f);
                else if (f && i == 3)
                        (void) fputs("what nothing above is about", f);
                else if (f && i == 4)
                        (void) fputs("default", f);
                else if (f && i == 5)
                        print_ruling_place(f, d);
                r = table_cell_end(table);
        }
        return r;
}

static int print_text(Run *run, const OfflinePolicy *offline) {
        static const Column columns[] = {
                { "ORDER", .right = true },  { "VERDICT" }, { "MODE" },
                { "MATCH", .wrap = true },  { "RULE", .wrap = true, .whole = true },
                { "PLACE", .wrap = true, .whole = true },
                { "REASON", .wrap = true, .shorten = 24 },
        };
        _cleanup_(table_freep) Table *table = NULL;
        PolicyMode mode;
        PolicyRuling d = policy_get_default(offline->policy, &mode);
        int r;

        r = table_new(&table, &run->out, columns, ARRAY_LEN(columns));
        for (size_t i = 0; r >= 0 && i < policy_count_rules(offline->policy); i++)
                r = add_rule(table, &(Listing) { offline, policy_get_rule(offline->policy, i), i + 1 });
        if (r >= 0)
                r = add_default(table, &d, mode);
        if (r >= 0)
                r = table_print(table);
        if (r < 0)
                return r;
        printf("\nThe first that matches decides. After the rules and before the default come\n"
               "install lines of modprobe.d that only deny, and blacklist lines, for modules that\n"
               "nobody asked for by name (lkmctl config).\n");
        return 0;
}

static int print_default_json(Run *run, const OfflinePolicy *offline) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *file = NULL;
        PolicyMode mode;
        PolicyRuling d = policy_get_default(offline->policy, &mode);
        int r;

        r = text_escape(d.file ?: "", &file);
        if (r >= 0)
                r = sd_json_buildo(
                        &v, SD_JSON_BUILD_PAIR_UNSIGNED("order", policy_count_rules(offline->policy) + 1),
                        SD_JSON_BUILD_PAIR_STRING("source", policy_source_to_string(POLICY_BY_DEFAULT)),
                        SD_JSON_BUILD_PAIR_STRING("verdict", policy_verdict_to_string(d.verdict)),
                        SD_JSON_BUILD_PAIR_STRING("mode", policy_mode_to_string(mode)),
                        SD_JSON_BUILD_PAIR_CONDITION(d.file != NULL, "file", SD_JSON_BUILD_STRING(file)),
                        SD_JSON_BUILD_PAIR_CONDITION(d.line > 0, "line", SD_JSON_BUILD_UNSIGNED(d.line)),
                        SD_JSON_BUILD_PAIR_CONDITION(d.column > 0, "column",
                                                     SD_JSON_BUILD_UNSIGNED(d.column)));
        return r < 0 ? r : output_json(&run->out, v);
}

static int print_json(Run *run, const OfflinePolicy *offline) {
        int r = 0;

        output_list_begin(&run->out);
        for (size_t i = 0; r >= 0 && i < policy_count_rules(offline->policy); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = rule_to_json(offline->policy, policy_get_rule(offline->policy, i), i + 1, &v);
                if (r >= 0)
                        r = output_json(&run->out, v);
        }
        if (r >= 0)
                r = print_default_json(run, offline);
        return r < 0 ? r : output_list_end(&run->out);
}

int verb_policy_show(Run *run, char **args, unsigned n_args) {
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        int r;

        r = offline_policy(run, &offline, NULL);
        if (r != 0)
                return r;
        if (run->out.json != JSON_OFF)
                r = print_json(run, &offline);
        else if (output_wants_text(&run->out))
                r = print_text(run, &offline);
        if (r < 0)
                return r;
        r = output_flush();
        return r < 0 ? r : offline.broken ? STATUS_FAILED : STATUS_DONE;
}
