/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * answers lkmd|compat|kmod|policy MODULE-DIR: the same questions to the one and to the other, in words that can
 * be compared.
 *
 * Each line of standard input is a question: "use PATH" (take this modprobe.d from here on), "config",
 * "resolve KEY", "plan KEY". Each is repeated with "> " before it, and then answered.
 *
 * For policy "config" is "config MODE ROOT" (take the policy below that root, with this Mode=), and a plan is what
 * root gets for a key as a client: what is loaded, what is left out and by which line; the same with "enforced "
 * before it, if that would be another one; and with "trace " what was said to decide on the way.
 */

#include <libkmod.h>
#include <limits.h>
#include <time.h>

#include "common/base/util.h"
#include "common/index/index-lookup.h"
#include "common/module/file-facts.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"
#include "common/policy-files/policy-sources.h"

typedef struct Side {
        int (*use)(const char *path);
        void (*config)(const char *words);
        void (*resolve)(const char *key);
        void (*plan)(const char *key);
} Side;

static const char *module_dir;

static void die(const char *what) {
        fprintf(stderr, "answers: %s\n", what);
        exit(EXIT_FAILURE);
}

static void print_trimmed(const char *s) {
        size_t n;

        s += strspn(s, " ");
        for (n = strlen(s); n > 0 && s[n - 1] == ' '; n--)
                ;
        printf("%.*s\n", (int) n, s);
}

/* -------------------------------------------------------------------------------------------------- lkmd */

static const Index *lkmd_index;

/* The index wants root and release; the test always gives a directory below some /lib/modules. */
static int lkmd_use(const char *path) {
        static const char middle[] = "/lib/modules/";
        _cleanup_(freep) char *root = strdup(module_dir);
        ProblemList problems = {};
        char *at = NULL;
        int r;

        for (char *p = root; p && (p = strstr(p, middle)); p++)
                at = p;
        if (!at)
                die("the module directory is not below lib/modules");
        *at = '\0';

        lkmd_index = index_unref(lkmd_index);
        r = index_new(&lkmd_index, &(IndexSources) {
                .root = root,
                .release = at + strlen(middle),
                .config_paths = (const char *const[]) { path, NULL },
        }, &problems);
        for (size_t i = 0; i < problems.n_items; i++)
                fprintf(stderr, "%s:%u: %s\n", problems.items[i].file, problems.items[i].line,
                        problems.items[i].message);
        problem_list_clear(&problems);
        return r;
}

/* libkmod keeps the words of a softdep only; this is how it puts them together again, a blank missing. */
static void print_softdep(const char *value, bool weak) {
        static const char blanks[] = " \t\n\v\f\r";
        const char *mode = weak ? "" : NULL;

        for (size_t n; *(value += strspn(value, blanks)); value += n) {
                n = strcspn(value, blanks);
                if (!weak && (n == 4 || n == 5) &&
                    (strncmp(value, "pre:", n) == 0 || strncmp(value, "post:", n) == 0))
                        mode = *(value + 1) == 'r' ? "pre: " : "post: ";
                else if (mode) {
                        printf("%s%.*s", *mode ? mode : " ", (int) n, value);
                        mode = "";
                }
        }
}

static void lkmd_config(const char *words) {
        static const ConfigKind kinds[] = { /* modprobe -c has this order */
                CONFIG_BLACKLIST, CONFIG_INSTALL, CONFIG_REMOVE, CONFIG_ALIAS, CONFIG_OPTIONS, CONFIG_SOFTDEP,
                CONFIG_WEAKDEP,
        };

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
                const ConfigEntry *e;
                size_t n;

                e = modprobe_config_entries(index_get_config(lkmd_index), kinds[k], &n);
                for (size_t i = 0; i < n; i++) {
                        printf("%s %s", config_kind_to_string(kinds[k]), e[i].name);
                        if (kinds[k] == CONFIG_SOFTDEP) {
                                putchar(' ');
                                print_softdep(e[i].value, false);
                        } else if (kinds[k] == CONFIG_WEAKDEP)
                                print_softdep(e[i].value, true);
                        else if (e[i].value)
                                printf(" %s", e[i].value);
                        putchar('\n');
                }
        }
}

static void lkmd_resolve(const char *key) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};

        if (index_lookup(lkmd_index, key, &answer) < 0)
                die("index_lookup() failed");
        for (size_t i = 0; i < answer.n_matches; i++)
                puts(answer.matches[i].name);
}

