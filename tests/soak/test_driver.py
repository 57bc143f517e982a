# SPDX-License-Identifier: LGPL-2.1-or-later
"""The driver of the virtual machines: what takes three boots. Whoever changes it runs this."""

import pytest

from driver import MachineDown


def test_reboot_and_power_cut_keep_the_disk(fresh):
    machine = fresh(lkmd=False)
    first = machine.read("/proc/sys/kernel/random/boot_id")
    machine.write("/root/kept", "kept")
    machine.reboot(append="lkmd.test=word")
    assert "lkmd.test=word" in machine.read("/proc/cmdline")
    assert machine.read("/root/kept") == "kept"
    second = machine.read("/proc/sys/kernel/random/boot_id")
    machine.reset()
    assert machine.read("/root/kept") == "kept"
    assert "lkmd.test=word" in machine.read("/proc/cmdline")
    assert len({first, second, machine.read("/proc/sys/kernel/random/boot_id")}) == 3
    machine.shut_down()
    with pytest.raises(MachineDown, match="down"):
        machine.run("true")
    assert "Power down" in machine.console
    assert "reboot" in machine.journal()
