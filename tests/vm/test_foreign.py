# SPDX-License-Identifier: LGPL-2.1-or-later
"""What comes and goes without lkmd is in the ledger: by insmod, modprobe, rmmod, the boot; what is denied is reported."""

import json

import pytest

from support import ask, ask_all, kill_lkmd, lkmctl, loaded, start_lkmd, wait_idle

POLICY = "/etc/lkmd/policy.d/50-foreign.yaml"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")
    wait_idle(machine)


def file_of(machine, module):
    return machine.run(f"modinfo -n {module}").stdout.strip()


def record_of(machine, module):
    return ask(machine, "status", module)["module"].get("loadedBy")


def origins(machine):
    """Of each module in the kernel that has one."""
    return {m["name"]: m["loadedBy"]["requester"]["origin"] for m in ask_all(machine, "list") if "loadedBy" in m}


def history(machine, module):
    """(origin, outcome) of what the ledger has about it, the newest first."""
    return [(r["requester"]["origin"], r["outcome"]) for r in ask(machine, "status", module)["history"]]


def test_what_was_there_before(machine):
    """Each module in the kernel has a record that says where from."""
    found = origins(machine)
    assert set(found) == loaded(machine)
    assert set(found.values()) <= {"boot", "device", "client", "kernel", "foreign"}, found
    assert "boot" in found.values(), found


@pytest.mark.parametrize("command", ["insmod", "modprobe", "busybox insmod"])
def test_by_hand(machine, command):
    what = "lkmd_test_c" if command == "modprobe" else file_of(machine, "lkmd_test_c")
    machine.run(f"{command} {what}")
    machine.wait("lkmctl status lkmd_test_c --json | grep -q '\"foreign\"'", timeout=30)
    assert history(machine, "lkmd_test_c")[0] == ("foreign", "loaded")
    assert "without lkmd" in lkmctl(machine, "status", "lkmd_test_c").stdout
    machine.run("rmmod lkmd_test_c")
    machine.wait("lkmctl status lkmd_test_c --json | grep -q unloaded", timeout=30)
    assert history(machine, "lkmd_test_c")[:2] == [("foreign", "unloaded"), ("foreign", "loaded")]
    assert record_of(machine, "lkmd_test_c") is None
    entries = machine.run("journalctl --sync; journalctl -o cat -t lkmd LKMD_MODULE=lkmd_test_c LKMD_ORIGIN=foreign").stdout
    assert "loaded without lkmd, by" in entries and "removed without lkmd, by" in entries


def test_not_what_lkmd_does(machine):
    """Neither a load nor a removal of lkmd's counts as foreign, whatever comes first, the reply or the uevent."""
    for _ in range(10):
        lkmctl(machine, "load", "lkmd_test_a")
        lkmctl(machine, "unload", "lkmd_test_a")
    wait_idle(machine)
    for module in ("lkmd_test_a", "lkmd_test_b"):
        assert {origin for origin, _ in history(machine, module)} == {"client"}, history(machine, module)


def test_loaded_by_lkmd_removed_by_hand(machine):
    lkmctl(machine, "load", "lkmd_test_c")
    machine.run("rmmod lkmd_test_c")
    machine.wait("lkmctl status lkmd_test_c --json | grep -q unloaded", timeout=30)
    assert history(machine, "lkmd_test_c")[:2] == [("foreign", "unloaded"), ("client", "loaded")]


def test_lkmd_finds_it_there(machine):
    """A load that somebody else has done already, and that has been written down."""
    machine.run(f"insmod {file_of(machine, 'lkmd_test_c')}; lkmctl load lkmd_test_c")
    machine.wait("lkmctl status lkmd_test_c --json | grep -q '\"foreign\"'", timeout=30)
    assert record_of(machine, "lkmd_test_c")["requester"]["origin"] == "foreign"
    lkmctl(machine, "unload", "lkmd_test_c")
    assert history(machine, "lkmd_test_c")[0] == ("client", "unloaded")


def test_a_dependency_that_was_there_stays(machine):
    """What came without lkmd is not lkmd's to remove."""
    machine.run(f"insmod {file_of(machine, 'lkmd_test_c')}")
    lkmctl(machine, "load", "lkmd_test_a")
    lkmctl(machine, "unload", "lkmd_test_a")
    assert "lkmd_test_c" in loaded(machine)
    machine.run("rmmod lkmd_test_c")


def test_what_is_denied_is_reported(machine):
    machine.write(POLICY, "version: 1\nrules:\n  - id: no-c\n    match: {module: lkmd_test_c}\n    verdict: deny\n")
    lkmctl(machine, "reload")
    path = file_of(machine, "lkmd_test_c")
    machine.run("lkmctl monitor --json=short >/run/monitor & echo $! >/run/monitor.pid; sleep 1")
    machine.run(f"insmod {path}")
    machine.wait("grep -q foreign_denied /run/monitor", timeout=30)
    machine.run("kill $(cat /run/monitor.pid); journalctl --sync")
    events = [json.loads(line) for line in machine.read("/run/monitor").splitlines()]
    message = next(e["message"] for e in events if e["kind"] == "foreign_denied")
    assert f"lkmd_test_c is in the kernel, though {POLICY}:3 denies it" in message and "lkmctl unload lkmd_test_c" in message
    entry = json.loads(machine.run("journalctl -o json -t lkmd -p warning LKMD_MODULE=lkmd_test_c -n 1").stdout)
    assert entry["LKMD_RULE"] == f"{POLICY}:3" and entry["LKMD_ORIGIN"] == "foreign"
    lkmctl(machine, "unload", "lkmd_test_c")
    machine.run(f"rm {POLICY}")
    lkmctl(machine, "reload")


def test_while_lkmd_is_away(machine):
    """The next lkmd finds what has changed meanwhile."""
    lkmctl(machine, "load", "lkmd_test_b")
    machine.run("systemctl stop lkmd.socket lkmd")
    machine.run("rmmod lkmd_test_b; modprobe dummy")
    start_lkmd(machine)
    wait_idle(machine)
    assert history(machine, "lkmd_test_b")[:2] == [("foreign", "unloaded"), ("client", "loaded")]
    assert history(machine, "dummy")[0] == ("foreign", "loaded")
    machine.run("rmmod dummy")


def test_killed_in_between(machine):
    """A restart makes no foreign loads of lkmd's own."""
    before = origins(machine)
    kill_lkmd(machine)
    machine.wait("lkmctl wait --idle --timeout 30", timeout=60)
    after = origins(machine)
    assert {name: after.get(name) for name in before} == before
