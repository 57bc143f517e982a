# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each example of the manual pages and of README.md is run or checked: policies, settings, units, output, and commands against lkmd's stand-in."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from examples import ON_A_MACHINE, PAGES, PROJECT, all_examples, listed
from fake_lkmd import more, reply
from lkmctl_bench import DESCRIPTION, E1000E, FLOPPY, LKMCTL, PTP, STATUS, ctl, environment, lkmd
from module_tree import make_tree

BUILD = Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev"))
RELEASE = os.uname().release
MODULES = {
    "usb-storage": ((), ("alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*",)), "uas": (("usb-storage",), ()), "ptp": ((), ()),
    "e1000e": (("ptp",), ("alias=pci:v00008086d000010D3sv*sd*bc*sc*i*", "parmtype=IntMode:array of int")), "af-alg": ((), ("alias=net-pf-38",)),
    "nfsd": ((), ()), "usbhid": ((), ("parmtype=mousepoll:uint",)), "squashfs": ((), ()),
}
GRANT = {"id": "grant-1", "module": "usb_storage", "verdict": "allow", "reason": "x", "once": True}
# Examples that are output rather than input: whose text, and what of this test looks at it.
OUTPUT = {("lkmd-lint.5.scd", "mosepoll"): "finding", ("lkmd-lint.5.scd", "accept built_in the other"): "accepted_in_place",
          ("lkmd-lint.5.scd", "blacklist-old.conf"): "accepted"}
EXAMPLES = all_examples()


def of_kind(*kinds):
    chosen = [example for example in EXAMPLES if example.kind() in kinds]
    return pytest.mark.parametrize("example", chosen, ids=map(str, chosen))


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    root = tmp_path_factory.mktemp("modules")
    make_tree(root, RELEASE, MODULES)
    shutil.copytree(root / "lib/modules" / RELEASE, root / "lib/modules/6.12.48+deb13-amd64")
    return root


@pytest.fixture
def world(tmp_path, environment, modules):
    """A machine's policy directories, with the lists that lkmd brings, and what lkmctl has to know to use them."""
    root = tmp_path / "root"
    (root / "etc/lkmd/policy.d").mkdir(parents=True)
    shutil.copytree(PROJECT / "conf/lists", root / "usr/share/lkmd/lists", ignore=shutil.ignore_patterns("meson.build"))
    environment.update(LKMD_POLICY_ROOT=str(root), LKMD_ROOT=str(modules))
    return root


def test_there_are_examples():
    assert {example.page for example in EXAMPLES} <= {page.name for page in PAGES}
    assert len(EXAMPLES) > 40


def test_none_is_passed_over():
    """What is of no kind that is tested below is listed by name."""
    for example in EXAMPLES:
        if example.kind() == "other":
            assert [what for (page, words), what in OUTPUT.items() if page == example.page and words in example.text], (example, example.text)
    commands = [command for example in EXAMPLES if example.kind() == "commands" for command in example.commands()]
    for key, test in ON_A_MACHINE.items():
        assert any(listed(command) == key for command in commands), f"no page has: {key}"
        assert not test or (PROJECT / test).exists(), test


# ------------------------------------------------------------------------------------------------------------ files

@of_kind("policy", "rule")
def test_policies(example, world, ctl):
    text = example.text
    if example.kind() == "rule":
        text = "version: 1\nrules:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    file = world / "etc/lkmd/policy.d/10-example.yaml"
    file.write_text(text)
    assert ctl("policy", "check", file, check=0).stdout.startswith("No mistakes: ") or "never" not in text
    assert ctl("policy", "check", check=0).stderr == ""
    assert "10-example.yaml" in ctl("policy", "show", check=0).stdout


@of_kind("settings")
def test_settings(example, world, modules, ctl):
    lint = ["policy", "lint", "--root", modules, "--kernel", RELEASE]
    file = world / "etc/lkmd/lkmd.conf"
    file.write_text(example.text)
    assert "lkmd.conf" not in ctl(*lint).stdout
    file.write_text(example.text + "NoSuchKey=1\n")
    assert "lkmd.conf:%d: " % (example.text.count("\n") + 1) in ctl(*lint, check=1).stdout


@of_kind("unit")
def test_units(example, tmp_path):
    """As a drop-in of the unit that is named, or as a unit that does nothing else."""
    units = tmp_path / "units"
    units.mkdir()
    for unit in (*(BUILD / "systemd").glob("*.service"), *(BUILD / "systemd").glob("*.timer"), *(PROJECT / "systemd").glob("*.timer")):
        text = re.sub(r"^Exec(Start|Stop)\w*=.*?(?<!\\)$", "", unit.read_text(), flags=re.M | re.S) if unit.suffix == ".service" else unit.read_text()
        (units / unit.name).write_text(text + ("[Service]\nExecStart=/bin/true\n" if unit.suffix == ".service" else ""))
    edited = re.match(r"# systemctl edit (\S+)\n", example.text)
    name = edited.group(1) if edited else "example.service"
    if edited:
        assert (units / name).exists(), name
        (units / f"{name}.d").mkdir()
        (units / f"{name}.d/override.conf").write_text(example.text)
    else:
        (units / name).write_text(example.text + "[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", units / name], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{units}:/usr/lib/systemd/system", "SYSTEMD_LOG_TARGET": "console"})
    assert done.returncode == 0 and name not in done.stderr, done.stderr


