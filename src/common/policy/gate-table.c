/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateTable: see gate-table.h. Owns its arrays. The entries are the fixed texts that the patterns of the rules
 * begin with, since between two of these all aliases are treated alike, and what is not known of them counts as
 * not refused.
 */

#include "common/policy/gate-table.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/array.h"
#include "common/base/module-name.h"
#include "common/policy/gate-rules.h"

/* --------------------------------------------------------------------------------------------- classes */

static uint32_t class_bit(const GateTable *t, uint32_t uid) {
        size_t i = t->n_classes;

        while (i > 1 && t->uid_starts[i - 1] > uid)
                i--;
        return UINT32_C(1) << (i - 1);
}

/* --------------------------------------------------------------------------------------------- aliases */

static void add_texts(GateTable *t, const PolicyPatterns *patterns) {
        for (size_t i = 0; i < patterns->n_items; i++) {
                GateAlias *a = t->aliases + t->n_aliases;
                const char *glob = patterns->items[i].glob;
                size_t n;

                n = gate_glob_literal(glob, &a->whole);
                if (n > GATE_ALIAS_MAX)
                        continue;       /* no request that the gate looks up is as long */
                memcpy(a->text, glob, n);
                t->n_aliases++;
        }
}

static int compare_aliases(const void *a, const void *b) {
        const GateAlias *x = a, *y = b;
        int c = strcmp(x->text, y->text);

        return c != 0 ? c : x->whole - y->whole;
}

static void remove_twins(GateTable *t) {
        size_t n = 0;

        for (size_t i = 0; i < t->n_aliases; i++)
                if (n == 0 || compare_aliases(t->aliases + n - 1, t->aliases + i) != 0)
                        t->aliases[n++] = t->aliases[i];
        t->n_aliases = n;
}

static bool does_the_same(const GateAlias *a, const GateAlias *shorter) {
        if (!shorter)
                return a->refused == 0;
        return a->refused == shorter->refused && (a->refused == 0 || a->rule == shorter->rule);
}

/*
 * Removes the entries that do what the next shorter one does. In this order an entry comes after all that it begins
 * with; those of the last one are kept in @open, each longer than the one before it.
 */
static void remove_superfluous(GateTable *t) {
        size_t open[GATE_ALIAS_MAX + 1], n_open = 0, n = 0;

        for (size_t i = 0; i < t->n_aliases; i++) {
                const GateAlias *a = t->aliases + i;

                while (n_open > 0 && !startswith(a->text, t->aliases[open[n_open - 1]].text))
                        n_open--;
                if (does_the_same(a, n_open > 0 ? t->aliases + open[n_open - 1] : NULL))
                        continue;
                if (!a->whole)
                        open[n_open++] = n;
                t->aliases[n++] = *a;
        }
        t->n_aliases = n;
}

static GateReach reach_alias(const PolicyRule *rule, const void *what) {
        return gate_rule_reach_alias(rule, what);
}

static int make_aliases(GateTable *t, const GateRules *rules) {
        t->aliases = calloc(1 + rules->n_patterns, sizeof(*t->aliases));
        if (!t->aliases)
                return -ENOMEM;

        t->n_aliases = 1;               /* the empty text, which everything begins with */
        for (size_t i = 0; i < rules->n_items; i++) {
                add_texts(t, rules->items[i].rule->match + POLICY_KEY_ALIAS);
                add_texts(t, rules->items[i].rule->match + POLICY_KEY_MODALIAS);
        }
        qsort(t->aliases, t->n_aliases, sizeof(*t->aliases), compare_aliases);
        remove_twins(t);

        for (size_t i = 0; i < t->n_aliases; i++) {
                GateAlias *a = t->aliases + i;
                GateRegion region = { .text = a->text, .whole = a->whole, .has_entries = true };
                GateDecision d = gate_rules_decide(rules, reach_alias, &region);

                a->refused = d.refused;
                a->rule = d.rule;
        }
        remove_superfluous(t);
        return 0;
}

/* --------------------------------------------------------------------------------------------- sockets */

#define NAME_BYTES sizeof("net_pf_4294967295_proto_4294967295_type_4294967295")

/* The aliases by which the kernel asks for the protocol of a socket, or could: each of them is a name of it. */
typedef struct SocketNames {
        char family[NAME_BYTES], protocol[NAME_BYTES], type[NAME_BYTES];
        GateRegion regions[3];
        size_t n_regions;
} SocketNames;

