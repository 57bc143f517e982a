/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of the gate: cases, and beside policy_judge(), which has to deny whatever the gate refuses. */

#include "common/policy/gate-table.h"

#include "common/base/module-name.h"
#include "policy-bench.h"
#include "test.h"

#define NOW 1000U

/* ---------------------------------------------------------------------------------------------- cases */

typedef struct Case {
        const char *rules, *alias;
        uint32_t uid;
        bool refused;
        const char *id;                 /* of the rule; NULL: the default */
} Case;

#define ONE(match, more) "rules:\n- {id: one, match: {" match "}, " more "}\n"
#define DENY(match) ONE(match, "verdict: deny")
#define TWO(one, first, two, second) \
        "rules:\n- {id: one, match: {" one "}, verdict: " first "}\n- {id: two, match: {" two \
        "}, verdict: " second "}\n"

static const Case cases[] = {
        { "rules: []\n", "net-pf-38", 0, false },
        { DENY("alias: net-pf-38"), "net-pf-38", 0, true, "one" },
        { DENY("alias: net-pf-38"), "net_pf_38", 0, true, "one" },
        { DENY("alias: net-pf-38"), "net-pf-380", 0, false },
        { DENY("alias: net-pf-38"), "net-pf-3", 0, false },
        { DENY("alias: \"net-pf-*\""), "net-pf-", 0, true, "one" },
        { DENY("alias: \"net-pf-*\""), "net-pf-38", 0, true, "one" },
        { DENY("alias: \"net-pf-*\""), "net-p", 0, false },
        { DENY("alias: \"net-pf-*\""), "net-pf-[", 0, false },
        { DENY("alias: \"net-pf-*\""), "net-pf-]", 0, false },
        { DENY("alias: \"*\""), "", 0, true, "one" },
        { DENY("alias: \"*\""), "123456789012345678901234567890123456789012345678901234567890123", 0, true, "one" },
        { DENY("alias: \"*\""), "1234567890123456789012345678901234567890123456789012345678901234", 0, false },
        { DENY("alias: net-pf-38, uid: \"!0\""), "net-pf-38", 0, false },
        { DENY("alias: net-pf-38, uid: \"!0\""), "net-pf-38", 1, true, "one" },
        { DENY("alias: net-pf-38, uid: \"!0\""), "net-pf-38", 4294967294, true, "one" },
        { DENY("alias: net-pf-38, uid: 1000-1999"), "net-pf-38", 999, false },
        { DENY("alias: net-pf-38, uid: 1000-1999"), "net-pf-38", 1999, true, "one" },
        { DENY("alias: net-pf-38, uid: 1000-1999"), "net-pf-38", 2000, false },
        { DENY("alias: net-pf-38, origin: kernel"), "net-pf-38", 0, true, "one" },
        { DENY("alias: net-pf-38, origin: \"!device\""), "net-pf-38", 0, true, "one" },
        { DENY("alias: net-pf-38, origin: client"), "net-pf-38", 0, false },
        /* What the gate does not know: it asks. */
        { DENY("alias: net-pf-38, module: af_alg"), "net-pf-38", 0, false },
        { DENY("alias: net-pf-38, module: \"*\""), "net-pf-38", 0, true, "one" },
        { DENY("alias: net-pf-38, intree: no"), "net-pf-38", 0, false },
        { DENY("alias: net-pf-38, unit: \"*\""), "net-pf-38", 0, false },
        { DENY("alias: net-pf-38, subsystem: \"*\""), "net-pf-38", 0, false },
        { DENY("alias: \"net-pf-?8\""), "net-pf-38", 0, false },
        { DENY("modalias: \"pci:*\""), "pci:v1", 0, true, "one" },
        { DENY("modalias: \"net-*\""), "net-pf-38", 0, false },
        { ONE("alias: net-pf-38", "verdict: deny, mode: audit"), "net-pf-38", 0, false },
        { ONE("alias: net-pf-38", "verdict: deny, mode: \"off\""), "net-pf-38", 0, false },
        { ONE("alias: net-pf-38", "verdict: deny, expires: 2999-01-01"), "net-pf-38", 0, false },
        { ONE("alias: net-pf-38", "verdict: audit"), "net-pf-38", 0, false },
        /* The first one decides. */
        { TWO("alias: net-pf-38", "allow", "alias: \"net-pf-*\"", "deny"), "net-pf-38", 0, false },
        { TWO("alias: net-pf-38", "allow", "alias: \"net-pf-*\"", "deny"), "net-pf-39", 0, true, "two" },
        { TWO("alias: net-pf-38", "allow", "alias: \"net-pf-*\"", "deny"), "net-pf-381", 0, true, "two" },
        { TWO("alias: \"net-pf-16-*\"", "allow", "alias: \"net-pf-*\"", "deny"), "net-pf-16-proto-1", 0, false },
        { TWO("alias: \"net-pf-16-*\"", "allow", "alias: \"net-pf-*\"", "deny"), "net-pf-16", 0, true, "two" },
        { TWO("module: a", "allow", "alias: net-pf-38", "deny"), "net-pf-38", 0, false },
        { TWO("unit: a.service", "allow", "alias: net-pf-38", "deny"), "net-pf-38", 0, false },
        { TWO("unit: a.service, uid: 0", "allow", "alias: net-pf-38", "deny"), "net-pf-38", 0, false },
        { TWO("unit: a.service, uid: 0", "allow", "alias: net-pf-38", "deny"), "net-pf-38", 7, true, "two" },
        { TWO("subsystem: usb", "allow", "alias: net-pf-38", "deny"), "net-pf-38", 0, true, "two" },
        { TWO("module: a", "deny", "alias: net-pf-38", "deny"), "net-pf-38", 0, true, "two" },
        { TWO("uid: 0", "allow", "alias: \"fs-*\"", "deny"), "fs-ext4", 0, false },
        { TWO("uid: 0", "allow", "alias: \"fs-*\"", "deny"), "fs-ext4", 1, true, "two" },
        /* The default. */
        { "default: deny\n", "fs-ext4", 0, true },
        { "default: deny\nmode: audit\n", "fs-ext4", 0, false },
        { "default: deny\n" ONE("module: a", "verdict: allow"), "fs-ext4", 0, false },
        { "default: deny\n" ONE("alias: fs-ext4", "verdict: allow"), "fs-ext4", 0, false },
        { "default: deny\n" ONE("alias: fs-ext4", "verdict: allow"), "fs-xfs", 0, true },
        { "default: deny\n" ONE("alias: fs-ext4, uid: 0", "verdict: allow"), "fs-ext4", 5, true },
        { "default: deny\n" ONE("alias: \"*fs-ext4\"", "verdict: allow"), "fs-xfs", 0, false },
        { "default: deny\n" ONE("origin: client", "verdict: allow"), "fs-xfs", 0, true },
};

