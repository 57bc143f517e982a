/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexTree: see index-tree.h. Owns its tables and the mapping that they borrow from, if there is one.
 */

#include "common/index/index-tree.h"

#include <assert.h>
#include <sys/mman.h>

#include "common/base/util.h"
#include "common/index/index-image.h"

/* ---------------------------------------------------------------------------------------- from the files */

typedef struct Build {
        IndexTree *tree;
        const char *module_dir;
        ProblemList *problems;
} Build;

/* Return: 1 with *@ret; 0 without: the file is missing or broken, which is added to the problems. */
static int open_file(const Build *b, const char *name, bool optional, IndexFile **ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", b->module_dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }

        r = index_file_open(ret, path, b->problems);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && !(r == -ENOENT && optional))
                b->tree->whole = false;
        if (r == -ENOENT && !optional)
                return problem_list_add(b->problems, path, 0, "is missing, run depmod");
        return r >= 0;
}

static int on_dependencies(const char *key, const char *value, uint32_t priority, void *userdata) {
        int r = module_table_add(userdata, key, value);

        return r == -EINVAL ? 0 : r;    /* without a colon it is no module, as in kmod */
}

static int on_builtin(const char *key, const char *value, uint32_t priority, void *userdata) {
        return module_table_add_builtin(userdata, key);
}

static int build_modules(const Build *b, bool present) {
        _cleanup_(index_file_freep) IndexFile *dep = NULL, *builtin = NULL;
        IndexTree *t = b->tree;
        int r;

        r = module_table_new(&t->modules, b->module_dir);
        if (r < 0)
                return r;
        if (!present)
                return module_table_seal(t->modules);

        r = open_file(b, "modules.dep.bin", false, &dep);
        if (r < 0)
                return r;
        t->complete = r > 0;
        if (dep) {
                r = index_file_foreach(dep, on_dependencies, t->modules);
                if (r < 0)
                        return r;
        }

        r = open_file(b, "modules.builtin.bin", false, &builtin);
        if (r < 0)
                return r;
        if (builtin) {
                r = index_file_foreach(builtin, on_builtin, t->modules);
                if (r < 0)
                        return r;
        }

        return module_table_seal(t->modules); /* before dep is freed */
}

/* Finds the modules that the values name, once for all look-ups. */
static int find_modules(const IndexTree *tree, AliasTable *t) {
        size_t n = alias_matcher_value_ids(t->matcher);
        const char *value = NULL;
        uint32_t *modules, id;

        t->modules = modules = reallocarray(NULL, n, sizeof(*modules));
        if (!modules)
                return -ENOMEM;
        memset(modules, 0xff, n * sizeof(*modules)); /* MODULE_NONE */
        while ((value = alias_matcher_next_value(t->matcher, value, &id)))
                modules[id] = module_table_find_number(tree->modules, value);
        return 0;
}

static int on_alias(const char *key, const char *value, uint32_t priority, void *userdata) {
        return alias_matcher_add(userdata, key, value, priority);
}

static int build_aliases(const Build *b, const char *name, bool optional, AliasTable *t) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        r = open_file(b, name, optional, &f);
        if (r <= 0)
                return r;

        r = alias_matcher_new(&t->matcher, ALIAS_INDEX);
        if (r < 0)
                return r;
        r = index_file_foreach(f, on_alias, t->matcher);
        if (r < 0)
                return r;
        r = alias_matcher_seal(t->matcher);
        return r < 0 ? r : find_modules(b->tree, t);
}

static int build_all(const Build *b, bool present) {
        IndexTree *t = b->tree;
        int r;

        t->whole = true;
        r = build_modules(b, present);
        if (r < 0 || !present)
                return r;
        r = build_aliases(b, "modules.alias.bin", false, &t->aliases);
        if (r < 0)
                return r;
        r = build_aliases(b, "modules.builtin.alias.bin", true, &t->builtin_aliases);
        if (r < 0)
                return r;
        r = open_file(b, "modules.symbols.bin", false, &t->symbols);
        return MIN(r, 0);
}

