# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl why: the chain from whoever wanted a module, for every origin, and what is not known of it."""

import json
import os
import pty
import re
import fcntl
import struct
import subprocess
import termios

import pytest

from fake_lkmd import error, reply
from lkmctl_bench import CLIENT, DEVICE, E1000E, FLOPPY, LKMCTL, PTP, ctl, environment, lkmd

T = {"queuedUSec": 12_000_000, "beganUSec": 12_000_500, "endedUSec": 12_023_600}
PROCESS = {"pid": 4711, "uid": 65534, "loginUid": 1000, "command": "python3", "executable": "/usr/bin/python3.13", "unit": "web.service",
           "container": "c1"}
KERNEL = {"origin": "kernel", "key": "net-pf-2-proto-132", **PROCESS}
RULE = {"source": "rule", "rule": "web", "file": "/etc/lkmd/policy.d/10-web.yaml", "line": 4, "column": 5}


def record(module="sctp", requester=KERNEL, **changes):
    fields = {"timeUSec": 1_700_000_000_000_000, "module": module, "outcome": "loaded", "requester": requester, "reason": "requested",
              "durationUSec": 23_100, **T, **changes}
    return {key: value for key, value in fields.items() if value is not None}


@pytest.fixture
def tell(lkmd):
    """What lkmd is to say: the state of the module and the records, by which it answers."""
    def tell(module, *records, state="live", complete=True, gone=(), **more_fields):
        lkmd.on("DescribeModule", reply(module={"name": module, "state": state, **more_fields}, dependencies=[], omissions=[], history=[]))
        entries = [{"id": i + 1, "gone": i in gone, "record": r} for i, r in enumerate(records)]
        lkmd.on("History", lambda parameters: reply(complete=complete, entries=[
            e for e in entries if parameters["module"] in (e["record"]["module"], e["record"].get("fileModule"))]))
    return tell


def rows(done):
    """The tree, without its lines and with single blanks."""
    lines = done.stdout.split("\n\n")[1].splitlines()[1:]
    return [" ".join(line.replace("└─", " ").split()) for line in lines]


@pytest.mark.parametrize("requester,row", [
    (KERNEL, "python3 the kernel asked on its behalf: python3 (pid 4711, uid 65534, logged in as uid 1000, web.service, container c1, "
             "/usr/bin/python3.13)"),
    ({**KERNEL, "inferred": True}, "/usr/bin/python3.13), it seems"),
    ({"origin": "kernel", "key": "x"}, "a process the kernel asked on its behalf: a process that is not known"),
    ({**CLIENT, "key": "sctp"}, "lkmctl it asked lkmd: lkmctl (pid 4711, uid 0)"),
    ({"origin": "boot", "key": "sctp"}, "boot listed to be loaded at boot, see modules-load.d(5)"),
    ({"origin": "boot", "key": "sctp", "file": "/etc/modules-load.d/net.conf", "line": 3}, "boot listed in /etc/modules-load.d/net.conf:3"),
    ({"origin": "boot", "key": "sctp", "file": "/proc/cmdline"}, "boot listed by modules_load= on the kernel command line"),
    ({"origin": "foreign", "key": "sctp", "command": "insmod", "pid": 7, "uid": 0}, "insmod it loaded without lkmd: insmod (pid 7, uid 0)"),
    ({"origin": "initramfs", "key": "sctp"}, "initramfs it was there before lkmd and udev had started"),
    (DEVICE, "device 1-1:1.0 /sys/devices/pci0000:00/usb1/1-1/1-1:1.0"),
    ({"origin": "moon", "key": "sctp"}, "moon"),
])
def test_who_wanted_it(tell, ctl, requester, row):
    tell("sctp", record(requester=requester))
    found = rows(ctl("why", "sctp", check=0))
    assert found[0].endswith(row), found
    assert found[1].startswith("sctp ") and len(found) == 2


def test_before_lkmd(tell, ctl):
    tell("sctp", record(requester={"origin": "boot", "key": "sctp"}, durationUSec=None, **dict.fromkeys(T)))
    done = ctl("why", "sctp", check=0)
    assert rows(done)[0] == "boot it was there before lkmd started, and who loaded it is not known"
    assert re.search(r"Loaded: before 2023-11-14 22:13:20 \(\d+ d ago\)\n", done.stdout) and "Took" not in done.stdout


