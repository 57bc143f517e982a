# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of policies on the command line share: a tree of modules, a machine's policy, lkmctl on both."""

import os
import subprocess
from pathlib import Path

import pytest

from module_tree import make_tree

PROJECT = Path(__file__).resolve().parents[2]
LKMCTL = str(Path(os.environ.get("LKMD_BUILD", PROJECT / "build/dev")) / "src/cli/lkmctl")
RELEASE = "6.0.0-policy"

MODULES = {
    "usb-core": ((), ()),
    "usb-storage": (("usb-core",), ("alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*",)),
    "uas": (("usb-storage",), ("alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip62in*",)),
    "nvidia": ((), ("alias=pci:v000010DEd*sv*sd*bc03sc*i*",)),
    "nouveau": ((), ("alias=pci:v000010DEd*sv*sd*bc03sc*i*",)),
    "vfio-pci": ((), ()),
    "crc-fast": ((), ()),
    "ext9": (("usb-core",), ("softdep=pre: crc-fast", "alias=fs-ext9")),
    "x25": ((), ("alias=net-pf-9",)),
    "firewire-core": ((), ("alias=ieee1394:core",)),
}
DISK = "usb:v1234p5678d0100dc00dsc00dp00ic08isc06ip50in00"
DISK_UAS = "usb:v1234p5678d0100dc00dsc00dp00ic08isc06ip62in00"
GPU = "pci:v000010DEd00002484sv00001043sd0000878Abc03sc00i00"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make_tree(root, RELEASE, MODULES)
    return root


class Machine:
    """A policy of its own, in the places of one that is installed, and a modprobe.d."""

    def __init__(self, tree, path):
        self.tree, self.root = tree, path
        self.modprobe_d = path / "modprobe.d"
        self.modprobe_d.mkdir()

    def write(self, path, text):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def policy(self, text, name="50-test.yaml"):
        return self.write(f"etc/lkmd/policy.d/{name}", text)

    def modprobe(self, text):
        (self.modprobe_d / "a.conf").write_text(text)

    def run(self, *words, check=None, tree=True, **variables):
        if tree:
            n = 2 if words[0] == "policy" else 1
            words = [*words[:n], "--root", self.tree, "--kernel", RELEASE, "--config", self.modprobe_d, *words[n:]]
        done = subprocess.run([LKMCTL, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_POLICY_ROOT": str(self.root), **variables})
        if check is not None:
            assert done.returncode == check, done
        return done


@pytest.fixture
def machine(tree, tmp_path):
    path = tmp_path / "machine"
    path.mkdir()
    return Machine(tree, path)
