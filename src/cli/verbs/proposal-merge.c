/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ProposalMerge: see proposal-merge.h. The text of the file stays as its author wrote it, with comments and order:
 * rules are appended as text, and the result is parsed to see whether they became rules. What a rule denies stays
 * denied: somebody decided that.
 */

#include "cli/verbs/proposal-merge.h"

#include <assert.h>

#include "cli/offline/offline-policy.h"
#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/read-file.h"
#include "common/policy-files/policy-parse.h"

typedef struct LeftOut {
        char *module;
        PolicyRuling ruling;            /* as long as the policy */
} LeftOut;

struct ProposalMerge {
        Run *run;
        const char *path;
        char *text;
        size_t size;
        PolicyFile *file;               /* the text, parsed: where its rules are */
        OfflinePolicy offline;          /* with what the file includes */
        const Index *index;             /* borrowed during proposal_merge_reduce() */
        LeftOut *left_out;
        size_t n_left_out;
};

/* Return: NULL. */
ProposalMerge *proposal_merge_free(ProposalMerge *m) {
        if (!m)
                return NULL;

        for (size_t i = 0; i < m->n_left_out; i++)
                free(m->left_out[i].module);
        free(m->left_out);
        policy_file_free(m->file);
        offline_policy_done(&m->offline);
        free(m->text);
        free(m);
        return NULL;
}

static int report_problems(const Run *run, const ProblemList *problems) {
        offline_print_problems(run, problems);
        return problems->n_items > 0 ? STATUS_FAILED : 0;
}

static int read_text(ProposalMerge *m) {
        _cleanup_(closep) int fd = read_file_open(m->path);
        int r = fd < 0 ? fd : read_file(fd, POLICY_FILE_MAX, &m->text, &m->size);

        if (r >= 0 || r == -ENOMEM)
                return r;
        return failure_print_own(&m->run->out, CLIENT_ERROR_LOCAL,
                                 "lkmctl policy propose, without --merge, begins a policy",
                                 "%s cannot be read: %s", m->path, strerror(-r));
}

int proposal_merge_open(ProposalMerge **ret, Run *run, const char *path) {
        _cleanup_(proposal_merge_freep) ProposalMerge *m = NULL;
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r;

        assert(ret && run && path);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->run = run;
        m->path = path;
        r = read_text(m);
        if (r != 0)
                return r;
        r = policy_file_parse(&m->file, path, POLICY_FILE_RULES, m->text, m->size, &problems);
        if (r >= 0)
                r = offline_policy_read((const char *const[]) { path, NULL }, /* trusted_only= */ false,
                                        &m->offline, &problems);
        if (r < 0 && r != -EBADMSG)
                return r;
        r = report_problems(run, &problems);
        if (r != 0)
                return r;

        *ret = STEAL_PTR(m);
        return 0;
}

/* Requests as those that the group is made of. NULL: it is not known who will ask. */
static const PolicyRequester *requester_of(ProposalGroup group, const char *part, PolicyRequester *buffer) {
        static const RequestOrigin origins[] = {
                [PROPOSAL_DEVICE] = ORIGIN_DEVICE,       [PROPOSAL_KERNEL] = ORIGIN_KERNEL,
                [PROPOSAL_BOOT] = ORIGIN_BOOT,           [PROPOSAL_CLIENT] = ORIGIN_CLIENT,
                [PROPOSAL_BEFORE] = _ORIGIN_INVALID,     [PROPOSAL_LISTED] = _ORIGIN_INVALID,
                [PROPOSAL_NEEDED] = _ORIGIN_INVALID,     [PROPOSAL_CONTAINER] = ORIGIN_CONTAINER,
        };

        if (origins[group] == _ORIGIN_INVALID)
                return NULL;
        *buffer = (PolicyRequester) { .origin = origins[group] };
        if (group == PROPOSAL_DEVICE && part[0] != '\0')
                buffer->subsystem = part;
        if (group == PROPOSAL_CONTAINER)
                buffer->container = part;
        return buffer;
}

static int leave_out(ProposalMerge *m, const char *module, const PolicyRuling *ruling) {
        LeftOut entry = { strdup(module), *ruling };

        if (!entry.module)
                return -ENOMEM;
        if (array_grow(&m->left_out, m->n_left_out, sizeof(*m->left_out)) < 0) {
                free(entry.module);
                return -ENOMEM;
        }
        m->left_out[m->n_left_out++] = entry;
        return 0;
}

