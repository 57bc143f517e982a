# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes longer than a test of every day may: every way to each of many modules, the same driver boot after boot."""

from policy_paths import no_way_leads_in
from support import loaded, wait_idle

FILE = "/etc/lkmd/policy.d/test.yaml"


def test_no_way_leads_to_any_of_239_modules(machine):
    no_way_leads_in(machine, others=200)


def test_prefer_chooses_the_same_driver_in_20_boots(boot):
    machine = boot(qemu=("-device", "rtl8139"))
    for i in range(20):
        preferred, other = ("8139cp", "8139too") if i < 10 else ("8139too", "8139cp")
        machine.write(FILE, "version: 1\nrules:\n"
                            f"  - match: {{modalias: 'pci:v000010ECd00008139*'}}\n"
                            f"    prefer: ['{preferred}', '{other}']\n")
        machine.reboot()
        wait_idle(machine)
        assert {preferred, other} & loaded(machine) == {preferred}, f"boot {i + 1}"
