# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl against a server that plays lkmd: every verb, every error, every exit status, every way to go wrong."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, more, reply
from lkmctl_bench import (BLACKLISTED, CLIENT, DESCRIPTION, E1000E, EVENTS, FLOPPY, LKMCTL, MODULES, PROBLEM, PROJECT, PTP, STATUS, ctl,
                          environment, finish, lkmd, read_until, start)


# ------------------------------------------------------------------------------------------------------- load

def test_load_says_what_came_along(lkmd, ctl):
    lkmd.on("Load", reply(records=[PTP, E1000E], omissions=[BLACKLISTED]))
    done = ctl("load", "e1000e", check=0)
    assert done.stdout.splitlines() == [
        "  ptp   loaded in 0.80 ms, needed by e1000e",
        "e1000e  loaded in 23.1 ms",
        "nouveau  left out: blacklisted by /etc/modprobe.d/no.conf:3",
    ]
    assert done.stderr == ""
    assert lkmd.calls == [("Load", {"name": "e1000e"}, False)]


@pytest.mark.parametrize("words,method,sent", [
    (["load", "--force", "e1000e"], "Load", {"forceVermagic": True, "forceModversion": True}),
    (["load", "e1000e", "--force-vermagic"], "Load", {"forceVermagic": True}),
    (["load", "--force-modversion", "e1000e"], "Load", {"forceModversion": True}),
    (["unload", "--force", "e1000e"], "Unload", {"ignoreNeeds": True}),
    (["unload", "--force-removal", "e1000e"], "Unload", {"force": True}),
    (["unload", "--holders", "e1000e", "--wait=1min"], "Unload", {"holders": True, "waitUSec": 60_000_000}),
])
def test_force(lkmd, ctl, words, method, sent):
    lkmd.on(method, reply(records=[E1000E]))
    ctl(*words, check=0)
    assert lkmd.calls == [(method, {"name": "e1000e", **sent}, False)]


def test_load_does_not_tell_of_what_was_there_before(lkmd, ctl):
    lkmd.on("Load", reply(records=[dict(PTP, outcome="already_loaded"), dict(E1000E, outcome="already_loaded")]))
    assert ctl("load", "e1000e", check=0).stdout == "e1000e  was loaded already\n"


def test_an_error_says_nothing_twice(lkmd, ctl):
    lkmd.on("Load", error("LoadFailed", message=FLOPPY["message"], module="floppy", errno=19, records=[PTP, FLOPPY]))
    assert ctl("load", "floppy", check=1).stderr.count(FLOPPY["message"]) == 1
    lkmd.on("Unload", error("InUse", message="x is in use by uas", module="x", holders=["uas"]))
    assert ctl("unload", "x", check=1).stderr.count("uas") == 1


@pytest.mark.parametrize("change", [{"omissions": [{"kind": "denied", "module": "x", "required": True}]}, {"history": [FLOPPY]}])
def test_no_advice_to_load_what_would_fail(lkmd, ctl, change):
    lkmd.on("DescribeModule", reply(**{"module": {"name": "x", "state": "not_loaded"}, "dependencies": [], "omissions": [], "history": [], **change}))
    assert "Next" not in ctl("status", "x", check=0).stdout


def test_load_passes_parameters(lkmd, ctl):
    lkmd.on("Load", reply(records=[E1000E]))
    ctl("load", "e1000e", "a=1", "b=x y", "flag", "c=ü\n", "--quiet", check=0)
    assert lkmd.calls[0][1] == {"name": "e1000e", "parameters": ["a=1", "b=x y", "flag", "c=ü\n"]}


def test_load_of_nothing(lkmd, ctl):
    lkmd.on("Load", reply())
    assert ctl("load", "e1000e", check=0).stdout == "Nothing to do.\n"


@pytest.mark.parametrize("parameter", ["", "=3"])
def test_load_with_what_is_no_parameter(lkmd, ctl, parameter):
    ctl("load", "e1000e", parameter, check=2)
    assert lkmd.calls == []


def test_load_in_json(lkmd, ctl):
    lkmd.on("Load", reply(records=[PTP, E1000E], omissions=[]))
    short = ctl("load", "e1000e", "--json=short", check=0).stdout
    assert short.count("\n") == 1
    assert json.loads(short) == {"records": [PTP, E1000E], "omissions": []}
    assert json.loads(ctl("--json", "load", "e1000e", check=0).stdout) == json.loads(short)


