/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/index/index.h"
#include "common/index/module-table.h"
#include "common/modprobe/modprobe-config.h"

typedef enum IndexSource {              /* stages of kmod's look-up; the first that finds anything ends it */
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
        const char *option_key;         /* what an "options" line may name instead of the module, or NULL */
        IndexSource source;
        const ConfigEntry *config;      /* its line, for INDEX_CONFIG_ALIAS and INDEX_COMMAND; else NULL */
} IndexMatch;

/*
 * IndexAnswer: what a key means, and the memory for the look-up, which the next one uses again, also in
 * another index. Zeroed memory is an empty answer. The strings of matches belong to the index, or are the
 * key of the answer.
 */
typedef struct IndexAnswer {
        const IndexMatch *matches;      /* in kmod's order, duplicates included */
        size_t n_matches;
        const char *key;                /* normalised */
        struct IndexSearch *search;
} IndexAnswer;

int index_lookup(const Index *index, const char *key, IndexAnswer *answer);
void index_answer_clear(IndexAnswer *a);
const char *index_source_to_string(IndexSource source);
