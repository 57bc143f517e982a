/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyReview: see policy-review.h. The policy in force, the modules and what lkmd knows are read once, and each
 * draft is compared with them. Owns all of that and the results for the last draft. Mistakes in other files count only
 * if the draft brings them about.
 */

#include "cli/verbs/policy-review.h"

#include <assert.h>

#include "cli/history/history.h"
#include "cli/machine/proc-file.h"
#include "cli/offline/lint-all.h"
#include "cli/offline/lint-print.h"
#include "cli/offline/offline-policy.h"
#include "cli/offline/policy-change.h"
#include "cli/offline/policy-notes.h"
#include "cli/print/fields.h"
#include "cli/print/policy-text.h"
#include "common/base/paths.h"
#include "common/policy-files/policy-parse.h"
#include "common/words/kernel-command-line.h"

struct PolicyReview {
        Run *run;
        OfflinePolicy before, after;    /* the second of the last draft */
        ProblemList old_problems, problems;
        const Index *index;             /* NULL: the running kernel has no modules here */
        History history;
        sd_json_variant *audit;         /* reply; NULL: lkmd does not answer */
        PolicyNotes notes;
        Lint lint;
        char *command_line;             /* for it */
        PolicyChange *change;           /* NULL: not looked for */
};

static void forget_draft(PolicyReview *v) {
        v->change = policy_change_free(v->change);
        lint_clear(&v->lint);
        v->lint = (Lint) {};
        problem_list_clear(&v->notes.list);
        v->notes.list = (ProblemList) {};
        problem_list_clear(&v->problems);
        v->problems = (ProblemList) {};
        offline_policy_done(&v->after);
        v->after = (OfflinePolicy) {};
}

/* Return: NULL. */
PolicyReview *policy_review_free(PolicyReview *v) {
        if (!v)
                return NULL;

        forget_draft(v);
        policy_notes_clear(&v->notes);
        offline_policy_done(&v->before);
        problem_list_clear(&v->old_problems);
        index_unref(v->index);
        history_clear(&v->history);
        sd_json_variant_unref(v->audit);
        free(v->command_line);
        free(v);
        return NULL;
}

/* What was asked for, if lkmd runs and knows; nobody has to. Return: 0; negative errno. */
static int ask_lkmd(PolicyReview *v) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC, .silent = true };
        int r;

        r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_BOOLEAN("thisBoot", true));
        if (r >= 0)
                r = client_call(v->run->client, "Audit", parameters, &hooks, &v->audit);
        if (r != 0)
                return r < 0 && r != -ENOMEM ? 0 : MIN(r, 0);
        r = history_fetch(v->run->client, NULL, &v->history);
        return MIN(r, 0);
}

/**
 * policy_review_new() - read what drafts are compared with
 *
 * Return: 0; negative errno.
 */
