# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of lkmctl share: a server that plays lkmd, what it answers, lkmctl run beside it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from fake_lkmd import FakeLkmd

PROJECT = Path(__file__).resolve().parents[2]
LKMCTL = str(Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev")) / "src/cli/lkmctl")

CLIENT = {"origin": "client", "key": "e1000e", "pid": 4711, "uid": 0, "command": "lkmctl"}
DEVICE = {"origin": "device", "key": "usb:v0525pA4A5", "device": "/devices/pci0000:00/usb1/1-1/1-1:1.0", "subsystem": "usb"}
PTP = {"timeUSec": 1_700_000_000_000_000, "module": "ptp", "outcome": "loaded", "requester": CLIENT, "reason": "dependency",
       "parent": "e1000e", "durationUSec": 800}
E1000E = {"timeUSec": 1_700_000_000_100_000, "module": "e1000e", "outcome": "loaded", "requester": CLIENT, "reason": "requested",
          "durationUSec": 23_100}
FLOPPY = {"timeUSec": 1_700_000_000_200_000, "module": "floppy", "outcome": "failed", "requester": DEVICE, "reason": "requested",
          "durationUSec": 2_000, "errno": 19, "message": "floppy found no hardware", "hint": "dmesg | tail"}
BLACKLISTED = {"kind": "blacklisted", "module": "nouveau", "required": False, "file": "/etc/modprobe.d/no.conf", "line": 3}
PROBLEM = {"file": "/etc/lkmd/lkmd.conf", "line": 7, "message": "unknown key 'Foo'"}
COUNTERS = {"events": 5, "coalesced": 2, "lost": 0, "backedOff": 0, "rescans": 0, "coldplugDevices": 126, "lookups": 71, "requests": 60,
            "loads": 84, "unloads": 1, "joins": 3, "failures": 0, "keptOut": 0, "slow": 0, "queueHighWater": 12}
PHASES = [{"phase": "plan", "count": 3, "sumUSec": 1_001_234, "buckets": [{"leUSec": 100, "count": 1}, {"leUSec": 1_000_000, "count": 3}]},
          {"phase": "load", "count": 84, "sumUSec": 120_000_000, "buckets": [{"leUSec": 100, "count": 0}, {"leUSec": 1_000_000, "count": 83}]}]
STATUS = {"version": "0.1.0", "kernelRelease": "6.12.0-test", "moduleDirectory": "/lib/modules/6.12.0-test", "indexComplete": True,
          "modulesKnown": 4123, "aliasesKnown": 20554, "modulesLoaded": 126, "inCharge": "lkmd", "startedUSec": 1_700_000_000_000_000,
          "coldplugDone": True, "idle": True, "queued": 0, "running": [], "failures": [], "problems": [], "unwatched": [],
          "counters": COUNTERS,
          "phases": PHASES}
MODULES = [
    {"name": "e1000e", "state": "live", "path": "/lib/modules/6.12.0-test/e1000e.ko", "sizeBytes": 372736, "refCount": 0,
     "holders": [], "loadedBy": E1000E},
    {"name": "ptp", "state": "live", "sizeBytes": 40960, "refCount": 1, "holders": ["e1000e"], "loadedBy": PTP},
    {"name": "slow_one", "state": "coming"},
    {"name": "ext4", "state": "live", "sizeBytes": 1_258_291, "refCount": 2, "holders": []},
]
DESCRIPTION = {"module": MODULES[0], "dependencies": ["ptp", "pps_core"], "configuredParameters": "IntMode=1", "omissions": [BLACKLISTED],
               "blacklist": dict(BLACKLISTED, module="e1000e"), "history": [E1000E, dict(FLOPPY, module="e1000e")]}
EVENTS = [
    {"kind": "device", "timeUSec": 1_700_000_000_000_000, "requester": DEVICE, "matches": ["usb_storage", "uas"]},
    {"kind": "device", "timeUSec": 1_700_000_000_000_001, "requester": DEVICE, "matches": []},
    {"kind": "verdict", "timeUSec": 1_700_000_000_000_002, "requester": DEVICE, "omission": BLACKLISTED},
    {"kind": "started", "timeUSec": 1_700_000_000_000_003, "record": {"timeUSec": 1, "module": "e1000e", "requester": CLIENT, "parameters": "a=1"}},
    {"kind": "slow", "timeUSec": 1_700_000_000_000_004, "record": {"timeUSec": 1, "module": "e1000e", "requester": CLIENT, "durationUSec": 9_000_000,
                                                                     "threadId": 4711, "kernelStack": ["msleep+0x2d/0x40", "do_one_initcall"]}},
    {"kind": "finished", "timeUSec": 1_700_000_000_000_005, "record": E1000E},
    {"kind": "finished", "timeUSec": 1_700_000_000_000_006, "record": FLOPPY},
    {"kind": "finished", "timeUSec": 1_700_000_000_000_007, "record": dict(E1000E, outcome="unloaded")},
    {"kind": "rescan", "timeUSec": 1_700_000_000_000_008, "message": "events were lost"},
    {"kind": "reloaded", "timeUSec": 1_700_000_000_000_009, "message": "4123 modules"},
    {"kind": "problem", "timeUSec": 1_700_000_000_000_010, "problem": PROBLEM},
    {"kind": "noisy", "timeUSec": 1_700_000_000_000_011, "message": "/devices/usb1 announces itself again and again"},
    {"kind": "charge", "timeUSec": 1_700_000_000_000_012, "message": "lkmd steps back"},
    {"kind": "foreign_denied", "timeUSec": 1_700_000_000_000_012, "message": "x25 is in the kernel, though /etc/x.yaml:3 denies it"},
    {"kind": "finished", "timeUSec": 1_700_000_000_000_012,
     "record": {"timeUSec": 1, "module": "x25", "outcome": "loaded", "reason": "requested",
                "requester": {"origin": "foreign", "key": "x25", "command": "insmod", "pid": 4711, "uid": 0}}},
    {"kind": "would_refuse", "timeUSec": 1_700_000_000_000_013, "requester": DEVICE,
     "omission": {"kind": "denied", "module": "uas", "required": True, "source": "rule", "file": "/etc/x.yaml", "line": 3, "reason": "why"}},
    {"kind": "gate_refused", "timeUSec": 1_700_000_000_000_014, "requester": dict(CLIENT, origin="kernel", key="net-pf-38"),
     "message": "refused in the kernel to python3"},
    {"kind": "from_the_future", "timeUSec": 1_700_000_000_000_012},
]


@pytest.fixture
def lkmd(tmp_path):
    server = FakeLkmd(tmp_path / "lkmd.socket")
    yield server
    server.close()


@pytest.fixture
def environment(tmp_path):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm", "LKMD_PAGER": "",
            "LKMD_SOCKET": str(tmp_path / "lkmd.socket"), "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1"}


@pytest.fixture
def ctl(environment):
    """Runs lkmctl; the answer has stdout, stderr and returncode."""
    def run(*arguments, check=None, stdin="", **variables):
        done = subprocess.run([LKMCTL, *arguments], env={**environment, **variables}, input=stdin,
                              capture_output=True, text=True, errors="surrogateescape", timeout=60)
        if check is not None:
            assert done.returncode == check, done
        return done
    return run


def start(environment, *arguments, **how):
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how}
    return subprocess.Popen([LKMCTL, *arguments], env=environment, stdin=subprocess.DEVNULL, **how)


def finish(process):
    try:
        return process.communicate(timeout=60)
    finally:
        process.kill()


def on_terminal(environment, *words, columns=80):
    """What a terminal of this width without colours shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = start({**environment, "NO_COLOR": "1", "LKMD_PAGER": ""}, *words, stdout=slave)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:                             # its end
        pass
    finish(process)
    os.close(master)
    assert b"\x1b" not in text
    return text.decode().replace("\r", "")


def read_until(fd, pattern):
    seen = b""
    while not re.search(pattern, seen):
        chunk = os.read(fd, 4096)
        assert chunk, seen
        seen += chunk
    return seen
