/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/machine/kernel-memory.h"
#include "scratch.h"

static void test_modules(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        _cleanup_(proc_modules_clear) ProcModules m = {};

        scratch_open(&s);
        scratch_write(&s, "proc/modules",
                      "e1000e 372736 0 - Live 0x0000000000000000\n"
                      "ptp 45056 1 e1000e, Live 0x0000000000000000\n"
                      "\n"
                      "garbage\n"
                      "slow 16384 -1 - Loading 0x0000000000000000\n"
                      "no_number x 0 - Live 0x0\n"
                      "odd\xff 4096 0 [permanent], Live 0x0 (OE)\n"
                      "huge 18446744073709551615 99999999999 - Live 0x0");
        assert_ok(proc_modules_read(s.dir, &m));
        assert_int_equal(m.n_items, 5);
        assert_string_equal(m.items[0].name, "e1000e");
        assert_int_equal(m.items[0].size_bytes, 372736);
        assert_int_equal(m.items[0].ref_count, 0);
        assert_false(m.items[0].has_users);
        assert_true(m.items[0].is_live);
        assert_true(m.items[1].has_users);
        assert_false(m.items[2].is_live);
        assert_int_equal(m.items[2].ref_count, -1);
        assert_string_equal(m.items[3].name, "odd\xff");
        assert_true(m.items[3].has_users);
        assert_int_equal(m.items[4].ref_count, -1);
}

static void test_vmalloc(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        VmallocInfo v;

        scratch_open(&s);
        scratch_write(
                &s, "proc/vmallocinfo",
                "0x0000000059182e5b-0x00000000f53c419f   20480 irq_init_percpu_irqstack+0xf8/0x130 vmap\n"
                "0x00000000357ad9e6-0x00000000b0cfae29    8192 load_module+0x5a1/0x1d60 pages=1 vmalloc N0=1\n"
                "0x00000000bf61990c-0x00000000f18aeeb8   20480 load_module+0x5a1/0x1d60 pages=4 vmalloc N0=4\n"
                "0x00000000bf61990c-0x00000000f18aeeb8   20480 load_module_too+0x5a1/0x1d60 pages=4 vmalloc N0=4\n"
                "0x00000000bf61990c-0x00000000f18aeeb8 2101248 execmem_vmalloc+0x1/0x2 pages=512 vmalloc N0=512\n"
                "0x00000000bf61990c-0x00000000f18aeeb8   12288 unpurged vm_area\n"
                "0x1-0x2 4096 load_module+0x1/0x2 pages=99999999 vmalloc\n"
                "0x1-0x2 4096\n"
                "nonsense of some words\n");
        assert_ok(vmalloc_info_read(s.dir, 4096, &v));
        assert_int_equal(v.modules.areas, 3);
        assert_int_equal(v.modules.bytes, (1 + 4 + 512) * 4096);
        assert_int_equal(v.modules.guard_bytes, 3 * 4096);
        assert_int_equal(v.all.areas, 6);
        assert_int_equal(v.all.bytes, 20480 + (1 + 4 + 4 + 512 + 1) * 4096);
        assert_int_equal(v.unpurged_areas, 1);
}

static void test_direct_map(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        DirectMap map;

        scratch_open(&s);
        scratch_write(
                &s, "proc/meminfo",
                "MemTotal:        1003268 kB\nDirectMap4k:       96092 kB\nDirectMap2M:      952320 kB\n"
                "DirectMapX:  1 kB\nDirectMap4T: 1 kB\nDirectMap8k: 1 MB\nDirectMap1G:           0 kB\n"
                "DirectMap3G: 18446744073709551615 kB\n");
        assert_ok(direct_map_read(s.dir, &map));
        assert_int_equal(map.n_sizes, 3);
        assert_int_equal(map.sizes[0].page_bytes, 4096);
        assert_int_equal(map.sizes[0].bytes, UINT64_C(96092) * 1024);
        assert_int_equal(map.sizes[1].page_bytes, 2 << 20);
        assert_int_equal(map.sizes[2].page_bytes, 1 << 30);
        assert_int_equal(map.sizes[2].bytes, 0);
}

static void test_not_there(void **state) {
        _cleanup_(scratch_close) Scratch s = {};
        _cleanup_(proc_modules_clear) ProcModules m = {};
        VmallocInfo v;
        DirectMap map;

        scratch_open(&s);
        assert_int_equal(proc_modules_read(s.dir, &m), -ENOENT);
        assert_int_equal(vmalloc_info_read(s.dir, 4096, &v), -ENOENT);
        assert_int_equal(direct_map_read(s.dir, &map), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modules),
                cmocka_unit_test(test_vmalloc),
                cmocka_unit_test(test_direct_map),
                cmocka_unit_test(test_not_there),
        };

        return RUN_TESTS(tests);
}
