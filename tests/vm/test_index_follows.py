# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd's answers are as new as the disk: a module that was installed a moment ago is found, and an index that is broken
does not take the place of one that was whole."""

import json

import pytest

TREE = "/lib/modules/$(uname -r)"
DRIVER = "/sys/bus/platform/devices/lkmd_test_device/driver"

# depmod over a whole distribution kernel takes a minute in a machine like this; over these it takes a moment.
SMALL_TREE = f"""
set -eu
mkdir -p /tmp/tree/extra /tmp/aside
cp {TREE}/modules.order {TREE}/modules.builtin* /tmp/tree/
cp {TREE}/extra/lkmd_test_*.ko /tmp/tree/extra/
mv /tmp/tree/extra/lkmd_test_driver.ko /tmp/aside/
mount --bind /tmp/tree {TREE}
depmod
"""


@pytest.fixture(scope="module")
def small(machine):
    machine.install_test_modules()
    machine.run(SMALL_TREE)
    machine.run("systemctl restart lkmd && lkmctl wait --idle --timeout 60")  # nothing tells of a mount over a directory
    assert 0 < status(machine)["modulesKnown"] < 1000
    return machine


def status(machine):
    return json.loads(machine.run("lkmctl status --json=short").stdout)


@pytest.mark.parametrize("rounds", [12, pytest.param(200, marks=pytest.mark.soak)])
def test_a_module_installed_a_moment_ago_is_never_missed(small, rounds):
    """Install a driver, run depmod and plug its device without a pause; also while an old depmod's traces are still being
    looked at."""
    result = small.run(f"""
set -eu
missed=0
for i in $(seq {rounds}); do
        cp /tmp/aside/lkmd_test_driver.ko {TREE}/extra/
        depmod
        insmod {TREE}/extra/lkmd_test_device.ko
        lkmctl wait --idle --timeout 30
        [ -e {DRIVER} ] || {{ echo "missed in round $i"; missed=1; }}
        rmmod lkmd_test_device
        lkmctl unload --quiet lkmd_test_driver
        rm {TREE}/extra/lkmd_test_driver.ko
        depmod
done
exit $missed
""", check=False, timeout=60 + 6 * rounds)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_driver_that_is_not_installed_is_not_found(small):
    """The counterpart: without the file the device stays alone, so that the test above shows something."""
    small.run(f"insmod {TREE}/extra/lkmd_test_device.ko")
    small.run("lkmctl wait --idle --timeout 30")
    assert small.run(f"test -e {DRIVER}", check=False).returncode == 1
    small.run("rmmod lkmd_test_device")


@pytest.mark.parametrize("damage", ["truncate -s 100 {}", "truncate -s 0 {}", "rm {}", "dd if=/dev/urandom of={} bs=1k count=4"])
@pytest.mark.parametrize("index", ["modules.dep.bin", "modules.alias.bin"])
def test_a_broken_index_keeps_the_old_answer(small, index, damage):
    """The old index goes on answering, status and journal name the file; depmod mends it without a word to lkmd."""
    small.run(f"cp /tmp/aside/lkmd_test_driver.ko {TREE}/extra/ && depmod && lkmctl wait --idle --timeout 30")
    small.run(damage.format(f"{TREE}/{index}"))
    small.wait(f"lkmctl status --json=short | grep -q {index}", 30)
    assert status(small)["indexComplete"]
    assert [p["file"] for p in status(small)["problems"]] == [small.run(f"echo {TREE}/{index}").stdout.strip()]
    assert index in small.run("lkmctl status").stdout

    small.run(f"insmod {TREE}/extra/lkmd_test_device.ko && lkmctl wait --idle --timeout 30")
    assert small.run(f"test -e {DRIVER}", check=False).returncode == 0
    small.run("rmmod lkmd_test_device && lkmctl unload lkmd_test_driver")

    small.run("depmod")
    small.wait("lkmctl status --json=short | grep -q '\"problems\":\\[\\]'", 30)


def test_a_changed_configuration_counts_at_once(small):
    """Edited in place, replaced by rename, masked by a link, removed: the next request goes by it."""
    small.run(f"cp /tmp/aside/lkmd_test_driver.ko {TREE}/extra/ && depmod")

    def denied():
        return small.run("lkmctl load lkmd_test_driver; status=$?; lkmctl unload --quiet lkmd_test_driver; exit $status",
                         check=False).returncode == 3

    conf = "/etc/modprobe.d/follow.conf"
    assert not denied()
    small.run(f"echo 'install lkmd_test_driver /bin/false' > {conf}")
    assert denied()
    small.run(f": > {conf}")
    assert not denied()
    small.run(f"echo 'install lkmd_test_driver /bin/false' > {conf}.new && mv {conf}.new {conf}")
    assert denied()
    small.run(f"ln -sf /dev/null {conf}")
    assert not denied()
    small.run(f"mkdir -p /run/modprobe.d && echo 'install lkmd_test_driver /bin/true' > /run/modprobe.d/later.conf")
    assert denied()
    small.run("rm -r /run/modprobe.d " + conf)
    assert not denied()