def test_quiet(lkmd, ctl):
    lkmd.on("Load", reply(records=[E1000E]))
    lkmd.on("Unload", reply(records=[]))
    lkmd.on("Status", reply(**STATUS))
    lkmd.on("DescribeModule", reply(**DESCRIPTION))
    lkmd.on("List", reply(modules=MODULES))
    lkmd.on("Reload", reply(problems=[]))
    lkmd.on("Wait", reply())
    for arguments in (["load", "e1000e"], ["unload", "e1000e"], ["status"], ["status", "e1000e"], ["list"], ["reload"], ["wait"]):
        done = ctl("-q", *arguments, check=0)
        assert done.stdout + done.stderr == "", arguments
    lkmd.on("Load", error("NoSuchModule", message="there is no 'x'"))
    assert "there is no 'x'" in ctl("-q", "load", "x", check=5).stderr


# ------------------------------------------------------------------------------------------------ load and tty

def test_a_long_load_shows_that_it_is_alive(lkmd, environment):
    enough = threading.Event()
    lkmd.on("Load", more(progress={"kind": "started", "timeUSec": 1, "record": {"timeUSec": 1, "module": "ptp", "requester": CLIENT}}),
            more(progress={"kind": "finished", "timeUSec": 2, "record": PTP}),
            more(progress={"kind": "started", "timeUSec": 3, "record": {"timeUSec": 3, "module": "e1000e", "requester": CLIENT}}),
            enough, reply(records=[PTP, E1000E]))
    master, slave = pty.openpty()
    process = start(environment, "load", "e1000e", stderr=slave)
    os.close(slave)
    seen = read_until(master, rb"e1000e [1-9]\d* s")   # any second: a machine under load may not draw each of them
    enough.set()
    stdout, _ = finish(process)
    os.close(master)
    assert process.returncode == 0
    assert b"ptp" not in seen
    assert b"\x1b" not in seen
    assert stdout.splitlines()[-1] == "e1000e  loaded in 23.1 ms"
    assert lkmd.calls[0][2] is True


def test_without_a_terminal_no_progress_is_asked_for(lkmd, ctl):
    lkmd.on("Load", reply(records=[E1000E]))
    assert ctl("load", "e1000e", check=0).stderr == ""
    assert lkmd.calls[0][2] is False


def test_colours_only_on_terminals_and_without_no_color(lkmd, environment):
    lkmd.on("Status", reply(**STATUS))
    for variables, colours in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)):
        master, slave = pty.openpty()
        process = start({**environment, **variables}, "status", stdout=slave, stderr=slave)
        os.close(slave)
        seen = read_until(master, b"Queue")
        process.wait(60)
        os.close(master)
        assert (b"\x1b[" in seen) == colours, variables


def test_interrupting_a_load_says_that_it_goes_on(lkmd, environment):
    never = threading.Event()
    lkmd.on("Load", never, reply())
    process = start(environment, "load", "e1000e")
    assert lkmd.called.wait(60)
    process.send_signal(signal.SIGINT)
    _, stderr = finish(process)
    never.set()
    assert process.returncode == -signal.SIGINT
    assert "lkmd goes on" in stderr


# ----------------------------------------------------------------------------------------------------- unload

UNLOADED = {"timeUSec": 1, "module": "e1000e", "outcome": "unloaded", "requester": CLIENT, "durationUSec": 4000}


def test_unload(lkmd, ctl):
    lkmd.on("Unload", reply(records=[UNLOADED]))
    assert ctl("unload", "e1000e", check=0).stdout == "e1000e  unloaded in 4.0 ms\n"


def unload_by_name(parameters):
    return {"good": reply(records=[dict(UNLOADED, module="good")]),
            "denied": error("Denied", message="m", module="denied"),
            "busy": error("InUse", message="busy is in use", module="busy", holders=["a"]),
            "gone": error("NoSuchModule", message="no gone")}[parameters["name"]]


@pytest.mark.parametrize("names, status", [(["gone", "good"], 5), (["gone", "busy", "good"], 1), (["good"], 0),
                                           (["denied", "gone", "good"], 3)])
def test_unload_goes_on_and_ends_with_the_worst(lkmd, ctl, names, status):
    lkmd.on("Unload", unload_by_name)
    done = ctl("unload", *names, check=status)
    assert "good  unloaded" in done.stdout
    assert [call[1]["name"] for call in lkmd.calls] == names


def test_unload_of_several_in_json(lkmd, ctl):
    lkmd.on("Unload", unload_by_name)
    short = [json.loads(line) for line in ctl("unload", "gone", "good", "--json=short", check=5).stdout.splitlines()]
    assert [list(item)[0] for item in short] == ["error", "records"]
    assert json.loads(ctl("unload", "gone", "good", "--json", check=5).stdout) == short


