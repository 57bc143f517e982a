# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is listed for the boot, by modules-load.d and on the kernel command line: lkmd loads it in the place of systemd-modules-load,
which does its own where lkmd does not run. And what else has a module there in time: units that require one, device nodes."""

import json

from support import ask, ask_all, lkmctl, loaded, remove

UNIT = "systemd-modules-load.service"
DENY = "version: 1\nrules: [{id: not-at-boot, match: {origin: boot, module: ifb}, verdict: deny, reason: not at boot}]\n"


def write_lists(machine):
    machine.run("mkdir -p /etc/modules-load.d /usr/lib/modules-load.d /usr/local/lib/modules-load.d")
    machine.write("/etc/modules-load.d/10-own.conf", "# comment\n; comment\n\n  dummy  \nfs-hfs\nno_such_module\nifb\nlkmd_test_late\nlkmd_test_fail\n")
    machine.write("/usr/lib/modules-load.d/20-package.conf", "nbd\n")
    machine.write("/usr/lib/modules-load.d/30-masked.conf", "vcan\n")
    machine.run("ln -s /dev/null /etc/modules-load.d/30-masked.conf")
    machine.write("/etc/modprobe.d/lists.conf", "blacklist null_blk\noptions lkmd_test_fail error=22\nalias platform:lkmd_test_device lkmd_test_late\n")
    machine.write("/usr/local/lib/modules-load.d/40-local.conf", "null_blk\n")


def requester(machine, module):
    return ask(machine, "status", module)["module"]["loadedBy"]["requester"]


def state(machine, unit):
    shown = machine.run(["systemctl", "show", "-pActiveState,SubState,Result,ExecMainStartTimestampMonotonic", unit]).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


def test_a_boot_with_lists(machine):
    machine.install_test_modules()
    write_lists(machine)
    machine.write("/etc/lkmd/policy.d/lists.yaml", DENY)
    machine.write("/etc/systemd/system/after-lists.service", f"[Unit]\nDefaultDependencies=no\nAfter={UNIT}\nWants={UNIT}\nBefore=sysinit.target\n[Service]\nType=oneshot\n"
                  "ExecStart=sh -c 'cat /proc/modules >/run/after-lists'\n[Install]\nWantedBy=sysinit.target\n")
    machine.run("systemctl --quiet enable after-lists")
    machine.reboot(append="modules_load=zram,lkmd_test_params")

    # all of it is there, and was there for the units behind systemd's, which lkmd's drop-in skipped; nothing failed
    there = {line.split()[0] for line in machine.read("/run/after-lists").splitlines()}
    for modules in (there, loaded(machine)):
        assert {"dummy", "hfs", "nbd", "zram", "lkmd_test_params"} <= modules
        assert not {"vcan", "ifb", "null_blk", "lkmd_test_late", "lkmd_test_fail"} & modules
    assert state(machine, UNIT)["ActiveState"] == "inactive" and state(machine, UNIT)["Result"] == "exec-condition", state(machine, UNIT)
    assert machine.run("systemctl --failed --plain --no-legend").stdout == ""
    assert "ordering cycle" not in machine.journal("-b", "-t", "systemd")
    status = ask(machine, "status")
    assert status["listsSettled"] and status["inCharge"] == "lkmd"

    # who wanted them
    assert (requester(machine, "hfs")["origin"], requester(machine, "hfs")["key"], requester(machine, "hfs")["line"]) == ("boot", "fs-hfs", 5)
    assert requester(machine, "zram")["file"] == "/proc/cmdline"
    assert "listed in /etc/modules-load.d/10-own.conf:4" in lkmctl(machine, "why", "dummy").stdout
    assert "modules_load= on the kernel command line" in lkmctl(machine, "why", "zram").stdout

    # what was left out, with its place
    journal = machine.journal("-b", "-u", "lkmd", "-o", "cat")
    for words in ("10-own.conf:6: no_such_module is not loaded", "10-own.conf:7: ifb is not loaded", "40-local.conf:1: null_blk is not loaded",
                  "10-own.conf:8: lkmd_test_late has found no device yet", "10-own.conf:9: lkmd_test_fail is not loaded"):
        assert words in journal, journal
    refused = [e for e in ask_all(machine, "policy", "audit") if e.get("kind") == "refused"]
    assert sorted((e["module"], e["origin"], e["source"]) for e in refused) == [("ifb", "boot", "rule"), ("null_blk", "boot", "blacklist")], refused
    assert [f["module"] for f in status["failures"]] == ["lkmd_test_fail"]

    # what waits for its device, until that is there
    [waiting] = status["waitingForDevice"]
    assert (waiting["name"], waiting["file"], waiting["line"]) == ("lkmd_test_late", "/etc/modules-load.d/10-own.conf", 8)
    [cause] = ask(machine, "why-not", "lkmd_test_late")["causes"]
    assert (cause["kind"], cause["line"]) == ("waits_for_device", 8)
    lkmctl(machine, "load", "lkmd_test_device")
    lkmctl(machine, "wait", "--module=lkmd_test_late", "--timeout=60")
    machine.wait("! lkmctl status | grep -q 'waiting for a device'", timeout=30)
    assert ask(machine, "status")["waitingForDevice"] == []

    # neither a restart of lkmd nor a reload repeats it; systemd's own unit does, if it is started again
    lkmctl(machine, "unload", "nbd")
    machine.run("systemctl restart lkmd && lkmctl reload && lkmctl wait --lists --timeout=30")
    assert "nbd" not in loaded(machine)
    machine.write("/etc/modules-load.d/50-new.conf", "vcan\n")
    machine.run(f"systemctl restart {UNIT}", check=False)
    assert {"nbd", "vcan"} <= loaded(machine)
    assert requester(machine, "vcan")["origin"] == "foreign"
    machine.run(f"systemctl reset-failed; systemctl stop {UNIT}")

    without_lkmd(machine)


def without_lkmd(machine):
    """Disabled, and half removed: systemd's program does its work, and is not kept waiting."""
    machine.run("rm /etc/modules-load.d/50-new.conf; sed -i '/no_such/d;/lkmd_test/d' /etc/modules-load.d/10-own.conf")
    machine.run("systemctl --quiet disable lkmd lkmd.socket lkmd-loader.socket; mv /usr/bin/lkmctl /usr/bin/lkmctl.aside")
    machine.reboot(append="modules_load=zram")
    assert {"dummy", "hfs", "nbd", "zram"} <= loaded(machine) and not {"vcan", "null_blk"} & loaded(machine)
    assert state(machine, UNIT)["ActiveState"] == "active" and state(machine, UNIT)["Result"] == "success"
    assert machine.run("systemctl is-active lkmd", check=False).stdout == "inactive\n"
    assert not json.loads(machine.run("systemctl --failed --output=json").stdout)


