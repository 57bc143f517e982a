/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* OmissionText: see omission-text.h. Owns nothing. Texts from files may be any bytes, and are escaped. */

#include "common/explain/omission-text.h"

#include <assert.h>

#include "common/base/text.h"
#include "common/explain/template.h"

#define REINSTALL "reinstall the modules of this kernel, or run depmod -a"
#define EXPLAIN "lkmctl explain {module} shows every rule about it"

static const OmissionText texts[_PLAN_OMISSION_KIND_MAX] = {
        [PLAN_BLACKLISTED] = {
                .refusal = OMISSION_REFUSAL,
                .words = "blacklisted",
                .before_place = " by ",
                .says_reason = true,
                .sentence = "{module} {is} left out: blacklisted by {place}",
                .end_of_chain = ", which is denied{ruling}",
                .message = "{module} is denied by {place}: blacklisted, and '{key}' means nothing else",
                .hint = "lkmctl load {module} loads it by its name all the same",
        },
        [PLAN_DENIED] = {
                .refusal = OMISSION_REFUSAL,
                .words = "denied",
                .before_place = " by ",
                .sentence = "{module} {is} denied{ruling}",
                .end_of_chain = ", which is denied{ruling}",
                .message = "{module}{chain} is denied by {place}{reason}",
                .hint = EXPLAIN,
        },
        [PLAN_NOT_PREFERRED] = {
                .words = "another candidate is preferred",
                .before_place = " by ",
                .sentence = "{module} {is} left out: another candidate is preferred{ruling}",
                .end_of_chain = ", which is not there",
                .message = "{module}{chain} is left out: another candidate is preferred",
                .hint = EXPLAIN,
        },
        [PLAN_SOFTDEP_MISSING] = {
                .words = "a softdep names it, but there is no such module",
                .before_place = ", see ",
                .sentence = "{module} {is} left out: {chain}",
                .end_of_chain = ", which is not there",
                .message = "{module}{chain} is not there: a softdep names it, but no such module exists",
                .hint = REINSTALL,
                .of_softdep = true,
        },
        [PLAN_SOFTDEP_LOOP] = {
                .words = "its softdep leads back, not followed",
                .before_place = ", see ",
                .sentence = "{module} {is} left out: {chain}",
                .end_of_chain = ", which is not there",
                .message = "{module}{chain} is left out: its softdep leads back",
                .hint = EXPLAIN,
                .of_softdep = true,
        },
        [PLAN_FILE_MISSING] = {
                .words = "its file is missing",
                .before_place = ": ",
                .sentence = "{module} cannot be loaded: its file is missing",
                .end_of_chain = ", whose file is missing",
                .message = "{module}{chain} cannot be loaded: its file is missing",
                .hint = REINSTALL,
        },
        [PLAN_FILE_UNUSABLE] = {
                .words = "it cannot be loaded",
                .before_place = ", see ",
                .sentence = "{module} cannot be loaded{reason}",
                .end_of_chain = ", which cannot be loaded{reason}",
                .message = "{module}{chain} cannot be loaded{reason}",
                .hint = "{remedy}",
        },
        [PLAN_MODULE_MISSING] = {
                .words = "an alias leads to it, but there is no such module",
                .before_place = ", see ",
                .sentence = "{module} cannot be loaded: there is no such module",
                .end_of_chain = ", which is not there",
                .message = "{module}{chain} is not there: an alias leads to it, but no such module exists",
                .hint = REINSTALL,
        },
        [PLAN_TURNED_OFF] = {
                .refusal = OMISSION_REFUSAL,
                .words = "turned off",
                .before_place = " by ",
                .sentence = "{module} {is} turned off by {place}",
                .end_of_chain = ", which is turned off by {place}",
                .message = "{module} is turned off by {place}",
                .hint = "take the line \"alias .. off\" out of that file to have it loaded",
                .of_softdep = true,
        },
        [PLAN_IMPOSSIBLE] = {
                .refusal = OMISSION_REFUSAL_IF_RULED,
                .words = "something that it needs was left out",
                .before_place = ", see ",
                .sentence = "{module} {is} left out: {chain}",
                .end_of_chain = ", which is not there",
                .message = "{module}{chain} is denied by {place}{reason}",
                .hint = EXPLAIN,
        },
};

const OmissionText *omission_text(PlanOmissionKind kind) {
        assert(kind >= 0 && kind < _PLAN_OMISSION_KIND_MAX);

        return texts + kind;
}

