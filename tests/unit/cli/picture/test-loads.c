/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/picture/load-chain.h"
#include "cli/picture/loads.h"
#include "common/base/util.h"
#include "scratch.h"

/* A history of the JSON array @records, none of which is gone. */
static History history_of(const char *records) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        History h = { .complete = true };
        size_t n;

        assert_ok(sd_json_parse(records, 0, &array, NULL, NULL));
        n = sd_json_variant_elements(array);
        h.entries = calloc(n + 1, sizeof(*h.entries));
        assert_non_null(h.entries);
        for (size_t i = 0; i < n; i++) {
                sd_json_variant *record = sd_json_variant_by_index(array, i);

                assert_ok(sd_json_buildo(h.entries + i, SD_JSON_BUILD_PAIR_UNSIGNED("id", i + 1),
                                         SD_JSON_BUILD_PAIR_BOOLEAN("gone", false),
                                         SD_JSON_BUILD_PAIR_VARIANT("record", record)));
                h.n_entries++;
        }
        return h;
}

#define BY_DEVICE "\"requester\":{\"origin\":\"device\",\"key\":\"k\"}"
#define LOADED(module) \
        "{\"module\":\"" module "\",\"outcome\":\"loaded\",\"reason\":\"requested\"," BY_DEVICE

static void test_times(void **state) {
        _cleanup_(history_clear) History h = history_of(
                "[" LOADED("b") ",\"queuedUSec\":200,\"beganUSec\":300,\"endedUSec\":900,\"durationUSec\":500,\"liveUSec\":100}," LOADED("a") ",\"queuedUSec\":100,\"beganUSec\":150,\"endedUSec\":250,\"durationUSec\":90}," LOADED(
                        "backwards") ",\"queuedUSec\":500,\"beganUSec\":400,\"endedUSec\":300,\"durationUSec\":18446744073709551615,"
                                     "\"liveUSec\":18446744073709551615}," LOADED(
                                             "untimed") "},"
                                                        "{\"module\":\"w\",\"reason\":\"requested\"," BY_DEVICE
                                                        ",\"queuedUSec\":600,\"beganUSec\":700},"
                                                        "{\"module\":\"gone\",\"outcome\":\"unloaded\"," BY_DEVICE
                                                        ",\"endedUSec\":800},"
                                                        "{\"module\":\"old\",\"outcome\":\"already_loaded\",\"reason\":\"requested\"," BY_DEVICE
                                                        ",\"endedUSec\":800},"
                                                        "{\"module\":\"seen\",\"outcome\":\"loaded\",\"reason\":\"requested\",\"requester\":{\"origin\":\"initramfs\",\"key\":"
                                                        "\"seen\"},\"endedUSec\":50}]");
        _cleanup_(loads_clear) Loads l = {};

        assert_ok(loads_new(&h, false, 1000, &l));
        assert_int_equal(l.n_items, 5);
        assert_int_equal(l.n_untimed, 1);
        assert_int_equal(l.n_later, 0);

        assert_string_equal(l.items[0].module, "seen");
        assert_true(load_was_there_before(l.items));
        assert_int_equal(l.items[0].queued_usec, 50);

        assert_string_equal(l.items[1].module, "a");
        assert_int_equal(l.items[1].live_usec, 250);            /* not known: when it ended */
        assert_int_equal(l.items[1].live_after_usec, 90);

        assert_string_equal(l.items[2].module, "b");
        assert_int_equal(l.items[2].live_usec, 400);
        assert_int_equal(l.items[2].live_after_usec, 100);
        assert_int_equal(l.items[2].took_usec, 500);

        for (size_t i = 0; i < l.n_items; i++) {
                const Load *x = l.items + i;

                assert_true(x->queued_usec <= x->began_usec && x->began_usec <= x->live_usec &&
                            x->live_usec <= x->ended_usec);
                assert_true(x->live_after_usec <= x->took_usec);
        }
        assert_string_equal(l.items[4].module, "w");
        assert_int_equal(l.items[4].fate, LOAD_UNDER_WAY);
        assert_int_equal(l.items[4].ended_usec, 1000);
        assert_int_equal(loads_find(&l, "b"), 2);
        assert_int_equal(loads_find(&l, "untimed"), NO_LOAD);
        assert_int_equal(loads_last(&l), 3);
}

