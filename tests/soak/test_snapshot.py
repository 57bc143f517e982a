# SPDX-License-Identifier: LGPL-2.1-or-later
"""200 machines from one snapshot, one after the other: each answers, is at rest, knows what time it is, has random numbers and
a disk of its own, and gives a device that is plugged in its driver. Some of them boot again, too."""

import time

import driver
import pytest

from support import ask, loaded, wait_bound, wait_unbound


def looks_fresh(machine, drawn):
    """As each machine has to be, whatever the ones before it have done."""
    status = ask(machine, "status")
    assert (status["inCharge"], status["idle"], status["problems"]) == ("lkmd", True, [])
    assert machine.run("systemctl is-system-running").stdout == "running\n"
    assert abs(float(machine.run("date +%s.%N").stdout) - time.time()) < 60
    assert machine.run("test -e /root/mine", check=False).returncode == 1
    machine.write("/root/mine", "mine")
    mine = machine.read("/proc/sys/kernel/random/uuid")
    assert mine not in drawn
    drawn.add(mine)


def gives_a_card_its_driver(machine):
    assert "e1000e" not in loaded(machine)
    machine.qmp("device_add", driver="e1000e", id="card", bus="rp0")
    wait_bound(machine, "pci", "e1000e")
    machine.unplug("card")
    wait_unbound(machine, "pci", "e1000e")


@pytest.mark.filterwarnings("error")    # fresh() boots where it cannot restore, and warns of that
def test_200_machines_from_one_snapshot():
    drawn, seconds = set(), []
    for i in range(200):
        began = time.monotonic()
        machine = driver.fresh()
        seconds.append(time.monotonic() - began)
        try:
            looks_fresh(machine, drawn)
            gives_a_card_its_driver(machine)
            assert machine.run("dmesg --level=emerg,alert,crit,err").stdout == ""
            if i % 50 == 49:
                machine.reboot()
                assert machine.read("/root/mine") == "mine"
                machine.reset()
                assert machine.console.count("Linux version ") == 3
        except BaseException as error:
            error.add_note(f"this was machine {i + 1}")
            machine.abandoned = True    # the plugin keeps its logs
            raise
        machine.remove()
        print(f"machine {i + 1}: restored in {seconds[-1]:.1f} s", flush=True)
    seconds.sort()
    print(f"restored in {seconds[0]:.1f} to {seconds[-1]:.1f} s, half of them within {seconds[len(seconds) // 2]:.1f} s")
