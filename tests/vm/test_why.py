# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a module is there, for every way in which one comes; what asked for it in an earlier boot; units that need one."""

import pytest

from kernel_requests import opens_alg
from support import ask, ask_all, lkmctl, loaded, remove, start_lkmd, wait_idle

SCTP = ("setpriv --reuid=65534 --regid=65534 --clear-groups python3 -c 'import socket; socket.socket(socket.AF_INET, "
        "socket.SOCK_STREAM, 132)'")
SOFTDEP = "/etc/modprobe.d/why.conf"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")
    wait_idle(machine)


def why(machine, module):
    """The modules of the chain, the requester at its end, and the whole answer."""
    answer = ask(machine, "why", module)
    assert lkmctl(machine, "why", module).stdout
    modules, cause = [], answer["cause"]
    while "module" in cause:
        modules.append(cause["module"])
        cause = cause["wantedBy"]
    return modules, cause["requester"], answer


def test_hotplug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    wait_idle(machine)
    modules, requester, answer = why(machine, "e1000e")
    assert modules == ["e1000e"] and [d["device"] for d in answer["devices"]] == [requester["device"]]
    assert requester["origin"] == "device" and requester["key"].startswith("pci:v00008086d000010D3")
    assert "82574L" in answer["deviceName"]
    record = answer["cause"]["record"]
    assert record["queuedUSec"] <= record["beganUSec"] < record["endedUSec"] and record["durationUSec"] > 0
    assert "after the machine had started" in lkmctl(machine, "why", "e1000e").stdout
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)
    remove(machine, "e1000e")


def test_what_was_found_at_the_start(machine):
    """By devices, and what was there before lkmd."""
    origins = {m["loadedBy"]["requester"]["origin"]: m["name"] for m in ask_all(machine, "list") if "loadedBy" in m}
    for origin in ("device", "boot"):
        assert why(machine, origins[origin])[1]["origin"] == origin


