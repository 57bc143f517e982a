/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands: the tables of verbs and options. Help, the man page and the completions are checked against
 * them.
 */

#include "cli/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print/format.h"
#include "cli/time-argument.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"
#include "common/base/util.h"

const Verb verbs[] = {
        { "status", "[MODULE]", 0, 1, verb_status,
          "how lkmd is doing, or all that is known about a module",
          "Without MODULE: who loads drivers on this machine, what is running and waiting, the latest failures\n"
          "with what to try next, and files that are broken. This is also what lkmctl shows without a verb." },
        { "list", "", 0, 0, verb_list,
          "the modules in the kernel, with what brought them there",
          "A module without a cause was there before lkmd started, or was loaded behind its back." },
        { "load", "MODULE [PARAM=VALUE...]", 1, ARGS_ANY, verb_load,
          "load a module with what it needs, and wait for the outcome",
          "MODULE is the name of a module or an alias. Parameters are for the module itself, not for what it needs.\n"
          "Parameters that modprobe.d gives are passed as well, before these." },
        { "unload", "MODULE...", 1, ARGS_ANY, verb_unload,
          "remove modules, with what only they needed",
          "What lkmd loaded for the sake of the module alone goes too. If one cannot be removed, the others are\n"
          "tried nevertheless." },
        { "monitor", "", 0, 0, verb_monitor,
          "show what happens from now on, until Ctrl-C",
          "Devices that appear, what is left out and why, loads and removals as they begin and end, broken files." },
        { "metrics", "", 0, 0, verb_metrics,
          "the status as metrics for Prometheus (OpenMetrics)",
          "lkmd_up is 0, and the exit status 4, while lkmd does not answer. The timer lkmd-metrics.timer writes them into\n"
          "a file for the textfile collector of node_exporter, twice a minute." },
        { "reload", "", 0, 0, verb_reload,
          "read lkmd.conf, modprobe.d and the module index anew",
          "If a file is so broken that it cannot be used, nothing changes." },
        { "wait", "", 0, 0, verb_wait,
          "wait until lkmd is idle, or until a module or the driver of a device is there",
          "Without --module and --device, or with --idle: until nothing is queued or running and all devices were\n"
          "looked at. Of several conditions all have to hold." },
        { "resolve", "ALIAS...|-", 1, ARGS_ANY, verb_resolve,
          "which modules names and aliases mean",
          "One line for each: ALIAS, a tab, and its modules in kmod's order. With - the aliases are read from standard\n"
          "input, one a line, and each is answered as soon as it comes in.", .offline = true },
        { "plan", "ALIAS|MODULE...", 1, ARGS_ANY, verb_plan,
          "what a load would come to, step by step, without doing it",
          "Each module with why it is in, its parameters and the files they come from, and what would be left out.",
          .offline = true },
        { "deps", "MODULE", 1, 1, verb_deps,
          "what a module needs and wants, and where that is written", NULL, .offline = true },
        { "config", "[MODULE]", 0, 1, verb_config,
          "the lines of modprobe.d in force, each with its place",
          "Those of the kernel command line and the softdeps of the modules themselves are among them. With MODULE only\n"
          "the lines that concern it.", .offline = true },
        { "diff-modprobe", "[MODULE...]", 0, ARGS_ANY, verb_diff_modprobe,
          "where lkmd would do otherwise than modprobe, and why",
          "Without MODULE, as with --all, for all modules there are.", .offline = true },
        { "explain", "MODULE|ALIAS|DEVICE", 1, 1, verb_explain,
          "why it would be loaded or not: every rule that matched, in order",
          "Every rule, list, grant, line of modprobe.d and of the kernel command line that speaks of it or of what it\n"
          "needs, with its place, and the one that decides. DEVICE is a path in /sys or /dev, or a name such as\n"
          "0000:00:1f.2 or 1-1. For a module, also what a device or the kernel would get where that is something else.\n"
          "Exit status 3 if it is denied.", .offline = true },
        { "policy", "", 0, 0, verb_policy,
          "what there is for rules on modules: the verbs below", NULL, .offline = true, .treeless = true },
        { "policy show", "", 0, 0, verb_policy_show,
          "the rules in force, in the order in which they decide",
          "Those of all files and lists together, each with its verdict, its mode and its place; grants with the time\n"
          "that is left; the default at the end.", .offline = true, .treeless = true },
        { "policy check", "[FILE...]", 0, ARGS_ANY, verb_policy_check,
          "look for mistakes in policy files",
          "Without FILE: all that is in force here. Each mistake is told as FILE:LINE:COLUMN: TEXT; then the exit\n"
          "status is 1. Nothing of it is asked of lkmd or told to it.", .offline = true, .treeless = true },
        { "policy lint", "", 0, 0, verb_policy_lint,
          "look for rules and lines that do not do what they look like",
          "Rules that never decide anything, names of no module, modules that are built in, rules that are over; and\n"
          "of modprobe.d and the kernel command line what is overlooked by modprobe or overruled here. Exit status 1\n"
          "if there is any.", .offline = true },
        { "policy propose", "", 0, 0, verb_policy_propose,
          "an allow list of what this machine uses, as a file for policy.d",
          "The modules in the kernel, grouped by what brought them there, with what they need." },
        { "policy preview", "", 0, 0, verb_policy_preview,
          "what the devices of this machine get with other modules",
          "With --kernel or --root: which devices would lose their driver, and which needed modules are denied there.\n"
          "Exit status 1 if there is any.", .offline = true },
        { "policy audit", "", 0, 0, verb_policy_audit,
          "what was refused, and what would have been in enforce mode",
          "Grouped by the rule, with counts and times." },
        { "policy allow", "MODULE", 1, 1, verb_policy_allow,
          "allow a module for a time, whatever the rules say",
          "One of --for, --once and --until-reboot says how long, --reason says why. Kept in /run, shown by status." },
        { "policy deny", "MODULE", 1, 1, verb_policy_deny,
          "deny a module for a time, whatever the rules say",
          "One of --for, --once and --until-reboot says how long, --reason says why. What is loaded stays." },
        { "policy revoke", "ID", 1, 1, verb_policy_revoke,
          "take back what allow or deny has granted", "ID is what they answered; status shows it too." },
        { "help", "[VERB]", 0, 2, verb_help, "show all verbs, or one of them in full", NULL },
        { "version", "", 0, 0, verb_version, "show the version of lkmctl", NULL },
        {}
};

