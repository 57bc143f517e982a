/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MachineLook: see machine-look.h. */

#include "cli/verbs/machine-look.h"

#include <assert.h>

#include "common/base/paths.h"

/**
 * machine_look_open() - open what there is: modules, configuration, the kernel's log, and lkmd's answer
 * @ret: to be closed, also after a failure; must not move, since its asker points into it
 *
 * Nothing of it has to be there: what is missing is a finding.
 *
 * Return: 0; an ExitStatus, after reporting why; negative errno.
 */
int machine_look_open(Run *run, MachineLook *ret) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        const char *root = secure_getenv(LKMD_ROOT_ENV);
        Run plain = { .out = run->out };
        bool readable;
        int r;

        assert(run && ret);

        *ret = (MachineLook) {};
        if (uname(&ret->name) < 0)
                return -errno;
        if (asprintf(&ret->modules, "%s" MODULE_ROOT, root ?: "") < 0) {
                ret->modules = NULL;
                return -ENOMEM;
        }
        r = index_new(&ret->index, &(IndexSources) { .root = root }, &problems);
        if (r < 0)
                return r;
        plain.out.quiet = true;         /* status and lint are about broken files */
        r = offline_policy(&plain, &ret->policy, NULL);
        if (r != 0)
                return r;
        r = kernel_lines_read(&(Machine) { .kernel_log = "/dev/kmsg" }, &ret->kernel_lines);
        if (r == -ENOMEM)
                return r;
        readable = r >= 0;
        ret->asker = (WhyNotAsker) { .machine = machine_here(ret->name.release),
                                     .index = ret->index,
                                     .policy = &ret->policy,
                                     .client = run->client,
                                     .kernel_lines = readable ? &ret->kernel_lines : NULL };
        ret->asker.machine.modules = ret->modules;
        if (!run->client)
                return 0;
        r = client_call(run->client, "Status", NULL,
                        &(CallHooks) { .answer_usec = ANSWER_SOON_USEC, .silent = true },
                        &ret->asker.status);
        return r < 0 ? r : 0;
}

void machine_look_close(MachineLook *l) {
        assert(l);

        sd_json_variant_unref(l->asker.status);
        kernel_lines_clear(&l->kernel_lines);
        offline_policy_done(&l->policy);
        index_unref(l->index);
        free(l->modules);
        *l = (MachineLook) {};
}