def test_unload_stops_when_lkmd_is_gone(lkmd, ctl):
    lkmd.on("Unload", None)
    ctl("unload", "a", "b", "c", check=4)
    assert len(lkmd.calls) == 1


# ------------------------------------------------------------------------------------------------------- list

def test_list(lkmd, ctl):
    lkmd.on("List", reply(modules=MODULES))
    lines = ctl("list", check=0).stdout.splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "USED", "BY", "REQUESTER", "TIME", "LOADED"]
    assert re.fullmatch(r"e1000e +364K 0 +lkmctl +23\.1 ms \d+ d ago", lines[1])
    assert re.fullmatch(r"ptp +40K 1 e1000e +needed by e1000e +0\.80 ms \d+ d ago", lines[2])
    assert lines[3].split() == ["slow_one", "(coming)", "-", "-", "-", "-", "-"]
    assert len(lines) == 5


def test_list_in_json(lkmd, ctl):
    lkmd.on("List", reply(modules=MODULES))
    assert [json.loads(line) for line in ctl("list", "--json=short", check=0).stdout.splitlines()] == MODULES
    assert json.loads(ctl("list", "--json=pretty", check=0).stdout) == MODULES
    lkmd.on("List", reply(modules=[]))
    assert ctl("list", "--json=short", check=0).stdout == ""
    assert json.loads(ctl("list", "--json=pretty", check=0).stdout) == []


def test_list_of_very_many(lkmd, ctl):
    many = [dict(MODULES[1], name=f"m{i}") for i in range(5000)]
    lkmd.on("List", reply(modules=many))
    assert len(ctl("list", check=0).stdout.splitlines()) == 5001


def test_a_reader_that_had_enough_is_no_failure(lkmd, environment):
    lkmd.on("List", reply(modules=[dict(MODULES[1], name=f"m{i}") for i in range(5000)]))
    process = start(environment, "list")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


def test_an_answer_that_cannot_be_written_is_a_failure(lkmd, environment):
    lkmd.on("Status", reply(**STATUS))
    with open("/dev/full", "w") as full:
        for arguments in (["status"], ["status", "--json"]):
            process = start(environment, *arguments, stdout=full)
            _, stderr = finish(process)
            assert process.returncode == 1 and "No space left" in stderr


# ---------------------------------------------------------------------------------------------------- monitor

def test_monitor(lkmd, ctl):
    lkmd.on("Monitor", more(), *[more(event=event) for event in EVENTS], None)
    done = ctl("monitor", check=4)
    lines = done.stdout.splitlines()
    assert len(lines) == len(EVENTS)
    assert all(line.startswith("22:13:20.000  ") for line in lines)
    kinds = ["device", "device", "verdict", "started", "slow", "loaded", "failed", "unloaded", "rescan", "reloaded", "problem",
             "noisy", "charge", "denied", "loaded", "audit", "denied", "from_the_future"]
    assert [line.split()[1] for line in lines] == kinds
    for line, text in zip(lines, ["usb device for usb_storage, uas: usb:v0525pA4A5", "device that no module is for: ", "blacklisted by /etc/modprobe.d/no.conf:3",
                                  "asked for by lkmctl (pid 4711, uid 0), with a=1", "9.0 s so far, in msleep+0x2d/0x40", "loaded in 23.1 ms",
                                  "failed after 2.0 ms: floppy found no hardware", "unloaded in", "events were lost", "4123 modules",
                                  "unknown key 'Foo'", "again and again", "steps back", "denies it",
                                  "loaded, without lkmd, by insmod (pid 4711, uid 0)",
                                  "uas                     would be left out: denied by /etc/x.yaml:3: why, for device ",
                                  "net-pf-38               refused in the kernel to python3", ""]):
        assert text in line
    assert lines[0].index("usb device") == lines[5].index("loaded in")
    assert "lkmd went away" in done.stderr


def test_monitor_in_json_is_one_event_a_line(lkmd, ctl):
    lkmd.on("Monitor", more(), *[more(event=event) for event in EVENTS], None)
    lines = [json.loads(line) for line in ctl("monitor", "--json=short", check=4).stdout.splitlines()]
    assert lines[:-1] == EVENTS
    assert lines[-1]["error"] == "io.lkmd.Client.Disconnected"


