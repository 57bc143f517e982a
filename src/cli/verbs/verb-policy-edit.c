/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * policy edit: as visudo for sudoers. What the editor leaves is checked as part of the whole policy, what it would
 * change is shown, and only then it takes the place of the file. Nothing that somebody has written is lost: where it
 * is not installed, and nobody said that it is to be thrown away, it stays in a copy whose path is told.
 */

#include <assert.h>

#include "cli/call/interrupt.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/verbs/edit-file.h"
#include "cli/verbs/editor.h"
#include "cli/verbs/policy-review.h"
#include "cli/verbs/reload-text.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/read-file.h"
#include "common/base/text.h"

typedef struct Edit {
        Run *run;
        EditFile file;
        PolicyReview *review;
        char *text;                     /* what the editor has left */
        size_t size;
        sd_json_variant *reload;        /* lkmd's reply; NULL: not asked, or it did not answer */
} Edit;

/* What the signal handler says; freed with the process. */
static char *last_words;

static void edit_clear(Edit *e) {
        policy_review_free(e->review);
        edit_file_done(&e->file);
        sd_json_variant_unref(e->reload);
        free(e->text);
}

static int check_usage(Run *run) {
        const char *wrong = NULL, *hint = "lkmctl help policy edit";

        if (run->out.host) {
                wrong = "an editor has to run on the machine of the policy";
                hint = "ssh -t HOST lkmctl policy edit";
        } else if (run->out.json != JSON_OFF && !run->yes)
                wrong = "with --json nobody can be asked: it needs --yes";
        else if (run->from_stdin && !run->yes)
                wrong = "with --stdin nobody can be asked: it needs --yes";
        else if (!run->yes && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
                wrong = "there is no terminal to edit and to ask at";
                hint = "lkmctl policy edit FILE --stdin --yes <NEW, where NEW is a file with the new text";
        }
        return wrong ? (int) failure_print_own(&run->out, CLIENT_ERROR_USAGE, hint, "%s", wrong) : 0;
}

/* ------------------------------------------------------------------------------------------------- the end */

static int print_json(Edit *e, const char *result) {
        const PolicyDraft draft = { .path = e->file.path, .text = e->text, .size = e->size };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *file = NULL, *copy = NULL;
        int r;

        if ((r = text_escape(e->file.path, &file)) < 0 || (r = text_escape(e->file.copy, &copy)) < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("file", file), SD_JSON_BUILD_PAIR_STRING("result", result),
                SD_JSON_BUILD_PAIR_CONDITION(e->file.keep_copy, "copy", SD_JSON_BUILD_STRING(copy)));
        if (r >= 0)
                r = policy_review_add_json(e->review, &draft, &v);
        if (r >= 0 && e->reload)
                r = sd_json_variant_set_field(&v, "reload", e->reload);
        return r < 0 ? r : output_json(&e->run->out, v);
}

/* Where the text is that is not installed. */
static void keep(Edit *e) {
        e->file.keep_copy = true;
        if (e->run->out.json != JSON_OFF)
                return;
        (void) fputs("lkmctl: nothing is changed; what was edited is in ", stderr);
        print_escaped(stderr, e->file.copy);
        (void) fputc('\n', stderr);
}

/* It is not installed, for a reason that lkmctl found. */
static int refuse(Edit *e, const char *hint, const char *what, const char *why) {
        e->file.keep_copy = true;
        return failure_print_own(&e->run->out, CLIENT_ERROR_LOCAL, hint,
                                 "%s%s; nothing is changed, and what was edited is in %s", what, why,
                                 e->file.copy);
}

static int end_unchanged(Edit *e) {
        if (e->run->out.json != JSON_OFF)
                return print_json(e, "unchanged");
        if (output_wants_text(&e->run->out))
                printf("Nothing changed.\n");
        return STATUS_DONE;
}

/* ------------------------------------------------------------------------------------------------ questions */

