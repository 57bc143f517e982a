# SPDX-License-Identifier: LGPL-2.1-or-later
"""The gate in the kernel: attached, proved, and there exactly as long as lkmd is to be."""

import pytest

from support import kill_lkmd, main_pid, start_lkmd

PINS = "/sys/fs/bpf/lkmd"
LINKS = {"link-request", "link-socket", "link-file", "link-data", "link-helper", "link-helper_starts"}
NO_BPF_LSM = "lsm=landlock,yama,apparmor"


def pinned(machine):
    return set(machine.run(["ls", f"{PINS}/v1"]).stdout.split())


def programs(machine):
    """IDs of the programs of the gate that are in the kernel."""
    return {line.split(":")[0] for line in machine.run("bpftool prog show").stdout.splitlines() if " name gate_" in line}


def attached(machine):
    """Programs of the gate that the kernel calls, by their IDs."""
    shown = machine.run("bpftool link show").stdout
    return {word for word in shown.replace("\n", " ").split() if word in programs(machine)}


@pytest.fixture(scope="module")
def gate(machine):
    """A machine that was booted with Debian's lsm=."""
    return machine


def test_attached_and_proved(gate):
    assert gate.run("systemctl is-active lkmd-gate").stdout == "active\n"
    assert gate.run("systemctl --failed --plain --no-legend").stdout == ""
    assert LINKS < pinned(gate)
    assert len(programs(gate)) == len(LINKS), "the observer of the proof is gone"
    assert gate.run("test -e /run/lkmd/gate-off", check=False).returncode == 1
    assert gate.run("systemctl show --value -p NFileDescriptorStore lkmd").stdout == "11\n"


def test_only_root_touches_it(gate):
    assert gate.run(f"stat -c '%A %U' {PINS} {PINS}/v1").stdout == "drwx------ root\n" * 2
    for line in gate.run(f"stat -c '%A %U' {PINS}/v1/*").stdout.splitlines():
        assert line == "-rw------- root"
    for user in ("nobody", "lkmd"):
        for command in (f"ls {PINS}", f"rm -r {PINS}", f"bpftool map dump pinned {PINS}/v1/map-active", "/usr/lib/lkmd/lkmd-gate detach"):
            result = gate.run(["setpriv", f"--reuid={user}", "--clear-groups", "--inh-caps=-all", "sh", "-c", command], check=False)
            assert result.returncode != 0, f"{user}: {command}"
    assert LINKS < pinned(gate)


def test_the_proof_fails_where_nothing_is_refused(gate):
    """No module can be asked for any more, so no program can be seen to refuse it."""
    gate.run("systemctl stop lkmd")
    gate.wait(f"! test -e {PINS}")
    result = gate.run("unshare --net setpriv --bounding-set=-sys_module,-net_admin /usr/lib/lkmd/lkmd-gate attach", check=False)
    assert result.returncode == 1 and "security_kernel_module_request" in result.stderr, result
    assert gate.run(f"test -e {PINS}", check=False).returncode == 1
    gate.wait("! bpftool prog show | grep -q 'name gate_'")
    assert "journalctl" in gate.read("/run/lkmd/gate-off")
    start_lkmd(gate)
    assert LINKS < pinned(gate)
    assert gate.run("test -e /run/lkmd/gate-off", check=False).returncode == 1


def test_it_stays_when_lkmd_is_killed_or_restarted(gate):
    before = programs(gate)
    kill_lkmd(gate)
    assert LINKS < pinned(gate)
    gate.wait("systemctl is-active lkmd")
    gate.run("systemctl restart lkmd")
    assert programs(gate) == before and attached(gate) == before
    assert gate.run("systemctl is-active lkmd-gate").stdout == "active\n"


def test_another_build_takes_its_place(gate):
    """As after an upgrade: the programs are others, the maps and what is in them stay."""
    before = programs(gate)
    gate.run(f"bpftool map update pinned {PINS}/v1/map-denied_files key 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0 value 3 0 0 0")
    gate.run(f"bpftool map update pinned {PINS}/v1/map-info key 0 0 0 0 value 1 0 0 0 0 0 0 0 7 7 7 7 7 7 7 7")
    gate.run("systemctl restart lkmd")
    gate.wait(f"test $(bpftool prog show | grep -c ' name gate_') = {len(LINKS)}")
    after = programs(gate)
    assert not after & before and attached(gate) == after
    shown = gate.run(f"bpftool map dump pinned {PINS}/v1/map-denied_files").stdout
    assert '"inode": 2' in shown, shown
    gate.run(f"bpftool map delete pinned {PINS}/v1/map-denied_files key 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0")


def test_another_layout_goes_when_lkmd_has_started(gate):
    gate.run(f"mkdir -m 700 {PINS}/v0 && bpftool link pin id $(bpftool link show pinned {PINS}/v1/link-data | sed -n '1s/:.*//p') {PINS}/v0/link-data")
    gate.run("systemctl restart lkmd")
    gate.wait(f"! test -e {PINS}/v0")
    assert LINKS < pinned(gate)


def test_nothing_is_left_after_a_stop(gate):
    assert gate.run("systemctl stop lkmd-gate", check=False).returncode != 0, "not by hand"
    gate.run("systemctl stop lkmd")
    gate.wait(f"! test -e {PINS}")
    gate.wait("! bpftool prog show | grep -q ' name gate_'")
    assert not any(name in gate.run("bpftool map show").stdout for name in (" name aliases_0", " name events", " name denied_files"))
    assert gate.run("systemctl --failed --plain --no-legend").stdout == ""
    start_lkmd(gate)
    assert LINKS < pinned(gate)


def test_without_bpf_in_lsm(boot):
    machine = boot(append=NO_BPF_LSM)
    assert "bpf" not in machine.read("/sys/kernel/security/lsm")
    test_attached_and_proved(machine)


def test_switched_off(boot):
    machine = boot(append="lkmd.gate=off")
    assert machine.run(f"test -e {PINS}", check=False).returncode == 1
    assert machine.read("/run/lkmd/gate-off") == "lkmd.gate=off is on the kernel command line\n"
    assert machine.run("systemctl --failed --plain --no-legend").stdout == ""
    assert machine.run("systemctl show --value -p NFileDescriptorStore lkmd").stdout == "0\n"
    assert main_pid(machine) > 0
    assert "off: lkmd.gate=off" in machine.journal("-b", "-u", "lkmd-gate")
