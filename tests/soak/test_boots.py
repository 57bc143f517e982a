# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twenty boots of a machine full of devices: the same modules and the same drivers every time."""

import driver
from support import ask, wait_idle
from test_rich import NOT_FOR_DEVICES, SEVERAL_CANDIDATES, state_of

CANDIDATES = set().union(*SEVERAL_CANDIDATES.values())


def test_the_same_modules_in_20_boots():
    machine = driver.boot("rich")
    try:
        first = None
        for i in range(20):
            if i > 0:
                machine.reboot()
            wait_idle(machine, timeout=240)
            state = state_of(machine)
            modules = state.modules - NOT_FOR_DEVICES - CANDIDATES
            first = first or (modules, state.drivers)
            assert modules == first[0], f"boot {i + 1}: {modules ^ first[0]}"
            assert state.drivers == first[1], f"boot {i + 1}: {(state.drivers - first[1]) + (first[1] - state.drivers)}"
            assert ask(machine, "status")["counters"]["failures"] == 0
    finally:
        machine.remove()
