/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * resolve: which modules names and aliases mean, in kmod's order. A few keys are looked up directly in
 * depmod's files, as modprobe -R does, since building an index takes longer. Many, from standard input, are
 * looked up in an index.
 */

#include <sys/stat.h>

#include "cli/offline/offline.h"
#include "cli/offline/suggestion.h"
#include "cli/print/format.h"
#include "cli/verbs/verbs.h"
#include "common/base/array.h"
#include "common/base/text.h"
#include "common/index/index-direct.h"
#include "common/index/index-lookup.h"

#define ONE_BY_ONE_MAX 16U              /* keys; for more an index is faster */

/* The modules that a key means. Owns their names. */
typedef struct Answer {
        char **names;
        size_t n_names, n_allocated;
        IndexAnswer found;              /* of the last look-up in an index */
} Answer;

static void answer_empty(Answer *a) {
        while (a->n_names > 0)
                free(a->names[--a->n_names]);
}

static void answer_clear(Answer *a) {
        answer_empty(a);
        free(a->names);
        index_answer_clear(&a->found);
}

static int answer_add(const char *name, void *userdata) {
        Answer *a = userdata;
        char *copy;

        if (array_reserve(&a->names, &a->n_allocated, a->n_names + 1, sizeof(*a->names)) < 0)
                return -ENOMEM;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        a->names[a->n_names++] = copy;
        return 0;
}

static int print_json(Run *run, const char *key, const Answer *answer) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *modules = NULL, *object = NULL;
        _cleanup_(freep) char *escaped = NULL;
        int r;

        r = text_escape(key, &escaped);
        if (r < 0)
                return r;
        r = sd_json_variant_new_array(&modules, NULL, 0);
        for (size_t i = 0; r >= 0 && i < answer->n_names; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *name = NULL;

                r = sd_json_variant_new_string(&name, answer->names[i]);
                if (r >= 0)
                        r = sd_json_variant_append_array(&modules, name);
        }
        if (r < 0)
                return r;
        r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("key", escaped),
                           SD_JSON_BUILD_PAIR_VARIANT("modules", modules));
        if (r < 0)
                return r;
        return output_json(&run->out, object);
}

/*
 * ALIAS<TAB>module module ..; the alias as it came in, so that scripts find it again, but escaped on a
 * terminal.
 */
static int print_answer(Run *run, const char *key, const Answer *answer) {
        if (run->out.json != JSON_OFF)
                return print_json(run, key, answer);
        if (run->out.quiet)
                return 0;

        if (isatty(STDOUT_FILENO))
                print_escaped(stdout, key);
        else
                (void) fputs(key, stdout);
        for (size_t i = 0; i < answer->n_names; i++) {
                (void) putchar(i == 0 ? '\t' : ' ');
                (void) fputs(answer->names[i], stdout);
        }
        if (answer->n_names == 0)
                (void) putchar('\t');
        (void) putchar('\n');
        return 0;
}

/* The line that turns a key off, if that is all that the key means; NULL: none. */
static const ConfigEntry *find_off(const IndexAnswer *found) {
        for (size_t i = 0; i < found->n_matches; i++)
                if (found->matches[i].module || !found->matches[i].config ||
                    !config_entry_turns_off(found->matches[i].config))
                        return NULL;
        return found->n_matches > 0 ? found->matches[0].config : NULL;
}

static void report_off(const Run *run, const char *key, const ConfigEntry *line) {
        if (run->out.quiet)
                return;
        (void) fflush(stdout);
        (void) fputs("lkmctl: ", stderr);
        print_escaped(stderr, key);
        (void) fputs(" is turned off by ", stderr);
        print_escaped(stderr, line->file);
        (void) fprintf(stderr, ":%u\n", line->line);
}

/* ------------------------------------------------------------------------------------ many, by our index */

/* Return: an ExitStatus; -ENOMEM. */
static int resolve_key(Run *run, const Index *index, Answer *answer, const char *key) {
        const ConfigEntry *off;
        int r;

        answer_empty(answer);
        r = index_lookup(index, key, &answer->found);
        if (r == -ENOMEM)
                return r;
        off = r >= 0 ? find_off(&answer->found) : NULL;
        if (off) {
                r = print_answer(run, key, answer);
                report_off(run, key, off);
                return r < 0 ? r : STATUS_DENIED;
        }
        for (size_t i = 0; r >= 0 && i < answer->found.n_matches;
             i++) { /* an impossible key means nothing */
                r = answer_add(answer->found.matches[i].name, answer);
                if (r < 0)
                        return r;
        }
        r = print_answer(run, key, answer);
        return r < 0 ? r : answer->n_names == 0 ? STATUS_NO_SUCH_MODULE : STATUS_DONE;
}

