/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The schema of policies: three tables (file_keys[], rule_keys[], and policy_keys[] of policy-subject.c) list the
 * keys, the kinds of files that have them, and the functions that read their values.
 */

#include "common/policy-files/policy-schema.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/policy-files/policy-grant-reading.h"
#include "common/policy-files/policy-idle.h"
#include "common/policy-files/policy-options.h"
#include "common/policy-files/policy-pattern.h"
#include "common/policy-files/policy-reading.h"
#include "common/policy-files/policy-scope.h"
#include "common/policy-files/policy-time.h"
#include "common/policy/policy-file.h"

/* ---------------------------------------------------------------------------------------------- match: */

static int on_pattern(PolicyReading *r, const YamlNode *text, int key) {
        const char *problem;
        int e;

        e = array_grow(&r->patterns, r->n_patterns, sizeof(*r->patterns));
        if (e < 0)
                return e;
        e = policy_pattern_parse(r->patterns + r->n_patterns, (PolicyKey) key, text->text, &r->file->strings,
                                 &problem);
        if (e == -EINVAL)
                return policy_complain_about_text(r, text, problem);
        if (e < 0)
                return e;
        r->n_patterns++;
        return 0;
}

static int read_patterns(PolicyReading *r, const YamlNode *value, int key) {
        int e;

        r->n_patterns = 0;
        e = policy_each_text(r, value, "a text or a list of texts", on_pattern, key);
        if (e < 0 || r->n_patterns == 0)
                return e;
        return policy_file_set_match(r->file, r->rule, (PolicyKey) key, r->patterns, r->n_patterns);
}

/* The keys of "match:", by policy_keys[]. A grant matches modules by their names only. */
static void fill_match_keys(SchemaKey ret[static _POLICY_KEY_MAX]) {
        for (PolicyKey key = 0; key < _POLICY_KEY_MAX; key++)
                ret[key] = (SchemaKey) {
                        .name = policy_key_to_string(key),
                        .read = read_patterns,
                        .kinds = key == POLICY_KEY_MODULE ? IN_ALL : IN_POLICY,
                        .argument = key,
                };
}

static int read_match(PolicyReading *r, const YamlNode *value, int argument) {
        const SchemaMap map = { "match", r->match_keys, _POLICY_KEY_MAX };
        SeenKeys seen = {};

        if (value->kind != YAML_NODE_MAP)
                return policy_complain_about_type(r, value, "a map such as {module: NAME}");
        return policy_read_map(r, &map, seen);
}

/* ------------------------------------------------------------------------------------------ other keys */

static int read_id(PolicyReading *r, const YamlNode *value, int argument) {
        size_t line;
        int e;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "a word");
        if (!policy_is_word(value->text))
                return policy_complain_about_text(r, value, "expected letters, digits, '-', '_' and '.'");
        if (value->length > TEXT_SHOWN_MAX)
                return policy_complain_about_text(r, value, "it is too long for a name");
        if (name_table_find(r->ids, value->text, &line))
                return yaml_reader_complain(r->yaml, value, "the rule in line %zu has the id \"%s\" already",
                                            line, value->text);
        e = policy_keep_text(r, value, &r->rule->id);
        return e < 0 ? e : name_table_add(r->ids, r->rule->id, value->line);
}

static int read_verdict(PolicyReading *r, const YamlNode *value, int argument) {
        PolicyVerdict verdict;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "allow, deny or audit");
        verdict = policy_verdict_from_string(value->text);
        if (verdict < 0)
                return policy_complain_about_text(r, value, "expected allow, deny or audit");
        r->rule->verdict = verdict;
        return 0;
}

static int take_mode(PolicyReading *r, const YamlNode *value, PolicyMode *ret) {
        PolicyMode mode;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "off, audit or enforce");
        mode = policy_mode_from_string(value->text);
        if (mode < 0)
                return policy_complain_about_text(r, value, "expected off, audit or enforce");
        *ret = mode;
        return 0;
}

static int read_rule_mode(PolicyReading *r, const YamlNode *value, int argument) {
        r->rule->has_own_mode = true;
        return take_mode(r, value, &r->rule->mode);
}

static int on_preferred(PolicyReading *r, const YamlNode *text, int argument) {
        const char *name, *problem;
        int e;

        e = policy_module_parse(&name, text->text, &r->file->strings, &problem);
        if (e == -EINVAL)
                return policy_complain_about_text(r, text, problem);
        return e < 0 ? e : policy_add_word(r, name);
}

