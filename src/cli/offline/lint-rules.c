/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintRules: rules that do not do what they look like. Whether a rule ever decides is found out by judging every
 * module, which is exact for rules that match modules and nothing else.
 */

#include "cli/offline/lint-rules.h"

#include <assert.h>
#include <ctype.h>

#include "cli/offline/explanation.h"
#include "cli/offline/kernel-requests.h"
#include "common/base/glob.h"
#include "common/base/limits.h"
#include "common/base/nearest-name.h"
#include "common/base/paths.h"
#include "common/policy/gate-reach.h"
#include "common/policy/policy-match.h"

typedef struct RuleUse {
        const PolicyRule *rule;
        bool matched, decides;
        PolicyRuling above;             /* decides before it, for some module */
        const char *module;             /* that one */
} RuleUse;

typedef struct Uses {
        RuleUse *items;                 /* by the address of the rule */
        size_t n;
        const char *module;             /* that is asked about */
        PolicyRuling winner;
} Uses;

static int by_address(const void *a, const void *b) {
        const RuleUse *x = a, *y = b;

        return (x->rule > y->rule) - (x->rule < y->rule);
}

static void on_trace(PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        Uses *uses = userdata;
        RuleUse *use = what->rule ? bsearch(&(RuleUse) { .rule = what->rule }, uses->items, uses->n,
                                            sizeof(*uses->items), by_address)
                                  : NULL;

        if (use)
                use->matched = true;
        if (how == POLICY_DECIDES || how == POLICY_WOULD_DECIDE || how == POLICY_ADDS) {
                if (what->verdict != POLICY_NO_VERDICT)
                        uses->winner = *what;
                if (use)
                        use->decides = true;
        } else if (how == POLICY_TOO_LATE && use && !use->module) {
                use->above = uses->winner;
                use->module = uses->module;
        }
}

static void ask_about_all(const Lint *l, Uses *uses) {
        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const IndexModule *m = index_get_module(l->index, i);
                PolicySubject subject = { .part = POLICY_REQUESTED, .module = m->name, .path = m->path };
                PolicyDecision decision;

                uses->module = m->name;
                policy_judge(l->offline->policy, &subject, l->offline->now_usec, &decision, on_trace, uses);
        }
}

static bool asks_for_request(const PolicyRule *rule) {
        return rule->given & ~policy_keys_of(POLICY_KEY_OF_MODULE);
}

static Finding finding_of(const PolicyRule *rule, FindingKind kind, const char *instead) {
        return (Finding) { kind, rule->file, rule->line, rule->column, instead, rule->id };
}

static int lint_reach(Lint *l, const RuleUse *use) {
        const PolicyRule *rule = use->rule;
        Finding finding = finding_of(rule, FINDING_UNREACHABLE, "put it above that one, or remove it");
        _cleanup_(freep) char *above = NULL;
        size_t size;
        FILE *f;

        if (rule->verdict == POLICY_NO_VERDICT || asks_for_request(rule) || !use->matched || use->decides ||
            rule->expires_usec <= l->offline->now_usec ||
            policy_get_rule_mode(l->offline->policy, rule) == POLICY_OFF || !use->module)
                return 0;

        f = open_memstream(&above, &size);
        if (!f)
                return -ENOMEM;
        print_ruling_name(f, &use->above);
        if (use->above.file) {
                (void) fputs(" at ", f);
                print_ruling_place(f, &use->above);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        return lint_report(l, &finding,
                         "this rule never decides: what it matches (%s) is decided before by the %s",
                         use->module, above);
}

/* The module that a misspelt name probably means; NULL: none is near. */
static const char *nearest_module(const Lint *l, const char *name) {
        NearestName n;

        nearest_name_begin(&n, name);
        for (size_t i = 0; i < index_count_modules(l->index); i++)
                nearest_name_offer(&n, index_get_module(l->index, i)->name);
        return n.name;
}

static void to_lower(char *s) {
        for (; *s; s++)
                *s = (char) tolower((unsigned char) *s);
}

/* A module that the glob would match if case did not matter; NULL: none. */
static const char *find_in_other_case(const Lint *l, const char *glob) {
        _cleanup_(freep) char *lower = strdup(glob);

        if (!lower)
                return NULL;
        to_lower(lower);
        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const char *name = index_get_module(l->index, i)->name;
                char copy[MODULE_NAME_MAX + 1];

                if (strlen(name) > MODULE_NAME_MAX)
                        continue;
                memcpy(copy, name, strlen(name) + 1);
                to_lower(copy);
                if (glob_match(lower, copy))
                        return name;
        }
        return NULL;
}

