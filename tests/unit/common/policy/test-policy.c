/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one function that decides, case by case; test-policy-random.c compares it with a simpler one. */

#include "common/policy/policy.h"

#include "common/policy-files/policy-command-line.h"
#include "common/policy-files/policy-parse.h"
#include "policy-bench.h"
#include "test.h"

#define NOW 1000U

/* --------------------------------------------------------------------------------- policies from texts */

typedef struct Source {
        PolicyFileKind kind;
        bool is_command_line;
        const char *text; /* NULL: there are no more */
} Source;

#define RULES(text) { POLICY_FILE_RULES, false, "version: 1\n" text }
#define GRANTS(text) { POLICY_FILE_GRANTS, false, "version: 1\n" text }
#define LIST(text) { POLICY_FILE_LIST, false, "version: 1\n" text }
#define COMMAND_LINE(text) { POLICY_FILE_RULES, true, text }

static Policy *make(PolicyMode mode, const Source *sources, size_t *n_asked) {
        PolicyOptions options = { .mode = mode, .facts = policy_bench_facts, .facts_userdata = n_asked };
        PolicyFile **files;
        Policy *p = NULL;
        size_t n = 0;

        while (sources[n].text)
                n++;
        files = calloc(n + 1, sizeof(*files));
        assert_non_null(files);
        for (size_t i = 0; i < n; i++) {
                ProblemList problems = {};
                int r;

                r = sources[i].is_command_line
                            ? policy_command_line_parse(files + i, sources[i].text, &problems)
                            : policy_file_parse(files + i, "FILE", sources[i].kind, sources[i].text,
                                                strlen(sources[i].text), &problems);
                if (r < 0 || problems.n_items > 0)
                        fail_msg("%s\n%u:%u: %s", sources[i].text, problems.items[0].line,
                                 problems.items[0].column, problems.items[0].message);
        }
        assert_ok(policy_new(&p, files, n, &options));
        return p;
}

static Policy *make_one(const char *rules) {
        return policy_bench_make(POLICY_ENFORCE, rules);
}

static PolicyDecision judge(const Policy *p, const PolicySubject *subject) {
        PolicyDecision decision;

        policy_judge(p, subject, NOW, &decision, NULL, NULL);
        return decision;
}

static PolicyDecision judge_module(const Policy *p, const char *module) {
        return judge(p, &(PolicySubject) { .module = module });
}

/* The id of the rule that decided, or what else did. */
static const char *name_of(const PolicyRuling *ruling) {
        return ruling->id ?: policy_source_to_string(ruling->source);
}

static void expect_decision(const PolicyDecision *found, PolicyVerdict verdict, const char *by,
                            PolicyVerdict would, const char *would_by) {
        if (found->actual.verdict != verdict || found->would.verdict != would ||
            !streq(name_of(&found->actual), by) || !streq(name_of(&found->would), would_by))
                fail_msg("%s by %s, would %s by %s", policy_verdict_to_string(found->actual.verdict),
                         name_of(&found->actual), policy_verdict_to_string(found->would.verdict),
                         name_of(&found->would));
}

#define EXPECT(p, subject, verdict, by)                         \
        do {                                                    \
                PolicyDecision _d = judge(p, subject);          \
                expect_decision(&_d, verdict, by, verdict, by); \
        } while (0)

/* ----------------------------------------------------------------------------------------------- order */

static void test_nothing(void **state) {
        PolicySubject subject = { .module = "m" };

        EXPECT(NULL, &subject, POLICY_ALLOW, "default");
        assert_true(policy_is_empty(NULL));
        assert_int_equal(policy_count_rules(NULL), 0);
}

