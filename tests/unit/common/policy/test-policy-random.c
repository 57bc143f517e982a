/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy_judge() beside a judge who knows no shortcut (naive_judge(), with fnmatch(3)), on random policies
 * and subjects.
 */

#include "common/policy/policy.h"

#include <fnmatch.h>

#include "common/policy/policy-file.h"
#include "policy-bench.h"
#include "test.h"

#define NOW 1000U
#define POLICIES 400U
#define SUBJECTS 60U                    /* of each: 24,000 pairs */

static const char *const random_modules[] = {
        "a", "ab", "abc", "b", "bc", "snd_hda", "snd_usb", "*", "x[y"
};
static const char *const random_globs[] = { "a",    "ab",  "abc",        "b",     "snd_hda",  "snd_usb",
                                            "none", "a*",  "ab?",        "snd_*", "s[mn]d_*", "*",
                                            "?",    "?b*", "[ab]",       "[!a]*", "*c",       "\\a",
                                            "\\*",  "b*c", "[[:alpha:]]" };

static uint32_t random_state;

static uint32_t random_below(uint32_t n) {
        random_state = random_state * 1664525U + 1013904223U;
        return (random_state >> 8) % n;
}

#define RANDOM_OF(array) ((array)[random_below(ARRAY_LEN(array))])

static const char *random_value(PolicyKey key) {
        static const char *const
                aliases[] = { "net_pf_*", "pci:*", "*", "usb:v1*", "a" },
                *const origins[] = { "device", "kernel", "client", "boot", "container" },
                *const words[] = { "pci", "usb", "p*", "*" }, *const booleans[] = { "yes", "no" },
                *const licenses[] = { "GPL*", "Proprietary", "*" },
                *const places[] = { "/own.ko", "/*n.ko", "*" }, *const signers[] = { "Vendor*", "?*" };

        switch (key) {
        case POLICY_KEY_MODULE:
                return RANDOM_OF(random_globs);
        case POLICY_KEY_PATH:
                return RANDOM_OF(places);
        case POLICY_KEY_LICENSE:
                return RANDOM_OF(licenses);
        case POLICY_KEY_SIGNER:
                return RANDOM_OF(signers);
        case POLICY_KEY_SIGNED:
        case POLICY_KEY_INTREE:
                return RANDOM_OF(booleans);
        case POLICY_KEY_ALIAS:
        case POLICY_KEY_MODALIAS:
                return RANDOM_OF(aliases);
        case POLICY_KEY_ORIGIN:
                return RANDOM_OF(origins);
        default:
                return RANDOM_OF(words);
        }
}

static void add_random_patterns(PolicyFile *f, PolicyRule *rule, PolicyKey key) {
        PolicyPattern patterns[3] = {};
        size_t n = 1 + random_below(ARRAY_LEN(patterns));

        for (size_t i = 0; i < n; i++) {
                patterns[i].negated = random_below(4) == 0;
                if (key == POLICY_KEY_UID) {
                        patterns[i].min = random_below(4);
                        patterns[i].max = patterns[i].min + random_below(3);
                } else
                        patterns[i].glob = random_value(key);
        }
        assert_ok(policy_file_set_match(f, rule, key, patterns, n));
}

/* One file, as several would be: ordered by what its rules come from. */
static Policy *random_policy(PolicyMode mode) {
        PolicyOptions options = { .mode = mode, .facts = policy_bench_facts };
        PolicyFile *f = policy_file_new("FILE", POLICY_FILE_RULES), **files = calloc(1, sizeof(*files));
        PolicySource source = (PolicySource) random_below(POLICY_BY_LIST);
        unsigned n = random_below(24);
        Policy *p = NULL;

        assert_true(f && files);
        for (unsigned i = 0; i < n; i++) {
                PolicyRule *rule;

                source = source + (random_below(5) == 0 && source < POLICY_BY_LIST);
                rule = policy_file_add_rule(f, source, i + 1, 1);
                assert_non_null(rule);
                rule->verdict = (PolicyVerdict) random_below(_POLICY_VERDICT_MAX);
                rule->mode = (PolicyMode) random_below(_POLICY_MODE_MAX);
                if (random_below(8) == 0)
                        rule->expires_usec = random_below(2 * NOW);
                if (random_below(5) > 0)
                        add_random_patterns(f, rule, POLICY_KEY_MODULE);
                while (random_below(3) == 0)
                        add_random_patterns(f, rule, (PolicyKey) (1 + random_below(_POLICY_KEY_MAX - 1)));
        }
        if (random_below(2) == 0) {
                f->default_verdict = random_below(2) == 0 ? POLICY_ALLOW : POLICY_DENY;
                f->default_line = 1000;
                f->mode = random_below(2) == 0 ? _POLICY_MODE_INVALID
                                               : (PolicyMode) random_below(_POLICY_MODE_MAX);
        }
        files[0] = f;
        assert_ok(policy_new(&p, files, 1, &options));
        return p;
}