static int read_prefer(PolicyReading *r, const YamlNode *value, int argument) {
        int e;

        r->n_words = 0;
        e = policy_each_text(r, value, "a list of modules", on_preferred, 0);
        if (e < 0 || r->n_words == 0)
                return e;
        e = policy_file_keep(r->file, r->words, r->n_words, sizeof(*r->words), &r->rule->prefer);
        if (e < 0)
                return e;
        r->rule->n_prefer = r->n_words;
        return 0;
}

static int read_reason(PolicyReading *r, const YamlNode *value, int argument) {
        return policy_read_sentence(r, value, &r->rule->reason);
}

static int read_source(PolicyReading *r, const YamlNode *value, int argument) {
        return policy_read_sentence(r, value, &r->source);
}

/* Who would miss what the exceptions of the rule let through, for people who read the list. */
static int on_needed_by(PolicyReading *r, const YamlNode *text, int argument) {
        const char *copy;

        return policy_read_sentence(r, text, &copy);
}

static int read_needed_by(PolicyReading *r, const YamlNode *value, int argument) {
        return policy_each_text(r, value, "a text or a list of texts", on_needed_by, 0);
}

static int read_expires(PolicyReading *r, const YamlNode *value, int argument) {
        static const char expected[] =
                "expected a day (2026-12-31, from its 00:00 UTC on) or a time with its "
                "offset (2026-12-31T18:00:00+01:00, or with Z)";

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "a date");
        if (policy_time_parse(&r->rule->expires_usec, value->text) < 0)
                return policy_complain_about_text(r, value, expected);
        return 0;
}

static int read_once(PolicyReading *r, const YamlNode *value, int argument) {
        const char *problem;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "yes or no");
        problem = policy_boolean_parse(&r->rule->once, value->text);
        return problem ? policy_complain_about_text(r, value, problem) : 0;
}

/* ---------------------------------------------------------------------------------------------- rules: */

enum {
        RULE_ID,
        RULE_MATCH,
        RULE_VERDICT,
        RULE_MODE,
        RULE_SCOPE,
        RULE_PREFER,
        RULE_OPTIONS,
        RULE_PARAMETERS,
        RULE_IDLE_UNLOAD,
        RULE_REASON,
        RULE_SOURCE,
        RULE_NEEDED_BY,
        RULE_EXPIRES,
        RULE_ONCE,
        RULE_UPTIME,
        RULE_GIVEN,
        RULE_BY,
};

static const SchemaKey rule_keys[] = {
        [RULE_ID]      = { "id",      read_id,        IN_ALL },
        [RULE_MATCH]   = { "match",   read_match,     IN_ALL },
        [RULE_VERDICT] = { "verdict", read_verdict,   IN_ALL },
        [RULE_MODE]    = { "mode",    read_rule_mode, IN_POLICY },
        [RULE_SCOPE]   = { "scope",   policy_read_scope, IN_POLICY },
        [RULE_PREFER]  = { "prefer",  read_prefer,    IN_POLICY },
        [RULE_OPTIONS] = { "options", policy_read_options, IN_POLICY },
        [RULE_PARAMETERS] = { "parameters", policy_read_parameters, IN_RULES },
        [RULE_IDLE_UNLOAD] = { "idle-unload", policy_read_idle_unload, IN_POLICY },
        [RULE_REASON]  = { "reason",  read_reason,    IN_ALL },
        [RULE_SOURCE]  = { "source",  read_source,    IN_LIST },
        [RULE_NEEDED_BY] = { "needed-by", read_needed_by, IN_LIST },
        [RULE_EXPIRES] = { "expires", read_expires,   IN_ALL },
        [RULE_ONCE]    = { "once",    read_once,      IN_GRANTS },
        [RULE_UPTIME]  = { "uptime",  policy_read_uptime, IN_GRANTS },
        [RULE_GIVEN]   = { "given",   policy_read_given, IN_GRANTS },
        [RULE_BY]      = { "by",      policy_read_by, IN_GRANTS },
};
static const SchemaMap rule_map = { "a rule", rule_keys, ARRAY_LEN(rule_keys) };