def test_units_and_nodes(fresh):
    """A unit gets its module, by name or by an escaped alias, and why names it. A node of modules.devname loads its module when it is opened."""
    machine = fresh()
    machine.write("/run/systemd/system/needs.service", "[Unit]\nRequires=lkmd-load@fs\\x2dhfsplus.service\nAfter=lkmd-load@fs\\x2dhfsplus.service\n"
                  "[Service]\nType=oneshot\nExecStart=grep -w hfsplus /proc/modules\n")
    machine.run("systemctl daemon-reload && systemctl start needs")
    assert requester(machine, "hfsplus")["unit"] == r"lkmd-load@fs\x2dhfsplus.service"
    said = lkmctl(machine, "why", "hfsplus").stdout
    assert "fs-hfsplus" in said and "lkmd-load@fs" in said
    assert machine.run("systemctl start lkmd-load@dm-mod", check=False).returncode != 0
    assert "'-' stands for '/'" in machine.journal("-b", "-u", "lkmd-load@dm-mod", "-o", "cat")
    machine.run("systemctl reset-failed; systemctl start lkmd-load@dm_mod")
    assert "dm_mod" in loaded(machine)

    theirs = machine.run("kmod static-nodes --format=tmpfiles").stdout
    assert lkmctl(machine, "static-nodes").stdout == theirs and "c! /dev/net/tun 0600 - - - 10:200\n" in theirs
    for node, module in (("/dev/loop-control", "loop"), ("/dev/net/tun", "tun"), ("/dev/uinput", "uinput")):
        remove(machine, module)
        assert module not in loaded(machine)
        machine.run(["python3", "-c", f"open({node!r}, 'rb', buffering=0)"])
        assert module in loaded(machine)
        who = requester(machine, module)
        assert who["origin"] == "kernel" and who["key"].startswith(("char-major-10-", "devname:")), who
        assert "the kernel asked on its behalf" in lkmctl(machine, "why", module).stdout