def test_monitor_when_lkmd_ends_it(lkmd, ctl):
    lkmd.on("Monitor", more(), reply(event=EVENTS[0]))
    done = ctl("monitor", check=4)
    assert len(done.stdout.splitlines()) == 1 and "went away" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_monitor_flushes_each_line_and_ends_by_a_signal(lkmd, environment, number):
    never = threading.Event()
    lkmd.on("Monitor", more(), more(event=EVENTS[5]), never, None)
    process = start(environment, "monitor")
    assert "e1000e" in process.stdout.readline()
    process.send_signal(number)
    stdout, stderr = finish(process)
    never.set()
    assert process.returncode == 0 and stdout + stderr == ""


def test_monitor_ends_when_nobody_reads(lkmd, environment):
    never = threading.Event()
    lkmd.on("Monitor", more(), more(event=EVENTS[5]), never, None)
    process = start(environment, "monitor")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    never.set()


# ------------------------------------------------------------------------------------------- reload, wait, more

def test_reload(lkmd, ctl):
    lkmd.on("Reload", reply(problems=[]))
    assert ctl("reload", check=0).stdout == "Read anew.\n"
    lkmd.on("Reload", reply(problems=[PROBLEM]))
    assert "/etc/lkmd/lkmd.conf:7: unknown key 'Foo'" in ctl("reload", check=0).stdout
    assert json.loads(ctl("reload", "--json", check=0).stdout) == {"problems": [PROBLEM]}
    lkmd.on("Reload", error("ReloadFailed", message="lkmd.conf cannot be used", problems=[PROBLEM]))
    done = ctl("reload", check=1)
    assert "lkmd.conf cannot be used" in done.stderr and "/etc/lkmd/lkmd.conf:7" in done.stderr


@pytest.mark.parametrize("arguments, parameters", [
    ([], {"idle": True}),
    (["--idle"], {"idle": True}),
    (["--module", "x"], {"idle": False, "module": "x"}),
    (["--module=x", "--idle", "--timeout", "0.5"], {"idle": True, "module": "x", "timeoutUSec": 500_000}),
    (["--timeout=0"], {"idle": True, "timeoutUSec": 0}),
])
def test_wait(lkmd, ctl, arguments, parameters):
    lkmd.on("Wait", reply())
    assert ctl("wait", *arguments, check=0).stdout == ""
    assert json.loads(ctl(*arguments, "wait", "--json", check=0).stdout) == {}
    assert [call[1] for call in lkmd.calls] == [parameters] * 2


CPU = "/devices/system/cpu"             # a device on every machine


@pytest.mark.parametrize("name", ["/sys" + CPU, CPU, "link"])
def test_wait_for_a_device(lkmd, environment, tmp_path, name):
    (tmp_path / "link").symlink_to("/sys" + CPU)
    lkmd.on("Wait", reply())
    for arguments, parameters in (([], {"idle": False}), (["--idle"], {"idle": True}),
                                  (["--module=x", "--timeout=2"], {"idle": False, "module": "x", "timeoutUSec": 2_000_000})):
        process = start(environment, "wait", "--device", name, *arguments, cwd=tmp_path)
        assert finish(process) == ("", "") and process.returncode == 0
        assert lkmd.calls[-1][1] == {**parameters, "device": CPU}


@pytest.mark.parametrize("name", ["/sys/devices/nothing", "/devices/nothing", "/sys", "/", "/etc", "nothing", "/sys/bus", "\udcff",
                                  "x" * 5000, "/a\nb\x1b"])
def test_wait_for_what_is_no_device(lkmd, ctl, name):
    done = ctl("wait", "--device", name, check=5)
    assert done.stderr.startswith("lkmctl: there is no device '") and "try: a path such as" in done.stderr
    assert "\x1b" not in done.stderr
    assert json.loads(ctl("wait", "--json", "--device", name, check=5).stdout)["error"] == "io.lkmd.Manager.NoSuchDevice"
    assert lkmd.calls == []


def test_wait_for_a_device_that_vanishes(lkmd, ctl):
    lkmd.on("Wait", error("NoSuchDevice", message="the device /devices/x is gone"))
    assert "the device /devices/x is gone" in ctl("wait", "--device", CPU, check=5).stderr


def test_wait_too_long(lkmd, ctl):
    lkmd.on("Wait", error("Timeout", message="not idle after 1 s"))
    assert "not idle after 1 s" in ctl("wait", "--timeout=1", check=1).stderr


