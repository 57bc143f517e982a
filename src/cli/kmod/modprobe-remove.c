/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Removals by modprobe that lkmd is not asked for. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/modprobe-ask.h"
#include "cli/kmod/modprobe.h"
#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/util.h"

#define MSEC UINT64_C(1000)             /* microseconds */
#define PAUSE_MSEC_MAX 512U

static void _printf_(2, 3) show(const Modprobe *m, const char *format, ...) {
        va_list ap;

        if (!modprobe_shows(m))
                return;
        va_start(ap, format);
        (void) vprintf(format, ap);
        va_end(ap);
        (void) fflush(stdout);          /* before what a command writes */
}

/* ---------------------------------------------------------------------------------------------- the module */

/* Tries again while it is in use, with growing pauses, for as long as -w says. */
static int remove_patiently(const Modprobe *m, struct kmod_module *module, unsigned flags) {
        const char *name = kmod.kmod_module_get_name(module);
        uint64_t wait_msec = MIN(m->options.wait_msec, UINT64_MAX / (2 * MSEC));
        uint64_t end_usec = clock_usec(CLOCK_MONOTONIC) + wait_msec * MSEC;
        int r;

        for (unsigned pause_msec = 1;; pause_msec = MIN(2 * pause_msec, PAUSE_MSEC_MAX)) {
                uint64_t now, usec;

                r = kmod.kmod_module_remove_module(module, flags | KMOD_REMOVE_NOLOG);
                now = clock_usec(CLOCK_MONOTONIC);
                if (r != -EAGAIN || now >= end_usec)
                        break;
                usec = MIN(pause_msec * MSEC, end_usec - now);
                (void) clock_nanosleep(CLOCK_MONOTONIC, 0,
                                       &(struct timespec) { .tv_sec = (time_t) (usec / USEC_PER_SEC),
                                                            .tv_nsec = (long) (usec % USEC_PER_SEC * 1000) },
                                       NULL);
        }
        if (r < 0 && r != -EEXIST)
                tool_message(LOG_ERR, "could not remove '%s': %s\n", name, strerror(-r));
        return r;
}

static int remove_one(Modprobe *m, struct kmod_module *module) {
        const char *name = kmod.kmod_module_get_name(module);
        unsigned flags = m->options.force ? (unsigned) KMOD_REMOVE_FORCE : 0;
        int r;

        show(m, "rmmod %s\n", name);
        if (m->options.dry_run)
                return 0;
        r = m->options.wait_msec > 0 ? remove_patiently(m, module, flags)
                                     : kmod.kmod_module_remove_module(module, flags);
        if (r != -EEXIST)
                return r;
        if (!m->options.first_time)
                return 0;
        modprobe_say(m, "Module %s is not in kernel.\n", name);
        return r;
}

/* --------------------------------------------------------------------------------------------- its command */

/* The command with nothing in the place of $CMDLINE_OPTS. */
static int without_options(const char *command, char **ret) {
        static const char variable[] = "$CMDLINE_OPTS";
        char *copy = strdup(command), *found;

        if (!copy)
                return -ENOMEM;
        while ((found = strstr(copy, variable)))
                (void) memmove(found, found + sizeof(variable) - 1,
                               strlen(found + sizeof(variable) - 1) + 1);
        *ret = copy;
        return 0;
}

static int run_command(Modprobe *m, struct kmod_module *module, const char *line) {
        const char *name = kmod.kmod_module_get_name(module);
        _cleanup_(freep) char *command = NULL;
        int r, status;

        r = without_options(line, &command);
        if (r < 0)
                return r;
        show(m, "remove %s\n", command);
        if (m->options.dry_run)
                return 0;
        if (setenv("MODPROBE_MODULE", name, 1) < 0)
                return -errno;
        status = system(command);
        (void) unsetenv("MODPROBE_MODULE");
        if (status >= 0 && WEXITSTATUS(status) == 0)
                return 0;
        modprobe_say(m, "Error running remove command for %s\n", name);
        return status < 0 ? -ECHILD : -WEXITSTATUS(status);
}

/* ------------------------------------------------------------------------------------- with what goes along */

typedef struct Removal {
        struct kmod_module *module;
        const char *command;            /* NULL: none, or not asked for */
        struct kmod_list *pre, *post;   /* softdeps */
        bool is_main;                   /* named on the command line */
} Removal;

static void removal_clear(Removal *removal) {
        kmod.kmod_module_unref_list(removal->pre);
        kmod.kmod_module_unref_list(removal->post);
}

static int remove_with_others(Modprobe *m, struct kmod_module *module, bool is_main);

