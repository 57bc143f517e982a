/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "daemon/devices/kernel-uevent.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/util.h"

typedef struct Case {
        const char *title;
        const char *text;
        size_t size;
        const char *device;             /* NULL: -EBADMSG */
        uint64_t seqnum;
        DeviceFacts facts;
} Case;

#define TEXT(t) .text = (t), .size = sizeof(t) - 1
#define HEAD "add@/devices/pci0000:00/x!y\0ACTION=add\0DEVPATH=/devices/pci0000:00/x!y\0SUBSYSTEM=usb\0"
#define OF_HEAD .device = "/devices/pci0000:00/x!y"
#define FACTS(...) .facts = { .action = "add", .subsystem = "usb", .sysname = "x/y", __VA_ARGS__ }

static const Case cases[] = {
        { "one with all", TEXT(HEAD "DRIVER=d\0MODALIAS=usb:v1\0SEQNUM=4711\0"), OF_HEAD, .seqnum = 4711,
          FACTS(.driver = "d", .modalias = "usb:v1") },
        { "no end", TEXT(HEAD "SEQNUM=4711\0MODALIAS=usb:v1"), OF_HEAD, .seqnum = 4711,
          FACTS(.modalias = "usb:v1") },
        { "no number", TEXT(HEAD), OF_HEAD, FACTS() },
        { "names that are no text",
          TEXT(HEAD "MMC_NAME=H8G4a\x92\0NAME=\"a\tb\x01\xff\"\0MODALIAS=mmc:block\0"), OF_HEAD,
          FACTS(.modalias = "mmc:block") },
        { "a modalias that is no text", TEXT(HEAD "MODALIAS=any:\xff \t\x01 \0"), OF_HEAD,
          FACTS(.modalias = "any:\xff \t\x01 ") },
        { "a name that would be a property", TEXT(HEAD "MODALIAS=usb:v1\0NAME=x\nMODALIAS=evil\nDRIVER=y\0"),
          OF_HEAD, FACTS(.modalias = "usb:v1") },
        { "a line break at the end", TEXT(HEAD "MODALIAS=usb:v1\n\0SEQNUM=1\n\0"), OF_HEAD, .seqnum = 1,
          FACTS(.modalias = "usb:v1") },
        { "no action", TEXT("add@/devices/x\0DEVPATH=/devices/x\0SUBSYSTEM=usb\0"), NULL },
        { "no path", TEXT("add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0"), NULL },
        { "an empty path", TEXT("ACTION=add\0DEVPATH=\0"), NULL },
        { "a path from nowhere", TEXT("ACTION=add\0DEVPATH=devices/x\0"), NULL },
        { "nothing", TEXT(""), NULL },
        { "NULs", TEXT("\0\0\0"), NULL },
        { "line breaks", TEXT("\n\n\0\n"), NULL },
};

static void test_parse(void **state) {
        static KernelUevent u;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const Case *c = &cases[i];
                int r;

                memset(&u, 'x', sizeof(u));
                memcpy(u.text, c->text, c->size);
                r = kernel_uevent_parse(&u, c->size);
                if (r != (c->device ? 0 : -EBADMSG))
                        fail_msg("%s: %i", c->title, r);
                if (r < 0)
                        continue;
                assert_string_equal(u.device, c->device);
                assert_true(u.seqnum == c->seqnum);
                if (!device_facts_equal(&u.facts, &c->facts))
                        fail_msg("%s: other facts", c->title);
        }
}

/* Up to the size of a path, and of a message. */
static void test_bounds(void **state) {
        static const char head[] = "ACTION=add\0DEVPATH=/";
        static KernelUevent u;

        for (size_t length = PATH_MAX - 2; length <= PATH_MAX + 1; length++) {
                memset(u.text, 'x', sizeof(u.text));
                memcpy(u.text, head, sizeof(head) - 1);
                assert_int_equal(kernel_uevent_parse(&u, sizeof(head) - 2 + length),
                                 length < PATH_MAX ? 0 : -EBADMSG);
        }
        memset(u.text, '\n', sizeof(u.text));
        assert_int_equal(kernel_uevent_parse(&u, KERNEL_UEVENT_MAX), -EBADMSG);
}

/* Root can send to the kernel's group, and is not the kernel. In a network of its own, where nobody else hears it. */
static void test_forged(void **state) {
        static const char text[] = HEAD "MODALIAS=usb:v1\0SEQNUM=1";
        const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        static KernelUevent u;
        int fd, sender;

        if (unshare(CLONE_NEWNET) < 0) {
                assert_int_equal(errno, EPERM);
                skip();
        }
        fd = kernel_uevent_listen();
        assert_true(fd >= 0);
        assert_ok(kernel_uevent_set_buffer(fd, 64U << 10));
        assert_int_equal(kernel_uevent_receive(fd, &u), -EAGAIN);
        sender = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        assert_true(sender >= 0);
        assert_int_equal(
                sendto(sender, text, sizeof(text), 0, (const struct sockaddr *) &group, sizeof(group)),
                sizeof(text));
        assert_int_equal(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 60000), 1);
        assert_int_equal(kernel_uevent_receive(fd, &u), -EBADMSG);
        assert_int_equal(kernel_uevent_receive(fd, &u), -EAGAIN);
        close(sender);
        close(fd);
}

/* That of a network device is heard in its own network only. */
static void test_heard(void **state) {
        struct ifreq rename = { .ifr_name = "lo", .ifr_newname = "lkmd-test" };
        static KernelUevent u;
        int fd, device, r;

        if (unshare(CLONE_NEWNET) < 0) {
                assert_int_equal(errno, EPERM);
                skip();
        }
        fd = kernel_uevent_listen();
        assert_true(fd >= 0);
        device = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(device >= 0);
        assert_int_equal(ioctl(device, SIOCSIFNAME, &rename), 0);
        do {
                assert_int_equal(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 60000), 1);
                r = kernel_uevent_receive(fd, &u);
        } while (r < 0 || !endswith(u.device, "/lkmd-test"));
        assert_string_equal(u.facts.subsystem, "net");
        assert_string_equal(u.facts.sysname, "lkmd-test");
        assert_string_equal(u.facts.action, "move");
        assert_true(u.seqnum > 0);
        close(device);
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_forged),
                cmocka_unit_test(test_heard),
        };

        return RUN_TESTS(tests);
}
