/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Offline: an index for verbs that answer without the daemon, and for other trees than that of this machine. It is
 * built by the code of lkmd, so the answers are the same.
 */

#include "cli/offline/offline.h"

#include <assert.h>
#include <sys/utsname.h>

#include "cli/offline/suggestion.h"
#include "cli/print/format.h"
#include "common/base/paths.h"
#include "common/explain/failure-text.h"
#include "common/explain/template.h"
#include "common/interface/interface.h"

/*
 * A broken file costs only its own content. The problem goes to standard error, so that scripts get their answer
 * undisturbed.
 */
void offline_print_problems(const Run *run, const ProblemList *problems) {
        for (size_t i = 0; i < problems->n_items && !run->out.quiet; i++) {
                const Problem *p = problems->items + i;

                (void) fputs("lkmctl: ", stderr);
                print_escaped(stderr, p->file);
                if (p->line > 0)
                        fprintf(stderr, ":%u", p->line);
                if (p->column > 0)
                        fprintf(stderr, ":%u", p->column);
                (void) fputs(": ", stderr);
                print_escaped(stderr, p->message);
                (void) fputc('\n', stderr);
        }
}

/* A word of a command line, for people to copy. */
static void put_word(FILE *f, const char *word) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+:@%-";

        if (*word != '\0' && word[strspn(word, plain)] == '\0') {
                (void) fputs(word, f);
                return;
        }
        (void) fputc('\'', f);
        for (; *word != '\0'; word++)
                if (*word == '\'')
                        (void) fputs("'\\''", f);
                else
                        (void) fputc(*word, f);
        (void) fputc('\'', f);
}

typedef struct Tree {
        const Run *run;
        const char *release;            /* of the kernel that the modules are for */
} Tree;

static void put_tree(FILE *f, const char *field, const void *userdata) {
        const Tree *t = userdata;

        if (streq(field, "modules")) {
                _cleanup_(freep) char *directory = NULL;

                if (asprintf(&directory, "%s" MODULE_ROOT, t->run->root ?: "") < 0)
                        directory = NULL;
                else
                        put_word(f, directory);
                return;
        }
        assert(streq(field, "depmod"));
        if (!t->run->root && !t->run->kernel) {
                (void) fputs("depmod -a", f);
                return;
        }
        (void) fputs("depmod ", f);
        if (t->run->root) {
                (void) fputs("-b ", f);
                put_word(f, t->run->root);
                (void) fputc(' ', f);
        }
        put_word(f, t->release);
}

/* For the tree of --root and --kernel. {depmod}: the command; {modules}: where the modules of all kernels are. */
static int make_hint(const Run *run, const char *template, char **ret) {
        struct utsname u;

        if (!run->kernel && uname(&u) < 0)
                return -errno;
        return template_fill(template, put_tree, &(Tree) { run, run->kernel ?: u.release }, ret);
}

static int report_no_release(Run *run) {
        _cleanup_(freep) char *hint = NULL;
        int r;

        r = make_hint(run, "ls {modules}", &hint);
        if (r < 0)
                return r;
        return failure_print_own(
                &run->out, CLIENT_ERROR_USAGE, hint,
                "'%s' is no release of a kernel: --kernel takes the name of a directory below "
                "%s" MODULE_ROOT,
                run->kernel, run->root ?: "");
}

/* The module directory that --root and --kernel ask for. */
int offline_module_dir(Run *run, char **ret) {
        struct utsname u;

        if (run->kernel && !index_release_is_valid(run->kernel))
                return report_no_release(run);
        if (!run->kernel && uname(&u) < 0)
                return -errno;
        if (asprintf(ret, "%s" MODULE_ROOT "/%s", run->root ?: "", run->kernel ?: u.release) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* Is there perhaps an index, which who asks may not read? */
bool offline_may_not_read(const char *module_dir) {
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/modules.dep.bin", module_dir) < 0) {
                path = NULL;
                return false;
        }
        return access(path, R_OK) < 0 && errno == EACCES;
}

/* What is missing: the directory, the right to read it, or what depmod writes into it. */
int report_no_index(Run *run, const char *module_dir) {
        _cleanup_(freep) char *hint = NULL;
        int error, r;

        error = access(module_dir, R_OK | X_OK) < 0 ? errno : 0;
        if (error == EACCES || offline_may_not_read(module_dir))
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "the modules in %s may not be read", module_dir);
        r = make_hint(
                run,
                error == 0 ? "{depmod}"
                           : "ls {modules} shows the kernels that have modules; --kernel names one of them",
                &hint);
        if (r < 0)
                return r;
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, hint, NO_INDEX_TEXT "%s", module_dir,
                                 error == ENOENT ? ", which does not exist" : "");
}

