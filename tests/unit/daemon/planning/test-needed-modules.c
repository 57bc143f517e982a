/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/planning/needed-modules.h"

#include "scratch.h"
#include "test.h"

#define PCI "sys/devices/pci0000:00/0000:00:04.0"
#define NIC "sys/devices/pci0000:00/0000:00:05.0"

/* A device that is driven by a module. @up: from its directory to /sys */
static void drive(const Scratch *s, const char *device, const char *up, const char *driver,
                  const char *module) {
        char name[256], to[256];

        snprintf(name, sizeof(name), "%s/driver", device);
        snprintf(to, sizeof(to), "%sbus/x/drivers/%s", up, driver);
        scratch_link(s, name, to);
        snprintf(name, sizeof(name), "sys/bus/x/drivers/%s/module", driver);
        snprintf(to, sizeof(to), "../../../../module/%s", module);
        scratch_mkdir(s, "sys/module");
        scratch_link(s, name, to);
}

/* vda with a partition, behind virtio behind PCI; dm-0 on the partition; a network card with a VLAN. */
static void make_machine(const Scratch *s, const char *mounts, const char *swaps) {
        scratch_mkdir(s, PCI "/virtio1/block/vda/vda1");
        scratch_mkdir(s, PCI "/virtio1/block/vda/vda1/slaves");
        drive(s, PCI "/virtio1", "../../../../", "virtio_blk", "virtio_blk");
        drive(s, PCI, "../../../", "virtio-pci", "virtio_pci");
        scratch_link(s, "sys/class/block/vda1",
                     "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1");
        scratch_link(s, "sys/dev/block/254:1",
                     "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1");
        scratch_link(s, "sys/devices/virtual/block/dm-0/slaves/vda1",
                     "../../../../../pci0000:00/0000:00:04.0/virtio1/block/vda/vda1");
        scratch_write(s, "sys/devices/virtual/block/dm-0/dm/name", "crypt\n");
        scratch_link(s, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
        scratch_link(s, "sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
        scratch_mkdir(s, NIC "/net/eth0");
        drive(s, NIC, "../../../", "e1000e", "e1000e");
        scratch_link(s, "sys/class/net/eth0", "../../devices/pci0000:00/0000:00:05.0/net/eth0");
        scratch_link(s, "sys/devices/virtual/net/eth0.5/lower_eth0",
                     "../../../pci0000:00/0000:00:05.0/net/eth0");
        scratch_write(s, "sys/devices/virtual/net/eth0.5/uevent", "DEVTYPE=vlan\nINTERFACE=eth0.5\n");
        scratch_link(s, "sys/class/net/eth0.5", "../../devices/virtual/net/eth0.5");
        scratch_write(s, "proc/self/mountinfo", mounts);
        scratch_write(s, "proc/swaps", swaps);
}

/* "file_system / virtio_blk (vda1 virtio1), ..." */
static char *story(const NeedList *needs) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < needs->n_items; i++) {
                const Need *n = needs->items + i;

                fprintf(f, "%s%s %s %s (", i > 0 ? ", " : "", need_kind_to_string(n->kind), n->name,
                        n->module);
                for (char **t = n->through; t && *t; t++)
                        fprintf(f, "%s%s", t == n->through ? "" : " ", *t);
                fputc(')', f);
        }
        fclose(f);
        return text;
}

static void expect(const char *mounts, const char *swaps, char *const *interfaces, const char *expected) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(needs_clear) NeedList needs = {};
        _cleanup_(freep) char *found = NULL;

        scratch_open(&s);
        make_machine(&s, mounts, swaps);
        assert_ok(needs_find(&needs, &(NeedQuestion) { .root = s.dir, .interfaces = interfaces }));
        found = story(&needs);
        assert_string_equal(found, expected);
}

