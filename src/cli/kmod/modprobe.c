/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modprobe(8): what its options ask for, by lkmd if that runs and the question is about this kernel, otherwise by
 * libkmod. Modprobe owns the context of libkmod, which is opened by the first that needs it.
 */

#include "cli/kmod/modprobe.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/tool-ask.h"
#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-insert.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool.h"
#include "common/base/paths.h"
#include "common/base/util.h"

static void modprobe_clear(Modprobe *m) {
        if (m->ctx) {
                if (m->ends)
                        kmod.kmod_set_log_priority(m->ctx, 0); /* the fatal message is the last one */
                kmod.kmod_unref(m->ctx);
        }
        free(m->module_dir);
        modprobe_options_clear(&m->options);
        tool_ask_done();
}

/* Say what kept modprobe from doing it; fatal, unless -a or -q is given. */
void modprobe_say(Modprobe *m, const char *format, ...) {
        int level = m->options.all ? LOG_WARNING : LOG_CRIT;
        va_list ap;

        va_start(ap, format);
        tool_message_list(level, format, ap);
        va_end(ap);
        if (level == LOG_CRIT && tool_message_get_level() >= LOG_CRIT)
                m->ends = true;
}

/* Does it print what it does, or would do? */
bool modprobe_shows(const Modprobe *m) {
        return m->options.shows || m->options.level > LOG_WARNING;
}

/* Is it a file rather than a name? As in kmod 31 and later. */
bool modprobe_is_path(const char *name) {
        return name[0] == '/' || startswith(name, "./");
}

/* Make the context of libkmod, unless it is there. */
int modprobe_open(Modprobe *m) {
        int r;

        if (m->ctx)
                return 0;
        r = tool_context_new(&m->ctx, m->module_dir, m->options.config_paths, m->options.level);
        if (r < 0)
                return r;
        (void) kmod.kmod_load_resources(m->ctx); /* what is missing there has no answers */
        return 0;
}

/* The directory that -d and -S ask for. */
static int find_module_dir(Modprobe *m) {
        const ModprobeOptions *o = &m->options;
        struct utsname u;

        if (!o->root && !o->release)
                return 0;
        if (!o->release && uname(&u) < 0)
                return -errno;
        if (asprintf(&m->module_dir, "%s" MODULE_ROOT "/%s", o->root ?: "", o->release ?: u.release) < 0) {
                m->module_dir = NULL;
                return -ENOMEM;
        }
        if (strlen(m->module_dir) < PATH_MAX)
                return 0;
        tool_message(LOG_ERR, "bad directory %s: path too long\n", m->module_dir);
        return -EINVAL;
}

/* Several modules, or one with parameters. Return: 0; negative errno: that of the last one that failed. */
static int insert_all(Modprobe *m) {
        const ModprobeOptions *o = &m->options;
        _cleanup_(freep) char *parameters = NULL;
        int r, failure = 0;

        if (!o->all) {
                r = tool_parameters_join(o->args + 1, &parameters);
                return r < 0 ? r : modprobe_insert(m, o->args[0], parameters);
        }
        for (int i = 0; i < o->n_args && !m->ends; i++) {
                r = modprobe_insert(m, o->args[i], NULL);
                if (r < 0)
                        failure = r;
        }
        return failure;
}

static int remove_all(Modprobe *m) {
        int r, failure = 0;

        for (int i = 0; i < m->options.n_args && !m->ends; i++) {
                r = modprobe_remove(m, m->options.args[i]);
                if (r < 0)
                        failure = r;
        }
        return failure;
}

/* Return: 0; negative errno, after saying why. */
static int carry_out(Modprobe *m) {
        const ModprobeOptions *o = &m->options;

        if (o->show_config)
                return modprobe_show_config(m);
        if (o->show_versions)
                return modprobe_show_versions(m, o->args[0]);
        if (o->show_exports)
                return modprobe_show_exports(m, o->args[0]);
        return o->remove ? remove_all(m) : insert_all(m);
}

static bool stderr_is_closed(void) {
        struct stat st;

        return fstat(STDERR_FILENO, &st) < 0;
}

int tool_modprobe(int argc, char **argv) {
        _cleanup_(modprobe_clear) Modprobe m = {};
        int r;

        r = modprobe_options_read(&m.options, argc, argv);
        if (r < 0)
                return r == -EINVAL ? TOOL_FAILED : r;
        if (m.options.show_help) {
                modprobe_print_help(argv[0]);
                return TOOL_DONE;
        }
        if (m.options.show_version) {
                tool_print_version();
                return TOOL_DONE;
        }
        if (m.options.to_syslog || stderr_is_closed())
                tool_message_to_syslog();
        if (m.options.n_args == 0 && !m.options.show_config) {
                tool_message(LOG_ERR, "missing parameters. See -h.\n");
                return TOOL_FAILED;
        }
        r = find_module_dir(&m);
        if (r < 0)
                return TOOL_FAILED;
        tool_message_set_level(m.options.level);
        return carry_out(&m) < 0 ? TOOL_FAILED : TOOL_DONE;
}
