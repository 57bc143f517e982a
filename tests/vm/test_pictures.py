# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures and figures of a real kernel: what plot, blame and critical-chain tell of loads that happen here, and memory that
comes to what the kernel says."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from support import ask, ask_all, configure, lkmctl, loaded, remove

SVG = "{http://www.w3.org/2000/svg}"
CHAIN = ["lkmd_test_c", "lkmd_test_b", "lkmd_test_a"]   # the last one needs those before it
SLOW, FAIL = "lkmd_test_slow", "lkmd_test_fail"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    configure(machine)
    remove(machine, SLOW, CHAIN[-1], "dummy")


def plot(machine, *words):
    """The lines of a plot by module: what is beside the bar, and the title; and the whole as elements."""
    root = ElementTree.fromstring(lkmctl(machine, "plot", *words).stdout)
    lines = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "load":
            name, note = [text.text for text in group.iter(f"{SVG}text")]
            lines[name] = (note, group.find(f"{SVG}title").text)
    return lines, root


def proc_modules(machine):
    return {line.split()[0]: int(line.split()[1]) for line in machine.read("/proc/modules").splitlines()}


def module_areas(machine):
    """Number and bytes of the areas that modules have, counted in another way than lkmctl does."""
    pages = re.findall(r"load_module\+.* pages=(\d+)", machine.read("/proc/vmallocinfo"))
    return len(pages), 4096 * sum(map(int, pages))


def test_what_happens_is_drawn(machine, tmp_path):
    configure(machine, SlowLoadSec="1s")
    lkmctl(machine, "load", CHAIN[-1])
    lkmctl(machine, "load", SLOW, "ms=1500")
    lkmctl(machine, "load", FAIL, status=1)
    lines, _ = plot(machine, "--all")
    assert lines[SLOW][0].endswith(" slow") and "SlowLoadSec=" in lines[SLOW][1]
    assert lines[FAIL][0].endswith(" failed")
    assert f"needed by {CHAIN[1]}" in lines[CHAIN[0]][1]
    records = {record["module"]: record for record in ask_all(machine, "plot", "--all")}
    assert records[SLOW]["slow"] and records[SLOW]["durationUSec"] >= 1_500_000
    now = float(machine.read("/proc/uptime").split()[0]) * 1_000_000
    for record in records.values():
        if "queuedUSec" in record:
            assert record["queuedUSec"] <= record["beganUSec"] <= record["endedUSec"] <= now, record

    for theme in ("light", "dark"):
        picture = tmp_path / f"{theme}.svg"
        picture.write_text(lkmctl(machine, "plot", "--all", f"--theme={theme}").stdout)
        assert subprocess.run(["rsvg-convert", "-w", "1600", str(picture)], capture_output=True, check=True).stdout.startswith(b"\x89PNG")


def test_the_chain_that_made_it_late(machine):
    lkmctl(machine, "load", CHAIN[-1])
    steps = ask_all(machine, "critical-chain", "--all", CHAIN[-1])
    assert [step["module"] for step in steps][:3] == CHAIN[::-1]
    assert [step.get("waitedFor") for step in steps][:2] == ["dependency", "dependency"]
    for later, earlier in zip(steps, steps[1:]):
        assert earlier["usableUSec"] <= later["beganUSec"]
    blamed = [record["module"] for record in ask_all(machine, "blame", "--all")]
    assert set(CHAIN) <= set(blamed)


def test_a_device_by_its_bus(machine):
    """A keyboard waits for the driver of its controller, and that for what it needs."""
    machine.qmp("device_add", driver="usb-kbd", id="keyboard", bus="xhci.0")
    lkmctl(machine, "wait", "--module", "usbhid", "--timeout=60")
    machine.wait("ls /sys/bus/usb/drivers/usbhid/*:1.0", timeout=60)
    device = machine.run("basename /sys/bus/usb/drivers/usbhid/*:1.0").stdout.strip()
    steps = ask_all(machine, "critical-chain", "--all", device)
    names = [step["module"] for step in steps]
    assert names[0] == "usbhid" and {"xhci_pci", "usbcore", "usb_common"} <= set(names)
    assert "device" in [step.get("waitedFor") for step in steps]
    text = lkmctl(machine, "critical-chain", "--all", "usbhid").stdout
    assert "found by the next one" in text


def test_the_graph_is_the_kernels(machine):
    lkmctl(machine, "load", CHAIN[-1])
    nodes = {node["module"]: node for node in ask_all(machine, "graph")}
    assert nodes.keys() == loaded(machine)
    for line in machine.read("/proc/modules").splitlines():
        name, _, _, users = line.split()[:4]
        users = {user for user in users.split(",") if user and user[0] not in "-["}
        assert users == {use["module"] for use in nodes[name]["usedBy"] if use["reason"] == "dependency"}, name


def test_memory_is_the_kernels(machine):
    """Every module's division comes to its size, and all areas to those of /proc/vmallocinfo; as modules come and go."""
    def check():
        answer, modules = ask(machine, "memory"), proc_modules(machine)
        assert {m["module"]: m["sizeBytes"] for m in answer["modules"]} == modules
        assert answer["unknownModules"] == 0, [m["module"] for m in answer["modules"] if "areas" not in m]
        assert answer["sizeBytes"] == sum(modules.values()) == answer["vmalloc"]["moduleBytes"]
        assert (answer["vmalloc"]["moduleAreas"], answer["vmalloc"]["moduleBytes"]) == module_areas(machine)
        assert sum(m["areas"] for m in answer["modules"]) == answer["vmalloc"]["moduleAreas"]
        assert 0 <= answer["lostBytes"] == sum(m["lostBytes"] for m in answer["modules"]) < answer["sizeBytes"]
        return answer

    before = check()
    lkmctl(machine, "load", "btrfs")
    after = check()
    assert len(after["modules"]) > len(before["modules"]) + 2
    assert after["vmalloc"]["moduleAreas"] > before["vmalloc"]["moduleAreas"] + 5
    lkmctl(machine, "unload", "btrfs")
    check()

    kib = {int(n) << {"k": 10, "M": 20, "G": 30}[unit]: int(size) << 10 for n, unit, size in
           re.findall(r"^DirectMap(\d+)([kMG]): +(\d+) kB", machine.read("/proc/meminfo"), re.MULTILINE)}
    told = {entry["pageBytes"]: entry["bytes"] for entry in ask(machine, "memory")["directMap"]}
    assert told.keys() == kib.keys() and sum(told.values()) == sum(kib.values())    # pages are split all the time


def test_memory_for_everybody(machine):
    text = machine.run("setpriv --reuid=65534 --regid=65534 --clear-groups lkmctl memory", timeout=120).stdout
    assert "only root sees /proc/vmallocinfo" in text
    assert f"     Modules: {len(proc_modules(machine))}, " in text


def test_idle_is_without_users_and_devices(machine):
    answer = ask(machine, "memory")
    nodes = {node["module"]: node for node in ask_all(machine, "graph")}
    for module in answer["modules"]:
        if module["idle"]:
            name = module["module"]
            assert nodes[name]["usedBy"] == [] and machine.read(f"/sys/module/{name}/refcnt").strip() == "0"
            assert nodes[name]["origin"] in ("device", "kernel")
    assert answer["idleBytes"] == sum(m["sizeBytes"] for m in answer["modules"] if m["idle"])
