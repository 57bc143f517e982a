/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyText: rules as text and JSON. Owns nothing. Files may contain any bytes, which are escaped. */

#include "cli/print/policy-text.h"

#include <assert.h>

#include "cli/print/format.h"
#include "common/base/text.h"

static void print_pattern(FILE *f, PolicyKey key, const PolicyPattern *p) {
        if (p->negated)
                (void) fputc('!', f);
        if (policy_keys[key].value != POLICY_VALUE_NUMBER)
                print_escaped(f, p->glob);
        else if (p->min == p->max)
                fprintf(f, "%u", p->min);
        else if (p->max == UINT32_MAX)
                fprintf(f, "%u-", p->min);
        else
                fprintf(f, "%u-%u", p->min, p->max);
}

/* "module=firewire_*,ohci1394 origin=kernel"; "everything" */
void print_match(FILE *f, const PolicyRule *rule) {
        bool any = false;

        assert(f && rule);

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++) {
                const PolicyPatterns *patterns = rule->match + key;

                if (patterns->n_items == 0)
                        continue;
                fprintf(f, "%s%s=", any ? " " : "", policy_key_to_string(key));
                for (size_t i = 0; i < patterns->n_items; i++) {
                        if (i > 0)
                                (void) fputc(',', f);
                        print_pattern(f, key, patterns->items + i);
                }
                any = true;
        }
        if (!any)
                (void) fputs("everything", f);
}

/* The patterns that are negated, or those that are not: "a or b", "not a or b". */
static void print_some(FILE *f, PolicyKey key, const PolicyPatterns *patterns, bool negated) {
        size_t n = 0;

        for (size_t i = 0; i < patterns->n_items; i++) {
                PolicyPattern p = patterns->items[i];

                if (p.negated != negated)
                        continue;
                (void) fputs(n++ == 0 ? negated ? "not " : "" : " or ", f);
                p.negated = false;
                print_pattern(f, key, &p);
        }
}

/* "subsystem is usb or pci and uid is not 0": what the rule says of some of its keys */
void print_condition(FILE *f, const PolicyRule *rule, uint32_t keys) {
        const char *separator = "";

        assert(f && rule);

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++) {
                const PolicyPatterns *patterns = rule->match + key;
                bool some_negated = false, some_not = false;

                if (!(rule->given & keys & POLICY_KEY_BIT(key)))
                        continue;
                for (size_t i = 0; i < patterns->n_items; i++)
                        *(patterns->items[i].negated ? &some_negated : &some_not) = true;
                fprintf(f, "%s%s is ", separator, policy_key_to_string(key));
                if (some_not)
                        print_some(f, key, patterns, /* negated= */ false);
                if (some_not && some_negated)
                        (void) fputs(" and ", f);
                if (some_negated)
                        print_some(f, key, patterns, /* negated= */ true);
                separator = " and ";
        }
}

static int match_to_json(const PolicyRule *rule, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_object(ret, NULL, 0);
        for (PolicyKey key = 0; r >= 0 && key < _POLICY_KEY_MAX; key++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *list = NULL;
                const PolicyPatterns *patterns = rule->match + key;

                for (size_t i = 0; r >= 0 && i < patterns->n_items; i++) {
                        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                        _cleanup_(freep) char *text = NULL;
                        size_t size;
                        FILE *f = open_memstream(&text, &size);

                        if (!f)
                                return -ENOMEM;
                        print_pattern(f, key, patterns->items + i);
                        if (fclose(f) != 0)
                                return -ENOMEM;
                        r = sd_json_variant_new_string(&v, text);
                        if (r >= 0)
                                r = sd_json_variant_append_array(&list, v);
                }
                if (r >= 0 && list)
                        r = sd_json_variant_set_field(ret, policy_key_to_string(key), list);
        }
        return r;
}

