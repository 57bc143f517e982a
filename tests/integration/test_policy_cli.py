# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies on the command line, without the daemon: explain, plan, policy show, check, lint and preview on fake trees."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from module_tree import make_tree
from policy_bench import DISK, DISK_UAS, GPU, LKMCTL, MODULES, PROJECT, RELEASE, Machine, machine, tree

GRANTS = f"version: 1\nboot: {Path('/proc/sys/kernel/random/boot_id').read_text()}"   # ends in a line feed

NO_STICKS = """version: 1
rules:
  - id: no-sticks
    match: {module: usb-storage}
    verdict: deny
    reason: no sticks here
"""


# --------------------------------------------------------------------------------------------------------- plan

def test_plan_without_policy(machine):
    assert "left out" not in machine.run("plan", "uas", check=0).stdout


def test_plan_says_what_denies(machine):
    file = machine.policy(NO_STICKS)
    done = machine.run("plan", "usb-storage", check=3)
    assert f"usb_storage  left out: denied by {file}:3:5: no sticks here" in done.stdout
    done = machine.run("plan", "uas", check=3)
    assert f"usb_storage  left out: denied by {file}:3:5: no sticks here, needed by uas" in done.stdout
    assert "uas  left out: something that it needs was left out" in done.stdout
    assert machine.run("plan", "usb-core", check=0).stdout


def test_plan_of_an_audited_rule(machine):
    machine.policy(NO_STICKS.replace("rules:", "mode: audit\nrules:"))
    done = machine.run("plan", "uas", check=0)
    assert "usb_storage  would be left out, but that is in audit mode: denied by" in done.stdout
    plan = json.loads(machine.run("plan", "--json", "uas", check=0).stdout)
    assert [omission["module"] for omission in plan["asIfEnforced"]] == ["usb_storage", "uas"]
    assert plan["omissions"] == []


def test_policy_of_files_and_directories(machine, tmp_path):
    machine.policy("version: 1\ndefault: deny\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.yaml").write_text(NO_STICKS)
    (other / "b").write_text("version: 1\nrules: [{match: {module: x25}, verdict: deny}]\n")
    machine.run("plan", "usb-core", check=3)
    for where in (["--policy", other], ["--policy", other / "a.yaml"], ["--policy", other / "b", "--policy", other]):
        machine.run("plan", *where, "usb-storage", check=3)
        machine.run("plan", *where, "usb-core", check=0)
        machine.run("plan", *where, "x25", check=3 if other / "b" in where else 0)
    machine.write("run/lkmd/state/grants.yaml", GRANTS + "rules: [{id: grant-1, match: {module: usb_core}, verdict: allow, reason: r}]\n")
    machine.run("plan", "usb-core", check=0)


def test_mode_and_blacklist_of_lkmd_conf(machine):
    machine.policy(NO_STICKS)
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nMode=audit\n")
    machine.run("plan", "usb-storage", check=0)
    machine.run("plan", "--policy", machine.root / "etc/lkmd/policy.d", "usb-storage", check=3)
    machine.modprobe("blacklist usb_core\n")
    machine.run("plan", "uas", check=0)
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nBlacklist=deny\n")
    machine.run("plan", "--policy", "/dev/null", "uas", check=3)
    machine.modprobe("install ext9 /bin/false\n")
    machine.run("plan", "ext9", check=3)
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nCompat=kmod\n")
    machine.run("plan", "ext9", check=0)


def test_a_broken_file_is_told_and_left_out(machine):
    machine.policy(NO_STICKS)
    broken = machine.policy("version: 1\nrulez: []\n", "10-broken.yaml")
    done = machine.run("plan", "usb-storage", check=3)
    assert f"lkmctl: {broken}:2:1: " in done.stderr
    assert "lkmctl: " not in machine.run("-q", "plan", "usb-storage", tree=False).stdout


# ------------------------------------------------------------------------------------------------------ explain

def explain(machine, *words, check=None):
    return json.loads(machine.run("explain", "--json", *words, check=check).stdout)


def trace(answer, module):
    """(how, verdict, source, rule) of all that was met for a module"""
    return [(x["how"], x["verdict"], x["source"], x.get("rule")) for group in answer["modules"] if group["module"] == module
            for x in group["trace"]]


