/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The shape of a dependency closure. modules.dep lists everything that a module needs, but not what needs
 * what; that follows from the closures of the listed ones.
 */

#include "common/index/dependency-parents.h"

#include <assert.h>

typedef struct Member {
        const IndexModule *module;
        size_t place;
} Member;

static int member_compare(const void *a, const void *b) {
        const Member *x = a, *y = b;

        return (x->module > y->module) - (x->module < y->module);
}

static const Member *find_member(const Member *members, size_t n, const IndexModule *module) {
        return bsearch(&(Member) { .module = module }, members, n, sizeof(*members), member_compare);
}

/**
 * closure_parents() - who brings each dependency in?
 * @ret: as many places in module->dependencies as there are dependencies; CLOSURE_TOP: the module itself, and only it,
 *       needs it directly. The caller's to free. NULL if there is no dependency.
 *
 * Only one that is loaded later counts, so that a circle in a broken modules.dep cannot close.
 *
 * Return: 0; -ENOMEM.
 */
int closure_parents(const IndexModule *module, size_t **ret) {
        _cleanup_(freep) Member *members = NULL;
        _cleanup_(freep) size_t *parents = NULL;
        size_t n;

        assert(module && ret);

        n = module->n_dependencies;
        if (n == 0) {
                *ret = NULL;
                return 0;
        }

        members = reallocarray(NULL, n, sizeof(*members));
        parents = reallocarray(NULL, n, sizeof(*parents));
        if (!members || !parents)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                members[i] = (Member) { .module = module->dependencies[i], .place = i };
                parents[i] = CLOSURE_TOP;
        }
        qsort(members, n, sizeof(*members), member_compare);

        for (size_t j = n; j-- > 0;) {  /* downwards: the first that needs it has the last word */
                const IndexModule *d = module->dependencies[j];

                for (size_t k = 0; k < d->n_dependencies; k++) {
                        const Member *m = find_member(members, n, d->dependencies[k]);

                        if (m && m->place < j)
                                parents[m->place] = j;
                }
        }

        *ret = STEAL_PTR(parents);
        return 0;
}
