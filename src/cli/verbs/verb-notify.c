/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * notify: refusals as notices, from now on, for who sits at this machine. It outlives lkmd: what happens while lkmd
 * does not run is refused by nobody. Where the desktop has no service for notices, they are printed, so that the
 * journal has them.
 */

#include <assert.h>
#include <inttypes.h>

#include "cli/call/interrupt.h"
#include "cli/notice/desktop.h"
#include "cli/notice/notice-filter.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/verbs/verbs.h"
#include "common/base/clock.h"
#include "common/interface/interface.h"

#define RETRY_SEC_MAX 8U
#define INDENT "              "         /* as wide as the time */

typedef struct Watch {
        Run *run;
        Desktop *desktop;               /* NULL: notices are printed */
        NoticeFilter *filter;
        bool no_service_told, away_told;
        unsigned retry_sec;             /* until lkmd is asked again */
        char *error_id;                 /* of lkmd, owned; NULL: none */
} Watch;

static void watch_clear(Watch *w) {
        desktop_free(w->desktop);
        notice_filter_free(w->filter);
        free(w->error_id);
}

static void print_left_out(FILE *f, uint64_t n) {
        if (n > 0)
                fprintf(f, "%" PRIu64 " more were refused meanwhile: lkmctl policy audit\n", n);
}

/* "14:03:22  usb_storage was refused", and the rest below it */
static int print_notice(Watch *w, const Notice *n, FILE *f) {
        print_time(f, field_number(n->event, "timeUSec"));
        fprintf(f, "  %s%s%s\n" INDENT, output_tone(&w->run->out, f, TONE_BAD), n->summary,
                output_tone(&w->run->out, f, TONE_PLAIN));
        (void) fputs(n->body, f);
        if (n->command)
                fprintf(f, "\n" INDENT "To allow it: %s", n->command);
        (void) fputc('\n', f);
        return fflush(f) == 0 ? 0 : -errno;
}

static int show_on_desktop(Watch *w, const Notice *n) {
        int r = desktop_show(w->desktop, n);

        if (r >= 0 || r == -ENOMEM) {
                w->no_service_told = false;
                return r;
        }
        if (r == -ENOTCONN || r == -ECONNRESET)
                return failure_print_own(&w->run->out, CLIENT_ERROR_LOCAL, "lkmctl notify --terminal",
                                         "the bus of this session is gone");
        if (!w->no_service_told)
                fprintf(stderr,
                        "lkmctl: no notice can be shown on this desktop, so they are printed here: nobody answers for "
                        "org.freedesktop.Notifications (%s)\n",
                        strerror(-r));
        w->no_service_told = true;
        return print_notice(w, n, stderr);
}

static int show(Watch *w, const Notice *n, uint64_t n_left_out) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        if (w->run->out.json != JSON_OFF) {
                r = notice_to_json(n, &v);
                return r < 0 ? r : output_json(&w->run->out, v);
        }
        print_left_out(w->desktop ? stderr : stdout, n_left_out);
        if (w->desktop)
                return show_on_desktop(w, n);
        return print_notice(w, n, stdout);
}

/* Return: 0 to go on; what ends it otherwise. */
static int on_event(sd_json_variant *reply, void *userdata) {
        _cleanup_(notice_clear) Notice n = {};
        Watch *w = userdata;
        uint64_t n_left_out = 0;
        int r;

        w->retry_sec = 1;
        w->away_told = false;
        if (!field_object(reply, "event"))
                return 0;               /* the first reply */
        r = notice_from_event(&n, field_object(reply, "event"), w->run->notify_audit);
        if (r > 0)
                r = notice_filter_take(w->filter, n.kind, clock_usec(CLOCK_MONOTONIC), &n_left_out);
        return r > 0 ? show(w, &n, n_left_out) : r;
}

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        Watch *w = userdata;

        free(w->error_id);
        w->error_id = strdup(error_id);
        return w->error_id ? 0 : -ENOMEM;
}

/* Does asking again help? */
static bool may_pass(const Watch *w) {
        return !w->error_id || startswith(w->error_id, "io.lkmd.Client.") ||
               streq(w->error_id, LKMD_ERROR_TOO_MANY_CLIENTS);
}

static void wait_for_lkmd(Watch *w) {
        if (!w->away_told && !w->run->out.quiet)
                fprintf(stderr, "lkmctl: lkmd does not answer; notices go on when it does\n");
        w->away_told = true;
        (void) sleep(w->retry_sec);
        w->retry_sec = MIN(2 * w->retry_sec, RETRY_SEC_MAX);
}

static int watch(Watch *w) {
        const CallHooks hooks = {
                .on_reply = on_event,
                .on_error = on_error,
                .userdata = w,
                .silent = true,
                .ends_with_stdout = !w->desktop,
        };

        for (;;) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
                int r;

                free(STEAL_PTR(w->error_id));
                r = client_call(w->run->client, "Monitor", NULL, &hooks, &reply);
                if (r < 0 || (r > 0 && r != STATUS_NOT_REACHABLE && !w->error_id))
                        return r;
                if (!may_pass(w))
                        return failure_print(&w->run->out, w->error_id, reply);
                if (w->run->out.host)
                        return failure_print_own(&w->run->out, CLIENT_ERROR_DISCONNECTED,
                                                 "the same once more", "the connection to %s ended",
                                                 w->run->out.host);
                wait_for_lkmd(w);
        }
}

int verb_notify(Run *run, char **args, unsigned n_args) {
        _cleanup_(watch_clear) Watch w = { .run = run, .retry_sec = 1 };
        int r;

        if (!run->notify_terminal && run->out.json == JSON_OFF) {
                r = desktop_new(&w.desktop);
                if (r < 0)
                        return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "lkmctl notify --terminal",
                                                 "there is no session bus to show notices by: %s",
                                                 strerror(-r));
        }
        r = notice_filter_new(&w.filter);
        if (r >= 0)
                r = interrupt_is_the_end();
        if (r < 0)
                return r;
        if (!w.desktop && run->out.stderr_terminal && output_wants_text(&run->out))
                (void) fprintf(stderr, "Waiting for refusals, Ctrl-C ends.\n");
        return watch(&w);
}
