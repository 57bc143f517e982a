# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator told udev about drivers holds: rules before 80-drivers.rules, and a file in its place."""

import pytest

from support import (RULE, ask, lkmctl, loaded, main_pid, pci_driver, start_lkmd, udev_leaves_it_to_lkmd, wait_idle, wait_pci)

E1000E = "8086:10d3"
RULES = "/etc/udev/rules.d/61-x.rules"
OWN = "/etc/udev/rules.d/80-drivers.rules"
OVERRIDE = 'ACTION=="add", SUBSYSTEM=="pci", ATTR{device}=="0x10d3", ATTR{driver_override}="vfio-pci"\n'
CARD = "$(grep -lx 0x10d3 /sys/bus/pci/devices/*/device | xargs dirname)"
TOUCHED = "dmesg | grep -q 'e1000e 0000:'"      # the driver says so when it is given a card, whatever becomes of it


@pytest.fixture
def rules(machine):
    """Rules that are gone, with the card and its driver, after the test. udev knows them when they are written."""
    def write(text, path=RULES):
        machine.write(path, text)
        machine.run("udevadm control --reload && udevadm settle")

    forget(machine)
    yield write
    machine.run("rm -f /etc/udev/rules.d/* && udevadm control --reload && udevadm settle")
    wait_idle(machine)
    forget(machine)


def plug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_pci(machine, E1000E)


def unplug(machine):
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)


def forget(machine):
    if machine.run("grep -qx 0x10d3 /sys/bus/pci/devices/*/device", check=False).returncode == 0:
        unplug(machine)
    if "e1000e" in loaded(machine):
        machine.run("modprobe -r e1000e")
    machine.run("dmesg -C")


def wait_handled(machine):
    """Everybody is through with what was plugged in."""
    machine.run("udevadm settle", timeout=120)
    wait_idle(machine)


def check_given_to_vfio(machine):
    """The card never was in the hands of e1000e, although that is loaded, as it is without lkmd."""
    assert machine.run(f"cat {CARD}/driver_override").stdout == "vfio-pci\n"
    assert pci_driver(machine, E1000E) in ("", "vfio-pci")
    assert "e1000e" in loaded(machine)
    assert machine.run(TOUCHED, check=False).returncode != 0, machine.run("dmesg").stdout


def after_udev(machine):
    return [(r["devices"], r["file"], r["line"], r["reason"]) for r in ask(machine, "status")["afterUdev"]]


def test_a_stock_system_has_no_such_rule(machine):
    status = ask(machine, "status")
    assert (status["afterUdev"], status["waitingForUdev"], status.get("ownUdevRule")) == ([], 0, None)


def test_card_for_vfio_plugged_in(machine, rules):
    rules("# for the guest\n" + OVERRIDE)
    assert after_udev(machine) == [("pci devices", RULES, 2, "sets driver_override")]
    assert f"After udev: drivers of pci devices: {RULES}:2 sets driver_override" in lkmctl(machine, "status").stdout
    for _ in range(2):
        plug(machine)
        wait_handled(machine)
        check_given_to_vfio(machine)
        forget(machine)
    machine.run(["rm", RULES])
    machine.run("udevadm control --reload")
    plug(machine)
    wait_handled(machine)
    assert pci_driver(machine, E1000E) == "e1000e" and after_udev(machine) == []


def test_card_for_vfio_by_a_rule_of_root_alone(machine, rules):
    """Only the devices that it is about wait, as if everybody might read it; edited, it is read again."""
    machine.write(RULES, "# mine\n" + OVERRIDE, mode=0o600)
    machine.run("udevadm control --reload && udevadm settle")
    assert after_udev(machine) == [("pci devices", RULES, 2, "sets driver_override")]
    machine.run(f"sed -i 1d {RULES}")
    assert after_udev(machine) == [("pci devices", RULES, 1, "sets driver_override")]
    machine.run("udevadm control --reload")
    plug(machine)
    wait_handled(machine)
    check_given_to_vfio(machine)


def test_rule_written_the_moment_before(machine, rules):
    """lkmd sees the rule as soon as it is there; that udevd has read it is up to who wrote it."""
    machine.run(["sh", "-c", f"printf '%s' '{OVERRIDE}' >{RULES}; udevadm control --reload"])
    plug(machine)
    wait_handled(machine)
    check_given_to_vfio(machine)


@pytest.mark.soak
def test_card_for_vfio_by_a_program(machine, rules):
    machine.write("/usr/local/sbin/give-away", "#!/bin/sh\nsleep 1\necho vfio-pci >/sys$1/driver_override\n", 0o755)
    rules('SUBSYSTEM=="pci", ATTR{device}=="0x10d3", RUN+="/usr/local/sbin/give-away %p"\n')
    plug(machine)
    wait_handled(machine)
    check_given_to_vfio(machine)