def test_explain_lists_all_that_was_met_in_order(machine):
    machine.policy("""version: 1
default: allow
rules:
  - {id: off, match: {module: usb-storage}, verdict: deny, mode: "off"}
  - {id: over, match: {module: usb-storage}, verdict: deny, expires: 2020-01-01}
  - {id: tried, match: {module: "usb-*"}, verdict: deny, mode: audit}
  - {id: adds, match: {module: usb-storage}, options: {quiet: 1}}
  - {id: wins, match: {module: usb-storage}, verdict: deny, reason: no sticks}
  - {id: late, match: {module: usb-storage}, verdict: allow}
  - {id: other, match: {module: nouveau}, verdict: deny}
""")
    machine.write("run/lkmd/state/grants.yaml", GRANTS + "rules: [{id: grant-1, match: {module: usb_core}, verdict: allow, reason: now}]\n")
    machine.modprobe("install usb_storage /bin/false\n")
    answer = explain(machine, "usb-storage", check=3)["answers"][0]
    assert trace(answer, "usb_storage") == [
        ("off", "deny", "rule", "off"), ("expired", "deny", "rule", "over"), ("would_decide", "deny", "rule", "tried"),
        ("adds", "none", "rule", "adds"), ("decides", "deny", "rule", "wins"), ("too_late", "allow", "rule", "late"),
        ("too_late", "deny", "install", None), ("too_late", "allow", "default", None)]
    text = machine.run("explain", "usb-storage", check=3).stdout
    assert re.search(r"deny +rule wins +\S+:8:5 +▸ decides: no sticks", text)
    assert text.index("rule off") < text.index("rule over") < text.index("rule wins") < text.index("install line")
    assert re.search(r"usb_storage is denied by \S+:8:5 \(wins\): no sticks\n", text)
    assert 'modprobe would insert usb_core, then run "/bin/false" in the place of usb_storage\n' in text


def test_explain_names_the_chain(machine):
    file = machine.policy("version: 1\nrules: [{id: root, match: {module: usb-core}, verdict: deny, reason: no USB}]\n")
    text = machine.run("explain", "uas", check=3).stdout
    assert f"uas is left out: it needs usb_storage, which needs usb_core, which is denied by {file}:2:9 (root): no USB" in text
    assert "modprobe would insert usb_core, usb_storage, uas" in text


def test_explain_of_a_blacklisted_module(machine):
    machine.modprobe("blacklist nouveau\n")
    text = machine.run("explain", "nouveau", check=0).stdout
    assert "As root would ask for nouveau\n  nouveau is allowed: nothing denies it\n" in text
    assert "As a device would ask for nouveau\n  nouveau is left out: blacklisted by " in text
    assert "As the kernel" not in text                  # it calls modprobe without -b: by its name it gets it, as root does
    machine.run("explain", "--origin=kernel", "nouveau", check=0)
    machine.run("explain", "--origin=device", "nouveau", check=3)
    answers = explain(machine, "nouveau", check=0)["answers"]
    assert [(answer["origin"], answer["verdict"]) for answer in answers] == [("client", "allow"), ("device", "deny"), ("kernel", "allow")]


def test_explain_of_rules_on_who_asks(machine):
    machine.policy("""version: 1
rules:
  - {id: no-autoload, match: {origin: kernel, alias: "net-pf-*"}, verdict: deny, reason: socket(2)}
  - {id: no-users, match: {origin: client, uid: "!0"}, verdict: deny}
""")
    text = machine.run("explain", "net-pf-9", check=0).stdout
    assert "As the kernel would ask for net-pf-9\n  x25 is denied by" in text and "As a device" not in text
    machine.run("explain", "--origin", "kernel", "net-pf-9", check=3)
    machine.run("explain", "--origin", "kernel", "x25", check=0)
    machine.run("explain", "--uid", "1000", "x25", check=3)
    machine.run("explain", "--uid", "0", "x25", check=0)
    machine.policy('version: 1\nmode: audit\nrules: [{match: {origin: client, uid: "!0"}, verdict: deny}]\n')
    answer = explain(machine, "--uid", "1000", "uas", check=0)["answers"][0]
    assert trace(answer, "usb_core")[0][:2] == ("skips_dependencies", "deny")


def test_explain_of_a_preference(machine):
    machine.policy('version: 1\nrules: [{id: gpu, match: {modalias: "pci:v000010DE*"}, prefer: [nvidia, nouveau]}]\n')
    text = machine.run("explain", GPU, check=0).stdout
    assert "nouveau is left out: another candidate is preferred by" in text
    assert "nvidia is allowed: nothing denies it" in text
    assert "modprobe would insert nvidia, nouveau" in text or "modprobe would insert nouveau, nvidia" in text


def test_explain_of_what_is_audited_or_built_in(machine):
    machine.policy("version: 1\nmode: audit\ndefault: deny\n")
    text = machine.run("explain", "uas", check=0).stdout
    assert re.search(r"uas would be denied by the default, \S+:3:10: .*; that is in audit mode and only logged", text)
    assert "is part of the kernel image" in machine.run("explain", "in-kernel", check=0).stdout