# ----------------------------------------------------------------------------------------------------------- output

def one_with(words):
    [example] = [example for example in EXAMPLES if words in example.text]
    return example


@pytest.fixture
def lint(tmp_path, modules, ctl):
    """policy lint of one file of modprobe.d, with squashfs in the kernel image."""
    tree = tmp_path / "tree"
    shutil.copytree(modules / "lib", tree / "lib")
    directory = tree / "lib/modules" / RELEASE
    (directory / "kernel/squashfs.ko").unlink()
    with open(directory / "modules.builtin", "a", encoding="utf-8") as f:
        f.write("kernel/squashfs.ko\n")
    subprocess.run(["depmod", "-b", tree, RELEASE], check=True)

    def run(name, text, *words):
        conf = tmp_path / "modprobe.d" / name
        conf.parent.mkdir(exist_ok=True)
        conf.write_text(text)
        return ctl("policy", "lint", "--root", tree, "--kernel", RELEASE, "--config", conf, *words).stdout.replace(str(conf), f"/etc/modprobe.d/{name}")
    return run


def test_a_finding_is_as_it_is_shown(world, lint):
    assert one_with("mosepoll").text in lint("a.conf", "\n\noptions usbhid mosepoll=8\n")


def test_acceptances_accept(world, lint):
    in_place, listed_one = one_with("accept built_in the other").text, one_with("blacklist-old.conf").text
    assert "[built_in]" in lint("a.conf", "blacklist squashfs\n")
    assert "[built_in]" not in lint("a.conf", in_place)
    assert "accepted: the other kernel" in lint("a.conf", in_place, "--all")
    (world / "etc/lkmd/lint.d").mkdir()
    (world / "etc/lkmd/lint.d/old.conf").write_text(listed_one)
    assert "[built_in]" not in lint("blacklist-old.conf", "blacklist squashfs\n")
    assert "accepted: the package is for several kernels" in lint("blacklist-old.conf", "blacklist squashfs\n", "--all")


# What commands call beside lkmctl.
PROGRAMS = {
    "logger": "#!/bin/sh\n",
    # knows no more of the language than which fields are asked for
    "jq": "#!/usr/bin/env python3\nimport json, re, sys\nv = json.load(sys.stdin)\nfirst, *rest = re.findall(r'\\.([a-zA-Z]+)', sys.argv[-1])\n"
          "for item in v[first]:\n    print(*(item[name] for name in rest))\n",
}
# Paths of devices and directories that a machine has, and what there is here instead.
PATHS = {
    "/sys/bus/pci/devices/0000:01:00.0/modalias": "modalias",
    "/etc/lkmd/policy.d/": "",
}
# Exit statuses of commands other than 0: nothing has such a device here, and lint also finds what other examples have left out.
EXPECTED = {
    "lkmctl explain /sys/bus/usb/devices/1-1:1.0": 5,
    "lkmctl wait --device=/sys/bus/pci/devices/0000:03:00.0 --timeout=10": 5,
    "lkmctl monitor": 4,                        # lkmd's stand-in hangs up
    "lkmctl policy edit": 2,                    # there is no terminal; test_policy_edit.py has one
}


@of_kind("commands")
def test_commands(example, world, modules, tmp_path, environment, lkmd):
    """Typed as they stand. That lkmctl is the one that was built, and what else there is on the way does little."""
    lkmd.on("Load", reply(records=[PTP, E1000E], omissions=[]))
    lkmd.on("Grant", reply(grant=GRANT, devices=[]))
    lkmd.on("Revoke", reply())
    lkmd.on("Wait", reply())
    lkmd.on("Audit", reply(entries=[], dropped=0))
    lkmd.on("History", reply(entries=[], complete=True))
    lkmd.on("Status", reply(**{**STATUS, "failures": [FLOPPY]}))
    lkmd.on("DescribeModule", reply(**DESCRIPTION))
    lkmd.on("Monitor", more(), None)
    Path("/lib/modules").mkdir(exist_ok=True)
    lkmd.on("List", reply(modules=[{"name": "usb_storage", "state": "live", "loadedBy": dict(E1000E, module="usb_storage")}]))
    directory = tmp_path / "bin"
    directory.mkdir()
    for name, script in PROGRAMS.items():
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    (directory / "lkmctl").symlink_to(LKMCTL)
    here = tmp_path / "here"
    (here / "policy.d").mkdir(parents=True)
    (here / "policy.d/a.yaml").write_text("version: 1\nrules: [{match: {module: uas}, verdict: deny}]\n")
    (here / "modalias").write_text("pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00\n")
    (here / "image/lib").mkdir(parents=True)
    (here / "image/lib/modules").symlink_to(Path(environment["LKMD_ROOT"]) / "lib/modules")
    for command in example.commands():
        if listed(command):
            continue
        for path, stand_in in PATHS.items():
            command = command.replace(path, stand_in)
        done = subprocess.run(["unshare", "--mount", "sh", "-c", f"mount --bind {modules}/lib/modules /lib/modules && {command}"], cwd=here, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                              env={**environment, "PATH": f"{directory}:{os.environ['PATH']}", "EDITOR": "true"})
        assert done.returncode == EXPECTED.get(command, 0), (command, done)
