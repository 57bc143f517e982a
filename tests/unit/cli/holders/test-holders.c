/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/holders/holders.h"

#include "scratch.h"
#include "test.h"

/* A machine as files. Open devices are links to /dev/null and /dev/zero, which exist everywhere: 1:3 and 1:5. */
static void make_machine(Scratch *s) {
        static const struct {
                const char *name, *text;
        } files[] = {
                { "proc/sys/kernel/osrelease", "6.1.0-fake\n" },
                { "lib/modules/6.1.0-fake/modules.alias",
                  "# comment\nalias fs-fakefs fake\nalias block-major-7-* fake\nalias char-major-1-3 fake\n"
                  "alias fs-other other\nalias net-pf-16-proto-12 fake\nalias\nalias x fake y\n fake\nfake\n" },
                { "sys/module/fake/refcnt", "40\n" },
                { "sys/module/fake/holders/user/refcnt", "0\n" },
                { "sys/module/idle/refcnt", "0\n" },
                { "sys/module/builtin/version", "1\n" },
                { "sys/module/broken/refcnt", "many\n" },
                { "sys/module/dm_mod/refcnt", "1\n" },
                { "sys/module/cpufreq_ondemand/refcnt", "1\n" },
                { "sys/module/tcp_bbr/refcnt", "1\n" },
                { "sys/module/aes_fake/refcnt", "2\n" },
                { "sys/module/algif_hash/refcnt", "1\n" },
                { "sys/module/drm_fake/refcnt", "1\n" },
                { "sys/devices/virtual/block/loop0/loop/backing_file", "/root/a b\xff.img\n" },
                { "sys/devices/virtual/block/loop0/holders/dm-0", "" },
                { "sys/devices/virtual/block/loop0/holders/md5", "" },
                { "sys/devices/virtual/block/dm-0/dm/name", "vg-root\n" },
                { "sys/devices/virtual/block/dm-0/dm/uuid", "LVM-xyz\n" },
                { "sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "ondemand\n" },
                { "sys/devices/pci0000:00/0000:00:02.0/graphics/fb0/name", "fake\n" },
                { "sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n" },
                { "sys/class/vtconsole/vtcon1/bind", "1\n" },
                { "proc/sys/net/ipv4/tcp_congestion_control", "bbr\n" },
                { "proc/devices", "Character devices:\n  1 mem\n\nBlock devices:\n253 device-mapper\nx\n" },
                { "proc/swaps", "Filename Type Size Used Priority\n/dev/loop0 partition 1 0 -2\n/nowhere file 1 0 -3\n" },
                { "proc/crypto",
                  "name         : cbc(aes)\ndriver       : cbc-fake\nmodule       : aes_fake\nrefcnt       : 3\n\n"
                  "name         : ecb(aes)\ndriver       : ecb-fake\nmodule       : aes_fake\nrefcnt       : 1\n\n"
                  "module : aes_fake\nrefcnt : 99\n\nnonsense" },
                { "proc/net/protocols",
                  "protocol  size sockets  memory press maxhdr  slab module     cl\n"
                  "FAKE 1 3 0 no 0 yes fake n\nOTHER 1 9 0 no 0 yes other n\nshort\n" },
                { "proc/50/mountinfo",
                  "1 0 0:20 / / rw - rootfs rootfs rw\n"
                  "2 1 7:0 / /mnt/a\\040b rw,noatime shared:1 master:2 - fakefs /dev/loop0 rw\n"
                  "3 1 7:0 / /again rw - fakefs /dev/loop0 rw\n"
                  "4 1 0:33 / /made-up rw - otherfs /dev/loop0 rw\n"
                  "5 1 x / y\nz\n\n6 1 1:1 / /p rw - \n" },
                { "proc/51/mountinfo", "2 1 7:0 / /mnt/a\\040b rw - fakefs x rw\n7 1 7:0 / /private rw - fakefs x rw\n" },
                { "proc/50/comm", "first\n" },
                { "proc/51/comm", "sec)\x1b[1m\n" },
                { "proc/50/cgroup", "0::/system.slice/first.service\n" },
                { "proc/51/cgroup", "0::/user.slice/user-1.slice/session-1.scope\n" },
                { "proc/50/net/netlink",
                  "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0 12 1 0 0 0 0 2 0 904\n0 0 1 0 0 0 0 2 0 905\n" },
                { "proc/50/maps", "7f-80 rw-s 0 00:05 9 /dev/fake\n" },
                { "proc/51/maps", "" },
        };
        static const struct {
                const char *name, *target;
        } links[] = {
                { "sys/dev/block/7:0", "../../devices/virtual/block/loop0" },
                { "sys/dev/block/253:0", "../../devices/virtual/block/dm-0" },
                { "sys/dev/char/1:3", "../../devices/virtual/mem/null" },
                { "sys/dev/char/nonsense", "../../devices/virtual/mem/fake" },
                { "sys/class/block/dm-0", "../../devices/virtual/block/dm-0" },
                { "sys/class/graphics/fb0", "../../devices/pci0000:00/0000:00:02.0/graphics/fb0" },
                { "sys/module/drm_fake/drivers/pci:fake", "../../../bus/pci/drivers/fake" },
                { "sys/bus/pci/drivers/fake/0000:00:02.0", "../../../../devices/pci0000:00/0000:00:02.0" },
                { "proc/self", "50" },
                { "proc/50/ns/mnt", "mnt:[1]" },
                { "proc/50/ns/net", "net:[2]" },
                { "proc/51/ns/mnt", "mnt:[3]" },
                { "proc/51/ns/net", "net:[2]" },
                { "proc/50/fd/0", "/dev/null" },
                { "proc/50/fd/1", "/dev/null" },
                { "proc/50/fd/2", "/dev/zero" },
                { "proc/50/fd/3", "socket:[901]" },
                { "proc/50/fd/4", "socket:[904]" },
                { "proc/50/fd/5", "anon_inode:kvm-vm" },
                { "proc/51/fd/0", "/dev/null" },
                { "proc/51/fd/1", "socket:[902]" },
                { "proc/51/fd/2", "socket:nonsense" },
                { "proc/52/fd/0", "/dev/null" }, /* ends before it is described */
        };

        scratch_open(s);
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                scratch_write(s, files[i].name, files[i].text);
        for (size_t i = 0; i < ARRAY_LEN(links); i++)
                scratch_link(s, links[i].name, links[i].target);
        scratch_mkdir(s, "proc/99999999999999999999");
}

static int protocol_of(const char *path, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s", endswith(path, "50/fd/3") ? "FAKE" : "ALG");
        return 0;
}

static void look(const Scratch *s, const char *module, Subject **ret) {
        assert_ok(subject_new(ret, s->dir, module));
        (*ret)->socket_protocol = protocol_of;
        assert_ok(holders_look(*ret));
}

static const Hold *find(const Subject *s, HoldKind kind, const char *name, pid_t pid) {
        for (size_t i = 0; i < s->holds.n_items; i++) {
                const Hold *h = s->holds.items + i;

                if (h->kind == kind && (pid ? h->pid == pid : streq(h->name, name)))
                        return h;
        }
        return NULL;
}

static void test_all_kinds(void **state) {
        static const struct {
                const char *module;
                HoldKind kind;
                const char *name;
                pid_t pid;
                const char *how;
                unsigned references;
                const char *next;       /* NULL: none; "*": something with the directory of the test */
        } cases[] = {
                { "fake", HOLD_MODULE, "user", 0, "needs it", 1, "lkmctl unload user" },
                { "fake", HOLD_MOUNT, "/mnt/a b", 0, "is a mounted fakefs of /dev/loop0", 1, "umount '/mnt/a b'" },
                { "fake", HOLD_MOUNT, "/again", 0, "is a mounted fakefs of /dev/loop0", 0, "umount /again" },
                { "fake", HOLD_MOUNT, "/made-up", 0, "is a mounted otherfs of /dev/loop0", 1, "umount /made-up" },
                { "fake", HOLD_MOUNT, "/private", 0,
                  "is a mounted fakefs of x where the process 51 (sec)\x1b[1m) sees it", 0,
                  "nsenter -m -t 51 umount /private" },
                { "fake", HOLD_SWAP, "/dev/loop0", 0, "is used as swap space", 1, "swapoff /dev/loop0" },
                { "fake", HOLD_LOOP, "/dev/loop0", 0, "shows the file /root/a b\xff.img", 1, "losetup -d /dev/loop0" },
                { "fake", HOLD_BLOCK, "/dev/dm-0 (vg-root)", 0, "is made of /dev/loop0", 1,
                  "lvchange -an /dev/mapper/vg-root" },
                { "fake", HOLD_BLOCK, "/dev/md5", 0, "is made of /dev/loop0", 1, "mdadm --stop /dev/md5" },
                { "fake", HOLD_FILE, NULL, 50, "has /dev/null open", 4, "systemctl stop first.service" },
                { "fake", HOLD_FILE, NULL, 51, "has /dev/null open", 2, "kill 51" },
                { "fake", HOLD_SOCKET, "kernel", 0,
                  "has 2 sockets of its own, or processes that were not seen have", 4, NULL },
                { "dm_mod", HOLD_BLOCK, "/dev/dm-0 (vg-root)", 0, "is a mapped device", 1,
                  "lvchange -an /dev/mapper/vg-root" },
                { "cpufreq-ondemand", HOLD_SETTING, "policy0", 0, "has it as the governor of processors", 1, "*" },
                { "tcp_bbr", HOLD_SETTING, "net.ipv4.tcp_congestion_control", 0,
                  "has it as the default of new connections", 1,
                  "sysctl net.ipv4.tcp_congestion_control=cubic" },
                { "aes_fake", HOLD_CIPHER, "cbc-fake", 0, "computes cbc(aes) for several users", 2, NULL },
                { "algif_hash", HOLD_SOCKET, NULL, 51, "has a socket of the protocol ALG open", 1, "kill 51" },
                { "drm_fake", HOLD_CONSOLE, "vtcon1", 0, "shows the text console on it", 1, "*" },
                { "drm_fake", HOLD_DEVICE, "0000:00:02.0", 0, "is driven by it", 0, NULL },
        };
        _cleanup_(scratch_close) Scratch s = {};

        make_machine(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(subject_freep) Subject *subject = NULL;
                const Hold *h;

                look(&s, cases[i].module, &subject);
                h = find(subject, cases[i].kind, cases[i].name, cases[i].pid);
                if (!h)
                        fail_msg("%s: no %s %s", cases[i].module, hold_kind_to_string(cases[i].kind),
                                 cases[i].name ?: "");
                assert_string_equal(h->how, cases[i].how);
                assert_int_equal(h->references, cases[i].references);
                if (!streq_ptr(cases[i].next, "*") && !streq_ptr(h->next, cases[i].next))
                        fail_msg("%s: %s", cases[i].how, h->next);
        }
}

/* Both sockets of a process: one by its protocol, one by the table of netlink. */
static void test_sockets(void **state) {
        _cleanup_(subject_freep) Subject *subject = NULL;
        _cleanup_(scratch_close) Scratch s = {};
        unsigned n = 0;

        make_machine(&s);
        look(&s, "fake", &subject);
        for (size_t i = 0; i < subject->holds.n_items; i++) {
                const Hold *h = subject->holds.items + i;

                if (h->kind != HOLD_SOCKET || h->pid != 50)
                        continue;
                n += streq(h->how, "has a socket of the protocol FAKE open") && h->references == 2;
                n += streq(h->how, "has a socket of netlink's protocol 12 open") && h->references == 1;
        }
        assert_int_equal(n, 2);
        assert_null(find(subject, HOLD_FILE, NULL, 52));
        assert_int_equal(subject->n_references, 40);
        assert_true(holders_explained(subject) < 40);
        assert_int_equal(holders_first(subject)->kind, HOLD_MODULE);
}

static void test_no_subject(void **state) {
        static const struct {
                const char *module;
                int error;
        } cases[] = {
                { "nothing", -ENOENT },  { "builtin", -ENODATA }, { "broken", -ENODATA },
                { "../module", -EINVAL }, { "..", -EINVAL },       { "", -EINVAL },
        };
        _cleanup_(scratch_close) Scratch s = {};
        _cleanup_(subject_freep) Subject *idle = NULL;

        make_machine(&s);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Subject *subject = NULL;
                int r = holders_find(&subject, s.dir, cases[i].module);

                if (r != cases[i].error)
                        fail_msg("%s: %s", cases[i].module, strerror(-r));
                assert_null(subject);
        }
        assert_ok(holders_find(&idle, s.dir, "idle"));
        assert_int_equal(idle->holds.n_items, 0);
        assert_null(holders_first(idle));
}

