/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Policy: which modules may enter the kernel. Owns the files that its rules are from; immutable except for the
 * mode that lkmd.conf sets. Only policy_judge() decides: plans, explanations and audits all use it, so that they
 * cannot differ. policy-lookup.c finds the rules that may match a module.
 */

#include "common/policy/policy.h"

#include <assert.h>

#include "common/base/enum-names.h"
#include "common/policy/policy-lookup.h"
#include "common/policy/policy-match.h"
#include "common/words/kernel-command-line.h"

struct Policy {
        PolicyFile **files;
        size_t n_files;
        const PolicyRule **rules;       /* in order */
        size_t n_rules;
        PolicyOptions options;
        const PolicyFile *default_file; /* the first that has a default; NULL: none */
        bool has_options, has_preferences, has_dates, is_incomplete;
        uint64_t least_idle_usec;       /* policy_least_idle_usec() */
        PolicyLookup *lookup;
};

static const char *const trace_step_names[_POLICY_TRACE_STEP_MAX] = {
        [POLICY_DECIDES]         = "decides",
        [POLICY_WOULD_DECIDE]    = "would_decide",
        [POLICY_ADDS]            = "adds",
        [POLICY_TOO_LATE]        = "too_late",
        [POLICY_IS_OFF]          = "off",
        [POLICY_IS_OVER]         = "expired",
        [POLICY_SKIPS_DEPENDENCIES] = "skips_dependencies",
        [POLICY_SKIPS_CONTAINERS] = "skips_containers",
        [POLICY_DEPENDS]         = "depends",
};

const char *policy_trace_step_to_string(PolicyTraceStep s) {
        return ENUM_NAME(trace_step_names, s);
}

/* ---------------------------------------------------------------------------------------------- the object */

static void note_idle(Policy *p, const PolicyRule *rule) {
        bool has_time = rule->idle_unload_usec != POLICY_IDLE_NO &&
                        rule->idle_unload_usec != POLICY_IDLE_YES;
        uint64_t usec = has_time ? rule->idle_unload_usec : UINT64_MAX;

        if (rule->has_idle_unload)
                p->least_idle_usec = p->least_idle_usec == 0 ? usec : MIN(p->least_idle_usec, usec);
}

static void collect_rules(Policy *p) {
        for (size_t i = 0; i < p->n_files; i++) {
                const PolicyFile *f = p->files[i];

                if (!p->default_file && f->default_verdict != POLICY_NO_VERDICT)
                        p->default_file = f;
                for (size_t k = 0; k < f->n_rules; k++) {
                        p->rules[p->n_rules++] = f->rules + k;
                        p->has_options |= f->rules[k].n_options > 0;
                        p->has_preferences |= f->rules[k].n_prefer > 0;
                        p->has_dates |= f->rules[k].expires_usec != UINT64_MAX;
                        note_idle(p, f->rules + k);
                }
        }
}

/**
 * policy_new() - put rules in force
 * @files: the array and the files are taken on success; in the order of precedence
 *
 * Return: 0; -E2BIG: more than POLICY_RULES_MAX; -ENOMEM.
 */
int policy_new(Policy **ret, PolicyFile **files, size_t n_files, const PolicyOptions *options) {
        _cleanup_(policy_freep) Policy *p = NULL;
        size_t n = 0;
        int r;

        assert(ret && (files || n_files == 0) && options);

        for (size_t i = 0; i < n_files; i++)
                n += files[i]->n_rules;
        if (n > POLICY_RULES_MAX)
                return -E2BIG;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->options = *options;
        p->rules = calloc(n + 1, sizeof(*p->rules));
        if (!p->rules)
                return -ENOMEM;
        p->files = files;
        p->n_files = n_files;
        collect_rules(p);
        r = policy_lookup_new(&p->lookup, p->rules, p->n_rules);
        if (r < 0) {
                p->files = NULL;        /* still the caller's */
                p->n_files = 0;
                return r;
        }

        *ret = STEAL_PTR(p);
        return 0;
}

/* Return: NULL. */
Policy *policy_free(Policy *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_files; i++)
                policy_file_free(p->files[i]);
        free(p->files);
        free(p->rules);
        policy_lookup_free(p->lookup);
        free(p);
        return NULL;
}