def test_modalias_by_a_rule(machine, rules):
    rules('SUBSYSTEM=="pci", ATTR{device}=="0x10d3", ENV{MODALIAS}="pci:nothing"\n')
    plug(machine)
    wait_handled(machine)
    assert "e1000e" not in loaded(machine)
    # The same when lkmd comes later: udev's database has it.
    machine.run("systemctl restart lkmd")
    wait_handled(machine)
    assert "e1000e" not in loaded(machine)


def test_udevd_that_does_not_come(machine, rules):
    """The card waits for udevd, others do not, and it is not idleness."""
    rules(OVERRIDE)
    udevd = str(main_pid(machine, "systemd-udevd"))
    machine.run(["kill", "-STOP", udevd])
    try:
        plug(machine)
        machine.wait("lkmctl --json=short status | grep -q '\"waitingForUdev\":1'")
        assert "1 device is waiting for udev now" in lkmctl(machine, "status").stdout
        assert not ask(machine, "status")["idle"] and "e1000e" not in loaded(machine)
    finally:
        machine.run(["kill", "-CONT", udevd])
    wait_handled(machine)
    check_given_to_vfio(machine)


def test_lkmd_comes_later(machine, rules):
    """Started when udev has done its work, with the driver out of the kernel. Again and again: tests/soak."""
    rules(OVERRIDE)
    plug(machine)
    wait_handled(machine)
    machine.run("systemctl stop lkmd; modprobe -r e1000e; udevadm settle; dmesg -C", timeout=120)
    start_lkmd(machine)
    wait_handled(machine)
    check_given_to_vfio(machine)


@pytest.mark.soak
def test_boot(fresh):
    """lkmd starts before udevd: the walk finds the card before any rule was applied to it. Again and again: tests/soak."""
    machine = fresh()
    machine.write(RULES, OVERRIDE)
    machine.devices += ["-device", "e1000e,id=nic,bus=rp0"]     # from the next boot on
    machine.reboot()
    wait_handled(machine)
    check_given_to_vfio(machine)
    journal = machine.journal("-b", "-u", "systemd-udevd", "-u", "lkmd", "-o", "short-monotonic")
    assert journal.index("Started lkmd.service") < journal.index("Started systemd-udevd.service"), journal
    assert "udevd does not answer" not in journal


# ---------------------------------------------------------------------------------------- in its place

def check_not_in_charge(machine, path):
    status = ask(machine, "status")
    assert (status["inCharge"], status.get("ownUdevRule"), status.get("steppedBack")) == ("udev", path, None)
    text = lkmctl(machine, "status").stdout
    assert f"not lkmd: udev does what the administrator's own {path} says" in text
    assert f"say the same in policy.d (lkmd-policy(5)), then rm {path}" in text


def test_no_drivers_for_devices(machine, rules):
    """A link to /dev/null: nothing is loaded for devices, and everything by name."""
    machine.run(f"ln -s /dev/null {OWN}; udevadm control --reload")
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"udev\"'")
    check_not_in_charge(machine, OWN)
    assert f"{OWN} is the administrator's own" in machine.journal("-b", "-u", "lkmd", "-o", "cat")
    plug(machine)
    wait_handled(machine)
    assert "e1000e" not in loaded(machine)
    machine.run("systemctl restart lkmd")
    wait_handled(machine)
    assert "e1000e" not in loaded(machine)
    check_not_in_charge(machine, OWN)
    lkmctl(machine, "load", "e1000e")
    machine.run("modprobe -r e1000e")
    # It goes, and lkmd is in charge.
    machine.run(f"rm {OWN}; udevadm control --reload")
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    assert ask(machine, "status")["inCharge"] == "lkmd" and udev_leaves_it_to_lkmd(machine)


@pytest.mark.soak
def test_filter_of_ones_own(machine, rules):
    """udev loads for virtio what the file says, and nothing for PCI."""
    rules('ACTION!="add", GOTO="drivers_end"\nSUBSYSTEM=="pci", GOTO="drivers_end"\nENV{MODALIAS}=="?*", RUN{builtin}+="kmod load"\n'
          'LABEL="drivers_end"\n', OWN)
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"udev\"'")
    plug(machine)
    wait_handled(machine)
    assert "e1000e" not in loaded(machine)
    machine.qmp("device_add", driver="usb-kbd", id="kbd", bus="xhci.0")
    try:
        machine.wait("grep -q ^usbhid /proc/modules")
        machine.run("udevadm settle", timeout=120)
    finally:
        machine.unplug("kbd")
        machine.run("modprobe -r hid_generic usbhid", check=False)


def test_own_rule_in_run(machine):
    """Also while lkmd runs: the guard is there again when the file has gone."""
    text = "# mine\n"
    machine.run(["rm", RULE])
    machine.write(RULE, text)
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"udev\"'")
    check_not_in_charge(machine, RULE)
    machine.run("systemctl restart lkmd")
    assert machine.read(RULE) == text
    check_not_in_charge(machine, RULE)
    machine.run(["rm", RULE])
    machine.wait(f"grep -q lkmd-handover {RULE} && lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'")
    assert udev_leaves_it_to_lkmd(machine)