/**
 * index_tree_build() - make the tables from depmod's files
 * @present:  is there a module directory?
 * @problems: gets what is missing or broken; the tables have everything else. May be NULL
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int index_tree_build(IndexTree *ret, const char *module_dir, bool present, ProblemList *problems) {
        _cleanup_(index_origin_clear) IndexOrigin before = {}, after = {};
        _cleanup_(index_tree_clear) IndexTree t = {};
        int r;

        assert(ret && module_dir);

        (void) index_origin_read(&before, module_dir);
        r = build_all(&(Build) { .tree = &t, .module_dir = module_dir, .problems = problems }, present);
        if (r < 0)
                return r;
        (void) index_origin_read(&after, module_dir);
        t.young = before.young || !index_origin_equal(&before, &after);
        if (t.complete && t.whole && !t.young) {
                t.origin = before;
                before = (IndexOrigin) {};
        }

        *ret = t;
        t = (IndexTree) {};
        return 0;
}

/* --------------------------------------------------------------------------------------- from an image */

/* The matcher, and numbers of modules that exist. */
static int read_aliases(AliasTable *ret, const ModuleTable *modules, const struct iovec *parts,
                        const struct iovec *by_value) {
        const uint32_t *numbers = by_value->iov_base;
        int r;

        if (parts[ALIAS_CELLS].iov_len == 0)
                return 0;
        r = alias_matcher_new_from_parts(&ret->matcher, ALIAS_INDEX, parts);
        if (r < 0)
                return r;
        if (by_value->iov_len != alias_matcher_value_ids(ret->matcher) * sizeof(*numbers))
                return -EBADMSG;
        for (size_t i = 0; i < alias_matcher_value_ids(ret->matcher); i++)
                if (numbers[i] != MODULE_NONE && numbers[i] >= module_table_count(modules))
                        return -EBADMSG;
        ret->modules = numbers;
        return 0;
}

static int read_tables(IndexTree *t, const struct iovec *parts) {
        int r;

        r = module_table_new_from_parts(&t->modules, parts + IMAGE_MODULES);
        if (r >= 0)
                r = read_aliases(&t->aliases, t->modules, parts + IMAGE_ALIASES,
                                 &parts[IMAGE_ALIAS_MODULES]);
        if (r >= 0)
                r = read_aliases(&t->builtin_aliases, t->modules, parts + IMAGE_BUILTIN_ALIASES,
                                 &parts[IMAGE_BUILTIN_ALIAS_MODULES]);
        if (r >= 0)
                r = index_file_borrow(&t->symbols, parts[IMAGE_SYMBOLS].iov_base,
                                      parts[IMAGE_SYMBOLS].iov_len);
        return r;
}

/**
 * index_tree_read() - the tables of an image
 * @image:      at a multiple of 8 bytes; borrowed as long as the tree is there
 * @origin:     what it has to be made from
 * @ret_reason: with -EBADMSG and -ESTALE, in words; static
 *
 * Return: 0; -EBADMSG: it is no image, or a broken one; -ESTALE: it is one of other files; -ENOMEM.
 */
int index_tree_read(IndexTree *ret, const struct iovec *image, const IndexOrigin *origin,
                    const char **ret_reason) {
        _cleanup_(index_tree_clear) IndexTree t = { .borrowed = true, .complete = true, .whole = true };
        struct iovec parts[_IMAGE_PART_MAX];
        int r;

        assert(ret && image && origin && ret_reason);

        *ret_reason = index_image_parse(image->iov_base, image->iov_len, parts);
        if (*ret_reason)
                return -EBADMSG;
        if (!index_origin_equal(origin, &(IndexOrigin) { .bytes = parts[IMAGE_ORIGIN].iov_base,
                                                         .size = parts[IMAGE_ORIGIN].iov_len })) {
                *ret_reason = "it was made from other files, or by another version of lkmd";
                return -ESTALE;
        }
        r = read_tables(&t, parts);
        if (r < 0) {
                *ret_reason = "what is in it does not go together";
                return r;
        }

        *ret = t;
        t = (IndexTree) {};
        return 0;
}

