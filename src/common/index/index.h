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
 * Index: one snapshot of a module directory, modprobe.d and the kernel command line. It answers which
 * modules a name or alias means, what each needs and which configuration lines speak of it. Apart from the
 * memo of look-ups nothing in it changes; to follow the disk, build another and swap.
 */
typedef struct Index Index;

typedef enum IndexSource {              /* the stages of kmod's look-up; the first that finds anything ends it */
        INDEX_CONFIG_ALIAS,
        INDEX_NAME,                     /* modules.dep */
        INDEX_SYMBOL,
        INDEX_COMMAND,                  /* an install or remove line for a name that is no module */
        INDEX_ALIAS,                    /* modules.alias */
        INDEX_BUILTIN,
        INDEX_BUILTIN_ALIAS,
        _INDEX_SOURCE_MAX,
        _INDEX_SOURCE_INVALID = -EINVAL,
} IndexSource;

typedef struct IndexMatch {
        const char *name;               /* the module's, normalised */
        const IndexModule *module;      /* NULL: no such module (config alias to nothing, INDEX_COMMAND) */
        const char *alias;              /* pattern by which it was found; NULL: by its name */
        const char *option_key;         /* what an "options" line may name beside the module, or NULL */
        IndexSource source;
        const ConfigEntry *config;      /* the line, for INDEX_CONFIG_ALIAS and INDEX_COMMAND; else NULL */
} IndexMatch;

typedef struct IndexSources {
        const char *root;               /* prefix of /lib/modules only, as modprobe -d; NULL or "": none */
        const char *release;            /* NULL: of the running kernel */
        const char *const *config_paths;/* as modprobe -C; NULL: kmod's directories */
        const char *command_line;       /* NULL: /proc/cmdline; "": none */
} IndexSources;

int index_new(Index **ret, const IndexSources *sources, ProblemList *problems);
Index *index_free(Index *index);
DEFINE_CLEANUP(Index, index_free);

/* Answers are borrowed from the index, the array itself and what is the key in it until the next look-up. */
int index_lookup(Index *index, const char *key, const IndexMatch **ret, size_t *ret_n);
const IndexModule *index_find_module(const Index *index, const char *name);
int index_softdeps(Index *index, const char *module, const IndexSoftdep **ret, size_t *ret_n);

const Devname *index_get_devnames(const Index *index, size_t *ret_n);
const ModprobeConfig *index_get_config(const Index *index);
const char *index_get_release(const Index *index);
const char *index_get_module_dir(const Index *index);
bool index_is_complete(const Index *index);     /* false: no module directory or no modules.dep.bin there */
bool index_is_whole(const Index *index);        /* false: not complete, or an index file is missing or broken */
size_t index_count_modules(const Index *index);
const IndexModule *index_get_module(const Index *index, size_t i);
size_t index_count_aliases(const Index *index);

const char *index_source_to_string(IndexSource source);