/*
 * Each answer is flushed, since the other end of a pipe may wait for it. Only the line break is no part of
 * the key.
 */
static int resolve_lines(Run *run, const Index *index, Answer *answer) {
        _cleanup_(freep) char *line = NULL;
        struct stat st;
        bool waited_for = fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode);
        size_t size = 0;
        ssize_t n;

        while ((n = getline(&line, &size, stdin)) > 0) {
                int r;

                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                if (line[0] == '\0')
                        continue;
                r = resolve_key(run, index, answer, line);
                if (r >= 0 && (waited_for || ferror(stdout)))
                        r = output_flush();
                if (r < 0)
                        return r;
        }
        return ferror(stdin) ? -EIO : 0;
}

static int resolve_many(Run *run, char **args, unsigned n_args) {
        _cleanup_(answer_clear) Answer answer = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        ExitStatus status = STATUS_DONE;
        int r;

        r = offline_index(run, true, &index);
        if (r != 0)
                return r;

        for (unsigned i = 0; i < n_args; i++) {
                if (streq(args[i], "-")) {
                        r = resolve_lines(run, index, &answer);
                } else {
                        r = resolve_key(run, index, &answer, args[i]);
                        if (r >= 0)
                                status = failure_worse(status, (ExitStatus) r);
                }
                if (r < 0)
                        return r;
        }
        return status;
}

/* -------------------------------------------------------------------------------- few, by depmod's files */

/* A name that an alias turns off: libkmod's look-up cannot tell the line. Return: an ExitStatus; negative errno. */
static int resolve_off(Run *run, Answer *answer, const char *key) {
        _cleanup_(index_unrefp) const Index *index = NULL;
        Run silent = *run;              /* problems have been reported */
        int r;

        silent.out.quiet = true;
        r = offline_index(&silent, false, &index);
        return r != 0 ? r : resolve_key(run, index, answer, key);
}

static bool may_be_off(const Answer *answer) {
        return answer->n_names == 1 && (streq(answer->names[0], "off") || streq(answer->names[0], "null"));
}

/* Only on a terminal; scripts use the empty answer. */
static int suggest(Run *run, const char *key) {
        _cleanup_(index_unrefp) const Index *index = NULL;
        _cleanup_(freep) char *name = NULL;
        Run silent = *run;              /* problems have been reported */
        int r;

        if (!run->out.stderr_terminal || run->out.quiet || run->out.json != JSON_OFF)
                return 0;
        silent.out.quiet = true;
        r = offline_index(&silent, false, &index);
        if (r == 0)
                r = suggestion_find(index, key, &name);
        if (r < 0 || !name)
                return MIN(r, 0);
        (void) fflush(stdout);
        (void) fputs("lkmctl: nothing is called '", stderr);
        print_escaped(stderr, key);
        (void) fputs("', did you mean '", stderr);
        print_escaped(stderr, name);
        (void) fputs("'?\n", stderr);
        return 0;
}

static int resolve_few(Run *run, char **args, unsigned n_args) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_direct_freep) IndexDirect *index = NULL;
        _cleanup_(answer_clear) Answer answer = {};
        _cleanup_(freep) char *directory = NULL;
        ExitStatus status = STATUS_DONE;
        int r;

        r = offline_module_dir(run, &directory);
        if (r != 0)
                return r;
        r = index_direct_new(&index, directory, run->config.paths, &problems);
        if (r < 0)
                return r;
        offline_print_problems(run, &problems);

        for (unsigned i = 0; i < n_args; i++) {
                answer_empty(&answer);
                r = index_direct_lookup(index, args[i], answer_add, &answer);
                if (r >= 0 && may_be_off(&answer)) {
                        r = resolve_off(run, &answer, args[i]);
                        if (r < 0)
                                return r;
                        status = failure_worse(status, (ExitStatus) r);
                        continue;
                }
                if (r >= 0)
                        r = print_answer(run, args[i], &answer);
                if (r >= 0 && answer.n_names == 0) {
                        status = failure_worse(status, STATUS_NO_SUCH_MODULE);
                        r = suggest(run, args[i]);
                }
                if (r < 0)
                        return r;
        }
        if (offline_may_not_read(directory) || (status != STATUS_DONE && access(directory, F_OK) < 0))
                return report_no_index(run, directory);
        return status;
}

int verb_resolve(Run *run, char **args, unsigned n_args) {
        bool many = n_args > ONE_BY_ONE_MAX;
        int r, result;

        for (unsigned i = 0; i < n_args; i++)
                many = many || streq(args[i], "-");

        output_list_begin(&run->out);
        result = many ? resolve_many(run, args, n_args) : resolve_few(run, args, n_args);
        if (result < 0)
                return result;
        r = output_list_end(&run->out);
        if (r >= 0)
                r = output_flush();
        return r < 0 ? r : result;
}
