# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl why-not, devices and stale on a made-up tree of modules and a server that plays lkmd; what is looked at in /sys is that of
the machine that runs the tests, so nothing here depends on what it has. The causes themselves are in the unit test."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from fake_lkmd import FakeLkmd, error, reply
from lkmctl_bench import on_terminal
from module_tree import make_tree
from policy_bench import LKMCTL

MODULES = {
    "usb-core": ((), ()),
    "usb-storage": (("usb-core",), ("alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*",)),
    "uas": (("usb-storage",), ("alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip62in*",)),
    "nvidia": ((), ("alias=pci:v000010DEd*sv*sd*bc03sc*i*",)),
    "nouveau": ((), ("alias=pci:v000010DEd*sv*sd*bc03sc*i*",)),
}
GPU = "pci:v000010DEd00002484sv00001043sd0000878Abc03sc00i00"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make_tree(root, os.uname().release, MODULES)
    return root


@pytest.fixture
def lkmd(tmp_path):
    server = FakeLkmd(tmp_path / "lkmd")
    server.on("Status", reply(inCharge="lkmd", version="1", afterUdev=[]))
    server.on("DescribeModule", error("NoSuchModule"))
    yield server
    server.close()


@pytest.fixture
def run(tree, tmp_path, lkmd):
    """run(*words, check=status): lkmctl with its tree, its policy and its lkmd."""
    def run(*words, check=0, **variables):
        done = subprocess.run([LKMCTL, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_ROOT": str(tree), "LKMD_POLICY_ROOT": str(tmp_path),
                                   "LKMD_SOCKET": lkmd.path, **variables})
        assert done.returncode == check, done
        return done
    return run


def causes(run, *words, check=0):
    answer = json.loads(run("why-not", "--json=short", *words, check=check).stdout)
    for cause in answer["causes"]:
        assert set(cause) <= {"kind", "sentence", "module", "file", "line", "command"}
    return answer


def test_denied(run, tmp_path):
    policy = tmp_path / "etc/lkmd/policy.d/a.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text("version: 1\nrules:\n- {id: no, match: {module: usb-storage}, verdict: deny, reason: no sticks}\n")
    [cause] = causes(run, "usb-storage")["causes"]
    assert (cause["kind"], cause["module"], cause["file"], cause["line"]) == ("denied", "usb_storage", str(policy), 3)
    assert cause["sentence"] == f"usb_storage is denied by {policy}:3: no sticks"
    text = run("why-not", "usb-storage").stdout
    assert text == f"{cause['sentence']}\n  try: {cause['command']}\n"
    [cause] = causes(run, "uas")["causes"]      # which needs it
    assert cause["kind"] == "denied" and "usb_storage (needed by uas)" in cause["sentence"] and cause["module"] == "uas"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_sentences_fit_the_terminal(tree, tmp_path, lkmd, columns):
    policy = tmp_path / "etc/lkmd/policy.d/a.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text("version: 1\nrules:\n- {id: no, match: {module: usb-storage}, verdict: deny, reason: there are no sticks in here}\n")
    text = on_terminal({"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LKMD_ROOT": str(tree), "LKMD_POLICY_ROOT": str(tmp_path),
                        "LKMD_SOCKET": lkmd.path, "ASAN_OPTIONS": "exitcode=99"}, "why-not", "uas", columns=columns)
    assert "there are no sticks in here" in " ".join(text.split())
    # but for the path of the policy, which is longer than some terminals and is copied
    assert max(len(line) for line in text.splitlines() if str(tmp_path) not in line) <= columns


def test_each_candidate(run, tmp_path):
    policy = tmp_path / "etc/lkmd/policy.d/a.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text("version: 1\nrules:\n- {id: no, match: {module: [nvidia, nouveau]}, verdict: deny, reason: no}\n")
    answer = causes(run, GPU)
    assert sorted(answer["candidates"]) == ["nouveau", "nvidia"]
    assert sorted((c["kind"], c["module"]) for c in answer["causes"]) == [("denied", "nouveau"), ("denied", "nvidia")]