/**
 * index_tree_load() - map the image of a kernel, if it was made from the files that are there now
 * @ret_reason: why it is not used, in words; static
 *
 * Return: 0; -ENOENT: there is none; -EBADMSG, -ESTALE: it is not to be used; -ENOMEM; what stat(2) says of
 * the files.
 */
int index_tree_load(IndexTree *ret, const char *module_dir, const char *image_dir, const char *release,
                    const char **ret_reason) {
        _cleanup_(index_origin_clear) IndexOrigin origin = {};
        struct iovec image;
        int r;

        assert(ret && module_dir && image_dir && release && ret_reason);

        r = index_image_map(image_dir, release, &image, ret_reason);
        if (r < 0)
                return r;
        r = index_origin_read(&origin, module_dir);
        if (r < 0)
                *ret_reason = "it is not known of which files it would have to be";
        else
                r = index_tree_read(ret, &image, &origin, ret_reason);
        if (r < 0) {
                (void) munmap(image.iov_base, image.iov_len);
                return r;
        }
        ret->image = image;
        ret->origin = origin;
        origin = (IndexOrigin) {};
        index_tree_rest(ret);
        return 0;
}

/**
 * index_tree_compose() - make an image
 * @t:   complete and whole, with a known origin
 * @ret: to be freed
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int index_tree_compose(const IndexTree *t, void **ret, size_t *ret_size) {
        struct iovec parts[_IMAGE_PART_MAX] = {}, *symbols = &parts[IMAGE_SYMBOLS];
        static const ImagePart matchers[] = { IMAGE_ALIASES, IMAGE_BUILTIN_ALIASES },
                               by_value[] = { IMAGE_ALIAS_MODULES, IMAGE_BUILTIN_ALIAS_MODULES };
        const AliasTable *tables[] = { &t->aliases, &t->builtin_aliases };

        assert(t && t->complete && t->whole && t->origin.bytes && ret && ret_size);

        parts[IMAGE_ORIGIN] = (struct iovec) { t->origin.bytes, t->origin.size };
        module_table_get_parts(t->modules, parts + IMAGE_MODULES);
        for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
                if (!tables[i]->matcher)
                        continue;
                alias_matcher_get_parts(tables[i]->matcher, parts + matchers[i]);
                parts[by_value[i]] = (struct iovec) {
                        (void *) tables[i]->modules,
                        alias_matcher_value_ids(tables[i]->matcher) * sizeof(*tables[i]->modules),
                };
        }
        symbols->iov_base = (void *) index_file_get_data(t->symbols, &symbols->iov_len);
        return index_image_compose(parts, ret, ret_size);
}

/**
 * index_tree_rest() - let go of the pages of the image that were used so far
 *
 * They stay in the page cache; those that are used again are mapped again.
 */
void index_tree_rest(const IndexTree *t) {
        assert(t);

        if (t->image.iov_base)
                (void) madvise(t->image.iov_base, t->image.iov_len, MADV_DONTNEED);
}

static void alias_table_clear(AliasTable *t, bool borrowed) {
        alias_matcher_free(t->matcher);
        if (!borrowed)
                free((uint32_t *) t->modules);
}

void index_tree_clear(IndexTree *t) {
        assert(t);

        alias_table_clear(&t->aliases, t->borrowed);
        alias_table_clear(&t->builtin_aliases, t->borrowed);
        index_file_free(t->symbols);
        module_table_free(t->modules);
        index_origin_clear(&t->origin);
        if (t->image.iov_base)
                (void) munmap(t->image.iov_base, t->image.iov_len);
        *t = (IndexTree) {};
}
