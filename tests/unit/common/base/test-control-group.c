/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/base/control-group.h"

#include "common/base/util.h"
#include "test.h"

static const struct {
        const char *path, *unit, *container;
} cases[] = {
        { "/", NULL, NULL },
        { "/init.scope", "init.scope", NULL },
        { "/system.slice/ssh.service", "ssh.service", NULL },
        { "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL },
        { "/user.slice/user-1000.slice/session-2.scope", "session-2.scope", NULL },
        { "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "user@1000.service", NULL },
        { "/system.slice/_cgroup.service", "cgroup.service", NULL },
        { "/system.slice", NULL, NULL },
        { "/not-a-unit/ssh.service", NULL, NULL },
        { "/system.slice/docker-0123abcd.scope", "docker-0123abcd.scope", "docker-0123abcd" },
        { "/docker/0123abcd", NULL, "0123abcd" },
        { "/machine.slice/libpod-77.scope/container", "libpod-77.scope", "libpod-77" },
        { "/machine.slice/systemd-nspawn@deb.service/payload/system.slice/x.service",
          "systemd-nspawn@deb.service", "systemd-nspawn@deb" },
        { "/lxc.payload.web/system.slice/nginx.service", NULL, "lxc.payload.web" },
        { "/kubepods.slice/kubepods-burstable.slice/cri-containerd-55.scope", "cri-containerd-55.scope",
          "cri-containerd-55" },
        { "/machine.slice/machine-a.scope/system.slice/docker-9.scope", "machine-a.scope", "docker-9" },
        { "/system.slice/docker.service", "docker.service", NULL },
        { "/system.slice/docker-.scope", "docker-.scope", "docker-" },
        { "//system.slice//ssh.service/", "ssh.service", NULL },
};

static void test_names(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *unit = NULL, *container = NULL;

                assert_ok(control_group_unit(cases[i].path, &unit));
                assert_ok(control_group_container(cases[i].path, &container));
                if (!streq_ptr(unit, cases[i].unit) || !streq_ptr(container, cases[i].container))
                        fail_msg("%s: %s, %s", cases[i].path, unit ?: "-", container ?: "-");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
        };

        return RUN_TESTS(tests);
}
