# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices come and go while lkmd is running, dying, stopped and coming back: each gets its driver, with its requester."""

import pytest

from support import (ask, bound, cause_of, kill_lkmd, lkmctl, loaded, main_pid, remove, start_lkmd, udev_leaves_it_to_lkmd,
                     wait_bound, wait_idle, wait_unbound, watching)


class Gadget:
    """Something that can be plugged in: how, and what must have come of it."""

    def __init__(self, name, bus, modules, bindings, remove_modules, **props):
        self.name = name
        self.bus = bus
        self.modules = modules          # that must be in the kernel then
        self.bindings = bindings        # (bus, driver) that must have a device then
        self.remove_modules = remove_modules
        self.props = props

    def __str__(self):
        return self.name

    def plug(self, machine):
        machine.qmp("device_add", driver=self.name, id=f"my-{self.name}", bus=self.bus, **self.props)

    def wait_works(self, machine):
        for bus, driver in self.bindings:
            wait_bound(machine, bus, driver)
        assert self.modules <= loaded(machine)

    def unplug(self, machine):
        machine.unplug(f"my-{self.name}")
        for bus, driver in self.bindings:
            wait_unbound(machine, bus, driver)

    def forget(self, machine):
        """Take its drivers out, so that the next time shows something."""
        remove(machine, *self.remove_modules)
        assert not self.modules & loaded(machine)


STICK = Gadget("usb-storage", "xhci.0", {"usb_storage"}, [("usb", "usb-storage")], ["uas", "usb_storage"], drive="stick")
KEYBOARD = Gadget("usb-kbd", "xhci.0", {"usbhid", "hid_generic"}, [("usb", "usbhid"), ("hid", "hid-generic")],
                  ["hid_generic", "usbhid"])
E1000E = Gadget("e1000e", "rp0", {"e1000e"}, [("pci", "e1000e")], ["e1000e"])
VIRTIO = Gadget("virtio-net-pci", "rp1", {"virtio_net"}, [("virtio", "virtio_net")], ["virtio_net"])
ALL = [STICK, KEYBOARD, E1000E, VIRTIO]


def plug_all(machine):
    for gadget in ALL:
        gadget.plug(machine)


def all_work(machine):
    for gadget in ALL:
        gadget.wait_works(machine)


def all_have_causes(machine):
    for gadget in ALL:
        for module in gadget.modules:
            assert cause_of(machine, module)["origin"] == "device"


def unplug_all(machine):
    for gadget in ALL:
        gadget.unplug(machine)
    for gadget in ALL:
        gadget.forget(machine)


@pytest.fixture(scope="module", autouse=True)
def stick_node(machine):
    machine.qmp("blockdev-add", node_name="stick", driver="null-co", size=1 << 20, read_zeroes=True)


@pytest.mark.parametrize("gadget", ALL, ids=str)
def test_plugged_and_unplugged(machine, gadget):
    gadget.plug(machine)
    gadget.wait_works(machine)
    for module in gadget.modules:
        requester = cause_of(machine, module)
        assert requester["origin"] == "device"
        assert machine.run(["test", "-e", "/sys" + requester["device"]], check=False).returncode == 0, requester
        assert requester["subsystem"] == machine.run(
            ["basename", machine.run(["readlink", f"/sys{requester['device']}/subsystem"]).stdout.strip()]).stdout.strip()
        assert requester["key"] == machine.read(f"/sys{requester['device']}/modalias").rstrip("\n")

    text = lkmctl(machine, "list").stdout
    for module in gadget.modules:
        device = cause_of(machine, module)["device"].split("/")[-1]
        [line] = [line for line in text.splitlines() if line.split()[0] == module]
        assert device in line

    gadget.unplug(machine)
    gadget.forget(machine)


def test_virtio_net_has_its_interface(machine):
    """The bus of virtio is a second step: a device that only appears because the first one got its driver."""
    VIRTIO.plug(machine)
    machine.wait("ls -d /sys/bus/virtio/drivers/virtio_net/virtio*/net/*", 60)
    assert cause_of(machine, "virtio_net")["subsystem"] == "virtio"
    record = ask(machine, "status", "net_failover")["module"]["loadedBy"]
    assert (record["reason"], record["parent"]) == ("dependency", "virtio_net")
    VIRTIO.unplug(machine)
    VIRTIO.forget(machine)
    assert "net_failover" not in loaded(machine)


def test_all_at_once(machine):
    plug_all(machine)
    all_work(machine)
    all_have_causes(machine)
    unplug_all(machine)


