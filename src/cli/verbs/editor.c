/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Editor: found as sudoedit(8) and visudo(8) do: $SUDO_EDITOR, $VISUAL, $EDITOR, words separated by blanks, without a
 * shell; then what distributions call an editor. What does not exist is passed over only if nobody named it.
 */

#include "cli/verbs/editor.h"

#include <assert.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/base/string-list.h"

extern char **environ;

static int split_words(const char *text, char ***words) {
        for (size_t n; *text; text += n) {
                int r;

                text += strspn(text, " \t\n");
                n = strcspn(text, " \t\n");
                r = n > 0 ? string_list_append(words, text, n) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The command that somebody named. Return: 1; 0: nobody did; -ENOMEM. */
static int find_named(char ***words) {
        static const char *const variables[] = { "SUDO_EDITOR", "VISUAL", "EDITOR" };

        for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
                const char *value = secure_getenv(variables[i]);
                int r = value ? split_words(value, words) : 0;

                if (r < 0 || string_list_count(*words) > 0)
                        return r < 0 ? r : 1;
        }
        return 0;
}

/* Ctrl-C is for the editor, so lkmctl has it ignored; the editor itself starts as it would from a shell. */
static int spawn(char **words, pid_t *ret) {
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        (void) sigemptyset(&defaults);
        (void) sigaddset(&defaults, SIGINT);
        (void) sigaddset(&defaults, SIGQUIT);
        (void) sigaddset(&defaults, SIGPIPE);
        r = posix_spawnattr_init(&attributes);
        if (r != 0)
                return -r;
        (void) posix_spawnattr_setsigdefault(&attributes, &defaults);
        (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        r = posix_spawnp(ret, words[0], NULL, &attributes, words, environ);
        (void) posix_spawnattr_destroy(&attributes);
        return -r;
}

static int wait_for(pid_t pid, EditorResult *result) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (WIFSIGNALED(status)) {
                result->end = EDITOR_KILLED;
                result->number = WTERMSIG(status);
        } else {
                result->number = WEXITSTATUS(status);
                result->end = result->number == 0 ? EDITOR_DONE : EDITOR_FAILED;
        }
        return 0;
}

/* @words: the command; the path of the file is appended */
static int run(char ***words, const char *path, EditorResult *result) {
        struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;
        pid_t pid = 0;
        int r;

        r = string_list_append(words, path, strlen(path));
        if (r < 0)
                return r;
        free(result->name);
        result->name = strdup((*words)[0]);
        if (!result->name)
                return -ENOMEM;

        (void) sigaction(SIGINT, &ignore, &interrupt);
        (void) sigaction(SIGQUIT, &ignore, &quit);
        r = spawn(*words, &pid);
        if (r < 0) {
                result->end = EDITOR_ABSENT;
                result->number = -r;
        }
        r = r < 0 ? 0 : wait_for(pid, result);
        (void) sigaction(SIGINT, &interrupt, NULL);
        (void) sigaction(SIGQUIT, &quit, NULL);
        return r;
}

/**
 * editor_run() - have the caller edit a file, and wait for the end of the editor
 * @ret: the name in it is the caller's also after a failure
 *
 * Return: 0, also if the editor failed or does not exist; negative errno.
 */
int editor_run(const char *path, EditorResult *ret) {
        static const char *const others[] = { "editor", "nano", "vim", "vi" };
        _cleanup_(string_list_freep) char **words = NULL;
        int r;

        assert(path && ret);

        *ret = (EditorResult) { .end = EDITOR_ABSENT };
        r = string_list_new(&words);
        if (r >= 0)
                r = find_named(&words);
        if (r != 0)
                return r < 0 ? r : run(&words, path, ret);
        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
                words = string_list_free(words);
                r = string_list_new(&words);
                if (r >= 0)
                        r = string_list_append(&words, others[i], strlen(others[i]));
                if (r >= 0)
                        r = run(&words, path, ret);
                if (r < 0 || ret->end != EDITOR_ABSENT || ret->number != ENOENT)
                        return r;
        }
        return 0;
}