static const char *set_json(Run *run, const char *value) {
        if (!value || streq(value, "pretty"))
                run->out.json = JSON_PRETTY;
        else if (streq(value, "short"))
                run->out.json = JSON_SHORT;
        else
                return "it is 'short' or 'pretty'";
        return NULL;
}

static const char *set_quiet(Run *run, const char *value) {
        run->out.quiet = true;
        return NULL;
}

/*
 * It becomes an argument of ssh and part of an URL of sd-varlink: nothing that looks like an option,
 * separates the parts of the URL or is no plain character.
 */
static const char *set_host(Run *run, const char *value) {
        if (*value == '\0' || *value == '-')
                return "it is [USER@]HOST as for ssh";
        for (const char *p = value; *p; p++)
                if (*p <= ' ' || *p == 0x7f || strchr(":;?#/", *p))
                        return "it is [USER@]HOST as for ssh, where HOST may be a name from ssh_config";

        run->out.host = value;
        return NULL;
}

static const char *set_force(Run *run, const char *value) {
        run->force = true;
        return NULL;
}

static const char *set_force_vermagic(Run *run, const char *value) {
        run->force_vermagic = true;
        return NULL;
}

static const char *set_force_modversion(Run *run, const char *value) {
        run->force_modversion = true;
        return NULL;
}

static const char *set_idle(Run *run, const char *value) {
        run->wait_idle = true;
        return NULL;
}

static const char *set_module(Run *run, const char *value) {
        if (run->wait_module)
                return "one module at a time";
        run->wait_module = value;
        return NULL;
}

static const char *set_device(Run *run, const char *value) {
        if (run->wait_device)
                return "one device at a time";
        if (*value == '\0')
                return "it is a path such as /sys/class/net/eth0";
        run->wait_device = value;
        return NULL;
}

static const char *set_timeout(Run *run, const char *value) {
        if (parse_seconds(value, &run->wait_usec) < 0)
                return "it is a number of seconds, such as 30 or 0.5";
        run->wait_limited = true;
        return NULL;
}

static const char *set_output(Run *run, const char *value) {
        if (*value == '\0')
                return "it is a file";
        run->metrics_file = value;
        return NULL;
}

