/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyReading: see policy-reading.h. Reads values and maps as the tables of policy-schema.c describe them. After
 * a value with an error reading goes on, so that all errors of a file are reported at once.
 */

#include "common/policy-files/policy-reading.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/nearest-name.h"
#include "common/base/text.h"
#include "common/policy/policy-file.h"

#define TEXT_MAX 1024U                  /* bytes of a reason, which is in every message about a refusal */

static const char *const kind_names[] = {
        [POLICY_FILE_RULES] = "a file of policy.d",
        [POLICY_FILE_LIST] = "a list",
        [POLICY_FILE_GRANTS] = "the file of grants",
};

/* ----------------------------------------------------------------------------------------------- nodes */

int policy_complain_about_type(PolicyReading *r, const YamlNode *node, const char *expected) {
        int e;

        e = yaml_reader_complain(r->yaml, node, "expected %s, found %s", expected,
                                 yaml_node_kind_to_string(node->kind));
        return e < 0 ? e : yaml_reader_skip(r->yaml, node);
}

int policy_complain_about_text(PolicyReading *r, const YamlNode *node, const char *what) {
        char shown[TEXT_SHOWN_MAX];

        text_show(node->text, shown);
        return yaml_reader_complain(r->yaml, node, "\"%s\": %s", shown, what);
}

/* Calls @on_text for a text, or for each of a list of texts. */
int policy_each_text(PolicyReading *r, const YamlNode *node, const char *expected, policy_on_text_t on_text,
                     int argument) {
        YamlNode item;
        size_t n = 0;
        int e;

        if (node->kind == YAML_NODE_SCALAR)
                return on_text(r, node, argument);
        if (node->kind != YAML_NODE_LIST)
                return policy_complain_about_type(r, node, expected);

        for (;; n++) {
                e = yaml_reader_next(r->yaml, &item);
                if (e < 0)
                        return e;
                if (item.kind == YAML_NODE_END)
                        break;
                if (item.kind == YAML_NODE_SCALAR)
                        e = on_text(r, &item, argument);
                else if (item.kind != YAML_NODE_REFUSED)
                        e = policy_complain_about_type(r, &item, "a text");
                if (e < 0)
                        return e;
        }
        return n > 0 ? 0 : yaml_reader_complain(r->yaml, node, "an empty list; expected %s", expected);
}

/* Letters, digits and "-_.": usable in a command, a file name or a log without quotes. */
bool policy_is_word(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

        return n > 0 && s[n] == '\0';
}

int policy_keep_text(PolicyReading *r, const YamlNode *node, const char **ret) {
        const char *copy;

        copy = string_arena_add(&r->file->strings, node->text, node->length);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int policy_read_sentence(PolicyReading *r, const YamlNode *node, const char **ret) {
        char what[64];

        if (node->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, node, "a text");
        if (node->length == 0)
                return yaml_reader_complain(r->yaml, node, "an empty text");
        if (node->length > TEXT_MAX) {
                (void) snprintf(what, sizeof(what), "it has more than %u bytes", TEXT_MAX);
                return policy_complain_about_text(r, node, what);
        }
        return policy_keep_text(r, node, ret);
}

int policy_add_word(PolicyReading *r, const char *word) {
        int e;

        e = array_grow(&r->words, r->n_words, sizeof(*r->words));
        if (e < 0)
                return e;
        r->words[r->n_words++] = word;
        return 0;
}

/* ------------------------------------------------------------------------------------------------ maps */

static int complain_about_key(PolicyReading *r, const YamlNode *key, const SchemaMap *map) {
        _cleanup_(freep) char *list = NULL;
        const char *names[SCHEMA_KEYS_MAX], *near;
        char shown[TEXT_SHOWN_MAX];
        size_t n = 0, size;
        FILE *f;

        for (size_t i = 0; i < map->n_keys; i++)
                if (map->keys[i].kinds & KIND(r->file->kind))
                        names[n++] = map->keys[i].name;
                else if (streq(map->keys[i].name, key->text))
                        return yaml_reader_complain(r->yaml, key, "key \"%s\" has no meaning in %s",
                                                    key->text, kind_names[r->file->kind]);

        text_show(key->text, shown);
        near = nearest_name_of(key->text, names, n);
        if (near)
                return yaml_reader_complain(r->yaml, key, "unknown key \"%s\"; did you mean \"%s\"?", shown,
                                            near);

        f = open_memstream(&list, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                (void) fprintf(f, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " and ", names[i]);
        if (fclose(f) != 0)
                return -ENOMEM;
        return yaml_reader_complain(r->yaml, key, "unknown key \"%s\"; %s has %s", shown, map->what, list);
}

/* *ret: the key of the table; NULL: its value is to be skipped, and the problems say why. */
static int find_key(PolicyReading *r, const YamlNode *key, const SchemaMap *map, SeenKeys seen,
                    const SchemaKey **ret) {
        *ret = NULL;
        if (key->kind == YAML_NODE_REFUSED)
                return 0;
        if (key->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, key, "a key");

        for (size_t i = 0; i < map->n_keys; i++) {
                if (!streq(map->keys[i].name, key->text) || !(map->keys[i].kinds & KIND(r->file->kind)))
                        continue;
                if (seen[i].line > 0)
                        return yaml_reader_complain(r->yaml, key,
                                                    "key \"%s\" stands here twice, first in line %u",
                                                    key->text, seen[i].line);
                seen[i] = *key;
                *ret = map->keys + i;
                return 0;
        }
        return complain_about_key(r, key, map);
}

/* Reads a map to its end; its beginning has been read. */
int policy_read_map(PolicyReading *r, const SchemaMap *map, SeenKeys seen) {
        const SchemaKey *key;
        YamlNode node;
        int e;

        assert(map->n_keys <= SCHEMA_KEYS_MAX);

        for (;;) {
                e = yaml_reader_next(r->yaml, &node);
                if (e < 0 || node.kind == YAML_NODE_END)
                        return e;
                e = find_key(r, &node, map, seen, &key);
                if (e < 0)
                        return e;

                e = yaml_reader_next(r->yaml, &node);
                if (e < 0)
                        return e;
                if (!key)
                        e = yaml_reader_skip(r->yaml, &node);
                else if (node.kind != YAML_NODE_REFUSED)
                        e = key->read(r, &node, key->argument);
                if (e < 0)
                        return e;
        }
}
