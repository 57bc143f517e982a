/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyScope: see policy-scope.h. A rule about sockets is applied by the gate in the kernel alone, which knows
 * family, protocol, type and user of a socket, and nothing else: a rule that asks for more would not do what it
 * says, so it is refused.
 */

#include "common/policy-files/policy-scope.h"

#include <assert.h>

#include "common/base/text.h"
#include "common/policy/gate-reach.h"
#include "common/policy/policy-file.h"

#define SOCKETS "net_pf_"               /* normalised */

int policy_read_scope(PolicyReading *r, const YamlNode *value, int argument) {
        PolicyScope scope;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "load or use");
        scope = policy_scope_from_string(value->text);
        if (scope < 0)
                return policy_complain_about_text(r, value, "expected load or use");
        r->rule->scope = scope;
        return 0;
}

/* The gate looks up numbers: what is fixed has to come before what is not. */
static const char *check_glob(const char *glob) {
        bool is_whole;
        size_t n = gate_glob_literal(glob, &is_whole);

        if (!startswith(glob, SOCKETS))
                return "does not begin with net-pf-";
        return is_whole || streq(glob + n, "*") ? NULL : "has a wildcard other than a * at its end";
}

static int check_aliases(PolicyReading *r, const YamlNode *where) {
        const PolicyPatterns *patterns = r->rule->match + POLICY_KEY_ALIAS;
        bool any = false;

        for (size_t i = 0; i < patterns->n_items; i++) {
                const char *problem = check_glob(patterns->items[i].glob);
                char shown[TEXT_SHOWN_MAX];

                any |= !patterns->items[i].negated;
                if (!problem)
                        continue;
                text_show(patterns->items[i].glob, shown);
                return yaml_reader_complain(r->yaml, where,
                                            "\"scope: use\" is about sockets, and the alias \"%s\" %s",
                                            shown, problem);
        }
        return any ? 0
                   : yaml_reader_complain(
                             r->yaml, where,
                             "\"scope: use\" is about sockets, so the rule has to match by alias, such as net-pf-38");
}

/**
 * policy_check_use() - is the rule that was read, with "scope: use", one about sockets?
 * @where: the key "scope", for complaints
 *
 * Return: as yaml_reader_complain().
 */
int policy_check_use(PolicyReading *r, const YamlNode *where) {
        const uint32_t keys = POLICY_KEY_BIT(POLICY_KEY_ALIAS) | POLICY_KEY_BIT(POLICY_KEY_UID) |
                              POLICY_KEY_BIT(POLICY_KEY_ORIGIN);
        const PolicyRule *rule = r->rule;
        uint32_t others = rule->given & ~keys;

        assert(where);

        if (rule->verdict == POLICY_NO_VERDICT || rule->n_prefer > 0 || rule->n_options > 0)
                return yaml_reader_complain(
                        r->yaml, where,
                        "\"scope: use\" belongs to a rule with a verdict, and without options: a socket has none");
        if (others != 0)
                return yaml_reader_complain(
                        r->yaml, where,
                        "\"scope: use\" is about sockets, of which \"%s\" is not known: only alias, uid and origin are",
                        policy_key_to_string((PolicyKey) __builtin_ctz(others)));
        if (rule->expires_usec != UINT64_MAX)
                return yaml_reader_complain(
                        r->yaml, where,
                        "\"scope: use\" is applied by the kernel, which knows no date: leave out \"expires\"");
        if (gate_rule_reach_rest(rule) == GATE_REACH_NONE)
                return yaml_reader_complain(
                        r->yaml, where, "\"scope: use\" is for \"origin: kernel\", and this rule is not");
        return check_aliases(r, where);
}
