# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes longer than a test of every day may: every way to each of many modules, the same driver boot after boot."""

from policy_paths import no_way_leads_in
from support import ask, loaded, wait_idle
from test_policy import audit

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


def test_audit_then_enforce_then_propose(fresh):
    """One machine, four boots: what audit would have refused is what enforce refuses; and what was used, proposed and
    enforced, refuses nothing until something new is plugged in."""
    machine = fresh()
    machine.devices += ["-device", "virtio-balloon-pci", "-device", "e1000", "-device", "pvpanic-pci"]     # from the next boot on
    rules = """rules:
  - {match: {module: [virtio_balloon, e1000, i2c_i801, lpc_ich]}, verdict: deny, reason: tried}
  - {match: {modalias: 'acpi:*', origin: device}, verdict: deny, reason: no ACPI}
"""
    machine.write(FILE, f"version: 1\nmode: audit\n{rules}")
    machine.reboot()
    wait_idle(machine)
    assert {"virtio_balloon", "e1000"} <= loaded(machine)
    would = audit(machine, "would_refuse")
    assert audit(machine, "refused") == set()
    assert {("virtio_balloon", "device"), ("e1000", "device")} <= would

    machine.write(FILE, f"version: 1\nmode: enforce\n{rules}")
    machine.reboot()
    wait_idle(machine)
    assert audit(machine, "refused") == would
    assert not {module for module, _ in would} & loaded(machine)

    machine.run(["rm", FILE])
    machine.reboot()
    wait_idle(machine)
    used = loaded(machine)
    machine.run(f"lkmctl policy propose >{FILE}")
    machine.run(["lkmctl", "policy", "check", FILE])
    assert "default: deny" in machine.read(FILE)
    machine.reboot()
    wait_idle(machine)
    assert audit(machine, "refused") == set()
    assert used <= loaded(machine)
    status = ask(machine, "status")
    assert (status["policy"]["defaultVerdict"], status["policy"]["loadedButDenied"]) == ("deny", [])
    machine.qmp("device_add", driver="e1000e", id="new", bus="rp0")
    machine.wait("lkmctl policy audit | grep -q e1000e")
    assert ("e1000e", "device") in audit(machine, "refused")
    assert "e1000e" not in loaded(machine)