def test_version(ctl):
    assert ctl("version", check=0).stdout == ctl("--version", check=0).stdout
    assert ctl("version", check=0).stdout.startswith("lkmctl ")
    assert "version" in json.loads(ctl("version", "--json", check=0).stdout)


# ---------------------------------------------------------------------------------------------- errors of lkmd

@pytest.mark.parametrize("name, fields, status, texts", [
    ("NoSuchModule", {"message": "there is no x", "hint": "lkmctl status"}, 5, ["there is no x", "try: lkmctl status"]),
    ("Denied", {"message": "x is denied", "module": "x", "file": "/etc/m.conf", "line": 3}, 3, ["x is denied", "/etc/m.conf:3"]),
    ("Denied", {"message": "denied by /etc/m.conf:3", "module": "x", "file": "/etc/m.conf", "line": 3}, 3, ["denied by /etc/m.conf:3"]),
    ("LoadFailed", {"message": "x failed", "module": "x", "errno": 2, "hint": "look", "kernelLog": ["x: Unknown symbol foo"],
                    "records": [PTP, FLOPPY]}, 1, ["x failed", "kernel: x: Unknown symbol foo", "ptp loaded in", "try: look"]),
    ("UnloadFailed", {"message": "x stays", "module": "x", "errno": 16}, 1, ["x stays"]),
    ("NotLoaded", {"message": "x is not loaded"}, 1, ["x is not loaded"]),
    ("BuiltIn", {"message": "x is built in"}, 1, ["x is built in"]),
    ("InUse", {"message": "x is used", "module": "x", "holders": ["a", "b"], "refCount": 2}, 1, ["x is used", "used by: a, b"]),
    ("UnknownParameter", {"message": "no such", "module": "x", "parameter": "p", "known": ["q", "r"]}, 1, ["known parameters: q, r"]),
    ("Timeout", {"message": "late"}, 1, ["late"]),
    ("BrandNew", {"message": "from the future"}, 1, ["from the future"]),
    ("BrandNew", {}, 1, ["io.lkmd.Manager.BrandNew"]),
    ("NoSuchModule", {}, 5, ["there is no such module or alias"]),
    ("org.varlink.service.PermissionDenied", {}, 1, ["only root and members of the group lkmd-admin", "sudo"]),
    ("org.varlink.service.MethodNotFound", {"method": "io.lkmd.Manager.Load"}, 1, ["older than lkmctl"]),
    ("org.varlink.service.InvalidParameter", {"parameter": "parameters"}, 1, ["'parameters'"]),
    ("org.varlink.service.InvalidParameter", {"parameter": "name"}, 5, ["no module or alias can have such a name"]),
    ("org.varlink.service.InvalidParameter", {"parameter": "device"}, 5, ["no device can have such a path", "try: a path such as"]),
    ("io.systemd.System", {"origin": "linux", "errno": 12}, 1, ["Cannot allocate memory"]),
    ("io.systemd.System", {"origin": "linux", "errno": 99999999}, 1, ["io.systemd.System"]),
])
def test_errors(lkmd, ctl, name, fields, status, texts):
    lkmd.on("Load", error(name, **fields))
    done = ctl("load", "x", check=status)
    assert done.stdout == "" and done.stderr.startswith("lkmctl: ")
    for text in texts:
        assert text in done.stderr, done.stderr
    assert done.stderr.count("/etc/m.conf:3") <= 1

    for mode in ("short", "pretty"):
        done = ctl("load", "x", "--json=" + mode, check=status)
        answer = json.loads(done.stdout)
        assert done.stderr == "" and answer["error"] == (name if "." in name else "io.lkmd.Manager." + name)
        assert answer["message"]
        assert {key: answer[key] for key in fields} == fields


