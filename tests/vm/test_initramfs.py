# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd in the initramfs of dracut, InInitramfs=lkmd: it decides from the first module on, and the lkmd of the root file system goes on with
what that one has written down."""

import json

import pytest

import driver
from support import ask, ask_all, lkmctl, loaded, wait_idle

pytestmark = pytest.mark.soak           # to make the image takes a minute where QEMU emulates
POLICY = """version: 1
rules:
- {id: not-here, match: {module: dummy}, verdict: deny, reason: not on this server}
- {id: no-dog, match: {module: i6300esb}, verdict: deny, reason: no watchdogs}
"""
# For a device, and because dracut is told to: of each, one that is denied.
DEVICES = ["e1000e,id=nic", "i6300esb,id=dog"]
DRIVERS = "virtiofs virtio_pci e1000e i6300esb loop dummy nbd"
DRACUT = ("dracut --force --no-hostonly --no-compress --modules 'bash systemd-initrd dracut-systemd base virtiofs systemd-modules-load lkmd' "
          "--drivers '{drivers}' --force-drivers 'dummy loop' "
          "--include /root/early.conf /etc/modules-load.d/early.conf /boot/image {release} 2>&1")


@pytest.fixture(scope="module")
def machine():
    machine = driver.fresh()
    machine.write("/etc/lkmd/policy.d/site.yaml", POLICY)
    machine.write("/etc/lkmd/lkmd.conf.d/site.conf", "[Manager]\nMode=enforce\nInInitramfs=lkmd\n")
    machine.write("/root/early.conf", "nbd\n")
    machine.run(DRACUT.format(drivers=DRIVERS, release=machine.kernel_version), timeout=1200)
    machine.write("/etc/modules-load.d/late.conf", "brd\n")
    machine.run("sync")
    machine.devices += ["-initrd", str(machine.disk.root / "boot/image"), *[word for device in DEVICES for word in ("-device", device)]]
    machine.reboot()
    wait_idle(machine)
    yield machine
    machine.remove()


def of(machine, module):
    """What has become of it in this boot, the newest first."""
    return ask(machine, "status", module)["history"]


def switched(machine):
    """When the root file system took the place of the initramfs, in microseconds."""
    text = machine.journal("-b", "-o", "json", "--output-fields=MESSAGE", "-u", "initrd-switch-root.service")
    return min(int(json.loads(line)["__REALTIME_TIMESTAMP"]) for line in text.splitlines())


def warnings(machine):
    return machine.journal("-b", "-u", "lkmd*", "-p", "warning", "-o", "cat")


def test_it_decides_from_the_first_module_on(machine):
    there = loaded(machine)
    assert {"loop", "e1000e", "nbd", "brd"} <= there and not there & {"dummy", "i6300esb"}, there
    asked = {name: of(machine, name)[0] for name in ("loop", "e1000e", "nbd", "brd")}
    then = switched(machine)
    assert {name: record["timeUSec"] < then for name, record in asked.items()} == {"loop": True, "e1000e": True, "nbd": True, "brd": False}
    assert all(len(of(machine, name)) == 1 for name in asked), "the lkmd of the root file system has taken it for another load"


def test_its_records_are_continued(machine):
    """Nothing of the initramfs is left, but who asked there is known."""
    assert of(machine, "loop")[0]["requester"]["command"] == "modprobe"
    assert "lkmd: modprobe (pid " in lkmctl(machine, "why", "loop").stdout
    assert of(machine, "e1000e")[0]["requester"]["device"] == "/devices/pci0000:00/0000:00:07.0"
    assert of(machine, "nbd")[0]["requester"]["file"] == "/etc/modules-load.d/early.conf"
    assert of(machine, "brd")[0]["requester"]["file"] == "/etc/modules-load.d/late.conf"
    refused = [record for record in ask_all(machine, "policy", "audit") if record.get("module") == "dummy"]
    assert [record["count"] for record in refused] == [1], refused
    # What PID 1 has loaded after the switch, before it started lkmd, came neither in the initramfs nor past lkmd.
    assert of(machine, "x_tables")[0]["requester"]["origin"] == "boot"
    assert ask(machine, "status")["problems"] == [] and warnings(machine) == ""
    assert "All is well" in lkmctl(machine, "status").stdout.splitlines()[0]


def test_an_ordinary_boot_again(machine):
    """Without the image, and with what its lkmd has kept on the disk."""
    at = machine.devices.index("-initrd")
    del machine.devices[at:at + 2]
    machine.reboot()
    wait_idle(machine)
    assert {"e1000e", "brd"} <= loaded(machine) and not loaded(machine) & {"dummy", "i6300esb", "nbd", "loop"}
    assert warnings(machine) == ""
