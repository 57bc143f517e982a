/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pager: less, or what the environment names. It is started by the first text, so that it is not in the way of whoever
 * asks for a password before that, and not at all by a verb that prints nothing. Variables, and what is done with
 * privilege, are those of systemctl(1), with another prefix. Owns the process and its words.
 */

#include "cli/print/pager.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>

#include "common/base/string-list.h"

#define BLANKS " \t\n"
/*
 * End at once if it fits, colours, stay on the screen, how far it is, end by Ctrl-C: as systemd, but for S, which cuts
 * lines. Those that are still too long here are names that have to be whole.
 */
#define LESS_OPTIONS "FRXMK"

struct Pager {
        char **words;                   /* of the environment; NULL: it names none */
        bool trusted;                   /* to start what the environment names */
        bool secure;                    /* less must not start other programs */
        bool utf8;
        bool started;
        pid_t pid;                      /* 0: there is none, and all is shown without it */
        int input;                      /* its standard input; negative: it has gone, and the rest with it */
        int stderr_before;              /* negative: not diverted */
};

static bool is_true(const char *word) {
        static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (strcasecmp(word, words[i]) == 0)
                        return true;
        return false;
}

/*
 * A pager can start a shell. Whoever lent somebody the right to call lkmctl as root did not mean that: where the user
 * is not the one who has logged in, the pager has to do without, unless LKMD_PAGERSECURE= says otherwise.
 */
static void decide_security(Pager *p) {
        const char *said = secure_getenv("LKMD_PAGERSECURE");
        uid_t owner;

        p->trusted = said != NULL;
        p->secure = said ? is_true(said)
                         : secure_getenv("SUDO_UID") || sd_pid_get_owner_uid(0, &owner) < 0 ||
                                    owner != geteuid();
        p->trusted |= !p->secure;
}

/* Return: 1; 0: the environment wants none; -ENOMEM. */
static int take_words(Pager *p) {
        const char *said = secure_getenv("LKMD_PAGER") ?: secure_getenv("PAGER");
        int r;

        if (!said)
                return 1;
        for (size_t n; *(said += strspn(said, BLANKS)); said += n) {
                n = strcspn(said, BLANKS);
                r = string_list_append(&p->words, said, n);
                if (r < 0)
                        return r;
        }
        return p->words && !(streq(p->words[0], "cat") && !p->words[1]);
}

static void show_by_itself(void) {
        char buffer[BUFSIZ];
        ssize_t n;

        while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
                for (ssize_t done = 0, k; done < n; done += k) {
                        k = write(STDOUT_FILENO, buffer + done, (size_t) (n - done));
                        if (k < 0)
                                return;
                }
}

/* In the child. */
static _Noreturn void become_pager(const Pager *p, const int fds[static 2], pid_t parent) {
        static const char *const usual[] = { "pager", "less", "more" };
        const char *charset = secure_getenv("LKMD_LESSCHARSET") ?: p->utf8 ? "utf-8" : NULL;

        (void) prctl(PR_SET_PDEATHSIG, SIGINT);
        (void) signal(SIGPIPE, SIG_DFL);
        if (getppid() != parent || dup2(fds[0], STDIN_FILENO) < 0)
                _exit(EXIT_FAILURE);
        (void) close(fds[1]);           /* or there would be no end of it */
        (void) setenv("LESS", secure_getenv("LKMD_LESS") ?: LESS_OPTIONS, 1);
        if (charset)
                (void) setenv("LESSCHARSET", charset, 1);
        if (p->secure)
                (void) setenv("LESSSECURE", "1", 1);
        else
                (void) unsetenv("LESSSECURE");

        if (p->words && p->trusted)
                (void) execvp(p->words[0], p->words);
        for (size_t i = 0; i < ARRAY_LEN(usual); i++)
                if (!p->secure || streq(usual[i], "less"))      /* the others do not know LESSSECURE */
                        (void) execlp(usual[i], usual[i], (char *) NULL);
        show_by_itself();
        _exit(EXIT_SUCCESS);
}

/* What is said on the terminal from now on goes through the pager, too: it would be lost in its picture. */
static void divert_stderr(Pager *p) {
        if (!isatty(STDERR_FILENO))
                return;
        (void) fflush(stderr);
        p->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (p->stderr_before >= 0)
                (void) dup2(p->input, STDERR_FILENO);
}

/* Return: 0; negative errno: everything is shown without it. */
static int start(Pager *p) {
        pid_t parent = getpid();
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        p->pid = fork();
        if (p->pid == 0)
                become_pager(p, fds, parent);
        (void) close(fds[0]);
        if (p->pid < 0) {
                (void) close(fds[1]);
                p->pid = 0;
                return -errno;
        }
        p->input = fds[1];
        divert_stderr(p);
        return 0;
}

/**
 * pager_write() - show text
 *
 * Whoever leaves a pager has seen enough: that is no error, and the exit status stays that of the verb. Without a
 * process the text goes to the terminal.
 *
 * Return: 0; negative errno: of the terminal.
 */
int pager_write(Pager *p, const char *text, size_t size) {
        assert(p);

        if (!p->started && start(p) < 0)
                p->input = STDOUT_FILENO;
        p->started = true;
        for (size_t done = 0; p->input >= 0 && done < size;) {
                ssize_t n = write(p->input, text + done, size - done);

                if (n >= 0)
                        done += (size_t) n;
                else if (errno == EINTR)
                        continue;
                else if (p->pid == 0)
                        return -errno;
                else
                        (void) close(STEAL_FD(p->input));
        }
        return 0;
}

/**
 * pager_new() - a pager for standard output, which is a terminal
 * @utf8: what the text is in
 *
 * Return: 0, and NULL if the terminal can have none or the environment wants none; negative errno.
 */
int pager_new(Pager **ret, bool utf8) {
        _cleanup_(pager_freep) Pager *p = NULL;
        const char *term = getenv("TERM");
        int r;

        assert(ret);

        *ret = NULL;
        if (!term || streq(term, "dumb"))
                return 0;
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->input = p->stderr_before = -EBADF;
        p->utf8 = utf8;
        r = take_words(p);
        if (r <= 0)
                return r;
        decide_security(p);

        *ret = STEAL_PTR(p);
        return 0;
}

/* Waits for its end, if it was started. Return: NULL. */
Pager *pager_free(Pager *p) {
        if (!p)
                return NULL;

        if (p->stderr_before >= 0) {
                (void) fflush(stderr);
                (void) dup2(p->stderr_before, STDERR_FILENO);
                (void) close(p->stderr_before);
        }
        if (p->pid > 0) {
                closep(&p->input);
                while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        string_list_free(p->words);
        free(p);
        return NULL;
}