static const char *set_root(Run *run, const char *value) {
        run->root = value;
        return NULL;
}

static const char *set_kernel(Run *run, const char *value) {
        run->kernel = value;
        return NULL;
}

static const char *set_config(Run *run, const char *value) {
        const char **paths;

        if (*value == '\0')
                return "it is a directory such as /etc/modprobe.d, or a file";
        paths = reallocarray(run->config_paths, run->n_config_paths + 2, sizeof(*paths));
        if (!paths)
                return "there is no memory";
        run->config_paths = paths;
        paths[run->n_config_paths++] = value;
        paths[run->n_config_paths] = NULL;
        return NULL;
}

static const char *set_policy(Run *run, const char *value) {
        const char **paths;

        if (*value == '\0')
                return "it is a directory such as /etc/lkmd/policy.d, or a file";
        paths = reallocarray(run->policy_paths, run->n_policy_paths + 2, sizeof(*paths));
        if (!paths)
                return "there is no memory";
        run->policy_paths = paths;
        paths[run->n_policy_paths++] = value;
        paths[run->n_policy_paths] = NULL;
        return NULL;
}

static const char *set_origin(Run *run, const char *value) {
        run->origin = request_origin_from_string(value);
        run->has_origin = true;
        return run->origin < 0 ? "it is 'device', 'kernel', 'client' or 'boot'" : NULL;
}

static const char *set_uid(Run *run, const char *value) {
        unsigned long long uid;
        char *end;

        errno = 0;
        uid = strtoull(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno != 0 || uid >= UINT32_MAX)
                return "it is the number of a user";
        run->uid = (uint32_t) uid;
        run->has_uid = true;
        return NULL;
}

static const char *set_for(Run *run, const char *value) {
        if (parse_time_span(value, &run->for_usec) < 0 || run->for_usec == 0)
                return "it is a time such as 10min, 2h or 1d";
        return NULL;
}

static const char *set_once(Run *run, const char *value) {
        run->once = true;
        return NULL;
}

static const char *set_until_reboot(Run *run, const char *value) {
        run->until_reboot = true;
        return NULL;
}

static const char *set_reason(Run *run, const char *value) {
        if (value[strspn(value, " \t\r\n")] == '\0')
                return "it is a sentence that somebody understands later";
        run->reason = value;
        return NULL;
}

static const char *set_since(Run *run, const char *value) {
        if (parse_since(value, clock_usec(CLOCK_REALTIME), &run->since_usec) < 0)
                return "it is a time ago such as 2h or 7d, a date such as 2026-11-01, or 'boot'";
        return NULL;
}

static const char *set_all(Run *run, const char *value) {
        run->all = true;
        return NULL;
}

static const char *set_help(Run *run, const char *value) {
        run->help = true;
        return NULL;
}

static const char *set_version(Run *run, const char *value) {
        run->version = true;
        return NULL;
}

