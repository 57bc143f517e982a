# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hints of lkmctl are about this fault and this tree, and what people copy from other tools is understood."""

import json
import os
import re
import subprocess

import pytest

from fake_lkmd import error
from lkmctl_bench import ctl, environment, lkmd
from policy_bench import DISK, DISK_UAS, GPU, LKMCTL, RELEASE, machine, tree


def lkmctl(*words, check=None, **variables):
    done = subprocess.run([LKMCTL, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1",
                               **variables})
    if check is not None:
        assert done.returncode == check, done
    return done


# ------------------------------------------------------------------------------------------------- the right tree

@pytest.mark.parametrize("verb", ["plan", "explain", "deps"])
def test_depmod_of_the_tree(machine, tree, verb):
    said = machine.run(verb, "zzz", check=5).stderr
    assert f"try: check the spelling; if its package was just installed, run depmod -b {tree} {RELEASE}\n" in said
    assert "depmod -a" not in said


def test_a_root_that_a_shell_would_split(machine, tmp_path, tree):
    root = tmp_path / "it's a root"
    root.symlink_to(tree)
    said = lkmctl("plan", "--root", root, "--kernel", RELEASE, "zzz", check=5).stderr
    assert f"run depmod -b '{tmp_path}/it'\\''s a root' {RELEASE}\n" in said


def test_without_an_index(tmp_path):
    (tmp_path / "lib/modules/1.0").mkdir(parents=True)
    said = lkmctl("plan", "--root", tmp_path, "--kernel", "1.0", "x", check=5).stderr
    assert f"there is no usable module index in {tmp_path}/lib/modules/1.0\n" in said and f"try: depmod -b {tmp_path} 1.0\n" in said
    said = lkmctl("plan", "--root", tmp_path, "--kernel", "2.0", "x", check=5).stderr
    assert f"in {tmp_path}/lib/modules/2.0, which does not exist\n" in said and f"try: ls {tmp_path}/lib/modules shows" in said
    assert "depmod" not in said


def test_without_the_right_to_read(tmp_path):
    directory = tmp_path / "lib/modules/1.0"
    directory.mkdir(parents=True)
    directory.chmod(0o700)
    tmp_path.chmod(0o755)
    for path in list(tmp_path.parents)[:3]:
        path.chmod(path.stat().st_mode | 0o5)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", LKMCTL, "plan", "--root", tmp_path, "--kernel", "1.0", "x"],
                          capture_output=True, text=True, timeout=60, check=False, env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "exitcode=99"})
    assert done.returncode == 1, done
    assert "may not be read" in done.stderr and "the same with sudo" in done.stderr and "depmod" not in done.stderr


@pytest.mark.parametrize("release", ["..", ".", "", "a/b", "../x", "/lib/modules/1.0"])
@pytest.mark.parametrize("verb", ["plan", "resolve"])
def test_kernel_is_the_name_of_a_release(tmp_path, verb, release):
    (tmp_path / "lib/modules").mkdir(parents=True)
    said = lkmctl(verb, "--root", tmp_path, "--kernel", release, "x", check=2).stderr
    assert f"'{release}' is no release of a kernel: --kernel takes the name of a directory below {tmp_path}/lib/modules\n" in said
    assert f"try: ls {tmp_path}/lib/modules\n" in said


# ---------------------------------------------------------------------------------------------------------- names

@pytest.mark.parametrize("written, meant", [
    ("usbstorage", "usb_storage"), ("usb-storge", "usb_storage"), ("USB-STORAGE", "usb_storage"), ("Nouveau", "nouveau"), ("nouvaeu", "nouveau"),
])
@pytest.mark.parametrize("verb", ["plan", "explain", "deps"])
def test_nearest_name(machine, verb, written, meant):
    assert f"no module and no alias is called '{written}'" in (said := machine.run(verb, written, check=5).stderr)
    assert f", did you mean '{meant}'?\n" in said