/* The reason of a rule of a list includes its source. */
static int append_source(PolicyReading *r) {
        _cleanup_(freep) char *text = NULL;
        const char *copy;

        if (asprintf(&text, "%s (%s)", r->rule->reason, r->source) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        copy = string_arena_add(&r->file->strings, text, strlen(text));
        if (!copy)
                return -ENOMEM;
        r->rule->reason = copy;
        return 0;
}

/* Checks that concern several keys. */
static int finish_rule(PolicyReading *r, const YamlNode *where, const SeenKeys seen) {
        int e = 0;

        if (seen[RULE_VERDICT].line == 0 && seen[RULE_PREFER].line == 0 && seen[RULE_OPTIONS].line == 0 &&
            seen[RULE_IDLE_UNLOAD].line == 0)
                e = yaml_reader_complain(
                        r->yaml, where,
                        "a rule needs at least one of \"verdict\", \"prefer\", \"options\" and \"idle-unload\"");
        if (e >= 0 && seen[RULE_PARAMETERS].line > 0 && r->rule->verdict != POLICY_ALLOW &&
            r->rule->verdict != POLICY_REPORT)
                e = yaml_reader_complain(r->yaml, seen + RULE_PARAMETERS,
                                         "\"parameters\" belongs to a rule that allows the load: \"verdict: "
                                         "allow\"");
        for (PolicyKey key = 0; e >= 0 && r->rule->n_prefer > 0 && key < _POLICY_KEY_MAX; key++)
                if (policy_keys[key].owner == POLICY_KEY_OF_MODULE && r->rule->match[key].n_items > 0)
                        e = yaml_reader_complain(
                                r->yaml, seen + RULE_PREFER,
                                "\"prefer\" chooses among modules, so the rule cannot match by "
                                "\"%s\"",
                                policy_key_to_string(key));
        if (e >= 0 && r->rule->scope == POLICY_SCOPE_USE)
                e = policy_check_use(r, seen + RULE_SCOPE);
        if (e >= 0 && r->file->kind == POLICY_FILE_GRANTS)
                return policy_finish_grant(r, where);
        if (r->file->kind != POLICY_FILE_LIST || e < 0)
                return e;

        if (seen[RULE_REASON].line == 0)
                e = yaml_reader_complain(r->yaml, where, "a rule of a list needs a \"reason\"");
        if (e >= 0 && seen[RULE_SOURCE].line == 0)
                e = yaml_reader_complain(r->yaml, where, "a rule of a list needs a \"source\"");
        if (e < 0 || !r->rule->reason || !r->source)
                return e;
        return append_source(r);
}

static int read_rule(PolicyReading *r, const YamlNode *node) {
        static const PolicySource sources[] = {
                [POLICY_FILE_RULES] = POLICY_BY_RULE,
                [POLICY_FILE_LIST] = POLICY_BY_LIST,
                [POLICY_FILE_GRANTS] = POLICY_BY_GRANT,
        };
        size_t max = r->file->kind == POLICY_FILE_GRANTS ? GRANTS_MAX : POLICY_RULES_MAX;
        SeenKeys seen = {};
        int e;

        if (node->kind == YAML_NODE_REFUSED)
                return 0;
        if (node->kind != YAML_NODE_MAP)
                return policy_complain_about_type(r, node, "a rule, which is a map");
        if (r->file->n_rules >= max) {
                e = yaml_reader_complain(r->yaml, node, "more than %zu rules", max);
                if (e >= 0 && r->file->kind == POLICY_FILE_GRANTS)
                        return yaml_reader_skip(r->yaml, node);
                return e < 0 ? e : -EBADMSG;
        }

        r->source = NULL;
        r->rule = policy_file_add_rule(r->file, sources[r->file->kind], node->line, node->column);
        if (!r->rule)
                return -ENOMEM;
        e = policy_read_map(r, &rule_map, seen);
        return e < 0 ? e : finish_rule(r, node, seen);
}

/*
 * A grant with an error is left out, and the others hold: lkmd wrote the file, nobody corrects it, and the others
 * are exceptions that somebody relies on.
 */
static int read_item(PolicyReading *r, const YamlNode *node) {
        bool had_failed = yaml_reader_has_failed(r->yaml);
        size_t n = r->file->n_rules;
        int e;

        e = read_rule(r, node);
        if (e < 0 || r->file->kind != POLICY_FILE_GRANTS || had_failed || !yaml_reader_has_failed(r->yaml))
                return e;
        r->file->n_rules = n;
        yaml_reader_forgive(r->yaml);
        return 0;
}

static int read_rules(PolicyReading *r, const YamlNode *value, int argument) {
        YamlNode item;
        int e;

        if (value->kind == YAML_NODE_SCALAR && value->is_plain && value->length == 0)
                return 0;               /* all rules are commented out */
        if (value->kind != YAML_NODE_LIST)
                return policy_complain_about_type(r, value, "a list of rules");
        for (;;) {
                e = yaml_reader_next(r->yaml, &item);
                if (e < 0 || item.kind == YAML_NODE_END)
                        return e;
                e = read_item(r, &item);
                if (e < 0)
                        return e;
        }
}

/* ------------------------------------------------------------------------------------------- the whole */

/* What the keys of a newer version mean is not known. */
static int read_version(PolicyReading *r, const YamlNode *value, int argument) {
        char shown[TEXT_SHOWN_MAX];
        int e;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "1");
        if (streq(value->text, "1"))
                return 0;
        if (*value->text == '0' || value->length == 0 || strspn(value->text, "0123456789") != value->length)
                return policy_complain_about_text(r, value, "expected 1");
        text_show(value->text, shown);
        e = yaml_reader_complain(r->yaml, value, "version %s is of a newer lkmd, this one knows 1", shown);
        return e < 0 ? e : -EBADMSG;
}