static GateTable *table_of(const Policy *p) {
        GateTable *t = NULL;

        assert_ok(gate_table_new(&t, p, NOW));
        return t;
}

static void test_cases(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const Case *c = cases + i;
                _cleanup_(policy_freep) Policy *p = policy_bench_make(POLICY_ENFORCE, c->rules);
                _cleanup_(gate_table_freep) GateTable *t = table_of(p);
                const PolicyRule *rule = NULL;

                if (gate_table_refuses(t, c->alias, c->uid, &rule) != c->refused)
                        fail_msg("%s of %u should%s be refused by:\n%s", c->alias, c->uid,
                                 c->refused ? "" : " not", c->rules);
                if (c->refused && !streq_ptr(rule ? rule->id : NULL, c->id))
                        fail_msg("%s was refused by %s:\n%s", c->alias, rule ? rule->id : "the default",
                                 c->rules);
        }
}

static void test_without_policy(void **state) {
        _cleanup_(gate_table_freep) GateTable *t = table_of(NULL);

        assert_int_equal(t->n_aliases, 0);
        assert_int_equal(t->n_sockets, 0);
        assert_int_equal(t->n_classes, 1);
        assert_false(gate_table_refuses(t, "net-pf-38", 1, NULL));
        assert_null(gate_table_free(NULL));
}

