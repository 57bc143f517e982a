/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * OfflinePolicy: the rules that lkmd would judge by, read from its files by lkmd's own code. Owns the
 * policy and what it knows of modules' files.
 */

#include "cli/offline/offline-policy.h"

#include <assert.h>

#include "cli/offline/offline.h"
#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/device/modalias-subsystem.h"
#include "common/policy-files/policy-sources.h"
#include "common/settings/settings.h"

#define ROOTED_MAX 3U /* directories behind LKMD_POLICY_ROOT, with the NULL at their end: one more */

static void rooted_clear(char *(*rooted)[ROOTED_MAX + 1]) {
        for (size_t i = 0; i < ROOTED_MAX; i++)
                free((*rooted)[i]);
}

/* The directories below LKMD_POLICY_ROOT. */
static int root_all(const char *root, const char *const *dirs, char *(*ret)[ROOTED_MAX + 1]) {
        for (size_t i = 0; dirs[i]; i++) {
                assert(i < ROOTED_MAX);
                if (asprintf(&(*ret)[i], "%s%s", root, dirs[i]) < 0) {
                        (*ret)[i] = NULL;
                        return -ENOMEM;
                }
        }
        return 0;
}

/*
 * What lkmd.conf says about policies. Problems with it are not reported here, but by lkmd and policy lint: they do
 * not concern a question about modules.
 */
static int read_settings(const char *root, Settings *ret, ProblemList *problems) {
        _cleanup_(rooted_clear) char *rooted[ROOTED_MAX + 1] = {};
        int r;

        r = root_all(root, settings_roots(), &rooted);
        return r < 0 ? r : settings_load(ret, (const char *const *) rooted, problems);
}

int offline_settings_check(ProblemList *problems) {
        Settings settings;

        assert(problems);

        return read_settings(secure_getenv(LKMD_POLICY_ROOT_ENV) ?: "", &settings, problems);
}

/* Below /etc and /usr, which a restart leaves as they are. */
static const char *const lasting_dirs[] = { LKMD_SYSCONF_DIR "/lkmd/" LKMD_POLICY_DIR,
                                            LKMD_LIB_DIR "/" LKMD_POLICY_DIR, NULL };

/* What is to be read. */
typedef struct Reading {
        const char *const *paths;       /* NULL: what is in force here */
        bool trusted_only;
        bool lasting;                   /* only what holds after a restart */
        const PolicyDraft *draft;       /* NULL: none */
} Reading;

static int read_policy(const Reading *what, OfflinePolicy *ret, ProblemList *problems) {
        _cleanup_(offline_policy_done) OfflinePolicy p = { .now_usec = clock_usec(CLOCK_REALTIME) };
        _cleanup_(rooted_clear) char *rooted[ROOTED_MAX + 1] = {};
        const char *root = secure_getenv(LKMD_POLICY_ROOT_ENV) ?: "";
        PolicySources sources = { .root = root, .trusted_only = what->trusted_only, .draft = what->draft };
        PolicyOptions how = { .facts = file_facts_get };
        Settings settings;
        int r;

        assert(ret && problems);

        r = read_settings(root, &settings, NULL);
        if (r >= 0)
                r = root_all(root, policy_sources_list_dirs(), &rooted);
        if (r >= 0)
                r = file_facts_new(&p.facts);
        if (r < 0)
                return r;
        how.mode = what->paths ? POLICY_ENFORCE : settings.mode;
        how.facts_userdata = p.facts;
        p.blacklist_denies = settings.blacklist == BLACKLIST_DENY;
        p.compat_kmod = settings.compat == COMPAT_KMOD;
        p.kept_out_of_initramfs = settings.in_initramfs == IN_INITRAMFS_NO;
        p.unknown_parameters_pass = settings.unknown_parameters == UNKNOWN_PARAMETERS_WARN;
        if (what->paths)
                sources = (PolicySources) {
                        .dirs = what->paths,
                        .files_too = true,
                        .list_dirs = (const char *const *) rooted,
                        .grants_file = "",
                        .command_line = "",
                        .trusted_only = what->trusted_only,
                };
        if (what->lasting) {
                sources.dirs = lasting_dirs;
                sources.grants_file = sources.command_line = "";
        }

        r = policy_sources_read(&p.policy, &sources, &how, &p.broken, problems);
        if (r < 0)
                return r;

        *ret = p;
        p = (OfflinePolicy) {};
        return 0;
}

/**
 * offline_policy_read() - as offline_policy(), but the caller gets the problems
 * @paths:        files or directories, ended by NULL; NULL: what is in force here
 * @trusted_only: refuse, as lkmd does, what others than root could have written
 *
 * Return: 0, also if something was wrong; negative errno.
 */
