/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/print/reply-text.h"
#include "common/base/util.h"

typedef void (*printer_t)(FILE *f, sd_json_variant *v);

static void check(printer_t print, const char *json, const char *expected) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        char *text = NULL;
        size_t size;
        FILE *f;

        assert_ok(sd_json_parse(json, 0, &v, NULL, NULL));
        f = open_memstream(&text, &size);
        assert_non_null(f);
        print(f, v);
        assert_int_equal(fclose(f), 0);
        assert_string_equal(text, expected);
        free(text);
}

static void test_requesters(void **state) {
        check(print_requester, "{\"origin\":\"device\",\"key\":\"pci:v8086\",\"device\":\"/devices/pci0\"}",
              "for device /devices/pci0 (pci:v8086)");
        check(print_requester,
              "{\"origin\":\"client\",\"key\":\"e1000e\",\"pid\":4711,\"uid\":0,\"command\":\"lkmctl\"}",
              "asked for by lkmctl (pid 4711, uid 0), as e1000e");
        check(print_requester, "{\"origin\":\"client\",\"uid\":1000}", "asked for by a client (uid 1000)");
        check(print_requester, "{\"origin\":\"client\"}", "asked for by a client");
        check(print_requester, "{\"origin\":\"boot\",\"key\":\"loop\"}",
              "listed to be loaded at boot, as loop");
        check(print_requester, "{\"origin\":\"kernel\",\"key\":\"net-pf-38\"}",
              "asked for by the kernel on behalf of a process that is not known, as net-pf-38");
        check(print_requester,
              "{\"origin\":\"kernel\",\"key\":\"net-pf-38\",\"pid\":4711,\"uid\":65534,\"loginUid\":1000,"
              "\"command\":\"python3\",\"unit\":\"a.service\",\"executable\":\"/usr/bin/python3.13\"}",
              "asked for by the kernel on behalf of python3 (pid 4711, uid 65534, logged in as uid 1000, a.service, "
              "/usr/bin/python3.13), as net-pf-38");
        check(print_requester, "{\"origin\":\"kernel\",\"key\":\"a\",\"pid\":1,\"uid\":7,\"loginUid\":7}",
              "asked for by the kernel on behalf of a process (pid 1, uid 7), as a");
        check(print_requester,
              "{\"origin\":\"kernel\",\"key\":\"crypto-aes\",\"pid\":9,\"uid\":0,\"command\":\"lkmd-request\","
              "\"inferred\":true,\"chain\":[{\"pid\":8,\"uid\":1000,\"command\":\"a\\u001b\",\"container\":\"c1\"},{}]}",
              "asked for by the kernel on behalf of lkmd-request (pid 9, uid 0), while a module was loaded for "
              "a\\x1b (pid 8, uid 1000, container c1), which was for a process that is not known, it seems, as "
              "crypto-aes");
        check(print_requester, "{\"origin\":\"a\\u001bb\"}", "asked for by a\\x1bb");
        check(print_requester, "{}", "asked for by ?");
        check(print_requester, "7", "asked for by ?");

        check(print_requester_short, "{\"origin\":\"device\",\"device\":\"/devices/usb1/1-1:1.0\"}",
              "device 1-1:1.0");
        check(print_requester_short, "{\"origin\":\"device\"}", "device ?");
        check(print_requester_short, "{\"origin\":\"boot\"}", "boot");
        check(print_requester_short, "{\"origin\":\"kernel\"}", "kernel");
        check(print_requester_kind, "{\"origin\":\"device\",\"device\":\"/devices/a\"}", "devices");
        check(print_requester_kind, "{\"origin\":\"kernel\",\"key\":\"a\"}",
              "the kernel on behalf of a process that is not known");
        check(print_requester_kind, "{\"origin\":\"kernel\",\"key\":\"a\",\"uid\":7,\"command\":\"sh\"}",
              "the kernel on behalf of sh (uid 7)");
        check(print_requester_kind, "{\"origin\":\"client\"}", "a client");
        check(print_requester_kind, "{\"origin\":\"boot\"}", "the boot");
        check(print_requester_kind, "{\"origin\":\"initramfs\"}", "initramfs");
        check(print_requester_short, "{\"origin\":\"kernel\",\"command\":\"python3\"}", "python3");
}