static int read_mode(PolicyReading *r, const YamlNode *value, int argument) {
        return take_mode(r, value, &r->file->mode);
}

static int read_default(PolicyReading *r, const YamlNode *value, int argument) {
        PolicyVerdict verdict;

        if (value->kind != YAML_NODE_SCALAR)
                return policy_complain_about_type(r, value, "allow or deny");
        verdict = policy_verdict_from_string(value->text);
        if (verdict != POLICY_ALLOW && verdict != POLICY_DENY)
                return policy_complain_about_text(r, value, "expected allow or deny");
        r->file->default_verdict = verdict;
        r->file->default_line = value->line;
        r->file->default_column = value->column;
        return 0;
}

static int on_include(PolicyReading *r, const YamlNode *text, int argument) {
        PolicyInclude *include;

        if (!policy_is_word(text->text) || text->text[0] == '.')
                return policy_complain_about_text(
                        r, text, "expected the name of a list, without a path and without .yaml");
        include = policy_file_add_include(r->file);
        if (!include)
                return -ENOMEM;
        include->line = text->line;
        include->column = text->column;
        return policy_keep_text(r, text, &include->name);
}

static int read_include(PolicyReading *r, const YamlNode *value, int argument) {
        return policy_each_text(r, value, "the name of a list, or a list of them", on_include, 0);
}

/* For people who read the list. */
static int read_description(PolicyReading *r, const YamlNode *value, int argument) {
        const char *text;

        return policy_read_sentence(r, value, &text);
}

static const SchemaKey file_keys[] = {
        { "version",     read_version,     IN_ALL },
        { "boot",        policy_read_boot, IN_GRANTS },
        { "description", read_description, IN_LIST },
        { "mode",        read_mode,        IN_RULES },
        { "default",     read_default,     IN_RULES },
        { "include",     read_include,     IN_RULES },
        { "rules",       read_rules,       IN_ALL },
};
static const SchemaMap file_map = { "a policy", file_keys, ARRAY_LEN(file_keys) };

static int read_policy(PolicyReading *r) {
        static const char missing[] = "\"version: 1\" is missing";
        SeenKeys seen = {};
        YamlNode node, end;
        int e;

        e = yaml_reader_next(r->yaml, &node);
        if (e < 0)
                return e;
        if (node.kind == YAML_NODE_END || (node.kind == YAML_NODE_SCALAR && node.length == 0))
                return yaml_reader_complain(r->yaml, &(YamlNode) { .line = 1, .column = 1 }, "%s", missing);

        if (node.kind == YAML_NODE_MAP)
                e = policy_read_map(r, &file_map, seen);
        else if (node.kind != YAML_NODE_REFUSED)
                e = policy_complain_about_type(r, &node, "a map that begins with \"version: 1\"");
        if (e >= 0 && node.kind == YAML_NODE_MAP && seen[0].line == 0)
                e = yaml_reader_complain(r->yaml, &node, "%s", missing);
        return e < 0 ? e : yaml_reader_next(r->yaml, &end);
}

/**
 * policy_schema_read() - read the contents of a file into @f
 *
 * Return: 0; -EBADMSG, with the reasons in the problems; -ENOMEM.
 */
int policy_schema_read(PolicyFile *f, YamlReader *yaml) {
        _cleanup_(name_table_freep) NameTable *ids = NULL;
        PolicyReading r = { .yaml = yaml, .file = f };
        int e;

        assert(f && yaml);

        e = name_table_new(&ids);
        if (e < 0)
                return e;
        r.ids = ids;
        fill_match_keys(r.match_keys);

        e = read_policy(&r);
        free(r.patterns);
        free(r.words);
        if (e < 0)
                return e;
        return yaml_reader_has_failed(yaml) ? -EBADMSG : 0;
}