/* The kernel command line has precedence over grants. */
static bool file_is_above_grants(const PolicyFile *f) {
        return f->n_rules > 0 && f->rules[0].source < POLICY_BY_GRANT;
}

/**
 * policy_replace_grants() - the same rules with other grants
 * @p:      replaced on success; pointers to its rules stay valid, except to those of grants
 * @grants: taken on success; NULL: none
 *
 * For grants that begin or end while the files of the policy are broken.
 *
 * Return: 0; as policy_new(), with nothing changed.
 */
int policy_replace_grants(Policy **p, PolicyFile *grants) {
        _cleanup_(freep) PolicyFile **files = NULL;
        PolicyFile *waiting = grants;
        Policy *old, *new;
        size_t n = 0;
        int r;

        assert(p && *p && (!grants || grants->kind == POLICY_FILE_GRANTS));

        old = *p;
        files = calloc(old->n_files + 1, sizeof(*files));
        if (!files)
                return -ENOMEM;
        for (size_t i = 0; i < old->n_files; i++) {
                if (old->files[i]->kind == POLICY_FILE_GRANTS)
                        continue;
                if (waiting && !file_is_above_grants(old->files[i]))
                        files[n++] = STEAL_PTR(waiting);
                files[n++] = old->files[i];
        }
        if (waiting)
                files[n++] = waiting;

        r = policy_new(&new, files, n, &old->options);
        if (r < 0)
                return r;
        STEAL_PTR(files);

        for (size_t i = 0; i < old->n_files; i++)
                if (old->files[i]->kind == POLICY_FILE_GRANTS)
                        policy_file_free(old->files[i]);
        old->n_files = 0;               /* the new policy has all others */
        new->is_incomplete = old->is_incomplete;
        policy_free(old);
        *p = new;
        return 0;
}

/* Called when Mode= of lkmd.conf changes. */
void policy_set_mode(Policy *p, PolicyMode mode) {
        assert(p && mode >= 0 && mode < _POLICY_MODE_MAX);

        p->options.mode = mode;
}

bool policy_is_empty(const Policy *p) {
        return !p || (p->n_rules == 0 && !p->default_file);
}

void policy_set_incomplete(Policy *p) {
        assert(p);

        p->is_incomplete = true;
}

bool policy_is_incomplete(const Policy *p) {
        return p && p->is_incomplete;
}

void policy_forget_texts(Policy *p) {
        assert(p);

        for (size_t i = 0; i < p->n_files; i++)
                policy_file_forget_text(p->files[i]);
}

bool policy_has_dates(const Policy *p) {
        return p && p->has_dates;
}

size_t policy_count_rules(const Policy *p) {
        return p ? p->n_rules : 0;
}

const PolicyRule *policy_get_rule(const Policy *p, size_t i) {
        assert(p && i < p->n_rules);

        return p->rules[i];
}

size_t policy_count_files(const Policy *p) {
        return p ? p->n_files : 0;
}

const PolicyFile *policy_get_file(const Policy *p, size_t i) {
        assert(p && i < p->n_files);

        return p->files[i];
}

static bool is_rule_of(const PolicyFile *f, const PolicyRuling *ruling) {
        if (ruling->source == POLICY_BY_DEFAULT)
                return f->default_verdict != POLICY_NO_VERDICT && f->default_line == ruling->line &&
                       f->default_column == ruling->column;
        for (size_t i = 0; i < f->n_rules; i++) {
                const PolicyRule *rule = f->rules + i;

                if (streq_ptr(rule->id, ruling->id) &&
                    (rule->id || (rule->line == ruling->line && rule->column == ruling->column)))
                        return true;
        }
        return false;
}

/**
 * policy_has_rule() - is what once decided still there?
 *
 * A rule with a name may have moved in its file; another one has to be where it was. Of a source other than the rules,
 * lists and defaults of files this cannot be said, and counts as there.
 */
bool policy_has_rule(const Policy *p, const PolicyRuling *ruling) {
        assert(ruling);

        if ((ruling->source != POLICY_BY_RULE && ruling->source != POLICY_BY_LIST &&
             ruling->source != POLICY_BY_DEFAULT) ||
            !ruling->file)
                return true;
        for (size_t i = 0; i < policy_count_files(p); i++)
                if (streq(p->files[i]->path, ruling->file) && is_rule_of(p->files[i], ruling))
                        return true;
        return false;
}