def test_a_dependency_of_a_softdep(tell, ctl, lkmd):
    card = {"origin": "device", "key": "pci:v1", "device": "/devices/none/0000:00:02.0", "subsystem": "pci"}
    tell("pps_core", record("pps_core", card, reason="dependency", parent="ptp"), record("ptp", card, reason="softdep_pre", parent="e1000e"),
         record("e1000e", card, allowedBy=RULE), holders=["ptp"])
    done = ctl("why", "pps_core", check=0)
    assert rows(done) == ["device 0000:00:02.0 /sys/devices/none/0000:00:02.0",
                          "e1000e as pci:v1, allowed by rule web, /etc/lkmd/policy.d/10-web.yaml:4:5",
                          "ptp wanted before e1000e (softdep)", "pps_core needed by ptp (modules.dep)"]
    assert [call[1] for call in lkmd.calls[1:]] == [{"module": "pps_core"}, {"module": "ptp"}, {"module": "e1000e"}]
    assert "Used by: ptp\n" in done.stdout
    cause = json.loads(ctl("why", "pps_core", "--json", check=0).stdout)["cause"]
    assert cause["module"] == "pps_core" and cause["wantedBy"]["module"] == "ptp" and cause["wantedBy"]["wantedBy"]["module"] == "e1000e"
    assert cause["wantedBy"]["wantedBy"]["wantedBy"] == {"requester": card}
    assert cause["wantedBy"]["record"]["reason"] == "softdep_pre"


def test_after_a_parent_that_was_there(tell, ctl):
    """The request of the child brought the parent, which failed first; and a parent of another request."""
    tell("b", record("a", CLIENT, timeUSec=1), record("a", DEVICE, timeUSec=2, outcome="failed"),
         record("b", DEVICE, reason="softdep_post", parent="a"))
    assert rows(ctl("why", "b", check=0))[2] == "b wanted after a (softdep)"
    tell("b", record("a", CLIENT, timeUSec=1), record("b", DEVICE, reason="softdep_post", parent="a"))
    assert rows(ctl("why", "b", check=0))[0].startswith("lkmctl it asked lkmd")


@pytest.mark.parametrize("records,last", [
    ([record("b", DEVICE, reason="dependency", parent="a")], "a its record is not kept any more"),
    ([record("b", DEVICE, reason="dependency", parent="a"), record("a", DEVICE, reason="dependency", parent="b")], "a needed by b (modules.dep)"),
    ([record("b", DEVICE, reason="dependency", parent="b")], "b needed by b (modules.dep)"),
])
def test_chains_that_have_no_end(tell, ctl, records, last):
    tell("b", *records)
    assert rows(ctl("why", "b", check=0))[1] == last


def test_a_request_within_a_load(tell, ctl):
    tell("inner", record("inner", {**KERNEL, "command": "modprobe", "chain": [{"command": "ip", "pid": 2, "uid": 0}, {"command": "init", "pid": 1, "uid": 0}]}))
    found = rows(ctl("why", "inner", check=0))
    assert found[0].startswith("init a module was loaded for it, and the kernel asked for more: init (pid 1, uid 0)")
    assert found[1].startswith("ip a module was loaded") and found[2].startswith("modprobe the kernel asked") and found[3].startswith("inner as net-pf")


def test_when_and_how_long(tell, ctl):
    tell("sctp", record(liveUSec=20_000, parameters="a=1"))
    out = ctl("why", "sctp", check=0).stdout
    assert re.search(r"Loaded: 2023-11-14 22:13:20 \(\d+ d ago\), 12\.0 s after the machine had started\n", out)
    assert "Took: 0.50 ms in the queue, 23.1 ms in the kernel, usable after 20.0 ms\n" in out and "Parameters: a=1\n" in out


def test_what_it_serves(tell, ctl):
    later = [record(outcome="already_loaded", requester=CLIENT, timeUSec=1_700_000_001_000_000 + i) for i in range(10)]
    tell("sctp", record(outcome="failed", timeUSec=1), record(), *later, record(outcome="unloaded", reason=None, timeUSec=2, requester=CLIENT))
    out = ctl("why", "sctp", check=0).stdout
    assert out.count("asked for by lkmctl (pid 4711, uid 0)") == 8 and "and 2 more" in out
    answer = json.loads(ctl("why", "sctp", "--json=short", check=0).stdout)
    assert len(answer["later"]) == 10 and len(answer["history"]) == 13 and answer["state"] == "live" and answer["complete"]


