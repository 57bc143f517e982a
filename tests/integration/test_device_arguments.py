# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people call devices: interfaces, disks, nodes, USB ports; and devices whose driver is there already."""

import json
import os
import subprocess

import pytest

from fake_lkmd import FakeLkmd, error, reply
from journal_file import JournalFile
from lkmctl_bench import LKMCTL, STATUS
from module_tree import make_tree
from test_log import T0, THIS_BOOT, IDS

RELEASE = os.uname().release
NET, BLOCK, UAS, ORPHAN = "virtio:d00000001v00001AF4", "virtio:d00000002v00001AF4", "usb:v0781p5581dic08isc06ip62in00", "pci:v0000DEADd0000BEEF"
CARD, DISK, PORT = "/devices/pci0000:00/0000:00:03.0/virtio0", "/devices/pci0000:00/0000:00:04.0/virtio1", "/devices/pci0000:00/usb1/1-1"


@pytest.fixture
def machine(tmp_path):
    """A /sys, modules and a journal; run() is lkmctl with them."""
    sys_tree = tmp_path / "sys"

    def device(path, subsystem, modalias=None, driver=None, module=None, bus=True):
        directory = sys_tree / path[1:]
        directory.mkdir(parents=True)
        (directory / "uevent").write_text("".join(f"{k}={v}\n" for k, v in (("DRIVER", driver), ("MODALIAS", modalias)) if v))
        kind = "bus" if bus else "class"
        (directory / "subsystem").symlink_to(f"/sys/{kind}/{subsystem}")
        listed = sys_tree / (f"bus/{subsystem}/devices" if bus else f"class/{subsystem}")
        listed.mkdir(parents=True, exist_ok=True)
        (listed / directory.name).symlink_to(f"/sys{path}")
        if driver:
            drivers = sys_tree / f"bus/{subsystem}/drivers/{driver}"
            drivers.mkdir(parents=True)
            (directory / "driver").symlink_to(f"/sys/bus/{subsystem}/drivers/{driver}")
            if module:
                (drivers / "module").symlink_to(f"/sys/module/{module}")

    device("/devices/pci0000:00/0000:00:03.0", "pci", "pci:v00001AF4d00001041", "virtio-pci")
    device(CARD, "virtio", NET, "virtio_net")
    device(f"{CARD}/net/eth0", "net", bus=False)
    device(DISK, "virtio", BLOCK, "virtio_blk", "virtio_blk")
    device(f"{DISK}/block/vda", "block", bus=False)
    device(f"{DISK}/block/vda/vda1", "block", bus=False)
    device(PORT, "usb", None, "usb")
    device(f"{PORT}/1-1:1.0", "usb", UAS, "uas", "uas")
    device("/devices/pci0000:00/0000:00:05.0", "pci", ORPHAN)
    device("/devices/virtual/net/lo", "net", bus=False)
    device("/devices/virtual/misc/uas", "misc", bus=False)
    (sys_tree / "dev/char").mkdir(parents=True)
    (sys_tree / "dev/char/1:3").symlink_to(f"/sys{DISK}/block/vda") # of /dev/null, which every machine has
    make_tree(tmp_path, RELEASE, {"uas": ((), ("alias=usb:v*p*dic08isc06ip62in*",)), "virtio-blk": ((), ("alias=virtio:d00000002v*",))})
    journal = JournalFile()
    for i, (path, module) in enumerate(((CARD, "failover"), (DISK, "virtio_blk"), (f"{PORT}/1-1:1.0", "uas"))):
        journal.add(T0 + i, THIS_BOOT, MESSAGE_ID=IDS["loaded"], MESSAGE="", LKMD_MODULE=module, LKMD_OUTCOME="loaded", LKMD_REASON="requested",
                    LKMD_ORIGIN="device", LKMD_KEY="x", LKMD_DEVICE=path, LKMD_SUBSYSTEM="virtio", LKMD_DURATION_USEC=5)
    (tmp_path / "journal").mkdir()
    journal.write(tmp_path / "journal/system.journal")
    server = FakeLkmd(tmp_path / "lkmd")
    server.on("Status", reply(**STATUS))
    server.on("DescribeModule", error("NoSuchModule"))

    def run(*words, check=0):
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /sys && exec "$@"', sys_tree, LKMCTL, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99",
                                   "UBSAN_OPTIONS": "halt_on_error=1", "LKMD_ROOT": str(tmp_path), "LKMD_POLICY_ROOT": str(tmp_path),
                                   "LKMD_SOCKET": server.path, "LKMD_JOURNAL": str(tmp_path / "journal")})
        assert done.returncode == check, done
        return done
    run.server = server
    run.explain = lambda *words, check=0: run("explain", "--root", tmp_path, *words, check=check)
    yield run
    server.close()


