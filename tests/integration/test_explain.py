# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sentences of lkmctl explain, plan and resolve about lines of modprobe.d that do something else than they seem to."""

import json
import re

import pytest

from policy_bench import DISK, machine, tree


def explain(machine, *words, check=None):
    return json.loads(machine.run("explain", "--json=short", *words, check=check).stdout)


# ------------------------------------------------------------------------------------------------- install lines

@pytest.mark.parametrize("command", [
    "/usr/bin/disabled-by-security-misc", "/bin/flase", "/bin/echo no; /bin/false", "/sbin/modprobe -i usb-storage",
    "/bin/sh -c 'echo kept out; exit 1'",
])
def test_a_command_decides(machine, command):
    machine.modprobe(f"# sticks\ninstall usb-storage {command}\n")
    place = f"{machine.modprobe_d}/a.conf:2"
    for name in ("usb-storage", DISK):
        text = machine.run("explain", name, check=0).stdout
        assert f'usb_storage is not loaded by lkmd: {place} runs "{command}" in its place\n' in text
        assert "usb_storage is allowed" not in text
        assert re.search(rf"command +install line +{place} +then its command decides\n", text)
        assert [answer["verdict"] for answer in explain(machine, name)["answers"]] == ["command"] * 3
    assert explain(machine, "uas")["answers"][0]["verdict"] == "allow"  # it needs a module that a command decides about


def test_a_command_that_a_rule_allows(machine):
    file = machine.policy("version: 1\nrules: [{id: ok, match: {module: usb-storage}, verdict: allow, reason: ours}]\n")
    machine.modprobe("install usb-storage /usr/bin/x\n")
    text = machine.run("explain", "usb-storage", check=0).stdout
    assert f'runs "/usr/bin/x" in its place, which is allowed by {file}:2:9 (ok): ours\n' in text


@pytest.mark.parametrize("command", [
    "/bin/false", ":", "exit 1", '/bin/sh -c "exit 1"', "/sbin/nologin", "! true", "/bin/true;", "/bin/false foo", "/usr/bin/false",
    "/bin/false # comment", "/dev/null",
])
def test_a_command_that_does_nothing_denies(machine, command):
    machine.modprobe(f"install usb-storage {command}\n")
    answer = explain(machine, "usb-storage", check=3)["answers"][0]
    assert answer["verdict"] == "deny"
    assert answer["sentences"][0] == f"usb_storage is denied by {machine.modprobe_d}/a.conf:1: its install line only denies"
    machine.run("plan", "uas", check=3)


def test_what_modprobe_would_run_and_insert(machine):
    machine.modprobe("install usb-core /bin/false\ninstall uas /bin/false\n")
    sentence = explain(machine, "uas", check=3)["answers"][0]["sentences"][-1]
    assert sentence == ('modprobe would run "/bin/false" in the place of usb_core, and if that succeeds, insert usb_storage, '
                        'then run "/bin/false" in the place of uas')
    machine.modprobe("install usb-storage /bin/true\n")
    sentence = explain(machine, "uas", check=3)["answers"][0]["sentences"][-1]
    assert sentence == ('modprobe would insert usb_core, then run "/bin/true" in the place of usb_storage, and if that succeeds, '
                        "insert uas")


# ----------------------------------------------------------------------------------------------------- alias off

@pytest.mark.parametrize("line, key", [
    ("alias nouveau off", "nouveau"), ("alias net-pf-9 off", "net-pf-9"), ("alias net-pf-10 null", "net-pf-10"),
    ("alias usb:v* off", DISK),
])
def test_alias_off(machine, line, key):
    machine.modprobe(f"\n{line}\n")
    place = f"{machine.modprobe_d}/a.conf:2"
    for verb in ("explain", "plan", "resolve"):
        done = machine.run(verb, key, check=3)
        said = done.stdout + done.stderr
        assert f"turned off by {place}" in said, (verb, said)
        assert key in said and "turned_off" not in said and "missing" not in said and "reinstall" not in said
    plan = json.loads(machine.run("plan", "--json=short", key, check=3).stdout)
    assert plan["steps"] == []
    assert plan["omissions"] == [{"kind": "turned_off", "module": key, "required": True, "file": f"{machine.modprobe_d}/a.conf", "line": 2}]
    assert json.loads(machine.run("resolve", "--json=short", key, check=3).stdout) == {"key": key, "modules": []}


def test_alias_off_is_about_that_name_only(machine):
    machine.modprobe("alias nouveau off\n")
    assert machine.run("resolve", "nvidia", check=0).stdout == "nvidia\tnvidia\n"
    machine.modprobe("alias nouveau off\nalias nouveau nvidia\n")
    assert "nvidia" in machine.run("plan", "nouveau").stdout
    machine.modprobe("softdep x25 pre: nouveau\nalias nouveau off\n")
    done = machine.run("plan", "x25", check=0)
    assert f"nouveau  left out: turned off by {machine.modprobe_d}/a.conf:2, wanted by x25\n" in done.stdout


def test_alias_off_whatever_the_default(machine):
    machine.policy("version: 1\ndefault: deny\n")
    machine.modprobe("alias nouveau off\n")
    assert f"nouveau is turned off by {machine.modprobe_d}/a.conf:1\n" in machine.run("explain", "nouveau", check=3).stdout