@pytest.mark.parametrize("written", ["x25.ko", "./x25.ko", "/lib/modules/6.0.0/kernel/net/x25/x25.ko.xz", "x25.ko.zst", "a/usb-storage.ko"])
@pytest.mark.parametrize("verb", ["plan", "explain", "deps", "config"])
def test_files_are_no_names(machine, verb, written):
    name = re.sub(r".*/|\.ko.*", "", written).replace("-", "_")
    said = machine.run(verb, written, check=5).stderr
    assert f"modules go by their names, and '{written}' is a file: that of {name}\n" in said and f"try: the same with {name}\n" in said


def test_the_file_of_a_module_that_is_not_there(machine, tree):
    said = machine.run("plan", "./other.ko", check=5).stderr
    assert f"'./other.ko' is a file: that of other, which is not in {tree}/lib/modules/{RELEASE}\n" in said
    assert f"try: put the file below {tree}/lib/modules, then depmod -b {tree} {RELEASE}\n" in said


@pytest.mark.parametrize("verb", [["load"], ["status"]])
def test_lkmd_is_given_a_file(lkmd, ctl, verb):
    for method in ("Load", "DescribeModule"):
        lkmd.on(method, error("NoSuchModule", message="no module and no alias is called './pcspkr.ko' in /x", hint="run depmod -a"))
    done = ctl(*verb, "./pcspkr.ko", check=5)
    assert "lkmctl: modules go by their names, and './pcspkr.ko' is a file: that of pcspkr\n" in done.stderr
    assert "try: the same with pcspkr\n" in done.stderr and "depmod" not in done.stderr


@pytest.mark.parametrize("verb", ["allow", "deny"])
def test_a_file_is_not_granted(lkmd, ctl, verb):
    done = ctl("policy", verb, "--for=1h", "--reason=x", "usb-storage.ko.xz", check=2)
    assert "'usb-storage.ko.xz' is a file: that of usb_storage\n  try: the same with usb_storage\n" in done.stderr
    assert lkmd.calls == []


@pytest.mark.parametrize("said, meant", [
    ("remove", "unload"), ("rmmod", "unload"), ("delete", "unload"), ("insmod", "load"), ("modprobe", "load"), ("insert", "load"),
    ("lsmod", "list"), ("ls", "list"), ("modinfo", "status"), ("info", "status"), ("watch", "monitor"), ("logs", "log"),
    ("deny", "policy deny"), ("allow", "policy allow"), ("lint", "policy lint"), ("Remove", "unload"), ("laod", "load"), ("xplain", "explain"),
])
def test_verbs_of_other_tools(said, meant):
    done = lkmctl(said, "x", check=2)
    assert f"there is no verb '{said}', did you mean '{meant}'?\n" in done.stderr


# -------------------------------------------------------------------------------------------------------- devices

@pytest.fixture
def sys_tree(tmp_path):
    """A /sys with two graphics cards of one kind, one elsewhere, and a USB disk of two interfaces."""
    root = tmp_path / "sys"

    def device(path, bus, modalias=None, **files):
        directory = root / "devices" / path
        directory.mkdir(parents=True)
        (root / f"bus/{bus}/devices").mkdir(parents=True, exist_ok=True)
        (directory / "uevent").write_text(f"MODALIAS={modalias}\n" if modalias else "DEVTYPE=usb_device\n")
        if modalias:
            (directory / "modalias").write_text(modalias + "\n")
        for name, text in files.items():
            (directory / name).write_text(text + "\n")
        (directory / "subsystem").symlink_to(f"/sys/bus/{bus}")
        (root / f"bus/{bus}/devices" / directory.name).symlink_to(f"/sys/devices/{path}")

    device("pci0000:00/0000:00:01.0", "pci", GPU, vendor="0x10de", device="0x2484")
    device("pci0000:00/0000:00:1f.2", "pci", GPU, vendor="0x10de", device="0x2484")
    device("pci0001:00/0001:00:1f.2", "pci", "pci:v00001234d00005678sv0sd0bc00sc00i00", vendor="0x1234", device="0x5678")
    device("pci0000:00/usb1/1-1", "usb", idVendor="1234", idProduct="5678")
    device("pci0000:00/usb1/1-1/1-1:1.0", "usb", DISK)
    device("pci0000:00/usb1/1-1/1-1:1.1", "usb", DISK_UAS)
    device("pci0000:00/usb1/1-2", "usb", idVendor="abcd", idProduct="ef01")
    return root