const Option options[] = {
        { "json",    0,   optional_argument, "short|pretty", SCOPE_ALL, NULL, set_json,
          "answer in JSON: an object a line, or indented (default)" },
        { "quiet",   'q', no_argument,       NULL,           SCOPE_ALL, NULL, set_quiet,   "print errors only" },
        { "host",    'H', required_argument, "[USER@]HOST",  SCOPE_ONLINE, NULL, set_host,
          "talk to lkmd on another machine, by ssh" },
        { "help",    'h', no_argument,       NULL,           SCOPE_ALL, NULL, set_help,    "show help, after a verb for this verb" },
        { "version", 0,   no_argument,       NULL,           SCOPE_ALL, NULL, set_version, "show the version of lkmctl" },

        { "force",   0,   no_argument,       NULL,           SCOPE_VERB, "load, unload", set_force,
          "without the kernel's own checks, where it allows that" },
        { "force-vermagic", 0, no_argument,  NULL,           SCOPE_VERB, "load", set_force_vermagic,
          "also what was built for another kernel" },
        { "force-modversion", 0, no_argument, NULL,          SCOPE_VERB, "load", set_force_modversion,
          "also with other versions of symbols" },

        { "idle",    0,   no_argument,       NULL,           SCOPE_VERB, "wait", set_idle,
          "until nothing is queued or running and all devices were looked at" },
        { "module",  0,   required_argument, "MODULE",       SCOPE_VERB, "wait", set_module,
          "until this module is ready for use" },
        { "device",  0,   required_argument, "SYSPATH",      SCOPE_VERB, "wait", set_device,
          "until this device has a driver" },
        { "timeout", 0,   required_argument, "SECONDS",      SCOPE_VERB, "wait", set_timeout,
          "but no longer than this; then exit status 1" },

        { "output",  0,   required_argument, "FILE",         SCOPE_VERB, "metrics", set_output,
          "into this file, which readers see whole at any time" },

        { "root",    0,   required_argument, "DIR",          SCOPE_OFFLINE, NULL, set_root,
          "the modules of DIR/lib/modules instead of /lib/modules" },
        { "kernel",  0,   required_argument, "RELEASE",      SCOPE_OFFLINE, NULL, set_kernel,
          "the modules of this kernel instead of the running one" },
        { "config",  0,   required_argument, "DIR|FILE",     SCOPE_OFFLINE, NULL, set_config,
          "instead of the directories modprobe.d; may be given several times" },

        { "all",     0,   no_argument,       NULL,           SCOPE_VERB, "diff-modprobe", set_all,
          "for all modules there are" },

        { "policy",  0,   required_argument, "DIR|FILE",     SCOPE_VERB,
          "plan, explain, policy show, policy lint, policy preview", set_policy,
          "instead of all policy in force; may be given several times" },
        { "origin",  0,   required_argument, "ORIGIN",       SCOPE_VERB, "explain", set_origin,
          "as if a 'device', the 'kernel', a 'client' or 'boot' asked" },
        { "uid",     0,   required_argument, "UID",          SCOPE_VERB, "explain", set_uid,
          "as if this user asked" },

        { "for",     0,   required_argument, "TIME",         SCOPE_VERB, "policy allow, policy deny", set_for,
          "for this time, such as 10min or 2h" },
        { "once",    0,   no_argument,       NULL,           SCOPE_VERB, "policy allow, policy deny", set_once,
          "for one load" },
        { "until-reboot", 0, no_argument,    NULL,           SCOPE_VERB, "policy allow, policy deny",
          set_until_reboot, "until this machine is started anew" },
        { "reason",  0,   required_argument, "TEXT",         SCOPE_VERB, "policy allow, policy deny", set_reason,
          "why; it is shown and logged" },

        { "since",   0,   required_argument, "TIME",         SCOPE_VERB, "policy propose", set_since,
          "only what was loaded since: 2h, 7d, 2026-11-01 or boot" },
        {}
};

/* @list: names with ", " between them */
static bool verb_is_in(const char *list, const char *name) {
        size_t n = strlen(name);

        for (const char *p = list; (p = strstr(p, name)); p += n)
                if ((p == list || (p - list >= 2 && startswith(p - 2, ", "))) && (p[n] == ',' || p[n] == '\0'))
                        return true;
        return false;
}

bool option_is_of(const Option *o, const Verb *v) {
        switch (o->scope) {
        case SCOPE_ONLINE:
                return !v->offline;
        case SCOPE_OFFLINE:
                return v->offline && !v->treeless;
        case SCOPE_VERB:
                return verb_is_in(o->verb, v->name);
        default:
                return true;
        }
}

/* Is it "WORD ..."? */
bool verb_is_below(const Verb *v, const char *word) {
        size_t n = strlen(word);

        return startswith(v->name, word) && v->name[n] == ' ';
}

/**
 * verb_find() - the verb that words begin with
 * @next:        the word behind; NULL: there is none
 * @ret_n_words: how many of the two are its name
 *
 * Return: NULL if there is none, also if the first word alone would be one but has verbs below it, of which the
 * second is none.
 */
const Verb *verb_find(const char *word, const char *next, unsigned *ret_n_words) {
        const Verb *found = NULL;
        bool has_verbs_below = false;

        for (const Verb *v = verbs; v->name; v++) {
                if (streq(v->name, word))
                        found = v;
                if (!verb_is_below(v, word))
                        continue;
                has_verbs_below = true;
                if (next && streq(v->name + strlen(word) + 1, next)) {
                        *ret_n_words = 2;
                        return v;
                }
        }

        *ret_n_words = 1;
        return next && has_verbs_below ? NULL : found;
}