int offline_policy_read(const char *const *paths, bool trusted_only, OfflinePolicy *ret,
                        ProblemList *problems) {
        return read_policy(&(Reading) { .paths = paths, .trusted_only = trusted_only }, ret, problems);
}

/*
 * As offline_policy_read(), but only what still holds after a restart: nothing of /run, no grants, and not the
 * kernel command line.
 */
int offline_policy_read_lasting(OfflinePolicy *ret, ProblemList *problems) {
        return read_policy(&(Reading) { .trusted_only = true, .lasting = true }, ret, problems);
}

/* What would be in force here if a file were replaced by @draft, which is borrowed for the call. */
int offline_policy_read_draft(const PolicyDraft *draft, OfflinePolicy *ret, ProblemList *problems) {
        assert(draft);

        return read_policy(&(Reading) { .trusted_only = true, .draft = draft }, ret, problems);
}

/**
 * offline_policy() - the policy that is in force here, or that of --policy
 *
 * @ret_problems: gets the problems of files; NULL: they are printed
 *
 * With --policy neither grants nor the kernel command line nor Mode= count: only those files do. A broken
 * file is reported and left out, as lkmd does when it starts.
 */
int offline_policy(Run *run, OfflinePolicy *ret, ProblemList *ret_problems) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        int r;

        r = offline_check_paths(run, "policy", run->policy.paths);
        if (r != 0)
                return r;
        r = offline_policy_read(run->policy.paths, /* trusted_only= */ !run->policy.paths, ret,
                                ret_problems ?: &problems);
        if (r < 0)
                return r;
        if (!ret_problems)
                offline_print_problems(run, &problems);
        if (ret->broken && !run->out.quiet && !(ret_problems && run->out.json != JSON_OFF))
                (void) fputs(
                        "lkmctl: broken parts of the policy are left out here, and \"default: deny\" is not "
                        "applied; lkmctl status says which policy lkmd itself uses\n",
                        stderr);
        return 0;
}

void offline_policy_done(OfflinePolicy *p) {
        assert(p);

        policy_free(p->policy); /* it uses the facts */
        file_facts_free(p->facts);
}

/**
 * offline_policy_complete() - say what is not known of a request that nobody has made
 * @requester: its origin and what is known; the subsystem is added if it follows from the key
 * @is_device: it is a device of this machine, of which everything is known
 *
 * A device asks by a modalias, so one that is said to ask for a module by its name has one that is not known.
 */
void offline_policy_complete(PolicyRequester *requester, const char *key, bool is_device) {
        bool device = requester->origin == ORIGIN_DEVICE, process;

        assert(requester && key);

        process = policy_key_is_known(POLICY_KEY_UNIT, requester->origin);
        requester->unknown = 0;
        for (PolicyKey k = 0; k < _POLICY_KEY_MAX; k++)
                if (policy_keys[k].cost == POLICY_COST_FILE)
                        requester->unknown |= POLICY_KEY_BIT(k); /* unless the file can be read */
        if (is_device)
                return;
        if (process)
                requester->unknown |= policy_keys_of(POLICY_KEY_OF_PROCESS);
        if (policy_key_is_known(POLICY_KEY_COMMAND, requester->origin))
                requester->unknown |= policy_keys_of(POLICY_KEY_OF_PROGRAM);
        if (policy_key_is_known(POLICY_KEY_CONTAINER, requester->origin))
                requester->unknown |= policy_keys_of(POLICY_KEY_OF_CONTAINER);
        if (!device)
                return;
        requester->subsystem = modalias_subsystem(key);
        requester->unknown |= policy_keys_of(POLICY_KEY_OF_DEVICE);
        if (!strchr(key, ':'))
                requester->unknown |= POLICY_KEY_BIT(POLICY_KEY_ALIAS) | POLICY_KEY_BIT(POLICY_KEY_MODALIAS);
}

/* Devices and lists of the boot have modules loaded automatically, all others ask for a name. */
PlanMode offline_policy_mode(RequestOrigin origin) {
        return origin == ORIGIN_DEVICE || origin == ORIGIN_BOOT ? PLAN_AUTOLOAD : PLAN_NAMED;
}

/* What all requests have in common; the caller adds the key. @requester is borrowed. */
PlanRequest offline_policy_request(const OfflinePolicy *p, const PolicyRequester *requester, PlanMode mode) {
        assert(p);

        return (PlanRequest) {
                .mode = mode,
                .compat_kmod = p->compat_kmod,
                .blacklist_denies = p->blacklist_denies,
                .policy = p->policy,
                .requester = requester,
                .now_usec = p->now_usec,
                .files = p->facts,
                .finds_faults = true,
                .file_effort = FACTS_READ,
        };
}