/* Mode= of lkmd.conf is the limit of all modes. */
static void test_mode_of_the_settings(void **state) {
        _cleanup_(policy_freep)
                Policy *p = policy_bench_make(POLICY_AUDIT, "default: deny\n" DENY("alias: a"));
        _cleanup_(gate_table_freep) GateTable *t = table_of(p);

        assert_int_equal(t->n_aliases, 0);
}

static void test_entries(void **state) {
        _cleanup_(policy_freep) Policy *p = policy_bench_make(
                POLICY_ENFORCE,
                "rules:\n"
                "- {match: {alias: [fs-ext4, fs-e]}, verdict: allow}\n"
                "- {match: {alias: [\"fs-*\", \"fs-e*\", fs-xfs], uid: \"!0\"}, verdict: deny}\n");
        _cleanup_(gate_table_freep) GateTable *t = table_of(p);

        assert_int_equal(t->n_classes, 2);
        assert_int_equal(t->uid_starts[1], 1);
        assert_int_equal(t->n_aliases, 3); /* fs-e* and fs-xfs do what fs-* does */
        assert_string_equal(t->aliases[0].text, "fs_");
        assert_false(t->aliases[0].whole);
        assert_int_equal(t->aliases[0].refused, 2);
        assert_string_equal(t->aliases[1].text, "fs_e");
        assert_true(t->aliases[1].whole);
        assert_int_equal(t->aliases[1].refused, 0);
        assert_string_equal(t->aliases[2].text, "fs_ext4");
        assert_null(t->aliases[1].rule);
        assert_ptr_equal(t->aliases[0].rule, policy_get_rule(p, 1));
}

/* --------------------------------------------------------------------------------------------- bounds */

static Policy *policy_of(PolicyFile *f, PolicyMode mode) {
        PolicyOptions options = { .mode = mode, .facts = policy_bench_facts };
        PolicyFile **files = calloc(1, sizeof(*files));
        Policy *p = NULL;

        assert_non_null(files);
        files[0] = f;
        assert_ok(policy_new(&p, files, 1, &options));
        return p;
}

static PolicyRule *add_rule(PolicyFile *f, PolicyVerdict verdict) {
        PolicyRule *rule = policy_file_add_rule(f, POLICY_BY_RULE, (unsigned) f->n_rules + 1, 1);

        assert_non_null(rule);
        rule->verdict = verdict;
        rule->mode = POLICY_ENFORCE;
        return rule;
}

static void match_number(PolicyFile *f, PolicyRule *rule, uint32_t min, uint32_t max) {
        PolicyPattern pattern = { .min = min, .max = max };

        assert_ok(policy_file_set_match(f, rule, POLICY_KEY_UID, &pattern, 1));
}

static void match_glob(PolicyFile *f, PolicyRule *rule, PolicyKey key, const char *glob) {
        PolicyPattern pattern = { .glob = string_arena_add(&f->strings, glob, strlen(glob)) };

        assert_non_null(pattern.glob);
        assert_ok(policy_file_set_match(f, rule, key, &pattern, 1));
}

/* Users that a class too many would tell apart are not refused what only some of them are denied. */
static void test_many_users(void **state) {
        PolicyFile *f = policy_file_new("FILE", POLICY_FILE_RULES);
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_(gate_table_freep) GateTable *t = NULL;

        assert_non_null(f);
        for (uint32_t i = 0; i < 100; i++)
                match_number(f, add_rule(f, POLICY_DENY), 10 * i, 10 * i + 4);
        p = policy_of(f, POLICY_ENFORCE);
        t = table_of(p);

        assert_int_equal(t->n_classes, GATE_CLASSES_MAX);
        assert_true(gate_table_refuses(t, "a", 3, NULL));
        assert_false(gate_table_refuses(t, "a", 5, NULL));
        assert_true(gate_table_refuses(t, "a", 144, NULL));
        assert_false(gate_table_refuses(t, "a", 500, NULL));
        assert_false(gate_table_refuses(t, "a", 999, NULL));
}

