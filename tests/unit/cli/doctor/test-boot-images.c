/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/doctor/boot-images.h"
#include "scratch.h"

static const struct {
        const char *file, *release;     /* NULL: it is none that is started */
        bool is_running;
} cases[] = {
        { "initrd.img-6.12.0-1-amd64", "6.12.0-1-amd64", true },
        { "initrd.img-6.12.0", "6.12.0", false },
        { "initramfs-6.12.0-1-amd64.img", "6.12.0-1-amd64", true },
        { "initramfs-linux.img", "linux", true },
        { "initramfs-linux-lts.img", "linux-lts", false },
        { "initramfs-linux-fallback.img", NULL, false },
        { "initrd-6.12.0-1-amd64", "6.12.0-1-amd64", true },
        { "initrd.img-6.12.0-1-amd64.old", NULL, false },
        { "initrd.img-6.12.0-1-amd64.old-dkms", NULL, false },
        { "initrd.img-6.12.0-1-amd64.dpkg-bak", NULL, false },
        { "initramfs-0-rescue-0123456789abcdef.img", NULL, false },
        { "initramfs-6.12.0-1-amd64kdump.img", NULL, false },
        { "initrd.img", NULL, false },
        { "initrd.img.old", NULL, false },
        { "vmlinuz-6.12.0-1-amd64", NULL, false },
        { "config-6.12.0-1-amd64", NULL, false },
};

static void test_names(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                _cleanup_(boot_images_clear) BootImages l = {};

                scratch_open(&s);
                scratch_write(&s, cases[i].file, "");
                assert_ok(boot_images_find(s.dir, "6.12.0-1-amd64", "linux", &l));
                assert_int_equal(l.n_items, cases[i].release != NULL);
                if (!cases[i].release)
                        continue;
                assert_string_equal(l.items[0].release, cases[i].release);
                assert_string_equal(l.items[0].path, scratch_path(&s, cases[i].file));
                assert_int_equal(l.items[0].is_running, cases[i].is_running);
        }
}

static void test_all_together(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(boot_images_clear) BootImages all = {}, none = {};
        size_t expected = 0;

        scratch_open(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                scratch_write(&s, cases[i].file, "");
                expected += cases[i].release != NULL;
        }
        assert_ok(boot_images_find(s.dir, "6.12.0-1-amd64", NULL, &all));
        assert_int_equal(all.n_items, expected);
        assert_ok(boot_images_find("/nowhere", "6.12.0-1-amd64", NULL, &none));
        assert_int_equal(none.n_items, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_all_together),
        };

        return RUN_TESTS(tests);
}
