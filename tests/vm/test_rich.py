# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine full of devices: each has its driver. Started once more with udevd in charge (--soak): the same modules, the same drivers."""

import collections
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import driver
from support import ask, ask_all, wait_idle

# Loaded by other parts of the system when their turn comes (sockets, mounts, binfmt), with or without lkmd: whether
# they are there already at the moment of the comparison is no question of devices.
NOT_FOR_DEVICES = {"binfmt_misc", "autofs4", "configfs", "efi_pstore", "drm", "nfnetlink", "ip_tables", "x_tables",
                   "qemu_fw_cfg", "fuse", "loop", "dm_mod", "dmi_sysfs"}

# Several drivers can have this, and whichever comes first has it, with udevd as with lkmd: vendor:device of PCI or USB,
# and the drivers. Of a USB device one interface at least must have one of them.
SEVERAL_CANDIDATES = {
    "0x10ec:0x8139": {"8139cp", "8139too"},
    "0525:a4a2": {"cdc_ether", "cdc_subset", "rndis_host"},
}

# The firmware's picture is a device only until the graphics driver takes the card over.
GONE_AGAIN = {"/sys/devices/platform/vga-framebuffer.0"}

# In the machine, and in one process: a shell would start a thousand.
DRIVERS = r"""
import glob, os

def read(*path):
    try:
        with open(os.path.join(*path)) as file:
            return file.read().strip()
    except OSError:
        return None

def ident_of(device):
    if read(device, "bInterfaceNumber"):
        return f"{read(device, '..', 'idVendor')}:{read(device, '..', 'idProduct')}"
    return f"{read(device, 'vendor')}:{read(device, 'device')}"

found = set()
for link in glob.glob("/sys/bus/*/devices/*/driver"):
    device = os.path.realpath(os.path.dirname(link))
    found.add(f"{device}|{os.path.basename(os.readlink(link))}|{ident_of(device)}")
print("\n".join(sorted(found)))
"""

State = collections.namedtuple("State", "modules drivers candidates")


def normal(path):
    """Device names with a number that counts in the order of arrival, without that number."""
    return re.sub(r"(?<=[a-z])\d+(?=[/:.]|$)|(?<=/)\d+:\d+:\d+:\d+(?=/|$)|\.[0-9A-F]{4}(?=/|$)|(?<=target)\d+(?=:)",
                  "N", path)


def state_of(machine):
    modules = {line.split()[0] for line in machine.read("/proc/modules").splitlines()}
    drivers, candidates = collections.Counter(), collections.defaultdict(set)
    for line in machine.run(["python3", "-c", DRIVERS], timeout=120).stdout.splitlines():
        path, name, ident = line.split("|")
        if ident in SEVERAL_CANDIDATES:
            candidates[ident].add(name)
        else:
            drivers[normal(path), name] += 1
    return State(modules, drivers, candidates)


@pytest.fixture(scope="module")
def stock():
    machine = driver.boot("rich", lkmd=False, settle=False)
    machine.run("systemctl is-system-running --wait", check=False, timeout=240)
    machine.run("udevadm settle --timeout=200", timeout=240)
    state = state_of(machine)
    machine.remove()
    return state


@pytest.fixture(scope="module")
def rich():
    machine = driver.boot("rich")
    wait_idle(machine, 200)
    machine.run("udevadm settle --timeout=200", timeout=240)
    wait_idle(machine, 200)
    yield machine
    machine.remove()


@pytest.fixture(scope="module")
def with_lkmd(rich):
    return state_of(rich)


def test_every_device_is_there(rich):
    devices = rich.run("cat /sys/bus/pci/devices/*/modalias /sys/bus/usb/devices/*/modalias").stdout.splitlines()
    assert len(devices) > 80


def test_nothing_is_missing(rich, with_lkmd):
    """All that the devices ask for, and what asks is what udevd would have asked for."""
    devices = ask_all(rich, "devices")
    assert len(devices) > 150 and sum("driver" in device for device in devices) > 90
    wanted = {candidate for device in devices for candidate in device["candidates"]}
    assert len(wanted) > 50
    assert [name for name in wanted - with_lkmd.modules if not ask(rich, "status", name).get("blacklist")] == []
    for ident, names in with_lkmd.candidates.items():
        assert names <= SEVERAL_CANDIDATES[ident], ident
    # what has no driver had all of them, and none took it
    unbound = ask_all(rich, "devices", "--unbound")
    assert not [device for device in unbound if not device["causes"] or "driver" in device]


@pytest.mark.soak
def test_same_modules(stock, with_lkmd):
    assert len(with_lkmd.modules) > 110
    missing = stock.modules - with_lkmd.modules - NOT_FOR_DEVICES
    more = with_lkmd.modules - stock.modules - NOT_FOR_DEVICES
    assert (missing, more) == (set(), set()), "missing with lkmd, only there with lkmd"


@pytest.mark.soak
def test_same_driver_for_every_device(stock, with_lkmd):
    assert sum(with_lkmd.drivers.values()) > 120
    assert sorted((stock.drivers - with_lkmd.drivers).elements()) == []
    assert sorted((with_lkmd.drivers - stock.drivers).elements()) == []