@pytest.mark.parametrize("words, status, says", [
    (["nix"], 5, "no module and no alias is called 'nix'"),
    (["/sys/nix"], 5, "there is no device '/sys/nix'"),
    (["/dev/nix"], 5, "there is no device '/dev/nix'"),
    (["/sys/devices/virtual/net/lo"], 5, "asks for no module"),
    (["lo"], 5, "asks for no module"),
    (["/dev/null"], 5, "asks for no module"),
    (["/etc/passwd"], 5, "there is no device '/etc/passwd'"),
    (["x" * 5000], 5, "no module and no alias is called"),
    ([""], 5, "no module and no alias is called"),
    (["--origin=nobody", "x25"], 2, "it is 'device', 'kernel', 'client', 'boot' or 'container'"),
    (["--uid=-1", "x25"], 2, "it is the number of a user"),
    (["--uid=root", "x25"], 2, "it is the number of a user"),
])
def test_explain_of_what_is_not_there(machine, words, status, says):
    assert says in machine.run("explain", *words, check=status).stderr


@pytest.fixture
def sys_tree(tmp_path):
    """A /sys with a disk and a graphics card; lkmctl sees it in a mount namespace of its own."""
    sys_tree = tmp_path / "sys"

    def device(path, modalias, bus, driver=None):
        directory = sys_tree / "devices" / path
        directory.mkdir(parents=True)
        (sys_tree / f"bus/{bus}/devices").mkdir(parents=True, exist_ok=True)
        (directory / "uevent").write_text((f"DRIVER={driver}\n" if driver else "") + f"MODALIAS={modalias}\n")
        (directory / "modalias").write_text(modalias + "\n")
        (directory / "subsystem").symlink_to(f"/sys/bus/{bus}")
        (sys_tree / f"bus/{bus}/devices" / directory.name).symlink_to(f"/sys/devices/{path}")
        if driver:
            (directory / "driver").symlink_to(f"/sys/bus/{bus}/drivers/{driver}")

    device("pci0000:00/0000:00:01.0", GPU, "pci")
    device("pci0000:00/usb1/1-1/1-1:1.0", DISK_UAS, "usb", "uas")
    device("pci0000:00/usb1/1-2/1-2:1.0", DISK, "usb")
    (sys_tree / "devices/platform").mkdir()
    (sys_tree / "devices/platform/uevent").write_text("")
    (sys_tree / "devices/platform/quiet").mkdir()
    (sys_tree / "devices/platform/quiet/uevent").write_text("OF_NAME=quiet\n")
    (sys_tree / "devices/platform/quiet/modalias").write_text(DISK + "\n")
    return sys_tree


def in_sys(sys_tree, machine, *words, check=None, **variables):
    """lkmctl with another /sys"""
    done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys && exec "$@"', sys_tree, *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99",
                               "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_POLICY_ROOT": str(machine.root), **variables})
    if check is not None:
        assert done.returncode == check, done
    return done


def explain_in(sys_tree, machine, *words, check=None):
    return in_sys(sys_tree, machine, LKMCTL, "explain", "--root", machine.tree, "--kernel", RELEASE, "--config",
                  machine.modprobe_d, *words, check=check)


def test_explain_of_a_device_with_a_modalias_that_its_uevent_has_not(machine, sys_tree):
    """udev loads nothing for it, nor does lkmd; so there is nothing to explain."""
    done = explain_in(sys_tree, machine, "/sys/devices/platform/quiet", check=5)
    assert "asks for no module: its uevent has no modalias" in done.stderr


@pytest.mark.parametrize("argument", ["/sys/devices/pci0000:00/usb1/1-1/1-1:1.0", "/sys/bus/usb/devices/1-1:1.0", "1-1:1.0"])
def test_explain_of_a_device(machine, sys_tree, argument):
    done = explain_in(sys_tree, machine, argument, check=0)
    assert "For device /devices/pci0000:00/usb1/1-1/1-1:1.0" in done.stdout
    assert f"it asks for {DISK_UAS}, subsystem usb, driver uas" in done.stdout
    assert "What will be loaded for it:\nMODULE" in done.stdout and "usb_core" in done.stdout
    machine.policy(NO_STICKS)
    done = explain_in(sys_tree, machine, argument, check=3)
    assert "What will be loaded" not in done.stdout and "which is denied by" in done.stdout
    device = json.loads(explain_in(sys_tree, machine, "--json", argument, check=3).stdout)
    assert device["device"] == {"path": "/devices/pci0000:00/usb1/1-1/1-1:1.0", "subsystem": "usb", "driver": "uas"}
    assert [answer["origin"] for answer in device["answers"]] == ["device"]