/* What is behind too many patterns may allow everything. */
static void test_many_patterns(void **state) {
        PolicyFile *f = policy_file_new("FILE", POLICY_FILE_RULES);
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_(gate_table_freep) GateTable *t = NULL;

        assert_non_null(f);
        f->default_verdict = POLICY_DENY;
        for (unsigned i = 0; i < GATE_PATTERNS_MAX; i++) {
                char text[sizeof("a4294967295")];

                (void) snprintf(text, sizeof(text), "a%u", i);
                match_glob(f, add_rule(f, i == 0 ? POLICY_DENY : POLICY_ALLOW), POLICY_KEY_ALIAS, text);
        }
        p = policy_of(f, POLICY_ENFORCE);
        t = table_of(p);

        assert_true(t->n_aliases <= GATE_ALIASES_MAX);
        assert_true(gate_table_refuses(t, "a0", 0, NULL));
        assert_false(gate_table_refuses(t, "a2047", 0, NULL));
        assert_false(gate_table_refuses(t, "b", 0, NULL)); /* the default comes last */
}

/* ------------------------------------------------------------------------------------- random policies */

static uint32_t random_state;

static uint32_t random_below(uint32_t n) {
        random_state = random_state * 1664525U + 1013904223U;
        return (random_state >> 8) % n;
}

#define RANDOM_OF(array) ((array)[random_below(ARRAY_LEN(array))])

static const char *const asked[] = {
        "net-pf-3", "net-pf-38", "net-pf-38-proto-2", "fs-a",   "fs-ab", "fs_b", "a", "ab", "b",
        "m",        "pci:v1",    "usb:v1d2",          "fs-[-]", "fs-]",  ""
};

static const char *random_alias(bool only_literal) {
        static const char *const literal[] = { "net_pf_3",    "net_pf_38", "net_pf_*", "net_pf_38*",
                                               "net_pf_38_*", "*",         "fs_*",     "fs_a",
                                               "fs_a*",       "fs_ab",     "a",        "a*",
                                               "b",           "m",         "pci:*",    "pci:v1",
                                               "usb:v1*",     "fs_b" },
                                 *const others[] = { "net_pf_?", "*_38",   "?*",     "fs_[ab]",
                                                     "fs_[!a]*", "\\a",    "\\*",    "p*:v1",
                                                     "*a*",      "[f]s_*", "fs_\\*", "usb:v*d2" };

        return only_literal || random_below(3) > 0 ? RANDOM_OF(literal) : RANDOM_OF(others);
}

static const char *random_text(PolicyKey key, bool only_literal) {
        static const char *const
                origins[] = { "device", "kernel", "kernel", "client" },
                *const words[] = { "a.service", "a*", "*", "b" }, *const booleans[] = { "yes", "no" },
                *const licenses[] = { "GPL*", "Proprietary", "*" }, *const paths[] = { "/own.ko", "*" },
                *const modules[] = { "a", "m", "a*", "*", "net_pf_38" };

        switch (policy_keys[key].value) {
        case POLICY_VALUE_ALIAS:
                return random_alias(only_literal);
        case POLICY_VALUE_ORIGIN:
                return RANDOM_OF(origins);
        case POLICY_VALUE_BOOLEAN:
                return RANDOM_OF(booleans);
        case POLICY_VALUE_MODULE:
                return RANDOM_OF(modules);
        default:
                return key == POLICY_KEY_PATH                                  ? RANDOM_OF(paths)
                       : key == POLICY_KEY_LICENSE || key == POLICY_KEY_SIGNER ? RANDOM_OF(licenses)
                                                                               : RANDOM_OF(words);
        }
}

static void add_random_patterns(PolicyFile *f, PolicyRule *rule, PolicyKey key, bool only_literal) {
        PolicyPattern patterns[3] = {};
        size_t n = 1 + random_below(ARRAY_LEN(patterns));

        for (size_t i = 0; i < n; i++) {
                patterns[i].negated = random_below(4) == 0;
                if (policy_keys[key].value == POLICY_VALUE_NUMBER) {
                        patterns[i].min = random_below(4) == 0 ? 0
                                                               : 1000 * random_below(3) + random_below(3);
                        patterns[i].max = patterns[i].min + random_below(2) * random_below(2000);
                } else
                        patterns[i].glob = random_text(key, only_literal);
        }
        assert_ok(policy_file_set_match(f, rule, key, patterns, n));
}

