# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs of policies that talk to lkmd, against a server that plays it: exceptions, audit, proposals, status."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, reply
from module_tree import make_tree
from lkmctl_bench import CLIENT, DEVICE, E1000E, FLOPPY, LKMCTL, MODULES, PTP, STATUS, ctl, environment, lkmd

NOW = int(time.time() * 1_000_000)
GRANT = {"id": "grant-3", "module": "usb_storage", "verdict": "allow", "reason": "the backup", "once": False,
         "expiresUSec": NOW + 7_200_000_000, "createdUSec": NOW, "uid": 0}
RULING = {"source": "rule", "file": "/etc/lkmd/policy.d/10-usb.yaml", "line": 4, "column": 5, "rule": "no-sticks", "reason": "no sticks here"}
POLICY = {"mode": "enforce", "defaultVerdict": "allow", "rules": 12, "files": ["/etc/lkmd/policy.d/10-usb.yaml"], "broken": False,
          "standing": "current", "lacksDefault": False, "problems": [], "grants": [], "loadedButDenied": []}


@pytest.mark.parametrize("fields, says", [
    ({"standing": "old"}, "a file is broken, what was in force before still is; enforce, 12 rules"),
    ({"standing": "last_good"}, "a file is broken, what it was when lkmd could last read it is in force; enforce, 12 rules"),
    ({"standing": "partial"}, "a file is broken, only what can be read of it is in force; enforce, 12 rules"),
    ({"standing": "partial", "lacksDefault": True}, "is in force, and nothing is denied by default, though it may say so; enforce"),
])
def test_standing_in_status(lkmd, ctl, fields, says):
    problem = {"file": "/etc/lkmd/policy.d/a.yaml", "line": 3, "column": 7, "message": "expected deny"}
    lkmd.on("Status", reply(**STATUS, policy={**POLICY, "broken": True, "problems": [problem], **fields}))
    text = ctl("status", check=0).stdout
    assert says in text
    assert "/etc/lkmd/policy.d/a.yaml:3:7: expected deny" in text


# ------------------------------------------------------------------------------------------------------- grants

@pytest.mark.parametrize("verb", ["allow", "deny"])
@pytest.mark.parametrize("words, sent", [
    (["--for=10min"], {"forUSec": 600_000_000}),
    (["--for", "1h 30min"], {"forUSec": 5_400_000_000}),
    (["--for=90"], {"forUSec": 90_000_000}),
    (["--once"], {"once": True}),
    (["--until-reboot"], {}),
])
def test_a_grant_is_sent(lkmd, ctl, verb, words, sent):
    lkmd.on("Grant", reply(grant=dict(GRANT, verdict=verb)))
    ctl("policy", verb, "usb-storage", *words, "--reason", "the backup", check=0)
    assert lkmd.calls == [("Grant", {"module": "usb-storage", "verdict": verb, "reason": "the backup", **sent}, False)]


def test_a_grant_is_told(lkmd, ctl):
    lkmd.on("Grant", reply(grant=GRANT))
    words = ["policy", "allow", "usb_storage", "--for=10min", "--reason=the backup"]
    assert re.fullmatch(r"usb_storage is allowed until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(grant-3\)\n"
                        r"Take it back: lkmctl policy revoke grant-3\n", ctl(*words, check=0).stdout)
    assert ctl("-q", *words, check=0).stdout == ""
    assert json.loads(ctl("--json", *words, check=0).stdout) == {"grant": GRANT}
    until_reboot = {key: GRANT[key] for key in GRANT if key != "expiresUSec"}
    lkmd.on("Grant", reply(grant=dict(until_reboot, verdict="deny")))
    assert "usb_storage is denied until reboot (grant-3)" in ctl("policy", "deny", "usb_storage", "--until-reboot", "--reason=x", check=0).stdout
    lkmd.on("Grant", reply(grant=dict(until_reboot, once=True)))
    assert "usb_storage is allowed once (grant-3)" in ctl("policy", "allow", "usb_storage", "--once", "--reason=x", check=0).stdout
    lkmd.on("Grant", reply())
    ctl(*words, check=1)


