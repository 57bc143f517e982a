/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Verbs and options of lkmctl: the rows of the tables in commands.c, from which come dispatch, argument
 * limits and help.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cli/client.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "common/origin.h"

typedef struct Verb Verb;

/* One run of lkmctl. Owns the client and arrays; strings are borrowed from argv. */
typedef struct Run {
        Output out;
        Client *client;                 /* connects when it is first used */
        bool help, version;             /* the options of these names */

        /* Options of verbs. */
        bool force, force_vermagic, force_modversion;
        bool wait_idle;
        const char *wait_module, *wait_device;
        bool wait_limited;
        uint64_t wait_usec;
        const char *metrics_file;       /* NULL: standard output */

        /* Options of the offline verbs. */
        const char *root, *kernel;      /* NULL: none, the running one */
        const char **config_paths;      /* owned, NULL-terminated; borrowed strings */
        size_t n_config_paths;
        const char **policy_paths;      /* likewise */
        size_t n_policy_paths;
        bool all;

        /* Who asks, for "explain". */
        bool has_origin, has_uid;
        RequestOrigin origin;
        uint32_t uid;

        /* Of "policy allow" and "policy deny", and "policy propose". */
        uint64_t for_usec;              /* 0: not given */
        bool once, until_reboot;
        const char *reason;
        uint64_t since_usec;            /* CLOCK_REALTIME; 0: since ever */
} Run;

struct Verb {
        const char *name;               /* one word, or two: "policy show" */
        const char *arguments;          /* as help shows them */
        unsigned min_args, max_args;
        int (*run)(Run *run, char **args, unsigned n_args); /* ExitStatus; negative errno: main() tells */
        const char *summary;
        const char *text;               /* more of it, for "help VERB" */
        bool offline;                   /* answers from files, without lkmd: takes other options */
        bool treeless;                  /* offline, but has no use for modules: --root and its like are not for it */
};

#define ARGS_ANY ((unsigned) -1)

typedef enum OptionScope {              /* which verbs take an option */
        SCOPE_ALL,
        SCOPE_ONLINE,                   /* all but the offline ones */
        SCOPE_OFFLINE,
        SCOPE_VERB,
        _SCOPE_MAX,
} OptionScope;

typedef struct Option {
        const char *name;
        char letter;                    /* 0: none */
        int argument;                   /* no_argument, required_argument, optional_argument */
        const char *placeholder;        /* of the argument, in help */
        OptionScope scope;
        const char *verb;               /* SCOPE_VERB: those that take it, separated by ", " */
        const char *(*set)(Run *run, const char *value); /* NULL: done; else what is wrong */
        const char *summary;
} Option;

extern const Verb verbs[];              /* both end with an empty row */
extern const Option options[];

bool option_is_of(const Option *o, const Verb *v);
const Verb *verb_find(const char *word, const char *next, unsigned *ret_n_words);
bool verb_is_below(const Verb *v, const char *word);

int verb_config(Run *run, char **args, unsigned n_args);
int verb_deps(Run *run, char **args, unsigned n_args);
int verb_diff_modprobe(Run *run, char **args, unsigned n_args);
int verb_explain(Run *run, char **args, unsigned n_args);
int verb_help(Run *run, char **args, unsigned n_args);
int verb_list(Run *run, char **args, unsigned n_args);
int verb_load(Run *run, char **args, unsigned n_args);
int verb_metrics(Run *run, char **args, unsigned n_args);
int verb_monitor(Run *run, char **args, unsigned n_args);
int verb_plan(Run *run, char **args, unsigned n_args);
int verb_policy(Run *run, char **args, unsigned n_args);
int verb_policy_allow(Run *run, char **args, unsigned n_args);
int verb_policy_audit(Run *run, char **args, unsigned n_args);
int verb_policy_check(Run *run, char **args, unsigned n_args);
int verb_policy_deny(Run *run, char **args, unsigned n_args);
int verb_policy_lint(Run *run, char **args, unsigned n_args);
int verb_policy_preview(Run *run, char **args, unsigned n_args);
int verb_policy_propose(Run *run, char **args, unsigned n_args);
int verb_policy_revoke(Run *run, char **args, unsigned n_args);
int verb_policy_show(Run *run, char **args, unsigned n_args);
int verb_reload(Run *run, char **args, unsigned n_args);
int verb_resolve(Run *run, char **args, unsigned n_args);
int verb_status(Run *run, char **args, unsigned n_args);
int verb_unload(Run *run, char **args, unsigned n_args);
int verb_version(Run *run, char **args, unsigned n_args);
int verb_wait(Run *run, char **args, unsigned n_args);

/* Puts one argument into a call; an ExitStatus if it cannot be sent, after telling. */
int argument_to_name(Run *run, const char *argument, sd_json_variant **parameters, const char *field);

int status_of_module(Run *run, const char *name);