@pytest.mark.parametrize("argument", ["eth0", "/sys/class/net/eth0", "virtio0", f"/sys{CARD}", f"/sys{CARD}/net/eth0"])
def test_explain_what_is_built_in(machine, argument):
    """That no module is for it is as it should be."""
    text = machine.explain(argument).stdout
    assert text == f"For device {CARD}\n  it has the driver virtio_net of the kernel image\n  nothing has to be loaded for it\n"
    answer = json.loads(machine.explain("--json=short", argument).stdout)
    assert answer["device"] == {"path": CARD, "subsystem": "virtio", "driver": "virtio_net"} and answer["key"] == NET
    assert not answer.get("answers")


@pytest.mark.parametrize("argument", ["vda", "vda1", "/dev/null", "virtio1", f"/sys{DISK}"])
def test_explain_what_is_bound(machine, argument):
    text = machine.explain(argument).stdout
    assert f"For device {DISK}\n  it asks for {BLOCK}, subsystem virtio, driver virtio_blk of the module virtio_blk\n" in text
    assert json.loads(machine.explain("--json=short", argument).stdout)["device"]["module"] == "virtio_blk"


def test_explain_a_port(machine):
    assert f"For device {PORT}/1-1:1.0\n" in machine.explain("1-1").stdout


def test_explain_what_nothing_is_for(machine):
    done = machine.explain("0000:00:05.0", check=5)
    assert f"is for the device /devices/pci0000:00/0000:00:05.0 ({ORPHAN}), and no driver of the kernel image has it" in done.stderr
    assert machine.explain("00:05.0", check=5).stderr == done.stderr
    assert "asks for no module" in machine.explain("lo", check=5).stderr


@pytest.mark.parametrize("argument, device, lines", [
    ("eth0", CARD, ["Driver: virtio_net", "Module: none, the driver is part of the kernel image"]),
    ("/dev/null", DISK, ["Driver: virtio_blk", "Module: virtio_blk"]),
    ("1-1:1.0", f"{PORT}/1-1:1.0", ["Driver: uas", "Module: uas"]),
])
def test_status_of_a_device(machine, argument, device, lines):
    done = machine("status", argument)
    assert f"Path: /sys{device}\n" in done.stdout and all(f"{line}\n" in done.stdout for line in lines), done.stdout
    assert done.stdout == machine("devices", argument).stdout
    answer = json.loads(machine("status", "--json=short", argument).stdout)
    assert answer["device"] == device


def test_a_module_comes_first(machine):
    """There is a device of its name."""
    machine("status", "uas", check=5)
    assert machine.server.calls[-1][0] == "DescribeModule"
    assert "there is no device '/sys/class/net/eth9'" in machine("status", "/sys/class/net/eth9", check=5).stderr
    machine("status", "eth9", check=5)
    assert machine.server.calls[-1][0] == "DescribeModule"


@pytest.mark.parametrize("argument, modules", [
    ("eth0", ["failover"]), ("vda1", ["virtio_blk"]), ("/dev/null", ["virtio_blk"]), ("1-1", ["uas"]), ("0000:00:03.0", ["failover"]),
    ("00:03.0", ["failover"]), ("uas", ["uas"]), ("0000:00:05.0", []),
])
def test_log_of_a_device(machine, argument, modules):
    *entries, _ = map(json.loads, machine("log", "--json=short", argument).stdout.splitlines())
    assert [entry["module"] for entry in entries] == modules