/**
 * policy_get_default() - the ruling for a module that no rule and no line matches
 * @ret_mode: its mode; may be NULL
 */
PolicyRuling policy_get_default(const Policy *p, PolicyMode *ret_mode) {
        const PolicyFile *f = p ? p->default_file : NULL;
        PolicyRuling ruling = { .source = POLICY_BY_DEFAULT, .verdict = POLICY_ALLOW };
        PolicyMode mode = POLICY_ENFORCE;

        if (f) {
                mode = MIN(f->mode == _POLICY_MODE_INVALID ? POLICY_ENFORCE : f->mode, p->options.mode);
                ruling.verdict = f->default_verdict;
                ruling.file = f->path;
                ruling.line = f->default_line;
                ruling.column = f->default_column;
                if (f->default_verdict == POLICY_DENY)
                        ruling.reason = "no rule allows it, and the default is to deny";
        }
        if (ret_mode)
                *ret_mode = mode;
        return ruling;
}

/* The kernel command line is for machines that do not boot otherwise: Mode= of lkmd.conf does not affect it. */
PolicyMode policy_get_rule_mode(const Policy *p, const PolicyRule *rule) {
        assert(p && rule);

        return rule->source <= POLICY_BY_COMMAND_LINE ? POLICY_ENFORCE : MIN(rule->mode, p->options.mode);
}

/* ------------------------------------------------------------------------------------------------ judging */

typedef struct Judgement {
        const PolicySubject *subject;
        PolicyDecision *ret;
        bool decided, would_be_decided;
        policy_trace_t trace;
        void *userdata;
} Judgement;

static void note(const Judgement *j, PolicyTraceStep step, const PolicyRuling *ruling) {
        if (j->trace)
                j->trace(step, ruling, j->userdata);
}

/*
 * Applies the ruling of a rule or line that matches, unless an earlier one has decided. In audit mode it only
 * counts for what would be decided.
 */
static void apply(Judgement *j, const PolicyRuling *ruling, PolicyMode mode) {
        if (mode == POLICY_OFF) {
                note(j, POLICY_IS_OFF, ruling);
                return;
        }
        if (ruling->verdict == POLICY_NO_VERDICT) {
                note(j,
                     mode == POLICY_AUDIT ? POLICY_WOULD_DECIDE
                     : j->decided         ? POLICY_TOO_LATE
                                          : POLICY_ADDS,
                     ruling);
                return;
        }
        if (j->decided || (mode == POLICY_AUDIT && j->would_be_decided)) {
                note(j, POLICY_TOO_LATE, ruling);
                return;
        }

        if (!j->would_be_decided)
                j->ret->would = *ruling;
        j->would_be_decided = true;
        if (mode == POLICY_ENFORCE) {
                j->ret->actual = *ruling;
                j->decided = true;
        }
        note(j, mode == POLICY_ENFORCE ? POLICY_DECIDES : POLICY_WOULD_DECIDE, ruling);
}

static void apply_line(Judgement *j, const ConfigEntry *entry, PolicySource source, const char *reason) {
        if (entry)
                apply(j,
                      &(PolicyRuling) {
                              .source = source,
                              .verdict = POLICY_DENY,
                              .file = entry->file,
                              .line = entry->line,
                              .reason = reason,
                      },
                      POLICY_ENFORCE);
}

/* The ruling of a rule that decides. */
PolicyRuling policy_ruling_of(const PolicyRule *rule) {
        return (PolicyRuling) {
                .source = rule->source,
                .verdict = rule->verdict,
                .file = rule->file,
                .line = rule->line,
                .column = rule->column,
                .id = rule->id,
                .reason = rule->reason,
                .rule = rule,
        };
}

/*
 * A rule of which nobody can tell whether it matches does not decide: the decision is the one without it, and the
 * trace says on what it depends. What is not enforced changes no decision.
 */
static void note_doubt(const Judgement *j, const PolicyRuling *ruling, PolicyMode mode) {
        if (mode == POLICY_ENFORCE)
                note(j, j->decided ? POLICY_TOO_LATE : POLICY_DEPENDS, ruling);
}

/* Does a container ask, by the broker? Then nothing is allowed but by a rule for containers. */
static bool is_for_container(const PolicySubject *subject) {
        return subject->requester && subject->requester->origin == ORIGIN_CONTAINER &&
               subject->part == POLICY_REQUESTED;
}

