/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevKeeper: owns what udev's rules say that matters to drivers, and the watch on their directories. It reads them
 * again when somebody asks after a change, or when they have not changed for a while.
 */

#include "daemon/config/udev-keeper.h"

#include <assert.h>
#include <limits.h>

#include "common/base/paths.h"
#include "common/device/udev-rule.h"
#include "daemon/base/log.h"
#include "daemon/config/stale-watch.h"

struct UdevKeeper {
        char *root;
        UdevRules rules;
        const char *own_rule;           /* constant; NULL: there is none */
        StaleWatch *watch;
        udev_keeper_changed_t changed;
        void *userdata;
};

static void report(const UdevKeeper *k) {
        for (size_t i = 0; i < k->rules.n_items; i++) {
                const UdevWord *word = k->rules.items + i;
                _cleanup_(freep) char *devices = NULL;

                if (udev_word_describe(word, &devices) >= 0)
                        log_info("drivers of %s are loaded after udev's rules: %s:%u %s", devices,
                                 word->file, word->line, word->deed);
        }
}

/* Return: 1: it says something else than before; 0; -ENOMEM. */
static int read_rules(UdevKeeper *k) {
        _cleanup_(udev_rules_clear) UdevRules rules = {};
        const char *own_rule;
        bool news;
        int r;

        stale_watch_refresh(k->watch);
        r = udev_rules_read(&rules, k->root);
        if (r < 0)
                return r;
        own_rule = udev_rule_find_own(k->root);
        news = own_rule != k->own_rule || !udev_rules_equal(&rules, &k->rules);
        udev_rules_clear(&k->rules);
        k->rules = rules;
        rules = (UdevRules) {};
        k->own_rule = own_rule;
        if (news)
                report(k);
        return news;
}

/* Reads all rules, whether or not files have changed: lkmd-reader may be able to open more than before. */
void udev_keeper_rebuild(UdevKeeper *k) {
        int r;

        assert(k);

        r = read_rules(k);
        if (r < 0)
                log_error("cannot read udev's rules anew: %s", strerror(-r));
        else if (r > 0)
                k->changed(k->userdata);
}

static void refresh(UdevKeeper *k) {
        if (stale_watch_is_stale(k->watch))
                udev_keeper_rebuild(k);
}

static void on_quiet(void *userdata) {
        refresh(userdata);
}

static int watch_directories(UdevKeeper *k) {
        static const char *const dirs[] = { UDEV_ETC_RULES_DIR, UDEV_RUN_RULES_DIR, UDEV_LOCAL_RULES_DIR,
                                            UDEV_LIB_RULES_DIR };
        char path[PATH_MAX];
        int r;

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                (void) snprintf(path, sizeof(path), "%s%s", k->root, dirs[i]);
                r = stale_watch_add(k->watch, path, "", ".rules");
                if (r < 0)
                        return r;
        }
        (void) snprintf(path, sizeof(path), "%s" UDEV_ETC_HWDB_DIR, k->root);
        return stale_watch_add(k->watch, path, "", ".hwdb");
}

/**
 * udev_keeper_new() - read udev's rules
 * @root: prefix of all paths; NULL: none
 *
 * Return: 0; -ENOMEM; as stale_watch_new().
 */
int udev_keeper_new(UdevKeeper **ret, sd_event *event, const char *root, udev_keeper_changed_t changed,
                    void *userdata) {
        _cleanup_(udev_keeper_freep) UdevKeeper *k = NULL;
        int r;

        assert(ret && event && changed);

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->changed = changed;
        k->userdata = userdata;
        k->root = strdup(root ?: "");
        if (!k->root)
                return -ENOMEM;
        r = stale_watch_new(&k->watch, event, on_quiet, k);
        if (r < 0)
                return r;
        r = watch_directories(k);
        if (r < 0)
                return r;
        r = read_rules(k);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(k);
        return 0;
}

/* Return: NULL. */
UdevKeeper *udev_keeper_free(UdevKeeper *k) {
        if (!k)
                return NULL;

        stale_watch_free(k->watch);
        udev_rules_clear(&k->rules);
        free(k->root);
        free(k);
        return NULL;
}

/*
 * The rules that matter to drivers, read anew first if files have changed. Borrowed: the address stays, what is there
 * changes.
 */
const UdevRules *udev_keeper_get(UdevKeeper *k) {
        assert(k);

        refresh(k);
        return &k->rules;
}

/* The administrator's file in the place of udev's rule that loads drivers, likewise. NULL: there is none. */
const char *udev_keeper_get_own_rule(UdevKeeper *k) {
        assert(k);

        refresh(k);
        return k->own_rule;
}

/* Which directories cannot be watched for changes. */
const ProblemList *udev_keeper_get_watch_problems(const UdevKeeper *k) {
        assert(k);

        return stale_watch_get_problems(k->watch);
}
