# SPDX-License-Identifier: LGPL-2.1-or-later
"""200 machines from one snapshot, one after the other: each answers, is at rest, knows what time it is, has random numbers and
a disk of its own, and gives a device that is plugged in its driver. Some of them boot again, too."""

import json
import time

import driver
import pytest

from support import loaded, wait_bound

LOOK = """cat /proc/sys/kernel/random/uuid; date +%s; systemctl is-system-running; test -e /root/mine; echo $?; echo mine >/root/mine
dmesg --level=emerg,alert,crit,err | wc -l; lkmctl --json=short status"""


def looks_fresh(machine, began, drawn):
    """As each machine has to be, whatever the ones before it have done. began: when it was asked for."""
    uuid, date, state, mine, errors, status = machine.run(LOOK).stdout.splitlines()
    assert uuid not in drawn
    drawn.add(uuid)
    assert began - 1 < int(date) < time.time() + 1
    assert (state, mine, errors) == ("running", "1", "0")
    status = json.loads(status)
    assert (status["inCharge"], status["idle"], status["problems"]) == ("lkmd", True, [])


def gives_a_card_its_driver(machine):
    assert "e1000e" not in loaded(machine)
    machine.qmp("device_add", driver="e1000e", id="card", bus="rp0")
    wait_bound(machine, "pci", "e1000e")


@pytest.mark.filterwarnings("error")    # fresh() boots where it cannot restore, and warns of that
def test_200_machines_from_one_snapshot():
    drawn, seconds = set(), []
    for i in range(200):
        began = time.time()
        machine = driver.fresh()
        seconds.append(time.time() - began)
        try:
            looks_fresh(machine, began, drawn)
            gives_a_card_its_driver(machine)
            if i % 100 == 99:
                machine.reboot()
                assert machine.read("/root/mine") == "mine\n"
                machine.reset()
                assert machine.read("/root/mine") == "mine\n"
                assert machine.console.count("Linux version ") == 3
        except BaseException as error:
            error.add_note(f"this was machine {i + 1}")
            machine.abandoned = True    # the plugin keeps its logs
            raise
        machine.remove()
        print(f"machine {i + 1}: restored in {seconds[-1]:.1f} s", flush=True)
    seconds.sort()
    print(f"restored in {seconds[0]:.1f} to {seconds[-1]:.1f} s, half of them within {seconds[len(seconds) // 2]:.1f} s")