def test_explain_of_a_device_by_subsystem_and_driver(machine, sys_tree):
    machine.policy("""version: 1
rules:
  - {id: again, match: {driver: uas}, verdict: deny, reason: it has one}
  - {id: pci, match: {subsystem: pci}, verdict: deny}
""")
    explain_in(sys_tree, machine, "1-1:1.0", check=3)
    explain_in(sys_tree, machine, "1-2:1.0", check=0)
    explain_in(sys_tree, machine, "0000:00:01.0", check=3)
    machine.run("explain", GPU, check=0)


def test_explain_of_what_is_in_the_file(machine):
    machine.policy("""version: 1
rules:
  - {id: free, match: {license: "GPL*", module: "usb-*"}, verdict: allow}
  - {id: foreign, match: {intree: no, signed: no}, verdict: deny}
  - {id: ours, match: {intree: yes}, verdict: allow}
""")
    assert trace(explain(machine, "usb-core", check=0)["answers"][0], "usb_core")[:2] == [
        ("decides", "allow", "rule", "free"), ("too_late", "deny", "rule", "foreign")]
    assert trace(explain(machine, "x25", check=3)["answers"][0], "x25")[0] == ("decides", "deny", "rule", "foreign")


# ------------------------------------------------------------------------------------------------- policy show

def test_show_has_everything_in_order(machine):
    machine.write("usr/share/lkmd/lists/few.yaml", """version: 1
rules:
  - {id: few-x25, match: {module: x25}, verdict: deny, reason: old, source: nobody}
""")
    machine.policy("version: 1\nmode: audit\ndefault: deny\ninclude: [few]\nrules: [{id: a, match: {module: uas, uid: [0, 5-9]}, verdict: allow}]\n", "20-a.yaml")
    machine.policy("version: 1\nrules: [{match: {origin: \"!device\"}, verdict: audit}]\n", "10-b.yaml")
    machine.write("run/lkmd/state/grants.yaml", GRANTS + "rules:\n  - {id: grant-7, match: {module: nouveau}, verdict: allow, reason: demo, "
                                          "expires: 2999-01-01, uptime: 9000000000.000000, once: true}\n")
    machine.write("usr/share/lkmd/lists/unused.yaml", "version: 1\nrules: []\n")
    rules = json.loads(machine.run("policy", "show", "--json", tree=False, check=0).stdout)
    rules = [rule for rule in rules if rule["source"] not in ("kernel", "command_line")]
    assert [(rule["source"], rule["verdict"], rule["mode"], rule.get("rule")) for rule in rules] == [
        ("grant", "allow", "enforce", "grant-7"), ("rule", "audit", "enforce", None), ("rule", "allow", "audit", "a"),
        ("list", "deny", "audit", "few-x25"), ("default", "deny", "audit", None)]
    assert rules[2]["match"] == {"module": ["uas"], "uid": ["0", "5-9"]}
    assert rules[1]["match"] == {"origin": ["!device"]}
    text = machine.run("policy", "show", tree=False, check=0).stdout
    assert re.search(r"allow +enforce +module=nouveau +grant grant-7 +\S+grants.yaml:4:5 +\d+ d \d+ h left: demo", text)
    machine.policy("version: 1\nrules: [{match: {module: uas}, verdict: allow, parameters: [\"debug=*\", x]}]\n", "30-c.yaml")
    rules = json.loads(machine.run("policy", "show", "--json", tree=False, check=0).stdout)
    assert [rule["parameters"] for rule in rules if "parameters" in rule] == [["debug=*", "x"]]
    assert "allow, parameters debug=* x" in machine.run("policy", "show", tree=False, check=0).stdout
    assert re.search(r"deny +audit +what nothing above is about +default +\S+20-a.yaml:3:10", text)


def test_show_of_nothing(machine):
    rules = json.loads(machine.run("policy", "show", "--json", "--policy", "/dev/null", tree=False, check=0).stdout)
    assert rules == [{"order": 1, "source": "default", "verdict": "allow", "mode": "enforce"}]


def test_show_says_what_is_about_sockets(machine):
    machine.policy("""version: 1
rules:
- {id: sockets, match: {alias: net-pf-38, uid: "!0"}, verdict: deny, scope: use}
- {id: loads, match: {alias: net-pf-38, command: "python*", unit: a.service}, verdict: deny}
- {id: more, match: {origin: device}, prefer: [loop]}
""")
    rules = {rule["rule"]: rule for rule in json.loads(machine.run("policy", "show", "--json", tree=False, check=0).stdout)
             if "rule" in rule}
    assert [rules[name].get("scope") for name in ("sockets", "loads", "more")] == ["use", "load", None]
    assert rules["loads"]["match"] == {"alias": ["net_pf_38"], "unit": ["a.service"], "command": ["python*"]}
    lines = [line.split() for line in machine.run("policy", "show", tree=False, check=0).stdout.splitlines()]
    assert [line[1:4] for line in lines if "sockets" in line[1:9]][0] == ["deny,", "sockets", "too"]
    assert [line[1:3] for line in lines if "loads" in line][0] == ["deny", "enforce"]