static void test_file_systems(void **state) {
        expect("1 0 254:1 / / rw - ext4 /dev/root rw\n", "", NULL,
               "file_system / ext4 (), file_system / virtio_blk (vda1 virtio1), "
               "file_system / virtio_pci (vda1 virtio1 0000:00:04.0)");
        expect("1 0 253:0 / /boot rw shared:1 - vfat /dev/mapper/crypt rw\n2 1 0:9 / /mnt rw - tmpfs tmpfs rw\n",
               "", NULL,
               "file_system /boot vfat (), file_system /boot virtio_blk (dm-0 vda1 virtio1), "
               "file_system /boot virtio_pci (dm-0 vda1 virtio1 0000:00:04.0)");
        /* btrfs has no device number, and an overlay what it is made of */
        expect("1 0 0:31 / / rw - overlay o rw,lowerdir=/ro,upperdir=/mem\n2 1 0:32 / /ro ro - btrfs /dev/mapper/crypt ro\n"
               "3 1 0:33 / /mem rw - tmpfs tmpfs rw\n",
               "", NULL,
               "file_system / overlay (), file_system / btrfs (), file_system / virtio_blk (dm-0 vda1 virtio1), "
               "file_system / virtio_pci (dm-0 vda1 virtio1 0000:00:04.0), file_system / tmpfs ()");
        /* an overlay whose layers are out of sight leads to itself */
        expect("1 0 0:31 / / rw - overlay o rw,lowerdir=/gone\n", "", NULL, "file_system / overlay ()");
        expect("garbage\n\n1 0 x:y / / rw - ext4 /dev/x rw\n1 0 99:99 / /usr rw - fuse.sshfs x rw", "", NULL,
               "file_system /usr fuse ()");
}

static void test_swap(void **state) {
        expect("1 0 254:1 / /with\\040blank rw - xfs /dev/vda1 rw\n",
               "Filename Type Size Used Priority\n/dev/dm-0 partition 1 0 -2\n/with\\040blank/swap file 1 0 -3\n/dev/gone x 1 0 1\n", NULL,
               "swap /dev/dm-0 virtio_blk (dm-0 vda1 virtio1), swap /dev/dm-0 virtio_pci (dm-0 vda1 virtio1 0000:00:04.0), "
               "swap /with blank/swap xfs (), swap /with blank/swap virtio_blk (vda1 virtio1), "
               "swap /with blank/swap virtio_pci (vda1 virtio1 0000:00:04.0)");
}

static void test_network(void **state) {
        char *const card[] = { (char *) "eth0", NULL }, *const vlan[] = { (char *) "eth0.5", NULL };
        char *const bad[] = { (char *) "../net/eth0", (char *) "gone", NULL };

        expect("", "", card, "network eth0 e1000e (eth0 0000:00:05.0)");
        expect("", "", vlan, "network eth0.5 e1000e (eth0.5 eth0 0000:00:05.0)");
        expect("", "", bad, "");
}

static void test_console(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(needs_clear) NeedList needs = {};
        _cleanup_(freep) char *found = NULL, *text = NULL;

        scratch_open(&s);
        make_machine(&s, "", "");
        scratch_write(&s, "sys/class/tty/console/active", "tty0 ttyUSB0\n");
        scratch_mkdir(&s, NIC "/ttyUSB0/tty/ttyUSB0");
        drive(&s, NIC "/ttyUSB0", "../../../../", "pl2303", "pl2303");
        scratch_link(&s, "sys/class/tty/ttyUSB0",
                     "../../devices/pci0000:00/0000:00:05.0/ttyUSB0/tty/ttyUSB0");
        scratch_mkdir(&s, PCI "/graphics/fb0");
        scratch_link(&s, "sys/class/graphics/fb0", "../../devices/pci0000:00/0000:00:04.0/graphics/fb0");
        assert_ok(needs_find(&needs, &(NeedQuestion) { .root = s.dir }));
        found = story(&needs);
        assert_string_equal(
                found,
                "console tty0 virtio_pci (fb0 0000:00:04.0), console ttyUSB0 pl2303 (ttyUSB0 ttyUSB0), "
                "console ttyUSB0 e1000e (ttyUSB0 ttyUSB0 0000:00:05.0)");
        assert_ok(need_describe(needs_find_module(&needs, "virtio_pci"), &text));
        assert_string_equal(text, "the console tty0 is on fb0, behind 0000:00:04.0");
        assert_null(needs_find_module(&needs, "dummy"));
}

static void test_names(void **state) {
        assert_true(interface_name_is_sound("eth0.5"));
        assert_false(interface_name_is_sound(""));
        assert_false(interface_name_is_sound(".."));
        assert_false(interface_name_is_sound("a/b"));
        assert_false(interface_name_is_sound("sixteen_letters_"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_systems), cmocka_unit_test(test_swap),
                cmocka_unit_test(test_network),      cmocka_unit_test(test_console),
                cmocka_unit_test(test_names),
        };

        return RUN_TESTS(tests);
}