@pytest.mark.parametrize("words, says", [
    (["--reason=x"], "One of --for=TIME, --once and --until-reboot is needed"),
    (["--once", "--for=1h", "--reason=x"], "Only one of --for, --once and --until-reboot"),
    (["--once"], "--reason=TEXT is needed"),
    (["--once", "--reason", " "], "it is a sentence"),
    (["--once", "--reason", "a\nb"], "not one line of text"),
    (["--for=soon", "--reason=x"], "it is a time such as 10min"),
    (["--for=0", "--reason=x"], "it is a time such as 10min"),
    (["--for=99999d", "--reason=x"], "it is a time such as 10min"),
    (["--since=1h"], "'policy allow' takes no --since"),
])
def test_usage_of_grants(lkmd, ctl, words, says):
    done = ctl("policy", "allow", "x25", *words, check=2)
    assert says in done.stderr and "lkmctl help policy allow" in done.stderr
    assert lkmd.calls == []


LOOKED_AT = {"device": "/devices/1-1", "modules": ["uas", "usb_storage"], "driver": "uas", "result": "its driver is uas"}
LOOKED_AT_TEXT = "Looked at again, since they are not refused it any more:\n  /devices/1-1\n      uas, usb_storage: its driver is uas\n"


def test_what_became_of_devices(lkmd, ctl):
    lkmd.on("Grant", reply(grant=GRANT, devices=[LOOKED_AT]))
    words = ["policy", "allow", "usb-storage", "--once", "--reason=x"]
    assert ctl(*words, check=0).stdout.endswith(LOOKED_AT_TEXT)
    assert json.loads(ctl(*words, "--json", check=0).stdout)["devices"] == [LOOKED_AT]
    lkmd.on("Reload", reply(problems=[], devices=[LOOKED_AT]))
    assert ctl("reload", check=0).stdout == "Read anew.\n" + LOOKED_AT_TEXT
    assert ctl("reload", "--quiet", check=0).stdout == ""
    lkmd.on("Revoke", reply(keeping=[{"device": "/devices/1-1", "module": "uas"}], devices=[LOOKED_AT]))
    assert ctl("policy", "revoke", "grant-3", check=0).stdout == \
        "grant-3 is taken back: the rules hold again.\nDenied from now on, and in use until it is unloaded:\n" \
        "  uas, for device /devices/1-1\n" + LOOKED_AT_TEXT
    lkmd.on("Reload", reply(problems=[], devices=[dict(LOOKED_AT, device="/devices/\x1b[31m", result="a\nb")]))
    assert "\x1b" not in ctl("reload", check=0).stdout


def test_revoke(lkmd, ctl):
    lkmd.on("Revoke", reply())
    assert "grant-3 is taken back" in ctl("policy", "revoke", "grant-3", check=0).stdout
    assert lkmd.calls == [("Revoke", {"id": "grant-3"}, False)]
    lkmd.on("Revoke", error("NoSuchGrant", message="there is no grant 'x'", hint="lkmctl status lists the grants that hold"))
    assert "there is no grant 'x'" in ctl("policy", "revoke", "x", check=1).stderr
    lkmd.on("Revoke", error("org.varlink.service.PermissionDenied"))
    assert "only root and members" in ctl("policy", "revoke", "x", check=1).stderr


# -------------------------------------------------------------------------------------------------------- audit

def entry(kind, module, ruling, count=1, **more):
    return {"kind": kind, "module": module, **ruling, "origin": "device", "key": DEVICE["key"], "device": DEVICE["device"], "count": count,
            "firstUSec": NOW - 7_200_000_000, "lastUSec": NOW - 125_000_000, **more}