/* @unknown: keys of the rule whose values are not known */
static void apply_rule(Judgement *j, const Policy *p, const PolicyRule *rule, uint32_t unknown,
                       uint64_t now_usec) {
        PolicyRuling ruling = policy_ruling_of(rule);

        ruling.unknown = unknown;

        if (rule->expires_usec <= now_usec)
                note(j, POLICY_IS_OVER, &ruling);
        else if (rule->verdict == POLICY_DENY && j->subject->part != POLICY_REQUESTED &&
                 !policy_rule_is_of_module(rule))
                note(j, POLICY_SKIPS_DEPENDENCIES, &ruling);
        else if ((rule->verdict == POLICY_ALLOW || rule->verdict == POLICY_REPORT) &&
                 is_for_container(j->subject) && !policy_rule_opens_containers(rule))
                note(j, j->decided ? POLICY_TOO_LATE : POLICY_SKIPS_CONTAINERS, &ruling);
        else if (unknown != 0)
                note_doubt(j, &ruling, policy_get_rule_mode(p, rule));
        else
                apply(j, &ruling, policy_get_rule_mode(p, rule));
}

/* The rules in order, and modprobe.blacklist= after the rules of the kernel command line. */
static void apply_rules(Judgement *j, const Policy *p, uint64_t now_usec) {
        static const char reason[] = "modprobe.blacklist= on the kernel command line";
        const char *module = j->subject->module;
        const ConfigEntry *line = j->subject->command_line_blacklist;
        const PolicyRule *rule;
        PolicyQuestion q;
        uint32_t unknown;
        PolicyWalk w;

        if (policy_is_empty(p)) {
                apply_line(j, line, POLICY_BY_COMMAND_LINE, reason);
                return;
        }

        policy_question_init(&q, j->subject, p->options.facts, p->options.facts_userdata);
        policy_walk_begin(&w, p->lookup, module);
        while ((!j->decided || j->trace) && (rule = policy_walk_next(&w))) {
                if (line && rule->source > POLICY_BY_COMMAND_LINE) {
                        apply_line(j, line, POLICY_BY_COMMAND_LINE, reason);
                        line = NULL;
                        if (j->decided && !j->trace)
                                break;
                }
                if (policy_rule_may_match(rule, &q, POLICY_KEYS_ALL, &unknown))
                        apply_rule(j, p, rule, unknown, now_usec);
        }
        apply_line(j, line, POLICY_BY_COMMAND_LINE, reason);
}

static void apply_default(Judgement *j, const Policy *p) {
        PolicyRuling ruling = { .source = POLICY_BY_DEFAULT, .verdict = POLICY_ALLOW };
        PolicyMode mode = POLICY_ENFORCE;

        if (is_for_container(j->subject)) {
                ruling.verdict = POLICY_DENY;
                ruling.reason = "no rule allows it to containers";
        } else if (j->subject->part != POLICY_DEPENDENCY)
                ruling = policy_get_default(p, &mode);
        if (ruling.file || !j->decided)
                apply(j, &ruling, mode);
        if (!j->decided)                /* the default is in audit mode: the module is allowed */
                apply(j, &(PolicyRuling) { .source = POLICY_BY_DEFAULT, .verdict = POLICY_ALLOW },
                      POLICY_ENFORCE);
}

/**
 * policy_judge() - may this module enter the kernel for this request?
 * @p:        NULL: no rules; the lines of modprobe.d that the subject has still count
 * @now_usec: CLOCK_REALTIME, for rules that expire
 * @ret:      what decides, and what would decide if nothing were in audit mode
 * @trace:    called for each rule and line that matches the subject, or may match it, in order, also for those after
 *            the one that decides; NULL: no trace
 *
 * The order is that of PolicySource, then of the files. Rules in audit mode do not decide; @ret->would is what
 * would be decided if they were enforced. Allocates nothing.
 */
void policy_judge(const Policy *p, const PolicySubject *subject, uint64_t now_usec, PolicyDecision *ret,
                  policy_trace_t trace, void *userdata) {
        Judgement j = { .subject = subject, .ret = ret, .trace = trace, .userdata = userdata };

        assert(subject && subject->module && ret);

        *ret = (PolicyDecision) {};
        apply_rules(&j, p, now_usec);
        if (!j.decided || trace)
                apply_line(&j, subject->install, POLICY_BY_INSTALL, "its install line only denies");
        if (!j.decided || trace)
                apply_line(&j, subject->blacklist, POLICY_BY_BLACKLIST, "blacklisted");
        apply_default(&j, p);
}

