# SPDX-License-Identifier: LGPL-2.1-or-later
"""Events without an end, and events that do not come: nobody else waits, and nothing is lost."""

import contextlib
import json

from support import ask, lkmctl, pci_driver, wait_idle, watching

E1000E = "8086:10d3"
NOISY = "ef86f053c4104052ba3078952a658273"
LOST = "dc179f2afdbf4997b284dc586bab51f8"


@contextlib.contextmanager
def endless(machine, script):
    """A unit that runs for the time of the block, and has to run to its end."""
    machine.run(["systemd-run", "--quiet", "--collect", "--unit=endless", "sh", "-c", f"while :; do {script}; done"])
    try:
        yield
        assert machine.run("systemctl is-active endless", check=False).stdout == "active\n", "it ran all the time"
    finally:
        machine.run("systemctl stop endless", check=False)


def counters(machine):
    return ask(machine, "status")["counters"]


def messages(machine, ident):
    return [json.loads(line) for line in machine.journal("-u", "lkmd", "-o", "json", f"MESSAGE_ID={ident}").splitlines()]


def some_device(machine):
    """A device with a modalias and a driver."""
    return machine.run("for d in /sys/bus/pci/devices/*; do [ -e $d/driver ] && readlink -f $d && break; done").stdout.strip()


def test_a_device_without_an_end_keeps_nobody_waiting(machine):
    device = some_device(machine)
    before = counters(machine)
    with watching(machine) as watch, endless(machine, f"echo add > {device}/uevent"):
        watch.wait_for('"noisy"')
        machine.qmp("device_add", driver="e1000e", id="card", bus="rp0")
        machine.run("lkmctl wait --module e1000e --timeout 60", timeout=90)
        machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
        lkmctl(machine, "wait", "--idle", "--timeout=60")       # nobody waits for a device that never stops
        during = counters(machine)
    assert pci_driver(machine, E1000E) == "e1000e"
    assert during["backedOff"] > before["backedOff"]
    assert during["lost"] == before["lost"]

    told = messages(machine, NOISY)
    assert [entry["LKMD_DEVICE"] for entry in told] == [device.removeprefix("/sys")], "once, however long it goes on"
    assert "again and again" in told[0]["MESSAGE"]
    machine.qmp("device_del", id="card")


def test_repeats_become_one(machine):
    """Written faster than they are read: the manager is stopped meanwhile."""
    devices = machine.run("ls -d /sys/bus/pci/devices/*").stdout.split()
    before = counters(machine)
    machine.run("kill -STOP $(systemctl show --value -p MainPID lkmd); "
                "for i in $(seq 20); do for d in /sys/bus/pci/devices/*; do echo add > $d/uevent; done; done; "
                "kill -CONT $(systemctl show --value -p MainPID lkmd)", timeout=120)
    wait_idle(machine)
    after = counters(machine)
    assert after["events"] - before["events"] >= 20 * len(devices)
    assert after["coalesced"] > before["coalesced"]
    assert after["lookups"] - before["lookups"] < 20 * len(devices)


def test_numbers_that_do_not_come(machine):
    """What another network namespace announces is counted, and sent to nobody here: that looks like a loss."""
    machine.run("modprobe dummy && lkmctl wait --idle")
    before = counters(machine)
    machine.run("unshare --net ip link add gap type dummy && udevadm trigger --action=change /sys/class/net/lo")
    machine.wait(f"journalctl -q -u lkmd MESSAGE_ID={LOST} | grep -q 'did not come'", 60)
    wait_idle(machine)
    after = counters(machine)
    assert after["lost"] > before["lost"] and after["rescans"] > before["rescans"]
    assert after["coldplugDevices"] > before["coldplugDevices"]
    assert "did not come" in messages(machine, LOST)[0]["MESSAGE"]