def test_usb_gadget_of_the_machine_itself(machine):
    machine.run("truncate -s 1M /root/disk")
    lkmctl(machine, "load", "dummy_hcd")
    lkmctl(machine, "load", "g_mass_storage", "file=/root/disk", "stall=0")
    STICK.wait_works(machine)
    # Its init opened the file, and for writing: it sees the machine as it is, not as the loader's unit might.
    assert machine.run("cat /sys/devices/platform/dummy_udc.*/udc/*/device/gadget*/lun0/file").stdout == "/root/disk\n"
    assert machine.run("cat /sys/devices/platform/dummy_udc.*/udc/*/device/gadget*/lun0/ro").stdout == "0\n"
    requester = cause_of(machine, "usb_storage")
    assert requester["origin"] == "device"
    assert requester["key"].startswith("usb:v0525pA4A5")
    assert "/dummy_hcd." in requester["device"]
    machine.wait("ls -d /sys/block/sd*", 60)
    assert "sd_mod" in loaded(machine)

    lkmctl(machine, "unload", "g_mass_storage")
    wait_unbound(machine, "usb", "usb-storage")
    STICK.forget(machine)
    lkmctl(machine, "unload", "dummy_hcd")


def test_monitor_tells_the_story_of_a_device(machine):
    with watching(machine) as watch:
        E1000E.plug(machine)
        E1000E.wait_works(machine)
        events = watch.wait_for('"finished".*"e1000e"')
    mine = [e for e in events if e["kind"] == "device" and e["requester"]["key"].startswith("pci:v00008086d000010D3")]
    assert [e["matches"] for e in mine] == [["e1000e"]]
    assert [e["kind"] for e in events if e.get("record", {}).get("module") == "e1000e"] == ["started", "finished"]
    assert [e["record"]["outcome"] for e in events if e["kind"] == "finished"] == ["loaded"]
    assert all(e["record"]["requester"]["device"] == mine[0]["requester"]["device"] for e in events if "record" in e)
    E1000E.unplug(machine)
    E1000E.forget(machine)


def test_plugged_while_lkmd_is_being_killed(machine):
    before = kill_lkmd(machine)
    plug_all(machine)
    all_work(machine)
    machine.wait("systemctl is-active lkmd", 60)
    wait_idle(machine)
    assert main_pid(machine) not in (0, before)
    assert udev_leaves_it_to_lkmd(machine)
    unplug_all(machine)


def test_the_restarted_lkmd_loads_drivers(machine):
    plug_all(machine)
    all_work(machine)
    all_have_causes(machine)
    unplug_all(machine)


def test_history_survives_a_kill(machine):
    lkmctl(machine, "load", "dummy")
    kill_lkmd(machine)
    machine.wait("lkmctl status", 60)
    assert cause_of(machine, "dummy")["key"] == "dummy"
    lkmctl(machine, "unload", "dummy")


def test_without_lkmd_udev_loads(machine):
    machine.run("systemctl stop lkmd")
    plug_all(machine)
    all_work(machine)
    start_lkmd(machine)
    all_work(machine)
    assert cause_of(machine, "e1000e")["origin"] == "foreign"
    unplug_all(machine)


def test_coldplug_finds_what_nobody_saw(machine):
    """Neither lkmd nor udevd is there when the devices appear."""
    udevd = "systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service"
    machine.run(f"systemctl stop lkmd {udevd}")
    plug_all(machine)
    machine.wait("grep -qx 0x10d3 /sys/bus/pci/devices/*/device && ls -d /sys/bus/virtio/devices/*/modalias && "
                 "test $(ls -d /sys/bus/usb/devices/*-*:1.0 | wc -l) -ge 2", 60)
    for gadget in ALL:
        assert not any(bound(machine, bus, driver) for bus, driver in gadget.bindings)

    start_lkmd(machine)
    all_work(machine)
    all_have_causes(machine)
    machine.run(f"systemctl start {udevd}")
    unplug_all(machine)


# ------------------------------------------------------------------------- what udev's rule does beside MODALIAS

def test_a_module_that_is_wanted_when_another_appears(machine):
    lkmctl(machine, "load", "parport_pc")
    lkmctl(machine, "wait", "--module=ppdev", "--timeout=60")
    requester = cause_of(machine, "ppdev")
    assert (requester["origin"], requester["subsystem"], requester["device"]) == ("device", "module", "/module/parport_pc")
    remove(machine, "ppdev", "parport_pc")