def test_check_of_a_rule_about_sockets_that_asks_for_more(machine):
    file = machine.policy("version: 1\nrules:\n- match: {alias: net-pf-38, command: sh}\n  verdict: deny\n  scope: use\n")
    result = machine.run("policy", "check", tree=False, check=1)
    assert f'{file}:5:3: "scope: use" is about sockets, of which "command" is not known' in result.stderr + result.stdout


# ------------------------------------------------------------------------------------------------ policy check

def test_check_of_good_files(machine, tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(NO_STICKS)
    assert machine.run("policy", "check", file, tree=False, check=0).stdout == "No mistakes: 1 rule in 1 file.\n"
    assert machine.run("-q", "policy", "check", file, tree=False, check=0).stdout == ""
    assert json.loads(machine.run("policy", "check", "--json", file, tree=False, check=0).stdout) == []
    machine.policy(NO_STICKS)
    assert "1 rule" in machine.run("policy", "check", tree=False, check=0).stdout


def test_check_names_every_place(machine, tmp_path):
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("version: 1\nrules:\n  - {match: {modul: x}, verdict: deny}\n  - {match: {module: x}, verdict: denied}\n")
    two.write_text("version: 1\ninclude: [no-such-list]\n")
    done = machine.run("policy", "check", one, two, tmp_path / "none.yaml", tree=False, check=1)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [re.match(r"(.*?): ", line)[1] for line in lines] == [f"{one}:3:14", f"{one}:4:35", f"{two}:2:11", f"{tmp_path}/none.yaml"]
    problems = json.loads(machine.run("policy", "check", "--json", one, two, tree=False, check=1).stdout)
    assert [(problem["file"], problem["line"], problem["column"]) for problem in problems] == [
        (str(one), 3, 14), (str(one), 4, 35), (str(two), 2, 11)]


def test_check_of_lists(machine):
    good = machine.write("lists/a.yaml", "version: 1\nrules: [{id: x, match: {module: x25}, verdict: deny, reason: old, source: nobody}]\n")
    bad = machine.write("lists/b.yaml", "version: 1\ndefault: deny\n")
    machine.run("policy", "check", good, tree=False, check=0)
    assert f"{bad}:2:1" in machine.run("policy", "check", bad, tree=False, check=1).stderr


def test_check_trusts_only_what_is_installed(machine, tmp_path):
    file = machine.policy(NO_STICKS)
    file.chmod(0o666)
    machine.run("policy", "check", file, tree=False, check=0)
    assert "chmod go-w" in machine.run("policy", "check", tree=False, check=1).stderr


# ------------------------------------------------------------------------------------------------- policy lint

def lint(machine, *words, check=1):
    found = json.loads(machine.run("policy", "lint", "--json", *words, check=check).stdout)
    return [(finding["kind"], finding.get("line"), finding["message"]) for finding in found
            if "/proc/cmdline" not in finding["file"]]


def test_lint_of_nothing(machine):
    machine.policy(NO_STICKS)
    assert lint(machine, check=0) == []
    assert "Nothing" in machine.run("policy", "lint", check=0).stdout


@pytest.mark.parametrize("rules, kind, says", [
    ("[{id: a, match: {module: 'usb-*'}, verdict: deny}, {id: b, match: {module: usb-storage}, verdict: allow}]",
     "unreachable", "this rule never decides: what it matches (usb_storage) is decided before by the rule a at "),
    ("[{match: {module: usb-storag}, verdict: deny}]", "no_such_module", "is called 'usb_storag'"),
    ("[{match: {module: [uas, 'zz*']}, verdict: deny}]", "no_such_module", "is called 'zz*'"),
    ("[{match: {module: in-kernel}, verdict: deny}]", "built_in", "no rule keeps out what is built into the kernel: in_kernel"),
    ("[{match: {module: uas}, verdict: deny, expires: 2020-01-01}]", "expired", "this rule has expired"),
    ("[{match: {module: uas, origin: device, uid: 1000}, verdict: deny}]", "never_known", "'uid' is known of clients"),
    ("[{match: {module: uas, origin: [boot, device], unit: x.service}, verdict: deny}]", "never_known", "'unit' is known of"),
    ("[{match: {module: uas}, verdict: allow, parameters: ['debug=*', '*=*']}]", "any_parameter", "'*=*' lets members of lkmd-admin"),
    ("[{match: {module: uas, origin: kernel, subsystem: usb}, verdict: deny}]", "never_known", "'subsystem' is known of devices"),
])
def test_lint_of_rules(machine, rules, kind, says):
    machine.policy(f"version: 1\nrules: {rules}\n")
    found = lint(machine)
    assert [finding[0] for finding in found] == [kind]
    assert says in found[0][2]


@pytest.mark.parametrize("rules", [
    "[{match: {module: usb-storage}, verdict: deny}, {match: {module: 'usb-*'}, verdict: allow}]",  # it decides for usb_core
    "[{match: {module: 'usb-*', origin: device}, verdict: deny}, {match: {module: usb-storage}, verdict: allow}]",
    "[{match: {module: usb-storage}, verdict: deny, mode: audit}, {match: {module: usb-storage}, verdict: allow}]",
    "[{match: {module: usb-storage}, options: {a: 1}}, {match: {module: usb-storage}, verdict: allow}]",
    "[{match: {module: in-kernel}, verdict: allow}]",
    "[{match: {module: uas, origin: '!device', uid: 1000}, verdict: deny}]",
])
def test_lint_of_rules_that_are_well(machine, rules):
    machine.policy(f"version: 1\nrules: {rules}\n")
    assert lint(machine, check=0) == []


@pytest.mark.parametrize("written", ["NVIDIA", "nVi*", "[N]vidia"])
def test_lint_of_another_case(machine, written):
    """The kernel tells the case of names apart, and so does a policy; who did not mean that is told."""
    machine.policy(f"version: 1\nrules: [{{match: {{module: '{written}'}}, verdict: deny}}]\n")
    assert [finding[0] for finding in lint(machine)] == ["no_such_module"]
    assert "nvidia, if that is what is meant: upper and lower case are not alike" in machine.run("policy", "lint", check=1).stdout


def test_a_dash_in_brackets(machine):
    file = machine.policy("version: 1\nrules: [{match: {module: 'usb[-]storage'}, verdict: deny}]\n")
    assert lint(machine, check=0) == []
    assert f"denied by {file}:2" in machine.run("plan", "usb-storage", check=3).stdout
    assert machine.run("plan", "usb-storage", "--policy", file, check=3)


@pytest.mark.parametrize("text, line, says", [
    ("blacklist uas\n# blacklist \u202e xyz\n", 2, "U+202E"),
    ("\ufeffblacklist uas\n", 1, "U+FEFF"),
    ("options uas a=\u200b1 b=\u2066\n", 1, "U+200B"),
    ("blacklist uas\nblacklist n\u00advidia\n", 2, "U+00AD"),
    ("blacklist uas\nblacklist n\U000e0061vidia\n", 2, "U+E0061"),
])
def test_lint_of_hidden_characters(machine, text, line, says):
    machine.modprobe(text + "blacklist x25\n")
    found = [finding for finding in lint(machine) if finding[0] == "hidden_character"]
    assert [finding[1] for finding in found] == [line]
    assert says in found[0][2]
    assert all(ord(c) < 0x80 for c in machine.run("policy", "lint", check=1).stdout)


def test_directories_that_others_may_write(machine):
    """Nobody who asks is told that such rules hold."""
    machine.policy(NO_STICKS)
    machine.run("plan", "usb-storage", check=3)
    directory = machine.root / "etc/lkmd"
    directory.chmod(0o777)
    done = machine.run("policy", "check", tree=False, check=1)
    assert f"{directory}: others than its owner can write it, so nothing below it is used: chmod go-w '{directory}'" in done.stderr
    assert f"chmod go-w '{directory}'" in machine.run("policy", "lint", check=1).stdout         # a finding as others
    for verb in (("policy", "show"), ("explain", "usb-storage"), ("plan", "usb-storage")):
        assert f"chmod go-w '{directory}'" in machine.run(*verb, tree=verb[1] != "show").stderr, verb
    assert "denied" not in machine.run("plan", "usb-storage", check=0).stdout
    directory.chmod(0o755)
    machine.run("policy", "check", tree=False, check=0)


def test_lint_leaves_lists_alone(machine):
    rule = "{id: old, match: {module: [x25, no-such]}, verdict: deny, reason: old, source: nobody}"
    for name in ("one", "two"):
        machine.write(f"usr/share/lkmd/lists/{name}.yaml", f"version: 1\nrules: [{rule}]\n")
    machine.policy("version: 1\ninclude: [one, two]\nrules: [{match: {module: x25}, verdict: allow}]\n")
    assert lint(machine, check=0) == []


def test_lint_with_the_rules_of_kmod(machine):
    machine.modprobe("install ext9 /bin/false\n")
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nCompat=kmod\n")
    assert "with Compat=kmod" in lint(machine)[0][2]


@pytest.mark.parametrize("lines, kind, says", [
    ("install ext9 /bin/false", "install_overlooked", "modprobe overlooks this line for ext9, which has a softdep"),
    ("blacklist usb_core", "blacklist_of_dependency", "does not keep usb_core out when something needs it: ext9, uas and usb_storage"),
    ("blacklist in_kernel", "built_in", "built into the kernel: in_kernel"),
    ("blacklist nouveau", "overruled", "has no effect on nouveau: the rule gpu at "),
    ("install nouveau /bin/false", "overruled", "has no effect on nouveau"),
])
def test_lint_of_modprobe_d(machine, lines, kind, says):
    machine.policy("version: 1\nrules: [{id: gpu, match: {module: nouveau}, verdict: allow}]\n")
    machine.modprobe(lines + "\n")
    found = lint(machine)
    assert [(finding[0], finding[1]) for finding in found] == [(kind, 1)]
    assert says in found[0][2]
    done = machine.run("policy", "lint", check=1)
    assert done.stdout.startswith(f"{machine.modprobe_d}/a.conf:1: ") and "\n  instead: " in done.stdout


@pytest.mark.parametrize("lines", ["install uas /bin/false", "install ext9 /sbin/modprobe --ignore-install ext9", "blacklist uas", "blacklist nix"])
def test_lint_of_modprobe_d_that_is_well(machine, lines):
    machine.modprobe(lines + "\n")
    assert lint(machine, check=0) == []


def with_command_line(machine, text, *words, check=None):
    file = machine.root / "cmdline"
    file.write_text(text + "\n")
    n = 2 if words[0] == "policy" else 1
    words = [*words[:n], "--root", machine.tree, "--kernel", RELEASE, "--config", machine.modprobe_d, *words[n:]]
    done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/cmdline && exec "$@"', file, LKMCTL, *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99",
                               "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_POLICY_ROOT": str(machine.root)})
    if check is not None:
        assert done.returncode == check, done
    return done


