# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sentences of lkmctl explain, plan and resolve about lines of modprobe.d that do something else than they seem to."""

import json
import re

import pytest

from module_tree import make_tree
from policy_bench import DISK, GPU, RELEASE, machine, tree


def explain(machine, *words, check=None):
    return json.loads(machine.run("explain", "--json=short", *words, check=check).stdout)


# ------------------------------------------------------------------------------------------- what only comes along

def test_dependencies_that_nothing_is_said_about_are_one_line(machine):
    text = machine.run("explain", "uas", check=0).stdout
    assert "  2 dependencies come with what is allowed: usb_core, usb_storage\n" in text and "(needed)" not in text
    full = machine.run("explain", "uas", "--full", check=0).stdout
    assert "come with what is allowed" not in full
    assert [line.split()[0] for line in full.splitlines() if "comes with what is allowed" in line] == ["usb_core", "usb_storage"]
    machine.policy("version: 1\nrules: [{id: no, match: {module: usb-core}, verdict: deny}]\n")
    text = machine.run("explain", "uas", check=3).stdout
    assert re.search(r"usb_core \(needed\) +deny +rule no ", text) and "1 dependency comes with what is allowed: usb_storage\n" in text


# ------------------------------------------------------------------------------------------------- install lines

@pytest.mark.parametrize("command", [
    "/usr/bin/disabled-by-security-misc", "/bin/false1", "/bin/echo no; /bin/false", "/sbin/modprobe -i usb-storage",
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


# ------------------------------------------------------------------------------------------- what is not known

NO_USB = "version: 1\nrules: [{id: no-usb, match: {subsystem: usb}, verdict: deny, reason: no sticks}]\n"


def test_the_subsystem_follows_from_the_modalias(machine):
    file = machine.policy(NO_USB)
    answers = explain(machine, DISK)["answers"]
    assert [(answer["origin"], answer["verdict"]) for answer in answers] == [("client", "allow"), ("device", "deny"), ("kernel", "allow")]
    text = machine.run("explain", DISK, check=0).stdout
    assert f"As a device would ask for {DISK}\n  usb_storage is denied by {file}:2:9 (no-usb): no sticks\n" in text
    assert "not known here" not in text
    machine.run("explain", "--origin=device", DISK, check=3)
    assert "denied" not in machine.run("explain", "--origin=device", GPU, check=0).stdout


@pytest.mark.parametrize("key", ["usb-storage", "of:NdiskT(null)Cusb-disk", "acpi:USB0001:"])
def test_the_subsystem_is_not_known(machine, key):
    machine.modprobe("alias of:N*T*Cusb-disk usb-storage\nalias acpi*:USB0001:* usb-storage\n")
    file = machine.policy(NO_USB)
    text = machine.run("explain", "--origin=device", key, check=0).stdout
    assert (f"  usb_storage is allowed: nothing denies it\n"
            f"  not known here: subsystem; rule no-usb ({file}:2:9) denies usb_storage if subsystem is usb: no sticks\n") in text
    assert re.search(r"deny +rule no-usb +\S+ +depends on what is not known here: no sticks\n", text)
    answer, = explain(machine, "--origin=device", key)["answers"]
    assert answer["verdict"] == "depends"
    step = answer["modules"][0]["trace"][0] if answer["modules"][0]["module"] == "usb_storage" else answer["modules"][1]["trace"][0]
    assert (step["how"], step["unknown"]) == ("depends", ["subsystem"])


@pytest.mark.parametrize("rule, options, said", [
    ("{driver: uas}", ("--origin=device",), "driver; rule x (FILE) denies usb_storage if driver is uas"),
    ("{subsystem: [usb, '!pci'], driver: ['!uas', '!ub']}", ("--origin=device",),
     "subsystem, driver; rule x (FILE) denies usb_storage if subsystem is usb and not pci and driver is not uas or ub"),
    ("{uid: 1000-60000}", ("--origin=kernel",), "uid; rule x (FILE) denies usb_storage if uid is 1000-60000"),
    ("{uid: 1000-60000}", ("--origin=kernel", "--uid=1"), None),
    ("{uid: 1000-60000}", ("--uid=1",), None),
    ("{unit: 'x*.service'}", ("--origin=client",), "unit; rule x (FILE) denies usb_storage if unit is x*.service"),
    ("{unit: 'x*.service', uid: 1}", ("--origin=client",), None),   # root is not 1
    ("{unit: 'x*.service', module: uas}", ("--origin=client",), None),
    ("{modalias: 'usb:v1234*'}", ("--origin=device",), "modalias; rule x (FILE) denies usb_storage if modalias is usb:v1234*"),
    ("{alias: 'usb:v1234*'}", ("--origin=kernel",), None),          # which asks for the name
    ("{subsystem: usb}", ("--origin=boot",), None),
    ("{unit: a}", ("--origin=boot",), None),
    ("{signed: no}", ("--origin=device",), None),                   # the file can be read, and denies
])
def test_what_is_not_known(machine, rule, options, said):
    file = machine.policy(f"version: 1\nrules: [{{id: x, match: {rule}, verdict: deny}}]\n")
    text = machine.run("explain", *options, "usb-storage").stdout
    lines = [line.split(": ", 1)[1].replace(f"{file}:2:9", "FILE") for line in text.splitlines() if line.startswith("  not known here: ")]
    assert lines == ([said] if said else [])


def test_a_module_file_that_cannot_be_read(machine, tree):
    machine.policy("version: 1\nrules: [{id: x, match: {license: proprietary}, verdict: deny}]\n")
    file = tree / "lib/modules" / RELEASE / "kernel/x25.ko"
    whole = file.read_bytes()
    try:
        file.write_bytes(b"no ELF")
        text = machine.run("explain", "x25", check=1).stdout
        assert "  x25 cannot be loaded: its file is no kernel module\n" in text
        assert "  not known here: license; rule x (" in text and "denies x25 if license is proprietary\n" in text
    finally:
        file.write_bytes(whole)
    assert "not known here: " not in machine.run("explain", "x25").stdout


def test_the_same_word_decides_either_way(machine):
    """No doubt about what comes out the same."""
    machine.policy("version: 1\nrules: [{match: {unit: a}, verdict: deny}, {match: {module: usb-storage}, verdict: deny}]\n")
    assert "not known here: " not in machine.run("explain", "--origin=client", "usb-storage", check=3).stdout
    machine.policy("version: 1\nrules: [{match: {unit: a}, verdict: allow}, {match: {module: usb-storage}, verdict: deny}]\n")
    assert "allows usb_storage if unit is a\n" in machine.run("explain", "--origin=client", "usb-storage", check=3).stdout
    machine.policy("version: 1\nmode: audit\nrules: [{match: {unit: a}, verdict: deny}]\n")
    assert "not known here: " not in machine.run("explain", "--origin=client", "usb-storage", check=0).stdout


def test_plan_says_it_too(machine):
    file = machine.policy("version: 1\nrules: [{id: x, match: {unit: a.service, module: usb-core}, verdict: deny, reason: r}]\n")
    said = f"not known here: unit; rule x ({file}:2:9) denies usb_core if unit is a.service: r\n"
    assert machine.run("plan", "usb-storage", check=0).stdout.endswith(said)
    depends, = json.loads(machine.run("plan", "--json=short", "usb-storage", check=0).stdout)["depends"]
    assert (depends["module"], depends["unknown"], depends["rule"]) == ("usb_core", ["unit"], "x")
    assert "depends" not in json.loads(machine.run("plan", "--json=short", "nouveau", check=0).stdout)


def test_others_get_another_answer_if_only_what_is_not_known_differs(machine):
    machine.policy(NO_USB)
    text = machine.run("explain", "usb-storage", check=0).stdout
    assert "A device or the kernel that asks for it gets the same" not in text
    assert "As a device would ask for usb-storage\n" in text and "if subsystem is usb" in text


# --------------------------------------------------------------------------------------------- parameters of plan

@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    root = tmp_path_factory.mktemp("parameters")
    info = ("parm=delay_use:seconds", "parmtype=delay_use:uint", "parm=quirks:list", "parmtype=quirks:string", "alias=fs-one")
    make_tree(root, RELEASE, {"one": ((), info), "two": ((), ())})
    return root


def plan(machine, parameters, *words, check=None):
    return machine.run("plan", "--root", parameters, "--kernel", RELEASE, "--config", machine.modprobe_d, *words, tree=False, check=check)


def test_plan_with_parameters(machine, parameters):
    machine.modprobe("options one quirks=a\n")
    text = plan(machine, parameters, "one", "delay_use=3", check=0).stdout
    assert f"quirks=a ({machine.modprobe_d}/a.conf:1), delay_use=3" in text
    step, = json.loads(plan(machine, parameters, "--json=short", "fs-one", "delay-use=3", "quirks=b c", check=0).stdout)["steps"]
    assert step["parameters"] == 'quirks=a delay-use=3 quirks="b c"'
    two = [json.loads(line) for line in plan(machine, parameters, "--json=short", "one", "delay_use=1", "two", "dyndbg=+p",
                                             check=0).stdout.splitlines()]
    assert [p["steps"][0]["parameters"] for p in two] == ["quirks=a delay_use=1", "dyndbg=+p"]


def test_plan_with_unknown_parameters(machine, parameters):
    done = plan(machine, parameters, "one", "dely_use=3", check=1)
    assert "one has no parameter 'dely_use'\n" in done.stderr and "known parameters: delay_use, quirks\n" in done.stderr
    assert done.stdout == "" and "modinfo" not in done.stderr           # which is about this machine
    error = json.loads(plan(machine, parameters, "--json=short", "two", "x=", check=1).stdout)
    assert (error["error"], error["module"], error["parameter"], error["known"]) == ("io.lkmd.Manager.UnknownParameter", "two", "x", [])
    machine.write("etc/lkmd/lkmd.conf", "[Manager]\nUnknownParameters=warn\n")
    done = plan(machine, parameters, "one", "dely_use=3", check=0)
    assert "one has no parameter 'dely_use', which is passed on" in done.stderr and "dely_use=3" in done.stdout


def test_plan_with_a_parameter_of_nothing(machine, parameters):
    assert "'a=1' is a parameter, and no module stands before it" in plan(machine, parameters, "a=1", "one", check=2).stderr


# ------------------------------------------------------------------------------------------------- the kernel's requests

X25 = """version: 1
rules:
- {id: mine, match: {alias: net-pf-9, unit: "x25d.service"}, verdict: allow}
- {id: shells, match: {alias: net-pf-9, command: "*sh"}, verdict: deny, reason: no shells}
- {id: users, match: {alias: net-pf-9, uid: "!0"}, verdict: deny}
"""


@pytest.mark.parametrize("options, verdict", [
    (["--uid", "0"], "depends"),
    (["--uid", "0", "--unit", "a.service"], "depends"),
    (["--uid", "0", "--unit", "a.service", "--command", "python3"], "allow"),
    (["--uid", "0", "--unit", "a.service", "--command", "bash"], "deny"),
    (["--uid", "65534", "--unit", "a.service", "--command", "python3"], "deny"),
    (["--uid", "65534", "--unit", "x25d.service", "--command", "bash"], "allow"),
    (["--unit", "x25d.service"], "allow"),
    (["--command", "bash", "--unit", "a.service"], "deny"),
])
def test_the_process_for_which_the_kernel_asks(machine, options, verdict):
    machine.policy(X25)
    answers = explain(machine, "net-pf-9", "--origin", "kernel", *options)["answers"]
    assert [(answer["origin"], answer["verdict"]) for answer in answers] == [("kernel", verdict)]
    assert answers[0]["socket"] == {"verdict": "allow"}


def test_the_process_is_said_and_what_is_not_known_of_it(machine):
    machine.policy(X25)
    text = machine.run("explain", "net-pf-9", "--command", "bash", "--uid", "7", check=3).stdout
    assert text.startswith("As the kernel would ask for net-pf-9 on behalf of user 7, command bash\n")
    assert "not known here: unit; rule mine (" in text and "allows x25 if unit is x25d.service" in text
    text = machine.run("explain", "net-pf-9", "--origin", "kernel", check=0).stdout
    assert "not known here: uid; rule users (" in text and "not known here: command; rule shells (" in text


@pytest.mark.parametrize("words", [
    ("net-pf-9", "--command", "sh", "--origin", "client"), ("net-pf-9", "--command", "sh", "--origin", "device"),
    ("net-pf-9", "--unit", "a.service", "--origin", "boot"), ("/sys/devices/x", "--command", "sh"),
    ("net-pf-9", "--unit", ""), ("net-pf-9", "--command", "a", "--command", "b"),
])
def test_a_process_where_there_is_none(machine, words):
    assert "lkmctl: " in machine.run("explain", *words, check=2).stderr


SOCKETS = """version: 1
rules:
- {id: x, match: {alias: net-pf-9, uid: "!0"}, verdict: deny, scope: use, reason: old}
- {id: ipx, match: {alias: net-pf-4}, verdict: deny, scope: use}
"""


def test_the_socket_itself_is_refused(machine):
    file = machine.policy(SOCKETS)
    said = f"the socket itself is refused, whether its module is loaded or not, by {file}:3:3 (x): old"
    answer = explain(machine, "net-pf-9", "--origin", "kernel", "--uid", "7", check=3)["answers"][0]
    assert said in answer["sentences"] and answer["verdict"] == "deny"
    assert answer["socket"] == {"verdict": "deny", "source": "rule", "file": str(file), "line": 3, "column": 3, "rule": "x", "reason": "old"}
    assert f"  {said}\n" in machine.run("explain", "net-pf-9", "--origin", "kernel", "--uid", "7", check=3).stdout

    answer = explain(machine, "net-pf-9", "--origin", "kernel", "--uid", "0", check=0)["answers"][0]
    assert answer["socket"] == {"verdict": "allow"} and "socket" not in " ".join(answer["sentences"])
    answer = explain(machine, "net-pf-9", "--origin", "kernel", check=0)["answers"][0]
    assert answer["socket"]["verdict"] == "depends"
    assert any(sentence.startswith("not known here: uid; the socket itself is refused to some users by ") for sentence in answer["sentences"])


def test_a_socket_whose_protocol_is_no_module(machine):
    machine.policy(SOCKETS)
    text = machine.run("explain", "net-pf-4-proto-7-type-1", check=3).stdout
    assert text.startswith("As the kernel would ask for net-pf-4-proto-7-type-1\n  the socket itself is refused")
    assert "modprobe would" not in text
    machine.run("explain", "net-pf-5", check=5)
    machine.run("explain", "net-pf-4x", check=5)
