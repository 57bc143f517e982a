/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderCommand: finds the command of a module with libkmod and waits for its end. Owns nothing. */

#include "daemon/privileged/loader/loader-command.h"

#include <assert.h>
#include <libkmod.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <syslog.h>

#include "common/base/util.h"
#include "daemon/privileged/loader/loader-words.h"

#define VARIABLE "$CMDLINE_OPTS"        /* modprobe.d(5) */

static inline void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod_unref(*ctx);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod_module_unref(*module);
}

/* Replaces each "$CMDLINE_OPTS" with @options, modprobe.d(5). Return: NULL without memory. */
char *loader_expand_options(const char *command, const char *options) {
        _cleanup_(freep) char *out = NULL;
        size_t n_out = 0;
        FILE *f;

        assert(command && options);

        f = open_memstream(&out, &n_out);
        if (!f)
                return NULL;

        for (const char *p = command; *p;) {
                if (startswith(p, VARIABLE)) {
                        (void) fputs(options, f);
                        p += strlen(VARIABLE);
                } else
                        (void) fputc(*p++, f);
        }

        if (fclose(f) != 0)
                return NULL;
        return STEAL_PTR(out);
}

/* Runs in the thread; only async-signal-safe calls between fork and exec. */
static pid_t start_command(const char *command, char *const *environment, int output_fd) {
        pid_t pid = fork();

        if (pid == 0) {
                sigset_t none;

                (void) dup2(output_fd, STDOUT_FILENO);
                (void) dup2(output_fd, STDERR_FILENO);

                (void) sigemptyset(&none);
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                (void) execle("/bin/sh", "sh", "-c", command, NULL, environment);
                _exit(127);
        }
        return pid < 0 ? -errno : pid;
}

/* Return: 0; -ECANCELED: it failed; another negative errno: it could not be started. */
static int run_command(const char *command, char *const *environment, int *ret_status,
                       LoaderOutput *ret_output) {
        _cleanup_(closep) int pid_fd = -EBADF;
        int output_fd, status, r;
        pid_t pid;

        r = loader_output_open(ret_output, &output_fd);
        if (r < 0)
                return r;
        pid = start_command(command, environment, output_fd);
        (void) close(output_fd);
        if (pid < 0)
                return pid;
        pid_fd = pidfd_open(pid, 0);
        if (pid_fd >= 0)
                loader_output_until_exit(ret_output, pid_fd);
        else                            /* no descriptor is left: it must not wait for a reader */
                loader_output_close(ret_output);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret_status = status;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECANCELED;
}

/* Return: 0 with the command, which lives as long as @ctx and @module. */
static int find_command(const LoaderRequest *request, struct kmod_ctx **ctx, struct kmod_module **module,
                        const char **ret) {
        int r;

        errno = 0;
        *ctx = kmod_new(NULL, NULL);
        if (!*ctx)
                return errno > 0 ? -errno : -ENOMEM;
        kmod_set_log_priority(*ctx, LOG_CRIT);
        r = kmod_module_new_from_name(*ctx, request->module, module);
        if (r < 0)
                return r;
        *ret = request->op == LOADER_INSTALL_COMMAND ? kmod_module_get_install_commands(*module) :
                                                       kmod_module_get_remove_commands(*module);
        return *ret ? 0 : -ENOENT;      /* the line was removed since the plan was made */
}

/**
 * loader_command() - run the install or remove line of modprobe.d for a module
 * @request:    its words were checked
 * @ret_status: as of waitpid(2)
 * @ret_output: what it wrote so far; it may have left processes behind that go on. To be closed, also after a failure
 *
 * Return: 0; -ECANCELED: it ran and failed; -EPERM with a refusal: the words must not get into it; -ENOENT: there
 * is no such line.
 */
int loader_command(const LoaderRequest *request, LoaderRefusal *ret_refusal, int *ret_status,
                   LoaderOutput *ret_output) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(freep) char *expanded = NULL;
        char variable[sizeof("MODPROBE_MODULE=") + MODULE_NAME_MAX];
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = { path, variable, NULL };
        const char *command = NULL;
        int r;

        assert(request && ret_refusal && ret_status && ret_output);

        r = find_command(request, &ctx, &module, &command);
        if (r >= 0 && request->words.n_origins > 0 && strstr(command, VARIABLE))
                r = loader_words_check_shell(&request->words, ret_refusal);
        if (r < 0)
                return r;

        expanded = loader_expand_options(command,
                                         request->words.n_origins > 0 ? request->words.text : "");
        if (!expanded)
                return -ENOMEM;
        (void) snprintf(variable, sizeof(variable), "MODPROBE_MODULE=%s", request->module);
        return run_command(expanded, environment, ret_status, ret_output);
}