def test_the_kernel_command_line(machine):
    machine.policy("version: 1\ndefault: deny\nrules: [{match: {module: x25}, verdict: allow}]\n")
    line = "quiet module_blacklist=firewire-core lkmd.allow=usb-storage,firewire-core lkmd.deny=x25 modprobe.blacklist=nouveau,vfio-pci"
    for module, status in (("usb-storage", 0), ("x25", 3), ("firewire-core", 3), ("uas", 3), ("nouveau", 3)):
        with_command_line(machine, line, "explain", module, check=status)
        with_command_line(machine, line, "plan", module, check=status)
    with_command_line(machine, line, "plan", "--policy", "/dev/null", "x25", check=0)
    trace = json.loads(with_command_line(machine, line, "explain", "--json", "firewire-core", check=3).stdout)["answers"][0]["modules"][0]["trace"]
    assert [(x["source"], x["how"]) for x in trace] == [("kernel", "decides"), ("command_line", "too_late"), ("default", "too_late")]
    found = json.loads(with_command_line(machine, line, "policy", "lint", "--json", check=1).stdout)
    assert [(x["kind"], x["file"]) for x in found if "cmdline" in x["file"]] == [("dash_on_command_line", "/proc/cmdline")]
    shown = json.loads(with_command_line(machine, line, "policy", "lint", "--json", "--policy", "/dev/null").stdout)
    assert [x["kind"] for x in shown] == ["dash_on_command_line"]


