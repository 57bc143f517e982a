/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SettingsWatch: only a reload puts a change of lkmd.conf into force; until then, it is a problem that the status
 * shows. A file that could not be read is another matter: nobody has put off what it says, so it comes into force as
 * soon as it can be read. A file that cannot be read any more is a problem, and what it said stays in force. Owns the
 * watch on lkmd.conf and its drop-ins.
 */

#include "daemon/config/settings-watch.h"

#include <assert.h>
#include <limits.h>

#include "common/base/paths.h"
#include "common/settings/settings.h"
#include "daemon/base/log.h"
#include "daemon/config/stale-watch.h"

struct SettingsWatch {
        StaleWatch *watch;
        ProblemList problems;
        bool lacks;                     /* what is in force lacks what a file says that could not be read */
        bool lost;                      /* a file that is in force cannot be read any more */
        settings_watch_readable_t readable;
        void *userdata;
};

static void tell_change(SettingsWatch *w) {
        if (w->problems.n_items > 0 && !w->lost)
                return;
        problem_list_clear(&w->problems);
        if (problem_list_add(&w->problems, LKMD_SYSCONF_DIR "/lkmd/" LKMD_CONF_NAME, 0,
                             "it, or a file in " LKMD_CONF_NAME ".d, was changed after it was read, and is not in force yet: "
                             "systemctl reload lkmd") >= 0)
                log_info(LKMD_CONF_NAME " was changed, which a reload puts into force");
}

static void tell_loss(SettingsWatch *w, const Problem *unread) {
        if (w->lost)
                return;
        problem_list_clear(&w->problems);
        if (problem_list_add_unread(&w->problems, unread->file, "%s; what it said before stays in force",
                                    unread->message) >= 0)
                log_problem(w->problems.items);
}

/* Something has changed. */
static void look(SettingsWatch *w) {
        _cleanup_(problem_list_clear) ProblemList found = {};
        const Problem *unread;
        Settings settings;

        stale_watch_refresh(w->watch);
        if (settings_load(&settings, NULL, &found) < 0)
                return;                 /* without memory, the next change or a reload will do */
        unread = problem_list_find_unread(&found);
        if (!unread && (w->lacks || w->lost)) {
                w->readable(w->userdata);
                return;
        }
        if (unread && !w->lacks)
                tell_loss(w, unread);
        else
                tell_change(w);
        w->lost = unread && !w->lacks;
}

static void on_quiet(void *userdata) {
        SettingsWatch *w = userdata;

        if (stale_watch_is_stale(w->watch))
                look(w);
}

static int watch_all(SettingsWatch *w) {
        const char *const *roots = settings_roots();

        for (size_t i = 0; roots[i]; i++) {
                char drop_ins[PATH_MAX];
                int r;

                (void) snprintf(drop_ins, sizeof(drop_ins), "%s/" LKMD_CONF_NAME ".d", roots[i]);
                r = stale_watch_add(w->watch, roots[i], LKMD_CONF_NAME, LKMD_CONF_NAME);
                if (r >= 0)
                        r = stale_watch_add(w->watch, drop_ins, "", ".conf");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Return: 0; as stale_watch_new(). */
int settings_watch_new(SettingsWatch **ret, sd_event *event, settings_watch_readable_t readable,
                       void *userdata) {
        _cleanup_(settings_watch_freep) SettingsWatch *w = NULL;
        int r;

        assert(ret && event && readable);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->readable = readable;
        w->userdata = userdata;
        r = stale_watch_new(&w->watch, event, on_quiet, w);
        if (r < 0)
                return r;
        r = watch_all(w);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. */
SettingsWatch *settings_watch_free(SettingsWatch *w) {
        if (!w)
                return NULL;

        stale_watch_free(w->watch);
        problem_list_clear(&w->problems);
        free(w);
        return NULL;
}

/* To be called before the files are read: changes so far are not reported any more. */
void settings_watch_reading(SettingsWatch *w) {
        assert(w);

        stale_watch_refresh(w->watch);
        problem_list_clear(&w->problems);
        w->lost = false;
}

/* To be called after the files were read. @problems: of reading them */
void settings_watch_read(SettingsWatch *w, const ProblemList *problems) {
        assert(w && problems);

        w->lacks = problem_list_find_unread(problems);
}

/* One problem if the files have changed since they were read. */
const ProblemList *settings_watch_get_problems(SettingsWatch *w) {
        assert(w);

        if (stale_watch_is_stale(w->watch))
                look(w);
        return &w->problems;
}
