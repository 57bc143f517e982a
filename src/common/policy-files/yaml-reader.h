/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * YamlReader: the nodes of one YAML document in sequence, each with its place. Refuses the features of YAML that
 * are surprising or dangerous: anchors, aliases, tags, deep nesting, several documents, control characters.
 */
typedef struct YamlReader YamlReader;

typedef enum YamlNodeKind {
        YAML_NODE_SCALAR,
        YAML_NODE_LIST,                 /* its items follow, then YAML_NODE_END */
        YAML_NODE_MAP,                  /* keys and values follow in turn, then YAML_NODE_END */
        YAML_NODE_END,                  /* of the list or map, or of the document */
        YAML_NODE_REFUSED,              /* instead of a scalar; the problem has been added */
} YamlNodeKind;

typedef struct YamlNode {
        YamlNodeKind kind;
        const char *text;               /* of a scalar, without control characters; valid until the next node */
        size_t length;
        bool is_plain;                  /* without quotes */
        unsigned line, column;          /* from 1 */
} YamlNode;

int yaml_reader_new(YamlReader **ret, const char *path, const char *text, size_t size, unsigned depth_max,
                    ProblemList *problems);
YamlReader *yaml_reader_free(YamlReader *r);
DEFINE_CLEANUP(YamlReader, yaml_reader_free);

int yaml_reader_next(YamlReader *r, YamlNode *ret);
int yaml_reader_skip(YamlReader *r, const YamlNode *node);
int yaml_reader_complain(YamlReader *r, const YamlNode *where, const char *format, ...) _printf_(3, 4);
bool yaml_reader_has_failed(const YamlReader *r);
void yaml_reader_forgive(YamlReader *r);

const char *yaml_node_kind_to_string(YamlNodeKind kind);