bool omission_is_refusal(const PlanOmission *o) {
        OmissionRefusal refusal;

        assert(o);

        refusal = omission_text(o->kind)->refusal;
        return refusal == OMISSION_REFUSAL ||
               (refusal == OMISSION_REFUSAL_IF_RULED && o->ruling.source >= 0);
}

const PlanOmission *plan_find_obstacle(const Plan *plan) {
        const PlanOmission *impossible = NULL;

        assert(plan);

        for (size_t i = 0; i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                if (o->required && o->kind != PLAN_IMPOSSIBLE)
                        return o;       /* the bottom of the chain, which says most */
                if (o->required && !impossible)
                        impossible = o;
        }
        return impossible;
}

/* -------------------------------------------------------------------------------------------- obstacles */

typedef struct Obstacle {
        const Plan *plan;
        const PlanOmission *omission;
} Obstacle;

/* Writes nothing without memory. */
static void put_escaped(FILE *f, const char *text) {
        _cleanup_(freep) char *escaped = NULL;

        if (text_escape(text, &escaped) >= 0)
                (void) fputs(escaped, f);
}

static void put_place(FILE *f, const PlanRuling *ruling) {
        if (!ruling->file) {
                (void) fputs("the configuration", f);
                return;
        }
        put_escaped(f, ruling->file);
        if (ruling->line > 0)
                (void) fprintf(f, ":%u", ruling->line);
}

/* The omission of a module that was left out because of a module that it needs; NULL: none. */
static const PlanOmission *find_impossible(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == PLAN_IMPOSSIBLE && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

/* " (needed by a, which b needs, which c needs)". */
static void put_chain(FILE *f, const Plan *plan, const PlanOmission *o) {
        if (!o->wanted_by)
                return;
        (void) fputs(" (needed by ", f);
        /* a broken modules.dep may have cycles */
        for (size_t n = 0; o && o->wanted_by && n <= plan->n_omissions; n++) {
                if (n > 0)
                        (void) fputs(", which ", f);
                put_escaped(f, o->wanted_by);
                if (n > 0)
                        (void) fputs(" needs", f);
                o = find_impossible(plan, o->wanted_by);
        }
        (void) fputc(')', f);
}

static void put_field(FILE *f, const char *field, const void *userdata) {
        const Obstacle *obstacle = userdata;
        const PlanOmission *o = obstacle->omission;

        if (streq(field, "module"))
                put_escaped(f, o->module);
        else if (streq(field, "key"))
                put_escaped(f, obstacle->plan->key);
        else if (streq(field, "chain"))
                put_chain(f, obstacle->plan, o);
        else if (streq(field, "place"))
                put_place(f, &o->ruling);
        else if (streq(field, "remedy"))
                template_print(f, module_fault_remedy(o->fault), put_field, userdata);
        else if (o->ruling.reason) {
                assert(streq(field, "reason"));
                (void) fputs(": ", f);
                put_escaped(f, o->ruling.reason);
        }
}

/**
 * explain_fault() - why a module cannot be loaded, in the words of a plan that leaves it out
 * @fault: one that was found
 *
 * Return: 0; -ENOMEM.
 */
int explain_fault(const ModuleFault *fault, const char *module, char **ret_message, char **ret_hint) {
        PlanOmission o = { .kind = PLAN_FILE_UNUSABLE, .module = (char *) module, .fault = fault->kind };
        _cleanup_(freep) char *clause = NULL;
        const Plan plan = { .key = (char *) module };
        int r;

        assert(fault && module && ret_message && ret_hint);

        r = module_fault_clause(fault, &clause);
        if (r < 0)
                return r;
        o.ruling.reason = clause;
        return plan_explain_obstacle(&plan, &o, ret_message, ret_hint);
}

/**
 * plan_explain_obstacle() - why a request cannot succeed, in a sentence, and what to do next
 * @obstacle: of plan_find_obstacle()
 *
 * Return: 0; -ENOMEM.
 */
int plan_explain_obstacle(const Plan *plan, const PlanOmission *obstacle, char **ret_message,
                          char **ret_hint) {
        const Obstacle o = { plan, obstacle };
        _cleanup_(freep) char *message = NULL;
        int r;

        assert(plan && obstacle && ret_message && ret_hint);

        r = template_fill(omission_text(obstacle->kind)->message, put_field, &o, &message);
        if (r >= 0)
                r = template_fill(omission_text(obstacle->kind)->hint, put_field, &o, ret_hint);
        if (r < 0)
                return r;
        *ret_message = STEAL_PTR(message);
        return 0;
}