/* @known: only what the gate knows as well as lkmd */
static Policy *random_policy(bool known) {
        static const PolicyKey known_keys[] = { POLICY_KEY_ALIAS, POLICY_KEY_ALIAS, POLICY_KEY_UID,
                                                POLICY_KEY_ORIGIN };
        PolicyFile *f = policy_file_new("FILE", POLICY_FILE_RULES);
        PolicySource source = (PolicySource) random_below(POLICY_BY_LIST);
        unsigned n = random_below(10);

        assert_non_null(f);
        for (unsigned i = 0; i < n; i++) {
                PolicyRule *rule = add_rule(f, (PolicyVerdict) random_below(_POLICY_VERDICT_MAX));

                source = source + (random_below(5) == 0 && source < POLICY_BY_LIST);
                rule->source = source;
                if (random_below(2) == 0)
                        rule->verdict = POLICY_DENY;
                if (random_below(4) == 0)
                        rule->mode = (PolicyMode) random_below(_POLICY_MODE_MAX);
                if (!known && random_below(8) == 0)
                        rule->expires_usec = random_below(2 * NOW);
                add_random_patterns(f, rule, POLICY_KEY_ALIAS, known);
                while (random_below(2) == 0)
                        add_random_patterns(f, rule,
                                            known ? RANDOM_OF(known_keys)
                                                  : (PolicyKey) random_below(_POLICY_KEY_MAX),
                                            known);
        }
        if (random_below(3) == 0) {
                f->default_verdict = random_below(3) == 0 ? POLICY_ALLOW : POLICY_DENY;
                f->mode = random_below(2) == 0 ? _POLICY_MODE_INVALID
                                               : (PolicyMode) random_below(_POLICY_MODE_MAX);
        }
        return policy_of(f, random_below(8) == 0 ? POLICY_AUDIT : POLICY_ENFORCE);
}

static bool is_denied(const Policy *p, const PolicySubject *s, uint64_t now_usec) {
        PolicyDecision d;

        policy_judge(p, s, now_usec, &d, NULL, NULL);
        return d.actual.verdict == POLICY_DENY;
}

static uint32_t random_uid(void) {
        return random_below(3) == 0 ? 0 : 1000 * random_below(3) + random_below(4);
}

/* Whatever the gate refuses would be denied whatever it does not know: module, unit, time, lines of modprobe.d. */
static void test_what_is_refused_is_denied(void **state) {
        static const char *const modules[] = { "a", "m", "af_alg", "net_pf_38" },
                                 *const paths[] = { NULL, "/own.ko", "/foreign.ko", "/no.ko" },
                                 *const units[] = { NULL, "a.service", "b" };
        static const ConfigEntry line = { .name = "m", .file = "b.conf", .line = 2001 };
        size_t n_refused = 0;

        random_state = 1;
        for (unsigned i = 0; i < 4000; i++) {
                _cleanup_(policy_freep) Policy *p = random_policy(false);
                _cleanup_(gate_table_freep) GateTable *t = table_of(p);

                for (unsigned k = 0; k < 20; k++) {
                        PolicyRequester who = { .origin = ORIGIN_KERNEL,
                                                .key = RANDOM_OF(asked),
                                                .has_uid = true,
                                                .uid = random_uid() };
                        char name[64];

                        if (!gate_table_refuses(t, who.key, who.uid, NULL))
                                continue;
                        n_refused++;
                        assert_ok(module_name_normalize(who.key, name, sizeof(name)));
                        for (unsigned m = 0; m < 10; m++) {
                                PolicySubject s = {
                                        .requester = &who,
                                        .module = m == 0 ? name : RANDOM_OF(modules),
                                        .path = RANDOM_OF(paths),
                                        .install = random_below(3) == 0 ? &line : NULL,
                                        .blacklist = random_below(3) == 0 ? &line : NULL,
                                };

                                who.unit = RANDOM_OF(units);
                                who.command = RANDOM_OF(units);
                                if (!is_denied(p, &s, NOW + random_below(3) * NOW))
                                        fail_msg("policy %u: %s of %u is refused, and %s may be loaded", i,
                                                 who.key, who.uid, s.module);
                        }
                }
        }
        assert_true(n_refused > 10000);
}