@pytest.mark.parametrize("line, subject, kind, sentence", [
    ("install nvidia /bin/echo x", "nvidia", "command", 'runs "/bin/echo x" in its place'),
    ("install nvidia /bin/false", "nvidia", "denied", "its install line only denies"),
    ("blacklist nvidia", "nvidia", "blacklisted", "devices do not get it: "),
    ("blacklist usb-storage", "usb:v1p2d3dc1dsc1dp1ic08isc06ip50in0", "blacklisted", "usb_storage is denied by"),
    ("alias net-pf-77 off", "net-pf-77", "turned_off", "net_pf_77 is turned off by"),
])
def test_lines_of_modprobe_d(run, modprobe_d, line, subject, kind, sentence):
    modprobe_d.write_text(f"# first\n{line}\n")
    [cause] = causes(run, subject)["causes"]
    assert (cause["kind"], cause["file"], cause["line"]) == (kind, str(modprobe_d), 2)
    assert sentence in cause["sentence"].replace("net-pf-77", "net_pf_77") and cause["command"]


def test_nothing(run, lkmd):
    answer = causes(run, "nvidia")
    assert (answer["subject"], answer["causes"], answer["command"]) == ("nvidia", [], "lkmctl load nvidia")
    assert run("why-not", "-q", "nvidia").stdout == ""
    lkmd.on("DescribeModule", reply(module={"name": "nvidia", "state": "not_loaded"}, history=[
        {"outcome": "failed", "reason": "requested", "timeUSec": 2 ** 52, "message": "nvidia \x1b[31m failed", "hint": "look"}]))
    [cause] = causes(run, "nvidia")["causes"]
    assert (cause["kind"], cause["command"]) == ("load_failed", "look") and cause["sentence"].startswith("nvidia \\x1b[31m failed (tried ")


@pytest.mark.parametrize("subject", ["no-such", "", "-x", "a" * 5000, "\udcff\udcfe", "pci:\udcff", "*", "../..", "/sys/none", "/dev/none", "dead:beef"])
def test_means_nothing(run, subject):
    done = run("why-not", "--json=short", "--", subject, check=5)
    assert json.loads(done.stdout or done.stderr)
    text = run("why-not", "--", subject, check=5)
    assert all(line.isprintable() for line in (text.stdout + text.stderr).splitlines())


def test_without_lkmd(run):
    [cause] = json.loads(run("why-not", "--json=short", "nvidia", LKMD_SOCKET="/none").stdout)["causes"]
    assert cause["kind"] == "not_running"
    run("devices", LKMD_SOCKET="/none")


def test_an_lkmd_that_talks_nonsense(run, lkmd):
    for nonsense in ({}, {"module": 5, "history": "x"}, {"module": {"state": 7}, "history": [None, 3]}):
        lkmd.on("DescribeModule", reply(**nonsense))
        lkmd.on("Status", reply(**{k: [nonsense] for k in ("inCharge", "afterUdev", "waitingForUdev")}))
        causes(run, "nvidia")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_devices(run, columns):
    text = run("devices", COLUMNS=str(columns)).stdout
    assert re.match(r"DEVICE +NAME", text) and "\x1b" not in text
    lines = run("devices", "--json=short").stdout.splitlines()
    assert lines and all({"device", "candidates", "causes"} <= set(json.loads(line)) for line in lines)
    assert len(json.loads(run("devices", "--json").stdout)) == len(lines)
    unbound = [json.loads(line) for line in run("devices", "--unbound", "--json=short").stdout.splitlines()]
    assert all("driver" not in device for device in unbound) and len(unbound) <= len(lines)
    if lines:
        assert "Path: /sys/devices" in run("devices", "/sys" + json.loads(lines[0])["device"]).stdout
    run("devices", "/sys/devices/none", check=5)


def test_stale(run):
    done = run("stale", "--json=short", check=1 if has_modules() else 0)
    for line in done.stdout.splitlines():
        assert set(json.loads(line)) <= {"module", "kind", "path", "inUse", "loaded", "file", "command"}


def has_modules():
    """Are there modules in the kernel that runs the tests? None of them is in the tree."""
    return any(Path("/sys/module").glob("*/initstate"))
