/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Interrupt: SIGINT and SIGTERM end lkmctl at any moment, even while it is blocked writing to a pipe that nobody
 * reads; therefore the handler itself ends it, and not an event loop. Process-wide; borrows a text that lives as long
 * as the process.
 */

#include "cli/call/interrupt.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/base/util.h"

static const char *last_words;          /* set before the handler is */

static void on_end(int signal_number) {
        _exit(0);
}

/* SA_RESETHAND: raising the signal again ends the process the way its parent expects. */
static void on_leave(int signal_number) {
        ssize_t n = write(STDERR_FILENO, last_words, strlen(last_words));

        (void) n;
        (void) raise(signal_number);
}

static int handle(void (*handler)(int), int flags) {
        struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

        (void) sigemptyset(&action.sa_mask);
        return sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0 ? -errno : 0;
}

/**
 * interrupt_is_the_end() - Ctrl-C is the regular end: exit status 0
 *
 * The caller must flush each line that it prints.
 */
int interrupt_is_the_end(void) {
        return handle(on_end, 0);
}

/**
 * interrupt_says() - Ctrl-C ends lkmctl but not the work of lkmd: print @text, then end by the signal
 * @text: static, with line breaks
 */
int interrupt_says(const char *text) {
        assert(text);

        last_words = text;
        return handle(on_leave, SA_RESETHAND | SA_NODEFER);
}