/* Where the gate knows all that matters, it refuses exactly what would be denied. */
static void test_what_is_denied_is_refused(void **state) {
        size_t n_refused = 0, n_asked = 0;

        random_state = 2;
        for (unsigned i = 0; i < 4000; i++) {
                _cleanup_(policy_freep) Policy *p = random_policy(true);
                _cleanup_(gate_table_freep) GateTable *t = table_of(p);

                for (unsigned k = 0; k < 20; k++) {
                        PolicyRequester who = { .origin = ORIGIN_KERNEL,
                                                .key = RANDOM_OF(asked),
                                                .has_uid = true,
                                                .uid = random_uid() };
                        PolicySubject s = { .requester = &who, .module = "x" };
                        bool refused = gate_table_refuses(t, who.key, who.uid, NULL);

                        if (strpbrk(who.key, "[]")) {
                                assert_false(refused);
                                continue;
                        }
                        if (refused != is_denied(p, &s, NOW))
                                fail_msg("policy %u: %s of %u is %s by the gate, and not so by the policy",
                                         i, who.key, who.uid, refused ? "refused" : "asked");
                        n_refused += refused;
                        n_asked += !refused;
                }
        }
        assert_true(n_refused > 10000);
        assert_true(n_asked > 10000);
}

/* -------------------------------------------------------------------------------------------- sockets */

typedef struct SocketCase {
        const char *rules;
        int family, type, protocol;
        uint32_t uid;
        bool refused;
} SocketCase;

/* Rules as files cannot write them yet without the key are made by hand: all have the scope "use". */
static Policy *make_use(const char *rules) {
        Policy *p = policy_bench_make(POLICY_ENFORCE, rules);

        for (size_t i = 0; i < policy_count_rules(p); i++)
                ((PolicyRule *) policy_get_rule(p, i))->scope = POLICY_SCOPE_USE;
        return p;
}