static void test_json(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *error = NULL;
        _cleanup_(subject_freep) Subject *subject = NULL;
        _cleanup_(scratch_close) Scratch s = {};
        sd_json_variant *list;

        make_machine(&s);
        look(&s, "fake", &subject);
        assert_ok(holders_to_json(subject, &v));
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "module")), "fake");
        list = sd_json_variant_by_key(v, "holders");
        assert_int_equal(sd_json_variant_elements(list), subject->holds.n_items);
        assert_string_equal(
                sd_json_variant_string(sd_json_variant_by_key(sd_json_variant_by_index(list, 0), "kind")),
                "module");

        assert_ok(sd_json_buildo(&error, SD_JSON_BUILD_PAIR_STRING("module", "fake"),
                                 SD_JSON_BUILD_PAIR_STRING("hint", "before")));
        assert_ok(holders_add_to_error(s.dir, &error));
        list = sd_json_variant_by_key(error, "heldBy");
        assert_int_equal(sd_json_variant_elements(list), 3);
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_index(list, 0)), "user needs it");
        assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(error, "hint")),
                            "lkmctl unload user; lkmctl holders fake shows all that uses it");

        assert_ok(sd_json_variant_set_field_string(&error, "module", "nothing"));
        assert_ok(holders_add_to_error(s.dir, &error)); /* it has gone meanwhile: as it was */
}

/* Every module of this machine, whatever it has. */
static void test_here(void **state) {
        _cleanup_(closedirp) DIR *dir = opendir("/sys/module");
        struct dirent *entry;
        unsigned n = 0;

        while (dir && n < 8 && (entry = readdir(dir))) {
                _cleanup_(subject_freep) Subject *s = NULL;

                if (entry->d_name[0] != '.' && holders_find(&s, "", entry->d_name) >= 0)
                        n++;
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_kinds),  cmocka_unit_test(test_sockets),
                cmocka_unit_test(test_no_subject), cmocka_unit_test(test_json),
                cmocka_unit_test(test_here),
        };

        return RUN_TESTS(tests);
}
