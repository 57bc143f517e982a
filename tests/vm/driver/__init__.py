# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual machines for the tests of lkmd: boot() gives a Machine; with pytest, `-p driver.plugin` gives the fixtures."""

from .errors import CommandFailed, LabError, MachineDown, QmpError
from .machine import Machine, Result

__all__ = ["CommandFailed", "LabError", "Machine", "MachineDown", "QmpError", "Result", "boot"]


def boot(devices="plain", append="", smp=2, lkmd=True, qemu=(), **more):
    """Boot a machine and wait until its start-up has settled; see Machine for what it can do."""
    machine = Machine(devices=devices, append=append, smp=smp, lkmd=lkmd, qemu=qemu, **more)
    try:
        machine.start()
    except BaseException:
        machine.abandoned = True
        raise
    return machine