@pytest.mark.soak
def test_one_of_several_drivers(stock, with_lkmd):
    for state in (stock, with_lkmd):
        assert state.candidates.keys() == SEVERAL_CANDIDATES.keys()
        for ident, names in state.candidates.items():
            assert names <= SEVERAL_CANDIDATES[ident], ident


def test_lkmd_was_in_charge(rich):
    status = ask(rich, "status")
    assert status["inCharge"] == "lkmd" and status["coldplugDone"] and status["idle"]
    assert status["failures"] == [] and status["problems"] == []
    assert status["counters"]["rescans"] == 0
    assert rich.run("systemctl --failed --plain --no-legend").stdout == ""


def test_subsystems_of_modaliases(rich):
    """What lkmctl explain takes for the subsystem of a device by its modalias is what the kernel says."""
    source = (Path(__file__).parents[2] / "src/common/device/modalias-subsystem.c").read_text()
    table = {kind: subsystem or kind for kind, subsystem in re.findall(r'{ "([\w-]+)", (?:NULL|"([\w-]+)") },', source)}
    subsystems = dict(line.split() for line in rich.run(r"find /sys/devices -name subsystem -printf '%h %l\n'").stdout.splitlines())
    seen = set()
    for line in rich.run("grep -rsH ^MODALIAS= --include=uevent /sys/devices").stdout.splitlines():
        path, modalias = line.split("/uevent:MODALIAS=", 1)
        kind = modalias.partition(":")[0]
        if kind in table and path in subsystems:
            assert subsystems[path].rpartition("/")[2] == table[kind], line
            seen.add(kind)
    assert {"pci", "usb", "hid", "input", "virtio", "serio", "platform", "cpu", "dmi"} <= seen


def test_every_module_has_a_cause(rich):
    modules = ask_all(rich, "list")
    assert all("loadedBy" in m for m in modules), [m["name"] for m in modules if "loadedBy" not in m]
    expected = [m["loadedBy"] for m in modules if m["name"] not in NOT_FOR_DEVICES]
    for_devices = [record for record in expected if record["requester"]["origin"] == "device"]
    others = [(record["module"], record["requester"]) for record in expected if record["requester"]["origin"] != "device"]
    # What other parts of the system have loaded (filesystems, protocols, crypto on demand) is few.
    assert len(others) < 10, others
    assert all(record["reason"] == "requested" or record["parent"] for record in for_devices), for_devices
    devices = {"/sys" + record["requester"]["device"] for record in for_devices}
    devices -= GONE_AGAIN
    assert len(devices) > 30
    rich.run(["ls", "-d", *sorted(devices)])            # fails if one is not there


def test_no_module_was_loaded_twice(rich):
    lines = rich.journal("-b", "-u", "lkmd", "-o", "cat", "MESSAGE_ID=8a6e00149c394731b00f564799df73f1").splitlines()
    loads = collections.Counter(line.split(":")[0] for line in lines if ": loaded in " in line)
    assert len(loads) > 100
    assert {name: n for name, n in loads.items() if n > 1} == {}


def test_pictures_of_a_full_machine(rich, tmp_path):
    """All loads of the boot have a line of their own, whose time is the ledger's, and each module has its box."""
    svg = "{http://www.w3.org/2000/svg}"
    records = ask_all(rich, "plot")
    plot = rich.run("lkmctl plot", timeout=120).stdout
    titles = [group.find(f"{svg}title").text for group in ElementTree.fromstring(plot).iter(f"{svg}g") if group.get("class") == "load"]
    assert len(titles) > 100
    began = collections.Counter((r["module"], f"{r['beganUSec'] / 1_000_000:.3f}") for r in records if "beganUSec" in r)
    drawn = collections.Counter((title.split(":")[0], re.search(r"began at ([0-9.]+) s", title)[1]) for title in titles if "began at" in title)
    assert began == drawn

    graph = rich.run("lkmctl graph --svg", timeout=120).stdout
    boxes = [group for group in ElementTree.fromstring(graph).iter(f"{svg}g") if group.get("class") == "module"]
    assert len(boxes) == len(rich.read("/proc/modules").splitlines())
    for picture in (plot, graph):
        (tmp_path / "picture.svg").write_text(picture)
        for width in (800, 1600):
            subprocess.run(["rsvg-convert", "-w", str(width), "-o", str(tmp_path / "picture.png"), str(tmp_path / "picture.svg")],
                           check=True, timeout=120)


def test_memory_of_a_full_machine(rich):
    answer = ask(rich, "memory")
    sizes = {line.split()[0]: int(line.split()[1]) for line in rich.read("/proc/modules").splitlines()}
    assert {m["module"]: m["sizeBytes"] for m in answer["modules"]} == sizes
    assert answer["unknownModules"] == 0 and answer["sizeBytes"] == answer["vmalloc"]["moduleBytes"]
    assert sum(m["areas"] for m in answer["modules"]) == answer["vmalloc"]["moduleAreas"]


def test_what_was_late(rich):
    steps = ask_all(rich, "critical-chain")
    assert steps[0]["usableUSec"] == max(r["usableUSec"] for r in ask_all(rich, "plot") if r["outcome"] == "loaded" and "usableUSec" in r)
    for later, earlier in zip(steps, steps[1:]):
        assert earlier["beganUSec"] <= later["queuedUSec"] or earlier["usableUSec"] <= later["beganUSec"]
