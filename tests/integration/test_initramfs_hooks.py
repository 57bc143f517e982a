# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl policy export, and what the hooks of initramfs-tools and dracut put into an image; doctor compares it later."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from lkmctl_bench import LKMCTL
from module_tree import make_tree
from test_doctor import MAIN, RELEASE, World

BUILD = Path(LKMCTL).parents[2]
HEAD = "# Written by \"lkmctl policy export\", lkmctl(1): what the policy of lkmd denies by name, for where lkmd is not.\n" \
       "# Changes here are lost when it is written again; \"lkmctl explain NAME\" shows the rule to change.\n"
POLICY = """version: 1
rules:
- {id: sticks, match: {module: usb-storage}, verdict: deny, reason: no sticks}
- {id: for-users, match: {module: uas, origin: kernel}, verdict: deny}
- {id: mine, match: {module: dummy}, verdict: allow}
"""
MODULES = {"usb-storage": ((), ()), "uas": (("usb-storage",), ()), "dummy": ((), ())}


def lines(*names):
    return HEAD + "".join(f"install {n} /bin/false\nblacklist {n}\n" for n in names)


@pytest.fixture
def machine(tmp_path):
    """run() is lkmctl policy export there."""
    make_tree(tmp_path, RELEASE, MODULES)
    make_tree(tmp_path, "9.9.9-other", {"dummy": ((), ()), "floppy": ((), ())})

    def run(*words, check=0):
        done = subprocess.run([LKMCTL, "policy", "export", "--root", tmp_path, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_ROOT": str(tmp_path), "LKMD_POLICY_ROOT": str(tmp_path)})
        assert done.returncode == check, done
        return done

    def policy(text, name="etc/lkmd/policy.d/a.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run.policy = policy
    run.path = tmp_path
    return run


def test_export(machine):
    assert machine().stdout == HEAD
    machine.policy(POLICY)
    assert machine().stdout == machine("--modprobe.d").stdout == lines("usb_storage")
    assert [json.loads(line) for line in machine("--json=short").stdout.splitlines()] == [{"module": "usb_storage", "verdict": "deny"}]
    assert machine("--quiet").stdout == ""
    assert machine("--kernel", "9.9.9-other").stdout == HEAD
    machine.policy("version: 1\ndefault: deny\n", "etc/lkmd/policy.d/z.yaml")
    assert machine().stdout == lines("uas", "usb_storage")
    assert machine("--kernel", "9.9.9-other").stdout == lines("floppy")


def test_only_what_lasts_is_exported(machine):
    deny = "version: 1\nrules:\n- {id: x, match: {module: dummy}, verdict: deny}\n"
    machine.policy(deny, "run/lkmd/policy.d/b.yaml")
    assert machine().stdout == HEAD
    assert machine("--policy", machine.path / "run/lkmd/policy.d/b.yaml").stdout == lines("dummy")
    machine.policy(deny, "usr/lib/lkmd/policy.d/b.yaml")
    assert machine().stdout == lines("dummy")
    machine.policy("[Manager]\nMode=audit\n", "etc/lkmd/lkmd.conf")
    assert machine().stdout == HEAD             # nothing is refused


def test_nothing_is_exported_of_a_broken_policy(machine):
    machine.policy(POLICY)
    machine.policy("version: 7\n", "etc/lkmd/policy.d/b.yaml")
    done = machine(check=1)
    assert done.stdout == "" and "nothing is exported: a file of the policy is broken" in done.stderr and "policy check" in done.stderr
    assert "error" in json.loads(machine("--json=short", check=1).stdout.splitlines()[-1])


# -------------------------------------------------------------------------------------------------------------- hooks

# The functions of dracut. What inst_multiple is asked for is written down, a name a line.
DRACUT = """inst_multiple() {
    case $* in */bin/false*) mkdir -p $initdir/bin; echo exec >$initdir/bin/false ;; esac
    printf '%s\\n' "$@" >>$initdir.asked
}
inst_binary() { mkdir -p $initdir${1%/*}; echo exec >$initdir$1; }
inst_libdir_file() { :; }"""


@pytest.fixture
def hooked(tmp_path):
    """A made-up machine with the hooks, run for it as mkinitramfs and dracut do; make() gives what the image has."""
    world = World(tmp_path / "machine", **MODULES)
    root = world.path
    texts = {name: (BUILD / "initramfs" / name).read_text() for name in ("initramfs-hook.sh", "lkmd", "module-setup.sh")}
    world.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nlkmd:x:990:989::/:/bin/false\nlkmd2:x:3:3::/:/bin/false\n")
    world.write("etc/group", "lkmd:x:989:\nlkmd-admin:x:988:somebody\nlkmd-x:x:987:\n")
    # The functions that mkinitramfs brings.
    stubs = root / "usr/share/initramfs-tools/hook-functions"
    world.write("usr/share/initramfs-tools/hook-functions",
                'copy_exec() { mkdir -p "$DESTDIR${1%/*}"; echo exec >"$DESTDIR$1"; }\n')
    world.write("usr/bin/lkmctl", f"#!/bin/sh\nexec {LKMCTL} \"$@\" --root {root}\n")
    world.at("usr/bin/lkmctl").chmod(0o755)
    for path in ("/usr/bin/lkmctl", "/usr/lib/lkmd", "/etc/lkmd", "/usr/share/lkmd", "/usr/share/initramfs-tools/hook-functions"):
        texts = {name: text.replace(path, f"{root}{path}") for name, text in texts.items()}
    world.write("usr/lib/lkmd/initramfs-hook.sh", texts["initramfs-hook.sh"].replace('"$lkmd_to$lkmd_file"', '"$lkmd_to${lkmd_file#' + str(root) + '}"')
                .replace('"$lkmd_to${lkmd_file%/*}"', '"$lkmd_to$(dirname "${lkmd_file#' + str(root) + '}")"'))
    assert stubs.exists()
    world.write("hook", texts["lkmd"])
    world.write("module-setup.sh", texts["module-setup.sh"])
    world.at("hook").chmod(0o755)

    def make(maker="initramfs-tools", check=0, systemd=True):
        image = tmp_path / "image"
        subprocess.run(["rm", "-rf", image], check=True)
        (image / "usr/sbin").mkdir(parents=True)
        (image / "usr/sbin/modprobe").write_text("kmod's")
        if maker == "initramfs-tools":
            words = ["sh", "-e", world.at("hook")]
        else:
            words = ["bash", "-c", f"{DRACUT}; dracut_module_included() {{ [[ $1 == systemd && {systemd} == True ]]; }}; dracutsysrootdir={root}; "
                                   f". {world.at('module-setup.sh')}; check || exit 0; depends; install"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False,
                              env={**world.environment(), "DESTDIR": str(image), "version": RELEASE, "initdir": str(image), "kernel": RELEASE})
        assert done.returncode == check, done
        make.stderr = done.stderr
        return image
    world.make_hooked = make
    yield world
    if world.server:
        world.server.close()


def files(image):
    return {str(p.relative_to(image)): p.read_text() for p in image.rglob("*") if p.is_file() and not p.is_symlink() and p.name != "false"}


@pytest.mark.parametrize("maker", ["initramfs-tools", "dracut"])
def test_what_the_hooks_bring(hooked, maker):
    hooked.write("etc/lkmd/policy.d/a.yaml", POLICY)
    hooked.link("etc/lkmd/policy.d/m.yaml", "/dev/null")
    hooked.write("etc/lkmd/lkmd.conf", "[Manager]\nMode=enforce\n")
    got = hooked.make_hooked(maker)
    assert files(got) == {"etc/modprobe.d/lkmd-denied.conf": lines("usb_storage"), "etc/lkmd/policy.d/a.yaml": POLICY,
                          "etc/lkmd/lkmd.conf": "[Manager]\nMode=enforce\n", "usr/sbin/modprobe": "kmod's"}
    assert os.readlink(got / "etc/lkmd/policy.d/m.yaml") == "/dev/null"
    assert (got / "bin/false").exists()         # which the lines run

    hooked.write("etc/lkmd/lkmd.conf.d/x.conf", "[Manager]\nInInitramfs = no \n")
    assert files(hooked.make_hooked(maker)) == {"usr/sbin/modprobe": "kmod's"}
    hooked.write("etc/lkmd/lkmd.conf.d/y.conf", "[Manager]\nInInitramfs=lkmctl\n")
    got = hooked.make_hooked(maker)
    assert os.readlink(got / "usr/sbin/modprobe").endswith("/usr/bin/lkmctl")
    assert not (got / "etc/passwd").exists()
    hooked.write("etc/lkmd/lkmd.conf.d/y.conf", "[Manager]\nInInitramfs=nonsense\n")
    assert files(hooked.make_hooked(maker))["etc/modprobe.d/lkmd-denied.conf"] == lines("usb_storage")


def test_lkmd_itself(hooked):
    """Where there is systemd, each program is brought that its units run, with the user that they run as; elsewhere it is as lkmctl."""
    hooked.write("etc/lkmd/lkmd.conf.d/y.conf", "[Manager]\nInInitramfs=lkmd\n")
    got = hooked.make_hooked("dracut")
    assert hooked.make_hooked.stderr == "" and os.readlink(got / "usr/sbin/modprobe").endswith("/usr/bin/lkmctl")
    assert (got / "etc/passwd").read_text() == "lkmd:x:990:989::/:/bin/false\n"
    assert (got / "etc/group").read_text() == "lkmd:x:989:\nlkmd-admin:x:988:somebody\n"
    assert os.readlink(got / "usr/lib/systemd/system/sysinit.target.wants/lkmd.service") == "../lkmd.service"
    asked = {name.removeprefix(str(hooked.path)) for name in Path(f"{got}.asked").read_text().splitlines()}
    units = {name.rpartition("/system/")[2] for name in asked if "/systemd/system/" in name and "*" not in name}
    assert {"lkmd.service", "lkmd.socket", "lkmd-loader.socket", "lkmd-loader.service", "lkmd-handover.path"} <= units
    for unit in units:
        text = unit_text(unit)
        assert set(re.findall(r"^Exec\w+=[-+@]*(/usr/\S+)", text, flags=re.M)) <= asked, unit
        assert "@.service" in unit or "/" in unit or "Conflicts=initrd-switch-root.target " in text, f"{unit} goes on after the switch to the root file system"
        wanted = {name for line in re.findall(r"^Wants=(.*)", text, flags=re.M) for name in line.split() if name.startswith("lkmd")}
        assert wanted - units <= {"lkmd-keep.path", "lkmd-keep.service", "lkmd-audit.service"}, unit     # they write to /var

    for maker, systemd, reason in (("dracut", False, "this initramfs has no systemd"), ("initramfs-tools", True, "initramfs-tools puts no systemd"),
                                   ("dracut", True, f"there is no user lkmd in {hooked.path}/etc/passwd")):
        if "user" in reason:            # an image-based system may have it elsewhere
            hooked.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        got = hooked.make_hooked(maker, systemd=systemd)
        assert reason in hooked.make_hooked.stderr and "puts lkmctl there, and not lkmd" in hooked.make_hooked.stderr
        assert os.readlink(got / "usr/sbin/modprobe").endswith("/usr/bin/lkmctl") and not (got / "etc/passwd").exists()


def unit_text(unit):
    places = [BUILD / "systemd" / unit.rpartition("/")[2], Path("systemd") / unit]
    return next(place for place in places if place.exists()).read_text(encoding="utf-8")


@pytest.mark.parametrize("maker", ["initramfs-tools", "dracut"])
def test_an_image_is_made_in_any_case(hooked, maker):
    hooked.write("etc/lkmd/policy.d/a.yaml", "version: 7\n")
    got = hooked.make_hooked(maker)
    assert "etc/modprobe.d/lkmd-denied.conf" not in files(got) and "etc/modprobe.d/lkmd-denied.conf.new" not in files(got)
    assert f"lkmd: what the policy denies is not in this initramfs for {RELEASE}" in hooked.make_hooked.stderr
    hooked.at("usr/bin/lkmctl").unlink()        # the package is removed, and its configuration is not
    assert files(hooked.make_hooked(maker)) == {"usr/sbin/modprobe": "kmod's"} and hooked.make_hooked.stderr == ""


def test_doctor_compares(hooked):
    hooked.write("usr/share/initramfs-tools/hooks/lkmd", "")
    hooked.write("etc/lkmd/policy.d/a.yaml", POLICY)
    rows = hooked.doctor(check=1)["initramfs"]
    assert [sentence for _, sentence, _ in rows] == [f"in /{hooked.image}, /etc/modprobe.d/lkmd-denied.conf is missing"]
    hooked.make_image({**MAIN, **files(hooked.make_hooked())})
    assert hooked.doctor(check=0)["initramfs"][0][0] == "ok"

    hooked.write("etc/lkmd/policy.d/a.yaml", POLICY.replace("module: dummy}, verdict: allow", "module: dummy}, verdict: deny"))
    rows = hooked.doctor(check=1)["initramfs"]
    assert sorted(sentence for _, sentence, _ in rows) == [
        f"in /{hooked.image}, /etc/{name} is another one than on disk" for name in ("lkmd/policy.d/a.yaml", "modprobe.d/lkmd-denied.conf")]
    assert {command for *_, command in rows} == {f"update-initramfs -u -k {RELEASE}"}
    hooked.make_image({**MAIN, **files(hooked.make_hooked())})
    assert hooked.doctor(check=0)["initramfs"][0][0] == "ok"
    hooked.write("etc/lkmd/lkmd.conf", "[Manager]\nInInitramfs=no\n")
    hooked.make_image({**MAIN, **files(hooked.make_hooked())})
    assert hooked.doctor(check=0)["initramfs"][0][0] == "ok"