static void test_sockets(void **state) {
        static const SocketCase socket_cases[] = {
                { DENY("alias: net-pf-38, uid: \"!0\""), 38, 5, 0, 65534, true },
                { DENY("alias: net-pf-38, uid: \"!0\""), 38, 5, 0, 0, false },
                { DENY("alias: net-pf-38, uid: \"!0\""), 3, 5, 0, 65534, false },
                { DENY("alias: net-pf-38"), 38, 5, 4711, 0, true },
                { DENY("alias: net-pf-2-proto-132"), 2, 1, 132, 0, true },
                { DENY("alias: net-pf-2-proto-132"), 2, 5, 132, 0, true },
                { DENY("alias: net-pf-2-proto-132"), 2, 1, 6, 0, false },
                { DENY("alias: net-pf-2-proto-132"), 10, 1, 132, 0, false },
                { DENY("alias: net-pf-2-proto-132"), 2, 5, 0, 0, true }, /* SCTP without its number */
                { DENY("alias: net-pf-2-proto-132-type-5"), 2, 5, 0, 0, true },
                { DENY("alias: net-pf-10-proto-132"), 10, 5, 0, 0, true },
                { DENY("alias: net-pf-2-proto-132"), 2, 1, 0, 0, false },
                { DENY("alias: net-pf-38-proto-132"), 38, 5, 0, 0, false },
                { DENY("alias: net-pf-2-proto-0"), 2, 5, 0, 0, false },
                { DENY("alias: net-pf-2-proto-0"), 2, 3, 0, 0, true },
                { DENY("alias: \"net-pf-2-proto-*\""), 2, 1, 5000, 0, true },
                { DENY("alias: [\"net-pf-*\", \"!net-pf-2-proto-6\"]"), 2, 1, 6, 0, false },
                { DENY("alias: [\"net-pf-*\", \"!net-pf-2-proto-6\"]"), 2, 1, 17, 0, true },
                { DENY("alias: [\"net-pf-*\", \"!net-pf-1\"]"), 1, 1, 0, 0, false },
                { DENY("alias: [\"net-pf-*\", \"!net-pf-1\"]"), 17, 3, 768, 0, true },
                { TWO("alias: net-pf-2-proto-132, uid: 5", "allow", "alias: net-pf-2", "deny"), 2, 1, 132, 5, false },
                { TWO("alias: net-pf-2-proto-132, uid: 5", "allow", "alias: net-pf-2", "deny"), 2, 1, 132, 6, true },
                { TWO("alias: net-pf-2-proto-132, uid: 5", "allow", "alias: net-pf-2", "deny"), 2, 1, 17, 5, true },
                { DENY("alias: net-pf-38, origin: client"), 38, 5, 0, 0, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(socket_cases); i++) {
                const SocketCase *c = socket_cases + i;
                _cleanup_(policy_freep) Policy *p = make_use(c->rules);
                _cleanup_(gate_table_freep) GateTable *t = table_of(p);

                if (gate_table_refuses_socket(t, c->family, c->type, c->protocol, c->uid, NULL) !=
                    c->refused)
                        fail_msg("socket(%d, %d, %d) of %u should%s be refused by:\n%s", c->family, c->type,
                                 c->protocol, c->uid, c->refused ? "" : " not", c->rules);
                assert_false(t->has_too_many_sockets);
        }
}

/* Rules about loads, and the default, decide about no socket. */
static void test_loads_are_not_sockets(void **state) {
        _cleanup_(policy_freep)
                Policy *p = policy_bench_make(POLICY_ENFORCE, "default: deny\n" DENY("alias: net-pf-38"));
        _cleanup_(gate_table_freep) GateTable *t = table_of(p);

        assert_int_equal(t->n_sockets, 0);
        assert_true(gate_table_refuses(t, "net-pf-38", 0, NULL));
        assert_false(gate_table_refuses_socket(t, 38, 5, 0, 0, NULL));
}

static void test_too_many_sockets(void **state) {
        _cleanup_(policy_freep) Policy *p = make_use(DENY("alias: \"net-pf-*-proto-*-type-1\""));
        _cleanup_(gate_table_freep) GateTable *t = table_of(p);

        assert_true(t->has_too_many_sockets);
        assert_int_equal(t->n_sockets, 0);
}

/* A judge of sockets who knows no shortcut: the first rule that matches one of the names. */
static bool naive_refuses_socket(const Policy *p, int family, int type, int protocol, uint32_t uid) {
        char names[3][64];

        if (family == 2 && protocol == 0)
                protocol = type == 1 ? 6 : type == 2 ? 17 : type == 5 ? 132 : type == 6 ? 33 : 0;
        (void) snprintf(names[0], sizeof(names[0]), "net_pf_%d", family);
        (void) snprintf(names[1], sizeof(names[1]), "net_pf_%d_proto_%d", family, protocol);
        (void) snprintf(names[2], sizeof(names[2]), "net_pf_%d_proto_%d_type_%d", family, protocol, type);
        for (size_t i = 0; i < policy_count_rules(p); i++) {
                const PolicyRule *rule = policy_get_rule(p, i);
                const PolicyPatterns *globs = rule->match + POLICY_KEY_ALIAS,
                                     *uids = rule->match + POLICY_KEY_UID;
                bool wanted = false, any_wanted = false, unwanted = false, is_user = uids->n_items == 0;

                for (size_t k = 0; k < uids->n_items; k++)
                        is_user |= uid >= uids->items[k].min && uid <= uids->items[k].max;
                for (size_t k = 0; k < globs->n_items; k++)
                        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
                                const char *glob = globs->items[k].glob;
                                size_t length = strlen(glob);
                                bool is = glob[length - 1] == '*' ? strncmp(names[n], glob, length - 1) == 0
                                                                  : streq(names[n], glob);

                                any_wanted |= !globs->items[k].negated;
                                wanted |= is && !globs->items[k].negated;
                                unwanted |= is && globs->items[k].negated;
                        }
                if (rule->mode == POLICY_ENFORCE && rule->verdict != POLICY_NO_VERDICT && is_user &&
                    !unwanted && (wanted || !any_wanted))
                        return rule->verdict == POLICY_DENY;
        }
        return false;
}

