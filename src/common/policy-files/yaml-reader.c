/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * YamlReader: see yaml-reader.h. Makes nodes of the events of libyaml, and refuses features of YAML that a policy
 * does not need. Borrows the text and the problem list, owns the parser.
 *
 * The bytes are checked before libyaml gets them: for bytes that it refuses, it reports no line, and it takes more
 * characters for line breaks than editors do.
 */

#include "common/policy-files/yaml-reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <yaml.h>

#include "common/base/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define HIDDEN_FORMAT "U+%04" PRIX32 ", which people do not see: a text with it looks like another one"

struct YamlReader {
        yaml_parser_t parser;
        yaml_event_t event;             /* owns the text of the last node */
        bool has_event;
        const char *path;
        const char *text;
        size_t size;
        unsigned depth, depth_max;
        ProblemList *problems;
        bool failed;
        int error;                      /* -EBADMSG or -ENOMEM: there are no more nodes */
};

const char *yaml_node_kind_to_string(YamlNodeKind kind) {
        switch (kind) {
        case YAML_NODE_SCALAR:
                return "a text";
        case YAML_NODE_LIST:
                return "a list";
        case YAML_NODE_MAP:
                return "a map";
        default:
                return "nothing";
        }
}

/* Return: 0 or -ENOMEM. */
_printf_(4, 0) static int complain(YamlReader *r, unsigned line, unsigned column, const char *format,
                                   va_list ap) {
        r->failed = true;
        return problem_list_add_v(r->problems, r->path, line, column, format, ap);
}

/**
 * yaml_reader_complain() - add a problem at the place of a node
 *
 * Return: 0: go on; -ENOMEM.
 */
int yaml_reader_complain(YamlReader *r, const YamlNode *where, const char *format, ...) {
        va_list ap;
        int e;

        assert(r && where && format);

        va_start(ap, format);
        e = complain(r, where->line, where->column, format, ap);
        va_end(ap);
        return e;
}

/* Adds a problem after which the rest cannot be read. Return: what yaml_reader_next() returns from now on. */
_printf_(4, 5) static int give_up(YamlReader *r, unsigned line, unsigned column, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        r->error = complain(r, line, column, format, ap) < 0 ? -ENOMEM : -EBADMSG;
        va_end(ap);
        return r->error;
}

/* ----------------------------------------------------------------------------------------------- bytes */

/* The length of the character at @p in bytes; 0: it is malformed, or not allowed in a policy. */
static size_t character_length(const char *p, size_t left) {
        char copy[5] = {};

        if (*p >= ' ' && *p < 0x7f)
                return 1;
        if (*p == '\n' || *p == '\t')
                return 1;
        if (*p == '\r')
                return left > 1 && p[1] == '\n' ? 1 : 0;

        memcpy(copy, p, MIN(left, sizeof(copy) - 1));
        return text_printable_length(copy); /* excludes the line breaks of YAML other than '\n' */
}

static int complain_about_byte(YamlReader *r, const char *p, size_t left, unsigned line, unsigned column) {
        unsigned byte = (unsigned char) *p;
        char copy[5] = {};
        uint32_t hidden;

        memcpy(copy, p, MIN(left, sizeof(copy) - 1));
        hidden = text_hidden_code_point(copy);
        if (hidden > 0)
                return give_up(r, line, column, HIDDEN_FORMAT, hidden);
        if (byte == '\0')
                return give_up(r, line, column, "a NUL byte; a policy is text");
        if (byte == '\r')
                return give_up(r, line, column, "a carriage return without a line feed");
        if (byte < ' ' || byte == 0x7f)
                return give_up(r, line, column, "a control character (0x%02x)", byte);
        return give_up(r, line, column, "byte 0x%02x is no UTF-8", byte);
}

/* Return: 0; -EBADMSG; -ENOMEM. */
static int check_bytes(YamlReader *r) {
        unsigned line = 1, column = 1;
        size_t n;

        for (size_t i = 0; i < r->size; i += n) {
                n = character_length(r->text + i, r->size - i);
                if (n == 0)
                        return complain_about_byte(r, r->text + i, r->size - i, line, column);
                if (r->text[i] == '\n') {
                        line++;
                        column = 1;
                } else
                        column++;
        }
        return 0;
}

/* The line and column of a byte, for errors of which libyaml reports only the offset. */
static void find_place(const YamlReader *r, size_t offset, unsigned *ret_line, unsigned *ret_column) {
        *ret_line = *ret_column = 1;
        for (size_t i = 0; i < MIN(offset, r->size); i++)
                if (r->text[i] == '\n') {
                        ++*ret_line;
                        *ret_column = 1;
                } else if (((unsigned char) r->text[i] & 0xc0) != 0x80)
                        ++*ret_column;
}