# ----------------------------------------------------------------------------------------------- policy preview

def preview(sys_tree, machine, here, there, *words, check=None):
    return in_sys(sys_tree, machine, LKMCTL, "policy", "preview", "--root", there, "--config", machine.modprobe_d, *words,
                  LKMD_ROOT=str(here), check=check)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    root = tmp_path_factory.mktemp("here")
    make_tree(root, os.uname().release, MODULES)
    return root


def make_other(root, **changes):
    modules = {name: MODULES[name] for name in MODULES if name not in changes}
    modules.update({name: change for name, change in changes.items() if change})
    make_tree(root, os.uname().release, modules)
    return root


def test_preview_of_the_same(machine, sys_tree, here):
    done = preview(sys_tree, machine, here, here, check=0)
    assert done.stdout.startswith("No device of 3 gets less")
    assert json.loads(preview(sys_tree, machine, here, here, "--json", check=0).stdout) == []


def test_preview_of_a_driver_that_is_gone(machine, sys_tree, here, tmp_path):
    there = make_other(tmp_path / "there", uas=None)
    done = preview(sys_tree, machine, here, there, check=1)
    assert done.stdout == "/devices/pci0000:00/usb1/1-1/1-1:1.0 (usb) loses its driver uas: no module there is for it\n"


def test_preview_of_a_need_that_is_new_and_denied(machine, sys_tree, here, tmp_path):
    machine.policy("version: 1\nrules: [{match: {module: [x25, firewire-core]}, verdict: deny}]\n")
    there = make_other(tmp_path / "there", uas=(("usb-storage", "x25"), MODULES["uas"][1]),
                       nvidia=((), (*MODULES["nvidia"][1], "softdep=pre: firewire-core")))
    found = json.loads(preview(sys_tree, machine, here, there, "--json", check=1).stdout)
    assert [(change["change"], change["omission"]["module"]) for change in found] == [("wanted_denied", "firewire_core"), ("needed_denied", "x25")]
    assert found[1]["drivers"] == ["uas"] and found[1]["device"].endswith("1-1:1.0")


