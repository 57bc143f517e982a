# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twelve kinds of abuse at once, for a minute ("-k short") and for ten, by one user and by as many as there are kinds:
devices get their drivers all the while, root is answered, and lkmd neither ends nor grows."""

import pytest

import abuse
from driver import lab

MEMORY_MAX = 96 << 20                   # of lkmd.service, at any time


@pytest.mark.parametrize("seconds", [60, 600], ids=["short", "long"])
@pytest.mark.parametrize("users", [[abuse.NOBODY], range(40000, 40000 + len(abuse.KINDS))], ids=["one", "many"])
def test_abuse(machine, users, seconds):
    before = abuse.memory(machine)
    drivers, answers = abuse.live_with_it(machine, users, seconds)
    print(f"drivers within {max(drivers):.2f} s of {len(drivers)}, answers within {max(answers):.2f} s")
    if lab.sanitized():
        return                          # which keeps what was freed; what it found is said when the machine is removed
    assert abuse.memory(machine) < before + (32 << 20)
    assert abuse.memory(machine, "MemoryPeak") < MEMORY_MAX