/* Take away what decides, and the next in the order does. */
static void test_order_of_sources(void **state) {
        static const ConfigEntry install = { .name = "m",
                                             .value = "/bin/false",
                                             .file = "i.conf",
                                             .line = 3 },
                                 blacklist = { .name = "m", .file = "b.conf", .line = 4 },
                                 boot = { .name = "m", .file = "/proc/cmdline" };
        static const Source all[] = {
                COMMAND_LINE("lkmd.deny=m module_blacklist=m"),
                COMMAND_LINE("lkmd.deny=m"),
                GRANTS("rules: [{id: g, match: {module: m}, verdict: deny, reason: r}]"),
                RULES("rules: [{id: r, match: {module: m}, verdict: deny}]"),
                LIST("rules: [{id: l, match: {module: m}, verdict: deny, reason: r, source: s}]"),
                RULES("default: deny"),
                {},
        };
        static const struct {
                size_t first; /* of all[] */
                const ConfigEntry *boot, *install, *blacklist;
                PolicySource source;
                const char *file;
        } cases[] = {
                { 0, &boot, &install, &blacklist, POLICY_BY_KERNEL, "/proc/cmdline" },
                { 1, &boot, &install, &blacklist, POLICY_BY_COMMAND_LINE, "/proc/cmdline" },
                { 2, &boot, &install, &blacklist, POLICY_BY_COMMAND_LINE, "/proc/cmdline" },
                { 2, NULL, &install, &blacklist, POLICY_BY_GRANT, "FILE" },
                { 3, NULL, &install, &blacklist, POLICY_BY_RULE, "FILE" },
                { 4, NULL, &install, &blacklist, POLICY_BY_LIST, "FILE" },
                { 5, NULL, &install, &blacklist, POLICY_BY_INSTALL, "i.conf" },
                { 5, NULL, NULL, &blacklist, POLICY_BY_BLACKLIST, "b.conf" },
                { 5, NULL, NULL, NULL, POLICY_BY_DEFAULT, "FILE" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(policy_freep) Policy *p = make(POLICY_ENFORCE, all + cases[i].first, NULL);
                PolicyDecision d;

                d = judge(p, &(PolicySubject) {
                                     .module = "m",
                                     .install = cases[i].install,
                                     .blacklist = cases[i].blacklist,
                                     .command_line_blacklist = cases[i].boot,
                             });
                assert_int_equal(d.actual.verdict, POLICY_DENY);
                assert_int_equal(d.actual.source, cases[i].source);
                assert_string_equal(d.actual.file, cases[i].file);
                if (!d.actual.rule || d.actual.line == 0)
                        assert_non_null(d.actual.reason);
        }
}

static void test_allow_comes_before(void **state) {
        static const ConfigEntry line = { .name = "m", .file = "x.conf", .line = 1 };
        static const Source by_rule[] = { RULES("rules: [{id: r, match: {module: m}, verdict: allow}]"),
                                          {} },
                            by_boot[] = { COMMAND_LINE("lkmd.allow=m"), {} };
        _cleanup_(policy_freep) Policy *rule = make(POLICY_ENFORCE, by_rule, NULL),
                                       *boot = make(POLICY_ENFORCE, by_boot, NULL);
        PolicySubject modprobe = { .module = "m", .install = &line, .blacklist = &line },
                      command_line = { .module = "m", .command_line_blacklist = &line };

        EXPECT(rule, &modprobe, POLICY_ALLOW, "r");
        EXPECT(rule, &command_line, POLICY_DENY, "command_line");
        EXPECT(boot, &command_line, POLICY_ALLOW, "command_line");
}

/* "no", "yes", a number of seconds, or "" */
static void expect_idle(const Policy *p, const char *module, const char *expected) {
        const PolicyRule *rule = policy_find_idle(
                p, &(PolicySubject) { .module = module, .part = POLICY_REQUESTED }, NOW);
        char found[32] = "";

        if (rule && rule->idle_unload_usec == POLICY_IDLE_YES)
                (void) stpcpy(found, "yes");
        else if (rule && rule->idle_unload_usec == POLICY_IDLE_NO)
                (void) stpcpy(found, "no");
        else if (rule)
                snprintf(found, sizeof(found), "%llu",
                         (unsigned long long) rule->idle_unload_usec / 1000000);
        assert_string_equal(found, expected);
}

static void test_idle_unload(void **state) {
        _cleanup_(policy_freep) Policy *none = make_one("rules: [{match: {module: a}, verdict: deny}]\n");
        _cleanup_(policy_freep) Policy *words = make_one("rules: [{match: {module: a}, idle-unload: no}]\n");
        _cleanup_(policy_freep)
                Policy *p = make_one("rules:\n"
                                     "- {match: {module: a}, verdict: deny}\n"
                                     "- {match: {module: a}, idle-unload: 1min 30s, mode: audit}\n"
                                     "- {match: {module: a}, idle-unload: 2min}\n"
                                     "- {match: {module: 'a*'}, idle-unload: no}\n"
                                     "- {match: {module: b}, idle-unload: yes, verdict: allow}\n");

        assert_int_equal(policy_least_idle_usec(NULL), 0);
        assert_int_equal(policy_least_idle_usec(none), 0);
        assert_true(policy_least_idle_usec(words) == UINT64_MAX);
        assert_int_equal(policy_least_idle_usec(p), 90 * 1000000);
        expect_idle(p, "a", "120");     /* the verdict before it decides about loads only */
        expect_idle(p, "ab", "no");
        expect_idle(p, "b", "yes");
        expect_idle(p, "c", "");
        expect_idle(none, "a", "");
        expect_idle(NULL, "a", "");
        assert_int_equal(judge_module(p, "ab").actual.verdict, POLICY_ALLOW);
}

static void test_first_match_wins(void **state) {
        _cleanup_(policy_freep) Policy *p = make_one(
                "rules:\n"
                "- {id: wild, match: {module: '*_x'}, verdict: allow}\n"
                "- {id: literal, match: {module: [snd_hda, e1000e, snd_hda]}, verdict: deny}\n"
                "- {id: initial, match: {module: snd-*}, verdict: allow}\n"
                "- {id: late, match: {module: [snd_usb, snd_hda_x, foo]}, verdict: deny}\n"
                "- {id: mixed, match: {module: [foo, bar*]}, verdict: audit}\n"
                "- {id: not, match: {module: '!last'}, verdict: deny}\n"
                "- {id: all, verdict: audit}\n");
        static const struct {
                const char *module, *by;
                PolicyVerdict verdict;
        } cases[] = {
                { "snd_hda", "literal", POLICY_DENY },  { "e1000e", "literal", POLICY_DENY },
                { "snd_usb", "initial", POLICY_ALLOW }, { "snd_hda_x", "wild", POLICY_ALLOW },
                { "foo", "late", POLICY_DENY },         { "bar1", "mixed", POLICY_REPORT },
                { "other", "not", POLICY_DENY },        { "last", "all", POLICY_REPORT },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                PolicyDecision d = judge_module(p, cases[i].module);

                expect_decision(&d, cases[i].verdict, cases[i].by, cases[i].verdict, cases[i].by);
        }
}

/* ------------------------------------------------------------------------------------- modes and times */

static void test_modes(void **state) {
        static const Source sources[] = {
                COMMAND_LINE("lkmd.deny=boot"),
                RULES("mode: audit\n"
                      "rules:\n"
                      "- {id: off, match: {module: m}, verdict: allow, mode: off}\n"
                      "- {id: audit, match: {module: m}, verdict: deny}\n"
                      "- {id: late, match: {module: m}, verdict: audit}\n"
                      "- {id: enforce, match: {module: [m, n]}, verdict: audit, mode: enforce}\n"),
                RULES("default: deny\nmode: audit"),
                {},
        };
        _cleanup_(policy_freep) Policy *p = make(POLICY_ENFORCE, sources, NULL);
        PolicyDecision d;
        PolicyMode mode;

        d = judge_module(p, "m");
        expect_decision(&d, POLICY_REPORT, "enforce", POLICY_DENY, "audit");
        d = judge_module(p, "n");
        expect_decision(&d, POLICY_REPORT, "enforce", POLICY_REPORT, "enforce");
        d = judge_module(p, "o");
        expect_decision(&d, POLICY_ALLOW, "default", POLICY_DENY, "default");
        assert_int_equal(policy_get_default(p, &mode).verdict, POLICY_DENY);
        assert_int_equal(mode, POLICY_AUDIT);

        policy_set_mode(p, POLICY_AUDIT); /* no rule has more force than lkmd.conf gives it .. */
        d = judge_module(p, "m");
        expect_decision(&d, POLICY_ALLOW, "default", POLICY_DENY, "audit");
        d = judge_module(p, "boot"); /* .. but for the kernel command line */
        expect_decision(&d, POLICY_DENY, "command_line", POLICY_DENY, "command_line");

        policy_set_mode(p, POLICY_OFF);
        d = judge_module(p, "m");
        expect_decision(&d, POLICY_ALLOW, "default", POLICY_ALLOW, "default");
        d = judge_module(p, "boot");
        expect_decision(&d, POLICY_DENY, "command_line", POLICY_DENY, "command_line");
}

static void test_expired(void **state) {
        _cleanup_(policy_freep) Policy *p = make_one(
                "rules:\n"
                "- {id: early, match: {module: m}, verdict: deny, expires: '1970-01-01T00:00:00.001000Z'}\n"
                "- {id: later, match: {module: m}, verdict: audit, expires: "
                "'1970-01-01T00:00:00.001001Z'}\n");
        PolicySubject subject = { .module = "m" };
        PolicyDecision d;

        policy_judge(p, &subject, NOW - 1, &d, NULL, NULL);
        assert_string_equal(name_of(&d.actual), "early");
        policy_judge(p, &subject, NOW, &d, NULL, NULL);
        assert_string_equal(name_of(&d.actual), "later");
        policy_judge(p, &subject, NOW + 1, &d, NULL, NULL);
        assert_string_equal(name_of(&d.actual), "default");
}

/* -------------------------------------------------------------------------------------------- matching */

static void test_keys(void **state) {
        static const PolicyRequester
                root = { ORIGIN_CLIENT, "m", NULL, NULL, "ssh.service", true, 0 },
                user = { ORIGIN_CLIENT, "net-pf-9", NULL, NULL, "user@1000.service", true, 1000 },
                kernel = { ORIGIN_KERNEL, "net-pf-9", NULL, NULL, NULL, false, 0 },
                unprivileged = { ORIGIN_KERNEL, "net-pf-9", NULL, NULL,     "a.service",
                                 true,          65534,      0,    "python3" },
                explained = { ORIGIN_KERNEL, "net-pf-9", NULL, NULL,
                              NULL,          false,      0,    POLICY_KEY_BIT(POLICY_KEY_UID) },
                device = { ORIGIN_DEVICE, "pci:v000010DEd00001234-x", "pci", "old_driver", NULL, false, 0 },
                nobody = { .origin = _ORIGIN_INVALID };
        static const struct {
                const char *match;
                const PolicyRequester *requester;
                const char *path;
                bool expected;
        } cases[] = {
                { "origin: client", &root, NULL, true },
                { "origin: [kernel, device]", &root, NULL, false },
                { "origin: '!kernel'", &root, NULL, true },
                { "origin: '!kernel'", &nobody, NULL, false }, /* what is not known matches nothing */
                { "origin: '!kernel'", NULL, NULL, false },
                { "uid: 0", &root, NULL, true },
                { "uid: '!0'", &root, NULL, false },
                { "uid: '!0'", &user, NULL, true },
                { "uid: '!0'", &kernel, NULL, true }, /* nobody knows the user: not root */
                { "uid: 0", &kernel, NULL, false },
                { "uid: 0-4294967294", &kernel, NULL, false },
                { "uid: '!1000'", &kernel, NULL, true },
                { "uid: [1000, '!0']", &kernel, NULL, false },
                { "uid: '!0'", &explained, NULL, false }, /* it depends */
                { "uid: '!0'", &device, NULL, false },
                { "uid: '!0'", &unprivileged, NULL, true },
                { "uid: 65534", &unprivileged, NULL, true },
                { "uid: 0", &unprivileged, NULL, false },
                { "unit: a.service", &unprivileged, NULL, true },
                { "command: 'python*'", &unprivileged, NULL, true },
                { "command: '!python*'", &unprivileged, NULL, false },
                { "command: perl", &unprivileged, NULL, false },
                { "command: '*'", &kernel, NULL, false },
                { "command: '!perl'", &kernel, NULL, false },
                { "command: '*'", &root, NULL, false },
                { "uid: 1000-60000", &user, NULL, true },
                { "uid: 1001-60000", &user, NULL, false },
                { "uid: 0-999", &user, NULL, false },
                { "uid: [1-999, 1000]", &user, NULL, true },
                { "uid: [0-60000, '!1000']", &user, NULL, false },
                { "uid: ['!0', '!1001']", &user, NULL, true },
                { "unit: '*.service'", &user, NULL, true },
                { "unit: '!ssh.service'", &user, NULL, true },
                { "unit: '!ssh.service'", &kernel, NULL, false },
                { "alias: net-pf-*", &kernel, NULL, true },
                { "alias: net_pf_9", &kernel, NULL, true },
                { "alias: '*'", &root, NULL, false }, /* asked for by its name */
                { "alias: 'pci:*'", &device, NULL, true },
                { "modalias: 'pci:v000010DE*'", &device, NULL, true },
                { "modalias: 'pci:v000010DEd00001234-x'", &device, NULL, true },
                { "modalias: '*'", &kernel, NULL, false },
                { "modalias: '*'", &device, NULL, true },
                { "subsystem: pci", &device, NULL, true },
                { "subsystem: '!usb'", &device, NULL, true },
                { "subsystem: '!usb'", &kernel, NULL, false },
                { "driver: old-driver", &device, NULL, false },
                { "driver: old_*", &device, NULL, true },
                { "license: GPL*", &root, "/own.ko", true },
                { "license: '!GPL*'", &root, "/foreign.ko", true },
                { "license: '!GPL*'", &root, "/nameless.ko", true },
                { "license: '!GPL*'", &root, "/unreadable.ko", false },
                { "license: '!GPL*'", &root, NULL, false },
                { "signed: no", &root, "/foreign.ko", true },
                { "signed: yes", &root, "/foreign.ko", false },
                { "signed: '!yes'", &root, "/foreign.ko", true },
                { "signer: 'Vendor: *'", &root, "/own.ko", true },
                { "signer: '!Vendor: *'", &root, "/foreign.ko", true },
                { "signer: '!?*'", &root, "/foreign.ko", true }, /* nobody has signed it */
                { "signer: '!?*'", &root, "/own.ko", false },
                { "signer: '!Vendor: *'", &root, "/unreadable.ko", false },
                { "path: 'updates/*'", &root, "/lib/modules/6.12/updates/dkms/m.ko.xz", true },
                { "path: 'updates/*'", &root, "/lib/modules/6.12/kernel/updates/m.ko", false },
                { "path: '!kernel/*'", &root, "/lib/modules/6.12/extra/m.ko", true },
                { "path: '*_x/*'", &root, "/lib/modules/6.12/a-x/m.ko", false }, /* no name of a module */
                { "path: '*'", &root, NULL, false },
                { "intree: no", &root, "/nameless.ko", true },
                { "intree: no", &root, NULL, false },
                { "module: m, uid: 0", &root, NULL, true }, /* all of them */
                { "module: m, uid: 1", &root, NULL, false },
                { "module: n, uid: 0", &root, NULL, false },
                { "module: [n, m]", &root, NULL, true }, /* any of them */
                { "module: ['*', '!m']", &root, NULL, false },
                { "module: ['!n', '!o']", &root, NULL, true },
                { "module: ['!n', o]", &root, NULL, false },
                { "", &nobody, NULL, true },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(policy_freep) Policy *p = NULL;
                PolicyDecision d;
                char text[256];

                snprintf(text, sizeof(text), "rules: [{id: r, match: {%s}, verdict: deny}]\n",
                         cases[i].match);
                p = make_one(text);
                d = judge(p, &(PolicySubject) { .module = "m",
                                                .requester = cases[i].requester,
                                                .path = cases[i].path });
                if ((d.actual.verdict == POLICY_DENY) != cases[i].expected)
                        fail_msg("case %zu, %s: %s", i, cases[i].match,
                                 policy_verdict_to_string(d.actual.verdict));
        }
}

/* Opening files is for those whom everything else is about. */
static void test_facts_are_asked_late(void **state) {
        static const Source sources[] = {
                RULES("rules:\n- {match: {module: n, signed: no}, verdict: deny}\n"
                      "- {match: {origin: kernel, signed: no}, verdict: deny}\n"
                      "- {match: {license: X}, verdict: deny}\n- {match: {signed: no}, verdict: deny}\n"),
                {},
        };
        size_t n_asked = 0;
        _cleanup_(policy_freep) Policy *p = make(POLICY_ENFORCE, sources, &n_asked);
        PolicyDecision d;

        d = judge(p, &(PolicySubject) { .module = "m", .path = "/foreign.ko" });
        assert_int_equal(d.actual.verdict, POLICY_DENY);
        assert_int_equal(n_asked, 1); /* for both rules */
        d = judge(p, &(PolicySubject) { .module = "n" });
        assert_int_equal(n_asked, 1);
}

/* What only comes along is denied for what it is, not for who asked. */
static void test_dependencies(void **state) {
        static const PolicyRequester user = {
                .origin = ORIGIN_CLIENT, .key = "a", .has_uid = true, .uid = 1000
        };
        _cleanup_(policy_freep)
                Policy *p = make_one("default: deny\n"
                                     "rules:\n"
                                     "- {id: user, match: {uid: 1000}, verdict: deny}\n"
                                     "- {id: both, match: {uid: 1000, module: b}, verdict: deny}\n"
                                     "- {id: allowed, match: {uid: 1000, alias: a}, verdict: audit}\n");
        PolicySubject subject = { .requester = &user, .module = "m" };

        EXPECT(p, &subject, POLICY_DENY, "user");
        subject.part = POLICY_DEPENDENCY;
        EXPECT(p, &subject, POLICY_REPORT,
               "allowed"); /* the request of an alias is known for all that comes along */
        subject.part = POLICY_SOFTDEP;
        EXPECT(p, &subject, POLICY_REPORT, "allowed");
        subject.module = "b";
        EXPECT(p, &subject, POLICY_DENY, "both");
        subject.part = POLICY_DEPENDENCY;
        EXPECT(p, &subject, POLICY_DENY, "both");

        subject.requester = NULL;
        subject.module = "m";
        EXPECT(p, &subject, POLICY_ALLOW, "default"); /* the default is not asked for dependencies .. */
        subject.part = POLICY_SOFTDEP;
        EXPECT(p, &subject, POLICY_DENY, "default"); /* .. but for softdeps */
}

/* ----------------------------------------------------------------------------- options and preferences */

static int on_options(const PolicyRule *rule, void *userdata) {
        char *text = userdata;

        strcat(text, rule->options[0]);
        strcat(text, " ");
        return streq(rule->options[0], "stop") ? -ECANCELED : 0;
}

static void test_options(void **state) {
        _cleanup_(policy_freep)
                Policy *p = make_one("rules:\n"
                                     "- {match: {module: m}, options: [a=1]}\n"
                                     "- {match: {module: n}, options: [not]}\n"
                                     "- {match: {module: m}, options: [over], expires: 1970-01-01}\n"
                                     "- {match: {module: m}, options: [off], mode: off}\n"
                                     "- {match: {module: m}, options: [audited], mode: audit}\n"
                                     "- {match: {module: m}, options: [b=1], verdict: allow}\n"
                                     "- {match: {module: m}, options: [late]}\n"
                                     "- {match: {module: o}, options: [stop]}\n"
                                     "- {match: {module: o}, options: [behind]}\n");
        _cleanup_(policy_freep) Policy *none = make_one("rules: [{verdict: deny}]");
        char found[256] = "";

        assert_ok(policy_each_options(p, &(PolicySubject) { .module = "m" }, NOW, on_options, found));
        assert_string_equal(found, "a=1 b=1 ");
        *found = '\0';
        assert_int_equal(policy_each_options(p, &(PolicySubject) { .module = "o" }, NOW, on_options, found),
                         -ECANCELED);
        assert_string_equal(found, "stop ");
        *found = '\0';
        assert_ok(policy_each_options(none, &(PolicySubject) { .module = "m" }, NOW, on_options, found));
        assert_ok(policy_each_options(NULL, &(PolicySubject) { .module = "m" }, NOW, on_options, found));
        assert_string_equal(found, "");
}

static void test_preference(void **state) {
        static const PolicyRequester
                gpu = { ORIGIN_DEVICE, "pci:v000010DEd1", "pci", NULL, NULL, false, 0 },
                other = { ORIGIN_DEVICE, "pci:v00008086d1", "pci", NULL, NULL, false, 0 },
                usb = { ORIGIN_DEVICE, "usb:v1", "usb", NULL, NULL, false, 0 };
        _cleanup_(policy_freep) Policy *p = make_one(
                "rules:\n"
                "- {id: off, match: {subsystem: pci}, prefer: [x], mode: off}\n"
                "- {id: audit, match: {subsystem: pci}, prefer: [x], mode: audit}\n"
                "- {id: over, match: {subsystem: pci}, prefer: [x], expires: 1970-01-01}\n"
                "- {id: gpu, match: {modalias: 'pci:v000010DE*'}, prefer: [nvidia, nouveau]}\n"
                "- {id: pci, match: {subsystem: pci}, prefer: [vfio-pci]}\n");
        const PolicyRule *rule;

        rule = policy_find_preference(p, &gpu, NOW);
        assert_non_null(rule);
        assert_string_equal(rule->id, "gpu");
        assert_string_equal(rule->prefer[1], "nouveau");
        rule = policy_find_preference(p, &other, NOW);
        assert_non_null(rule);
        assert_string_equal(rule->id, "pci");
        assert_null(policy_find_preference(p, &usb, NOW));
        assert_null(policy_find_preference(NULL, &gpu, NOW));
        policy_set_mode(p, POLICY_AUDIT);
        assert_null(policy_find_preference(p, &gpu, NOW));
}

/* ----------------------------------------------------------------------------------------------- trace */

static void on_trace(PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        char *text = userdata;

        sprintf(text + strlen(text), "%s:%s ", name_of(what), policy_trace_step_to_string(how));
}

static void test_trace(void **state) {
        static const ConfigEntry line = { .name = "m", .file = "x.conf", .line = 1 };
        static const PolicyRequester user = { .origin = ORIGIN_CLIENT, .has_uid = true, .uid = 1000 };
        _cleanup_(policy_freep)
                Policy *p = make_one("default: allow\n"
                                     "rules:\n"
                                     "- {id: other, match: {module: n}, verdict: deny}\n"
                                     "- {id: over, match: {module: m}, verdict: deny, expires: 1970-01-01}\n"
                                     "- {id: off, verdict: deny, mode: off, match: {module: m}}\n"
                                     "- {id: options, match: {module: 'm*'}, options: [a=1]}\n"
                                     "- {id: user, match: {uid: 1000}, verdict: deny}\n"
                                     "- {id: audit, match: {module: m}, verdict: deny, mode: audit}\n"
                                     "- {id: audit2, match: {module: m}, verdict: deny, mode: audit}\n"
                                     "- {id: allow, match: {module: m}, verdict: allow}\n"
                                     "- {id: deny, verdict: deny, match: {module: '*'}}\n"
                                     "- {id: options2, match: {module: m}, options: [a=1]}\n");
        PolicySubject subject = { .module = "m",
                                  .requester = &user,
                                  .part = POLICY_SOFTDEP,
                                  .install = &line,
                                  .command_line_blacklist = NULL };
        char found[1024] = "";
        PolicyDecision d;

        policy_judge(p, &subject, NOW, &d, on_trace, found);
        assert_string_equal(found,
                            "over:expired off:off options:adds user:skips_dependencies audit:would_decide "
                            "audit2:too_late allow:decides deny:too_late options2:too_late "
                            "install:too_late default:too_late ");
        expect_decision(&d, POLICY_ALLOW, "allow", POLICY_DENY, "audit");

        subject.part = POLICY_REQUESTED;
        subject.command_line_blacklist = &line;
        *found = '\0';
        policy_judge(p, &subject, NOW, &d, on_trace, found);
        assert_string_equal(found,
                            "command_line:decides over:expired off:off options:too_late user:too_late "
                            "audit:too_late audit2:too_late allow:too_late deny:too_late "
                            "options2:too_late install:too_late default:too_late ");

        *found = '\0';
        policy_judge(NULL, &(PolicySubject) { .module = "m" }, NOW, &d, on_trace, found);
        assert_string_equal(found, "default:decides ");
}

/* What a container asks for is allowed by a rule for containers, and by nothing else. */
static void test_containers(void **state) {
        static const ConfigEntry line = { .name = "m", .file = "x.conf", .line = 1 };
        static const PolicyRequester web = { .origin = ORIGIN_CONTAINER, .container = "machine-web" },
                                     other = { .origin = ORIGIN_CONTAINER, .container = "machine-other" },
                                     inside = { .origin = ORIGIN_KERNEL, .container = "machine-web" },
                                     root = { .origin = ORIGIN_CLIENT, .has_uid = true };
        static const char web_rule[] = "- {id: web, match: {container: machine-web}, verdict: allow}\n";
        const struct {
                const char *rules;
                const PolicyRequester *requester;
                PolicyPart part;
                const char *trace;
                PolicyVerdict verdict;
        } cases[] = {
                { "- {id: all, match: {module: m}, verdict: allow}\n", &web, POLICY_REQUESTED,
                  "all:skips_containers default:decides ", POLICY_DENY },
                { "- {id: all, match: {module: m}, verdict: allow}\n", &web, POLICY_DEPENDENCY,
                  "all:decides ", POLICY_ALLOW },
                { "- {id: all, match: {module: m}, verdict: allow}\n", &web, POLICY_SOFTDEP,
                  "all:decides default:too_late ", POLICY_ALLOW },
                { "- {id: not, match: {origin: '!device'}, verdict: allow}\n", &web, POLICY_REQUESTED,
                  "not:skips_containers default:decides ", POLICY_DENY },
                { "- {id: told, match: {origin: container}, verdict: audit}\n", &web, POLICY_REQUESTED,
                  "told:skips_containers default:decides ", POLICY_DENY },
                { "- {id: any, match: {origin: container}, verdict: allow}\n", &web, POLICY_REQUESTED,
                  "any:decides ", POLICY_ALLOW },
                { web_rule, &web, POLICY_REQUESTED, "web:decides ", POLICY_ALLOW },
                { web_rule, &other, POLICY_REQUESTED, "default:decides ", POLICY_DENY },
                { web_rule, &inside, POLICY_REQUESTED, "web:decides default:too_late ", POLICY_ALLOW },
                { web_rule, &root, POLICY_REQUESTED, "default:decides ", POLICY_ALLOW },
                { "- {id: tried, match: {container: machine-web}, verdict: allow, mode: audit}\n", &web,
                  POLICY_REQUESTED, "tried:would_decide default:decides ", POLICY_DENY },
                { "- {id: first, match: {module: m}, verdict: deny}\n"
                  "- {id: web, match: {container: machine-web}, verdict: allow}\n",
                  &web, POLICY_REQUESTED, "first:decides web:too_late ", POLICY_DENY },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                char text[512] = "default: allow\nrules:\n", found[1024] = "";
                _cleanup_(policy_freep) Policy *p = make_one(strcat(text, cases[i].rules));
                const PolicySubject subject = { .module = "m",
                                                .requester = cases[i].requester,
                                                .part = cases[i].part };
                PolicyDecision d;

                policy_judge(p, &subject, NOW, &d, on_trace, found);
                if (!streq(found, cases[i].trace) || d.actual.verdict != cases[i].verdict)
                        fail_msg("case %zu: %s", i, found);
        }

        /* neither Mode= nor the absence of a policy opens anything */
        for (PolicyMode mode = POLICY_OFF; mode < POLICY_ENFORCE; mode++) {
                _cleanup_(policy_freep) Policy *p = make_one(
                        "rules:\n- {id: web, match: {container: machine-web}, verdict: allow}\n");
                const PolicySubject subject = { .module = "m", .requester = &web, .blacklist = &line };
                PolicyDecision d;

                policy_set_mode(p, mode);
                policy_judge(p, &subject, NOW, &d, NULL, NULL);
                assert_int_equal(d.actual.verdict, POLICY_DENY);
                policy_judge(NULL, &(PolicySubject) { .module = "m", .requester = &web }, NOW, &d, NULL,
                             NULL);
                assert_int_equal(d.actual.verdict, POLICY_DENY);
        }
}

/* What is not known of a request decides nothing, and the trace says so. */
static void test_not_known(void **state) {
        static const char rules[] = "rules:\n"
                                    "- {id: usb, match: {subsystem: usb}, verdict: deny}\n"
                                    "- {id: other, match: {subsystem: usb, module: n}, verdict: deny}\n"
                                    "- {id: free, match: {license: GPL}, verdict: deny}\n"
                                    "- {id: audit, match: {driver: x}, verdict: deny, mode: audit}\n"
                                    "- {id: options, match: {driver: x}, options: [a=1]}\n"
                                    "- {id: user, match: {uid: 0, subsystem: usb}, verdict: deny}\n"
                                    "- {id: allow, match: {module: m}, verdict: allow}\n"
                                    "- {id: late, match: {driver: x}, verdict: deny}\n";
        const uint32_t device = policy_keys_of(POLICY_KEY_OF_DEVICE);
        const struct {
                PolicyRequester requester;
                const char *path, *trace;
                PolicyVerdict verdict;
        } cases[] = {
                { { .origin = ORIGIN_DEVICE }, NULL, "allow:decides ", POLICY_ALLOW },
                { { .origin = ORIGIN_DEVICE, .unknown = device },
                  NULL,
                  "usb:depends options:depends allow:decides late:too_late ",
                  POLICY_ALLOW },
                { { .origin = ORIGIN_DEVICE, .unknown = device, .subsystem = "pci" },
                  NULL,
                  "options:depends allow:decides late:too_late ",
                  POLICY_ALLOW },
                { { .origin = ORIGIN_DEVICE, .unknown = device, .subsystem = "usb" },
                  NULL,
                  "usb:decides options:too_late allow:too_late late:too_late ",
                  POLICY_DENY },
                { { .origin = ORIGIN_DEVICE, .unknown = POLICY_KEYS_ALL, .subsystem = "pci", .driver = "y" },
                  "/m.ko",
                  "free:depends allow:decides ",
                  POLICY_ALLOW },
                { { .origin = ORIGIN_DEVICE, .unknown = POLICY_KEYS_ALL, .subsystem = "pci", .driver = "y" },
                  NULL,
                  "allow:decides ",
                  POLICY_ALLOW }, /* no file, no license */
        };
        _cleanup_(policy_freep) Policy *p = make_one(rules);

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                PolicySubject subject = { .module = "m",
                                          .requester = &cases[i].requester,
                                          .path = cases[i].path };
                char found[1024] = "";
                PolicyDecision d;

                policy_judge(p, &subject, NOW, &d, on_trace, found);
                if (!streq(found, cases[i].trace) || d.actual.verdict != cases[i].verdict)
                        fail_msg("%zu: %s", i, found);
                policy_judge(p, &subject, NOW, &d, NULL, NULL);
                assert_int_equal(d.actual.verdict, cases[i].verdict);
        }
}