AUDIT = [entry("refused", "usb_storage", RULING, 3), entry("would_refuse", "x25", dict(RULING, line=9, rule="old", reason="old"), origin="kernel"),
         entry("refused", "uas", RULING), entry("reported", "dccp", {"source": "default"}, origin="client", uid=1000)]


def test_audit_is_grouped_by_rule(lkmd, ctl):
    lkmd.on("Audit", reply(entries=AUDIT, dropped=0))
    lines = ctl("policy", "audit", check=0).stdout.splitlines()
    assert lines[0] == "rule no-sticks, /etc/lkmd/policy.d/10-usb.yaml:4:5: no sticks here"
    assert re.match(r"  refused       usb_storage  3 times, \d+ min ago, first 2 h \d+ min ago, for device /devices/", lines[1])
    assert re.match(r"  refused       uas  once, \d+ min ago, for device ", lines[2])
    assert lines[4] == "rule old, /etc/lkmd/policy.d/10-usb.yaml:9:5: old"
    assert lines[5].startswith("  would refuse  x25  once,") and "by the kernel on behalf of a process that is not known" in lines[5]
    assert lines[7] == "default" and lines[8].startswith("  allowed       dccp") and "uid 1000" in lines[8]
    assert "mode: enforce" in lines[-2]


PYTHON = {"device": None, "origin": "kernel", "key": "net-pf-38", "uid": 65534, "command": "python3", "unit": "a.service",
          "executable": "/usr/bin/python3.13"}


def process(kind, module, ruling, count=1, **more):
    return {name: value for name, value in entry(kind, module, ruling, count, **{**PYTHON, **more}).items() if value is not None}


def test_audit_by_requester(lkmd, ctl):
    old = dict(RULING, line=9, rule="old", reason="old")
    entries = [process("refused", "af_alg", RULING, 3), process("would_refuse", "x25", old, key="net-pf-9"),
               process("refused", "af_alg", RULING, command="perl", executable="/usr/bin/perl"), entry("refused", "uas", RULING),
               process("refused", "af_alg", old, uid=None, command=None, unit=None, executable=None, count=2)]
    lkmd.on("Audit", reply(entries=entries, dropped=0))
    lines = ctl("policy", "audit", "--by", "requester", check=0).stdout.splitlines()
    assert lines[0] == "the kernel on behalf of python3 (uid 65534, a.service, /usr/bin/python3.13)"
    assert re.match(r"  refused       af_alg  3 times, .* ago, as net-pf-38, by rule no-sticks, /etc/lkmd/policy.d/10-usb.yaml:4:5: ", lines[1])
    assert re.match(r"  would refuse  x25  once, .* ago, as net-pf-9, by rule old, /etc/lkmd/policy.d/10-usb.yaml:9:5: old$", lines[2])
    assert lines[4].startswith("the kernel on behalf of perl (") and "af_alg  once" in lines[5]
    assert lines[7] == "devices" and ", for device /devices/" in lines[8]
    assert lines[10] == "the kernel on behalf of a process that is not known"
    assert "mode: enforce" in lines[-2]

    groups = json.loads(ctl("policy", "audit", "--by=requester", "--json", check=0).stdout)
    assert [(group["kind"], group.get("count")) for group in groups] == [
        ("requester", 4), ("requester", 1), ("requester", 1), ("requester", 2), ("extent", None)]
    assert groups[0] == {"kind": "requester", "origin": "kernel", "uid": 65534, "unit": "a.service", "command": "python3",
                         "executable": "/usr/bin/python3.13", "count": 4, "entries": entries[:2]}
    by_rule, usual = (re.sub(r"[0-9a-z ]+ ago", "ago", ctl("policy", "audit", *by, check=0).stdout) for by in (["--by=rule"], []))
    assert by_rule == usual
    assert "'rule' or 'requester'" in ctl("policy", "audit", "--by=uid", check=2).stderr


