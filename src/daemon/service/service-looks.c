/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Replies of Grant, Revoke and Reload, which come when the devices that were looked at because of them have their
 * drivers. Owns what the method has to say beside that.
 */

#include <assert.h>

#include "daemon/base/log.h"
#include "daemon/requests/second-look.h"
#include "daemon/service/service-internal.h"

struct LookCall {
        Service *service;
        sd_varlink *link;
        sd_json_variant *reply;
        LIST_ENTRY(LookCall) next;
};

static void look_call_free(LookCall *c) {
        second_look_forget(c->service->context.second_look, c);
        LIST_REMOVE(c, next);
        sd_varlink_unref(c->link);
        sd_json_variant_unref(c->reply);
        free(c);
}

/* @devices: NULL: there was no memory to tell, which is no reason not to reply */
static int reply(sd_varlink *link, sd_json_variant **v, sd_json_variant *devices) {
        int r = devices ? sd_json_variant_set_field(v, "devices", devices) : 0;

        return r < 0 ? r : sd_varlink_reply(link, *v);
}

static void on_over(sd_json_variant *devices, void *userdata) {
        LookCall *c = userdata;
        int r = reply(c->link, &c->reply, devices);

        if (r < 0)
                log_debug("cannot reply: %s", strerror(-r));
        look_call_free(c);
}

/**
 * service_reply_after_looks() - have devices looked at that are not refused any more, and reply when that is over
 * @v: the rest of the reply, an object; NULL: nothing
 *
 * Return: what a method handler returns.
 */
int service_reply_after_looks(Service *s, sd_varlink *link, sd_varlink_method_flags_t flags,
                              sd_json_variant *v) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *none = NULL, *copy = sd_json_variant_ref(v);
        LookCall *c;
        int r;

        assert(s && link);

        second_look_now(s->context.second_look);
        if (flags & SD_VARLINK_METHOD_ONEWAY)
                return 0;
        if (second_look_is_over(s->context.second_look)) {
                r = sd_json_variant_new_array(&none, NULL, 0);
                return r < 0 ? r : reply(link, &copy, none);
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (LookCall) { .service = s, .link = sd_varlink_ref(link), .reply = STEAL_PTR(copy) };
        LIST_INSERT_HEAD(&s->looks, c, next);
        r = second_look_await(s->context.second_look, on_over, c);
        if (r < 0)
                look_call_free(c);
        return r < 0 ? r : 0;
}

/* The client hung up. */
void service_forget_looks(Service *s, sd_varlink *link) {
        LookCall *c, *next;

        for (c = LIST_FIRST(&s->looks); c; c = next) {
                next = LIST_NEXT(c, next);
                if (c->link == link)
                        look_call_free(c);
        }
}

void service_drop_looks(Service *s) {
        while (!LIST_EMPTY(&s->looks))
                look_call_free(LIST_FIRST(&s->looks));
}
