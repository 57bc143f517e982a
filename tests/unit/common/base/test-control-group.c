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
        { "/machine.slice/machine-a.scope/system.slice/docker-9.scope", "machine-a.scope", "machine-a" },
        { "/machine.slice/machine-evil.scope/payload/machine-good.scope", "machine-evil.scope", "machine-evil" },
        { "/machine.slice/machine-web\\x2d1.scope/payload", "machine-web\\x2d1.scope", "machine-web-1" },
        { "/machine.slice/machine-a\\x2.scope", "machine-a\\x2.scope", "machine-a\\x2" },
        { "/machine.slice/machine-a\\x00\\x0a\\xGG.scope", "machine-a\\x00\\x0a\\xGG.scope",
          "machine-a\\x00\\x0a\\xGG" },
        { "/machine.slice/systemd-nspawn@a\\x5cx2d.service", "systemd-nspawn@a\\x5cx2d.service",
          "systemd-nspawn@a\\x2d" },
        { "/kubepods/burstable/pod0123-ab/4567", NULL, "4567" },
        { "/kubepods/pod0123-ab", NULL, NULL },
        { "/system.slice/pod1/4567", NULL, NULL },
        { "/kubepods.slice/kubepods-pod1.slice/crio-88.scope/container", "crio-88.scope", "crio-88" },
        { "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-7.scope/container",
          "user@1000.service", "user@1000.service/libpod-7" },
        { "/user.slice/user-1000.slice/user@1000.service/machine-good.scope", "user@1000.service",
          "user@1000.service/machine-good" },
        { "/user.slice/user-1000.slice/user@1000.service/user@0.service/machine-good.scope",
          "user@1000.service", "user@1000.service/machine-good" },
        { "/user.slice/user@.service/machine-a.scope", "user@.service", "user@.service/machine-a" },
        { "/system.slice/web.service/libpod-payload-77", "web.service", "web.service/libpod-payload-77" },
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

static void test_users(void **state) {
        assert_true(control_group_is_users("user@1000.service/libpod-7"));
        assert_false(control_group_is_users("machine-user@1000/a"));
        assert_false(control_group_is_users("machine-a"));
        assert_false(control_group_is_users("user@1000"));
        assert_false(control_group_is_users("web.service/docker-1"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_users),
        };

        return RUN_TESTS(tests);
}