static void print_plan(const char *key, bool compat_kmod) {
        _cleanup_(plan_freep) Plan *p = NULL;

        if (plan_new(&p, lkmd_index, &(PlanRequest) {
                             .key = key, .mode = PLAN_NAMED, .compat_kmod = compat_kmod }) < 0)
                die("plan_new() failed");
        for (size_t i = 0; i < p->n_steps; i++) {
                const PlanStep *s = &p->steps[i];

                if (s->action == PLAN_BUILTIN)
                        printf("builtin %s\n", s->module);
                else {
                        printf(s->action == PLAN_COMMAND ? "install %s " : "insmod %s ",
                               s->action == PLAN_COMMAND ? s->command : s->path);
                        print_trimmed(s->parameters);
                }
        }
}

static void lkmd_plan(const char *key) {
        print_plan(key, false);
}

static void compat_plan(const char *key) {
        print_plan(key, true);
}

/* ------------------------------------------------------------------------------------------------ policy */

static Policy *policy;
static FileFacts *facts;

static void policy_config(const char *words) {
        char mode[16], root[PATH_MAX];
        ProblemList problems = {};

        if (sscanf(words, " %15s %4095s", mode, root) != 2)
                die("config MODE ROOT");
        if (!facts && file_facts_new(&facts) < 0)
                die("no memory");
        policy = policy_free(policy);
        if (policy_sources_read(&policy,
                                &(PolicySources) { .root = root, .command_line = "", .trusted_only = true },
                                &(PolicyOptions) { .mode = policy_mode_from_string(mode),
                                                   .facts = file_facts_get,
                                                   .facts_userdata = facts },
                                NULL, &problems) < 0) {
                for (size_t i = 0; i < problems.n_items; i++)
                        fprintf(stderr, "%s:%u:%u: %s\n", problems.items[i].file, problems.items[i].line,
                                problems.items[i].column, problems.items[i].message);
                die("the policy is broken");
        }
        problem_list_clear(&problems);
}

static void on_trace(const PolicySubject *subject, PolicyTraceStep how, const PolicyRuling *what,
                     void *userdata) {
        if (how == POLICY_DECIDES)
                printf("trace %s %s %s:%u\n", policy_verdict_to_string(what->verdict), subject->module,
                       what->file ?: "", what->line);
}

static void print_policy_plan(const Plan *p, const char *before) {
        for (size_t i = 0; i < p->n_steps; i++)
                printf("%sstep %s %s%s\n", before, plan_action_to_string(p->steps[i].action), p->steps[i].module,
                       p->steps[i].reported ? " reported" : "");
        for (size_t i = 0; i < p->n_omissions; i++) {
                const PlanOmission *o = p->omissions + i;

                printf("%somit %s %s %s:%u %s %s\n", before, plan_omission_kind_to_string(o->kind),
                       o->module, o->ruling.file ?: "", o->ruling.line,
                       o->required ? "required" : "optional",
                       policy_source_to_string(o->ruling.source) ?: "-");
        }
}

static void policy_plan(const char *key) {
        const PolicyRequester requester = { .origin = ORIGIN_CLIENT, .key = key, .has_uid = true };
        _cleanup_(plan_freep) Plan *p = NULL, *enforced = NULL;
        PlanRequest request = {
                .key = key,
                .mode = PLAN_NAMED,
                .policy = policy,
                .requester = &requester,
                .now_usec = (uint64_t) time(NULL) * 1000000U,
                .trace = on_trace,
        };

        if (plan_new(&p, lkmd_index, &request) < 0)
                die("plan_new() failed");
        if (p->n_matches == 0)
                puts("nothing");
        print_policy_plan(p, "");
        if (!p->audited)
                return;
        request.as_if_enforced = true;
        request.trace = NULL;
        if (plan_new(&enforced, lkmd_index, &request) < 0)
                die("plan_new() failed");
        print_policy_plan(enforced, "enforced ");
}

/* -------------------------------------------------------------------------------------------------- kmod */

static struct kmod_ctx *kmod;

static int kmod_use(const char *path) {
        const char *const paths[] = { path, NULL };

        kmod_unref(kmod);
        kmod = kmod_new(module_dir, paths);
        return kmod ? kmod_load_resources(kmod) : -ENOMEM;
}

