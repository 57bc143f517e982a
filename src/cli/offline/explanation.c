/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Explanation: why a request gets what it gets. It makes the same plan as lkmd and records each step of the policy on
 * the way, so that it cannot differ from what happens.
 */

#include "cli/offline/explanation.h"

#include <assert.h>

#include "cli/print/format.h"
#include "common/explain/omission-text.h"
#include "common/explain/template.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan-json.h"

/* ------------------------------------------------------------------------------------------------ asking */

/**
 * explanation_new() - explain one request
 * @index:     borrowed, and must outlive the explanation, as must the policy
 * @requester: borrowed for the call; for a device modules are loaded automatically, all others ask for a name
 *
 * Return: as plan_new().
 */
int explanation_new(Explanation **ret, const Index *index, const OfflinePolicy *policy, const char *key,
                const PolicyRequester *requester) {
        _cleanup_(explanation_freep) Explanation *q = NULL;
        PlanRequest request;
        int r;

        assert(ret && index && policy && key && requester);

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->origin = requester->origin;
        q->mode = offline_policy_mode(requester->origin);

        request = offline_policy_request(policy, requester, q->mode);
        request.key = key;
        request.trace = trace_add;
        request.trace_userdata = &q->trace;
        r = plan_new(&q->plan, index, &request);
        if (r >= 0)
                r = q->trace.error;
        if (r >= 0)
                r = socket_answer_find(&q->socket, policy, key, requester);
        if (r < 0)
                return r;

        if (q->plan->audited) {
                request.trace = NULL;
                request.as_if_enforced = true;
                r = plan_new(&q->enforced, index, &request);
                if (r < 0)
                        return r;
        }
        r = plan_new(&q->modprobe, index,
                     &(PlanRequest) { .key = key,
                                      .mode = q->mode,
                                      .compat_kmod = true,
                                      .files = policy->facts,
                                      .finds_faults = true,
                                      .by_modprobe = true,
                                      .file_effort = FACTS_READ });
        if (r < 0)
                return r;

        *ret = STEAL_PTR(q);
        return 0;
}

/* Return: NULL. */
Explanation *explanation_free(Explanation *q) {
        if (!q)
                return NULL;

        plan_free(q->plan);
        plan_free(q->enforced);
        plan_free(q->modprobe);
        trace_clear(&q->trace);
        free(q);
        return NULL;
}

static bool rulings_are_the_same(const PlanRuling *a, const PlanRuling *b) {
        return a->source == b->source && streq_ptr(a->file, b->file) && a->line == b->line &&
               a->column == b->column;
}

static bool plans_are_the_same(const Plan *a, const Plan *b) {
        if (a->n_steps != b->n_steps || a->n_omissions != b->n_omissions || a->audited != b->audited)
                return false;
        for (size_t i = 0; i < a->n_steps; i++)
                if (!streq(a->steps[i].module, b->steps[i].module) ||
                    a->steps[i].action != b->steps[i].action ||
                    !rulings_are_the_same(&a->steps[i].allowed_by, &b->steps[i].allowed_by))
                        return false;
        for (size_t i = 0; i < a->n_omissions; i++)
                if (a->omissions[i].kind != b->omissions[i].kind ||
                    !streq(a->omissions[i].module, b->omissions[i].module) ||
                    !rulings_are_the_same(&a->omissions[i].ruling, &b->omissions[i].ruling))
                        return false;
        return true;
}

/* Do both have the same result, for the same reasons? */
bool explanation_says_the_same(const Explanation *a, const Explanation *b) {
        assert(a && b);

        if (!a->enforced != !b->enforced)
                return false;
        return plans_are_the_same(a->plan, b->plan) && traces_have_the_same_doubts(&a->trace, &b->trace) &&
               socket_answers_are_the_same(&a->socket, &b->socket) &&
               (!a->enforced || plans_are_the_same(a->enforced, b->enforced));
}

/* ------------------------------------------------------------------------------------------------- words */

/* "by FILE:LINE:COLUMN (rule ID): REASON" */
static void print_ruling(FILE *f, const PlanRuling *c) {
        PolicyRuling what = { .file = c->file, .line = c->line, .column = c->column };

        if (c->file) {
                (void) fputs(c->source == POLICY_BY_DEFAULT ? " by the default, " : " by ", f);
                print_ruling_place(f, &what);
        }
        if (c->rule) {
                (void) fputs(" (", f);
                print_escaped(f, c->rule);
                (void) fputc(')', f);
        }
        if (c->reason) {
                (void) fputs(": ", f);
                print_escaped(f, c->reason);
        }
}

