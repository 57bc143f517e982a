/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DependencyParents: modules.dep lists everything that a module needs, directly or not, but not which of
 * these needs which; that follows from the lists of the dependencies themselves. Owns nothing.
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
 * dependency_parents() - which module needs each dependency directly?
 * @ret: for each dependency the index of another one in module->dependencies; DEPENDENCY_OF_MODULE: only the
 *       module itself needs it directly. To be freed; NULL if there are no dependencies.
 *
 * Only dependencies that are loaded later count, so a broken modules.dep makes no circle.
 *
 * Return: 0; -ENOMEM.
 */
int dependency_parents(const IndexModule *module, size_t **ret) {
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
                parents[i] = DEPENDENCY_OF_MODULE;
        }
        qsort(members, n, sizeof(*members), member_compare);

        for (size_t j = n; j-- > 0;) {  /* backwards: the first one that needs it counts */
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