/* A proposal_keep_t. What is in audit mode counts as if it were enforced: so it will be. */
static int is_undecided(ProposalGroup group, const char *part, const char *module, void *userdata) {
        ProposalMerge *m = userdata;
        const IndexModule *known = index_find_module(m->index, module);
        PolicyRequester buffer;
        const PolicySubject subject = {
                .requester = requester_of(group, part, &buffer),
                .part = POLICY_REQUESTED,
                .module = module,
                .path = known ? known->path : NULL,
        };
        PolicyDecision d;

        policy_judge(m->offline.policy, &subject, m->offline.now_usec, &d, NULL, NULL);
        if (d.would.verdict != POLICY_DENY)
                return 0;
        if (d.would.source == POLICY_BY_DEFAULT)
                return 1;
        return leave_out(m, module, &d.would);
}

/* The first number with which no name of a proposed rule is one that the policy has. */
static unsigned free_number(const ProposalMerge *m) {
        unsigned number = 1;

        for (size_t i = 0; i < policy_count_rules(m->offline.policy); i++) {
                const char *id = policy_get_rule(m->offline.policy, i)->id,
                           *dash = id ? strrchr(id, '-') : NULL;
                unsigned long n = dash ? strtoul(dash + 1, NULL, 10) : 0;

                number = MAX(number, n > 0 && n < UINT16_MAX ? (unsigned) n + 1 : id ? 2U : 1U);
        }
        return number;
}

int proposal_merge_reduce(ProposalMerge *m, Proposal *p, const Index *index) {
        int r;

        assert(m && p && index);

        m->index = index;
        m->offline.now_usec = clock_usec(CLOCK_REALTIME);
        r = proposal_filter(p, is_undecided, m);
        m->index = NULL;
        proposal_number_rules(p, free_number(m));
        return r;
}

/* -------------------------------------------------------------------------------------------------- the text */

/* Columns before the "-" of the file's rules. */
static unsigned indent_of(const PolicyFile *file) {
        return file->n_rules > 0 && file->rules[0].column > 3 ? file->rules[0].column - 3
               : file->n_rules > 0                            ? 0
                                                              : 2;
}

static int make_text(const ProposalMerge *m, const Proposal *p, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        (void) fwrite(m->text, 1, m->size, f);
        if (m->size > 0 && m->text[m->size - 1] != '\n')
                (void) fputc('\n', f);
        if (m->file->n_rules == 0 && proposal_count(p) > 0)
                (void) fputs("\nrules:\n", f);
        proposal_print_rules(p, f, indent_of(m->file));
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

/* Whether the text is a policy with the old rules and the new ones. */
static bool is_complete(const ProposalMerge *m, const Proposal *p, const char *text, size_t size) {
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;

        return policy_file_parse(&file, m->path, POLICY_FILE_RULES, text, size, NULL) >= 0 &&
               file->n_rules == m->file->n_rules + proposal_count_rules(p);
}

int proposal_merge_print(const ProposalMerge *m, const Proposal *p, FILE *f) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        assert(m && p && f);

        r = make_text(m, p, &text, &size);
        if (r < 0)
                return r;
        if (!is_complete(m, p, text, size))
                return failure_print_own(
                        &m->run->out, CLIENT_ERROR_LOCAL,
                        "move \"rules:\" to its end, with each rule on lines of its own behind a \"-\"",
                        "%s does not end with its rules, so none can be put behind them", m->path);
        (void) fwrite(text, 1, size, f);
        return 0;
}

void proposal_merge_print_left_out(const ProposalMerge *m, FILE *f) {
        assert(m && f);

        for (size_t i = 0; i < m->n_left_out; i++) {
                const LeftOut *o = m->left_out + i;

                fprintf(f, "lkmctl: %s is left out: ", o->module);
                print_escaped(f, o->ruling.file);
                fprintf(f, ":%u denies it\n", o->ruling.line);
        }
}

int proposal_merge_left_out_to_json(const ProposalMerge *m, sd_json_variant **ret) {
        int r;

        assert(m && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < m->n_left_out; i++) {
                const LeftOut *o = m->left_out + i;

                r = sd_json_variant_append_arraybo(
                        ret, SD_JSON_BUILD_PAIR_STRING("module", o->module),
                        SD_JSON_BUILD_PAIR_STRING("file", o->ruling.file),
                        SD_JSON_BUILD_PAIR_UNSIGNED("line", o->ruling.line),
                        SD_JSON_BUILD_PAIR_CONDITION(o->ruling.id != NULL, "rule",
                                                     SD_JSON_BUILD_STRING(o->ruling.id)));
        }
        return r;
}
