/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/name-table.h"
#include "common/policy-files/yaml-reader.h"
#include "common/policy/policy-file.h"

/*
 * PolicyReading: a file that is being read, and the functions by which the tables of policy-schema.c read it.
 * Internal to the schema. Functions that return int return 0, also after an error in a value; -EBADMSG: the rest
 * cannot be read; -ENOMEM.
 */

#define SCHEMA_KEYS_MAX 24U             /* in one table */

_Static_assert(_POLICY_KEY_MAX <= SCHEMA_KEYS_MAX, "there is room for the keys of match:");

#define KIND(kind) (1U << (kind))
#define IN_RULES KIND(POLICY_FILE_RULES)
#define IN_LIST KIND(POLICY_FILE_LIST)
#define IN_GRANTS KIND(POLICY_FILE_GRANTS)
#define IN_POLICY (IN_RULES | IN_LIST)
#define IN_ALL (IN_POLICY | IN_GRANTS)

typedef struct PolicyReading PolicyReading;

typedef struct SchemaKey {
        const char *name;
        int (*read)(PolicyReading *r, const YamlNode *value, int argument);
        unsigned kinds;                 /* of files in which it is allowed */
        int argument;
} SchemaKey;

struct PolicyReading {
        YamlReader *yaml;
        PolicyFile *file;
        NameTable *ids;                 /* the line of each id */
        PolicyRule *rule;               /* being read */
        const char *source;             /* of the rule, in a list */
        PolicyPattern *patterns;        /* of the key being read */
        size_t n_patterns;
        const char **words;             /* likewise */
        size_t n_words, n_word_bytes;
        SchemaKey match_keys[_POLICY_KEY_MAX];
};

typedef struct SchemaMap {
        const char *what;
        const SchemaKey *keys;
        size_t n_keys;
} SchemaMap;

typedef YamlNode SeenKeys[SCHEMA_KEYS_MAX]; /* the place of each key of the table; line 0: it is absent */

typedef int (*policy_on_text_t)(PolicyReading *r, const YamlNode *text, int argument);

int policy_complain_about_type(PolicyReading *r, const YamlNode *node, const char *expected);
int policy_complain_about_text(PolicyReading *r, const YamlNode *node, const char *what);
int policy_read_map(PolicyReading *r, const SchemaMap *map, SeenKeys seen);
int policy_each_text(PolicyReading *r, const YamlNode *node, const char *expected, policy_on_text_t on_text,
                     int argument);
int policy_read_sentence(PolicyReading *r, const YamlNode *node, const char **ret);
int policy_keep_text(PolicyReading *r, const YamlNode *node, const char **ret);
int policy_add_word(PolicyReading *r, const char *word);
bool policy_is_word(const char *s);
