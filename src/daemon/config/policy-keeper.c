/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyKeeper: owns the policy in force, the facts about modules' files that it uses, the grants, and the watch on
 * its files. As with the index, the next policy_keeper_get() after a change reads the policy again; without a call
 * it is read when the files have not changed for a while.
 *
 * All or nothing: while a file is broken, all of the policy stays as it was; the problems are kept for the status.
 * If a file is broken at the start, the policy is the last one that lkmd read whole (kept-policy.h). Only without
 * that is it what the other files say (policy-sources.h). Grants are separate: they are put into whatever policy is
 * in force, so that they can be given and revoked also while a file is broken.
 */

#include "daemon/config/policy-keeper.h"

#include <assert.h>
#include <limits.h>

#include "common/base/clock.h"
#include "common/base/enum-names.h"
#include "common/base/paths.h"
#include "common/module/file-facts.h"
#include "common/policy-files/policy-sources.h"
#include "daemon/base/log.h"
#include "daemon/config/kept-policy.h"
#include "daemon/config/stale-watch.h"

struct PolicyKeeper {
        char *root;
        Policy *policy;
        PolicyStanding standing;
        bool keep_failed;               /* which was logged */
        bool broken;                    /* some file was when they were read last */
        PolicyMode mode;
        FileFacts *facts;
        Grants *grants;
        ProblemList problems;
        ProblemList grant_problems;     /* invalid entries of the file, until it is rewritten */
        StaleWatch *watch;
        sd_event_source *expiry_timer, *boot_timer; /* of grants, by the wall clock and by the boot's */
        uint64_t generation;            /* how often it may have changed */
        policy_changed_t changed;       /* NULL before there is a first policy */
        policy_problem_t problem;
        void *userdata;
        bool granting;                  /* the newest grant is being reported, and must not expire meanwhile */
};

/* --------------------------------------------------------------------------------------------------- files */

static void on_quiet(void *userdata) {
        (void) policy_keeper_get(userdata);
}