int policy_review_new(PolicyReview **ret, Run *run) {
        _cleanup_(policy_review_freep) PolicyReview *v = NULL;
        int r;

        assert(ret && run);

        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->run = run;
        r = offline_policy_read(NULL, /* trusted_only= */ true, &v->before, &v->old_problems);
        if (r >= 0)
                r = policy_notes_begin(&v->notes);
        if (r >= 0)
                r = kernel_command_line_read(&v->command_line, NULL);
        if (r >= 0)
                r = ask_lkmd(v);
        if (r < 0)
                return r;
        if (v->notes.requests)
                v->index = index_ref(v->notes.index);
        *ret = STEAL_PTR(v);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- mistakes */

static bool was_there(const PolicyReview *v, const Problem *p) {
        for (size_t i = 0; i < v->old_problems.n_items; i++) {
                const Problem *old = v->old_problems.items + i;

                if (streq(old->file, p->file) && streq(old->message, p->message))
                        return true;
        }
        return false;
}

/* A list that nothing includes is not read with the policy. */
static int check_list(PolicyReview *v, const PolicyDraft *draft) {
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;
        int r = policy_file_parse(&file, draft->path, POLICY_FILE_LIST, draft->text, draft->size,
                                  &v->problems);

        return r == -EBADMSG ? 0 : r;
}

/**
 * policy_review_check() - look for mistakes
 *
 * Return: 1: there are some, which are printed unless the answer is JSON; 0; negative errno.
 */
int policy_review_check(PolicyReview *v, const PolicyDraft *draft, PolicyFileKind kind) {
        _cleanup_(problem_list_clear) ProblemList all = {};
        int r;

        assert(v && draft);

        forget_draft(v);
        r = kind == POLICY_FILE_LIST ? check_list(v, draft) : 0;
        if (r >= 0 && v->problems.n_items == 0)
                r = offline_policy_read_draft(draft, &v->after, &all);
        for (size_t i = 0; r >= 0 && i < all.n_items; i++) {
                const Problem *p = all.items + i;

                if (streq(p->file, draft->path) || !was_there(v, p))
                        r = problem_list_add_at(&v->problems, p->file, p->line, p->column, "%s", p->message);
        }
        if (r < 0)
                return r;
        if (v->run->out.json == JSON_OFF)
                policy_print_problems(&v->problems, stderr);
        return v->problems.n_items > 0;
}

/* --------------------------------------------------------------------------------------------------- the rest */

static int find_loaded(PolicyReview *v) {
        _cleanup_(freep) char *table = NULL;
        char *rest, *line, *words[1];
        int r;

        r = proc_file_new(&table, "/proc/modules");
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* a kernel without modules */
        for (rest = table; r >= 0 && (line = proc_file_line(&rest));)
                r = proc_line_split(line, words, 1) == 1 ? policy_change_add_loaded(v->change, words[0]) : 0;
        return r;
}

static int find_changes(PolicyReview *v) {
        sd_json_variant *entries = field_array(v->audit, "entries");
        int r;

        r = policy_change_new(&v->change, v->index, &v->before, &v->after);
        for (size_t i = 0; r >= 0 && i < v->history.n_entries; i++)
                r = policy_change_add_asked(v->change,
                                            field_object(history_record(&v->history, i), "requester"));
        for (size_t i = 0; r >= 0 && entries && i < sd_json_variant_elements(entries); i++)
                r = policy_change_add_asked(v->change, sd_json_variant_by_index(entries, i));
        if (r >= 0)
                r = policy_change_add_devices(v->change);
        return r < 0 ? r : find_loaded(v);
}

/* What lint finds in the whole, of which the caller wants one file. */
static int find_oddities(PolicyReview *v) {
        v->lint = (Lint) {
                .run = v->run, .offline = &v->after, .index = v->index, .command_line = v->command_line
        };

        return lint_all(&v->lint, &(ProblemList) {});
}

static void print_notes(const PolicyReview *v, const char *path) {
        for (size_t i = 0; i < v->notes.list.n_items; i++)
                if (streq(v->notes.list.items[i].file, path))
                        policy_print_problems(
                                &(ProblemList) { .items = v->notes.list.items + i, .n_items = 1 }, stdout);
}

/**
 * policy_review_show() - what a draft without mistakes would do
 *
 * Return: 0; negative errno.
 */
int policy_review_show(PolicyReview *v, const PolicyDraft *draft) {
        bool shows = output_wants_text(&v->run->out);
        int r;

        assert(v && draft && v->problems.n_items == 0);

        r = policy_notes_add(&v->notes, v->after.policy);
        if (r < 0)
                return r;
        if (shows)
                print_notes(v, draft->path);
        if (!v->index) {
                if (shows)
                        printf("The running kernel has no modules here, so what changes is not known.\n");
                return 0;
        }
        r = find_oddities(v);
        if (r >= 0 && shows)
                r = lint_print_file(&v->lint, draft->path);
        if (r >= 0)
                r = find_changes(v);
        if (r < 0 || !shows)
                return MIN(r, 0);
        if (!v->audit)
                printf("lkmd does not answer: what was asked for since the boot is not known.\n");
        policy_change_print(v->change, stdout, &v->run->out);
        return 0;
}

static int problems_to_json(const ProblemList *list, const char *file, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < list->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (file && !streq(list->items[i].file, file))
                        continue;
                r = problem_to_json(list->items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* Adds the fields problems, notes, findings and changes to an object. Return: 0; negative errno. */
int policy_review_add_json(const PolicyReview *v, const PolicyDraft *draft, sd_json_variant **object) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *problems = NULL, *notes = NULL, *findings = NULL,
                                                          *changes = NULL;
        int r;

        assert(v && draft && object);

        r = problems_to_json(&v->problems, NULL, &problems);
        if (r >= 0)
                r = problems_to_json(&v->notes.list, draft->path, &notes);
        if (r >= 0)
                r = lint_file_to_json(&v->lint, draft->path, &findings);
        if (r >= 0 && v->change)
                r = policy_change_to_json(v->change, &changes);
        if (r >= 0)
                r = sd_json_variant_set_field(object, "problems", problems);
        if (r >= 0)
                r = sd_json_variant_set_field(object, "notes", notes);
        if (r >= 0)
                r = sd_json_variant_set_field(object, "findings", findings);
        if (r >= 0 && changes)
                r = sd_json_variant_set_field(object, "changes", changes);
        return MIN(r, 0);
}
