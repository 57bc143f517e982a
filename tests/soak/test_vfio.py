# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card that a rule of udev's gives to vfio-pci never is in the hands of its usual driver, in twenty times each."""

import driver
from support import start_lkmd
from test_udev_word import OVERRIDE, RULES, check_given_to_vfio, forget, plug, wait_handled

TIMES = 20


def test_plugged_in():
    machine = driver.fresh()
    try:
        machine.write(RULES, OVERRIDE)
        machine.run("udevadm control --reload && udevadm settle")
        for _ in range(TIMES):
            plug(machine)
            wait_handled(machine)
            check_given_to_vfio(machine)
            forget(machine)
    finally:
        machine.remove()


def test_lkmd_comes_later():
    machine = driver.fresh()
    try:
        machine.write(RULES, OVERRIDE)
        machine.run("udevadm control --reload && udevadm settle")
        plug(machine)
        wait_handled(machine)
        for _ in range(TIMES):
            machine.run("systemctl stop lkmd; modprobe -r e1000e; udevadm settle; dmesg -C", timeout=120)
            start_lkmd(machine)
            wait_handled(machine)
            check_given_to_vfio(machine)
    finally:
        machine.remove()


def test_boots():
    machine = driver.boot(qemu=["-device", "e1000e,id=nic,bus=rp0"])
    try:
        machine.write(RULES, OVERRIDE)
        for _ in range(TIMES):
            machine.reboot()
            wait_handled(machine)
            check_given_to_vfio(machine)
    finally:
        machine.remove()
