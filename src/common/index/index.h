/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/index/devname-table.h"
#include "common/index/module-table.h"
#include "common/index/softdep-table.h"
#include "common/modprobe/modprobe-config.h"

/*
 * Index: a snapshot of a module directory, modprobe.d and the kernel command line: which modules a name or
 * alias means (index-lookup.h), what each module needs and which lines of the configuration concern it. It
 * never changes; when a file on disk does, another one has to be made. Whoever keeps a pointer to it holds a
 * reference.
 */
typedef struct Index Index;

typedef struct IndexSources {
        const char *root;               /* prefix of /lib/modules only, as modprobe -d; NULL or "": none */
        const char *release;            /* NULL: of the running kernel */
        const char *const *config_paths;/* as modprobe -C; NULL: kmod's directories */
        const char *command_line;       /* NULL: /proc/cmdline; "": none */
        const char *image_dir;          /* of images, which are trusted if this user owns them; NULL: none is used */
} IndexSources;

int index_new(const Index **ret, const IndexSources *sources, ProblemList *problems);
const Index *index_ref(const Index *index);
const Index *index_unref(const Index *index);
DEFINE_CLEANUP(const Index, index_unref);

const IndexModule *index_find_module(const Index *index, const char *name);
int index_softdeps(const Index *index, const char *module, IndexSoftdep **ret, size_t *ret_n);

const Devname *index_get_devnames(const Index *index, size_t *ret_n);
const ModprobeConfig *index_get_config(const Index *index);
const char *index_get_release(const Index *index);
const char *index_get_module_dir(const Index *index);
bool index_release_is_valid(const char *release);
bool index_is_complete(const Index *index);     /* false: no module directory or no modules.dep.bin there */
bool index_is_whole(const Index *index);        /* false: not complete, or an index file is missing or broken */
size_t index_count_modules(const Index *index);
const IndexModule *index_get_module(const Index *index, size_t i);
size_t index_count_aliases(const Index *index);

bool index_is_mapped(const Index *index, const char **ret_reason);
int index_compose_image(const Index *index, void **ret, size_t *ret_size);
bool index_is_young(const Index *index);        /* reading the same files once more gives one that has an image */
void index_rest(const Index *index);
