# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl doctor on a made-up machine: each check's well and not well, and images of an initramfs that have old copies."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from fake_lkmd import FakeLkmd, reply
from initramfs_image import COMPRESSORS, LINK, archive
from lkmctl_bench import LKMCTL, STATUS, on_terminal
from module_tree import make_tree

RELEASE = os.uname().release
POLICY = {"mode": "enforce", "defaultVerdict": "allow", "rules": 3, "files": ["/etc/lkmd/policy.d/a.yaml"], "broken": False, "standing": "current",
          "lacksDefault": False, "problems": [], "grants": [], "loadedButDenied": []}
WELL = {**STATUS, "kernelAsksLkmd": True, "afterUdev": [], "listsSettled": True, "waitingForDevice": [], "gate": "files", "policy": POLICY}
GUARD = "# Written by lkmd-handover, see lkmd(8).\n"
REQUEST = "/usr/lib/lkmd/lkmd-request"
MAIN = {"conf/initramfs.conf": "", "etc/modprobe.d/a.conf": "blacklist a\n", "usr/lib/modprobe.d/b.conf": "options b c=1\n"}


class World:
    """A machine where all is well, which tests change; doctor() is what lkmctl finds there."""

    def __init__(self, path, **modules):
        self.path = path
        self.status = dict(WELL)
        self.image = f"boot/initrd.img-{RELEASE}"
        make_tree(path, RELEASE, {"drv": ((), ()), **modules})
        self.server = None
        for name, text in {"etc/systemd/system/sysinit.target.wants/lkmd.service": "", "run/udev/rules.d/80-drivers.rules": GUARD,
                           "usr/lib/udev/rules.d/80-drivers.rules": "ACTION==\"add\"\n", "proc/sys/kernel/modprobe": f"{REQUEST}\n",
                           "proc/sys/kernel/modules_disabled": "0\n", "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda ro quiet\n",
                           "usr/bin/kmod": "", "usr/sbin/lkmd": "", REQUEST: "", "sys/module/drv/initstate": "live\n",
                           "etc/modprobe.d/a.conf": "blacklist a\n", "usr/lib/modprobe.d/b.conf": "options b c=1\n",
                           "usr/lib/systemd/system/systemd-modules-load.service.d/10-lkmd.conf": "", "usr/sbin/update-initramfs": ""}.items():
            self.write(name, text)
        for name in ("usr/bin/kmod", REQUEST):
            self.at(name).chmod(0o755)
        self.link("usr/sbin/modprobe", "../bin/kmod")
        self.link("lib/modprobe.d", "../usr/lib/modprobe.d")
        self.make_image(MAIN)

    def at(self, name):
        return self.path / name.lstrip("/")

    def write(self, name, text):
        path = self.at(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        (path.write_bytes if isinstance(text, bytes) else path.write_text)(text)

    def link(self, name, to):
        path = self.at(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(to)

    def make_image(self, files, name=None, compress="gzip"):
        self.write(name or self.image, archive({"kernel/x86/microcode/x.bin": "x" * 1000}) + COMPRESSORS[compress](archive(files)))

    def environment(self):
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm", "ASAN_OPTIONS": "exitcode=99",
                "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_ROOT": str(self.path), "LKMD_POLICY_ROOT": str(self.path),
                "LKMD_DOCTOR_ROOT": str(self.path), "LKMD_SOCKET": str(self.path / "socket"),
                "LKMD_INITRAMFS_PROGRAM": str(Path(LKMCTL).parent / "lkmd-initramfs")}

    def run(self, *words):
        if self.status and not self.server:
            self.server = FakeLkmd(self.path / "socket")
        if self.server:
            self.server.on("Status", reply(**(self.status or {})))
        return subprocess.run([LKMCTL, "doctor", *words], env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)

    def doctor(self, check=None):
        """{check: [(state, sentence, command or None)]}"""
        done = self.run("--json=short")
        found = {}
        assert done.stderr == "", done
        for line in done.stdout.splitlines():
            item = json.loads(line)
            assert set(item) <= {"check", "state", "sentence", "command"} and item["sentence"], item
            assert item["state"] in ("ok", "note", "unknown", "repair"), item
            found.setdefault(item["check"], []).append((item["state"], item["sentence"], item.get("command")))
        assert done.returncode == any(state == "repair" for rows in found.values() for state, *_ in rows), done
        if check is not None:
            assert done.returncode == check, done
        return found


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    if w.server:
        w.server.close()


def stop(world):
    """lkmd does not run."""
    world.status = None
    world.write("run/udev/rules.d/80-drivers.rules", "")
    world.at("run/udev/rules.d/80-drivers.rules").unlink()


def test_all_is_well(world):
    found = world.doctor(check=0)
    assert {c: [state for state, *_ in rows] for c, rows in found.items()} == dict.fromkeys(
        ["lkmd", "udev", "kernel.modprobe", "gate", "modprobe", "boot lists", "command line", "policy", "watching", "module index", "initramfs",
         "loaded modules", "kernel"], ["ok"])
    assert all(command is None for rows in found.values() for *_, command in rows)
    text = world.run().stdout
    assert text.endswith("\n\nAll is well.\n") and "try:" not in text
    assert world.run("--quiet").stdout == ""


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_it_fits_the_terminal(world, columns):
    world.write("proc/cmdline", "module_blacklist=" + ",".join(f"module_{i}" for i in range(40)) + " lkmd.foo=1\n")
    world.make_image({**MAIN, "etc/modprobe.d/a.conf": "other"})
    world.run()                                 # has the server
    text = on_terminal(world.environment(), "doctor", columns=columns)
    assert max(map(len, text.splitlines())) <= columns, text
    assert re.search(r"^repair +command line +lkmd\.foo=1 does", text, re.MULTILINE) and "\n2 of these need a hand.\n" in text


def put(name, text):
    return lambda w: w.write(name, text)


def status(**fields):
    return lambda w: w.status.update(fields)


def remove(*names):
    return lambda w: [w.at(n).unlink() for n in names]


def several(*deeds):
    return lambda w: [deed(w) for deed in deeds]


# What is done to the machine; the check; its states; a part of a sentence, and of a command.
CASES = {
    # lkmd
    "lkmd is stopped": (stop, "lkmd", ["repair"], "lkmd does not answer: udev and modprobe load modules", "systemctl start lkmd"),
    "lkmd is not enabled": (several(stop, remove("etc/systemd/system/sysinit.target.wants/lkmd.service")), "lkmd", ["repair"],
                            "is not started at boot", "systemctl enable --now lkmd"),
    "lkmd is masked": (several(stop, lambda w: w.link("etc/systemd/system/lkmd.service", "/dev/null")), "lkmd", ["repair"],
                       "masked by /etc/systemd/system/lkmd.service", "systemctl unmask"),
    "only until the next boot": (remove("etc/systemd/system/sysinit.target.wants/lkmd.service"), "lkmd", ["ok", "repair"],
                                 "after a restart udev loads drivers again", "systemctl enable lkmd"),
    "another version runs": (status(version="0.0.9"), "lkmd", ["ok", "repair"], "0.0.9 runs, but 0.1.0 is installed", "systemctl restart lkmd"),
    "stepped back": (status(inCharge="udev", steppedBack="the loader does not\x1b answer", steppedBackRemedy="systemctl restart x"), "lkmd",
                     ["repair"], "udev loads drivers: the loader does not\\x1b answer", "systemctl restart x"),
    "both load": (status(inCharge="lkmd_and_udev"), "lkmd", ["repair"], "both load drivers", "journalctl -u lkmd"),
    # udev
    "own rule": (several(put("etc/udev/rules.d/80-drivers.rules", "x\n"), status(inCharge="udev", ownUdevRule="/etc/udev/rules.d/80-drivers.rules")),
                 "udev", ["repair"], "udev does what /etc/udev/rules.d/80-drivers.rules says", "rm /etc/udev/rules.d/80-drivers.rules; udevadm"),
    "own mask": (lambda w: w.link("etc/udev/rules.d/80-drivers.rules", "/dev/null"), "udev", ["repair"], "masks udev's rule", "rm /etc"),
    "stale mask": (several(stop, lambda w: w.link("run/udev/rules.d/80-drivers.rules", "/dev/null")), "udev", ["repair"],
                   "earlier versions of lkmd did: nobody loads drivers", "rm /run/udev/rules.d/80-drivers.rules"),
    "guard is gone": (remove("run/udev/rules.d/80-drivers.rules"), "udev", ["repair"], "udev does not know that lkmd loads drivers", "restart lkmd"),
    "udev without a rule": (remove("usr/lib/udev/rules.d/80-drivers.rules"), "udev", ["note"], "has no 80-drivers.rules of its own", None),
    "nobody": (several(stop, remove("usr/lib/udev/rules.d/80-drivers.rules")), "udev", ["repair"], "nobody loads drivers", "reinstall udev"),
    "udev alone": (stop, "udev", ["ok"], "udev loads drivers by its own rule", None),
    # kernel.modprobe
    "set back": (several(put("proc/sys/kernel/modprobe", "/sbin/modprobe\n"), put("sbin/modprobe", ""), lambda w: w.at("sbin/modprobe").chmod(0o755)),
                 "kernel.modprobe", ["repair"], "asks /sbin/modprobe, not lkmd", "systemctl restart lkmd"),
    "another program": (several(put("proc/sys/kernel/modprobe", "/opt/x\n"), put("opt/x", ""), lambda w: w.at("opt/x").chmod(0o755)),
                        "kernel.modprobe", ["note"], "asks /opt/x", "sysctl -w"),
    "off": (put("proc/sys/kernel/modprobe", "\n"), "kernel.modprobe", ["note"], "kernel.modprobe is empty", "sysctl -w"),
    "program gone": (remove(REQUEST[1:]), "kernel.modprobe", ["repair"], f"its program {REQUEST} is missing", "sysctl -w kernel.modprobe=/sbin/modprobe"),
    "other program gone": (put("proc/sys/kernel/modprobe", "/opt/y\n"), "kernel.modprobe", ["repair"], "/opt/y is missing", "sysctl -w"),
    "modprobe gone": (put("proc/sys/kernel/modprobe", "/sbin/modprobe\n"), "kernel.modprobe", ["repair"], "/sbin/modprobe is missing", "reinstall kmod"),
    "asks while lkmd is stopped": (stop, "kernel.modprobe", ["ok"], "runs modprobe while lkmd does not answer", None),
    "never": (remove("proc/sys/kernel/modprobe"), "kernel.modprobe", ["ok"], "never asks", None),
    "static helper": (put(f"boot/config-{RELEASE}", "#\nCONFIG_STATIC_USERMODEHELPER=y\nCONFIG_STATIC_USERMODEHELPER_PATH=\"/sbin/h\"\n"),
                      "kernel.modprobe", ["note"], "starts /sbin/h in the place of every program", None),
    "no helper": (put(f"boot/config-{RELEASE}", "#\nCONFIG_STATIC_USERMODEHELPER=y\nCONFIG_STATIC_USERMODEHELPER_PATH=\"\"\n"),
                  "kernel.modprobe", ["note"], "starts no programs at all", None),
    # gate
    "gate off": (several(status(gate="off", gateOff="lkmd.gate=off is on the kernel command line"), put("run/lkmd/gate-off", "x")), "gate", ["note"],
                 "there is no gate in the kernel: lkmd.gate=off is on", None),
    "gate failed": (status(gate="off", gateOff="lkmd has no maps of it"), "gate", ["repair"], "lkmd has no maps", "journalctl -u lkmd-gate"),
    "gate lost": (status(counters={"gateLost": 3}), "gate", ["note"], "events of it were lost", None),
    "gate pinned": (several(stop, put("sys/fs/bpf/lkmd/x", "")), "gate", ["note"], "refuses what the policy denied", "rm -r /sys/fs/bpf/lkmd"),
    # modprobe
    "modprobe dangles": (several(put("usr/lib/lkmd/lkmd-divert", ""), lambda w: w.link("usr/sbin/modprobe", "/nowhere")), "modprobe", ["repair"],
                         "leads to /nowhere, which is not there", "lkmd-divert off"),
    "no modprobe": (remove("usr/sbin/modprobe"), "modprobe", ["repair"], "there is no modprobe", "reinstall kmod"),
    "modprobe is lkmctl": (several(put("usr/bin/lkmctl", ""), put("usr/sbin/modprobe.distrib", ""), lambda w: w.link("usr/sbin/modprobe", "../bin/lkmctl")),
                           "modprobe", ["ok"], "/usr/sbin/modprobe is lkmd's", None),
    "kmod's own is gone": (several(put("usr/bin/lkmctl", ""), lambda w: w.link("usr/sbin/modprobe", "../bin/lkmctl")), "modprobe", ["repair"],
                           "/usr/sbin/modprobe.distrib, is gone", "reinstall kmod"),
    "half diverted": (several(put("usr/bin/lkmctl", ""), put("usr/sbin/lsmod.distrib", ""), lambda w: w.link("usr/sbin/lsmod", "../bin/lkmctl")),
                      "modprobe", ["repair"], "1 of kmod's commands are lkmd's and 1 are not", "lkmd-divert on"),
    # boot lists
    "lists under way": (status(listsSettled=False), "boot lists", ["ok"], "lkmd loads what is listed", None),
    "lists wait": (status(waitingForDevice=[{"name": "floppy", "module": "floppy", "file": "/etc/modules-load.d/f.conf", "line": 1, "sinceUSec": 5}]),
                   "boot lists", ["note"], "1 module listed to be loaded at boot waits for a device, such as floppy of /etc/modules-load.d/f.conf", "status"),
    "lists of both": (remove("usr/lib/systemd/system/systemd-modules-load.service.d/10-lkmd.conf"), "boot lists", ["repair"], "10-lkmd.conf is missing",
                      "daemon-reload"),
    "lists of both on purpose": (lambda w: w.link("etc/systemd/system/systemd-modules-load.service.d/10-lkmd.conf", "/dev/null"), "boot lists", ["note"],
                                 "as /etc/systemd/system/systemd-modules-load.service.d/10-lkmd.conf says", None),
    "lists are systemd's": (stop, "boot lists", ["ok"], "systemd loads what is listed", None),
    "modprobe is busybox": (several(put("usr/bin/busybox", ""), lambda w: w.link("usr/sbin/modprobe", "../bin/busybox")), "modprobe", ["note"],
                            "is /usr/bin/busybox", None),
    # command line
    "words": (put("proc/cmdline", "module_blacklist=a,b lkmd.deny=x modprobe.blacklist=c modules_load=d -- lkmd.nonsense\n"), "command line",
              ["note"] * 4, "module_blacklist=a,b: the kernel refuses its modules", None),
    "unknown word": (put("proc/cmdline", "lkmd.denny=x\n"), "command line", ["repair"], "lkmd.denny=x does nothing", "reboot"),
    "gate word": (put("proc/cmdline", "lkmd.gate=off\n"), "command line", ["note"], "there is no gate", None),
    "wrong gate word": (put("proc/cmdline", "lkmd.gate=never\n"), "command line", ["repair"], "lkmd.gate=never does nothing", "reboot"),
    "nomodule": (put("proc/cmdline", "nomodule\n"), "command line", ["repair"], "takes no module at all", "reboot"),
    # policy
    "no policy": (status(policy={**POLICY, "rules": 0}), "policy", ["ok"], "everything is allowed", None),
    "audit": (status(policy={**POLICY, "mode": "audit"}), "policy", ["note"], "in mode audit: what they deny is not refused", None),
    "broken": (status(policy={**POLICY, "broken": True, "lacksDefault": True}), "policy", ["repair"], "nothing is denied by default", "policy check"),
    "broken and stopped": (several(stop, put("etc/lkmd/policy.d/a.yaml", "version: 7\n")), "policy", ["repair"], "would not take all of it",
                           "policy check"),
    "stopped": (stop, "policy", ["ok"], "hold when lkmd runs", None),
    "loaded but denied": (status(policy={**POLICY, "loadedButDenied": [{"name": "x"}]}), "policy", ["ok", "note"], "1 module is in the kernel", "status"),
    "broken files": (status(problems=[{"file": "/etc/lkmd/lkmd.conf", "line": 1, "message": "x"}]), "policy", ["ok", "repair"], "1 file of", "status"),
    "unwatched": (status(unwatched=[{"file": "/x", "message": "x"}] * 2), "watching", ["note"], "2 files cannot be watched", "status"),
    "lint": (put("etc/lkmd/policy.d/a.yaml", "version: 1\nrules:\n- {id: no, match: {module: nosuch}, verdict: deny}\n"), "policy", ["ok", "note"],
             "does not do what it looks like", "lkmctl policy lint"),
    # modules
    "new file": (put(f"lib/modules/{RELEASE}/extra/new.ko", "x"), "module index", ["repair"], "since 1 module was put there, such as ", "depmod -a"),
    "no index": (remove(f"lib/modules/{RELEASE}/modules.dep.bin"), "module index", ["repair"], "missing or incomplete", "depmod -a"),
    "no directory": (lambda w: w.at("lib/modules").rename(w.at("lib/other")), "module index", ["repair"], "not installed any more", "reboot"),
    "stale": (put("sys/module/gone/initstate", "live\n"), "loaded modules", ["repair"], "1 module in the kernel, such as gone, is older", "lkmctl stale"),
    # kernel
    "no more modules": (put("proc/sys/kernel/modules_disabled", "1\n"), "kernel", ["repair"], "which no file of sysctl.d says", "reboot"),
    "on purpose": (several(put("proc/sys/kernel/modules_disabled", "1\n"), put("etc/sysctl.d/x.conf", "# no\nkernel.modules_disabled = 1\n")),
                   "kernel", ["note"], "as /etc/sysctl.d/x.conf says", None),
    "locked down": (put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n"), "kernel", ["note"], "locked down (integrity)", None),
    "not locked down": (put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n"), "kernel", ["ok"], "also those without", None),
    "sig_enforce": (put("sys/module/module/parameters/sig_enforce", "Y\n"), "kernel", ["note"], "module.sig_enforce", None),
    "secure boot": (put("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", b"\6\0\0\0\1"), "kernel", ["note"], "Secure Boot", None),
    "no secure boot": (put("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", b"\6\0\0\0\0"), "kernel", ["ok"], "", None),
    # leftovers
    "nothing left": (stop, "leftovers", ["ok"], "nothing of lkmd acts", None),
    "denials left": (several(stop, put("run/modprobe.d/lkmd-denied.conf", "")), "leftovers", ["note"], "udev and modprobe deny", "rm /run/modprobe.d/lkmd-denied.conf"),
    "denials of a removed lkmd": (several(stop, put("run/modprobe.d/lkmd-denied.conf", ""), remove("usr/sbin/lkmd")), "leftovers", ["repair"],
                                  "lkmd is not installed", "rm /run/modprobe.d/lkmd-denied.conf"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_check(world, name):
    deed, check, states, sentence, command = CASES[name]
    deed(world)
    rows = world.doctor().get(check, [])
    assert [state for state, *_ in rows] == states, rows
    assert any(sentence in row[1] and (command in row[2] if command else row[2] is None) for row in rows), rows


# ------------------------------------------------------------------------------------------------------------- images

DRIFTS = {
    "differs": (lambda w: w.write("etc/modprobe.d/a.conf", "blacklist other\n"), ["/etc/modprobe.d/a.conf is another one than on disk"]),
    "missing": (lambda w: w.write("etc/modprobe.d/c.conf", ""), ["/etc/modprobe.d/c.conf is missing"]),
    "only there": (lambda w: w.at("usr/lib/modprobe.d/b.conf").unlink(), ["/usr/lib/modprobe.d/b.conf is still there"]),
    "none of all": (lambda w: w.make_image({"conf/initramfs.conf": ""}), ["/etc/modprobe.d/a.conf is missing", "/usr/lib/modprobe.d/b.conf is missing"]),
    "a link": (lambda w: w.link("etc/modprobe.d/a.conf", "/dev/null"), ["/etc/modprobe.d/a.conf is another one"]),
    "another link": (several(lambda w: w.link("etc/modprobe.d/c.conf", "a.conf"),
                             lambda w: w.make_image([*MAIN.items(), ("etc/modprobe.d/c.conf", "d.conf", LINK), ("etc/modprobe.d/d.conf", "x")])),
                     ["/etc/modprobe.d/c.conf is another one", "/etc/modprobe.d/d.conf is still there"]),
    "policy": (several(lambda w: w.make_image({**MAIN, "etc/lkmd/policy.d/p.yaml": "version: 1\n"}),
                       put("etc/lkmd/policy.d/q.yaml", "version: 1\n")),
               ["/etc/lkmd/policy.d/q.yaml is missing", "/etc/lkmd/policy.d/p.yaml is still there"]),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_drift(world, name):
    deed, expected = DRIFTS[name]
    deed(world)
    rows = world.doctor(check=1)["initramfs"]
    assert len(rows) == len(expected), rows
    for (state, sentence, command), part in zip(rows, expected):
        assert state == "repair" and f"in /{world.image}, {part}" in sentence and command == f"update-initramfs -u -k {RELEASE}", rows
    assert world.run().stdout.count("try: update-initramfs") == 1


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_no_drift(world, compress):
    world.link("etc/modprobe.d/l.conf", "a.conf")
    world.link("etc/modprobe.d/m.conf", "/dev/null")
    world.write("etc/modprobe.d/n.conf", "x")
    world.make_image([("etc/modprobe.d/l.conf", "a.conf", LINK), ("etc/modprobe.d/m.conf", "/dev/null", LINK), ("lib/modprobe.d/b.conf", "options b c=1\n"),
                      ("etc/modprobe.d/a.conf", "blacklist a\n"), ("etc/modprobe.d/n.conf", "/etc/modprobe.d/o.conf", LINK),
                      ("etc/modprobe.d/readme", "not read by anybody")], compress=compress)
    assert world.doctor(check=0)["initramfs"] == [("ok", f"/{world.image} has the configuration that is on disk", None)]


def test_many_files_are_counted(world):
    for i in range(15):
        world.write(f"etc/modprobe.d/x{i:02}.conf", "")
    rows = world.doctor(check=1)["initramfs"]
    assert len(rows) == 11 and "5 more files are not as on disk" in rows[-1][1]


@pytest.mark.parametrize("image, mark, command", [
    (f"boot/initramfs-{RELEASE}.img", "usr/lib/dracut", f"dracut --force /boot/initramfs-{RELEASE}.img {RELEASE}"),
    (f"boot/initrd-{RELEASE}", "usr/lib/dracut", f"dracut --force /boot/initrd-{RELEASE} {RELEASE}"),
    ("boot/initramfs-linux.img", "init_functions", "mkinitcpio -P"),
    (f"boot/initrd.img-{RELEASE}", "nobody", f"update-initramfs -u -k {RELEASE}"),
])
def test_who_makes_the_image(world, image, mark, command):
    world.at(world.image).unlink()
    world.write(f"lib/modules/{RELEASE}/pkgbase", "linux\n")
    world.make_image({mark: "", "etc/modprobe.d/a.conf": "old", "usr/lib/modprobe.d/b.conf": MAIN["usr/lib/modprobe.d/b.conf"]}, name=image)
    [(state, sentence, got)] = world.doctor(check=1)["initramfs"]
    assert (state, got) == ("repair", command) and f"in /{image}, /etc/modprobe.d/a.conf" in sentence


def test_images_of_other_kernels(world):
    """What they have is noted; it holds only when they are started. Copies and rescue images are nobody's business."""
    old = {**MAIN, "etc/modprobe.d/a.conf": "old"}
    for name in ("initrd.img-6.0.0", "initrd.img-6.0.0.dpkg-bak", f"initrd.img-{RELEASE}.old", "initramfs-0-rescue-1234.img", f"initramfs-{RELEASE}kdump.img"):
        world.make_image(old, name=f"boot/{name}")
    rows = world.doctor(check=0)["initramfs"]
    assert sorted(state for state, *_ in rows) == ["note", "ok"]
    assert [(s, c) for state, s, c in rows if state == "note"] == [
        ("in /boot/initrd.img-6.0.0, which is of another kernel, /etc/modprobe.d/a.conf is another one than on disk", "update-initramfs -u -k 6.0.0")]


def test_images_that_cannot_be_read(world):
    world.write(world.image, b"x" * 1000)
    [(state, sentence, command)] = world.doctor(check=1)["initramfs"]
    assert state == "repair" and "is no initramfs" in sentence and command == f"update-initramfs -u -k {RELEASE}"
    world.at(world.image).unlink()
    assert world.doctor(check=0)["initramfs"][0][:2] == ("ok", "there is none in /boot, so none has an old copy of the configuration")
    world.link(world.image, "/nowhere")
    assert "initramfs" not in world.doctor(check=0)


@pytest.mark.parametrize("answer", ["", "nonsense", "maker x\nfile 5 a\nab\nend\n", "maker x\nfile -1 a\n\nend\n", "maker x\nfile 99999999999999999999 a\n\nend\n",
                                    "maker x\nfile 3 a\nabcend\n", "maker x\npipe 0 a\n\nend\n", "maker x\nfile 0 a\n\n", "maker x\nfile\nend\n"])
def test_a_reader_that_was_taken_over(world, answer):
    """It says anything, and is not believed."""
    world.write("reader", f"#!/bin/sh\nprintf '%s' '{answer}'\n")
    world.at("reader").chmod(0o755)
    environment = world.environment
    world.environment = lambda: {**environment(), "LKMD_INITRAMFS_PROGRAM": str(world.at("reader"))}
    [(state, sentence, _)] = world.doctor(check=1)["initramfs"]
    assert (state, sentence) == ("repair", f"/{world.image} cannot be read: its reader failed")


def test_without_the_reader(world):
    environment = world.environment
    world.environment = lambda: {**environment(), "LKMD_INITRAMFS_PROGRAM": "/nowhere/lkmd-initramfs"}
    [(state, sentence, command)] = world.doctor(check=0)["initramfs"]
    assert (state, command) == ("unknown", "reinstall lkmd") and "/nowhere/lkmd-initramfs is missing" in sentence
    assert "some could not be looked at" in world.run().stdout.replace("\n", " ")


def test_images_are_for_root(world):
    """lkmctl says so, rather than nothing."""
    world.at(world.image).chmod(0o600)
    os.chmod(world.path, 0o755)
    for parent in world.path.parents:
        if parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o001)
    world.run()                                 # has the server
    def rows_of():
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LKMCTL, "doctor", "--json=short"], env=world.environment(),
                              capture_output=True, text=True, timeout=60, check=False)
        return {r["check"]: (r["state"], r["sentence"], r.get("command")) for r in map(json.loads, done.stdout.splitlines())}
    rows = rows_of()
    assert rows["initramfs"] == ("unknown", f"/{world.image} may be read by root only", "sudo lkmctl doctor") and rows["loaded modules"][0] == "ok"
    world.at("boot").chmod(0o700)
    world.at("sys/module").chmod(0o700)
    rows = rows_of()
    assert rows["initramfs"] == ("unknown", "what is in /boot may be read by root only", "sudo lkmctl doctor")
    assert rows["loaded modules"] == ("unknown", "it could not be looked at: Permission denied", "sudo lkmctl doctor")