def test_audit_of_nothing_and_in_json(lkmd, ctl):
    lkmd.on("Audit", reply(entries=[], dropped=0))
    assert "Nothing was refused" in ctl("policy", "audit", check=0).stdout
    lkmd.on("Audit", reply(entries=AUDIT, dropped=7))
    extent = {"kind": "extent", "dropped": 7}           # of an lkmd that knows this boot only
    assert json.loads(ctl("policy", "audit", "--json", check=0).stdout) == [*AUDIT, extent]
    short = ctl("policy", "audit", "--json=short", check=0).stdout.splitlines()
    assert [json.loads(line) for line in short] == [*AUDIT, extent]
    assert "And 7 more" in ctl("policy", "audit", check=0).stdout


def test_audit_over_boots(lkmd, ctl):
    entries = [entry("refused", "usb_storage", RULING, 3, boots=2), entry("would_refuse", "x25", dict(RULING, line=9), boots=1, gone=True)]
    lkmd.on("Audit", reply(entries=entries, dropped=0, sinceUSec=NOW - 36_000_000_000, boots=4, earlier=True))
    text = ctl("policy", "audit", check=0).stdout
    assert re.match(r"Since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d, over 4 boots:\n\nrule no-sticks", text)
    assert "usb_storage  3 times in 2 boots, " in text and "x25  once," in text
    assert "10-usb.yaml:9:5: no sticks here (no longer in the policy)\n" in text
    assert "mode: enforce" not in text          # there is nothing to enforce
    assert lkmd.calls == [("Audit", {}, False)]

    lkmd.on("Audit", reply(entries=[], dropped=0, sinceUSec=NOW, boots=1, earlier=False))
    text = ctl("policy", "audit", check=0).stdout
    assert ", over 1 boot:\n" in text and "Nothing was refused" in text
    assert "earlier boots has not been read. Try: systemctl status lkmd-audit.service\n" in text

    lkmd.on("Audit", reply(entries=entries, dropped=0, sinceUSec=NOW - 36_000_000_000, boots=4, earlier=True))
    extent = {"kind": "extent", "sinceUSec": NOW - 36_000_000_000, "boots": 4, "earlier": True, "dropped": 0}
    lkmd.calls.clear()
    assert ctl("policy", "audit", "--since=boot", check=0).stdout.startswith("In this boot:\n\nrule no-sticks")
    assert lkmd.calls == [("Audit", {"thisBoot": True}, False)]
    assert json.loads(ctl("policy", "audit", "--since=1h", "--json", check=0).stdout) == [*entries, extent]
    assert json.loads(ctl("policy", "audit", "--since=1min", "--json", check=0).stdout) == [extent]
    text = ctl("policy", "audit", "--since=1h", check=0).stdout
    assert text.startswith("Since ") and "boots:" not in text.splitlines()[0] and "usb_storage" in text


def test_audit_is_cleared(lkmd, ctl):
    lkmd.on("ClearAudit", reply())
    assert "The audit is empty" in ctl("policy", "audit", "--clear", check=0).stdout
    assert lkmd.calls == [("ClearAudit", {}, False)]
    assert json.loads(ctl("policy", "audit", "--clear", "--json", check=0).stdout) == {}
    assert ctl("policy", "audit", "--clear", "--quiet", check=0).stdout == ""
    assert "--since does not go with it" in ctl("policy", "audit", "--clear", "--since=boot", check=2).stderr
    lkmd.on("ClearAudit", error("org.varlink.service.PermissionDenied"))
    assert "only root and members" in ctl("policy", "audit", "--clear", check=1).stderr


def test_an_lkmd_without_policies(lkmd, ctl):
    assert "older than lkmctl" in ctl("policy", "audit", check=1).stderr


# ------------------------------------------------------------------------------------------------------ propose

