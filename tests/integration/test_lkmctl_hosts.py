# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl and other hosts, by ssh; and what was probably meant by a name that does not exist, here or there."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, reply
from module_tree import make_tree
from lkmctl_bench import FLOPPY, STATUS, ctl, environment, lkmd


# ------------------------------------------------------------------------------------------------------- by ssh

SSH = """#!/usr/bin/env python3
import os, select, socket, sys
open(os.environ["SSH_LOG"], "w").write("\\n".join(sys.argv[1:]))
if os.environ["SSH_TO"] == "":
    sys.exit(255)
there = socket.socket(socket.AF_UNIX)
there.connect(os.environ["SSH_TO"])
while True:
    for fd in select.select([0, there], [], [])[0]:
        data = os.read(0, 65536) if fd == 0 else there.recv(65536)
        if not data:
            sys.exit(0)
        there.sendall(data) if fd == 0 else os.write(1, data)
"""


@pytest.fixture
def ssh(tmp_path):
    program = tmp_path / "ssh"
    program.write_text(SSH)
    program.chmod(0o755)
    return {"SYSTEMD_SSH": str(program), "SSH_LOG": str(tmp_path / "log"), "LKMD_SOCKET": "/nonexistent"}


def test_another_host(lkmd, ctl, ssh):
    lkmd.on("Status", reply(**{**STATUS, "failures": [FLOPPY]}))
    out = ctl("-H", "root@box", "status", check=0, **ssh, SSH_TO=lkmd.path).stdout
    assert "on root@box" in out and "Next: lkmctl -H root@box status floppy" in out
    assert Path(ssh["SSH_LOG"]).read_text().split() == ["-W", "/run/lkmd/io.lkmd.Manager", "root@box"]


def test_the_boot_of_another_host(lkmd, ctl, ssh):
    """Loads an hour apart: the later one is none of the boot. The clock is that of the other machine."""
    records = [{"timeUSec": 1, "module": name, "outcome": outcome, "reason": "requested", "requester": {"origin": "boot", "key": name},
                "queuedUSec": usec, "beganUSec": usec, "endedUSec": usec + 5, "durationUSec": 5}
               for name, outcome, usec in (("a", "loaded", 1_000_000), ("b", "loaded", 3_600_000_000))]
    lkmd.on("History", reply(entries=[{"id": i + 1, "gone": False, "record": r} for i, r in enumerate(records)], complete=True))
    out = ctl("-H", "box", "blame", check=0, **ssh, SSH_TO=lkmd.path).stdout
    assert "lkmctl -H box blame --all" in out and " a " in out and " b " not in out
    lkmd.on("List", reply(modules=[{"name": "a", "state": "live", "holders": []}]))
    assert "digraph" in ctl("-H", "box", "graph", "--dot", check=0, **ssh, SSH_TO=lkmd.path).stdout


def test_a_device_of_another_host_is_looked_for_there(lkmd, ctl, ssh):
    lkmd.on("Wait", reply())
    ctl("-H", "box", "wait", "--device", "/sys/class/net/not-here", check=0, **ssh, SSH_TO=lkmd.path)
    assert lkmd.calls[-1][1] == {"idle": False, "device": "/sys/class/net/not-here"}


def test_another_host_that_cannot_be_reached(ctl, ssh):
    assert "no connection to lkmd on box" in ctl("status", "--host=box", check=4, **ssh, SSH_TO="").stderr


NOT_PROVEN = {"message": "e1000e was asked for with parameters ...", "hint": "in general", "module": "e1000e", "errno": 1, "notProven": True}


@pytest.mark.parametrize("words, failure, command", [
    (["load", "e1000e", "IntMode=1"], "LoadFailed", "ssh box lkmctl load e1000e IntMode=1"),
    (["load", "e1000e", "a=x y", "b"], "LoadFailed", "ssh box \"lkmctl load e1000e 'a=x y' b\""),
    (["load", "--force-vermagic", "--", "-x", "a=1"], "LoadFailed", "ssh box lkmctl load --force-vermagic -- -x a=1"),
])
def test_what_root_has_to_prove_is_refused_with_the_command_that_proves_it(lkmd, ctl, ssh, words, failure, command):
    lkmd.on(words[0].capitalize(), error(failure, **NOT_PROVEN))
    assert f"  try: {command}\n" in ctl("-H", "box", *words, check=1, **ssh, SSH_TO=lkmd.path).stderr
    assert json.loads(ctl("-H", "box", "--json", *words, check=1, **ssh, SSH_TO=lkmd.path).stdout)["hint"] == command
    assert "  try: in general\n" in ctl(*words, check=1).stderr
    lkmd.on(words[0].capitalize(), error(failure, **{**NOT_PROVEN, "notProven": False}))
    assert "  try: in general\n" in ctl("-H", "box", *words, check=1, **ssh, SSH_TO=lkmd.path).stderr


@pytest.mark.parametrize("words, command", [
    (["unload", "e1000e"], "lkmctl -H box unload e1000e --host=.host"),
    (["--json=short", "unload", "--", "-x", "a b"], "lkmctl -H box --json=short unload --host=.host -- -x 'a b'"),
    (["holders", "--trace=5s", "it's"], "lkmctl -H box holders --trace=5s \"it's\" --host=.host"),
    (["why-not", "$(id)"], "lkmctl -H box why-not '$(id)' --host=.host"),
])
def test_what_looks_at_the_machine_is_run_there(ctl, tmp_path, words, command):
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{tmp_path}/log\nexit 3\n")
    program.chmod(0o755)
    ctl("-H", "box", *words, check=3, SYSTEMD_SSH=str(program))
    assert (tmp_path / "log").read_text() == f"--\nbox\n{command}\n"


def test_a_machine_that_cannot_be_reached_or_asked(ctl, tmp_path):
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nexit 255\n")
    program.chmod(0o755)
    assert "no connection to box" in ctl("-H", "box", "holders", "x", check=4, SYSTEMD_SSH=str(program)).stderr
    assert "cannot run ssh to box" in ctl("-H", "box", "holders", "x", check=4, SYSTEMD_SSH=str(tmp_path / "none")).stderr


def test_this_machine_is_a_host(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    ctl("-H", "box", "status", "-H", ".host", check=0)


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "a b", "a:b", "a/b", "a;b", "a\nb", "a?b", "a#b"])
def test_hosts_that_are_none(ctl, host):
    ctl("-H", host, "status", check=2)


# ------------------------------------------------------------------------------------------------ did you mean ...?

@pytest.mark.parametrize("words, method", [
    (["load", "e100e"], "Load"), (["unload", "e100e"], "Unload"), (["status", "e100e"], "DescribeModule"), (["wait", "--module", "e100e"], "Wait"),
])
def test_what_was_probably_meant(lkmd, ctl, ssh, tmp_path, words, method):
    make_tree(tmp_path, os.uname().release, {"e1000e": ((), ()), "other": ((), ())})
    lkmd.on(method, error("NoSuchModule", message="nothing is called 'e100e'", hint="check the spelling"))
    assert "lkmctl: nothing is called 'e100e', did you mean 'e1000e'?\n" in ctl(*words, check=5, LKMD_ROOT=str(tmp_path)).stderr
    if words[0] != "unload":            # that is done by the lkmctl there
        assert "did you mean" not in ctl("-H", "box", *words, check=5, **ssh, SSH_TO=lkmd.path, LKMD_ROOT=str(tmp_path)).stderr
    lkmd.on(method, error("TooManyClients", message="nothing is called 'e100e'"))
    assert "did you mean" not in ctl(*words, LKMD_ROOT=str(tmp_path)).stderr
