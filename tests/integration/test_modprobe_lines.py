# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lines of real distributions and guides: each row of modprobe-lines.txt, which says what it means, has the outcome and the findings that a
reader would expect."""

import json
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from module_tree import make_tree
from policy_bench import PROJECT, RELEASE, Machine

TABLE = Path(__file__).with_name("modprobe-lines.txt")
Row = namedtuple("Row", "source lines outcomes findings")


def read_table():
    modules, builtin, rows = {}, [], []
    for line in TABLE.read_text().splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "@":
            rows.append(Row(rest, [], [], []))
        elif not rows and mark == "module":
            name, *facts = rest.split()
            facts = [fact.partition("=")[::2] for fact in facts]
            info = [f"parmtype={parameter}:int" for key, value in facts if key == "params" for parameter in value.split(",")]
            info += [f"alias={value}" for key, value in facts if key == "alias"] + [f"softdep=pre: {value}" for key, value in facts if key == "pre"]
            modules[name] = (tuple(value for key, value in facts if key == "needs"), info)
        elif not rows and mark == "builtin":
            builtin.append(rest)
        elif rows and mark == "!":
            rows[-1].findings.extend(rest.split())
        elif rows and mark in (">", "device"):
            rows[-1].outcomes.append(("device" if mark == "device" else "client", *rest.rsplit(": ", 1)))
        elif rows and line and not line.startswith("# ---"):
            rows[-1].lines.append(line)
    return modules, builtin, rows


MODULES, BUILTIN, ROWS = read_table()


def to_bytes(line):
    """The line with \\xNN and a \\r at its end made real."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), re.sub(r"\\r$", "\r", line).encode())


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make_tree(root, RELEASE, MODULES, b"".join(f"{name}.license=GPL\0".encode() for name in BUILTIN))
    (root / "lib/modules" / RELEASE / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in BUILTIN))
    subprocess.run(["depmod", "-b", root, RELEASE], check=True)
    return root


@pytest.fixture
def machine(tree, tmp_path):
    path = tmp_path / "machine"
    path.mkdir()
    return Machine(tree, path)


def step_text(step):
    words = {"insert": "", "command": " by command", "builtin": " built in"}
    return step["module"] + words[step["action"]] + (" " + step["parameters"] if step["parameters"] else "")


def outcome(machine, origin, key):
    done = machine.run("explain", "--json", f"--origin={origin}", key)
    if done.returncode == 5:
        return "nothing"
    answer, = json.loads(done.stdout)["answers"]
    if answer["plan"]["steps"]:
        assert done.returncode == 0
        return ", ".join(step_text(step) for step in answer["plan"]["steps"])
    return "denied" if done.returncode == 3 else "fails"


def test_the_table_is_a_table():
    assert len({row.source for row in ROWS}) == len(ROWS) > 200
    assert sum(not line.startswith("#") for row in ROWS for line in row.lines) >= 300
    assert all(row.lines for row in ROWS)
    lines = [tuple(row.lines) for row in ROWS]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.source)
def test_row(machine, row):
    (machine.modprobe_d / "a.conf").write_bytes(b"\n".join(map(to_bytes, row.lines)) + b"\n")
    assert [(origin, key, outcome(machine, origin, key)) for origin, key, _ in row.outcomes] == row.outcomes
    done = machine.run("policy", "lint", "--json")
    found = [finding for finding in json.loads(done.stdout) if finding["file"] != "/proc/cmdline"]
    assert sorted(finding["kind"] for finding in found) == sorted(row.findings), found
    for finding in found:
        assert finding["file"] == str(machine.modprobe_d / "a.conf") and 1 <= finding["line"] <= len(row.lines)
        assert finding["message"] == finding["message"].strip() and not finding["message"].endswith(".")
    assert done.returncode == (1 if any(finding["level"] == "finding" for finding in found) else 0)


# What packages have in /etc/modprobe.d, where nothing tells it from the administrator's, by the rows above.
STOCK = {
    "Debian": {"intel-microcode-blacklist.conf": "Debian, intel-microcode", "amd64-microcode-blacklist.conf": "Debian, intel-microcode",
               "mdadm.conf": "Debian and Ubuntu, mdadm", "nvidia-kernel-common.conf": "Debian, nvidia-kernel-common: device nodes",
               "dkms.conf": "Debian, dkms: a file without lines", "broadcom-sta-common.conf": "Debian, broadcom-sta",
               "kmod.conf": "Debian 13, kmod: sound cards that are no first card", "fbdev-blacklist.conf": "Debian 13, kmod: frame buffers"},
    "Ubuntu": {"alsa-base.conf": "Ubuntu, alsa-base: order of sound cards, one of them by a name that is no module's",
               "alsa-links.conf": "Ubuntu, alsa-base: links of modules", "blacklist.conf": "Ubuntu, kmod: drivers of old days",
               "blacklist-firewire.conf": "Ubuntu, kmod: the old firewire stack", "blacklist-ath_pci.conf": "Ubuntu, kmod: the driver of madwifi",
               "blacklist-rare-network.conf": "Ubuntu, kmod: protocols that hardly anybody has",
               "iwlwifi.conf": "Ubuntu, kmod: unload the parts of iwlwifi first", "mdadm.conf": "Debian and Ubuntu, mdadm"},
    "Fedora": {"dccp-blacklist.conf": "Fedora, kernel-modules-extra: what was moved out of the kernel package", "mlx4.conf": "Fedora, rdma-core and mlx4",
               "lockd.conf": "Fedora, nfs-utils: ports, all in comments", "kvm.conf": "Fedora, kvm: nested guests, in comments but one",
               "tuned.conf": "Fedora, tuned: a file for it to fill", "firewalld-sysctls.conf": "RHEL, firewalld: the size of the table"},
    "Arch": {"nvidia-utils.conf": "Arch, nvidia-utils", "bluetooth-usb.conf": "Arch, bluez: no polling of devices that sleep",
             "udlfb.conf": "Arch, usb_modeswitch and others: frame buffer of USB displays",
             "systemd.conf": "systemd: no interface that nobody asked for"},
}


@pytest.mark.parametrize("name", STOCK)
def test_stock_files_are_no_mistake(machine, name):
    rows = {row.source: row for row in ROWS}
    shutil.copytree(PROJECT / "conf/lint.d", machine.root / "usr/lib/lkmd/lint.d")
    for file, source in STOCK[name].items():
        (machine.modprobe_d / file).write_bytes(b"\n".join(map(to_bytes, rows[source].lines)) + b"\n")
    done = machine.run("policy", "lint", check=0)
    assert f" in {len(STOCK[name])} files of " in done.stdout
    with (machine.modprobe_d / "zz-ours.conf").open("w") as file:
        file.write("blacklist squashfs\n")
    machine.run("policy", "lint", check=1)
