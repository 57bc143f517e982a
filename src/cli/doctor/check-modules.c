/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* check_index(), check_stale(): do the index, the files and the kernel agree about the modules? Owns nothing. */

#include <assert.h>
#include <fts.h>
#include <sys/stat.h>

#include "cli/doctor/checks.h"
#include "cli/offline/suggestion.h"
#include "cli/reasons/stale-modules.h"
#include "common/base/limits.h"
#include "common/base/name-table.h"

typedef struct Comparison {
        NameTable *names;               /* of the modules in the index */
        size_t n_unknown;               /* files that it does not know */
        char *unknown;                  /* one of them, owned */
} Comparison;

static void comparison_clear(Comparison *c) {
        name_table_free(c->names);
        free(c->unknown);
}

static int on_file(Comparison *c, const char *path, const char *file) {
        char name[MODULE_NAME_MAX + 1];
        size_t i;

        if (!suggestion_from_file(file, name) || name_table_find(c->names, name, &i))
                return 0;
        c->n_unknown++;
        if (c->unknown)
                return 0;
        c->unknown = strdup(path);
        return c->unknown ? 0 : -ENOMEM;
}

/* Module files that depmod has not seen. "build" and "source" are links to trees with modules of nobody's. */
static int find_unknown(Comparison *c, const char *directory) {
        char *roots[] = { (char *) directory, NULL };
        FTS *walk;
        FTSENT *e;
        int r = 0;

        walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
        if (!walk)
                return errno == ENOMEM ? -ENOMEM : 0;
        while (r >= 0 && (e = fts_read(walk)))
                if (e->fts_info == FTS_F || e->fts_info == FTS_NSOK || e->fts_info == FTS_SL)
                        r = on_file(c, e->fts_path, e->fts_name);
        (void) fts_close(walk);
        return r;
}

static int collect_names(Comparison *c, const Index *index) {
        size_t n = index_count_modules(index);
        int r;

        r = name_table_new(&c->names);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = name_table_add(c->names, index_get_module(index, i)->name, i);
                r = r == -EEXIST ? 0 : r;
        }
        return r;
}

/* Those that the index has and nobody finds. */
static size_t count_missing(const Index *index, const char **ret_first) {
        size_t n = 0;

        for (size_t i = 0; i < index_count_modules(index); i++) {
                const IndexModule *m = index_get_module(index, i);

                if (!m->path || access(m->path, F_OK) >= 0 || errno != ENOENT)
                        continue;
                if (n++ == 0)
                        *ret_first = m->path;
        }
        return n;
}

static int compare(const Doctor *d, const char *directory, Diagnoses *ret) {
        _cleanup_(comparison_clear) Comparison c = {};
        const char *missing = NULL;
        size_t n_missing;
        int r;

        r = collect_names(&c, d->asker->index);
        if (r >= 0)
                r = find_unknown(&c, directory);
        if (r < 0)
                return r;
        n_missing = count_missing(d->asker->index, &missing);
        if (c.n_unknown > 0)
                r = diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "depmod -a",
                        "depmod has not run since %zu module%s put there, such as %s: nobody finds %s",
                        c.n_unknown, c.n_unknown == 1 ? " was" : "s were", c.unknown,
                        c.n_unknown == 1 ? "it" : "them");
        if (r >= 0 && n_missing > 0)
                r = diagnoses_add(ret, DIAGNOSIS_REPAIR, "depmod -a",
                                  "the files of %zu module%s are gone since depmod ran, such as %s",
                                  n_missing, n_missing == 1 ? "" : "s", missing);
        if (r >= 0 && c.n_unknown == 0 && n_missing == 0)
                r = diagnoses_add(ret, DIAGNOSIS_OK, NULL, "%zu modules in %s, as depmod has them",
                                  index_count_modules(d->asker->index), directory);
        return r;
}

int check_index(const Doctor *d, Diagnoses *ret) {
        const char *directory = index_get_module_dir(d->asker->index);

        assert(ret);

        if (access(directory, F_OK) < 0 && errno == ENOENT)
                return diagnoses_add(
                        ret, DIAGNOSIS_REPAIR, "ls /lib/modules; reboot into a kernel that has modules",
                        "the modules of the running kernel are not installed any more: %s does not exist",
                        directory);
        if (!index_is_complete(d->asker->index))
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "depmod -a",
                                     "the index in %s is missing or incomplete: no module can be loaded",
                                     directory);
        return compare(d, directory, ret);
}

int check_stale(const Doctor *d, Diagnoses *ret) {
        _cleanup_(stale_modules_clear) StaleModules stale = {};
        int r;

        assert(d && ret);

        r = stale_modules_find(&d->asker->machine, d->asker->index, d->asker->policy->facts, &stale);
        if (r < 0)
                return r;
        if (stale.n_items > 0)
                return diagnoses_add(ret, DIAGNOSIS_REPAIR, "lkmctl stale",
                                     "%zu module%s in the kernel, such as %s, %s older than %s",
                                     stale.n_items, stale.n_items == 1 ? "" : "s", stale.items[0].module,
                                     stale.n_items == 1 ? "is" : "are",
                                     stale.n_items == 1 ? "its file" : "their files");
        return diagnoses_add(ret, DIAGNOSIS_OK, NULL,
                             "%zu modules in the kernel, none of which is older than its file",
                             stale.n_modules - stale.n_unknown);
}
