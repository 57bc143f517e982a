/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SettingsWatch: only a reload puts lkmd.conf into force. A later change of the file is a problem that the status
 * shows, until the next reload. Owns the watch on lkmd.conf and its drop-ins.
 */

#include "daemon/config/settings-watch.h"

#include <assert.h>
#include <limits.h>

#include "common/base/paths.h"
#include "common/settings/settings.h"
#include "daemon/base/file-watch.h"
#include "daemon/base/log.h"

struct SettingsWatch {
        FileWatch *watch;
        ProblemList problems;
};

static void on_changed(void *userdata) {
        SettingsWatch *w = userdata;

        if (w->problems.n_items > 0)
                return;
        if (problem_list_add(&w->problems, LKMD_SYSCONF_DIR "/lkmd/" LKMD_CONF_NAME, 0,
                             "it, or a file in " LKMD_CONF_NAME ".d, was changed after it was read, and is not in force yet: "
                             "systemctl reload lkmd") < 0)
                return;
        log_info(LKMD_CONF_NAME " was changed, which a reload puts into force");
}

static int watch_all(SettingsWatch *w) {
        const char *const *roots = settings_roots();

        for (size_t i = 0; roots[i]; i++) {
                char drop_ins[PATH_MAX];
                int r;

                (void) snprintf(drop_ins, sizeof(drop_ins), "%s/" LKMD_CONF_NAME ".d", roots[i]);
                r = file_watch_add(w->watch, roots[i], LKMD_CONF_NAME, LKMD_CONF_NAME);
                if (r >= 0)
                        r = file_watch_add(w->watch, drop_ins, "", ".conf");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Return: 0; as file_watch_new(). */
int settings_watch_new(SettingsWatch **ret, sd_event *event) {
        _cleanup_(settings_watch_freep) SettingsWatch *w = NULL;
        int r;

        assert(ret && event);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        r = file_watch_new(&w->watch, event, on_changed, w);
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

        file_watch_free(w->watch);
        problem_list_clear(&w->problems);
        free(w);
        return NULL;
}

/* To be called before the files are read: changes so far are not reported any more. */
void settings_watch_reading(SettingsWatch *w) {
        assert(w);

        file_watch_refresh(w->watch);
        problem_list_clear(&w->problems);
}

/* One problem if the files have changed since they were read. */
const ProblemList *settings_watch_get_problems(SettingsWatch *w) {
        assert(w);

        file_watch_look(w->watch);
        return &w->problems;
}