static const PlanOmission *find_omission(const Plan *plan, const char *module, PlanOmissionKind kind) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == kind && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

#define CHAIN_MAX 64U                   /* modules in a chain that is printed */
#define SEARCH_MAX 10000U               /* omissions looked at; a broken modules.dep may be any graph */

/* The omission that @module wanted and that leads to @bottom. */
static const PlanOmission *next_below(const Plan *plan, const char *module, const PlanOmission *bottom,
                                      unsigned depth, unsigned *budget) {
        for (size_t i = 0; i < plan->n_omissions && depth < CHAIN_MAX; i++) {
                const PlanOmission *o = plan->omissions + i;

                if (*budget == 0)
                        return NULL;
                --*budget;
                if (!streq_ptr(o->wanted_by, module))
                        continue;
                if (o == bottom ||
                    (o->kind == PLAN_IMPOSSIBLE && next_below(plan, o->module, bottom, depth + 1, budget)))
                        return o;
        }
        return NULL;
}

/* Why a module cannot be loaded: the first denial, or missing file, below it. */
static const PlanOmission *find_bottom(const Plan *plan, const char *module) {
        unsigned budget = SEARCH_MAX;

        for (size_t i = 0; i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                if (o->kind != PLAN_IMPOSSIBLE && !omission_text(o->kind)->of_softdep && o->wanted_by &&
                    next_below(plan, module, o, 0, &budget))
                        return o;
        }
        return NULL;
}

/* What the templates of OmissionText are filled with. */
typedef struct Omitted {
        const Plan *plan;
        const PlanOmission *omission;
        bool conditional;
} Omitted;

static void put_field(FILE *f, const char *field, const void *userdata);

/* "it needs b, which needs c, which is denied by FILE:LINE: REASON" */
static void print_chain(FILE *f, const Plan *plan, const char *module) {
        const PlanOmission *bottom = find_bottom(plan, module), *o;
        unsigned budget = SEARCH_MAX, n = 0;

        if (!bottom) {
                (void) fputs("something that it needs was left out", f);
                return;
        }
        (void) fputs("it needs ", f);
        for (const char *from = module; (o = next_below(plan, from, bottom, 0, &budget)); from = o->module) {
                print_escaped(f, o->module);
                if (o == bottom || ++n >= CHAIN_MAX)
                        break;
                (void) fputs(", which needs ", f);
        }
        template_print(f, omission_text(bottom->kind)->end_of_chain, put_field, &(Omitted) { plan, bottom });
}

static void put_field(FILE *f, const char *field, const void *userdata) {
        const Omitted *omitted = userdata;
        const PlanOmission *o = omitted->omission;

        if (streq(field, "module"))
                print_escaped(f, o->module);
        else if (streq(field, "is"))
                (void) fputs(omitted->conditional ? "would be" : "is", f);
        else if (streq(field, "ruling"))
                print_ruling(f, &o->ruling);
        else if (streq(field, "place"))
                print_ruling_place(f, &(PolicyRuling) { .file = o->ruling.file,
                                                        .line = o->ruling.line,
                                                        .column = o->ruling.column });
        else if (!streq(field, "reason"))
                print_chain(f, omitted->plan, o->module);
        else if (o->ruling.reason) {
                (void) fputs(": ", f);
                print_escaped(f, o->ruling.reason);
        }
}

/* One sentence about something that was asked for and left out. */
static void print_omitted(FILE *f, const Plan *plan, const PlanOmission *o, bool conditional) {
        template_print(f, omission_text(o->kind)->sentence, put_field, &(Omitted) { plan, o, conditional });
}

/* Whether the module gets in is up to the command, so "allowed" would say too much. */
static void print_command(FILE *f, const PlanStep *s) {
        (void) fputs(" is not loaded by lkmd: ", f);
        print_ruling_place(f, &(PolicyRuling) { .file = s->command_file, .line = s->command_line });
        (void) fputs(" runs \"", f);
        print_escaped(f, s->command);
        (void) fputs("\" in its place", f);
        if (s->allowed_by.file) {
                (void) fputs(", which is allowed", f);
                print_ruling(f, &s->allowed_by);
        }
        if (s->reported)
                (void) fputs("; it is reported when it is run", f);
}