static int report_no_module(Lint *l, const PolicyRule *rule, const char *glob) {
        const char *nearest = strpbrk(glob, "*?[\\") ? NULL : nearest_module(l, glob);
        const char *other_case = find_in_other_case(l, glob);
        _cleanup_(freep) char *instead = NULL;
        Finding finding = finding_of(rule, FINDING_NO_SUCH_MODULE, NULL);

        if (other_case) {
                if (asprintf(&instead, "%s, if that is what is meant: upper and lower case are not alike", other_case) < 0) {
                        instead = NULL;
                        return -ENOMEM;
                }
        } else if (nearest && asprintf(&instead, "%s, if that is what is meant", nearest) < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(l, &finding, "no module of %s is called '%s'", index_get_release(l->index), glob);
}

static int report_builtin(Lint *l, const PolicyRule *rule, const ShownNames *builtin) {
        Finding finding = finding_of(
                rule, FINDING_BUILT_IN,
                "initcall_blacklist=FUNCTION on the kernel command line, with its init function");
        char names[256];

        shown_names_print(builtin, names, sizeof(names));
        return lint_report(l, &finding, "no rule keeps out what is built into the kernel: %s", names);
}

/* Compares each pattern of a rule with the names of all modules. */
static int lint_patterns(Lint *l, const PolicyRule *rule) {
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_MODULE;
        int r;

        for (size_t i = 0; i < patterns->n_items; i++) {
                const PolicyPattern *p = patterns->items + i;
                ShownNames builtin = {};
                size_t n_loadable = 0;

                if (p->negated)
                        continue;
                for (size_t k = 0; k < index_count_modules(l->index); k++) {
                        const IndexModule *m = index_get_module(l->index, k);

                        if (!glob_match(p->glob, m->name))
                                continue;
                        if (m->path)
                                n_loadable++;
                        else
                                shown_names_add(&builtin, m->name);
                }
                r = 0;
                if (n_loadable == 0 && builtin.n == 0)
                        r = report_no_module(l, rule, p->glob);
                else if (n_loadable == 0 && rule->verdict == POLICY_DENY)
                        r = report_builtin(l, rule, &builtin);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool origin_fits(const PolicyRule *rule, RequestOrigin origin) {
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_ORIGIN;
        const char *name = request_origin_to_string(origin);
        bool only_negated = true, found = false;

        for (size_t i = 0; i < patterns->n_items; i++) {
                bool matches = glob_match(patterns->items[i].glob, name);

                if (patterns->items[i].negated && matches)
                        return false;
                only_negated &= patterns->items[i].negated;
                found |= !patterns->items[i].negated && matches;
        }
        return only_negated || found;
}

static bool is_ever_known(const PolicyRule *rule, PolicyKey key) {
        for (RequestOrigin origin = 0; origin < _ORIGIN_ASKED_MAX; origin++)
                if (policy_key_is_known(key, origin) && origin_fits(rule, origin))
                        return true;
        return false;
}

/* Is there an origin that has all keys of the rule? Keys of the module count for every one. */
static bool are_known_together(const PolicyRule *rule) {
        for (RequestOrigin origin = 0; origin < _ORIGIN_ASKED_MAX; origin++) {
                bool all = origin_fits(rule, origin);

                for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                        all = all && (rule->match[key].n_items == 0 || policy_key_is_known(key, origin));
                if (all)
                        return true;
        }
        return false;
}

/* Keys that only some origins have, in a rule for another origin, or beside keys that only others have. */
static int lint_origins(Lint *l, const PolicyRule *rule) {
        static const char *const owners[_POLICY_KEY_OWNER_MAX] = {
                [POLICY_KEY_OF_DEVICE] = "devices",
                [POLICY_KEY_OF_PROCESS] = "clients, containers and programs",
                [POLICY_KEY_OF_PROGRAM] = "programs for which the kernel asks",
                [POLICY_KEY_OF_CONTAINER] = "containers, and of programs in them",
        };
        Finding finding = finding_of(rule, FINDING_NEVER_KNOWN, "another origin, or none"),
                apart = finding_of(rule, FINDING_NEVER_KNOWN, "two rules");
        bool is_reported = false;
        int r;

        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++) {
                const char *owner = owners[policy_keys[key].owner];

                if (!owner || rule->match[key].n_items == 0 || is_ever_known(rule, key))
                        continue;
                r = lint_report(
                        l, &finding,
                        "this rule matches nothing: '%s' is known of %s only, and its origin is another",
                        policy_key_to_string(key), owner);
                if (r < 0)
                        return r;
                is_reported = true;
        }
        return is_reported || are_known_together(rule)
                       ? 0
                       : lint_report(l, &apart,
                                     "this rule matches nothing: no request has all of its keys, which are of devices, "
                                     "and of clients, containers or programs");
}

/* Such a pattern allows more than anybody can oversee: some parameters name programs, which the kernel runs. */
static int lint_parameters(Lint *l, const PolicyRule *rule) {
        Finding finding = finding_of(rule, FINDING_ANY_PARAMETER,
                                     "the names that are needed, such as \"debug=*\"");
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rule->n_parameters; i++)
                if (glob_match(rule->parameters[i], "lkmd_any_name=/lkmd/any/value"))
                        r = lint_report(
                                l, &finding,
                                "'%s' lets members of " LKMD_ADMIN_GROUP
                                " give any parameter, also one that names a program which the kernel runs as root",
                                rule->parameters[i]);
        return r;
}

/* Does the rule deny for some process what the kernel asks for? */
static int lint_requests(Lint *l, const KernelRequests *requests, const PolicyRule *rule) {
        Finding finding = finding_of(rule, FINDING_KERNEL_REQUESTS, NULL);
        _cleanup_(freep) char *sentence = NULL;
        int r;

        if (policy_get_rule_mode(l->offline->policy, rule) != POLICY_ENFORCE)
                return 0;
        r = kernel_requests_describe(requests, rule, &sentence);
        return r < 0 || !sentence ? r : lint_report(l, &finding, "%s", sentence);
}

/* A process chooses its name: whoever knows the rule gets what it allows. */
static int lint_command(Lint *l, const PolicyRule *rule) {
        Finding finding = finding_of(rule, FINDING_ALLOWED_BY_COMMAND,
                                     "unit or uid, which a process cannot choose");
        const PolicyPatterns *patterns = rule->match + POLICY_KEY_COMMAND;

        if ((rule->verdict != POLICY_ALLOW && rule->verdict != POLICY_REPORT) || patterns->n_items == 0)
                return 0;
        return lint_report(
                l, &finding,
                "this rule allows by the name of a process ('%s'), and any process can give itself that name",
                patterns->items[0].glob);
}

/* Does the rule look as if it let containers have something, and does not? */
static int lint_containers(Lint *l, const PolicyRule *rule) {
        Finding finding = finding_of(rule, FINDING_CLOSED_TO_CONTAINERS,
                                     "\"verdict: allow\" and \"mode: enforce\", or nothing");
        PolicyRule allowing = *rule;

        allowing.verdict = POLICY_ALLOW;
        if ((rule->verdict != POLICY_ALLOW && rule->verdict != POLICY_REPORT) ||
            !policy_rule_opens_containers(&allowing))
                return 0;
        if (rule->verdict == POLICY_REPORT)
                return lint_report(
                        l, &finding,
                        "this rule lets no container have what it asks for: only \"verdict: allow\" does");
        if (policy_get_rule_mode(l->offline->policy, rule) == POLICY_ENFORCE)
                return 0;
        if (rule->mode == POLICY_ENFORCE)
                finding.instead =
                        "Mode=enforce in lkmd.conf; \"mode: audit\" in the files that are still to be tried";
        return lint_report(l, &finding,
                           "this rule lets no container have what it asks for, since it is not enforced");
}

/* Sockets that hardly any program can do without. */
static int lint_sockets(Lint *l, const PolicyRule *rule) {
        static const struct {
                const char *family, *protocols, *words;
        } vital[] = {
                { "net_pf_1",  "net_pf_1_proto_",  "local sockets (AF_UNIX, net-pf-1)"        },
                { "net_pf_2",  "net_pf_2_proto_",  "all of IPv4 (AF_INET, net-pf-2)"          },
                { "net_pf_10", "net_pf_10_proto_", "all of IPv6 (AF_INET6, net-pf-10)"        },
                { "net_pf_16", "net_pf_16_proto_", "all of netlink (AF_NETLINK, net-pf-16)"   },
        };
        Finding finding = finding_of(rule, FINDING_VITAL_SOCKETS,
                                     "exceptions, as in alias: [\"net-pf-*\", \"!net-pf-1\"]");
        int r = 0;

        if (rule->scope != POLICY_SCOPE_USE || rule->verdict != POLICY_DENY)
                return 0;
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(vital); i++) {
                const GateRegion names[] = { { .text = vital[i].family, .whole = true },
                                             { .text = vital[i].protocols } };

                if (gate_rule_reach_names(rule, names, ARRAY_LEN(names)) == GATE_REACH_ALL)
                        r = lint_report(l, &finding,
                                        "this rule refuses %s, without which hardly any program works",
                                        vital[i].words);
        }
        return r;
}

