# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl notify: what a desktop is told, on a session bus of the test with a service that prints it, and what a terminal shows."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import FakeLkmd, error, more
from lkmctl_bench import BLACKLISTED, DEVICE, E1000E, LKMCTL, PROJECT, ctl, environment, lkmd, start

FAKE_DESKTOP = Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev")) / "tests/integration/fake-desktop"
TIME = 1_700_000_000_000_000
PYTHON = {"origin": "kernel", "key": "net-pf-9", "command": "python3", "uid": 1000, "pid": 7, "unit": "user@1000.service"}
RULE = {"source": "rule", "file": "/etc/lkmd/policy.d/10.yaml", "line": 3, "column": 5, "rule": "no", "reason": "not <b>here</b> & now"}


def verdict(module, requester, kind="verdict", **more_of_it):
    return {"kind": kind, "timeUSec": TIME, "requester": requester,
            "omission": {"kind": "denied", "module": module, "required": True, **RULE, **more_of_it}}


STICK = verdict("usb_storage", DEVICE)
SOCKET = verdict("x25", PYTHON)
NO_NOTICES = [
    {"kind": "device", "timeUSec": TIME, "requester": DEVICE, "matches": []},
    {"kind": "finished", "timeUSec": TIME, "record": E1000E},
    {"kind": "verdict", "timeUSec": TIME, "requester": DEVICE, "omission": BLACKLISTED},
    verdict("uas", DEVICE, kind="would_refuse"),
    dict(verdict("uas", DEVICE), omission={"kind": "impossible", "module": "uas", "required": True, **RULE}),
    {"kind": "verdict", "timeUSec": TIME},
    {"kind": "verdict", "timeUSec": TIME, "omission": 7, "requester": "x"},
    {"kind": 7},
    {"kind": "from_the_future", "timeUSec": TIME},
]


def events(*list_of_them):
    return [more(), *(more(event=event) for event in list_of_them)]


@pytest.fixture
def bus(environment, tmp_path):
    """A session bus; its address is in the environment of lkmctl."""
    address = f"unix:path={tmp_path}/bus"
    process = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}", "--print-address"],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    yield process
    process.terminate()
    process.wait(60)
    process.stdout.close()


