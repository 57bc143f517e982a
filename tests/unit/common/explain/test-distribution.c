/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/util.h"
#include "common/explain/distribution.h"

/* What os-release says on each, shortened to the lines that matter and some that must not. */
static void test_samples(void **state) {
        static const struct {
                const char *text;
                Distribution distribution;
        } cases[] = {
                { "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\n"
                  "VERSION_CODENAME=trixie\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n",
                  DISTRIBUTION_DEBIAN },
                { "PRETTY_NAME=\"Raspbian GNU/Linux 12 (bookworm)\"\nID=raspbian\nID_LIKE=debian\n",
                  DISTRIBUTION_DEBIAN },
                { "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n"
                  "UBUNTU_CODENAME=noble\n",
                  DISTRIBUTION_UBUNTU },
                { "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", DISTRIBUTION_UBUNTU },
                { "NAME=\"Fedora Linux\"\nVERSION=\"41 (Workstation Edition)\"\nID=fedora\nVERSION_ID=41\n"
                  "VARIANT_ID=workstation\n",
                  DISTRIBUTION_FEDORA },
                { "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                  DISTRIBUTION_FEDORA },
                { "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n",
                  DISTRIBUTION_FEDORA },
                { "NAME=\"openSUSE Leap\"\nVERSION=\"15.6\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
                  DISTRIBUTION_SUSE },
                { "NAME=\"openSUSE Tumbleweed\"\nID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", DISTRIBUTION_SUSE },
                { "NAME=\"SLES\"\nID=\"sles\"\nID_LIKE=\"suse\"\n", DISTRIBUTION_SUSE },
                { "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n", DISTRIBUTION_ARCH },
                { "NAME='Manjaro Linux'\nID='manjaro'\nID_LIKE='arch'\n", DISTRIBUTION_ARCH },

                { "NAME=NixOS\nID=nixos\n", DISTRIBUTION_UNKNOWN },
                { "NAME=Alpine\nID=alpine\nID_LIKE=\"something debianish archlinux\"\n", DISTRIBUTION_UNKNOWN },
                { "VARIANT_ID=debian\nMY_ID=arch\n#ID=fedora\n", DISTRIBUTION_UNKNOWN },
                { "ID_LIKE=\"a  b   fedora\"", DISTRIBUTION_FEDORA },   /* no end of line, many blanks */
                { "ID=\"debian\n", DISTRIBUTION_UNKNOWN },               /* quotes that do not end */
                { "ID=\"\"\nID_LIKE=\"\n", DISTRIBUTION_UNKNOWN },
                { "ID=arch\nID=debian\n", DISTRIBUTION_DEBIAN },         /* a shell would see the last one */
                { "ID=\n", DISTRIBUTION_UNKNOWN },
                { "\n\n", DISTRIBUTION_UNKNOWN },
                { "", DISTRIBUTION_UNKNOWN },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Distribution d = distribution_from_os_release(cases[i].text);

                if (d != cases[i].distribution)
                        fail_msg("%s: %d", cases[i].text, (int) d);
        }
}

/* Each has an answer to everything, and none that belongs to another. */
static void test_hints(void **state) {
        static const char *const tools[][3] = {
                [DISTRIBUTION_UNKNOWN] = {},
                [DISTRIBUTION_DEBIAN] = { "apt", "dpkg", "kmodsign" },
                [DISTRIBUTION_UBUNTU] = { "apt", "dpkg", "kmodsign" },
                [DISTRIBUTION_FEDORA] = { "dnf", "rpm" },
                [DISTRIBUTION_SUSE] = { "zypper", "rpm" },
                [DISTRIBUTION_ARCH] = { "pacman" },
        };

        for (Distribution d = 0; d < _DISTRIBUTION_MAX; d++)
                for (PackageTask task = 0; task < _PACKAGE_TASK_MAX; task++) {
                        const char *hint = distribution_hint(d, task);

                        assert_non_null(hint);
                        for (size_t i = 0; i < ARRAY_LEN(tools); i++)
                                for (size_t k = 0; k < ARRAY_LEN(tools[i]); k++) {
                                        const char *tool = tools[i][k];
                                        bool own = false;

                                        for (size_t j = 0; tool && j < ARRAY_LEN(tools[d]); j++)
                                                own = own || streq_ptr(tools[d][j], tool);
                                        if (tool && !own && strstr(hint, tool))
                                                fail_msg("distribution %d is advised: %s", (int) d, hint);
                                }
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_samples),
                cmocka_unit_test(test_hints),
        };

        return RUN_TESTS(tests);
}