/* ----------------------------------------------------------------------------- options and preferences */

typedef struct OptionSearch {
        const Policy *policy;
        policy_options_t on_rule;
        void *userdata;
        int error;
} OptionSearch;

static void on_trace_step(PolicyTraceStep step, const PolicyRuling *ruling, void *userdata) {
        OptionSearch *s = userdata;
        const PolicyRule *rule = ruling->rule;

        if (s->error < 0 || !rule || rule->n_options == 0)
                return;
        /* what a rule says of parameters holds for a container, too, if it does not say who may load the module */
        if (step != POLICY_ADDS && step != POLICY_DECIDES &&
            (step != POLICY_SKIPS_CONTAINERS || policy_get_rule_mode(s->policy, rule) != POLICY_ENFORCE))
                return;
        s->error = s->on_rule(ruling->rule, s->userdata);
}

/**
 * policy_each_options() - the rules whose options a module gets, in order
 *
 * Those that match, up to and including the one that decides.
 *
 * Return: 0, or the first negative value of @on_rule.
 */
int policy_each_options(const Policy *p, const PolicySubject *subject, uint64_t now_usec,
                        policy_options_t on_rule, void *userdata) {
        OptionSearch search = { .policy = p, .on_rule = on_rule, .userdata = userdata };
        PolicyDecision decision;

        assert(subject && on_rule);

        if (!p || !p->has_options)
                return 0;
        policy_judge(p, subject, now_usec, &decision, on_trace_step, &search);
        return search.error;
}

static const PolicyRule *find_preference(const Policy *p, const PolicyRequester *requester,
                                         uint64_t now_usec, PolicyMode least) {
        PolicySubject subject = { .requester = requester, .part = POLICY_REQUESTED, .module = "" };
        PolicyQuestion q;

        if (!p || !p->has_preferences)
                return NULL;

        policy_question_init(&q, &subject, p->options.facts, p->options.facts_userdata);
        for (size_t i = 0; i < p->n_rules; i++) {
                const PolicyRule *rule = p->rules[i];

                if (rule->n_prefer > 0 && rule->expires_usec > now_usec &&
                    policy_get_rule_mode(p, rule) >= least &&
                    policy_rule_matches(rule, &q, ~policy_keys_of(POLICY_KEY_OF_MODULE)))
                        return rule;
        }
        return NULL;
}

/**
 * policy_find_preference() - the rule that says which of several candidates a request gets
 *
 * Return: the first enforced rule with a preference that matches this request; NULL: none.
 */
const PolicyRule *policy_find_preference(const Policy *p, const PolicyRequester *requester,
                                         uint64_t now_usec) {
        return find_preference(p, requester, now_usec, POLICY_ENFORCE);
}

const PolicyRule *policy_would_prefer(const Policy *p, const PolicyRequester *requester, uint64_t now_usec) {
        return find_preference(p, requester, now_usec, POLICY_AUDIT);
}

/**
 * policy_find_idle() - may a module go when nobody uses it?
 *
 * Return: the first enforced rule with "idle-unload" that matches; NULL: none.
 */
const PolicyRule *policy_find_idle(const Policy *p, const PolicySubject *subject, uint64_t now_usec) {
        const PolicyRule *rule;
        PolicyQuestion q;
        PolicyWalk w;

        assert(subject && subject->module);

        if (policy_least_idle_usec(p) == 0)
                return NULL;
        policy_question_init(&q, subject, p->options.facts, p->options.facts_userdata);
        policy_walk_begin(&w, p->lookup, subject->module);
        while ((rule = policy_walk_next(&w)))
                if (rule->has_idle_unload && rule->expires_usec > now_usec &&
                    policy_get_rule_mode(p, rule) == POLICY_ENFORCE &&
                    policy_rule_matches(rule, &q, POLICY_KEYS_ALL))
                        return rule;
        return NULL;
}

uint64_t policy_least_idle_usec(const Policy *p) {
        return p ? p->least_idle_usec : 0;
}