@pytest.fixture
def used(lkmd):
    fs = dict(E1000E, module="nls_utf8", requester=dict(CLIENT, origin="kernel", key="nls_utf8"), timeUSec=NOW - 60_000_000)
    disk = dict(E1000E, module="842", requester=DEVICE, timeUSec=NOW - 60_000_000)
    lkmd.on("List", reply(modules=[
        *MODULES, {"name": "nls_utf8", "state": "live", "holders": [], "loadedBy": fs},
        {"name": "842", "state": "live", "holders": [], "loadedBy": disk},
        {"name": "842_compress", "state": "live", "holders": ["842"]}]))
    lkmd.on("Status", reply(**dict(STATUS, failures=[dict(FLOPPY, timeUSec=NOW - 60_000_000)])))


def check_policy(tmp_path, text):
    file = tmp_path / "proposed.yaml"
    file.write_text(text)
    done = subprocess.run([LKMCTL, "policy", "check", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


def test_propose_is_a_policy(used, ctl, tmp_path):
    text = ctl("policy", "propose", check=0).stdout
    check_policy(tmp_path, text)
    check_policy(tmp_path, text.replace("# mode: audit", "mode: audit"))
    assert "\ndefault: deny\n" in text
    assert re.search(r"# Drivers of devices: usb\.\n  - id: devices-usb\n    match:\n      module:\n"
                     r'        - "842"  # device 1-1:1.0\n        - floppy  # device 1-1:1.0, it failed\n    verdict: allow\n', text)
    assert "- e1000e  # lkmctl\n" in text
    assert "- id: before-lkmd" in text and "- ext4\n" in text
    assert text.rindex("- ptp  # needed by e1000e") > text.index("- id: needed")


def test_propose_since(used, ctl, tmp_path):
    text = ctl("policy", "propose", "--since=2h", check=0).stdout
    check_policy(tmp_path, text)
    assert re.findall(r"        - (\S+)", text) == ['"842"', "floppy", "nls_utf8", '"842_compress"']
    assert re.findall(r"        - (\S+)", ctl("policy", "propose", "--since=2023-01-01", check=0).stdout).count("e1000e") == 1
    everything = ctl("policy", "propose", check=0).stdout
    strip = lambda text: text.split("\n", 1)[1]
    assert strip(ctl("policy", "propose", "--since=boot", check=0).stdout) == strip(everything)
    assert "nothing to propose" in ctl("policy", "propose", "--since=1s", check=1).stderr
    ctl("policy", "propose", "--since=yesterday", check=2)


def test_propose_in_json(used, ctl):
    rules = json.loads(ctl("policy", "propose", "--json", check=0).stdout)["rules"]
    assert [rule["rule"] for rule in rules] == ["devices-usb", "kernel", "by-name", "before-lkmd", "needed"]
    assert rules[0]["modules"][1] == {"module": "floppy", "requester": "device 1-1:1.0, it failed"}


def test_propose_with_odd_names(lkmd, ctl, tmp_path):
    lkmd.on("Status", reply(**STATUS))
    requester = dict(DEVICE, subsystem='a: "b"\n- {', device="/devices/x\n  verdict: deny")
    names = ["on", "null", "8139too", "a_b"]
    lkmd.on("List", reply(modules=[{"name": name, "state": "live", "loadedBy": dict(E1000E, module=name, requester=requester)} for name in names]))
    text = ctl("policy", "propose", check=0).stdout
    check_policy(tmp_path, text)
    assert re.findall(r"        - (\S+)", text) == ['"8139too"', "a_b", '"null"', '"on"']


@pytest.fixture
def lists(tmp_path):
    """A tree of modules of the running kernel, and what two machines say of themselves."""
    make_tree(tmp_path, os.uname().release, {
        "nic": (("clock",), ("alias=pci:v00008086d*",)), "clock": ((), ()), "stick": ((), ("alias=usb:v0951*",)), "disk": ((), ())})
    (tmp_path / "one").write_text("Module                  Size  Used by\nnic 1155072  1\nclock 20480  1 nic\nnv-current  7 0 [permanent]\n\n# a comment\n")
    (tmp_path / "two").write_text("pci:v00008086d000010D3sv0bc02sc00i00\r\nE: MODALIAS=usb:v0951p1666\nP: /devices/x\nDRIVER=y\nMODALIAS=none:x\ndisk\n")
    return tmp_path


def test_propose_from_lists(ctl, lists):
    """lkmd is not asked: there is none."""
    text = ctl("policy", "propose", "--from", lists / "one", lists / "two", check=0, LKMD_ROOT=str(lists)).stdout
    check_policy(lists, text)
    assert f"# From {lists}/one\n# From {lists}/two\n# 1 modalias in there matches no module of this kernel.\n" in text
    assert re.findall(r"  - id: (\S+)|        - (\S+)  # \S+/(\w+:\d+)\n", text) == [
        ("devices-usb", "", ""), ("", "stick", "two:2"), ("listed", "", ""), ("", "clock", "one:3"), ("", "disk", "two:6"), ("", "nic", "one:2"),
        ("", "nv_current", "one:4")]
    text = ctl("policy", "propose", "--from=-", check=0, LKMD_ROOT=str(lists), stdin="pci:v00008086d000010D3\n").stdout
    assert re.findall(r"        - (\S+)  # (.*)\n", text) == [("nic", "standard input:1"), ("clock", "standard input:1")]


@pytest.mark.parametrize("line", ["what is this", "a.ko", "x" * 60, "../a 1 2", "nic 0x10", "\x1b[31m", "é", "a:" + "b" * 4100],
                         ids=["words", "file", "long name", "path", "number", "escape", "letter", "long alias"])
def test_propose_from_lines_that_are_nothing(ctl, lists, line):
    (lists / "one").write_text(f"disk\n{line}\n")
    done = ctl("policy", "propose", f"--from={lists / 'one'}", check=0, LKMD_ROOT=str(lists))
    assert re.findall(r"        - (\S+)", done.stdout) == ["disk"]
    assert f'{lists}/one:2: "' in done.stderr and "is no line of lsmod, no modalias and no name of a module" in done.stderr and "\x1b" not in done.stderr


def test_propose_from_what_is_no_list(ctl, lists):
    assert "it cannot be read: No such file" in ctl("policy", "propose", "--from", lists / "none", check=1, LKMD_ROOT=str(lists)).stderr
    assert "it cannot be read: Is a directory" in ctl("policy", "propose", "--from", lists, check=1, LKMD_ROOT=str(lists)).stderr
    (lists / "one").write_bytes(b"disk\n\0")
    assert f"{lists}/one: it is no text" in ctl("policy", "propose", "--from", lists / "one", check=1, LKMD_ROOT=str(lists)).stderr
    (lists / "one").write_text("# nothing\n")
    assert "the files name no module" in ctl("policy", "propose", "--from", lists / "one", check=1, LKMD_ROOT=str(lists)).stderr
    assert "files are given with --from" in ctl("policy", "propose", lists / "one", check=2).stderr
    assert "files say nothing of times" in ctl("policy", "propose", "--from", lists / "one", "--since=2h", check=2).stderr


MINE = """# by hand
version: 1
default: deny
rules:
- id: devices-usb   # ours
  match: {module: stick, subsystem: usb}
  verdict: allow
- {id: no-disks, match: {path: "kernel/disk*"}, verdict: deny, mode: audit}   # to be tried
# the end"""


def test_propose_what_a_policy_lacks(ctl, lists):
    mine = lists / "mine.yaml"
    mine.write_text(MINE)
    call = ["policy", "propose", "--from", lists / "one", lists / "two", "--merge", mine]
    done = ctl(*call, check=0, LKMD_ROOT=str(lists))
    assert done.stdout.startswith(MINE + "\n\n# In a list of modules") and "\n- id: listed-2\n  match:\n    module:\n      - clock" in done.stdout
    assert re.findall(r"      - (\S+)", done.stdout) == ["clock", "nic", "nv_current"]
    assert done.stderr.splitlines() == [f"lkmctl: disk is left out: {mine}:8 denies it"]
    check_policy(lists, done.stdout)
    found = json.loads(ctl(*call, "--json", check=0, LKMD_ROOT=str(lists)).stdout)
    assert found["policy"] == str(mine) and [rule["rule"] for rule in found["rules"]] == ["listed-2"]
    assert found["leftOut"] == [{"module": "disk", "file": str(mine), "line": 8, "rule": "no-disks"}]

    mine.write_text(done.stdout)                # nothing is proposed twice
    again = ctl(*call, check=0, LKMD_ROOT=str(lists))
    assert again.stdout == done.stdout and "decides about all of these modules already" in again.stderr
    mine.write_text("version: 1\ndefault: deny\n")
    check_policy(lists, ctl(*call, check=0, LKMD_ROOT=str(lists)).stdout)


@pytest.mark.parametrize("text", ["version: 1\nrules: []\ndefault: deny\n", "version: 1\nrules:\n- {verdict: deny, match: {module: x}}\ndefault: deny\n",
                                  "{version: 1, default: deny}\n", "version: 1\ndefault: deny\n...\n"])
def test_propose_for_a_policy_that_cannot_be_continued(ctl, lists, text):
    (lists / "mine.yaml").write_text(text)
    done = ctl("policy", "propose", "--from", lists / "one", "--merge", lists / "mine.yaml", check=1, LKMD_ROOT=str(lists))
    assert "does not end with its rules" in done.stderr and done.stdout == ""


def test_propose_for_a_broken_policy(ctl, lists):
    (lists / "mine.yaml").write_text("version: 1\nrulez: []\n")
    done = ctl("policy", "propose", "--from", lists / "one", "--merge", lists / "mine.yaml", check=1, LKMD_ROOT=str(lists))
    assert 'mine.yaml:2:1: unknown key "rulez"' in done.stderr and done.stderr.count("rulez") == 1
    assert "cannot be read: No such file" in ctl("policy", "propose", "--merge", lists / "none", check=1).stderr


# ------------------------------------------------------------------------------------------------------- status

def test_status_without_policy(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    assert "Policy" not in ctl("status", check=0).stdout
    lkmd.on("Status", reply(**STATUS, policy=dict(POLICY, rules=0, files=[])))
    assert "Policy: none, everything is allowed\n" in ctl("status", check=0).stdout


def test_status_of_a_policy(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS, policy=POLICY))
    assert "      Policy: enforce, 12 rules in 1 file, everything else is allowed\n" in ctl("status", check=0).stdout
    counted = dict(STATUS, counters=dict(STATUS["counters"], denied=3, wouldDeny=5))
    lkmd.on("Status", reply(**counted, policy=POLICY))
    assert "else is allowed\n     Refused: 3 so far, 5 more would be in mode enforce: lkmctl policy audit\n" in ctl("status", check=0).stdout
    lkmd.on("Status", reply(**STATUS, policy=dict(
        POLICY, mode="audit", defaultVerdict="deny", broken=True, grants=[GRANT, dict(GRANT, id="grant-4", once=True, verdict="deny")],
        problems=[{"file": "/etc/lkmd/policy.d/x.yaml", "line": 2, "column": 7, "message": "unknown key 'rulez'"}],
        loadedButDenied=[{"module": "usb_storage", **RULING}, {"module": "x25", "source": "default"}])))
    text = ctl("status", check=0).stdout
    assert "a file is broken, what was in force before still is; audit, 12 rules in 1 file, everything else is denied" in text
    assert "Broken policy\n  /etc/lkmd/policy.d/x.yaml:2:7: unknown key 'rulez'\n" in text
    assert "Loaded but denied\n  usb_storage  by /etc/lkmd/policy.d/10-usb.yaml:4:5: no sticks here\n  x25  by default\n" in text
    assert re.search(r"  usb_storage  allowed, 1 h \d+ min left: the backup\n      take it back: lkmctl policy revoke grant-3\n", text)
    assert "  usb_storage  denied, once: the backup\n      take it back: lkmctl policy revoke grant-4\n" in text