static int strings_to_json(const char *const *strings, size_t n, sd_json_variant **ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *text = NULL;

                r = text_escape(strings[i], &text);
                if (r >= 0)
                        r = sd_json_variant_new_string(&v, text);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* @order: its place among all rules, from 1 */
int rule_to_json(const Policy *p, const PolicyRule *rule, size_t order, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *match = NULL, *prefer = NULL, *options = NULL,
                                                          *parameters = NULL;
        _cleanup_(freep) char *file = NULL, *id = NULL, *reason = NULL;
        int r;

        assert(p && rule && ret);

        r = match_to_json(rule, &match);
        if (r >= 0)
                r = strings_to_json(rule->prefer, rule->n_prefer, &prefer);
        if (r >= 0)
                r = strings_to_json(rule->options, rule->n_options, &options);
        if (r >= 0)
                r = strings_to_json(rule->parameters, rule->n_parameters, &parameters);
        if (r < 0 || (r = text_escape(rule->file ?: "", &file)) < 0 ||
            (r = text_escape(rule->id ?: "", &id)) < 0 || (r = text_escape(rule->reason ?: "", &reason)) < 0)
                return r;

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_UNSIGNED("order", order),
                SD_JSON_BUILD_PAIR_STRING("source", policy_source_to_string(rule->source)),
                SD_JSON_BUILD_PAIR_STRING("verdict", policy_verdict_to_string(rule->verdict)),
                SD_JSON_BUILD_PAIR_STRING("mode", policy_mode_to_string(policy_get_rule_mode(p, rule))),
                SD_JSON_BUILD_PAIR_CONDITION(rule->verdict != POLICY_NO_VERDICT, "scope",
                                             SD_JSON_BUILD_STRING(policy_scope_to_string(rule->scope))),
                SD_JSON_BUILD_PAIR_VARIANT("match", match),
                SD_JSON_BUILD_PAIR_CONDITION(prefer != NULL, "prefer", SD_JSON_BUILD_VARIANT(prefer)),
                SD_JSON_BUILD_PAIR_CONDITION(options != NULL, "options", SD_JSON_BUILD_VARIANT(options)),
                SD_JSON_BUILD_PAIR_CONDITION(parameters != NULL, "parameters",
                                             SD_JSON_BUILD_VARIANT(parameters)),
                SD_JSON_BUILD_PAIR_CONDITION(
                        rule->has_idle_unload, "idleUnload",
                        SD_JSON_BUILD_BOOLEAN(rule->idle_unload_usec != POLICY_IDLE_NO)),
                SD_JSON_BUILD_PAIR_CONDITION(
                        rule->has_idle_unload && rule->idle_unload_usec != POLICY_IDLE_NO &&
                                rule->idle_unload_usec != POLICY_IDLE_YES,
                        "idleUnloadUSec", SD_JSON_BUILD_UNSIGNED(rule->idle_unload_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(rule->id != NULL, "rule", SD_JSON_BUILD_STRING(id)),
                SD_JSON_BUILD_PAIR_STRING("file", file),
                SD_JSON_BUILD_PAIR_CONDITION(rule->line > 0, "line", SD_JSON_BUILD_UNSIGNED(rule->line)),
                SD_JSON_BUILD_PAIR_CONDITION(rule->column > 0, "column",
                                             SD_JSON_BUILD_UNSIGNED(rule->column)),
                SD_JSON_BUILD_PAIR_CONDITION(rule->reason != NULL, "reason", SD_JSON_BUILD_STRING(reason)),
                SD_JSON_BUILD_PAIR_CONDITION(rule->expires_usec != UINT64_MAX, "expiresUSec",
                                             SD_JSON_BUILD_UNSIGNED(rule->expires_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(rule->once, "once", SD_JSON_BUILD_BOOLEAN(true)));
}

/* One a line, in the format of compilers, so that editors find the place. */
void policy_print_problems(const ProblemList *problems, FILE *f) {
        assert(problems && f);

        for (size_t i = 0; i < problems->n_items; i++) {
                const Problem *p = problems->items + i;

                print_escaped(f, p->file);
                if (p->line > 0)
                        fprintf(f, ":%u", p->line);
                if (p->line > 0 && p->column > 0)
                        fprintf(f, ":%u", p->column);
                (void) fputs(": ", f);
                print_escaped(f, p->message);
                (void) fputc('\n', f);
        }
        if (problems->n_dropped > 0)
                fprintf(f, "and %zu more\n", problems->n_dropped);
}

/* The varlink type Problem. */
int problem_to_json(const Problem *p, sd_json_variant **ret) {
        _cleanup_(freep) char *file = NULL, *message = NULL;
        int r;

        assert(p && ret);

        if ((r = text_escape(p->file, &file)) < 0 || (r = text_escape(p->message, &message)) < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("file", file),
                SD_JSON_BUILD_PAIR_CONDITION(p->line > 0, "line", SD_JSON_BUILD_UNSIGNED(p->line)),
                SD_JSON_BUILD_PAIR_CONDITION(p->column > 0, "column", SD_JSON_BUILD_UNSIGNED(p->column)),
                SD_JSON_BUILD_PAIR_STRING("message", message));
}
