/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a policy and, behind the last NUL, as a kernel command line: read without a crash; what
 * comes out is within its limits, and judges: there is always a verdict, and without enforcement nothing
 * but the kernel command line denies.
 */

#include "common/base/limits.h"
#include "common/policy-files/policy-command-line.h"
#include "common/policy-files/policy-parse.h"
#include "common/policy/gate-table.h"
#include "common/policy/policy.h"
#include "common/words/policy-words.h"
#include "support.h"

#define NOW 1800000000000000ULL         /* in 2027 */

static void check_problems(ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items; i++) {
                fuzz_must_be_printable(problems->items[i].message);
                must((problems->items[i].line == 0) == (problems->items[i].column == 0));
        }
        problem_list_clear(problems);
}

static void check_rule(const PolicyRule *rule) {
        must(rule->verdict >= 0 && rule->verdict < _POLICY_VERDICT_MAX);
        must(rule->mode >= 0 && rule->mode < _POLICY_MODE_MAX);
        must(rule->verdict != POLICY_NO_VERDICT || rule->n_prefer > 0 || rule->n_options > 0);
        must(rule->scope >= 0 && rule->scope < _POLICY_SCOPE_MAX);
        if (rule->scope == POLICY_SCOPE_USE) {
                must(rule->verdict != POLICY_NO_VERDICT && rule->expires_usec == UINT64_MAX);
                must((rule->given & POLICY_KEY_BIT(POLICY_KEY_ALIAS)) &&
                     !(rule->given & POLICY_KEY_BIT(POLICY_KEY_MODULE)));
                for (size_t i = 0; i < rule->match[POLICY_KEY_ALIAS].n_items; i++)
                        must(startswith(rule->match[POLICY_KEY_ALIAS].items[i].glob, "net_pf_"));
        }
        fuzz_must_be_printable(rule->id);
        fuzz_must_be_printable(rule->reason);
        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                for (size_t i = 0; i < rule->match[key].n_items; i++) {
                        const PolicyPattern *p = rule->match[key].items + i;

                        must(policy_keys[key].value == POLICY_VALUE_NUMBER ? !p->glob && p->min <= p->max
                                                                           : *p->glob != '\0');
                        fuzz_must_be_printable(p->glob);
                }
        for (size_t i = 0; i < rule->n_prefer; i++)
                must(*rule->prefer[i] && strlen(rule->prefer[i]) <= MODULE_NAME_MAX);
        for (size_t i = 0; i < rule->n_options; i++)
                fuzz_must_be_printable(rule->options[i]);
}

static const ModuleFacts *find_facts(const char *path, void *userdata) {
        static char license[] = "GPL";
        static const ModuleFacts facts = { .license = license, .in_tree = true };

        return streq(path, "/x.ko") ? &facts : NULL;
}

static int on_options(const PolicyRule *rule, void *userdata) {
        must(rule->n_options > 0);
        return 0;
}

static void on_trace(PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        must(policy_trace_step_to_string(how) != NULL);
}

static void judge_subject(const Policy *p, const PolicySubject *subject, PolicyMode mode) {
        PolicyDecision d, told;

        policy_judge(p, subject, NOW, &d, NULL, NULL);
        policy_judge(p, subject, NOW, &told, on_trace, NULL);
        must(d.actual.verdict == told.actual.verdict && d.actual.rule == told.actual.rule);
        must(d.would.verdict == told.would.verdict && d.would.rule == told.would.rule);
        must(d.actual.verdict != POLICY_NO_VERDICT && d.would.verdict != POLICY_NO_VERDICT);
        if (mode != POLICY_ENFORCE)
                must(d.actual.verdict != POLICY_DENY || d.actual.source <= POLICY_BY_COMMAND_LINE);
        must(policy_each_options(p, subject, NOW, on_options, NULL) == 0);
        if (subject->requester) {
                const PolicyRule *rule = policy_find_preference(p, subject->requester, NOW);

                must(!rule || rule->n_prefer > 0);
        }
}

