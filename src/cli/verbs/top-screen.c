/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * TopScreen: see top-screen.h. The terminal has to be as it was, however lkmctl ends, also while it is blocked: so
 * the signal handlers themselves put it back, by functions that they may call (signal-safety(7)). Owns the settings
 * that the terminal had.
 */

#include "cli/verbs/top-screen.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/print/wrap.h"
#include "common/base/util.h"

/* console_codes(4), and the other screen of xterm: what was on the terminal is there again afterwards. */
#define ENTER "\x1b[?1049h\x1b[?25l"
#define LEAVE "\x1b[?25h\x1b[?1049l"
#define HOME "\x1b[H"
#define END_OF_LINE "\x1b[K\n"
#define END_OF_SCREEN "\x1b[J"

static struct termios settings;         /* set before the handlers are */
static volatile sig_atomic_t has_keys;  /* standard input is a terminal, whose settings are changed */
static volatile sig_atomic_t is_entered;

bool top_screen_is_possible(void) {
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && term && *term && !streq(term, "dumb");
}

static void say(const char *sequence) {
        ssize_t n = write(STDOUT_FILENO, sequence, strlen(sequence));

        (void) n;
}

/* Keys come one by one, and are not shown; those for signals remain. */
static void take_terminal(void) {
        struct termios changed = settings;

        changed.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        changed.c_cc[VMIN] = 1;
        changed.c_cc[VTIME] = 0;
        if (has_keys)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &changed);
        say(ENTER);
}

static void give_terminal_back(void) {
        if (!is_entered)
                return;
        say(LEAVE);
        if (has_keys)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
}

/* Ctrl-C is the regular end. */
static void on_end(int signal_number) {
        give_terminal_back();
        _exit(0);
}

/* SA_RESETHAND: raising the signal again ends the process the way its parent expects. */
static void on_other_end(int signal_number) {
        give_terminal_back();
        (void) raise(signal_number);
}

/* Ctrl-Z: goes on behind raise() when it is continued. */
static void on_stop(int signal_number) {
        int error = errno;

        give_terminal_back();
        (void) raise(SIGSTOP);
        take_terminal();
        errno = error;
}

static int handle(int signal_number, void (*handler)(int), int flags) {
        struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

        (void) sigfillset(&action.sa_mask);
        if (flags & SA_NODEFER)
                (void) sigdelset(&action.sa_mask, signal_number);
        return sigaction(signal_number, &action, NULL) < 0 ? -errno : 0;
}

/* Return: 0; negative errno, with the terminal as it was. */
int top_screen_enter(void) {
        int r;

        assert(!is_entered);

        has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &settings) >= 0;
        if ((r = handle(SIGINT, on_end, 0)) < 0 || (r = handle(SIGTERM, on_end, 0)) < 0 ||
            (r = handle(SIGHUP, on_other_end, SA_RESETHAND | SA_NODEFER)) < 0 ||
            (r = handle(SIGQUIT, on_other_end, SA_RESETHAND | SA_NODEFER)) < 0 ||
            (r = handle(SIGTSTP, on_stop, SA_RESTART)) < 0)
                return r;
        is_entered = 1;
        take_terminal();
        return 0;
}

/* Whatever is printed next is on the terminal as it was before. */
void top_screen_leave(void) {
        if (!is_entered)
                return;
        (void) fflush(stdout);
        give_terminal_back();
        is_entered = 0;
}

/* A line as far as it fits; @text ends in a line break or NUL. */
static void put_line(const char *text, size_t length, size_t width) {
        _cleanup_(freep) char *line = strndup(text, length);

        while (line && wrap_columns(line) > width) {
                size_t n = strlen(line) - 1;

                while (n > 0 && ((unsigned char) line[n] & 0xc0) == 0x80)
                        n--;            /* not within a character */
                line[n] = '\0';
        }
        (void) fputs(line ?: "", stdout);
}

/**
 * top_screen_draw() - show lines, as many as there is room for, in the place of those before
 * @text: lines that end in line breaks, without sequences for the terminal
 */
void top_screen_draw(const char *text) {
        struct winsize size = {};
        size_t width, height;

        assert(text);

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
                size = (struct winsize) { .ws_col = 80, .ws_row = 24 };
        width = size.ws_col - 1U;       /* a full line would break */
        height = size.ws_row - 1U;
        (void) fputs(HOME, stdout);
        for (size_t n = 0; *text && n < height; n++) {
                size_t length = strcspn(text, "\n");

                put_line(text, length, width);
                (void) fputs(END_OF_LINE, stdout);
                text += length + (text[length] == '\n');
        }
        (void) fputs(END_OF_SCREEN, stdout);
        (void) fflush(stdout);
}

/* To be called when there is standard input. Return: whether a key says so, or there will be none any more. */
bool top_screen_wants_end(void) {
        char keys[64];
        ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

        if (n <= 0)
                return n == 0 || (errno != EAGAIN && errno != EINTR);
        return memchr(keys, 'q', (size_t) n) || memchr(keys, 'Q', (size_t) n) || memchr(keys, 4, (size_t) n);
}