/* @answers: the letters that are possible. Return: one of them; 0: there is nobody any more */
static char ask(const char *question, const char *answers) {
        for (;;) {
                char line[64];

                printf("%s ", question);
                (void) fflush(stdout);
                if (!fgets(line, sizeof(line), stdin)) {
                        putchar('\n');
                        return 0;
                }
                if (line[0] != '\0' && strchr(answers, line[0]) && (line[1] == '\n' || line[1] == '\0'))
                        return line[0];
        }
}

/* Return: 'e' to edit again; 'y'; 'x', with what that means done. */
static char decide(Edit *e, const char *question, const char *answers) {
        char answer = ask(question, answers);

        if (answer == 0) {
                keep(e);
                return 'x';
        }
        if (answer == 'x')
                printf("Left without saving.\n");
        return answer;
}

/* --------------------------------------------------------------------------------------------------- editing */

static int take_stdin(Edit *e) {
        return read_file(STDIN_FILENO, POLICY_FILE_MAX, &e->text, &e->size);
}

static int report_editor(Edit *e, const EditorResult *result) {
        _cleanup_(freep) char *what = NULL;
        int n;

        if (result->end == EDITOR_ABSENT)
                n = asprintf(&what, "cannot run the editor '%s': %s", result->name,
                             strerror(result->number));
        else if (result->end == EDITOR_KILLED)
                n = asprintf(&what, "the editor '%s' was ended by %s", result->name,
                             strsignal(result->number));
        else
                n = asprintf(&what, "the editor '%s' ended with status %d", result->name, result->number);
        if (n < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (result->end != EDITOR_ABSENT &&
            (e->size != e->file.size || memcmp(e->text, e->file.text, e->size) != 0))
                return refuse(e, "lkmctl policy edit", what, "");
        return failure_print_own(&e->run->out, CLIENT_ERROR_LOCAL,
                                 "EDITOR=nano lkmctl policy edit, with an editor that is installed",
                                 "%s; nothing is changed", what);
}

/* Return: 0, with the text; an ExitStatus, after reporting; negative errno. */
static int edit(Edit *e) {
        EditorResult result = { .end = EDITOR_DONE };
        int r;

        free(STEAL_PTR(e->text));
        e->size = 0;
        if (e->run->from_stdin)
                r = take_stdin(e);
        else {
                r = editor_run(e->file.copy, &result);
                if (r >= 0)
                        r = edit_file_read_copy(&e->file, &e->text, &e->size);
        }
        if (r >= 0 && result.end != EDITOR_DONE)
                r = report_editor(e, &result);
        free(result.name);
        if (r == -EFBIG)
                return refuse(e, "lkmctl help policy edit", "what was edited is too large for a policy", "");
        return r < 0 && r != -ENOMEM ? refuse(e, NULL, "what was edited cannot be read: ", strerror(-r)) : r;
}

static bool is_empty(const Edit *e) {
        return strspn(e->text, " \t\n\r") == e->size;
}

static bool is_unchanged(const Edit *e) {
        return e->size == e->file.size && memcmp(e->text, e->file.text, e->size) == 0;
}

/* The text of standard input is in no copy yet. */
static int save_stdin(Edit *e) {
        FILE *f = e->run->from_stdin ? fopen(e->file.copy, "we") : NULL;

        if (!e->run->from_stdin)
                return 0;
        if (!f)
                return -errno;
        (void) fwrite(e->text, 1, e->size, f);
        return fclose(f) == 0 ? 0 : -errno;
}

/* ------------------------------------------------------------------------------------------------ installing */

static int report_write(Edit *e, int error) {
        return refuse(e, error == -EREMCHG ? "ls -ld of each directory on the way" : NULL,
                      error == -EREMCHG ? "a link on the way to the file is not root's"
                                        : "the file cannot be written: ",
                      error == -EREMCHG ? "" : strerror(-error));
}

/* lkmd sees the file by itself; asking it brings its answer. */
static int reload(Edit *e) {
        int r = client_call(e->run->client, "Reload", NULL, &(CallHooks) { .silent = true }, &e->reload);

        if (r < 0 && r != -ENOMEM)
                r = STATUS_NOT_REACHABLE;
        if (r < 0 || e->run->out.json != JSON_OFF)
                return MIN(r, 0);
        if (output_wants_text(&e->run->out)) {
                print_escaped(stdout, e->file.path);
                printf(" is installed.\n");
        }
        if (r == 0)
                reload_print(&e->run->out, e->reload);
        else if (output_wants_text(&e->run->out))
                printf(r == STATUS_NOT_REACHABLE
                               ? "lkmd does not answer: it applies the file when it starts.\n"
                               : "lkmd has not said what it makes of it: lkmctl status\n");
        return 0;
}

static int install(Edit *e) {
        int r;

        r = edit_file_is_untouched(&e->file);
        if (r == 0)
                return refuse(e, "put both together, then lkmctl policy edit FILE --stdin --yes <NEW", "",
                              "somebody else has changed the file meanwhile");
        if (r > 0)
                r = edit_file_install(&e->file, e->text, e->size);
        if (r < 0)
                return r == -ENOMEM ? r : report_write(e, r);
        r = interrupt_says("\nlkmctl: the file is installed; what lkmd makes of it: lkmctl status\n");
        if (r >= 0)
                r = reload(e);
        if (r < 0)
                return r;
        return e->run->out.json != JSON_OFF ? print_json(e, "installed") : STATUS_DONE;
}

/* -------------------------------------------------------------------------------------------------- one round */

#define AGAIN 1000 /* no ExitStatus: the caller wants to edit again */

static int end_broken(Edit *e) {
        char answer;

        if (!e->run->yes) {
                answer = decide(e, "There are mistakes. (e) edit again, (x) leave without saving?", "ex");
                return answer == 'e' ? AGAIN : STATUS_FAILED;
        }
        keep(e);
        if (e->run->out.json != JSON_OFF) {
                int r = print_json(e, "broken");

                return r < 0 ? r : STATUS_FAILED;
        }
        return STATUS_FAILED;
}

static int look_at(Edit *e) {
        const PolicyDraft draft = { .path = e->file.path, .text = e->text, .size = e->size };
        char answer = 'y';
        int r;

        r = policy_review_check(e->review, &draft, e->file.kind);
        if (r != 0)
                return r < 0 ? r : end_broken(e);
        r = policy_review_show(e->review, &draft);
        if (r < 0)
                return r;
        if (!e->run->yes)
                answer = decide(e, "(y) install it, (e) edit again, (x) leave without saving?", "yex");
        return answer == 'e' ? AGAIN : answer == 'x' ? STATUS_FAILED : install(e);
}

static int round_of(Edit *e) {
        int r;

        r = edit(e);
        if (r != 0)
                return r;
        if (is_unchanged(e))
                return end_unchanged(e);
        r = save_stdin(e);
        if (r < 0)
                return r;
        if (is_empty(e))
                return failure_print_own(
                        &e->run->out, CLIENT_ERROR_LOCAL, "rm FILE && lkmctl reload, to be without it",
                        "what was edited is empty; nothing is changed, %s included", e->file.path);
        return look_at(e);
}

/* Ctrl-C at a question, and SIGTERM at any time: the copy is there, and this says where. */
static int watch_signals(const Edit *e) {
        _cleanup_(freep) char *copy = NULL;
        int r;

        r = text_escape(e->file.copy, &copy);
        if (r < 0)
                return r;
        if (asprintf(&last_words, "\nlkmctl: nothing is changed; what was edited is in %s\n", copy) < 0) {
                last_words = NULL;
                return -ENOMEM;
        }
        return interrupt_says(last_words);
}

int verb_policy_edit(Run *run, char **args, unsigned n_args) {
        _cleanup_(edit_clear) Edit e = { .run = run, .file = { .lock_fd = -EBADF } };
        int r;

        r = check_usage(run);
        if (r == 0)
                r = edit_file_find(&e.file, run, n_args > 0 ? args[0] : NULL);
        if (r == 0)
                r = edit_file_begin(&e.file, run);
        if (r == 0)
                r = policy_review_new(&e.review, run);
        if (r == 0)
                r = watch_signals(&e);
        if (r != 0)
                return r;
        do
                r = round_of(&e);
        while (r == AGAIN);
        return r;
}