static void random_subject(PolicySubject *ret, PolicyRequester *requester) {
        static const ConfigEntry install = { .name = "m", .file = "i.conf", .line = 2000 },
                                 blacklist = { .name = "m", .file = "b.conf", .line = 2001 },
                                 boot = { .name = "m", .file = "/proc/cmdline", .line = 2002 };
        static const char *const keys[] = { NULL, "a", "ab", "net_pf_3", "pci:v1", "usb:v1" },
                                 *const words[] = { NULL, "pci", "usb" },
                                 *const paths[] = { NULL, "/own.ko", "/foreign.ko", "/nameless.ko",
                                                    "/no.ko" };

        *requester = (PolicyRequester) {
                .origin = random_below(5) == 0 ? _ORIGIN_INVALID : (RequestOrigin) random_below(_ORIGIN_MAX),
                .key = RANDOM_OF(keys),
                .subsystem = RANDOM_OF(words),
                .driver = RANDOM_OF(words),
                .unit = RANDOM_OF(words),
                .command = RANDOM_OF(words),
                .container = RANDOM_OF(words),
                .has_uid = random_below(2) == 0,
                .uid = random_below(5),
        };
        *ret = (PolicySubject) {
                .requester = random_below(8) == 0 ? NULL : requester,
                .part = (PolicyPart) random_below(3),
                .module = RANDOM_OF(random_modules),
                .path = RANDOM_OF(paths),
                .install = random_below(6) == 0 ? &install : NULL,
                .blacklist = random_below(6) == 0 ? &blacklist : NULL,
                .command_line_blacklist = random_below(6) == 0 ? &boot : NULL,
        };
}

static bool naive_is_of_module(PolicyKey key) {
        return key == POLICY_KEY_MODULE || key == POLICY_KEY_PATH || key == POLICY_KEY_LICENSE ||
               key == POLICY_KEY_SIGNED || key == POLICY_KEY_SIGNER || key == POLICY_KEY_INTREE;
}

/* NULL: it is not known. */
static const char *naive_value(PolicyKey key, const PolicySubject *s) {
        const ModuleFacts *facts = s->path ? policy_bench_facts(s->path, NULL) : NULL;
        const PolicyRequester *r = s->requester;

        if (naive_is_of_module(key) && key != POLICY_KEY_MODULE && key != POLICY_KEY_PATH && !facts)
                return NULL;
        if (!naive_is_of_module(key) && !r)
                return NULL;
        switch (key) {
        case POLICY_KEY_MODULE:
                return s->module;
        case POLICY_KEY_PATH:
                return s->path;
        case POLICY_KEY_SIGNER:
                return facts->signer ?: "";
        case POLICY_KEY_LICENSE:
                return facts->license ?: "";
        case POLICY_KEY_SIGNED:
                return facts->is_signed ? "yes" : "no";
        case POLICY_KEY_INTREE:
                return facts->in_tree ? "yes" : "no";
        case POLICY_KEY_MODALIAS:
                if (r->key && !strchr(r->key, ':'))
                        return NULL;
                return naive_value(POLICY_KEY_ALIAS, s);
        case POLICY_KEY_ALIAS:
                return s->part == POLICY_REQUESTED && r->origin != ORIGIN_KERNEL &&
                                       streq_ptr(r->key, s->module)
                               ? NULL
                               : r->key;
        case POLICY_KEY_ORIGIN:
                return request_origin_to_string(r->origin);
        case POLICY_KEY_SUBSYSTEM:
                return r->subsystem;
        case POLICY_KEY_DRIVER:
                return r->driver;
        case POLICY_KEY_UNIT:
                return r->unit;
        case POLICY_KEY_COMMAND:
                return r->command;
        case POLICY_KEY_CONTAINER:
                return r->container;
        default:
                return r->has_uid || r->origin == ORIGIN_KERNEL ? "" : NULL;
        }
}