class Desktop:
    def __init__(self, environment, *capabilities):
        self.process = subprocess.Popen([FAKE_DESKTOP, *capabilities], env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def notice(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.terminate()
        rest = self.process.stdout.read()
        self.process.stdout.close()
        assert self.process.wait(60) == 0
        return rest


def stop(process, expected=0):
    """What it printed."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == expected, err
    return out, err


# -------------------------------------------------------------------------------------------------------- desktops

@pytest.mark.parametrize("markup", [True, False])
def test_each_refusal_once_with_the_command_that_allows_it(bus, environment, lkmd, markup):
    again = [dict(SOCKET, requester=dict(PYTHON, pid=8)), STICK]
    end = threading.Event()
    lkmd.on("Monitor", *events(*NO_NOTICES, STICK, SOCKET, *again, verdict("dccp", DEVICE)), end)
    desktop = Desktop(environment, *(["body-markup"] if markup else []))
    process = start(environment, "notify")
    notices = [desktop.notice() for _ in range(3)]
    stop(process)
    end.set()
    assert desktop.close() == ""
    assert [notice["summary"] for notice in notices] == ["usb_storage was refused", "x25 was refused", "dccp was refused"]
    reason = "not &lt;b&gt;here&lt;/b&gt; &amp; now" if markup else "not <b>here</b> & now"
    assert f"for device {DEVICE['device']} ({DEVICE['key']}): denied by /etc/lkmd/policy.d/10.yaml:3:5: {reason}" in notices[0]["body"]
    assert "python3 (pid 7, uid 1000, user@1000.service), as net-pf-9: denied" in notices[1]["body"]
    assert notices[0]["app"] == "lkmd" and notices[0]["hints"] == {"urgency": 2, "category": "device.error"}


def test_the_command_is_one(bus, environment, lkmd, ctl):
    """It can be typed as it is shown, whatever the names of programs are."""
    evil = dict(PYTHON, command="a'; rm -rf \"$HOME\" `x` <b>&\x1b[31m")
    end = threading.Event()
    lkmd.on("Monitor", *events(verdict("x25", evil)), end)
    desktop = Desktop(environment)
    process = start(environment, "notify")
    body = desktop.notice()["body"]
    stop(process)
    end.set()
    desktop.close()
    command = body.split("\nTo allow it: ")[1]
    words = shlex.split(command)
    assert words[:5] == ["lkmctl", "policy", "allow", "x25", "--for=10min"]
    assert words[5] == "--reason=needed by a'; rm -rf \"$HOME\" `x` <b>&\\x1b[31m" and len(words) == 6
    assert "\x1b" not in body
    assert subprocess.run(["sh", "-c", f"set -- {command}; shift 5; printf %s \"$1\""], capture_output=True, text=True,
                          check=True).stdout == words[5]
    lkmd.on("Grant", {"parameters": {"grant": {"id": "grant-1", "module": "x25", "verdict": "allow", "reason": "x", "once": False}}})
    ctl(*words[1:], check=0)
    assert lkmd.calls[-1][1] == {"module": "x25", "verdict": "allow", "forUSec": 600_000_000, "reason": words[5].removeprefix("--reason=")}


def test_lkmd_comes_and_goes(bus, environment, lkmd):
    """What was told before is not told again."""
    lkmd.on("Monitor", *events(STICK), None)
    desktop = Desktop(environment)
    process = start(environment, "notify")
    assert desktop.notice()["summary"] == "usb_storage was refused"
    assert "lkmd does not answer; notices go on when it does" in process.stderr.readline()
    path = lkmd.path
    lkmd.close()
    os.unlink(path)
    other = FakeLkmd(path)
    end = threading.Event()
    other.on("Monitor", *events(STICK, SOCKET), end)
    assert desktop.notice()["summary"] == "x25 was refused"
    stop(process)
    end.set()
    other.close()
    desktop.close()


def test_too_many_clients_is_waited_out(bus, environment, lkmd):
    answers = iter([error("TooManyClients"), more()])
    end = threading.Event()
    lkmd.on("Monitor", lambda _: next(answers), lambda _: more(event=STICK), end)
    desktop = Desktop(environment)
    process = start(environment, "notify")
    assert desktop.notice()["summary"] == "usb_storage was refused"
    stop(process)
    end.set()
    desktop.close()


def test_without_a_service_it_says_so_once_and_prints(bus, environment, lkmd):
    go_on, end = threading.Event(), threading.Event()
    lkmd.on("Monitor", *events(STICK, SOCKET), go_on, more(event=verdict("dccp", DEVICE)), end)
    process = start(environment, "notify")
    text = "".join(process.stderr.readline() for _ in range(7))
    assert text.count("nobody answers for org.freedesktop.Notifications") == 1
    assert text.count("was refused") == 2 and text.count("To allow it: lkmctl policy allow") == 2
    desktop = Desktop(environment)
    go_on.set()
    assert desktop.notice()["summary"] == "dccp was refused"
    stop(process)
    end.set()
    desktop.close()


def test_a_service_that_fails(bus, environment, lkmd):
    end = threading.Event()
    lkmd.on("Monitor", *events(STICK), end)
    desktop = Desktop(environment, "mute")
    process = start(environment, "notify")
    assert "org.freedesktop.Notifications" in process.stderr.readline()
    assert "usb_storage was refused" in process.stderr.readline()
    stop(process)
    end.set()
    desktop.close()


def test_the_session_ends(bus, environment, lkmd):
    gone, end = threading.Event(), threading.Event()
    lkmd.on("Monitor", *events(STICK), gone, more(event=SOCKET), end)
    desktop = Desktop(environment)
    process = start(environment, "notify")
    desktop.notice()
    bus.terminate()
    bus.wait(60)
    gone.set()
    _, err = process.communicate(timeout=60)
    end.set()
    assert process.returncode == 1 and "the bus of this session is gone" in err
    desktop.process.kill()
    desktop.process.wait(60)
    desktop.process.stdout.close()


def test_without_a_session_bus(environment, lkmd, ctl):
    done = ctl("notify", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent", check=1)
    assert "there is no session bus" in done.stderr and "lkmctl notify --terminal" in done.stderr
    assert lkmd.calls == []


# ------------------------------------------------------------------------------------------------------- terminals

def test_in_a_terminal(environment, lkmd):
    foreign = {"kind": "foreign_denied", "timeUSec": TIME, "message": "x25 is in the kernel, though /etc/x.yaml:3 denies it"}
    gate = {"kind": "gate_refused", "timeUSec": TIME, "requester": dict(PYTHON, key="net-pf-38"), "message": "refused in the kernel to python3"}
    line = verdict("floppy", PYTHON, source="command_line", file="/proc/cmdline", line=None, column=None, reason=None, rule=None)
    end = threading.Event()
    lkmd.on("Monitor", *events(*NO_NOTICES, STICK, foreign, gate, STICK, gate, line), end)
    process = start(environment, "notify", "--terminal")
    text = "".join(process.stdout.readline() for _ in range(9))
    assert text == (
        "22:13:20.000  usb_storage was refused\n"
        f"              for device {DEVICE['device']} ({DEVICE['key']}): denied by /etc/lkmd/policy.d/10.yaml:3:5: not <b>here</b> & now\n"
        "              To allow it: lkmctl policy allow usb_storage --for=10min '--reason=needed for device 1-1:1.0'\n"
        "22:13:20.000  A denied module was loaded without lkmd\n"
        "              x25 is in the kernel, though /etc/x.yaml:3 denies it\n"
        "22:13:20.000  net-pf-38 was refused\n"
        "              refused in the kernel to python3\n"
        "22:13:20.000  floppy was refused\n"
        "              asked for by the kernel on behalf of python3 (pid 7, uid 1000, user@1000.service), as net-pf-9: denied by /proc/cmdline\n")
    assert stop(process)[0] == ""                   # and no command for the last one: no grant would change it
    end.set()


def test_audit_is_told_if_asked_for(environment, lkmd):
    end = threading.Event()
    lkmd.on("Monitor", *events(verdict("uas", DEVICE, kind="would_refuse"), verdict("uas", DEVICE)), end)
    process = start(environment, "notify", "--terminal", "--audit", "--json=short")
    notices = [json.loads(process.stdout.readline()) for _ in range(2)]
    stop(process)
    end.set()
    assert [notice["summary"] for notice in notices] == ["uas would be refused, but the rule is in audit mode", "uas was refused"]
    assert notices[1]["event"]["omission"]["rule"] == "no" and notices[1]["command"].startswith("lkmctl policy allow uas ")


def test_a_flood(environment, lkmd):
    """Some at once; the rest is counted."""
    end = threading.Event()
    lkmd.on("Monitor", *events(*(verdict(f"module{i}", PYTHON) for i in range(300)), *NO_NOTICES), end)
    process = start(environment, "notify", "--terminal", "--json=short")
    lines = [process.stdout.readline() for _ in range(5)]
    assert [json.loads(line)["summary"] for line in lines] == [f"module{i} was refused" for i in range(5)]
    stop(process)
    end.set()


@pytest.mark.parametrize("words, says", [(["notify", "x"], "too many arguments"), (["notify", "--follow"], "'notify' takes no --follow"),
                                         (["list", "--terminal"], "'list' takes no --terminal")])
def test_usage(ctl, words, says):
    assert says in ctl(*words, check=2).stderr


def test_an_error_of_lkmd(environment, lkmd, ctl):
    lkmd.on("Monitor", error("org.varlink.service.PermissionDenied"))
    assert "only root and members" in ctl("notify", "--terminal", check=1).stderr