/* The last one first. */
static int remove_list(Modprobe *m, struct kmod_list *list, bool stops) {
        for (struct kmod_list *l = kmod.kmod_list_last(list); l && !m->ends;
             l = kmod.kmod_list_prev(list, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = kmod.kmod_module_get_module(l);
                int r = remove_with_others(m, module, /* is_main= */ false);

                if (r < 0 && stops)
                        return r;
        }
        return 0;
}

/* Return: 1: it is there; 0: there is nothing to do; negative errno, after saying why. */
static int check_state(Modprobe *m, const Removal *removal) {
        const char *name = kmod.kmod_module_get_name(removal->module);
        int state;

        if (removal->command || m->options.ignore_loaded)
                return 1;
        state = kmod.kmod_module_get_initstate(removal->module);
        if (state < 0 && !m->options.first_time)
                return 0;
        if (state < 0) {
                modprobe_say(m, "Module %s is not in kernel.\n", name);
                return -ENOENT;
        }
        if (state != KMOD_MODULE_BUILTIN)
                return 1;
        if (!removal->is_main)
                return 0;
        modprobe_say(m, "Module %s is builtin.\n", name);
        return -ENOENT;
}

static int remove_holders(Modprobe *m, const Removal *removal) {
        struct kmod_list *holders;
        int r;

        if (!removal->is_main || !m->options.remove_holders)
                return 0;
        holders = kmod.kmod_module_get_holders(removal->module);
        r = remove_list(m, holders, /* stops= */ true);
        kmod.kmod_module_unref_list(holders);
        return r;
}

/* Those that have no user left, in the order of modules.dep. */
static void remove_dependencies(Modprobe *m, const Removal *removal) {
        struct kmod_list *list = kmod.kmod_module_get_dependencies(removal->module);

        for (struct kmod_list *l = list; l && !m->ends; l = kmod.kmod_list_next(list, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = kmod.kmod_module_get_module(l);

                if (kmod.kmod_module_get_refcnt(module) == 0)
                        (void) remove_one(m, module);
        }
        kmod.kmod_module_unref_list(list);
}

static int carry_out(Modprobe *m, const Removal *removal) {
        const char *name = kmod.kmod_module_get_name(removal->module);
        int r;

        (void) remove_list(m, removal->post, /* stops= */ false);
        r = remove_holders(m, removal);
        if (r < 0)
                return r;
        if (m->ends)
                return -ECANCELED;
        if (removal->command)
                r = run_command(m, removal->module, removal->command);
        else if (!m->options.ignore_loaded && m->options.wait_msec == 0 &&
                 kmod.kmod_module_get_refcnt(removal->module) > 0) {
                modprobe_say(m, "Module %s is in use.\n", name);
                r = -EBUSY;
        } else
                r = remove_one(m, removal->module);
        if (r < 0 || m->ends)
                return r < 0 ? r : -ECANCELED;
        if (!removal->command)
                remove_dependencies(m, removal);
        (void) remove_list(m, removal->pre, /* stops= */ false);
        return 0;
}

static int remove_with_others(Modprobe *m, struct kmod_module *module, bool is_main) {
        _cleanup_(removal_clear) Removal removal = { .module = module, .is_main = is_main };
        int r;

        if (!m->options.ignore_commands) {
                r = kmod.kmod_module_get_softdeps(module, &removal.pre, &removal.post);
                if (r < 0) {
                        tool_message(LOG_WARNING, "could not get softdeps of '%s': %s\n",
                                     kmod.kmod_module_get_name(module), strerror(-r));
                        return r;
                }
                removal.command = kmod.kmod_module_get_remove_commands(module);
        }
        r = check_state(m, &removal);
        return r <= 0 ? r : carry_out(m, &removal);
}

/**
 * modprobe_remove() - remove what a name means
 *
 * Return: 0; negative errno, after saying why.
 */
int modprobe_remove(Modprobe *m, const char *name) {
        struct kmod_list *list = NULL;
        int r, result = 0;

        if (modprobe_ask_unload(m, name, &result))
                return result;
        r = modprobe_open(m);
        if (r < 0)
                return r;
        r = kmod.kmod_module_new_from_lookup(m->ctx, name, &list);
        if (r < 0)
                return r;
        if (!list) {
                modprobe_say(m, "Module %s not found.\n", name);
                return -ENOENT;
        }
        for (struct kmod_list *l = list; l && r >= 0 && !m->ends; l = kmod.kmod_list_next(list, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = kmod.kmod_module_get_module(l);

                r = remove_with_others(m, module, /* is_main= */ true);
        }
        kmod.kmod_module_unref_list(list);
        return m->ends ? MIN(r, -ECANCELED) : r;
}