static int lint_rule(Lint *l, const KernelRequests *requests, const RuleUse *uses, size_t n_uses,
                     const PolicyRule *rule) {
        size_t n_before = l->n_findings;
        const RuleUse *use = bsearch(&(RuleUse) { .rule = rule }, uses, n_uses, sizeof(*uses), by_address);
        int r;

        assert(use);

        if (rule->source < POLICY_BY_RULE)      /* the kernel command line and grants come and go */
                return rule->source == POLICY_BY_GRANT ? 0 : lint_patterns(l, rule);
        if (rule->expires_usec <= l->offline->now_usec) {
                Finding finding = finding_of(rule, FINDING_EXPIRED, "remove it, or give it another date");

                return lint_report(l, &finding, "this rule has expired and does nothing");
        }
        /*
         * A list is for many kernels: that this one lacks a module is no mistake. And what comes before it is an
         * exception to it, or another list that says the same.
         */
        if (rule->source == POLICY_BY_LIST)
                return lint_origins(l, rule);
        r = lint_patterns(l, rule);
        if (r >= 0)
                r = lint_origins(l, rule);
        if (r >= 0 && l->n_findings == n_before)
                r = lint_requests(l, requests, rule);
        if (r >= 0)
                r = lint_parameters(l, rule);
        if (r >= 0)
                r = lint_command(l, rule);
        if (r >= 0)
                r = lint_containers(l, rule);
        if (r >= 0)
                r = lint_sockets(l, rule);
        return r < 0 ? r : lint_reach(l, use);
}

int lint_rules(Lint *l) {
        _cleanup_(kernel_requests_freep) KernelRequests *requests = NULL;
        _cleanup_(freep) RuleUse *items = NULL;
        Uses uses = {};
        int r = 0;

        assert(l);

        uses.n = policy_count_rules(l->offline->policy);
        items = calloc(uses.n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        uses.items = items;
        for (size_t i = 0; i < uses.n; i++)
                items[i].rule = policy_get_rule(l->offline->policy, i);
        qsort(items, uses.n, sizeof(*items), by_address);
        ask_about_all(l, &uses);
        r = kernel_requests_new(&requests, l->index);

        for (size_t i = 0; r >= 0 && i < uses.n; i++)
                r = lint_rule(l, requests, items, uses.n, policy_get_rule(l->offline->policy, i));
        return r;
}
