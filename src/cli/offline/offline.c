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

/* The module directory that --root and --kernel ask for. */
int offline_module_dir(Run *run, char **ret) {
        struct utsname u;

        if (run->kernel && (run->kernel[0] == '\0' || strchr(run->kernel, '/')))
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "ls /lib/modules",
                                        "'%s' is no release of a kernel", run->kernel);
        if (!run->kernel && uname(&u) < 0)
                return -errno;
        if (asprintf(ret, "%s" MODULE_ROOT "/%s", run->root ?: "", run->kernel ?: u.release) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int report_no_index(Run *run, const char *module_dir) {
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, "ls /lib/modules; depmod -a",
                                NO_INDEX_TEXT, module_dir);
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
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "ls /lib/modules",
                                        "'%s' is no release of a kernel", run->kernel);
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

int report_no_such_module(Run *run, const Index *index, const char *key) {
        _cleanup_(freep) char *suggestion = NULL;

        if (suggestion_find(index, key, &suggestion) < 0)
                suggestion = NULL;
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, NO_SUCH_MODULE_HINT,
                                 NO_SUCH_MODULE_TEXT "%s%s%s", key, index_get_module_dir(index),
                                 suggestion ? ", did you mean '" : "", suggestion ?: "",
                                 suggestion ? "'?" : "");
}
