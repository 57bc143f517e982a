/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy check: mistakes in policy files, for people who write them and for pipelines.
 */

#include <assert.h>
#include <libgen.h>

#include "cli/offline/offline-policy.h"
#include "cli/offline/offline.h"
#include "cli/offline/policy-notes.h"
#include "cli/print/policy-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/paths.h"
#include "common/policy-files/policy-parse.h"
#include "common/policy-files/policy-sources.h"

/* A file in a directory "lists" is a list, which must have more than a file of policy.d. */
static int file_kind(const char *path, PolicyFileKind *ret) {
        _cleanup_(freep) char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        *ret = streq(basename(dirname(copy)), LKMD_LIST_DIR) ? POLICY_FILE_LIST : POLICY_FILE_RULES;
        return 0;
}

/* A list on its own. Return: 0, also if it is broken; -ENOMEM. */
static int check_list(const char *path, ProblemList *problems, size_t *n_rules, size_t *n_files) {
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;
        int r;

        r = policy_file_read(&file, path, POLICY_FILE_LIST, /* trusted_only= */ false, problems);
        if (r == -ENOMEM)
                return r;
        if (r >= 0)
                *n_rules += file->n_rules;
        ++*n_files;
        return 0;
}

/* A file with what it includes, or all of a directory. Return: as check_list(). */
static int check_file(const char *path, ProblemList *problems, PolicyNotes *notes, size_t *n_rules,
                      size_t *n_files) {
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        PolicyFileKind kind;
        int r;

        if (access(path, F_OK) < 0)
                return problem_list_add(problems, path, 0, "it cannot be read: %s", strerror(errno));
        r = file_kind(path, &kind);
        if (r < 0)
                return r;
        if (kind == POLICY_FILE_LIST)
                return check_list(path, problems, n_rules, n_files);

        r = offline_policy_read((const char *const[]) { path, NULL }, /* trusted_only= */ false, &offline,
                                problems);
        if (r < 0)
                return r;
        *n_rules += policy_count_rules(offline.policy);
        *n_files += policy_count_files(offline.policy);
        return policy_notes_add(notes, offline.policy);
}

static int check_all(ProblemList *problems, PolicyNotes *notes, size_t *n_rules, size_t *n_files) {
        _cleanup_(offline_policy_done) OfflinePolicy offline = {};
        int r;

        r = offline_policy_read(NULL, /* trusted_only= */ true, &offline, problems);
        if (r < 0)
                return r;
        *n_rules = policy_count_rules(offline.policy);
        *n_files = policy_count_files(offline.policy);
        return policy_notes_add(notes, offline.policy);
}

static int print_all_json(Run *run, const ProblemList *problems, bool are_notes) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < problems->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = problem_to_json(problems->items + i, &v);
                if (r >= 0 && are_notes)
                        r = sd_json_variant_set_field_boolean(&v, "note", true);
                if (r >= 0)
                        r = output_json(&run->out, v);
        }
        return r;
}

static int print_json(Run *run, const ProblemList *problems, const ProblemList *notes) {
        int r;

        output_list_begin(&run->out);
        r = print_all_json(run, problems, /* are_notes= */ false);
        if (r >= 0)
                r = print_all_json(run, notes, /* are_notes= */ true);
        return r < 0 ? r : output_list_end(&run->out);
}

int verb_policy_check(Run *run, char **args, unsigned n_args) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(policy_notes_clear) PolicyNotes notes = {};
        size_t n_rules = 0, n_files = 0;
        int r;

        r = policy_notes_begin(&notes);
        for (unsigned i = 0; r >= 0 && i < n_args; i++)
                r = check_file(args[i], &problems, &notes, &n_rules, &n_files);
        if (r >= 0 && n_args == 0)
                r = check_all(&problems, &notes, &n_rules, &n_files);
        if (r < 0)
                return r;

        if (run->out.json != JSON_OFF) {
                r = print_json(run, &problems, &notes.list);
                if (r < 0)
                        return r;
        } else
                policy_print_problems(&problems, stderr);
        if (output_wants_text(&run->out))
                policy_print_problems(&notes.list, stdout);
        if (output_wants_text(&run->out) && problems.n_items == 0 && n_files == 0 && n_args > 0)
                printf("Nothing to check: no file there ends in .yaml.\n");
        else if (output_wants_text(&run->out) && problems.n_items == 0)
                printf("No mistakes: %zu rule%s in %zu file%s.\n", n_rules, n_rules == 1 ? "" : "s", n_files,
                       n_files == 1 ? "" : "s");
        r = output_flush();
        return r < 0 ? r : problems.n_items > 0 ? STATUS_FAILED : STATUS_DONE;
}