/* @protocol: -1: any; @type: 0: any */
static void name_socket(SocketNames *ret, unsigned family, int protocol, int type) {
        (void) snprintf(ret->family, NAME_BYTES, "net_pf_%u", family);
        ret->regions[0] = (GateRegion) { .text = ret->family, .whole = true };
        ret->regions[1] = (GateRegion) { .text = ret->protocol, .whole = protocol >= 0 };
        ret->n_regions = 2;
        if (protocol < 0) {
                (void) snprintf(ret->protocol, NAME_BYTES, "net_pf_%u_proto_", family);
                return;
        }

        (void) snprintf(ret->protocol, NAME_BYTES, "net_pf_%u_proto_%d", family, protocol);
        if (type > 0)
                (void) snprintf(ret->type, NAME_BYTES, "net_pf_%u_proto_%d_type_%d", family, protocol, type);
        else
                (void) snprintf(ret->type, NAME_BYTES, "net_pf_%u_proto_%d_type_", family, protocol);
        ret->regions[2] = (GateRegion) { .text = ret->type, .whole = type > 0 };
        ret->n_regions = 3;
}

static GateReach reach_socket(const PolicyRule *rule, const void *what) {
        const SocketNames *names = what;

        return gate_rule_reach_names(rule, names->regions, names->n_regions);
}

/* Does a pattern with this word tell apart what begins with the text? */
static bool tells_apart(const GateRules *rules, const char *text, const char *word) {
        GateRegion region = { .text = text };

        for (size_t i = 0; i < rules->n_items; i++) {
                const PolicyPatterns *patterns = rules->items[i].rule->match + POLICY_KEY_ALIAS;

                for (size_t k = 0; k < patterns->n_items; k++)
                        if (strstr(patterns->items[k].glob, word) &&
                            gate_glob_reach(patterns->items[k].glob, &region) == GATE_REACH_SOME)
                                return true;
        }
        return false;
}

/* Adds an entry unless it does what @general does, which is the one without its last number. */
static int add_socket(GateTable *t, const GateRules *rules, GateSocket *s, const GateSocket *general) {
        SocketNames names;
        GateDecision d;
        int r;

        name_socket(&names, (unsigned) s->family, s->protocol, s->type);
        d = gate_rules_decide(rules, reach_socket, &names);
        s->refused = d.refused;
        s->rule = d.rule;
        if (s->refused == general->refused && (s->refused == 0 || s->rule == general->rule))
                return 0;
        if (t->n_sockets >= GATE_SOCKETS_MAX) {
                t->has_too_many_sockets = true;
                return 0;
        }
        r = array_grow(&t->sockets, t->n_sockets, sizeof(*t->sockets));
        if (r < 0)
                return r;
        t->sockets[t->n_sockets++] = *s;
        return 0;
}