/**
 * offline_check_paths() - are the paths of an option there?
 * @option: its name
 *
 * modprobe -C overlooks a path that is not there; whoever has misspelt one gets an answer about something else.
 */
int offline_check_paths(Run *run, const char *option, const char *const *paths) {
        for (; paths && *paths; paths++)
                if (access(*paths, F_OK) < 0)
                        return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "check the spelling",
                                                 "--%s=%s: %s", option, *paths, strerror(errno));
        return 0;
}

/**
 * offline_index_read() - as offline_index(), but the caller gets the problems
 */
int offline_index_read(Run *run, bool modules_needed, const Index **ret, ProblemList *problems) {
        _cleanup_(index_unrefp) const Index *index = NULL;
        int r;

        assert(run && ret && problems);

        r = offline_check_paths(run, "config", run->config.paths);
        if (r != 0)
                return r;
        r = index_new(&index,
                      &(IndexSources) {
                              .root = run->root,
                              .release = run->kernel,
                              .config_paths = run->config.paths,
                      },
                      problems);
        if (r == -EINVAL)
                return report_no_release(run);
        if (r < 0)
                return r;
        if (modules_needed && !index_is_complete(index)) {
                offline_print_problems(run, problems);
                return report_no_index(run, index_get_module_dir(index));
        }

        *ret = STEAL_PTR(index);
        return 0;
}

/**
 * offline_index() - the index that --root, --kernel and --config ask for
 * @modules_needed: false: a tree without modules will do, for its configuration
 *
 * With --config the kernel command line still counts, as for modprobe -C. A path of --config has to be there.
 */
int offline_index(Run *run, bool modules_needed, const Index **ret) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r;

        r = offline_index_read(run, modules_needed, ret, &problems);
        if (r == 0)
                offline_print_problems(run, &problems);
        return r;
}

/* Somebody gave the file of a module. */
static int report_file(Run *run, const Index *index, const char *key, const char *name) {
        _cleanup_(freep) char *hint = NULL;
        int r;

        if (index_find_module(index, name)) {
                if (asprintf(&hint, "the same with %s", name) < 0) {
                        hint = NULL;
                        return -ENOMEM;
                }
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, hint, MODULE_FILE_TEXT, key,
                                         name);
        }
        r = make_hint(run, "put the file below {modules}, then {depmod}", &hint);
        if (r < 0)
                return r;
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, hint,
                                 MODULE_FILE_TEXT ", which is not in %s", key, name,
                                 index_get_module_dir(index));
}

int report_no_such_module(Run *run, const Index *index, const char *key) {
        _cleanup_(freep) char *suggestion = NULL, *hint = NULL;
        char name[MODULE_NAME_MAX + 1];
        int r;

        if (suggestion_from_file(key, name))
                return report_file(run, index, key, name);
        r = suggestion_find(index, key, &suggestion);
        if (r >= 0)
                r = make_hint(run, NO_SUCH_MODULE_HINT_FOR("{depmod}"), &hint);
        if (r < 0)
                return r;
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, hint, NO_SUCH_MODULE_TEXT "%s%s%s",
                                 key, index_get_module_dir(index), suggestion ? ", did you mean '" : "",
                                 suggestion ?: "", suggestion ? "'?" : "");
}

/* Tests have those of the running kernel elsewhere. What is wrong with the configuration is not reported. */
int offline_index_here(Run *run, const Index **ret) {
        Run plain = { .out = run->out, .root = secure_getenv(LKMD_ROOT_ENV), .config = run->config };

        assert(run && ret);

        plain.out.quiet = true;
        return offline_index(&plain, true, ret);
}