def test_by_hand(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    modules, requester, _ = why(machine, "lkmd_test_c")
    assert modules == ["lkmd_test_c", "lkmd_test_b", "lkmd_test_a"]
    assert (requester["origin"], requester["command"], requester["uid"]) == ("client", "lkmctl", 0)
    remove(machine, "lkmd_test_a")
    answer = ask(machine, "why", "lkmd_test_c")
    assert answer["state"] == "not_loaded" and [r["outcome"] for r in answer["history"]][-2:] == ["loaded", "unloaded"]
    assert "lkmctl why-not lkmd_test_c" in lkmctl(machine, "why", "lkmd_test_c").stdout


def test_softdep(machine):
    machine.write(SOFTDEP, "softdep dummy pre: lkmd_test_c\n")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy")
    modules, _, answer = why(machine, "lkmd_test_c")
    assert modules == ["lkmd_test_c", "dummy"] and answer["cause"]["record"]["reason"] == "softdep_pre"
    remove(machine, "dummy", "lkmd_test_c")
    machine.run(f"rm {SOFTDEP}")
    lkmctl(machine, "reload")


def test_the_kernel_for_a_program(machine):
    assert opens_alg(machine)
    wait_idle(machine)
    modules, requester, _ = why(machine, "af_alg")
    assert modules == ["af_alg"]
    assert (requester["origin"], requester["key"], requester["uid"]) == ("kernel", "net-pf-38", 65534) and "python3" in requester["command"]
    remove(machine, "af_alg")


def test_without_lkmd(machine):
    machine.run("insmod $(modinfo -n lkmd_test_c)")
    machine.wait("lkmctl why lkmd_test_c --json | grep -q '\"foreign\"'", timeout=30)
    modules, requester, _ = why(machine, "lkmd_test_c")
    assert modules == ["lkmd_test_c"] and requester["command"] == "insmod"
    machine.run("rmmod lkmd_test_c")


def test_unknown_and_built_in(machine):
    assert "did you mean" in lkmctl(machine, "why", "e1000ee", status=5).stderr
    built_in = next(line.rsplit("/", 1)[1].removesuffix(".ko") for line in
                    machine.run("cat /lib/modules/$(uname -r)/modules.builtin").stdout.splitlines())
    assert ask(machine, "why", built_in)["state"] == "built_in"


def test_initramfs(fresh):
    """As if udev had not been started yet: then nobody but the initramfs can have loaded what is there."""
    machine = fresh()
    machine.run("systemctl stop lkmd.socket lkmd 'systemd-udevd*'; rm -f /run/lkmd/state/ledger; mkdir -p /run/initramfs; modprobe dummy")
    start_lkmd(machine)
    assert why(machine, "dummy")[1]["origin"] == "initramfs"
    assert "initramfs" in lkmctl(machine, "why", "dummy").stdout


@pytest.mark.soak                       # journals of two boots, and who may read them: tests/integration/test_log.py
def test_log_over_boots(fresh):
    """Who asks for sctp sometimes? The answer of another boot, for root, and what is missing for others."""
    machine = fresh()
    machine.run("mkdir -p /var/log/journal; systemd-tmpfiles --create --prefix /var/log/journal; journalctl --flush")
    machine.run(SCTP)
    wait_idle(machine)
    machine.run(f"{SCTP}; journalctl --sync")
    machine.reboot()
    wait_idle(machine)
    machine.run("journalctl --sync")
    *entries, extent = ask_all(machine, "log", "sctp", "--boot", "-1")
    assert extent == {"kind": "extent", "source": "journal", "complete": True}
    [load] = [e for e in entries if e["kind"] == "loaded"]
    assert load["module"] == "sctp" and load["requester"]["uid"] == 65534 and load["reason"] == "requested"
    assert ask_all(machine, "log", "sctp", "--boot=0")[:-1] == []
    [group, _] = ask_all(machine, "log", "sctp", "--by", "requester")
    assert "python3" in group["requester"]["command"] and {e["module"] for e in group["entries"]} == {"sctp"}
    assert len({e["boot"] for e in ask_all(machine, "log")[:-1]}) == 2
    assert {e["requester"]["origin"] for e in ask_all(machine, "log", "/sys/devices/pci0000:00")[:-1]} == {"device"}
    said = machine.run("setpriv --reuid=65534 --regid=65534 --clear-groups lkmctl log", check=True)
    assert "group systemd-journal" in said.stderr and "loaded" in said.stdout


def test_units_that_need_a_module(machine):
    machine.run("systemctl --quiet mask --runtime --now sys-kernel-config.mount; mkdir -p /run/configfs")
    remove(machine, "configfs")
    machine.write("/run/systemd/system/needs.service", "[Unit]\nRequires=lkmd-load@configfs.service\nAfter=lkmd-load@configfs.service\n"
                  "[Service]\nType=oneshot\nExecStart=mount -t configfs none /run/configfs\n")
    machine.write("/run/systemd/system/fails.service", "[Unit]\nRequires=lkmd-load@no_such.service\nAfter=lkmd-load@no_such.service\n"
                  "[Service]\nType=oneshot\nExecStart=true\n")
    machine.run("systemctl daemon-reload")
    machine.run("for i in $(seq 10); do systemctl start needs && umount /run/configfs && lkmctl unload -q configfs || exit 1; done", timeout=120)
    machine.run("systemctl start needs")
    assert ask(machine, "why", "configfs")["cause"]["record"]["requester"]["unit"] == "lkmd-load@configfs.service"
    machine.run("systemctl start needs; umount /run/configfs; umount /run/configfs")
    assert machine.run("systemctl start fails", check=False).returncode != 0
    assert machine.run("systemctl is-failed lkmd-load@no_such.service", check=False).stdout == "failed\n"
    machine.run("systemctl reset-failed")
    remove(machine, "configfs")


@pytest.mark.parametrize("n", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_ready_means_ready(machine, n):
    """Load, use and remove again and again: the mount, which the load comes right before, never fails."""
    machine.run("systemctl --quiet mask --runtime --now sys-kernel-config.mount; mkdir -p /run/configfs")
    remove(machine, "configfs")
    machine.run(f"for i in $(seq {n}); do lkmctl load -q configfs && mount -t configfs none /run/configfs && umount /run/configfs && "
                "lkmctl unload -q configfs || exit 1; done", timeout=300)
    assert "configfs" not in loaded(machine)
