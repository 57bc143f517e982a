/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoadedDenied: see loaded-denied.h. Owns the list that was logged last; borrows the planner. */

#include "daemon/planning/loaded-denied.h"

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/base/module-state.h"

struct LoadedDenied {
        const Planner *planner;
        char *reported;                 /* the list in the last entry; NULL: there was none */
};

int loaded_denied_new(LoadedDenied **ret, const Planner *planner) {
        LoadedDenied *l;

        assert(ret && planner);

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->planner = planner;
        *ret = l;
        return 0;
}

/* Return: NULL. */
LoadedDenied *loaded_denied_free(LoadedDenied *l) {
        if (!l)
                return NULL;

        free(l->reported);
        free(l);
        return NULL;
}

/**
 * loaded_denied_list() - call @each for every loaded module that would be denied if it were requested now
 *
 * Return: 0; what @each or loaded_modules_read() return.
 */
int loaded_denied_list(const Planner *planner, loaded_denied_t each, void *userdata) {
        LoadedModule *loaded = NULL;
        const Index *index;
        size_t n = 0;
        int r;

        assert(planner && each);

        index = index_keeper_get(planner->index);
        r = loaded_modules_read(&loaded, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                PolicyRuling ruling;

                if (planner_denies(planner, index, loaded[i].name, &ruling))
                        r = each(loaded[i].name, &ruling, userdata);
        }
        loaded_modules_free(loaded, n);
        return r < 0 ? r : 0;
}

static int print_name(const char *module, const PolicyRuling *ruling, void *userdata) {
        FILE *f = userdata;

        return fprintf(f, "%s%s", ftell(f) > 0 ? ", " : "", module) < 0 ? -ENOMEM : 0;
}

static int format_list(const Planner *planner, char **ret) {
        _cleanup_(freep) char *list = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&list, &size);
        if (!f)
                return -ENOMEM;
        r = loaded_denied_list(planner, print_name, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;

        *ret = STEAL_PTR(list);
        return 0;
}

/* To be called when the policy or the index has changed: logs the list if it has changed. */
void loaded_denied_report(LoadedDenied *l) {
        static const LogFields fields = {
                .message_id = LKMD_MESSAGE_DENIED_LOADED,
                .requester_uid = -1,
                .requester_pid = -1,
        };
        _cleanup_(freep) char *list = NULL;

        assert(l);

        if (format_list(l->planner, &list) < 0 || streq_ptr(list, l->reported))
                return;
        if (list[0] != '\0')
                log_entry(LOG_NOTICE, &fields, "in the kernel, though the policy denies it: %s", list);
        free(l->reported);
        l->reported = STEAL_PTR(list);
}
