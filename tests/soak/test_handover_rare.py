# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who loads drivers for devices when something rare happens: systemd cannot be asked, a part of lkmd is removed, or comes back."""

import pytest

from support import RULE, ask, lkmctl, main_pid, remove, start_lkmd, udev_leaves_it_to_lkmd
from test_handover import (PROGRAMS, UNITS, denied, drop_in, forget, handover_says, plug, put_back, removed_while_it_runs,
                           stays_out, take_away, udev_loads, unplug, wait_driven)

__all__ = ["denied", "drop_in", "put_back"]     # fixtures


def test_nobody_to_ask_about_udevd(machine, drop_in):
    """Said, with what follows from it, and lkmd is in charge all the same."""
    machine.run(f"systemctl stop lkmd; rm {RULE}")
    drop_in("[Service]\nExecStartPre=\nExecStartPre=+/bin/sh -c 'mv /run/systemd/private /run/away; "
            "/usr/lib/lkmd/lkmd-handover take; mv /run/away /run/systemd/private'\n")
    start_lkmd(machine)
    assert handover_says(machine).splitlines() == [
        "lkmd-handover: cannot ask systemd about udevd, which reads its rules by itself before its next events: "
        "No such file or directory"]
    assert udev_leaves_it_to_lkmd(machine)
    assert ask(machine, "status")["inCharge"] == "lkmd"


def test_nobody_to_ask_on_the_way_back(machine, drop_in):
    """Then the device that nobody took is announced in any case."""
    machine.run("systemctl restart lkmd")
    drop_in("[Service]\nRestart=no\nExecStopPost=\nExecStopPost=+/bin/sh -c 'mv /run/systemd/private /run/away; "
            "/usr/lib/lkmd/lkmd-handover give-back; mv /run/away /run/systemd/private'\n")
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    plug(machine)
    machine.run("udevadm settle", timeout=120)
    machine.run("systemctl kill -s KILL lkmd; while systemctl is-active lkmd || [ -e /run/away ]; do sleep 0.1; done")
    wait_driven(machine)
    assert handover_says(machine).splitlines() == [
        "lkmd-handover: cannot ask systemd about lkmd.service, which is taken as stopped for good: "
        "No such file or directory"]
    assert not udev_leaves_it_to_lkmd(machine)
    unplug(machine)
    forget(machine)


def test_given_back_to_a_udevd_that_is_being_started(machine):
    udevd = "/run/systemd/system/systemd-udevd.service.d/test.conf"
    machine.write(udevd, "[Service]\n"
                         "ExecStartPost=/bin/sh -c 'while [ ! -e /run/go-on ]; do sleep 0.1; done'\n")
    machine.run("rm -f /run/go-on; systemctl daemon-reload; systemctl --no-block restart systemd-udevd")
    try:
        machine.wait("systemctl show -p SubState systemd-udevd | grep -qx SubState=start-post")
        machine.run("systemctl stop lkmd")
        assert handover_says(machine) == ""
        udev_loads(machine)
    finally:
        machine.write("/run/go-on", "")
        machine.run(["rm", "-f", udevd])
        machine.run("systemctl daemon-reload; systemctl restart systemd-udevd")
        start_lkmd(machine)


@pytest.mark.parametrize("gone", [PROGRAMS, UNITS], ids=["programs", "units"])
def test_some_removed_while_it_runs(machine, put_back, gone):
    removed_while_it_runs(machine, *gone)


def test_programs_removed_while_a_device_waits(machine, put_back):
    """It is announced to udev although lkmd-handover is gone."""
    machine.run(["kill", "-STOP", str(main_pid(machine))])
    plug(machine)
    machine.run("udevadm settle", timeout=120)
    take_away(machine, *PROGRAMS)
    machine.run(["systemctl", "kill", "-s", "KILL", "lkmd"])
    wait_driven(machine)
    unplug(machine)
    forget(machine)
    udev_loads(machine)


def test_a_denied_device_waits_while_programs_are_removed(machine, denied, put_back):
    machine.run(["kill", "-STOP", str(main_pid(machine))])
    plug(machine)
    machine.run("udevadm settle", timeout=120)
    take_away(machine, *PROGRAMS)
    machine.run(["systemctl", "kill", "-s", "KILL", "lkmd"])
    machine.wait("test $(stat -c %a /run/lkmd/in-charge) = 600")
    stays_out(machine)
    unplug(machine)


def test_units_away_and_back(machine):
    """systemd has no socket for the loader any more then. It has when lkmd asks for the loader, or is started again."""
    for mend in ("true", "systemctl restart lkmd"):
        machine.run("mkdir /root/units && cp /usr/lib/systemd/system/lkmd* /root/units && rm /usr/lib/systemd/system/lkmd*; "
                    "systemctl daemon-reload; systemctl kill -s KILL lkmd-loader; "
                    "mv /root/units/* /usr/lib/systemd/system; rmdir /root/units; systemctl daemon-reload", check=False)
        machine.run(mend)
        machine.wait("lkmctl load dummy", 60)
        remove(machine, "dummy")
        plug(machine)
        wait_driven(machine)
        unplug(machine)
        forget(machine)
    machine.run("systemctl restart lkmd")
    lkmctl(machine, "wait", "--idle", "--timeout=60")
    assert udev_leaves_it_to_lkmd(machine)
