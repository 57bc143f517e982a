# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hotplug: how long after the kernel has told of a new device the first module for it goes into finit_module. The
devices are plugged in from outside, by turns a network card on PCI Express and a USB serial adapter; after each the
device is taken out and its driver removed, so that the next needs it again."""

import re
import statistics

from . import guest, trace
from .table import goal, goals, ratio, table

# What is plugged in, the module of its driver, and the name of the device that asks for it.
KINDS = {
    "pci": ({"driver": "e1000e", "id": "bench", "bus": "rp0"},
            "e1000e", re.compile(r"[0-9a-f]{4}(:[0-9a-f]{2}){2}\.\d")),
    "usb": ({"driver": "usb-serial", "id": "bench", "bus": "xhci.0", "chardev": "line", "always-plugged": True},
            "ftdi_sio", re.compile(r"\d+-[1-9][\d.]*:\d+\.\d+")),
}
LINE = {"id": "line", "backend": {"type": "null", "data": {}}}         # what the USB device talks to
# What is in charge in the machine, and what brings it to rest before each plug.
WORKERS_GONE = "while pgrep -f '^.udev-worker' >/dev/null; do sleep 0.5; done"
# What an hour on a machine that is short of memory does: what can be read again is gone from it.
RECLAIMED = "for unit in lkmd lkmd-loader; do echo 64M >/sys/fs/cgroup/system.slice/$unit.service/memory.reclaim; done 2>/dev/null; true"
CONTENDERS = {
    "lkmd": WORKERS_GONE,
    "lkmd-rested": f"{WORKERS_GONE}; {RECLAIMED}",
    "udevd": WORKERS_GONE,
}
NAME = re.compile(r'name="([^"]*)"')


def plug(machine, kind, settle, rest):
    device, module, _ = KINDS[kind]
    machine.wait(f"! grep -q '^{module} ' /proc/modules || modprobe -r {module}")
    machine.run(f"{settle}; {rest}; echo 'plug: {kind}' >{trace.INSTANCE}/trace_marker", timeout=120)
    machine.qmp("device_add", **device)
    machine.wait(f"grep -q '^{module} .* Live ' /proc/modules")
    machine.run(settle, timeout=120)
    machine.unplug("bench")


def latencies(events):
    """Milliseconds from the uevent of each plugged device to the first module that goes in for it, by kind."""
    loads = trace.loads(events)
    found = {kind: [] for kind in KINDS}
    plugs = [event for event in events if "plug: " in event.text]
    for event in plugs:
        kind = event.text.rsplit("plug: ", 1)[1].strip()
        told = next(e.time for e in events if e.time > event.time and e.name == "uevent"
                    and KINDS[kind][2].fullmatch(NAME.search(e.text)[1]))
        found[kind].append((min(load.enter for load in loads if load.enter > told) - told) * 1000)
    return found


def one(name, plugs):
    lkmd = name != "udevd"
    with guest.booted(lkmd=lkmd) as machine:
        settle = "udevadm settle" + ("; lkmctl --quiet wait --idle --timeout=60" if lkmd else "")
        machine.run(settle, timeout=120)
        machine.qmp("chardev-add", **LINE)
        trace.start(machine, uevents=True, switches=False)
        for number in range(plugs):
            plug(machine, list(KINDS)[number % len(KINDS)], settle, CONTENDERS[name])
        return latencies(trace.read(machine))


def measure(options):
    contenders = {}
    for name in CONTENDERS:
        guest.tell(f"hotplug: {name}, {options.plugs} devices")
        found = one(name, options.plugs)
        everything = [value for values in found.values() for value in values]
        contenders[name] = {
            "medianMSec": round(statistics.median(everything), 2), "minMSec": round(min(everything), 2),
            "maxMSec": round(max(everything), 2),
            **{f"{kind}MedianMSec": round(statistics.median(values), 2) for kind, values in found.items() if values}}
    share = ratio(contenders["lkmd"]["medianMSec"], contenders["udevd"]["medianMSec"])
    return {"contenders": contenders, "plugs": options.plugs, "goals": [goal("median / udevd's", share, 0.333)]}


def show(result):
    heads = ("hotplug", "median ms", "pci ms", "usb ms", "min ms", "max ms")
    rows = [(name, f["medianMSec"], f.get("pciMedianMSec"), f.get("usbMedianMSec"), f["minMSec"], f["maxMSec"])
            for name, f in result["contenders"].items()]
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
