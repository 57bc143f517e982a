/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DeniedLines: see denied-lines.h; the same lines as those that lkmd-handover writes. Owns nothing. */

#include "cli/offline/denied-lines.h"

#include <assert.h>

#include "common/plan/denied-names.h"

static const char head[] =
        "# Written by \"lkmctl policy export\", lkmctl(1): what the policy of lkmd denies by name, for where lkmd is not.\n"
        "# Changes here are lost when it is written again; \"lkmctl explain NAME\" shows the rule to change.\n";

/**
 * denied_lines_new() - the text of a file for modprobe.d
 * @index: the modules that there are, of which the policy denies some
 *
 * Return: 0; -ENOMEM.
 */
int denied_lines_new(const OfflinePolicy *policy, const Index *index, char **ret) {
        _cleanup_(freep) char *names = NULL, *text = NULL;
        size_t size = 0;
        FILE *f;
        int r;

        assert(policy && index && ret);

        r = denied_names_list(policy->policy, index, policy->now_usec, &names);
        if (r < 0)
                return r;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs(head, f);
        for (char *rest = names, *name; (name = strsep(&rest, "\n"));)
                if (*name)
                        (void) fprintf(f, "install %s /bin/false\nblacklist %s\n", name, name);
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = STEAL_PTR(text);
        return 0;
}
