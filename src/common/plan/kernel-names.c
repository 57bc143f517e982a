/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* KernelNames: see kernel-names.h. Owns nothing. */

#include "common/plan/kernel-names.h"

#include <assert.h>

#include "common/base/util.h"

/**
 * kernel_name_of() - what does the kernel call a module?
 * @module: by the name of its file, normalised
 * @effort: to find out
 *
 * Return: borrowed from @files or @module, which it also is if nothing else is known.
 */
const char *kernel_name_of(const Index *index, FileFacts *files, const char *module,
                           FileFactsEffort effort) {
        const IndexModule *known;

        assert(index && files && module);

        known = index_find_module(index, module);
        return known && known->path ? file_facts_name(files, known->path, effort) ?: module : module;
}

/**
 * kernel_name_find() - the module of the index that the kernel calls by a name
 *
 * Reads the files that do not come with the kernel if no file has that name.
 *
 * Return: NULL: none is known.
 */
const IndexModule *kernel_name_find(const Index *index, FileFacts *files, const char *kernel_name) {
        const IndexModule *m;

        assert(index && files && kernel_name);

        m = index_find_module(index, kernel_name);
        if (m &&
            (!m->path || streq(file_facts_name(files, m->path, FACTS_KNOWN) ?: kernel_name, kernel_name)))
                return m;
        for (size_t i = 0, n = index_count_modules(index); i < n; i++) {
                const IndexModule *other = index_get_module(index, i);

                if (other->path &&
                    streq_ptr(file_facts_name(files, other->path, FACTS_READ_UNUSUAL), kernel_name))
                        return other;
        }
        return NULL;
}