/* The byte at a line and column; NUL: there is none. */
static char byte_at(const YamlReader *r, unsigned line, unsigned column) {
        const char *p = r->text, *end = r->text + r->size;

        for (; line > 1; line--) {
                p = memchr(p, '\n', (size_t) (end - p));
                if (!p)
                        return '\0';
                p++;
        }
        for (; p < end && column > 1 && *p != '\n'; column--)
                for (p++; p < end && ((unsigned char) *p & 0xc0) == 0x80; p++)
                        ;
        return p < end ? *p : '\0';
}

/* ---------------------------------------------------------------------------------------------- events */

static unsigned from_one(size_t n) {
        return (unsigned) n + 1;
}

/* Hints that are added to messages of libyaml; most are about characters with a meaning in YAML. */
static const char *get_hint(const YamlReader *r, unsigned line, unsigned column) {
        const char *context = r->parser.context ?: "";
        char c = byte_at(r, line, column);

        if (c == '\t')
                return "; YAML is not indented with tabs";
        if (strstr(context, "alias") || strstr(context, "anchor"))
                return "; what begins with '*' or '&' needs quotes";
        if (strstr(r->parser.problem ?: "", "mapping values are not allowed"))
                return "; a text with \": \" in it needs quotes";
        if (strstr(context, "tag"))
                return "; what begins with '!' needs quotes";
        if (c == '%' || c == '@' || c == '`')
                return "; what begins with it needs quotes";
        return "";
}

/* Reports an error of libyaml. */
static int complain_about_yaml(YamlReader *r) {
        const yaml_parser_t *p = &r->parser;
        unsigned line = from_one(p->problem_mark.line), column = from_one(p->problem_mark.column);

        if (p->error == YAML_MEMORY_ERROR) {
                r->failed = true;
                r->error = -ENOMEM;
                return r->error;
        }
        if (p->error == YAML_READER_ERROR)
                find_place(r, p->problem_offset, &line, &column);
        if (p->context && p->context_mark.line != p->problem_mark.line)
                return give_up(r, line, column, "this is no YAML: %s %s that begins in line %u%s",
                               p->problem, p->context, from_one(p->context_mark.line),
                               get_hint(r, line, column));
        return give_up(r, line, column, "this is no YAML: %s%s%s%s", p->problem ?: "broken",
                       p->context ? " " : "", p->context ?: "", get_hint(r, line, column));
}

static int next_event(YamlReader *r) {
        if (r->has_event)
                yaml_event_delete(&r->event);
        r->has_event = false;
        if (!yaml_parser_parse(&r->parser, &r->event))
                return complain_about_yaml(r);
        r->has_event = true;
        return 0;
}

/*
 * A scalar is one line of text. The line break at the end of a block scalar (| or >) does not count.
 */
static int check_scalar(YamlReader *r, YamlNode *node, yaml_scalar_style_t style) {
        char *text = (char *) r->event.data.scalar.value;

        node->text = text;
        node->length = r->event.data.scalar.length;
        node->is_plain = style == YAML_PLAIN_SCALAR_STYLE;
        if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
                while (node->length > 0 && text[node->length - 1] == '\n')
                        text[--node->length] = '\0';

        for (size_t i = 0, n; i < node->length; i += n) {
                uint32_t hidden;

                n = text_printable_length(text + i);
                if (n > 0)
                        continue;
                node->kind = YAML_NODE_REFUSED;
                hidden = text_hidden_code_point(text + i);
                if (hidden > 0)
                        return yaml_reader_complain(r, node, HIDDEN_FORMAT, hidden);
                if (text[i] == '\n')
                        return yaml_reader_complain(r, node, "a text of several lines; \">-\" joins them");
                return yaml_reader_complain(r, node, "a text with a control character (0x%02x)",
                                            (unsigned) (unsigned char) text[i]);
        }
        return 0;
}

/* Anchors are useless without aliases, which are refused. */
static int check_properties(YamlReader *r, const YamlNode *node, const yaml_char_t *anchor,
                            const yaml_char_t *tag) {
        char shown[TEXT_SHOWN_MAX];
        int e;

        if (anchor) {
                text_show((const char *) anchor, shown);
                e = yaml_reader_complain(
                        r, node,
                        "an anchor (&%s): a policy has none; a text that begins with '&' needs quotes",
                        shown);
                if (e < 0)
                        return e;
        }
        if (tag) {
                text_show((const char *) tag, shown);
                return yaml_reader_complain(
                        r, node, "a tag (%s): a policy has none; a text that begins with '!' needs quotes",
                        shown);
        }
        return 0;
}

static int enter(YamlReader *r, const YamlNode *node) {
        if (++r->depth > r->depth_max)
                return give_up(r, node->line, node->column, "nested deeper than %u lists and maps",
                               r->depth_max);
        return 0;
}

static int take_scalar(YamlReader *r, YamlNode *node) {
        const yaml_event_t *event = &r->event;
        int e;

        node->kind = YAML_NODE_SCALAR;
        e = check_properties(r, node, event->data.scalar.anchor, event->data.scalar.tag);
        if (e < 0)
                return e;
        if (event->data.scalar.anchor || event->data.scalar.tag) {
                node->kind = YAML_NODE_REFUSED;
                return 0;
        }
        return check_scalar(r, node, event->data.scalar.style);
}