static int add_protocol(GateTable *t, const GateRules *rules, const GateSocket *family, int protocol) {
        GateSocket any = { .family = family->family, .protocol = protocol };
        SocketNames names;
        int r;

        r = add_socket(t, rules, &any, family);
        if (r < 0)
                return r;
        name_socket(&names, (unsigned) any.family, protocol, 0);
        if (!tells_apart(rules, names.type, "_type_"))
                return 0;
        for (int type = 1; type <= (int) GATE_TYPE_MAX; type++) {
                GateSocket s = { .family = any.family, .protocol = protocol, .type = type };

                r = add_socket(t, rules, &s, &any);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_family(GateTable *t, const GateRules *rules, int family) {
        GateSocket any = { .family = family, .protocol = -1 };
        SocketNames names;
        int r;

        r = add_socket(t, rules, &any, &(GateSocket) {});
        if (r < 0)
                return r;
        name_socket(&names, (unsigned) family, -1, 0);
        if (!tells_apart(rules, names.protocol, "_proto_"))
                return 0;
        for (int protocol = 0; protocol <= (int) GATE_PROTOCOL_MAX && !t->has_too_many_sockets; protocol++) {
                r = add_protocol(t, rules, &any, protocol);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_sockets(GateTable *t, const GateRules *rules) {
        for (int family = 0; family <= (int) GATE_FAMILY_MAX && rules->n_items > 0; family++) {
                int r = add_family(t, rules, family);

                if (r < 0)
                        return r;
        }
        if (t->has_too_many_sockets)
                t->n_sockets = 0;
        return 0;
}

/* --------------------------------------------------------------------------------------------- the object */

static int fill(GateTable *t, GateRules *loads, GateRules *sockets) {
        GateRules both[] = { *loads, *sockets };
        GateClasses classes;
        int r;

        r = gate_classes_init(&classes, both, ARRAY_LEN(both));
        if (r < 0)
                return r;
        memcpy(t->uid_starts, classes.uid_starts, sizeof(t->uid_starts));
        t->n_classes = classes.n;
        gate_rules_classify(loads, &classes);
        gate_rules_classify(sockets, &classes);

        r = make_aliases(t, loads);
        return r < 0 ? r : make_sockets(t, sockets);
}

/**
 * gate_table_new() - what the gate may refuse by itself
 * @policy:   NULL: nothing; else its rules are borrowed
 * @now_usec: CLOCK_REALTIME, for rules that have expired
 *
 * Of a policy with more patterns than GATE_PATTERNS_MAX that matter, those in front count, and the others may allow
 * anything.
 *
 * Return: 0; -ENOMEM.
 */
int gate_table_new(GateTable **ret, const Policy *policy, uint64_t now_usec) {
        _cleanup_(gate_table_freep) GateTable *t = NULL;
        _cleanup_(gate_rules_clear) GateRules loads = {};
        _cleanup_(gate_rules_clear) GateRules sockets = {};
        int r;

        assert(ret);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        r = gate_rules_init(&loads, policy, POLICY_SCOPE_LOAD, now_usec);
        if (r < 0)
                return r;
        r = gate_rules_init(&sockets, policy, POLICY_SCOPE_USE, now_usec);
        if (r < 0)
                return r;
        r = fill(t, &loads, &sockets);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(t);
        return 0;
}

/* Return: NULL. */
GateTable *gate_table_free(GateTable *t) {
        if (!t)
                return NULL;

        free(t->aliases);
        free(t->sockets);
        free(t);
        return NULL;
}

/* --------------------------------------------------------------------------------------------- looking up */

static bool answer(const GateTable *t, uint32_t refused, const PolicyRule *rule, uint32_t uid,
                   const PolicyRule **ret_rule) {
        if (!(refused & class_bit(t, uid)))
                return false;
        if (ret_rule)
                *ret_rule = rule;
        return true;
}

/* @alias: as the kernel asks */
bool gate_table_refuses(const GateTable *t, const char *alias, uint32_t uid, const PolicyRule **ret_rule) {
        const GateAlias *longest = NULL;
        char name[GATE_ALIAS_MAX + 1];

        assert(t && alias);

        if (strpbrk(alias, "[]") || module_name_normalize(alias, name, sizeof(name)) < 0)
                return false;
        for (size_t i = 0; i < t->n_aliases; i++) {
                const GateAlias *a = t->aliases + i;

                if (a->whole ? streq(name, a->text) : startswith(name, a->text))
                        longest = a;    /* in this order the last one is */
        }
        return longest && answer(t, longest->refused, longest->rule, uid, ret_rule);
}

/*
 * In the internet families 0 is the protocol that a type has, inet_create() in net/ipv4/af_inet.c: a socket of SCTP is
 * also socket(AF_INET, SOCK_SEQPACKET, 0).
 */
int gate_protocol_meant(int family, int type, int protocol) {
        if (protocol != 0 || (family != AF_INET && family != AF_INET6))
                return protocol;
        switch (type) {
        case SOCK_STREAM:
                return IPPROTO_TCP;
        case SOCK_DGRAM:
                return IPPROTO_UDP;
        case SOCK_SEQPACKET:
                return IPPROTO_SCTP;
        case SOCK_DCCP:
                return IPPROTO_DCCP;
        default:
                return 0;
        }
}

/* @protocol: -1 or above GATE_PROTOCOL_MAX: any */
bool gate_table_refuses_socket(const GateTable *t, int family, int type, int protocol, uint32_t uid,
                               const PolicyRule **ret_rule) {
        const GateSocket *best = NULL;

        assert(t);

        protocol = gate_protocol_meant(family, type, protocol);
        for (size_t i = 0; i < t->n_sockets; i++) {
                const GateSocket *s = t->sockets + i;

                if (s->family == family && (s->protocol < 0 || s->protocol == protocol) &&
                    (s->type == 0 || s->type == type))
                        best = s;       /* the more special ones come later */
        }
        return best && answer(t, best->refused, best->rule, uid, ret_rule);
}
