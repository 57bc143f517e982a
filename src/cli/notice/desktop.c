/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Desktop: see desktop.h; the Desktop Notifications Specification, 1.2. The service may come and go and may be another
 * one next time, so it is asked before each notice whether it takes the body for markup. Owns the connection to the
 * session bus.
 */

#include "cli/notice/desktop.h"

#include <assert.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "cli/print/format.h"

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define ANSWER_USEC (10 * UINT64_C(1000000))

#define URGENCY_CRITICAL 2              /* stays until somebody has seen it */

struct Desktop {
        sd_bus *bus;
};

/**
 * desktop_new() - connect to the bus of this session
 *
 * Return: 0; what sd_bus_open_user(3) says.
 */
int desktop_new(Desktop **ret) {
        _cleanup_(desktop_freep) Desktop *d = NULL;
        int r;

        assert(ret);

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        r = sd_bus_open_user(&d->bus);
        if (r < 0)
                return r;
        (void) sd_bus_set_method_call_timeout(d->bus, ANSWER_USEC);
        *ret = STEAL_PTR(d);
        return 0;
}

/* Return: NULL. */
Desktop *desktop_free(Desktop *d) {
        if (!d)
                return NULL;

        sd_bus_flush_close_unref(d->bus);
        free(d);
        return NULL;
}

/* Text as markup that shows the same: names of modules and reasons of rules are nobody's markup. */
int desktop_escape(const char *text, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        assert(text);

        if (!f)
                return -ENOMEM;
        print_markup(f, text, strlen(text));
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

/* Return: 1; 0; negative errno: there is no such service, or it does not answer. */
static int takes_markup(Desktop *d) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *capability;
        int r, found = 0;

        r = sd_bus_call_method(d->bus, NAME, PATH, NAME, "GetCapabilities", NULL, &reply, "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(reply, "s", &capability)) > 0)
                found |= streq(capability, "body-markup");
        return r < 0 ? r : found;
}

static int make_body(const Notice *n, bool markup, char **ret) {
        _cleanup_(freep) char *body = NULL;

        if (asprintf(&body, "%s%s%s", n->body, n->command ? "\nTo allow it: " : "", n->command ?: "") < 0) {
                body = NULL;
                return -ENOMEM;
        }
        if (markup)
                return desktop_escape(body, ret);
        *ret = STEAL_PTR(body);
        return 0;
}

/**
 * desktop_show() - show a notice until somebody has seen it
 *
 * Return: 0; -ECONNRESET, -ENOTCONN: the session is over; else: there is nobody to show it.
 */
int desktop_show(Desktop *d, const Notice *n) {
        _cleanup_(freep) char *body = NULL;
        int r;

        assert(d && n);

        r = takes_markup(d);
        if (r >= 0)
                r = make_body(n, r, &body);
        if (r < 0)
                return r;
        r = sd_bus_call_method(d->bus, NAME, PATH, NAME, "Notify", NULL, NULL, "susssasa{sv}i", "lkmd",
                               UINT32_C(0), "security-medium", n->summary, body, 0, 2, "urgency", "y",
                               URGENCY_CRITICAL, "category", "s", "device.error", INT32_C(-1));
        return r < 0 ? r : 0;
}