def explain(sys_tree, machine, *words, check=None):
    done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys && exec "$@"', sys_tree, LKMCTL, "explain", "--root",
                           machine.tree, "--kernel", RELEASE, "--config", machine.modprobe_d, *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1",
                               "LKMD_POLICY_ROOT": str(machine.root)})
    if check is not None:
        assert done.returncode == check, done
    return done


@pytest.mark.parametrize("address", ["00:1f.2", "00:1F.2", "0000:00:1f.2"])
def test_pci_addresses(sys_tree, machine, address):
    text = explain(sys_tree, machine, address, check=0).stdout
    assert re.findall(r"^For device (\S+)", text, re.M) == ["/devices/pci0000:00/0000:00:1f.2"]


@pytest.mark.parametrize("written", ["10de:2484", "10DE:2484"])
def test_all_devices_with_these_numbers(sys_tree, machine, written):
    text = explain(sys_tree, machine, written, check=0).stdout
    assert re.findall(r"^For device (\S+)", text, re.M) == ["/devices/pci0000:00/0000:00:01.0", "/devices/pci0000:00/0000:00:1f.2"]
    objects = json.loads(explain(sys_tree, machine, "--json=pretty", written, check=0).stdout)
    assert [o["device"]["path"] for o in objects] == ["/devices/pci0000:00/0000:00:01.0", "/devices/pci0000:00/0000:00:1f.2"]


def test_numbers_of_a_usb_device(sys_tree, machine):
    """Its interfaces ask for drivers; a PCI device of the same numbers has none here."""
    text = explain(sys_tree, machine, "1234:5678", check=0).stdout
    assert re.findall(r"^For device (\S+)", text, re.M) == [f"/devices/pci0000:00/usb1/1-1/1-1:1.{i}" for i in range(2)]
    text = explain(sys_tree, machine, "1-1", check=0).stdout
    assert re.findall(r"^For device (\S+)", text, re.M) == [f"/devices/pci0000:00/usb1/1-1/1-1:1.{i}" for i in range(2)]
    machine.policy("version: 1\nrules: [{match: {module: uas}, verdict: deny}]\n")
    explain(sys_tree, machine, "1234:5678", check=3)


@pytest.mark.parametrize("argument, said", [
    ("ffff:0001", "no device here has the numbers ffff:0001, on PCI or on USB\n"),
    ("abcd:ef01", "the device /devices/pci0000:00/usb1/1-2 asks for no module"),
    ("00:1e.0", "no module and no alias is called '00:1e.0'"),
    ("123:5678", "no module and no alias is called '123:5678'"),
    ("12345:5678", "no module and no alias is called '12345:5678'"),
])
def test_no_such_device(sys_tree, machine, argument, said):
    assert said in explain(sys_tree, machine, argument, check=5).stderr


# ---------------------------------------------------------------------------------------------------- policy check

def test_a_directory_is_no_file(machine, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    assert lkmctl("policy", "check", rules, check=0).stdout == "Nothing to check: no file there ends in .yaml.\n"
    for i in range(2):
        (rules / f"{i}.yaml").write_text("version: 1\nrules: [{match: {module: x}, verdict: deny}]\n")
    (rules / "notes.txt").write_text("x")
    assert lkmctl("policy", "check", rules, check=0).stdout == "No mistakes: 2 rules in 2 files.\n"
    assert lkmctl("policy", "check", rules / "0.yaml", check=0).stdout == "No mistakes: 1 rule in 1 file.\n"
    assert lkmctl("policy", "check", rules, rules / "0.yaml", check=0).stdout == "No mistakes: 3 rules in 3 files.\n"
