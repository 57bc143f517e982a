# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card that was refused its driver gets it when what refused it goes, and who had it go is told."""

import pytest

from support import ask, lkmctl, loaded, pci_driver, wait_idle, wait_pci

E1000E = "8086:10d3"
POLICY = "/etc/lkmd/policy.d/no-e1000e.yaml"
LINE = "/etc/modprobe.d/no-e1000e.conf"
DENY = "version: 1\nrules: [{id: no-e1000e, match: {module: e1000e}, verdict: deny, reason: a test}]\n"
DRIVEN = "ls -d /sys/bus/pci/drivers/e1000e/*:*"


@pytest.fixture
def card(machine):
    """Plugged in when this is called, and refused; gone with all that refused it after the test."""
    def plug():
        machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
        wait_pci(machine, E1000E)
        wait_idle(machine)
        assert pci_driver(machine, E1000E) == "" and "e1000e" not in loaded(machine)

    yield plug
    machine.run(["rm", "-f", POLICY, LINE])
    lkmctl(machine, "reload")
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)
    if "e1000e" in loaded(machine):
        lkmctl(machine, "unload", "e1000e")


def check_said(devices):
    (device,) = devices
    assert device["device"].startswith("/devices/pci") and device["modules"] == ["e1000e"]
    assert (device["driver"], device["result"]) == ("e1000e", "its driver is e1000e")


def test_a_grant_and_its_end(machine, card):
    machine.write(POLICY, DENY)
    lkmctl(machine, "reload")
    card()
    reply = ask(machine, "policy", "allow", "e1000e", "--for=10min", "--reason=a test")
    check_said(reply["devices"])
    assert pci_driver(machine, E1000E) == "e1000e"
    reply = ask(machine, "policy", "revoke", reply["grant"]["id"])
    assert [k["module"] for k in reply["keeping"]] == ["e1000e"] and reply["devices"] == []
    assert pci_driver(machine, E1000E) == "e1000e"


def test_a_rule_goes(machine, card):
    machine.write(POLICY, DENY)
    lkmctl(machine, "reload")
    card()
    machine.run(["rm", POLICY])
    text = lkmctl(machine, "reload").stdout
    assert "Looked at again" in text and "e1000e: its driver is e1000e" in text
    assert pci_driver(machine, E1000E) == "e1000e"


def test_a_line_of_modprobe_d_goes(machine, card):
    """Nobody has to ask lkmd for it."""
    machine.write(LINE, "blacklist e1000e\n")
    lkmctl(machine, "reload")
    card()
    machine.run(["rm", LINE])
    machine.wait(DRIVEN, 60)
    assert "looked at again, since what refused it" in machine.journal("-b", "-u", "lkmd", "-o", "cat")


def test_a_command_goes(machine, card):
    """One that said no, whatever it did; the next one says no as well, and then there is none."""
    machine.write(LINE, "install e1000e echo not today >&2; exit 3\n")
    lkmctl(machine, "reload")
    card()
    assert ask(machine, "status", "e1000e")["history"][0]["outcome"] == "kept_out"
    machine.write(LINE, "install e1000e exit 4\n")
    assert ask(machine, "reload")["devices"] == [] and pci_driver(machine, E1000E) == ""
    machine.run(["rm", LINE])
    check_said(ask(machine, "reload")["devices"])


def test_an_alias_is_not_turned_off_any_more(machine, card):
    """By the watch on the file alone."""
    alias = next(w for w in machine.run("modinfo -F alias e1000e").stdout.split() if "d000010D3" in w)
    machine.write(LINE, f"alias {alias} off\n")
    lkmctl(machine, "reload")
    card()
    machine.write(LINE, "# nothing\n")
    machine.wait(DRIVEN, 60)
    assert "looked at again, since what refused it" in machine.journal("-b", "-u", "lkmd", "-o", "cat", "-n", "20")


def test_an_install_line_goes(machine, card):
    machine.write(LINE, "install e1000e /bin/false\n")
    lkmctl(machine, "reload")
    card()
    machine.run(["rm", LINE])
    check_said(ask(machine, "reload")["devices"])