/* ------------------------------------------------------------------------------ is a rule still there? */

static void test_has_rule(void **state) {
        static const Source sources[] = { RULES("default: deny\n"
                                                "rules:\n"
                                                "- {id: named, match: {module: a}, verdict: deny}\n"
                                                "- {match: {module: b}, verdict: deny}\n"),
                                          {} };
        static const struct {
                PolicyRuling ruling;
                bool expected;
        } cases[] = {
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 4, .column = 3, .id = "named" }, true },
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 9, .column = 5, .id = "named" }, true },
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 4, .column = 3, .id = "other" }, false },
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 4, .column = 3 }, false },
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 5, .column = 3 }, true },
                { { .source = POLICY_BY_RULE, .file = "FILE", .line = 5, .column = 4 }, false },
                { { .source = POLICY_BY_RULE, .file = "ELSE", .line = 5, .column = 3 }, false },
                { { .source = POLICY_BY_LIST, .file = "ELSE", .line = 5, .column = 3 }, false },
                { { .source = POLICY_BY_DEFAULT, .file = "FILE", .line = 2, .column = 10 }, true },
                { { .source = POLICY_BY_DEFAULT, .file = "FILE", .line = 3, .column = 10 }, false },
                { { .source = POLICY_BY_DEFAULT }, true },
                { { .source = POLICY_BY_GRANT, .file = "ELSE", .line = 5, .column = 3, .id = "grant-1" }, true },
                { { .source = POLICY_BY_INSTALL, .file = "ELSE", .line = 5 }, true },
                { { .source = _POLICY_SOURCE_INVALID }, true },
        };
        _cleanup_(policy_freep) Policy *p = make(POLICY_ENFORCE, sources, NULL);

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (policy_has_rule(p, &cases[i].ruling) != cases[i].expected)
                        fail_msg("case %zu", i);
        assert_false(policy_has_rule(NULL, &cases[0].ruling));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_has_rule),
                cmocka_unit_test(test_order_of_sources),
                cmocka_unit_test(test_allow_comes_before),
                cmocka_unit_test(test_first_match_wins),
                cmocka_unit_test(test_idle_unload),
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_expired),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_facts_are_asked_late),
                cmocka_unit_test(test_dependencies),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_preference),
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_containers),
                cmocka_unit_test(test_not_known),
        };

        return RUN_TESTS(tests);
}
