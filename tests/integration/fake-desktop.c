/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * fake-desktop [CAPABILITY...]: plays the service org.freedesktop.Notifications of a session. Prints "ready", then a JSON
 * object a line for each notice. With the capability "mute" it takes none, as a service that is broken.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

#define NAME "org.freedesktop.Notifications"

static int on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, userdata);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* The hints, of which those are printed that are strings or bytes. */
static int take_hints(sd_bus_message *m, sd_json_variant **hints) {
        const char *key, *text;
        uint8_t byte;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0 && sd_bus_message_read(m, "v", "y", &byte) >= 0)
                        r = sd_json_variant_set_field_unsigned(hints, key, byte);
                else if (r >= 0 && (r = sd_bus_message_read(m, "v", "s", &text)) >= 0)
                        r = sd_json_variant_set_field_string(hints, key, text);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int on_notify(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *hints = NULL;
        const char *app, *icon, *summary, *body;
        uint32_t replaces;
        int32_t expires;
        int r;

        for (char **capability = userdata; *capability; capability++)
                if (streq(*capability, "mute"))
                        return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, "nobody looks");
        r = sd_bus_message_read(m, "susss", &app, &replaces, &icon, &summary, &body);
        if (r >= 0)
                r = sd_bus_message_skip(m, "as");
        if (r >= 0)
                r = take_hints(m, &hints);
        if (r >= 0)
                r = sd_bus_message_read(m, "i", &expires);
        if (r >= 0)
                r = sd_json_buildo(
                        &v, SD_JSON_BUILD_PAIR_STRING("app", app), SD_JSON_BUILD_PAIR_STRING("icon", icon),
                        SD_JSON_BUILD_PAIR_STRING("summary", summary),
                        SD_JSON_BUILD_PAIR_STRING("body", body), SD_JSON_BUILD_PAIR_VARIANT("hints", hints));
        if (r < 0)
                return r;
        (void) sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE | SD_JSON_FORMAT_FLUSH, stdout, NULL);
        return sd_bus_reply_method_return(m, "u", UINT32_C(1));
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetCapabilities", "", "as", on_capabilities, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_notify, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char **argv) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        int r;

        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_event_set_signal_exit(event, true);
        if (r >= 0)
                r = sd_bus_open_user(&bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/Notifications", NAME, vtable,
                                             argv + 1);
        if (r >= 0)
                r = sd_bus_request_name(bus, NAME, 0);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) {
                (void) fprintf(stderr, "fake-desktop: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        (void) puts("ready");
        (void) fflush(stdout);
        return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