/* One sentence about something that was asked for and is part of the plan. */
static void print_placed(FILE *f, const PlanStep *s) {
        print_escaped(f, s->module);
        if (s->action == PLAN_BUILTIN) {
                (void) fputs(" is part of the kernel image: there is nothing to load, and no rule can keep "
                             "it out",
                             f);
                return;
        }
        if (s->action == PLAN_COMMAND) {
                print_command(f, s);
                return;
        }
        (void) fputs(" is allowed", f);
        if (s->allowed_by.source == POLICY_BY_DEFAULT && !s->allowed_by.file)
                (void) fputs(": nothing denies it", f);
        else
                print_ruling(f, &s->allowed_by);
        if (s->reported)
                (void) fputs("; it is reported when it is loaded", f);
}

static void print_unknown_files(FILE *f, const Plan *plan, const char *indent) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *s = plan->steps + i;

                if (s->unknown == 0 || s->fails)
                        continue;
                (void) fputs(indent, f);
                (void) fputs("whether the file of ", f);
                print_escaped(f, s->module);
                fprintf(f, " is sound is not known here: %s\n", module_fault_unknown_text(s->unknown));
        }
}

static void print_enforced(FILE *f, const Explanation *q, const char *indent) {
        for (size_t i = 0; i < q->enforced->n_omissions; i++) {
                const PlanOmission *o = q->enforced->omissions + i;

                if (find_omission(q->plan, o->module, o->kind) ||
                    (o->wanted_by && o->kind == PLAN_IMPOSSIBLE))
                        continue;
                (void) fputs(indent, f);
                print_omitted(f, q->enforced, o, /* conditional= */ true);
                (void) fputs("; that is in audit mode and only logged\n", f);
        }
}

/* What comes before a step of modprobe: a verb only if it is not the same as that of the step before. */
static void print_modprobe_joint(FILE *f, const PlanStep *last, const PlanStep *s) {
        if (!last)
                (void) fputs("modprobe would ", f);
        else if (last->action == PLAN_COMMAND)
                (void) fputs(last->required ? ", and if that succeeds, " : ", then ", f);
        else
                (void) fputs(s->action == PLAN_COMMAND ? ", then " : ", ", f);

        if (s->action == PLAN_COMMAND) {
                (void) fputs("run \"", f);
                print_escaped(f, s->command);
                (void) fputs("\" in the place of ", f);
        } else if (!last || last->action == PLAN_COMMAND)
                (void) fputs("insert ", f);
}

/* ", and fail: c cannot be loaded: its file is empty" */
static void print_modprobe_failure(FILE *f, const Plan *plan) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == PLAN_FILE_UNUSABLE && plan->omissions[i].required) {
                        (void) fputs(", and fail: ", f);
                        print_omitted(f, plan, plan->omissions + i, /* conditional= */ false);
                        return;
                }
}

/* modprobe gives up a requested module when something fails that it needs: the last step that it does not do. */
static size_t find_given_up(const Plan *plan, size_t failing) {
        size_t requested = failing, last;

        while (requested + 1 < plan->n_steps && plan->steps[requested].reason != PLAN_REQUESTED)
                requested++;
        last = requested;
        while (last + 1 < plan->n_steps && plan->steps[last + 1].reason == PLAN_SOFTDEP_POST &&
               plan->steps[last + 1].parent == requested)
                last++;
        return last;
}

/* "modprobe would insert a, b, then run "x" in the place of c" */
static void print_modprobe(FILE *f, const Plan *plan) {
        const PlanStep *last = NULL;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *s = plan->steps + i;

                if (s->fails && s->required)
                        i = find_given_up(plan, i);
                if (s->action == PLAN_BUILTIN || s->fails)
                        continue;
                print_modprobe_joint(f, last, s);
                print_escaped(f, s->module);
                last = s;
        }
        if (last) {
                print_modprobe_failure(f, plan);
                return;
        }
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (!plan->omissions[i].wanted_by) {
                        (void) fputs("modprobe would load nothing: ", f);
                        print_omitted(f, plan, plan->omissions + i, /* conditional= */ false);
                        return;
                }
        (void) fputs("modprobe would find nothing to do", f);
}

/**
 * explanation_print_sentences() - the verdict, one line for each module that was asked for, then modprobe's
 * @indent: at the beginning of each line
 */