static bool naive_match(const PolicyRule *rule, const PolicySubject *s) {
        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++) {
                const PolicyPatterns *patterns = rule->match + key;
                const char *value = naive_value(key, s);
                size_t n_wanted = 0, n_found = 0;

                if (patterns->n_items == 0)
                        continue;
                if (!value)
                        return false;
                for (size_t i = 0; i < patterns->n_items; i++) {
                        const PolicyPattern *p = patterns->items + i;
                        bool is = key == POLICY_KEY_UID
                                          ? s->requester->has_uid && s->requester->uid >= p->min &&
                                                    s->requester->uid <= p->max
                                          : fnmatch(p->glob, value, 0) == 0;

                        if (p->negated && is)
                                return false;
                        n_wanted += !p->negated;
                        n_found += !p->negated && is;
                }
                if (n_wanted > 0 && n_found == 0)
                        return false;
        }
        return true;
}

typedef struct NaiveRuling {
        bool is_set;
        PolicySource source;
        PolicyVerdict verdict;
        unsigned line;
} NaiveRuling;

typedef struct NaiveDecision {
        NaiveRuling actual, would;
} NaiveDecision;

static void naive_meet(NaiveDecision *d, PolicySource source, PolicyVerdict verdict, unsigned line,
                       PolicyMode mode) {
        NaiveRuling ruling = { true, source, verdict, line };

        if (verdict == POLICY_NO_VERDICT || mode == POLICY_OFF)
                return;
        if (!d->would.is_set)
                d->would = ruling;
        if (!d->actual.is_set && mode == POLICY_ENFORCE)
                d->actual = ruling;
}

static bool naive_is_for_container(const PolicySubject *s) {
        return s->requester && s->requester->origin == ORIGIN_CONTAINER && s->part == POLICY_REQUESTED;
}

/* Has the rule the word container in one of two places? */
static bool naive_names_containers(const PolicyRule *rule) {
        const PolicyPatterns *origins = rule->match + POLICY_KEY_ORIGIN;

        for (size_t i = 0; i < origins->n_items; i++)
                if (!origins->items[i].negated && streq(origins->items[i].glob, "container"))
                        return true;
        return rule->match[POLICY_KEY_CONTAINER].n_items > 0;
}

static void naive_meet_rule(NaiveDecision *d, const PolicyRule *rule, const PolicySubject *s,
                            PolicyMode mode) {
        bool of_module = rule->match[POLICY_KEY_MODULE].n_items > 0 ||
                         rule->match[POLICY_KEY_PATH].n_items > 0 ||
                         rule->match[POLICY_KEY_LICENSE].n_items > 0 ||
                         rule->match[POLICY_KEY_SIGNED].n_items > 0 ||
                         rule->match[POLICY_KEY_SIGNER].n_items > 0 ||
                         rule->match[POLICY_KEY_INTREE].n_items > 0;

        if (rule->expires_usec <= NOW || !naive_match(rule, s))
                return;
        if (rule->verdict == POLICY_DENY && s->part != POLICY_REQUESTED && !of_module)
                return;
        if (naive_is_for_container(s) && (rule->verdict == POLICY_REPORT ||
                                          (rule->verdict == POLICY_ALLOW && !naive_names_containers(rule))))
                return;
        if (rule->source <= POLICY_BY_COMMAND_LINE)
                mode = POLICY_ENFORCE;
        else
                mode = MIN(mode, rule->mode);
        naive_meet(d, rule->source, rule->verdict, rule->line, mode);
}