static int watch_dirs(PolicyKeeper *k, const char *const *dirs) {
        for (size_t i = 0; dirs[i]; i++) {
                char path[PATH_MAX];
                int r;

                (void) snprintf(path, sizeof(path), "%s%s", k->root ?: "", dirs[i]);
                r = stale_watch_add(k->watch, path, "", ".yaml");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Takes the list; reports it if it has changed. */
static void keep_problems(PolicyKeeper *k, ProblemList *problems) {
        bool news = !problem_list_equal(&k->problems, problems);

        for (size_t i = 0; news && i < problems->n_items; i++) {
                log_problem(problems->items + i);
                k->problem(problems->items + i, k->userdata);
        }
        problem_list_clear(&k->problems);
        k->problems = *problems;
        *problems = (ProblemList) {};
}

static void report_change(PolicyKeeper *k, bool was_empty) {
        PolicyMode mode;
        PolicyRuling fallback = policy_get_default(k->policy, &mode);

        bool is_news = !was_empty || !policy_is_empty(k->policy);

        if (is_news)
                log_info("the policy has %zu rules from %zu files, and its default is %s%s",
                         policy_count_rules(k->policy), policy_count_files(k->policy),
                         policy_verdict_to_string(fallback.verdict),
                         k->mode == POLICY_OFF     ? "; it is switched off by Mode=off"
                         : k->mode == POLICY_AUDIT ? "; by Mode=audit it refuses nothing"
                                                   : "");
        if (k->changed)
                k->changed(is_news, k->userdata);
}

static int put_grants_in(const PolicyKeeper *k, Policy **policy) {
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;
        int r;

        r = grants_to_file(k->grants, &file);
        if (r < 0)
                return r;
        r = policy_replace_grants(policy, file);
        if (r >= 0)
                STEAL_PTR(file);
        return r;
}

static void keep_policy(PolicyKeeper *k, const Policy *policy) {
        int r = kept_policy_write(policy, k->root);

        if (r < 0 && !k->keep_failed)
                log_warning("cannot keep a copy of the policy for a start at which it is broken: %s", strerror(-r));
        k->keep_failed = r < 0;
}

/*
 * Some file is broken, and no earlier policy is in memory. @policy is what the other files say; it is replaced by the
 * last policy that lkmd read whole, if there is a copy.
 */
static int fall_back(PolicyKeeper *k, Policy **policy, const PolicyOptions *options) {
        bool first = !k->policy;
        Policy *kept;
        int r;

        r = kept_policy_read(&kept, k->root, options);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                policy_free(*policy);
                *policy = kept;
                k->standing = POLICY_IS_LAST_GOOD;
                log_warning("the policy is broken; what it was when it could last be read whole is in force");
                return 0;
        }
        k->standing = POLICY_IS_PARTIAL;
        if (first && policy_is_incomplete(*policy))
                log_error("the policy is broken, and there is none from before to hold to; what can be read of it holds, "
                          "and NOTHING IS DENIED BY DEFAULT, though it says, or may say, \"default: deny\"");
        else if (first)
                log_warning("the policy is broken, and there is none from before to hold to; what can be read of it "
                            "holds");
        return 0;
}

/**
 * policy_keeper_rebuild() - read the files now, whether they changed or not
 *
 * Return: 0, also when the old policy stays in force because a file is broken (policy_keeper_is_broken());
 * -ENOMEM or the like.
 */
int policy_keeper_rebuild(PolicyKeeper *k) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        const PolicyOptions options = { .mode = k->mode, .facts = file_facts_get, .facts_userdata = k->facts };
        bool broken, was_broken, was_empty;
        int r;

        assert(k);

        k->generation++;
        stale_watch_refresh(k->watch);

        r = policy_sources_read(&policy,
                                &(PolicySources) { .root = k->root, .grants_file = "", .keep_texts = true,
                                                   .trusted_only = true },
                                &options, &broken, &problems);
        if (r >= 0)
                r = problem_list_copy(&problems, &k->grant_problems);
        if (r < 0)
                return r;
        was_broken = k->broken;
        k->broken = broken;
        keep_problems(k, &problems);
        if (!broken) {
                keep_policy(k, policy);
                k->standing = POLICY_IS_CURRENT;
        } else if (k->policy && k->standing != POLICY_IS_PARTIAL) {
                if (k->standing == POLICY_IS_CURRENT)
                        k->standing = POLICY_IS_OLD;
                if (!was_broken)
                        log_warning("the policy is broken; what held before stays in force");
                return 0;
        } else {
                r = fall_back(k, &policy, &options);
                if (r < 0)
                        return r;
        }
        policy_forget_texts(policy);
        r = put_grants_in(k, &policy);
        if (r < 0)
                return r;

        was_empty = policy_is_empty(k->policy);
        policy_free(k->policy);
        k->policy = STEAL_PTR(policy);
        report_change(k, was_empty);
        return 0;
}

/* -------------------------------------------------------------------------------------------------- grants */