def test_preview_of_a_driver_with_another_name(machine, sys_tree, here, tmp_path):
    machine.policy("version: 1\ndefault: deny\nrules: [{match: {module: [uas, usb-storage, nvidia, nouveau]}, verdict: allow}]\n")
    there = make_other(tmp_path / "there", uas=None)
    shutil.rmtree(there)
    there = make_other(tmp_path / "there", uas=None, uas2=MODULES["uas"])
    found = json.loads(preview(sys_tree, machine, here, there, "--json", check=1).stdout)
    assert [(change["change"], change["omission"]["module"]) for change in found] == [("denied", "uas2")]


def test_preview_wants_other_modules(machine):
    assert "--kernel=RELEASE" in machine.run("policy", "preview", tree=False, check=2).stderr
    machine.run("policy", "preview", "--kernel", "none-such", tree=False, check=5)


# --------------------------------------------------------------------------------------------- the verbs' table

def test_verbs_of_two_words(machine):
    text = machine.run("policy", tree=False, check=0).stdout
    for verb in ("show", "check", "lint", "propose", "preview", "audit", "allow", "deny", "revoke"):
        assert f"\n  policy {verb} " in text
        full = machine.run("help", "policy", verb, tree=False, check=0).stdout
        assert full == machine.run("policy", verb, "--help", tree=False, check=0).stdout
        assert full == machine.run("help", f"policy {verb}", tree=False, check=0).stdout
    assert "did you mean 'policy show'" in machine.run("policy", "shwo", tree=False, check=2).stderr
    assert "takes no --root" in machine.run("policy", "show", "--root", "/", tree=False, check=2).stderr
    assert "takes no --host" in machine.run("policy", "lint", "-H", "x", tree=False, check=2).stderr
    assert "that is for: policy allow, policy deny" in machine.run("policy", "lint", "--once", tree=False, check=2).stderr


# --------------------------------------------------------------------------------------------- the manual page

def examples():
    blocks = re.findall(r"^```\n(.*?)^```$", (PROJECT / "man/lkmd-policy.5.scd").read_text(), re.S | re.M)
    return [block for block in blocks if block.startswith("version:")]


def test_the_manual_page_has_examples():
    assert len(examples()) >= 6


@pytest.mark.parametrize("example", examples(), ids=lambda text: re.search(r"id: (\S+)", text)[1])
def test_examples_of_the_manual_page(machine, tmp_path, example):
    lists = machine.root / "usr/share/lkmd/lists"
    shutil.copytree(PROJECT / "conf/lists", lists)
    file = tmp_path / "example.yaml"
    file.write_text(example)
    assert machine.run("policy", "check", file, tree=False, check=0).stderr == ""


def test_the_example_of_the_readme(machine, tmp_path):
    file = tmp_path / "example.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", (PROJECT / "README.md").read_text(), re.S)[1])
    machine.run("policy", "check", file, tree=False, check=0)
    machine.run("plan", "--policy", file, "uas", check=3)


def test_the_examples_do_what_they_say(machine, tmp_path):
    def policy(word):
        file = tmp_path / "example.yaml"
        file.write_text(next(example for example in examples() if f"id: {word}" in example))
        return ["--policy", file]
    machine.run("plan", *policy("no-usb-storage"), "uas", check=3)
    users = policy("no-autoload-of-protocols")
    machine.run("explain", *users, "--origin=kernel", "net-pf-9", check=3)
    machine.run("explain", *users, "net-pf-9", check=0)
    machine.run("explain", *users, "--uid=1000", "x25", check=3)
    plan = json.loads(machine.run("explain", "--json", *policy("graphics"), "--origin=device", GPU, check=0).stdout)["answers"][0]["plan"]
    assert [step["module"] for step in plan["steps"]] == ["nvidia"]
    card = policy("card-is-for-guests")
    machine.run("explain", *card, "--origin=device", GPU, check=3)
    machine.run("explain", *card, "--origin=device", GPU.replace("2484", "9999"), check=0)
    assert "ids=10de:2484" in machine.run("plan", *card, "vfio-pci", check=0).stdout