def test_control_characters_do_not_reach_the_terminal(lkmd, ctl):
    bad = "a\x1b]0;owned\x07\n\x85b"
    evil = dict(E1000E, module=bad, message=bad, requester={"origin": bad, "key": bad}, outcome=bad, parent=bad, reason=bad, hint=bad)
    lkmd.on("Load", reply(records=[evil], omissions=[{"kind": bad, "module": bad, "file": bad, "wantedBy": bad}]))
    lkmd.on("Status", reply(**{**STATUS, "version": bad, "inCharge": bad, "kernelRelease": bad, "failures": [dict(evil, outcome="failed")],
                               "running": [evil], "problems": [{"file": bad, "message": bad}]}))
    lkmd.on("DescribeModule", reply(module={"name": bad, "state": bad, "path": bad, "loadedBy": evil, "holders": [bad]},
                                    dependencies=[bad], configuredParameters=bad, omissions=[{"kind": bad, "module": bad}], history=[evil]))
    lkmd.on("List", reply(modules=[{"name": bad, "state": bad, "holders": [bad], "loadedBy": evil}]))
    lkmd.on("Monitor", more(event={"kind": bad, "timeUSec": 1, "record": evil, "message": bad}), None)
    lkmd.on("Unload", error(bad + ".X", message=bad, hint=bad, holders=[bad], known=[bad], kernelLog=[bad], records=[evil], file=bad))
    lkmd.on("Reload", reply(problems=[{"file": bad, "message": bad}]))
    for arguments in (["load", "x"], ["status"], ["status", "x"], ["list"], ["monitor"], ["unload", "x"], ["reload"]):
        done = ctl(*arguments)
        assert done.returncode in (0, 1, 4), done
        for character in ("\x1b", "\x07", "\x85"):
            assert character not in done.stdout + done.stderr, arguments
        assert "\nb" not in done.stdout + done.stderr, arguments


# ------------------------------------------------------------------------------------------------- bad replies

@pytest.mark.parametrize("arguments, method", [(["load", "x"], "Load"), (["status"], "Status"), (["list"], "List"),
                                               (["status", "x"], "DescribeModule"), (["monitor"], "Monitor"), (["wait"], "Wait")])
@pytest.mark.parametrize("garbage, status, name", [
    (b"this is no JSON\0", 4, "Disconnected"),        # libsystemd drops the connection
    (b"\0", 4, "Disconnected"),
    (b"\xff\xfe\0", 4, "Disconnected"),
    (b"[1,2]\0", None, None),                         # likewise since systemd 260; before, lkmctl is told
    (b'{"parameters":{},"surprise":1}\0', 1, "BadReply"),
    (b'{"parameters":7}\0', 1, "BadReply"),
    (b'{"error":3}\0', 1, "BadReply"),
])
def test_garbage_from_the_daemon(lkmd, ctl, arguments, method, garbage, status, name):
    lkmd.on(method, garbage, None)
    if status is None:
        status, name = {1: (1, "BadReply"), 4: (4, "Disconnected")}[ctl(*arguments).returncode]
    assert ("makes no sense" if status == 1 else "connection to lkmd broke") in ctl(*arguments, check=status).stderr
    assert json.loads(ctl(*arguments, "--json", check=status).stdout)["error"] == "io.lkmd.Client." + name


@pytest.mark.parametrize("arguments, method", [(["status"], "Status"), (["list"], "List"), (["status", "x"], "DescribeModule")])
@pytest.mark.parametrize("fields", [{}, {"modules": 3, "module": "x", "version": []}])
def test_replies_that_lack_what_matters(lkmd, ctl, arguments, method, fields):
    lkmd.on(method, reply(**fields))
    ctl(*arguments, check=1)


def test_replies_with_fields_of_other_types(lkmd, ctl):
    """They count as absent."""
    lkmd.on("Status", reply(**{key: [value] if isinstance(value, dict) else {"x": 1} for key, value in STATUS.items()} | {"version": "1"}))
    ctl("status", check=0)
    lkmd.on("List", reply(modules=[3, None, {}, {"name": 1, "loadedBy": [], "holders": {}, "sizeBytes": -4}]))
    ctl("list", check=0)
    lkmd.on("Load", reply(records=[1, {}, None], omissions=["x", {}]))
    ctl("load", "x", check=0)
    lkmd.on("DescribeModule", reply(module={}, history=[1], dependencies="x", omissions=[[]]))
    ctl("status", "x", check=0)
    lkmd.on("Monitor", more(event={}), more(event={"kind": 1, "record": {}}), more(event=7), None)
    ctl("monitor", check=4)


@pytest.mark.parametrize("steps", [[None], [b'{"parameters":{"rec', None], [more(progress={}), None]])
def test_hanging_up_in_the_middle(lkmd, environment, steps):
    lkmd.on("Load", *steps)
    master, slave = pty.openpty()               # a terminal, so that it is a call with 'more'
    process = start(environment, "load", "x", stderr=slave)
    os.close(slave)
    seen = read_until(master, b"journalctl")
    finish(process)
    os.close(master)
    assert process.returncode == 4
    assert b"went away" in seen or b"connection to lkmd broke" in seen


# ------------------------------------------------------------------------------------------- no daemon to talk to