static Policy *random_use_policy(void) {
        static const char *const globs[] = { "net_pf_2",
                                             "net_pf_2*",
                                             "net_pf_*",
                                             "net_pf_2_*",
                                             "net_pf_2_proto_132",
                                             "net_pf_38",
                                             "net_pf_2_proto_13*",
                                             "net_pf_3*",
                                             "net_pf_2_proto_132_type_1",
                                             "net_pf_2_proto_132_*",
                                             "net_pf_2_proto_0_type_5",
                                             "net_pf_38_proto_*" };
        PolicyFile *f = policy_file_new("FILE", POLICY_FILE_RULES);

        assert_non_null(f);
        for (unsigned n = 1 + random_below(5); n > 0; n--) {
                PolicyRule *rule = add_rule(f, (PolicyVerdict) (1 + random_below(3)));
                PolicyPattern patterns[3] = {};
                size_t n_patterns = 1 + random_below(3);

                rule->scope = POLICY_SCOPE_USE;
                rule->mode = random_below(6) == 0 ? POLICY_AUDIT : POLICY_ENFORCE;
                for (size_t i = 0; i < n_patterns; i++)
                        patterns[i] = (PolicyPattern) { .glob = RANDOM_OF(globs),
                                                        .negated = random_below(5) == 0 };
                assert_ok(policy_file_set_match(f, rule, POLICY_KEY_ALIAS, patterns, n_patterns));
                if (random_below(2) == 0)
                        match_number(f, rule, random_below(3), 3 + random_below(3));
        }
        return policy_of(f, POLICY_ENFORCE);
}

static void test_sockets_beside_a_naive_judge(void **state) {
        static const int families[] = { 1, 2, 3, 20, 38 },
                         protocols[] = { 0, 6, 13, 131, 132, 139, 262, 263, 132000 };
        size_t n_refused = 0, n_allowed = 0;

        random_state = 3;
        for (unsigned i = 0; i < 300; i++) {
                _cleanup_(policy_freep) Policy *p = random_use_policy();
                _cleanup_(gate_table_freep) GateTable *t = table_of(p);

                for (unsigned k = 0; k < 100; k++) {
                        int family = RANDOM_OF(families), protocol = RANDOM_OF(protocols),
                            type = 1 + (int) random_below(6);
                        uint32_t uid = random_below(7);
                        bool refused = gate_table_refuses_socket(t, family, type, protocol, uid, NULL),
                             expected = naive_refuses_socket(p, family, type, protocol, uid);

                        /* Of protocols that are not told apart some may be allowed. */
                        if (protocol > (int) GATE_PROTOCOL_MAX ? refused && !expected : refused != expected)
                                fail_msg("policy %u: socket(%d, %d, %d) of %u is%s refused", i, family, type,
                                         protocol, uid, refused ? "" : " not");
                        n_refused += refused;
                        n_allowed += !refused;
                }
        }
        assert_true(n_refused > 2000);
        assert_true(n_allowed > 2000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_without_policy),
                cmocka_unit_test(test_mode_of_the_settings),
                cmocka_unit_test(test_entries),
                cmocka_unit_test(test_many_users),
                cmocka_unit_test(test_many_patterns),
                cmocka_unit_test(test_what_is_refused_is_denied),
                cmocka_unit_test(test_what_is_denied_is_refused),
                cmocka_unit_test(test_sockets),
                cmocka_unit_test(test_loads_are_not_sockets),
                cmocka_unit_test(test_too_many_sockets),
                cmocka_unit_test(test_sockets_beside_a_naive_judge),
        };

        return RUN_TESTS(tests);
}
