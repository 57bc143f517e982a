# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl status against a server that plays lkmd: the first line, the last line, what is between, and all about a module."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import more, reply
from lkmctl_bench import COUNTERS, DESCRIPTION, DEVICE, FLOPPY, PROBLEM, STATUS, ctl, environment, lkmd


def test_status_of_a_healthy_daemon(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    out = ctl("status", check=0).stdout
    for text in ("lkmd: 0.1.0", "6.12.0-test", "4123 modules, 20554 aliases", "126 devices", "idle", "lkmd loads drivers", "none failed"):
        assert text in out
    assert "Next:" not in out and "Broken" not in out and "failures" not in out
    assert ctl(check=0).stdout.splitlines()[2:] == out.splitlines()[2:]


def test_status_shows_trouble_and_what_to_do(lkmd, ctl):
    lkmd.on("Status", reply(**{**STATUS, "failures": [FLOPPY], "problems": [PROBLEM], "idle": False, "queued": 3,
                               "running": [{"timeUSec": 1, "module": "slow_one", "requester": DEVICE, "durationUSec": 12_300_000}]}))
    out = ctl("status", check=0).stdout
    for text in ("slow_one  for 12.3 s, for device /devices/pci0000:00/usb1", "floppy found no hardware", "try: dmesg | tail",
                 "/etc/lkmd/lkmd.conf:7: unknown key 'Foo'", "1 running, 3 waiting", "Next: lkmctl status floppy"):
        assert text in out, out


WAITING = {"name": "nvidia_uvm", "module": "nvidia_uvm", "file": "/etc/modules-load.d/gpu.conf", "line": 2, "sinceUSec": 1_700_000_000_000_000}
AFTER_UDEV = {"devices": "pci devices", "file": "/etc/udev/rules.d/61-x.rules", "line": 3, "reason": "sets driver_override"}


@pytest.mark.parametrize("change, text", [
    ({"indexComplete": False}, "Next: depmod 6.12.0-test"),
    ({"problems": [PROBLEM]}, "lkmctl reload"),
    ({"inCharge": "lkmd_and_udev"}, "udev both load drivers"),
    ({"inCharge": "udev", "steppedBack": "lkmd-loader does not answer", "steppedBackRemedy": "wake it"},
     "not lkmd: lkmd-loader does not answer; udev loads drivers\n"),
    ({"inCharge": "udev", "steppedBack": "x", "steppedBackRemedy": "wake it"}, "Next: wake it\n"),
    ({"inCharge": "udev", "ownUdevRule": "/etc/udev/rules.d/80-drivers.rules"},
     "not lkmd: udev does what the administrator's own /etc/udev/rules.d/80-drivers.rules says\n"),
    ({"inCharge": "udev", "ownUdevRule": "/run/x"}, "Next: to have lkmd load drivers, say the same in policy.d (lkmd-policy(5)), then rm /run/x\n"),
    ({"inCharge": "udev", "ownUdevRule": "/run/x", "steppedBack": "x", "steppedBackRemedy": "wake it"}, "not lkmd: x; udev loads drivers\n"),
    ({"afterUdev": [AFTER_UDEV]}, "  After udev: drivers of pci devices: /etc/udev/rules.d/61-x.rules:3 sets driver_override\n"),
    ({"afterUdev": [dict(AFTER_UDEV, line=0, reason="cannot be read")]}, "61-x.rules cannot be read\n"),
    ({"afterUdev": [AFTER_UDEV] * 7}, "\n              and 2 more rules; lkmctl --json=pretty status has them\n"),
    ({"afterUdev": [AFTER_UDEV], "waitingForUdev": 1}, "\n              1 device is waiting for udev now\n"),
    ({"afterUdev": [AFTER_UDEV], "waitingForUdev": 12}, "\n              12 devices are waiting for udev now\n"),
    ({"waitingForDevice": [WAITING]}, "\nListed for the boot, and waiting for a device\n  nvidia_uvm  for "),
    ({"waitingForDevice": [WAITING]}, ", listed in /etc/modules-load.d/gpu.conf:2\n"),
    ({"waitingForDevice": [dict(WAITING, name="pci:x")]}, "  pci:x (nvidia_uvm)  for "),
    ({"waitingForDevice": [dict(WAITING, file="/proc/cmdline", line=0)]}, ", listed by modules_load= on the kernel command line\n"),
    ({"inCharge": "nobody_knows"}, "nobody_knows"),
    ({"kernelProgram": "/usr/lib/lkmd/lkmd-request", "kernelAsksLkmd": True}, "  Kernel: 6.12.0-test, asks lkmd for what it needs itself\n"),
    ({"kernelProgram": "", "kernelAsksLkmd": False}, "asks for no modules itself: the sysctl kernel.modprobe is empty\n"),
    ({"kernelProgram": "/sbin/modprobe", "kernelAsksLkmd": False}, "does not ask lkmd for the modules that it needs itself, but /sbin/modprobe (kernel.modprobe)\n"),
    ({"idle": False, "queued": 1}, "Next: lkmctl monitor"),
    ({"failures": [FLOPPY] * 9}, "and 4 more"),
    ({"problems": [PROBLEM] * 12}, "and 2 more"),
    ({"unwatched": [PROBLEM]}, "Not watched for changes\n  /etc/lkmd/lkmd.conf:7: unknown"),
])
def test_status_names_the_next_command(lkmd, ctl, change, text):
    lkmd.on("Status", reply(**{**STATUS, **change}))
    assert text in ctl("status", check=0).stdout


POLICY = {"mode": "enforce", "rules": 3, "files": [], "defaultVerdict": "allow", "broken": False, "loadedButDenied": []}


@pytest.mark.parametrize("change, first, last", [
    ({}, "All is well: lkmd loads drivers for devices", None),
    ({"policy": POLICY}, "All is well: lkmd loads drivers for devices", None),
    ({"policy": dict(POLICY, rules=0)}, "All is well: lkmd loads drivers for devices",
     "lkmctl policy propose, an allow list of what this machine uses"),
    ({"policy": dict(POLICY, mode="audit")}, "All is well: lkmd loads drivers for devices, and its policy refuses nothing yet",
     "lkmctl policy audit; Mode=enforce in lkmd.conf(5) refuses what it lists"),
    ({"policy": dict(POLICY, broken=True), "failures": [FLOPPY]}, "A file of the policy is broken", "lkmctl policy check"),
    ({"policy": dict(POLICY, loadedButDenied=[{"module": "x25"}])}, "1 module is in the kernel, though the policy denies it", None),
    ({"indexComplete": False}, "No module can be loaded: the index of 6.12.0-test is missing", None),
    ({"inCharge": "udev", "steppedBack": "x", "steppedBackRemedy": "wake it"}, "udev loads drivers, and lkmd does not", "wake it"),
    ({"inCharge": "udev", "ownUdevRule": "/run/x"}, "udev loads drivers, by the administrator's own rule", None),
    ({"inCharge": "lkmd_and_udev"}, "lkmd and udev both load drivers", "journalctl -u lkmd -b"),
    ({"failures": [FLOPPY]}, "1 module failed: floppy", "lkmctl status floppy"),
    ({"failures": [FLOPPY] * 5}, "5 modules failed: floppy, floppy, floppy and 2 more", "lkmctl status floppy"),
    ({"problems": [PROBLEM]}, "1 file is not as it should be", "correct what is wrong, then lkmctl reload"),
    ({"problems": [PROBLEM] * 2}, "2 files are not as they should be", None),
    ({"unwatched": [PROBLEM]}, "Changes of some files are noticed late", None),
    ({"idle": False, "queued": 2}, "lkmd is at work: 0 running, 2 waiting", "lkmctl monitor"),
])
def test_status_begins_with_what_matters(lkmd, ctl, change, first, last):
    lkmd.on("Status", reply(**{**STATUS, **change}))
    lines = ctl("status", check=0).stdout.splitlines()
    assert lines[0] == f"● {first}" and lines[1].startswith("        lkmd: 0.1.0, up for ")
    assert last is None or lines[-1] == f"Next: {last}"


@pytest.mark.parametrize("change, text", [
    ({"lost": 1, "rescans": 1}, "Events: 5 announced, lost 1 time, all devices looked at again 1 time\n"),
    ({"lost": 3}, "Events: 5 announced, lost 3 times\n"),
    ({"rescans": 2, "backedOff": 7}, "all devices looked at again 2 times, 7 held back of devices that come and go\n"),
    ({"slow": 2}, "none failed, 2 slow\n"),
    ({"slow": 1, "failures": 4}, "4 failed, 1 slow\n"),
])
def test_status_shows_what_is_out_of_the_ordinary(lkmd, ctl, change, text):
    lkmd.on("Status", reply(**STATUS))
    out = ctl("status", check=0).stdout
    assert text not in out and "Events" not in out and "slow" not in out
    lkmd.on("Status", reply(**{**STATUS, "counters": {**COUNTERS, **change}}))
    assert text in ctl("status", check=0).stdout


def test_status_in_json(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    assert json.loads(ctl("status", "--json", check=0).stdout) == STATUS
    short = ctl("status", "--json=short", check=0).stdout
    assert json.loads(short) == STATUS and short.count("\n") == 1


def test_status_of_a_module(lkmd, ctl):
    lkmd.on("DescribeModule", reply(**DESCRIPTION))
    out = ctl("status", "e1000e", check=0).stdout
    for text in ("e1000e: in the kernel", "/lib/modules/6.12.0-test/e1000e.ko", "364K", " d ago), in 23.1 ms",
                 "asked for by lkmctl (pid 4711, uid 0)", "ptp, pps_core", "IntMode=1", "/etc/modprobe.d/no.conf:3",
                 "failed after 2.0 ms: floppy found no hardware", "try: dmesg | tail"):
        assert text in out, out
    assert json.loads(ctl("status", "e1000e", "--json", check=0).stdout) == DESCRIPTION


@pytest.mark.parametrize("origin, process, texts", [
    ("foreign", {}, ["2023-11-14 22:13:20", "without lkmd, by a process that is not known"]),
    ("foreign", {"command": "insmod", "pid": 4711, "uid": 0}, ["without lkmd, by insmod (pid 4711, uid 0)"]),
    ("initramfs", {}, ["before 2023-11-14 22:13:20", "by the initramfs, before lkmd started"]),
    ("boot", {}, ["before 2023-11-14 22:13:20", "at boot, before lkmd started"]),
])
def test_status_of_a_module_that_came_without_lkmd(lkmd, ctl, origin, process, texts):
    record = {"timeUSec": 1_700_000_000_000_000, "module": "x", "outcome": "loaded", "reason": "requested",
              "requester": {"origin": origin, "key": "x"} | process}
    lkmd.on("DescribeModule", reply(module={"name": "x", "state": "live", "loadedBy": record}, dependencies=[], omissions=[],
                                    history=[record]))
    out = ctl("status", "x", check=0).stdout
    for text in texts:
        assert text in out, out


PROCESS = {"origin": "kernel", "key": "net-pf-38", "uid": 65534, "pid": 4711, "loginUid": 1000, "command": "python\x1b3", "unit": "a.service",
           "executable": "/usr/bin/python3.13"}


def test_the_process_for_which_the_kernel_asked(lkmd, ctl):
    """Where it is shown: in the status of a module, the list, and the events."""
    record = {"timeUSec": 1_700_000_000_000_000, "module": "af_alg", "outcome": "loaded", "reason": "requested", "requester": PROCESS}
    module = {"name": "af_alg", "state": "live", "loadedBy": record}
    who = "by the kernel on behalf of python\\x1b3 (pid 4711, uid 65534, logged in as uid 1000, a.service, /usr/bin/python3.13), as net-pf-38"
    lkmd.on("DescribeModule", reply(module=module, dependencies=[], omissions=[], history=[record]))
    assert ctl("status", "af_alg", check=0).stdout.count(who) == 2
    lkmd.on("List", reply(modules=[dict(module, size=4096, refCount=0, holders=[])]))
    assert "python\\x1b3" in ctl("list", check=0).stdout
    omission = {"module": "af_alg", "kind": "denied", "file": "/p.yaml", "line": 3, "required": True}
    started = {name: value for name, value in record.items() if name != "outcome"}
    lkmd.on("Monitor", more(), more(event={"kind": "started", "timeUSec": 1_700_000_000_000_000, "record": started}),
            more(event={"kind": "verdict", "timeUSec": 1_700_000_000_000_000, "requester": PROCESS, "omission": omission}), None)
    lines = ctl("monitor", check=4).stdout.splitlines()
    assert len(lines) == 2 and all(who in line for line in lines)


@pytest.mark.parametrize("state, text", [("not_loaded", "Next: lkmctl load x"), ("built_in", "part of the kernel image"),
                                         ("queued", "Next: lkmctl wait --module x"), ("live", "before lkmd started"),
                                         ("coming", "being loaded"), ("going", "being removed"), ("weird", "x: weird")])
def test_status_of_a_module_in_every_state(lkmd, ctl, state, text):
    lkmd.on("DescribeModule", reply(module={"name": "x", "state": state}, dependencies=[], omissions=[], history=[]))
    assert text in ctl("status", "x", check=0).stdout