void explanation_print_sentences(const Explanation *q, FILE *f, const char *indent) {
        assert(q && f && indent);

        for (size_t i = 0; i < q->plan->n_omissions; i++)
                if (!q->plan->omissions[i].wanted_by) {
                        (void) fputs(indent, f);
                        print_omitted(f, q->plan, q->plan->omissions + i, /* conditional= */ false);
                        (void) fputc('\n', f);
                }
        for (size_t i = 0; i < q->plan->n_steps; i++)
                if (q->plan->steps[i].reason == PLAN_REQUESTED && !q->plan->steps[i].fails) {
                        (void) fputs(indent, f);
                        print_placed(f, q->plan->steps + i);
                        (void) fputc('\n', f);
                }
        print_unknown_files(f, q->plan, indent);
        if (q->enforced)
                print_enforced(f, q, indent);
        trace_print_doubts(&q->trace, f, indent);
        socket_answer_print(&q->socket, f, indent);
        if (q->plan->n_matches == 0)
                return;
        (void) fputs(indent, f);
        print_modprobe(f, q->modprobe);
        (void) fputc('\n', f);
}

/* -------------------------------------------------------------------------------------------------- JSON */

static const char *part_name(PolicyPart part) {
        return part == POLICY_REQUESTED ? "requested" : part == POLICY_DEPENDENCY ? "dependency" : "softdep";
}

static int group_to_json(const Explanation *q, size_t first, size_t end, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *trace = NULL;
        int r = 0;

        for (size_t i = first; r >= 0 && i < end; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = trace_step_to_json(q->trace.items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&trace, v);
        }
        if (r < 0)
                return r;
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("module", q->trace.items[first].module),
                              SD_JSON_BUILD_PAIR_STRING("part", part_name(q->trace.items[first].part)),
                              SD_JSON_BUILD_PAIR_STRING(
                                      "verdict", policy_verdict_to_string(
                                                         trace_winner(&q->trace, first, end)->what.verdict)),
                              SD_JSON_BUILD_PAIR_VARIANT("trace", trace));
}

static int sentences_to_json(const Explanation *q, sd_json_variant **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        explanation_print_sentences(q, f, "");
        if (fclose(f) != 0)
                return -ENOMEM;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (char *rest = text, *line; r >= 0 && (line = strsep(&rest, "\n"));)
                if (*line) {
                        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                        r = sd_json_variant_new_string(&v, line);
                        if (r >= 0)
                                r = sd_json_variant_append_array(ret, v);
                }
        return r;
}

/* "depends": on what is not known here. "command": all that was asked for is up to commands. */
static const char *verdict_of(const Plan *plan, const Trace *trace) {
        bool command = false, other = false;

        if (trace_has_doubts(trace))
                return "depends";

        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].required)
                        return "deny";
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].reason == PLAN_REQUESTED)
                        *(plan->steps[i].action == PLAN_COMMAND ? &command : &other) = true;
        return command && !other ? "command" : "allow";
}

/* {"origin", "verdict", "socket", "sentences", "modules": [{.., "trace": []}], "plan", "modprobe"} */
int explanation_to_json(const Explanation *q, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *modules = NULL, *plan = NULL, *modprobe = NULL;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *enforced = NULL, *sentences = NULL,
                                                          *socket = NULL;
        int r;

        assert(q && ret);

        r = sd_json_variant_new_array(&modules, NULL, 0);
        for (size_t i = 0; r >= 0 && i < q->trace.n_items;) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                size_t end = trace_group_end(&q->trace, i);

                r = group_to_json(q, i, end, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&modules, v);
                i = end;
        }
        if (r < 0 || (r = plan_to_json(q->plan, &plan)) < 0 ||
            (r = plan_to_json(q->modprobe, &modprobe)) < 0 || (r = sentences_to_json(q, &sentences)) < 0)
                return r;
        if (q->enforced) {
                r = plan_to_json(q->enforced, &enforced);
                if (r < 0)
                        return r;
        }
        r = socket_answer_to_json(&q->socket, &socket);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("origin", request_origin_to_string(q->origin)),
                SD_JSON_BUILD_PAIR_STRING("verdict", verdict_of(q->plan, &q->trace)),
                SD_JSON_BUILD_PAIR_CONDITION(socket != NULL, "socket", SD_JSON_BUILD_VARIANT(socket)),
                SD_JSON_BUILD_PAIR_VARIANT("sentences", sentences),
                SD_JSON_BUILD_PAIR_VARIANT("modules", modules), SD_JSON_BUILD_PAIR_VARIANT("plan", plan),
                SD_JSON_BUILD_PAIR_CONDITION(enforced != NULL, "asIfEnforced",
                                             SD_JSON_BUILD_VARIANT(enforced)),
                SD_JSON_BUILD_PAIR_VARIANT("modprobe", modprobe));
}