static int take_alias(YamlReader *r, YamlNode *node) {
        char shown[TEXT_SHOWN_MAX];

        node->kind = YAML_NODE_REFUSED;
        text_show((const char *) r->event.data.alias.anchor, shown);
        return yaml_reader_complain(
                r, node, "an alias (*%s): a policy has none; a glob that begins with '*' needs quotes",
                shown);
}

static int take_end_of_document(YamlReader *r, YamlNode *node) {
        int e;

        e = next_event(r);
        if (e < 0)
                return e;
        if (r->event.type == YAML_STREAM_END_EVENT) {
                node->kind = YAML_NODE_END;
                return 0;
        }
        return give_up(r, from_one(r->event.start_mark.line), from_one(r->event.start_mark.column),
                       "a second document begins here; a policy is one");
}

/**
 * yaml_reader_next() - the next node
 *
 * Return: 0; -EBADMSG: the rest cannot be read, and the problems say why; -ENOMEM.
 */
int yaml_reader_next(YamlReader *r, YamlNode *ret) {
        const yaml_event_t *event;
        int e;

        assert(r && ret);

        if (r->error < 0)
                return r->error;

        do {
                e = next_event(r);
                if (e < 0)
                        return e;
        } while (r->event.type == YAML_STREAM_START_EVENT || r->event.type == YAML_DOCUMENT_START_EVENT);

        event = &r->event;
        *ret = (YamlNode) {
                .kind = YAML_NODE_END,
                .line = from_one(event->start_mark.line),
                .column = from_one(event->start_mark.column),
        };
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return take_scalar(r, ret);
        case YAML_ALIAS_EVENT:
                return take_alias(r, ret);
        case YAML_SEQUENCE_START_EVENT:
                ret->kind = YAML_NODE_LIST;
                e = check_properties(r, ret, event->data.sequence_start.anchor,
                                     event->data.sequence_start.tag);
                return e < 0 ? e : enter(r, ret);
        case YAML_MAPPING_START_EVENT:
                ret->kind = YAML_NODE_MAP;
                e = check_properties(r, ret, event->data.mapping_start.anchor,
                                     event->data.mapping_start.tag);
                return e < 0 ? e : enter(r, ret);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                assert(r->depth > 0);
                r->depth--;
                return 0;
        case YAML_DOCUMENT_END_EVENT:
                return take_end_of_document(r, ret);
        default:
                return 0; /* the end of the stream: there is no document */
        }
}

/**
 * yaml_reader_skip() - skip the rest of a node
 * @node: the last one of yaml_reader_next()
 *
 * Return: as yaml_reader_next().
 */
int yaml_reader_skip(YamlReader *r, const YamlNode *node) {
        YamlNode inner;
        unsigned depth;
        int e;

        assert(r && node);

        if (node->kind != YAML_NODE_LIST && node->kind != YAML_NODE_MAP)
                return 0;
        for (depth = r->depth; r->depth >= depth;) {
                e = yaml_reader_next(r, &inner);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* Whether there were problems. */
bool yaml_reader_has_failed(const YamlReader *r) {
        assert(r);

        return r->failed;
}

/* The caller has left out what the problems so far are about: they do not make the file invalid. */
void yaml_reader_forgive(YamlReader *r) {
        assert(r);

        r->failed = false;
}

/**
 * yaml_reader_new() - read YAML from memory
 * @path:      for messages; borrowed
 * @text:      @size bytes, borrowed; need not end with a NUL byte
 * @depth_max: of nested lists and maps
 * @problems:  borrowed; may be NULL
 *
 * Return: 0; -EBADMSG: it is not text; -ENOMEM.
 */
int yaml_reader_new(YamlReader **ret, const char *path, const char *text, size_t size, unsigned depth_max,
                    ProblemList *problems) {
        _cleanup_(yaml_reader_freep) YamlReader *r = NULL;
        int e;

        assert(ret && path && (text || size == 0));

        text = text ?: "";
        if (size >= strlen(BYTE_ORDER_MARK) && memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
                text += strlen(BYTE_ORDER_MARK);
                size -= strlen(BYTE_ORDER_MARK);
        }

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->path = path;
        r->text = text;
        r->size = size;
        r->depth_max = depth_max;
        r->problems = problems;
        if (!yaml_parser_initialize(&r->parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *) r->text, size);

        e = check_bytes(r);
        if (e < 0)
                return e;
        *ret = STEAL_PTR(r);
        return 0;
}

/* Return: NULL. */
YamlReader *yaml_reader_free(YamlReader *r) {
        if (!r)
                return NULL;

        if (r->has_event)
                yaml_event_delete(&r->event);
        yaml_parser_delete(&r->parser);
        free(r);
        return NULL;
}