def test_no_socket(ctl, environment):
    done = ctl("status", check=4)
    assert "lkmd is not running" in done.stderr and "systemctl start lkmd" in done.stderr
    answer = json.loads(ctl("status", "--json=short", check=4).stdout)
    assert answer["error"] == "io.lkmd.Client.NotReachable" and answer["hint"] == "systemctl start lkmd"
    for arguments in (["list"], ["load", "x"], ["unload", "x", "y"], ["monitor"], ["reload"], ["wait"], ["status", "x"]):
        ctl(*arguments, check=4)


def test_nobody_listens(ctl, environment):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(environment["LKMD_SOCKET"])
    assert "nobody listens" in ctl("status", check=4).stderr


def test_not_a_socket(ctl, environment):
    Path(environment["LKMD_SOCKET"]).write_text("")
    ctl("status", check=4)


def test_no_room_in_the_queue(environment):
    """Others connect faster than lkmd takes them in: lkmctl waits until it is its turn."""
    with socket.socket(socket.AF_UNIX) as listening, contextlib.ExitStack() as others:
        listening.bind(environment["LKMD_SOCKET"])
        listening.listen(0)
        waiting = others.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(environment["LKMD_SOCKET"])
        with socket.socket(socket.AF_UNIX) as refused, pytest.raises(BlockingIOError):
            refused.setblocking(False)
            refused.connect(environment["LKMD_SOCKET"])
        process = start(environment, "status")
        others.enter_context(listening.accept()[0])
        here = others.enter_context(listening.accept()[0])
        here.sendall(b'{"error":"io.lkmd.Manager.TooManyClients","parameters":{"message":"no room","hint":"later"}}\0')
        here.close()                            # before it has asked
        _, told = finish(process)
    assert process.returncode == 4
    assert told == "lkmctl: no room\n  try: later\n"


