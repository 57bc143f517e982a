/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyOptions: the keys "options" and "parameters" of a rule: parameters for the modules that it matches, as a
 * list of NAME=VALUE or as a map; and patterns of the parameters that members of lkmd-admin may give.
 */

#include "common/policy-files/policy-options.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/limits.h"
#include "common/policy/policy-file.h"

#define OPTIONS_MAX 128U                /* of one rule */

static int add_option(PolicyReading *r, const YamlNode *where, const char *option) {
        const char *copy;

        r->n_word_bytes += strlen(option) + 1;
        if (r->n_word_bytes > PARAMETERS_MAX || r->n_words >= OPTIONS_MAX) {
                r->n_word_bytes = 0;    /* report it once */
                return yaml_reader_complain(r->yaml, where, "more than %u options, or %u bytes of them",
                                            OPTIONS_MAX, PARAMETERS_MAX);
        }
        copy = string_arena_add(&r->file->strings, option, strlen(option));
        return copy ? policy_add_word(r, copy) : -ENOMEM;
}

/* The name ends at the '=' or the end. */
static bool option_name_is_valid(const char *option) {
        size_t n = strcspn(option, "=");

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) option[i]) && !strchr("-_.", option[i]))
                        return false;
        return n > 0;
}

/* "name=value" or "name" that the kernel reads as one parameter (next_arg() of lib/cmdline.c). */
static int on_option(PolicyReading *r, const YamlNode *text, int argument) {
        bool quoted = false;

        if (!option_name_is_valid(text->text))
                return policy_complain_about_text(r, text, "expected NAME=VALUE or NAME");
        for (const char *p = text->text; *p; p++)
                if (*p == '"')
                        quoted = !quoted;
                else if (*p == ' ' && !quoted)
                        return policy_complain_about_text(
                                r, text,
                                "more than one option; write a list, or double quotes "
                                "around a value with blanks");
        if (quoted)
                return policy_complain_about_text(r, text, "a double quote that is not closed");
        return add_option(r, text, text->text);
}

static bool has_option(const PolicyReading *r, const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < r->n_words; i++)
                if (startswith(r->words[i], name) && (r->words[i][n] == '=' || r->words[i][n] == '\0'))
                        return true;
        return false;
}

/* "name: value"; without a value it becomes "name". */
static int add_named_option(PolicyReading *r, const YamlNode *name, const char *copy,
                            const YamlNode *value) {
        _cleanup_(freep) char *option = NULL;
        bool is_bare = value->length == 0 && value->is_plain;
        const char *quote = strchr(value->text, ' ') ? "\"" : "";

        if (strchr(value->text, '"'))
                return policy_complain_about_text(r, value, "a double quote has no place in a value");
        if (has_option(r, copy))
                return yaml_reader_complain(r->yaml, name, "option \"%s\" stands here twice", copy);
        if (asprintf(&option, "%s%s%s%s%s", copy, is_bare ? "" : "=", quote, value->text, quote) < 0) {
                option = NULL;
                return -ENOMEM;
        }
        return add_option(r, value, option);
}

static int read_options_map(PolicyReading *r) {
        YamlNode name, value;
        int e;

        for (;;) {
                _cleanup_(freep) char *copy = NULL;

                e = yaml_reader_next(r->yaml, &name);
                if (e < 0 || name.kind == YAML_NODE_END)
                        return e;
                if (name.kind == YAML_NODE_SCALAR && policy_is_word(name.text)) {
                        copy = strdup(name.text);
                        if (!copy)
                                return -ENOMEM;
                } else if (name.kind == YAML_NODE_SCALAR)
                        e = policy_complain_about_text(r, &name, "expected the name of an option");
                else if (name.kind != YAML_NODE_REFUSED)
                        e = policy_complain_about_type(r, &name, "the name of an option");
                if (e < 0)
                        return e;

                e = yaml_reader_next(r->yaml, &value);
                if (e < 0)
                        return e;
                if (value.kind == YAML_NODE_LIST || value.kind == YAML_NODE_MAP)
                        e = policy_complain_about_type(r, &value, "a text");
                else if (copy && value.kind == YAML_NODE_SCALAR)
                        e = add_named_option(r, &name, copy, &value);
                if (e < 0)
                        return e;
        }
}

int policy_read_options(PolicyReading *r, const YamlNode *value, int argument) {
        int e;

        r->n_words = 0;
        r->n_word_bytes = 0;
        if (value->kind == YAML_NODE_MAP)
                e = read_options_map(r);
        else
                e = policy_each_text(r, value, "a list of NAME=VALUE, or a map NAME: VALUE", on_option, 0);
        if (e < 0)
                return e;
        if (r->n_words == 0)
                return yaml_reader_has_failed(r->yaml) ? 0
                                                       : yaml_reader_complain(r->yaml, value, "no options");
        e = policy_file_keep(r->file, r->words, r->n_words, sizeof(*r->words), &r->rule->options);
        if (e < 0)
                return e;
        r->rule->n_options = r->n_words;
        return 0;
}

static int on_parameter(PolicyReading *r, const YamlNode *text, int argument) {
        for (const char *p = text->text; *p; p++)
                if (iscntrl((unsigned char) *p) || *p == '"')
                        return policy_complain_about_text(r, text, "expected a pattern of NAME=VALUE");
        if (text->length == 0 || text->text[0] == '=')
                return policy_complain_about_text(r, text, "expected a pattern of NAME=VALUE");
        return add_option(r, text, text->text);
}

int policy_read_parameters(PolicyReading *r, const YamlNode *value, int argument) {
        int e;

        r->n_words = 0;
        r->n_word_bytes = 0;
        e = policy_each_text(r, value, "a pattern of NAME=VALUE, or a list of them", on_parameter, 0);
        if (e < 0 || r->n_words == 0)
                return e;
        e = policy_file_keep(r->file, r->words, r->n_words, sizeof(*r->words), &r->rule->parameters);
        if (e < 0)
                return e;
        r->rule->n_parameters = r->n_words;
        return 0;
}