static NaiveDecision naive_judge(const Policy *p, const PolicySubject *s, PolicyMode mode) {
        const PolicyFile *f = policy_get_file(p, 0);
        NaiveDecision d = {};

        for (size_t i = 0; i < f->n_rules; i++)
                if (f->rules[i].source <= POLICY_BY_COMMAND_LINE)
                        naive_meet_rule(&d, f->rules + i, s, mode);
        if (s->command_line_blacklist)
                naive_meet(&d, POLICY_BY_COMMAND_LINE, POLICY_DENY, s->command_line_blacklist->line,
                           POLICY_ENFORCE);
        for (size_t i = 0; i < f->n_rules; i++)
                if (f->rules[i].source > POLICY_BY_COMMAND_LINE)
                        naive_meet_rule(&d, f->rules + i, s, mode);
        if (s->install)
                naive_meet(&d, POLICY_BY_INSTALL, POLICY_DENY, s->install->line, POLICY_ENFORCE);
        if (s->blacklist)
                naive_meet(&d, POLICY_BY_BLACKLIST, POLICY_DENY, s->blacklist->line, POLICY_ENFORCE);
        if (naive_is_for_container(s))
                naive_meet(&d, POLICY_BY_DEFAULT, POLICY_DENY, 0, POLICY_ENFORCE);
        if (s->part != POLICY_DEPENDENCY && f->default_verdict != POLICY_NO_VERDICT)
                naive_meet(&d, POLICY_BY_DEFAULT, f->default_verdict, f->default_line,
                           f->mode == _POLICY_MODE_INVALID ? mode : MIN(mode, f->mode));
        naive_meet(&d, POLICY_BY_DEFAULT, POLICY_ALLOW, 0, POLICY_ENFORCE);
        return d;
}

static bool is_same(const PolicyRuling *found, const NaiveRuling *expected) {
        return found->source == expected->source && found->verdict == expected->verdict &&
               found->line == expected->line;
}

static void count(PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        size_t *n = userdata;

        n[how]++;
}

static void test_beside_a_naive_judge(void **state) {
        size_t n_verdicts[_POLICY_VERDICT_MAX] = {}, n_sources[_POLICY_SOURCE_MAX] = {}, n_different = 0;

        random_state = 1;
        for (unsigned i = 0; i < POLICIES; i++) {
                PolicyMode mode = (PolicyMode) (i % 4 < 2    ? POLICY_ENFORCE
                                                : i % 4 == 2 ? POLICY_AUDIT
                                                             : POLICY_OFF);
                _cleanup_(policy_freep) Policy *p = random_policy(mode);

                for (unsigned k = 0; k < SUBJECTS; k++) {
                        size_t n_trace[_POLICY_TRACE_STEP_MAX] = {};
                        PolicyDecision found, told;
                        NaiveDecision expected;
                        PolicyRequester requester;
                        PolicySubject subject;

                        random_subject(&subject, &requester);
                        expected = naive_judge(p, &subject, mode);
                        policy_judge(p, &subject, NOW, &found, NULL, NULL);
                        policy_judge(p, &subject, NOW, &told, count, n_trace);
                        if (!is_same(&found.actual, &expected.actual) ||
                            !is_same(&found.would, &expected.would) ||
                            !is_same(&told.actual, &expected.actual) ||
                            !is_same(&told.would, &expected.would))
                                fail_msg(
                                        "policy %u, subject %u (%s): %s by %s:%u, would %s:%u, expected "
                                        "%s:%u, %s:%u",
                                        i, k, subject.module, policy_verdict_to_string(found.actual.verdict),
                                        policy_source_to_string(found.actual.source), found.actual.line,
                                        policy_source_to_string(found.would.source), found.would.line,
                                        policy_source_to_string(expected.actual.source),
                                        expected.actual.line, policy_source_to_string(expected.would.source),
                                        expected.would.line);
                        assert_int_equal(n_trace[POLICY_DECIDES], 1);
                        n_verdicts[found.actual.verdict]++;
                        n_sources[found.actual.source]++;
                        n_different += found.actual.verdict != found.would.verdict;
                }
        }

        /* The random ones were worth it: everything occurred. */
        assert_int_equal(n_verdicts[POLICY_NO_VERDICT], 0);
        for (PolicyVerdict v = POLICY_ALLOW; v < _POLICY_VERDICT_MAX; v++)
                assert_true(n_verdicts[v] > 500);
        for (PolicySource s = 0; s < _POLICY_SOURCE_MAX; s++)
                if (n_sources[s] <= 100)
                        fail_msg("%s decided %zu times", policy_source_to_string(s), n_sources[s]);
        assert_true(n_different > 500);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_beside_a_naive_judge),
        };

        return RUN_TESTS(tests);
}