def test_the_latest_load_counts(tell, ctl):
    tell("sctp", record(requester=CLIENT), record(outcome="unloaded", reason=None), record(requester={"origin": "boot", "key": "sctp"}), gone=[0])
    assert rows(ctl("why", "sctp", check=0))[0].startswith("boot listed")


def test_nothing_is_known(tell, ctl):
    tell("sctp")
    assert "lkmd has not seen how" in ctl("why", "sctp", check=0).stdout
    tell("sctp", complete=False)
    assert "LedgerEntries=" in ctl("why", "sctp", check=0).stdout
    assert "cause" not in json.loads(ctl("why", "sctp", "--json", check=0).stdout)


@pytest.mark.parametrize("state,words,next_command", [
    ("not_loaded", "not loaded\n", "lkmctl why-not floppy"), ("queued", "waiting for its turn", "lkmctl wait --module floppy"),
    ("built_in", "part of the kernel image, so nothing loaded it", None), ("coming", "its init is running", None),
])
def test_states(tell, ctl, state, words, next_command):
    tell("floppy", FLOPPY, state=state)
    out = ctl("why", "floppy", check=0).stdout
    assert words in out and (f"Next: {next_command}\n" in out if next_command else "Next" not in out)
    if state == "not_loaded":
        assert "History: 2023-11-14 22:13:20  failed after 2.0 ms: floppy found no hardware, for device" in out
    assert json.loads(ctl("why", "floppy", "--json", check=0).stdout)["state"] == state


def test_never_asked_for(tell, ctl):
    tell("floppy", state="not_loaded")
    assert "nobody has asked for it in this boot" in ctl("why", "floppy", check=0).stdout
    tell("floppy", state="not_loaded", complete=False)
    assert "nothing is kept about it" in ctl("why", "floppy", check=0).stdout


def test_unknown(lkmd, ctl):
    lkmd.on("DescribeModule", error("NoSuchModule", message="there is no module zzz"))
    assert "there is no module zzz" in ctl("why", "zzz", check=5).stderr


@pytest.mark.parametrize("answer", [{}, {"module": {}}, {"module": {"name": "x"}}, {"module": {"name": 3, "state": "live"}}])
def test_answers_that_are_none(lkmd, ctl, answer):
    lkmd.on("DescribeModule", reply(**answer))
    ctl("why", "x", check=1)


@pytest.mark.parametrize("strange", [{"module": "x"}, {"module": "x", "reason": "requested", "outcome": "loaded"},
                                     {"module": "x", "reason": 3, "outcome": "loaded", "requester": []},
                                     {"module": "x", "reason": "?", "outcome": "loaded", "parent": "y\x1b[2J", "requester": {"origin": "device"}}])
def test_strange_records(tell, ctl, strange):
    tell("x", strange)
    assert "\x1b" not in ctl("why", "x", check=0).stdout
    ctl("why", "x", "--json", check=0)


def test_errors_in_the_middle(tell, lkmd, ctl):
    tell("sctp", record())
    lkmd.on("History", None)
    assert "lkmctl" in ctl("why", "sctp", check=4).stderr
    lkmd.on("History", error("PermissionDenied", message="no"))
    assert ctl("why", "sctp").returncode in (1, 3)


def test_devices_of_this_machine(tell, ctl):
    """Devices of a driver that is there, whatever it is, are shown; of a module that is not there, none."""
    tell("no_such_module_at_all", record("no_such_module_at_all"))
    assert json.loads(ctl("why", "no_such_module_at_all", "--json", check=0).stdout)["devices"] == []


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_widths(tell, environment, columns):
    card = {"origin": "device", "key": "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00", "subsystem": "pci",
            "device": "/devices/pci0000:00/0000:00:1c.4/0000:02:00.0"}
    tell("ptp", record("ptp", card, reason="dependency", parent="e1000e"), record("e1000e", card, allowedBy=RULE))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    done = subprocess.run([LKMCTL, "why", "ptp"], env={**environment, "NO_COLOR": "1"}, stdout=slave, stdin=slave, timeout=60, check=False)
    os.close(slave)
    out = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0
    assert max(map(len, out.split("\r\n\r\n")[1].split("\r\n"))) <= columns, out
    assert "\x1b" not in out and "needed by e1000e" in " ".join(out.split())


def test_quiet(tell, ctl):
    tell("sctp", record())
    assert ctl("why", "sctp", "--quiet", check=0).stdout == ""


@pytest.mark.parametrize("words", [["why"], ["why", "a", "b"], ["why", "a", "--root=/"]])
def test_usage(ctl, words):
    ctl(*words, check=2)