static void arm_timer(sd_event_source *timer, uint64_t usec) {
        if (usec == UINT64_MAX)
                (void) sd_event_source_set_enabled(timer, SD_EVENT_OFF);
        else if (sd_event_source_set_time(timer, usec) >= 0)
                (void) sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void arm_expiry(PolicyKeeper *k) {
        uint64_t next, next_boot;

        grants_next_expiry(k->grants, &next, &next_boot);
        arm_timer(k->expiry_timer, next);
        arm_timer(k->boot_timer, next_boot);
}

/* The grants have changed: write the file, and put them into the policy. */
static int apply_grants(PolicyKeeper *k) {
        int r, written;

        written = grants_write(k->grants);
        if (written < 0)
                log_warning("cannot write down what is granted, a restart will not know it: %s", strerror(-written));
        else
                problem_list_clear(&k->grant_problems); /* they are not in the file any more */
        arm_expiry(k);
        k->generation++;
        r = put_grants_in(k, &k->policy);
        if (r < 0)
                return r;
        k->changed(/* is_news= */ true, k->userdata);
        return 0;
}

/* Called before each use of the policy, so that no expired grant applies, even if the timers are late. */
static void expire_grants(PolicyKeeper *k) {
        size_t n;
        int r;

        if (grants_count(k->grants) == 0 || k->granting)
                return;
        n = grants_expire(k->grants, clock_usec(CLOCK_REALTIME), clock_usec(CLOCK_BOOTTIME));
        if (n == 0)
                return;
        log_info("%zu grant%s over", n, n == 1 ? " is" : "s are");
        r = apply_grants(k);
        if (r < 0)
                log_warning("cannot take grants out of the policy: %s", strerror(-r));
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
        PolicyKeeper *k = userdata;

        expire_grants(k);
        arm_expiry(k);                  /* also if the clock was set, and it was too early */
        return 0;
}

const Grants *policy_keeper_get_grants(const PolicyKeeper *k) {
        assert(k);

        return k->grants;
}

/**
 * policy_keeper_grant() - give a grant
 * @wanted: as for grants_add()
 * @ret:    borrowed until the next change
 *
 * Return: 0; as grants_add(); -EBADMSG: a policy cannot express it. A failure changes nothing.
 */
int policy_keeper_grant(PolicyKeeper *k, const Grant *wanted, const Grant **ret) {
        const Grant *grant;
        int r;

        assert(k && wanted && ret);

        (void) policy_keeper_get(k);
        r = grants_add(k->grants, wanted, &grant);
        if (r < 0)
                return r;
        k->granting = true;             /* the callbacks ask for the policy, and it may have expired by then */
        r = apply_grants(k);
        k->granting = false;
        if (r < 0) {
                (void) grants_remove(k->grants, grant->id);
                (void) grants_write(k->grants);
                arm_expiry(k);
                return r;
        }
        *ret = grant;
        return 0;
}

/* Return: 0; -ENOENT: there is no such grant; -ENOMEM. */
int policy_keeper_revoke(PolicyKeeper *k, const char *id) {
        int r;

        assert(k && id);

        r = grants_remove(k->grants, id);
        return r < 0 ? r : apply_grants(k);
}

/* A request was decided by @ruling. If that is a grant for one request, it is used up. */
void policy_keeper_use(PolicyKeeper *k, const PlanRuling *ruling) {
        const Grant *grant;
        int r;

        assert(k && ruling);

        if (ruling->source != POLICY_BY_GRANT || !ruling->rule)
                return;
        grant = grants_find(k->grants, ruling->rule);
        if (!grant || !grant->once)
                return;

        log_info("%s, for %s, is used up", grant->id, grant->module);
        (void) grants_remove(k->grants, ruling->rule);
        r = apply_grants(k);
        if (r < 0)
                log_warning("cannot take a grant out of the policy: %s", strerror(-r));
}

/* -------------------------------------------------------------------------------------------------- object */

/* Return: 0 or -ENOMEM. */
static int open_grants(PolicyKeeper *k) {
        char path[PATH_MAX];
        BootMoment now;
        int r;

        (void) snprintf(path, sizeof(path), "%s%s", k->root ?: "", LKMD_GRANTS_FILE);
        boot_moment_now(&now);
        r = grants_new(&k->grants, path, &now, &k->grant_problems);
        if (r < 0)
                return r;
        if (grants_expire(k->grants, clock_usec(CLOCK_REALTIME), now.usec) > 0)
                (void) grants_write(k->grants);
        arm_expiry(k);
        return 0;
}

static int open_timers(PolicyKeeper *k, sd_event *event) {
        int r;

        r = sd_event_add_time(event, &k->expiry_timer, CLOCK_REALTIME, UINT64_MAX, 0, on_expiry, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->expiry_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &k->boot_timer, CLOCK_BOOTTIME, UINT64_MAX, 0, on_expiry, k);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(k->boot_timer, SD_EVENT_OFF);
}

/**
 * policy_keeper_new() - read the first policy
 *
 * Return: 0, -ENOMEM, or why there is no inotify. Broken files are problems, not errors.
 */
int policy_keeper_new(PolicyKeeper **ret, const PolicyKeeperOptions *options) {
        _cleanup_(policy_keeper_freep) PolicyKeeper *k = NULL;
        int r;

        assert(ret && options && options->event && options->changed && options->problem);

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->mode = options->mode;
        k->problem = options->problem;
        k->userdata = options->userdata;
        if (options->root && !(k->root = strdup(options->root)))
                return -ENOMEM;
        r = file_facts_new(&k->facts);
        if (r < 0)
                return r;
        r = open_timers(k, options->event);
        if (r < 0)
                return r;
        r = open_grants(k);
        if (r < 0)
                return r;
        r = stale_watch_new(&k->watch, options->event, on_quiet, k);
        if (r < 0)
                return r;

        r = watch_dirs(k, policy_sources_dirs());
        if (r >= 0)
                r = watch_dirs(k, policy_sources_list_dirs());
        if (r < 0)
                return r;
        r = policy_keeper_rebuild(k);
        if (r < 0)
                return r;
        k->changed = options->changed;

        *ret = STEAL_PTR(k);
        return 0;
}

/* Return: NULL. */
PolicyKeeper *policy_keeper_free(PolicyKeeper *k) {
        if (!k)
                return NULL;

        stale_watch_free(k->watch);
        sd_event_source_disable_unref(k->expiry_timer);
        sd_event_source_disable_unref(k->boot_timer);
        problem_list_clear(&k->problems);
        problem_list_clear(&k->grant_problems);
        policy_free(k->policy);
        grants_free(k->grants);
        file_facts_free(k->facts);
        free(k->root);
        free(k);
        return NULL;
}

/*
 * The policy in force, read again first if its files have changed. Borrowed until the next call of any function
 * here.
 */
const Policy *policy_keeper_get(PolicyKeeper *k) {
        assert(k);

        if (stale_watch_is_stale(k->watch)) {
                int r = policy_keeper_rebuild(k);

                if (r < 0)
                        log_error("cannot read the policy anew: %s", strerror(-r));
        }
        expire_grants(k);
        return k->policy;
}

/* What is known of module files; lives as long as the keeper. */
FileFacts *policy_keeper_get_facts(const PolicyKeeper *k) {
        assert(k);

        return k->facts;
}

/* Changes whenever the policy may have changed. Reads no file. */
uint64_t policy_keeper_get_generation(const PolicyKeeper *k) {
        assert(k);

        return k->generation;
}

/* Set Mode= of lkmd.conf. */
void policy_keeper_set_mode(PolicyKeeper *k, PolicyMode mode) {
        assert(k);

        if (mode == k->mode)
                return;
        k->mode = mode;
        k->generation++;
        policy_set_mode(k->policy, mode);
        report_change(k, policy_is_empty(k->policy));
}

/* Is some file broken, so that the policy in force is not what the files say? */
bool policy_keeper_is_broken(const PolicyKeeper *k) {
        assert(k);

        return k->broken;
}

/* The origin of the policy in force. */
PolicyStanding policy_keeper_get_standing(const PolicyKeeper *k) {
        assert(k);

        return k->standing;
}

const char *policy_standing_to_string(PolicyStanding s) {
        static const char *const names[_POLICY_STANDING_MAX] = {
                [POLICY_IS_CURRENT] = "current",
                [POLICY_IS_OLD] = "old",
                [POLICY_IS_LAST_GOOD] = "last_good",
                [POLICY_IS_PARTIAL] = "partial",
        };

        return ENUM_NAME(names, s);
}

/* What is wrong with the files that were read last. */
const ProblemList *policy_keeper_get_problems(const PolicyKeeper *k) {
        assert(k);

        return &k->problems;
}

/* Which of them cannot be watched for changes. */
const ProblemList *policy_keeper_get_watch_problems(const PolicyKeeper *k) {
        assert(k);

        return stale_watch_get_problems(k->watch);
}