def test_a_path_too_long_for_a_socket(ctl):
    ctl("status", check=4, LKMD_SOCKET="/tmp/" + "x" * 300)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_not_allowed_to_connect(lkmd, environment):
    os.chmod(lkmd.path, 0o600)
    for directory in (Path(lkmd.path).parent, *Path(lkmd.path).parent.parents):
        if directory == Path("/tmp"):
            break
        os.chmod(directory, 0o755)
    process = subprocess.Popen([LKMCTL, "status"], env=environment, user=65534, group=65534, extra_groups=[],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _, stderr = finish(process)
    assert process.returncode == 4 and "not allowed" in stderr and "sudo" in stderr


def test_closed_standard_streams(lkmd, environment):
    """No file descriptor of ours may become standard output by accident."""
    lkmd.on("Status", reply(**STATUS))
    done = subprocess.run(["sh", "-c", '"$0" status >&- 2>&- <&-', LKMCTL], env=environment, timeout=60)
    assert done.returncode == 0
    assert [call[0] for call in lkmd.calls] == ["Status"]


# -------------------------------------------------------------------------------------------------------- usage

@pytest.mark.parametrize("arguments, text", [
    (["laod", "x"], "there is no verb 'laod'"),
    (["statsu"], "there is no verb 'statsu'"),
    (["monitr"], "did you mean 'monitor'?"),
    (["load"], "lkmctl load MODULE [PARAM=VALUE...]"),
    (["unload"], "lkmctl unload MODULE..."),
    (["status", "a", "b"], "too many"),
    (["list", "a"], "too many"),
    (["--bogus"], "--bogus"),
    (["load", "--froce", "x"], "there is no option --froce, did you mean '--force'?"),
    (["wait", "--timeuot=3"], "did you mean '--timeout'?"),
    (["policy", "denz", "x"], "did you mean 'policy deny'?"),
    (["help", "laod"], "did you mean 'load'?"),
    (["-x"], "-x"),
    (["list", "-qx"], "-x"),
    (["--json=loud", "list"], "'short' or 'pretty'"),
    (["--quiet=yes", "list"], "--quiet takes no value"),
    (["wait", "--timeout"], "--timeout wants a value"),
    (["-H"], "-H wants a value"),
    (["wait", "--timeout", "soon"], "--timeout"),
    (["wait", "--timeout", "-1"], "--timeout"),
    (["wait", "--module", "a", "--module", "b"], "one module"),
    (["wait", "--device", "/a", "--device", "/b"], "one device"),
    (["wait", "--device", ""], "--device"),
    (["metrics", "x"], "too many"),
    (["metrics", "--output="], "--output"),
    (["status", "--output=x"], "'status' takes no --output, that is for: metrics"),
    (["list", "--device", "/sys/class/net/lo"], "'list' takes no --device, that is for: wait"),
    (["list", "--idle"], "'list' takes no --idle, that is for: wait"),
    (["reload", "--force"], "'reload' takes no --force, that is for: load, unload"),
    (["unload", "--force-vermagic", "x"], "'unload' takes no --force-vermagic, that is for: load"),
    (["help", "nothing"], "there is no verb 'nothing'"),
    (["a\x1b[31mb"], "a\\x1b[31mb"),
])
def test_usage(lkmd, ctl, arguments, text):
    done = ctl(*arguments, check=2)
    assert text in done.stderr and "lkmctl help" in done.stderr and done.stdout == ""
    assert lkmd.calls == []
    answer = json.loads(ctl("--json=short", *arguments, check=2).stdout)
    if "--json=loud" not in arguments:
        assert answer["error"] == "io.lkmd.Client.Usage"


def test_options_before_and_after_the_verb(lkmd, ctl):
    lkmd.on("List", reply(modules=MODULES))
    before = ctl("--json=short", "list", check=0).stdout
    assert before == ctl("list", "--json=short", check=0).stdout == ctl("list", "--json=short", check=0, POSIXLY_CORRECT="1").stdout
    lkmd.on("Load", reply())
    ctl("load", "--", "--json", "-q=1", check=0)
    assert lkmd.calls[-1][1] == {"name": "--json", "parameters": ["-q=1"]}


@pytest.mark.parametrize("arguments", [["load", b"x\xff"], ["status", b"\xc3"], ["unload", b"\xff\x1b"], ["wait", b"--module=\xff"]])
def test_names_that_are_no_utf8(lkmd, ctl, arguments):
    done = ctl(*arguments, check=5)
    assert "no module or alias can be called" in done.stderr and "\x1b" not in done.stderr
    assert json.loads(ctl(*arguments, "--json", check=5).stdout)["error"] == "io.lkmd.Manager.NoSuchModule"
    assert lkmd.calls == []


def test_parameters_that_are_no_utf8(lkmd, ctl):
    assert "cannot be sent" in ctl("load", "x", b"a=\xff", check=2).stderr
    assert lkmd.calls == []


def test_arguments_of_all_kinds_arrive_as_they_are(lkmd, ctl):
    lkmd.on("Load", error("NoSuchModule", message="no"))
    for name in ("usb:v1234\"'\\ \n\t$(reboot)", "x" * 4096, "ü", " ", ""):
        ctl("load", name, check=5)
        assert lkmd.calls[-1][1] == {"name": name}


# ------------------------------------------------------------------- help and man page know every verb

def table(ctl):
    return json.loads(ctl("help", "--json", check=0).stdout)


def test_help_lists_each_verb(ctl):
    overview = ctl("help", check=0).stdout
    assert overview == ctl("--help", check=0).stdout == ctl("-h", check=0).stdout
    verbs = table(ctl)
    assert {"load", "unload", "status", "list", "monitor", "reload", "wait", "help", "version"} <= {verb["name"] for verb in verbs}
    for verb in verbs:
        assert sum(line.startswith(f"  {verb['name']} ") for line in overview.splitlines()) == 1 + (verb["name"] == "policy") * (len(
            [v for v in verbs if v["name"].startswith("policy ")]))
        text = ctl("help", *verb["name"].split(), check=0).stdout
        assert text == ctl(*verb["name"].split(), "--help", check=0).stdout
        assert verb["summary"] in text
        assert json.loads(ctl("help", verb["name"], "--json", check=0).stdout) == verb
        for option in verb["options"]:
            assert "--" + option["name"] in text and ("--" + option["name"] in overview or not option["ofAllVerbs"])
    assert all(len(line) <= 80 for line in overview.splitlines())
    examples = [line for line in overview.splitlines() if line.startswith("  $ lkmctl ")]
    assert len(examples) == 6
    for example in examples:                    # of a verb that there is, with options that it has
        words = example.split("#")[0].split()[2:]
        name = " ".join(words[:2]) if words[0] == "policy" else words[0]
        verb, = (verb for verb in verbs if verb["name"] == name)
        assert {word for word in words if word.startswith("--")} <= {"--" + option["name"] for option in verb["options"]}


def test_man_page_knows_each_verb_and_option(ctl):
    man = (PROJECT / "man/lkmctl.1.scd").read_text()
    for verb in table(ctl):
        assert f"\n*{verb['name']}*" in man, verb
        for option in verb["options"]:
            assert f"*--{option['name']}*" in man, option
            if "letter" in option:
                assert f"*-{option['letter']}*" in man, option