static void kmod_config(const char *words) {
        static const struct {
                const char *name;
                struct kmod_config_iter *(*get)(const struct kmod_ctx *ctx);
        } kinds[] = {
                { "blacklist", kmod_config_get_blacklists },
                { "install",   kmod_config_get_install_commands },
                { "remove",    kmod_config_get_remove_commands },
                { "alias",     kmod_config_get_aliases },
                { "options",   kmod_config_get_options },
                { "softdep",   kmod_config_get_softdeps },
                { "weakdep",   kmod_config_get_weakdeps },
        };

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
                struct kmod_config_iter *i = kinds[k].get(kmod);

                while (kmod_config_iter_next(i)) {
                        const char *value = kmod_config_iter_get_value(i);

                        printf("%s %s%s%s\n", kinds[k].name, kmod_config_iter_get_key(i), value ? " " : "",
                               value ?: "");
                }
                kmod_config_iter_free_iter(i);
        }
}

static void kmod_resolve(const char *key) {
        struct kmod_list *list = NULL, *l;

        if (kmod_module_new_from_lookup(kmod, key, &list) < 0)
                return;
        kmod_list_foreach(l, list) {
                struct kmod_module *m = kmod_module_get_module(l);

                puts(kmod_module_get_name(m));
                kmod_module_unref(m);
        }
        kmod_module_unref_list(list);
}

/* As print_action() of modprobe has it. */
static void on_action(struct kmod_module *m, bool install, const char *options) {
        const char *path = kmod_module_get_path(m);

        if (install)
                printf("install %s ", kmod_module_get_install_commands(m));
        else if (path)
                printf("insmod %s ", path);
        else {
                if (kmod_module_get_initstate(m) == KMOD_MODULE_BUILTIN)
                        printf("builtin %s\n", kmod_module_get_name(m));
                return;
        }
        print_trimmed(options);
}

static void kmod_plan(const char *key) {
        struct kmod_list *list = NULL, *l;

        if (kmod_module_new_from_lookup(kmod, key, &list) < 0)
                return;
        kmod_list_foreach(l, list) {
                struct kmod_module *m = kmod_module_get_module(l);

                (void) kmod_module_probe_insert_module(m,
                                                       KMOD_PROBE_IGNORE_LOADED | KMOD_PROBE_DRY_RUN |
                                                               KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY,
                                                       NULL, NULL, NULL, on_action);
                kmod_module_unref(m);
        }
        kmod_module_unref_list(list);
}

/* ------------------------------------------------------------------------------------------------------- */

static void answer(const Side *side, char *line) {
        printf("> %s\n", line);
        if (startswith(line, "use ")) {
                if (side->use(line + strlen("use ")) < 0)
                        die("cannot take this configuration");
        } else if (startswith(line, "config"))
                side->config(line + strlen("config"));
        else if (startswith(line, "resolve "))
                side->resolve(line + strlen("resolve "));
        else if (startswith(line, "plan "))
                side->plan(line + strlen("plan "));
        else
                die("no such question");
        (void) fflush(stdout);          /* who asks may have more questions when it has read this */
}

int main(int argc, char *argv[]) {
        static const Side lkmd_side = { lkmd_use, lkmd_config, lkmd_resolve, lkmd_plan };
        static const Side compat_side = { lkmd_use, lkmd_config, lkmd_resolve, compat_plan };
        static const Side policy_side = { lkmd_use, policy_config, lkmd_resolve, policy_plan };
        static const Side kmod_side = { kmod_use, kmod_config, kmod_resolve, kmod_plan };
        _cleanup_(freep) char *line = NULL;
        const Side *side;
        size_t size = 0;
        ssize_t n;

        if (argc != 3)
                die("usage: answers lkmd|compat|kmod|policy MODULE-DIR");
        side = streq(argv[1], "lkmd")     ? &lkmd_side
               : streq(argv[1], "compat") ? &compat_side
               : streq(argv[1], "policy") ? &policy_side
                                          : &kmod_side;
        module_dir = argv[2];

        while ((n = getline(&line, &size, stdin)) > 0) {
                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                answer(side, line);
        }

        policy_free(policy);
        file_facts_free(facts);
        index_unref(lkmd_index);
        kmod_unref(kmod);
        return EXIT_SUCCESS;
}
