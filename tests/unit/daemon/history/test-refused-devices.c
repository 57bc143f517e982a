/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/refused-devices.h"

#include "common/base/limits.h"
#include "common/base/string-list.h"
#include "test.h"

static void note(RefusedDevices *d, const char *key, const char *device, const char *module) {
        _cleanup_(request_unrefp) Request *request = NULL;

        assert_ok(request_new_device(&request, key, device, "usb", NULL));
        refused_devices_note(d, request, module);
}

/* The next device as "KEY DEVICE MODULE..", and it goes. */
static void assert_next(RefusedDevices *d, const char *expected) {
        _cleanup_(refused_device_freep) RefusedDevice *device = refused_devices_take(d);
        char text[256] = "";

        if (device) {
                (void) snprintf(text, sizeof(text), "%s %s", device->request->key, device->request->device);
                for (char **module = device->modules; module && *module; module++)
                        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", *module);
        }
        assert_string_equal(text, expected);
}

/* One entry for a device and key, with each module once, in the order of the refusals. */
static void test_notes(void **state) {
        _cleanup_(refused_devices_freep) RefusedDevices *d = NULL;
        _cleanup_(request_unrefp) Request *client = NULL;

        assert_ok(refused_devices_new(&d));
        assert_ok(request_new_client(&client, "usb:a", 0, 1, NULL));
        refused_devices_note(d, client, "x");
        assert_int_equal(refused_devices_count(d), 0);
        note(d, "usb:a", "/devices/1", "x");
        note(d, "usb:b", "/devices/2", "x");
        note(d, "usb:a", "/devices/1", "y");
        note(d, "usb:a", "/devices/1", "x");
        note(d, "ms_block", "/devices/1", "x");
        assert_int_equal(refused_devices_count(d), 3);
        refused_devices_put_back(d, refused_devices_take(d));
        assert_next(d, "usb:b /devices/2 x");
        assert_next(d, "ms_block /devices/1 x");
        assert_next(d, "usb:a /devices/1 x y");
        assert_next(d, "");
        assert_true(refused_devices_are_all(d));
}

static void test_by_command(void **state) {
        _cleanup_(refused_devices_freep) RefusedDevices *d = NULL;
        _cleanup_(refused_device_freep) RefusedDevice *device = NULL;
        _cleanup_(request_unrefp) Request *request = NULL;

        assert_ok(refused_devices_new(&d));
        assert_ok(request_new_device(&request, "usb:a", "/devices/1", "usb", NULL));
        refused_devices_note(d, request, "x");
        refused_devices_note_command(d, request, "y");
        device = refused_devices_take(d);
        assert_int_equal(string_list_count(device->modules), 2);
        assert_false(string_list_contains(device->by_command, "x"));
        assert_true(string_list_contains(device->by_command, "y"));
}

static void test_a_device_goes(void **state) {
        _cleanup_(refused_devices_freep) RefusedDevices *d = NULL;

        assert_ok(refused_devices_new(&d));
        note(d, "usb:a", "/devices/1", "x");
        note(d, "usb:b", "/devices/2", "x");
        note(d, "ms_block", "/devices/1", "x");
        refused_devices_forget(d, "/devices/1");
        refused_devices_forget(d, "/devices/none");
        assert_int_equal(refused_devices_count(d), 1);
        assert_next(d, "usb:b /devices/2 x");
}

/* Without room it knows that it does not know all, until it is told to begin anew. */
static void test_bounds(void **state) {
        _cleanup_(refused_devices_freep) RefusedDevices *d = NULL, *other = NULL;
        char text[64];

        assert_ok(refused_devices_new(&d));
        for (unsigned i = 0; i < REFUSED_DEVICES_MAX; i++) {
                (void) snprintf(text, sizeof(text), "/devices/%u", i);
                note(d, "usb:a", text, "x");
        }
        assert_true(refused_devices_are_all(d));
        note(d, "usb:a", "/devices/0", "y");
        assert_true(refused_devices_are_all(d));
        note(d, "usb:a", "/devices/another", "x");
        assert_int_equal(refused_devices_count(d), REFUSED_DEVICES_MAX);
        assert_false(refused_devices_are_all(d));
        refused_devices_clear(d);
        assert_true(refused_devices_are_all(d));
        assert_int_equal(refused_devices_count(d), 0);

        assert_ok(refused_devices_new(&other));
        for (unsigned i = 0; i <= REFUSED_MODULES_MAX; i++) {
                assert_int_equal(refused_devices_are_all(other), true);
                (void) snprintf(text, sizeof(text), "module_%u", i);
                note(other, "usb:a", "/devices/1", text);
        }
        assert_false(refused_devices_are_all(other));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_notes),
                cmocka_unit_test(test_by_command),
                cmocka_unit_test(test_a_device_goes),
                cmocka_unit_test(test_bounds),
        };

        return RUN_TESTS(tests);
}
