/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * top: what lkmd is doing, each second anew. Two connections: one tells events as they come, the other one is asked
 * for the status. Where nobody watches it is one answer, and no more.
 */

#include "cli/print/fields.h"
#include "cli/verbs/top-frame.h"
#include "cli/verbs/top-screen.h"
#include "cli/verbs/verbs.h"

#define ANSWER_USEC (2 * UINT64_C(1000000)) /* of the status, for which keys have to wait */

typedef struct Top {
        Run *run;
        Client *asked;                  /* for the status, owned */
        TopFrame frame;
        bool drawn;
} Top;

static void top_clear(Top *t) {
        top_screen_leave();
        client_free(t->asked);
        top_frame_clear(&t->frame);
}

/* @silent: what is wrong shows in the frame. Return: as client_call(). */
static int ask(Top *t, bool silent) {
        const CallHooks hooks = { .answer_usec = silent ? ANSWER_USEC : ANSWER_SOON_USEC, .silent = silent };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = client_call(t->asked, "Status", NULL, &hooks, &reply);
        top_frame_set_status(&t->frame, r == 0 ? reply : NULL);
        return r;
}

static void draw(Top *t) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size;

        f = open_memstream(&text, &size);
        if (!f)
                return;
        top_frame_print(&t->frame, &t->run->out, f);
        if (fflush(f) == 0)
                top_screen_draw(text);
}

static void on_second(void *userdata) {
        Top *t = userdata;

        (void) ask(t, true);
        draw(t);
}

/* The first reply has no event: lkmd is there. */
static int on_event(sd_json_variant *reply, void *userdata) {
        Top *t = userdata;
        int r;

        top_frame_take_event(&t->frame, field_object(reply, "event"));
        if (t->drawn)
                return 0;
        t->drawn = true;
        r = top_screen_enter();
        if (r < 0)
                return r;
        draw(t);
        return 0;
}

static int on_input(void *userdata) {
        return top_screen_wants_end() ? -ECANCELED : 0;
}

static int on_error(const char *error_id, sd_json_variant **fields, void *userdata) {
        top_screen_leave();             /* the error is to be seen */
        return 0;
}

/* Return: 0: somebody has seen enough; an ExitStatus, after reporting why; negative errno. */
static int watch(Top *t) {
        const CallHooks hooks = {
                .on_reply = on_event,
                .on_error = on_error,
                .on_second = on_second,
                .on_input = isatty(STDIN_FILENO) ? on_input : NULL,
                .userdata = t,
                .ends_with_stdout = true,
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        int r;

        r = client_call(t->run->client, "Monitor", NULL, &hooks, &reply);
        top_screen_leave();
        if (r == -ECANCELED)
                return 0;
        if (r != 0)
                return r;
        return failure_print_own(&t->run->out, CLIENT_ERROR_DISCONNECTED, "systemctl status lkmd",
                                 "lkmd went away");
}

static int print_once(Top *t) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        Output *out = &t->run->out;
        int r;

        if (out->json == JSON_OFF) {
                if (output_wants_text(out))
                        top_frame_print(&t->frame, out, stdout);
                return STATUS_DONE;
        }
        r = top_frame_to_json(&t->frame, &v);
        return r < 0 ? r : output_json(out, v);
}

int verb_top(Run *run, char **args, unsigned n_args) {
        _cleanup_(history_clear) History history = {};
        _cleanup_(top_clear) Top top = { .run = run };
        int r;

        r = client_new(&top.asked, &run->out, run->out.host);
        if (r < 0)
                return r;
        r = ask(&top, false);
        if (r != 0)
                return r;
        r = history_fetch(top.asked, NULL, &history);
        if (r != 0)
                return r;
        top_frame_take_history(&top.frame, &history);
        history_clear(&history);
        return output_wants_text(&run->out) && top_screen_is_possible() ? watch(&top) : print_once(&top);
}