/* What the gate refuses by itself is denied, whatever it is that the gate does not know. */
static void check_gate(const Policy *p) {
        static const char *const aliases[] = { "net-pf-9", "net_pf_38", "pci:v1", "a", "snd_hda_intel", "" };
        _cleanup_(gate_table_freep) GateTable *t = NULL;

        must(gate_table_new(&t, p, NOW) == 0);
        must(t->n_classes >= 1 && t->n_classes <= GATE_CLASSES_MAX && t->uid_starts[0] == 0);
        must(t->n_aliases <= GATE_ALIASES_MAX && t->n_sockets <= GATE_SOCKETS_MAX);
        for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
                for (uint32_t uid = 0; uid < 2; uid++) {
                        const PolicyRequester who = {
                                .origin = ORIGIN_KERNEL, .key = aliases[i], .has_uid = true, .uid = uid
                        };
                        PolicySubject subject = { .requester = &who, .module = "a", .path = "/x.ko" };
                        PolicyDecision d;

                        if (!gate_table_refuses(t, aliases[i], uid, NULL))
                                continue;
                        policy_judge(p, &subject, NOW, &d, NULL, NULL);
                        must(d.actual.verdict == POLICY_DENY);
                        subject.path = NULL;
                        subject.module = "snd_hda_intel";
                        policy_judge(p, &subject, NOW, &d, NULL, NULL);
                        must(d.actual.verdict == POLICY_DENY);
                }
}

static void judge(Policy *p) {
        static const PolicyRequester requesters[] = {
                { ORIGIN_DEVICE, "pci:v000010DEd00001234sv*", "pci", "nouveau", NULL, false, 0 },
                { ORIGIN_KERNEL, "net-pf-9", NULL, NULL, NULL, false, 0 },
                { ORIGIN_CLIENT, "snd-hda-intel", NULL, NULL, "ssh.service", true, 1000 },
                { .origin = _ORIGIN_INVALID },
        };
        static const char *const modules[] = { "a", "snd_hda_intel", "nvidia", "x25" };

        for (PolicyMode mode = 0; mode < _POLICY_MODE_MAX; mode++) {
                policy_set_mode(p, mode);
                check_gate(p);
                for (size_t i = 0; i < ARRAY_LEN(modules); i++)
                        for (size_t k = 0; k <= ARRAY_LEN(requesters); k++)
                                judge_subject(p,
                                              &(PolicySubject) {
                                                      .requester = k < ARRAY_LEN(requesters) ? requesters + k
                                                                                             : NULL,
                                                      .part = (PolicyPart) (i % 3),
                                                      .module = modules[i],
                                                      .path = k % 2 == 0 ? "/x.ko" : NULL,
                                              },
                                              mode);
        }
}

static size_t read_policy(PolicyFile **files, PolicyFileKind kind, const uint8_t *data, size_t size) {
        ProblemList problems = {};
        int r;

        (void) policy_words_have((const char *) data, size, "parameters", "a=*");
        r = policy_file_parse(files, "FILE", kind, (const char *) data, size, &problems);
        must(r == 0 || r == -EBADMSG);
        must(r == 0 || problems.n_items > 0);
        must(r < 0 || problems.n_items == 0 || kind == POLICY_FILE_GRANTS); /* of which each entry stands for itself */
        check_problems(&problems);
        if (r < 0)
                return 0;
        for (size_t i = 0; i < (*files)->n_rules; i++) {
                check_rule((*files)->rules + i);
                for (size_t k = 0; k < (*files)->rules[i].n_options; k++) /* it need not find them */
                        (void) policy_words_have((const char *) data, size, "options", (*files)->rules[i].options[k]);
                must((*files)->rules[i].line > 0 && (*files)->rules[i].column > 0);
        }
        return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *nul = size > 0 ? memrchr(data, '\0', size) : NULL;
        size_t n_text = nul ? (size_t) (nul - data) : size, n = 0;
        _cleanup_(policy_freep) Policy *p = NULL;
        _cleanup_(freep) char *command_line = NULL;
        PolicyFile **files = calloc(4, sizeof(*files));
        ProblemList problems = {};

        command_line = nul ? strndup((const char *) nul + 1, size - n_text - 1) : strdup("");
        must(files && command_line);
        must(policy_command_line_parse(files + n++, command_line, &problems) == 0);
        problem_list_clear(&problems);
        for (size_t i = 0; i < files[0]->n_rules; i++)
                must(files[0]->rules[i].verdict != POLICY_NO_VERDICT);

        n += read_policy(files + n, POLICY_FILE_GRANTS, data, n_text);
        n += read_policy(files + n, POLICY_FILE_RULES, data, n_text);
        n += read_policy(files + n, POLICY_FILE_LIST, data, n_text);
        must(policy_new(&p, files, n, &(PolicyOptions) { .mode = POLICY_ENFORCE, .facts = find_facts }) ==
              0);
        judge(p);
        return 0;
}