static void test_what_is_later(void **state) {
        _cleanup_(history_clear) History h = history_of(
                "[" LOADED("a") ",\"queuedUSec\":1000000,\"beganUSec\":1000000,\"endedUSec\":40000000}," LOADED(
                        "b") ",\"queuedUSec\":70000000,\"beganUSec\":70000000,\"endedUSec\":70000001}," LOADED("c") ",\"queuedUSec\":100000002,\"beganUSec\":100000002,\"endedUSec\":100000003}]");
        _cleanup_(loads_clear) Loads boot = {}, all = {};

        assert_ok(loads_new(&h, false, 0, &boot));
        assert_int_equal(boot.n_items, 2);
        assert_int_equal(boot.n_later, 1);
        assert_int_equal(boot.end_usec, 70000001);
        assert_ok(loads_new(&h, true, 0, &all));
        assert_int_equal(all.n_items, 3);
        assert_int_equal(all.n_later, 0);
}

static void test_nothing(void **state) {
        _cleanup_(history_clear) History h = history_of("[]");
        _cleanup_(loads_clear) Loads l = {};

        assert_ok(loads_new(&h, false, 1000, &l));
        assert_int_equal(l.n_items, 0);
        assert_int_equal(loads_last(&l), NO_LOAD);
}

#define FOR_DISK \
        "\"requester\":{\"origin\":\"device\",\"key\":\"k\",\"device\":\"/devices/pci/usb1/1-1/1-1:1.0\"}"

/* hub finds a device; disk is for that, needs lib, and lib needs base; early is needed too, but long there. */
/* clang-format off */
static const char chain_records[] =
        "[" LOADED("early") ",\"queuedUSec\":100,\"beganUSec\":100,\"endedUSec\":200},"
        LOADED("hub") ",\"queuedUSec\":1000,\"beganUSec\":1100,\"endedUSec\":2000},"
        "{\"module\":\"base\",\"outcome\":\"loaded\",\"reason\":\"dependency\",\"parent\":\"lib\"," FOR_DISK
        ",\"queuedUSec\":900000,\"beganUSec\":900100,\"endedUSec\":900500},"
        "{\"module\":\"lib\",\"outcome\":\"loaded\",\"reason\":\"dependency\",\"parent\":\"disk\"," FOR_DISK
        ",\"queuedUSec\":900600,\"beganUSec\":900700,\"endedUSec\":900900},"
        "{\"module\":\"disk\",\"outcome\":\"loaded\",\"reason\":\"requested\"," FOR_DISK
        ",\"queuedUSec\":901000,\"beganUSec\":901000,\"endedUSec\":902000}]";
/* clang-format on */

static void test_chain(void **state) {
        static const struct {
                const char *module;
                ChainLink link;
        } expected[] = {
                { "disk", LINK_DEPENDENCY },
                { "lib",  LINK_DEPENDENCY },
                { "base", LINK_DEVICE     },
                { "hub",  LINK_NOTHING    },
        };
        _cleanup_(scratch_close) Scratch s = {};
        _cleanup_(history_clear) History h = history_of(chain_records);
        _cleanup_(load_chain_clear) LoadChain chain = {};
        _cleanup_(loads_clear) Loads l = {};

        scratch_open(&s);
        scratch_mkdir(&s, "sys/devices/pci/driver");
        scratch_mkdir(&s, "sys/devices/pci/usb1/1-1/driver");
        scratch_link(&s, "sys/devices/pci/usb1/1-1/driver/module", "../../../../../module/early");
        scratch_link(&s, "sys/devices/pci/driver/module", "../../../module/hub");
        scratch_mkdir(&s, "sys/devices/pci/usb1/1-1/1-1:1.0/driver");
        scratch_link(&s, "sys/devices/pci/usb1/1-1/1-1:1.0/driver/module", "../../module/disk");

        assert_ok(loads_new(&h, false, 0, &l));
        assert_ok(load_chain_new(&l, NULL, s.dir, loads_last(&l), &chain));
        assert_int_equal(chain.n_steps, ARRAY_LEN(expected));
        for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
                assert_string_equal(l.items[chain.steps[i].load].module, expected[i].module);
                assert_int_equal(chain.steps[i].link, expected[i].link);
        }
}

static void test_evil_devices(void **state) {
        static const char *const devices[] = { "", "relative", "/../../etc", "/devices/../../x",
                                               "/devices/none" };
        _cleanup_(scratch_close) Scratch s = {};

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
                _cleanup_(freep) char *module = NULL;

                assert_int_equal(device_driver_module(s.dir, devices[i], &module), -ENOENT);
                assert_null(module);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_what_is_later),
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_chain),
                cmocka_unit_test(test_evil_devices),
        };

        return RUN_TESTS(tests);
}
