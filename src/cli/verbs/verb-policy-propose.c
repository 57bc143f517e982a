/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* policy propose: what was used, as an allow list; of this machine by lkmd, of others from files. */

#include <assert.h>

#include "cli/offline/offline.h"
#include "cli/print/fields.h"
#include "cli/usage/usage.h"
#include "cli/verbs/proposal.h"
#include "cli/verbs/proposal-input.h"
#include "cli/verbs/proposal-merge.h"
#include "cli/verbs/verbs.h"

/* What it is made of. */
typedef struct Source {
        sd_json_variant *list, *status; /* replies of lkmd; NULL: it is made from files */
        const char **files;             /* ends in NULL; borrowed strings */
        const Index *index;             /* NULL unless files or a policy to be merged need it */
        ProposalHead head;
} Source;

static void source_clear(Source *s) {
        sd_json_variant_unref(s->list);
        sd_json_variant_unref(s->status);
        index_unref(s->index);
        free(s->files);
}

/* Those of --from, and those behind them. */
static int list_files(const Run *run, char **args, unsigned n_args, Source *s) {
        size_t n = 0;

        s->files = calloc(run->from.n_paths + n_args + 1, sizeof(*s->files));
        if (!s->files)
                return -ENOMEM;
        for (size_t i = 0; i < run->from.n_paths; i++)
                s->files[n++] = run->from.paths[i];
        for (unsigned i = 0; i < n_args; i++)
                s->files[n++] = args[i];
        return 0;
}

/* CLOCK_REALTIME; 0: all, since the ledger knows nothing of earlier boots */
static uint64_t since(const Run *run) {
        return run->since_usec == SINCE_BOOT ? 0 : run->since_usec;
}

/* What this container was refused. */
static int ask_for_container(Run *run, Proposal *p, Source *s) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        int r;

        s->head.of_container = true;
        r = client_call(run->client, "Audit", NULL, &hooks, &s->list);
        return r != 0 ? r : proposal_add_refused(p, field_array(s->list, "entries"), run->container);
}

static int ask_lkmd(Run *run, Proposal *p, Source *s) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        int r;

        r = client_call(run->client, "List", NULL, &hooks, &s->list);
        if (r != 0)
                return r;
        r = client_call(run->client, "Status", NULL, &hooks, &s->status);
        if (r != 0)
                return r;
        if (!field_array(s->list, "modules"))
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);

        s->head.release = field_string(s->status, "kernelRelease");
        s->head.since_usec = since(run);
        r = proposal_add_modules(p, field_array(s->list, "modules"), since(run));
        if (r >= 0)
                r = proposal_add_failures(p, field_array(s->status, "failures"), since(run));
        return r;
}

/*
 * A line that cannot be used is reported, and costs itself. A file that cannot be read ends it: the rest would be half
 * a policy.
 */
static int read_files(Run *run, Proposal *p, Source *s) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && s->files[i]; i++)
                r = proposal_add_file(p, s->index, s->files[i], &s->head.n_unmatched, &problems);
        if (r < 0)
                return r;
        s->head.release = index_get_release(s->index);
        s->head.files = s->files;
        offline_print_problems(run, &problems);
        for (size_t i = 0; i < problems.n_items; i++)
                if (problems.items[i].line == 0)
                        return STATUS_FAILED;
        return 0;
}

static int check_usage(Run *run, unsigned n_args) {
        if (n_args > 0 && run->from.n_paths == 0)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE,
                                         "lkmctl policy propose --from FILE...",
                                         "files are given with --from");
        if (run->from.n_paths > 0 && run->since_usec > 0)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help policy propose",
                                         "--since is about this machine, and files say nothing of times");
        if (run->container && (run->from.n_paths > 0 || run->since_usec > 0))
                return failure_print_own(
                        &run->out, CLIENT_ERROR_USAGE, "lkmctl policy propose --container NAME",
                        "--container is about what lkmd refused, without --from and --since");
        return 0;
}

static int collect(Run *run, Proposal *p, Source *s) {
        int r;

        if (run->from.n_paths > 0 || run->merge) {
                r = offline_index_here(run, &s->index);
                if (r != 0)
                        return r;
        }
        r = run->from.n_paths > 0 ? read_files(run, p, s)
            : run->container      ? ask_for_container(run, p, s)
                                  : ask_lkmd(run, p, s);
        if (r != 0 || proposal_count(p) > 0)
                return r;
        if (run->container)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "lkmctl policy audit --by=requester",
                                         "container '%s' was refused nothing", run->container);
        return run->from.n_paths > 0
                       ? failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "lkmctl help policy propose",
                                           "the files name no module, so there is nothing to propose")
                       : failure_print_own(
                                 &run->out, CLIENT_ERROR_LOCAL, "lkmctl policy propose --since=boot",
                                 "no module was loaded since then, so there is nothing to propose");
}

static int print_json(Run *run, const Proposal *p, const ProposalMerge *merge, const ProposalHead *head) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *rules = NULL, *left_out = NULL, *object = NULL;
        int r;

        r = proposal_to_json(p, &rules);
        if (r >= 0 && merge)
                r = proposal_merge_left_out_to_json(merge, &left_out);
        if (r >= 0 && merge)
                r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("policy", run->merge),
                                   SD_JSON_BUILD_PAIR_VARIANT("rules", rules),
                                   SD_JSON_BUILD_PAIR_VARIANT("leftOut", left_out));
        else if (r >= 0)
                r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_UNSIGNED("version", 1),
                                   SD_JSON_BUILD_PAIR_CONDITION(!head->of_container, "default",
                                                                SD_JSON_BUILD_STRING("deny")),
                                   SD_JSON_BUILD_PAIR_VARIANT("rules", rules));
        return r < 0 ? r : output_json(&run->out, object);
}

static int print(Run *run, const Proposal *p, const ProposalMerge *merge, const ProposalHead *head) {
        int r;

        if (run->out.json != JSON_OFF)
                return print_json(run, p, merge, head);
        if (merge) {
                r = proposal_merge_print(merge, p, stdout);
                if (r != 0)
                        return r;
        } else
                proposal_print(p, stdout, head);
        return output_flush();
}

int verb_policy_propose(Run *run, char **args, unsigned n_args) {
        _cleanup_(proposal_merge_freep) ProposalMerge *merge = NULL;
        _cleanup_(source_clear) Source source = {};
        _cleanup_(proposal_freep) Proposal *p = NULL;
        int r;

        r = check_usage(run, n_args);
        if (r != 0)
                return r;
        r = run->merge ? proposal_merge_open(&merge, run, run->merge) : 0;
        if (r != 0)
                return r;
        r = proposal_new(&p);
        if (r < 0)
                return r;
        r = list_files(run, args, n_args, &source);
        if (r < 0)
                return r;
        r = collect(run, p, &source);
        if (r != 0)
                return r;
        r = merge ? proposal_merge_reduce(merge, p, source.index) : 0;
        if (r < 0)
                return r;
        if (merge && !run->out.quiet)
                proposal_merge_print_left_out(merge, stderr);
        if (proposal_count(p) == 0 && !run->out.quiet)
                fprintf(stderr, "lkmctl: %s decides about all of these modules already: nothing is added\n",
                        run->merge);
        proposal_sort(p);
        return print(run, p, merge, &source.head);
}
