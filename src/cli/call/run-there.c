/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RunThere: has another machine's own lkmctl run a command line, by ssh. For verbs that look at /proc and /sys beside
 * asking lkmd: what they need is there. Owns nothing.
 */

#include "cli/call/run-there.h"

#include <assert.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/call/failure.h"
#include "cli/call/ssh-command.h"
#include "common/base/util.h"

#define SSH_FAILED 255                  /* ssh(1): an error of its own, or no connection */
#define THIS_MACHINE "--host=.host"     /* takes back the host that the words name */

extern char **environ;

/* Return: what the program exited with; negative errno. */
static int run_program(const char *program, char *const *words) {
        int status, r;
        pid_t pid;

        r = posix_spawnp(&pid, program, NULL, NULL, words, environ);
        if (r != 0)
                return -r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : SSH_FAILED;
}

/**
 * run_there() - run this command line on another machine
 * @host: [USER@]HOST, already checked
 * @argv: as main() has it, with the host; ends in NULL
 * @end:  index in it where options end: of "--", or of the NULL
 *
 * It gets a terminal there if there is one here.
 *
 * Return: an ExitStatus, after reporting what is wrong; negative errno.
 */
int run_there(Output *out, const char *host, char *const *argv, int end) {
        const char *ssh = secure_getenv("SYSTEMD_SSH") ?: "ssh", *words[8];
        _cleanup_(freep) const char **there = NULL;
        _cleanup_(freep) char *command = NULL;
        size_t n = 0, n_words = 0;
        int r;

        assert(out && host && argv && end >= 1);

        for (size_t i = 1; argv[i]; i++)
                n++;
        there = calloc(n + 3, sizeof(*there));
        if (!there)
                return -ENOMEM;
        there[n_words++] = "lkmctl";
        for (int i = 1; i < end; i++)
                there[n_words++] = argv[i];
        there[n_words++] = THIS_MACHINE;
        for (char *const *word = argv + end; *word; word++)
                there[n_words++] = *word;
        r = ssh_words_join(there, n_words, &command);
        if (r < 0)
                return r;

        n = 0;
        words[n++] = ssh;
        if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
                words[n++] = "-t";
        words[n++] = "--";
        words[n++] = host;
        words[n++] = command;
        words[n] = NULL;
        r = run_program(ssh, (char *const *) words);
        if (r < 0)
                return failure_print_own(out, CLIENT_ERROR_NOT_REACHABLE, NULL, "cannot run ssh to %s: %s",
                                         host, strerror(-r));
        if (r == SSH_FAILED)
                return failure_print_own(out, CLIENT_ERROR_NOT_REACHABLE, "ssh(1) says above why",
                                         "no connection to %s", host);
        return r;
}
