# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd-divert on made-up systems: with and without dpkg, with /sbin apart and as a link, interrupted at every step."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lkmctl_bench import LKMCTL

SCRIPT = Path(LKMCTL).parent / "lkmd-divert"
NAMES = ("insmod", "lsmod", "modinfo", "modprobe", "rmmod")
STATUS = "Package: kmod\nStatus: install ok installed\nMaintainer: x\nArchitecture: all\nVersion: 34\nDescription: x\n"

if os.geteuid() != 0:
    pytest.skip("needs root", allow_module_level=True)


class System:
    def __init__(self, root, merged=True, dpkg=True, files=False):
        self.root, self.dpkg = root, dpkg
        for directory in ("usr/bin", "usr/sbin", "var/lib"):
            (root / directory).mkdir(parents=True)
        for directory in ("bin", "sbin"):
            if merged:
                (root / directory).symlink_to(f"usr/{directory}")
            else:
                (root / directory).mkdir()
        top = "usr/" if merged else ""
        self.bin, self.sbin = root / top / "bin", root / top / "sbin"
        for program in (self.bin / "kmod", root / "usr/bin/lkmctl"):
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
        self.paths = [self.bin / "lsmod", *(self.sbin / name for name in NAMES)]
        for path in self.paths:
            if files:
                path.write_text(f"#!/bin/sh\necho {path.name}\n")
                path.chmod(0o755)
            else:
                path.symlink_to("kmod" if path.parent == self.bin else "../bin/kmod")
        if dpkg:
            info = root / "var/lib/dpkg/info"
            info.mkdir(parents=True)
            info.with_name("status").write_text(STATUS)
            info.with_name("updates").mkdir()
            (info / "format").write_text("1\n")
            (info / "kmod.list").write_text("/.\n" + "".join(f"/{path.relative_to(root)}\n" for path in self.paths))

    def run(self, *words, status=0, **environment):
        done = subprocess.run([SCRIPT, "--root", self.root, *words], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment})
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def diversions(self):
        if not self.dpkg:
            return ""
        return subprocess.run(["dpkg-divert", f"--root={self.root}", "--list"], capture_output=True, text=True, check=True).stdout

    def picture(self):
        """All that there is, byte for byte, with modes, times and the numbers of the files."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if "var/lib/dpkg" in str(path):
                continue                # dpkg's own; see diversions()
            info = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(self.root))] = (content, info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns if content else 0,
                                                       info.st_ino, info.st_nlink if content else 0)
        return found, self.diversions()

    def owners(self):
        """Of each path: lkmctl, or kmod; a path without a program is a failure."""
        owners = set()
        for path in self.paths:
            text = os.readlink(path) if path.is_symlink() else "itself"
            target = self.root / text.lstrip("/") if text.startswith("/") else path.parent / text
            assert text == "itself" or target.exists(), f"{path} leads to {text}"
            owners.add({"lkmctl": "lkmd", "kmod": "kmod", "itself": "kmod"}[Path(text).name])
        return owners


KINDS = {"debian": {}, "debian-unmerged": {"merged": False}, "without-dpkg": {"dpkg": False}, "files": {"files": True},
         "files-without-dpkg": {"dpkg": False, "files": True, "merged": False}}


@pytest.fixture(params=KINDS)
def system(request, tmp_path):
    return System(tmp_path / "root", **KINDS[request.param])


def test_on_and_off(system):
    before = system.picture()
    assert {line.split()[1] for line in system.run("status", status=1).stdout.splitlines()} == {"system"}
    assert system.run("on").stderr == ""
    assert system.owners() == {"lkmd"}
    lines = [line.split() for line in system.run("status").stdout.splitlines()]
    assert sorted(path for path, _ in lines) == sorted(f"/{p.relative_to(system.root)}" for p in system.paths)
    assert {state for _, state in lines} == {"lkmd"}
    if system.dpkg:
        assert system.diversions().count("local diversion of ") == 6
    on = system.picture()
    assert system.run("on").stderr == "" and system.picture() == on
    assert system.run("off").stderr == "" and system.picture() == before
    assert system.run("off").stderr == "" and system.picture() == before


def test_for_a_package(tmp_path):
    """dpkg has the diversions of a package under its name; whoever turns them off need not give it."""
    system = System(tmp_path / "root")
    before = system.picture()
    assert system.run("--package", "lkmd-kmod", "on").stderr == "" and system.owners() == {"lkmd"}
    assert system.diversions().count(" by lkmd-kmod\n") == 6
    assert {line.split()[1] for line in system.run("status").stdout.splitlines()} == {"lkmd"}
    assert system.run("on").stderr == "" and system.diversions().count(" by lkmd-kmod\n") == 6
    assert system.run("off").stderr == "" and system.picture() == before


def stop_at(tmp_path, step):
    """Programs that end the script, the way that a machine which loses its power does, before the step of that number."""
    programs = tmp_path / "stop"
    shutil.rmtree(programs, ignore_errors=True)
    programs.mkdir()
    for name in ("mv", "ln", "rm", "cp", "dpkg-divert"):
        real = shutil.which(name)
        kill = f'[ "$n" -ne {step} ] || {{ kill -KILL "$PPID"; exit 9; }}'
        program = programs / name
        program.write_text(f"#!/bin/sh\ncase \"$*\" in *--list*) exec {real} \"$@\" ;; esac\nn=$(($(cat {programs}/n 2>/dev/null || echo 0) + 1))\n"
                           f"echo $n >{programs}/n\n{kill}\nexec {real} \"$@\"\n")
        program.chmod(0o755)
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.mark.parametrize("kind", ["debian", "without-dpkg"])
@pytest.mark.parametrize("verb", ["on", "off"])
def test_interrupted(tmp_path, kind, verb):
    """Before each step: there is a modprobe, and the next run completes or undoes it."""
    system = System(tmp_path / "root", **KINDS[kind])
    before = system.picture()
    for step in itertools.count(1):
        stopped = 0
        for then in ("on", "off"):
            system.run("off" if verb == "on" else "on")
            stopped += system.run(verb, status=None, **stop_at(tmp_path, step)).returncode != 0
            system.owners()
            system.run(then)
            assert system.owners() == {"lkmd" if then == "on" else "kmod"}
            if then == "on":
                assert {line.split()[1] for line in system.run("status").stdout.splitlines()} == {"lkmd"}
            system.run("off")
            assert system.picture() == before, (step, then)
        if step == (8 if verb == "on" else 4) or not stopped: # one path of six: the others are like it
            break
    assert stopped


def test_upgrade_of_kmod(tmp_path):
    """dpkg unpacks beside the link, and that is what comes back."""
    system = System(tmp_path / "root", files=True)
    system.run("on")
    assert "modprobe.distrib" in subprocess.run(["dpkg-divert", f"--root={system.root}", "--truename", "/usr/sbin/modprobe"],
                                                capture_output=True, text=True, check=True).stdout
    (system.sbin / "modprobe.distrib").write_text("newer\n")
    system.run("off")
    assert (system.sbin / "modprobe").read_text() == "newer\n" and not (system.sbin / "modprobe.distrib").exists()


def test_upgrade_without_dpkg(tmp_path):
    """There the new program takes the place of the link: status says so, and off leaves it."""
    system = System(tmp_path / "root", dpkg=False)
    before = system.picture()
    system.run("on")
    (system.sbin / "modprobe").unlink()
    (system.sbin / "modprobe").symlink_to("../bin/kmod")
    assert "/usr/sbin/modprobe replaced\n" in system.run("status", status=2).stdout
    system.run("on")
    assert system.owners() == {"lkmd"}
    system.run("off")
    assert {path: what[0] for path, what in system.picture()[0].items()} == {path: what[0] for path, what in before[0].items()}


def test_the_systems_own_is_gone(tmp_path):
    system = System(tmp_path / "root")
    system.run("on")
    (system.sbin / "modprobe.distrib").unlink()
    assert "/usr/sbin/modprobe orphaned\n" in system.run("status", status=2).stdout
    done = system.run("off", status=1)
    assert "/usr/sbin/modprobe stays lkmd's" in done.stderr and "Install the package kmod again" in done.stderr
    assert "the system's own, /usr/sbin/modprobe.distrib, is gone" in system.run("on", status=1).stderr
    assert os.readlink(system.sbin / "rmmod") == "../bin/kmod"


@pytest.mark.parametrize("kind", ["debian", "without-dpkg"])
@pytest.mark.parametrize("trouble, sentence", [
    ("other", "/usr/sbin/modprobe.distrib is there and is another program than /usr/sbin/modprobe: move it away first"),
    ("directory", "/usr/sbin/rmmod is a directory"), ("none", "there is no modprobe of the system, install kmod"),
    ("unbuilt", "there is no /usr/bin/lkmctl"),
])
def test_refused(tmp_path, kind, trouble, sentence):
    system = System(tmp_path / "root", **KINDS[kind])
    if trouble == "other":
        (system.sbin / "modprobe.distrib").write_text("somebody's\n")
    elif trouble == "directory":
        (system.sbin / "rmmod").unlink()
        (system.sbin / "rmmod").mkdir()
    elif trouble == "none":
        (system.sbin / "modprobe").unlink()
        system.paths.remove(system.sbin / "modprobe")
    else:
        (system.root / "usr/bin/lkmctl").unlink()
    before = system.picture()
    done = system.run("on", status=1)
    assert "nothing was changed" in done.stderr and sentence in done.stderr
    assert system.picture() == before
    if trouble == "other":
        system.run("off")
        assert system.picture() == before


def test_somebody_elses_diversion(tmp_path):
    """All or none: what was put in place before is put back."""
    system = System(tmp_path / "root")
    subprocess.run(["dpkg-divert", f"--root={system.root}", "--quiet", "--local", "--no-rename", "--divert", "/usr/sbin/rmmod.mine", "--add",
                    "/usr/sbin/rmmod"], check=True)
    before = system.picture()
    assert "/usr/sbin/rmmod could not be replaced: all are put back" in system.run("on", status=1).stderr
    assert system.picture() == before


@pytest.mark.parametrize("arguments", [[], ["nosuch"], ["on", "off"], ["--root"], ["--nosuch", "on"]])
def test_wrong_usage(arguments):
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("Usage: lkmd-divert")


def test_help_and_rights(tmp_path):
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: lkmd-divert") and done.stderr == ""
    done = subprocess.run([SCRIPT, "on"], capture_output=True, text=True, check=False, user=65534, group=65534)
    assert done.returncode == 1 and "only root may do this: sudo" in done.stderr
