/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/device/modalias-subsystem.h"

#include "common/base/util.h"
#include "test.h"

static void test_cases(void **state) {
        static const struct {
                const char *modalias, *subsystem;
        } cases[] = {
                { "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00", "pci" },
                { "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", "usb" },
                { "usb:", "usb" },
                { "hid:b0003g0001v00000627p00000001", "hid" },
                { "input:b0003v0627p0001e0001-e0,1,4", "input" },
                { "virtio:d00000001v00001AF4", "virtio" },
                { "platform:pcspkr", "platform" },
                { "dmi:bvnSeaBIOS:bvr1:", "dmi" },
                { "cpu:type:x86,ven0002fam000Fmod006B:feature:,0000", "cpu" },
                { "hdaudio:v1AF40022r00100101a01", "hdaudio" },
                { "ieee1394:ven00000000mo00000000sp00000000ver00000000", "firewire" },
                { "tbsvc:kxdomain", "thunderbolt" },
                /* firmware describes devices of any bus */
                { "acpi:PNP0C0C:", NULL },
                { "acpi:PNP0501:PNP0500:", NULL },
                { "of:NuartT(null)Cns16550a", NULL },
                { "xen:vif", NULL },
                { "nothing:known", NULL },
                { "usbx:v1", NULL },
                { "us:v1", NULL },
                { "USB:v1", NULL },
                { ":", NULL },
                { "", NULL },
                { "usb", NULL },
                { "usb_storage", NULL },
                { "net-pf-10", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (!streq_ptr(modalias_subsystem(cases[i].modalias), cases[i].subsystem))
                        fail_msg("%s: %s", cases[i].modalias,
                                 modalias_subsystem(cases[i].modalias) ?: "none");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return RUN_TESTS(tests);
}
