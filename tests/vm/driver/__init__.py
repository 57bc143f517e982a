# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual machines for the tests of lkmd: boot() and fresh() give a Machine. With pytest, `-p driver.plugin` gives the
fixtures."""

import warnings

from .errors import CommandFailed, LabError, MachineDown, NoSnapshot, QmpError
from .machine import Machine, Result
from .snapshots import snapshot

__all__ = ["CommandFailed", "LabError", "Machine", "MachineDown", "QmpError", "Result", "boot", "fresh"]


def boot(devices="plain", append="", smp=2, lkmd=True, qemu=(), **more):
    """Boot a machine and wait until its start-up has settled; see Machine for what it can do."""
    machine = Machine(devices=devices, append=append, smp=smp, lkmd=lkmd, qemu=qemu, **more)
    try:
        machine.start()
    except BaseException:
        machine.abandoned = True
        raise
    return machine


def fresh(lkmd=True):
    """A plain machine that was booted and has come to rest, with or without lkmd: restored from a snapshot, which takes seconds.
    It has a disk of its own, and reboots like any other. There is no rich one: QEMU cannot save six of its devices (usb-audio,
    usb-braille, usb-net, usb-serial, usb-wacom-tablet, virtio-crypto-pci)."""
    machine = taken = None
    try:
        taken = snapshot("plain", lkmd)
        machine = Machine(lkmd=lkmd, snapshot=taken)
        machine.restore()
        return machine
    except NoSnapshot as error:         # a fault of QEMU or virtiofsd: nothing of what is tested has run
        warnings.warn(f"booted instead: {error}")
        if machine:
            taken.discard()
            machine.remove()
    except BaseException:
        if machine:
            machine.abandoned = True
        raise
    machine = boot(lkmd=lkmd)
    machine.come_to_rest()
    return machine