static void test_records(void **state) {
        check(print_outcome, "{\"outcome\":\"loaded\",\"durationUSec\":12345}", "loaded in 12.3 ms");
        check(print_outcome, "{\"outcome\":\"loaded\"}", "loaded");
        check(print_outcome, "{\"outcome\":\"loaded\",\"durationUSec\":3700000,\"liveUSec\":45000}",
              "loaded in 3.7 s (usable after 45.0 ms)");
        check(print_outcome, "{\"outcome\":\"loaded\",\"durationUSec\":144000,\"liveUSec\":45000}",
              "loaded in 144.0 ms");
        check(print_outcome, "{\"outcome\":\"already_loaded\",\"durationUSec\":5}", "was loaded already");
        check(print_outcome, "{\"outcome\":\"failed\",\"durationUSec\":2000,\"message\":\"no such device\"}",
              "failed after 2.0 ms: no such device");
        check(print_outcome, "{\"outcome\":\"exploded\",\"durationUSec\":2000}", "exploded, 2.0 ms");
        check(print_outcome, "{\"durationUSec\":2000000}", "under way for 2.0 s");
        check(print_record_requester_short, "{\"reason\":\"dependency\",\"parent\":\"e1000e\"}",
              "needed by e1000e");
        check(print_record_requester_short, "{\"reason\":\"softdep_pre\",\"parent\":\"a\"}",
              "wanted before a");
        check(print_record_requester_short, "{\"reason\":\"softdep_post\",\"parent\":\"a\"}",
              "wanted after a");
        check(print_record_requester_short, "{\"reason\":\"whim\",\"parent\":\"a\"}", "along with a");
        check(print_record_requester,
              "{\"reason\":\"dependency\",\"parent\":\"a\",\"durationUSec\":5,\"requester\":{\"origin\":\"boot\"}}",
              "needed by a, listed to be loaded at boot");
        check(print_record_requester,
              "{\"module\":\"snd_hda\",\"durationUSec\":5,\"requester\":{\"origin\":\"boot\",\"key\":\"snd-hda\"}}",
              "listed to be loaded at boot");
        check(print_record_requester,
              "{\"module\":\"snd_hda\",\"durationUSec\":5,\"requester\":{\"origin\":\"boot\",\"key\":\"snd-hd\"}}",
              "listed to be loaded at boot, as snd-hd");
        check(print_record_requester, "{\"module\":\"a\",\"requester\":{\"origin\":\"boot\",\"key\":\"a\"}}",
              "at boot, before lkmd started");
        check(print_record_requester,
              "{\"module\":\"a\",\"requester\":{\"origin\":\"initramfs\",\"key\":\"a\"}}",
              "by the initramfs, before lkmd started");
        check(print_record_requester,
              "{\"module\":\"a\",\"requester\":{\"origin\":\"foreign\",\"key\":\"a\",\"command\":\"insmod\",\"pid\":7,\"uid\":0}}",
              "without lkmd, by insmod (pid 7, uid 0)");
        check(print_requester_short, "{\"origin\":\"foreign\"}", "foreign");
        check(print_requester_short, "{\"origin\":\"foreign\",\"command\":\"insmod\"}", "insmod");
}

static void test_omissions(void **state) {
        check(print_omission,
              "{\"kind\":\"blacklisted\",\"module\":\"a\",\"file\":\"/etc/b.conf\",\"line\":3}",
              "blacklisted by /etc/b.conf:3");
        check(print_omission, "{\"kind\":\"denied\",\"module\":\"a\",\"wantedBy\":\"b\",\"required\":true}",
              "denied, needed by b");
        check(print_omission, "{\"kind\":\"denied\",\"module\":\"a\",\"wantedBy\":\"b\",\"required\":false}",
              "denied, wanted by b");
        check(print_omission, "{\"kind\":\"bored\",\"file\":\"/f\"}", "bored, see /f");
        check(print_problem, "{\"file\":\"/etc/a\",\"line\":7,\"message\":\"unknown key\"}",
              "/etc/a:7: unknown key");
        check(print_problem, "{\"file\":\"/etc/a\",\"message\":\"unreadable\"}", "/etc/a: unreadable");
        check(print_strings, "[\"a\",\"b\",3]", "a, b, ?");
        check(print_strings, "{}", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requesters),
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_omissions),
        };

        return RUN_TESTS(tests);
}
