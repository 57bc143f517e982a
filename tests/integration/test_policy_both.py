# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl and lkmd on the same policy: what lkmctl says without lkmd is what lkmd does, and they understand each other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from policy_bench import LKMCTL

USB = "usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"
NAMES = ["lkmdt_base", "lkmdt_mid", "lkmdt_top", "lkmdt_alone", USB]
POLICIES = {
    "none": "version: 1\n",
    "base": "version: 1\nrules: [{id: a, match: {module: lkmdt-base}, verdict: deny, reason: no base}]\n",
    "audit": "version: 1\nmode: audit\ndefault: deny\n",
    "allow-list": "version: 1\ndefault: deny\nrules: [{id: a, match: {module: lkmdt-top}, verdict: allow}]\n",
    "by-alias": 'version: 1\nrules: [{id: a, match: {modalias: "usb:*"}, verdict: deny}]\n',
    "report": "version: 1\nrules: [{id: a, match: {module: lkmdt-alone}, verdict: audit}, {match: {module: 'lkmdt-m*'}, verdict: deny}]\n",
}


@pytest.fixture
def ctl(daemon):
    def run(*words, offline=False, check=None):
        n = 2 if words[0] == "policy" else 1
        if offline:
            words = [*words[:n], "--root", daemon.root, *words[n:]]
        done = subprocess.run([LKMCTL, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_SOCKET": str(daemon.socket),
                                   "LKMD_POLICY_ROOT": str(daemon.policy)})
        if check is not None:
            assert done.returncode == check, done
        return done
    return run


def audit(ctl):
    *entries, extent = json.loads(ctl("policy", "audit", "--json", check=0).stdout)
    assert extent["kind"] == "extent" and extent["boots"] == 1
    return entries


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_explained_is_what_happens(daemon, ctl, policy):
    daemon.write_policy(POLICIES[policy])
    for name in NAMES:
        answer = json.loads(ctl("explain", "--json", name, offline=True).stdout)["answers"][0]
        plan = ctl("plan", name, offline=True)
        loaded = ctl("load", name)
        assert loaded.returncode == plan.returncode == (3 if answer["verdict"] == "deny" else 0), (name, loaded, plan)
        denials = [x["module"] for x in answer["plan"]["omissions"] if "source" in x]   # with all that is impossible by them
        assert all(module in loaded.stderr for module in denials)
        would = [x["module"] for x in answer.get("asIfEnforced", {"omissions": []})["omissions"] if "source" in x]
        entries = [x for x in audit(ctl) if x["key"] == name]
        assert sorted(x["module"] for x in entries if x["kind"] == "refused") == sorted(denials)
        assert sorted(x["module"] for x in entries if x["kind"] == "would_refuse") == sorted(would)


def test_an_exception(daemon, ctl):
    daemon.write_policy(POLICIES["base"])
    ctl("load", "lkmdt_top", check=3)
    grant = json.loads(ctl("policy", "allow", "lkmdt-base", "--for=10min", "--reason", "for once: \"it\" # is 'good'", "--json", check=0).stdout)
    text = ctl("status", check=0).stdout
    assert "lkmdt_base  allowed, 9 min" in text and f"lkmctl policy revoke {grant['grant']['id']}" in text
    shown = json.loads(ctl("policy", "show", "--json", check=0).stdout)
    shown = next(rule for rule in shown if rule["source"] == "grant")
    assert (shown["rule"], shown["verdict"], shown["match"]) == (grant["grant"]["id"], "allow", {"module": ["lkmdt_base"]})
    assert "for once: \"it\" # is 'good'" in ctl("explain", "lkmdt_top", offline=True, check=0).stdout
    ctl("load", "lkmdt_top", check=0)
    ctl("policy", "revoke", grant["grant"]["id"], check=0)
    ctl("explain", "lkmdt_top", offline=True, check=3)
    done = ctl("policy", "revoke", grant["grant"]["id"], check=1)
    assert "try: " in done.stderr
    assert "lkmdt" not in ctl("status", check=0).stdout.split("Policy:")[1].split("\n")[0]


def test_a_denial_for_one_request(daemon, ctl):
    ctl("policy", "deny", "lkmdt_alone", "--once", "--reason=x", check=0)
    assert "lkmdt_alone  denied, once: x" in ctl("status", check=0).stdout
    ctl("load", "lkmdt_alone", check=3)
    ctl("load", "lkmdt_alone", check=0)
    assert "denied, once" not in ctl("status", check=0).stdout


def test_a_broken_file_is_shown(daemon, ctl):
    file = daemon.write_policy("version: 1\nrulez: []\n")
    daemon.write_policy(POLICIES["base"], "b.yaml")
    text = ctl("status", check=0).stdout
    assert f"{file}:2:1: " in text and "a file is broken" in text
    assert f"{file}:2:1: " in ctl("policy", "check", check=1).stderr


def test_what_is_proposed_can_be_put_into_force(daemon, ctl, tmp_path):
    proc = Path(daemon.devices.root) / "proc/modules"
    proc.parent.mkdir(exist_ok=True)
    for name in ("lkmdt_top", "lkmdt_alone"):
        ctl("load", name, check=0)
    proc.write_text("lkmdt_alone 1 0 - Live 0x0\nlkmdt_top 1 0 - Live 0x0\nlkmdt_mid 1 1 lkmdt_top, Live 0x0\nlkmdt_base 1 1 lkmdt_mid, Live 0x0\n")
    text = ctl("policy", "propose", check=0).stdout
    proc.write_text("")
    file = daemon.write_policy(text)
    ctl("policy", "check", file, check=0)
    for name in NAMES:
        ctl("explain", name, offline=True, check=0)
        ctl("load", name, check=0)
    assert audit(ctl) == []
    ctl("load", "lkmdt_slow", check=3)


def test_a_grant_that_is_none(daemon, ctl):
    done = ctl("policy", "allow", "x[", "--once", "--reason=x")
    assert done.returncode != 0 and "lkmctl: " in done.stderr
