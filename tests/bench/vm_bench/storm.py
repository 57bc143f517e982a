# SPDX-License-Identifier: LGPL-2.1-or-later
"""A storm: far more uevents than anybody can need, for devices that have their drivers, and in the middle of it a
device that has none yet. lkmd and udevd each have a machine and a storm of their own size; what is compared is the
cost of an event. While lkmd is measured udevd is stopped: so many events in its queue would fill the memory."""

import json
import time

from driver.machine import EXCHANGE

from . import guest, trace
from .hotplug import KINDS, LINE, NAME
from .table import goal, goals, ratio, table

DEVICES = 200
SHARE_OF_UDEVD = 40                     # of so many events for lkmd, udevd gets one
TIMEOUT = 1800

# Devices with a modalias first: those are work for who loads modules. The others fill up what is missing.
TARGETS = """
{ find /sys/devices -name modalias | sed 's,modalias$,uevent,'; find /sys/devices -name uevent | sort; } |
        awk '!seen[$0]++' | while read -r file; do [ ! -w "$file" ] || echo "$file"; done |
        head -n %d >/run/bench-targets
grep -c . /run/bench-targets
"""

# Twice a second, without starting a process: the largest sum of PSS of the processes that are named.
SAMPLER = """
mkfifo /run/bench-never; exec 9<>/run/bench-never
peak=0
while :; do
        sum=0
        for pid in "$@"; do
                while read -r key value _; do
                        if [ "$key" = Pss: ]; then sum=$((sum + value)); break; fi
                done </proc/$pid/smaps_rollup
        done
        if [ $sum -gt $peak ]; then peak=$sum; echo $peak >/run/bench-peak; fi
        read -r -t 0.5 -u 9
done
"""

# What the kernel keeps for the uevent sockets of a process: bytes that wait, and messages that were dropped.
SOCKETS = r"""
inodes=$(ls -l /proc/{pid}/fd | sed -n 's/.*socket:\[\([0-9]*\)\]/\1/p' | tr '\n' ' ')
sockets() { awk -v inodes=" $inodes" '$2 == 15 && index(inodes, " " $10 " ") { waits += $5; drops += $9 }
        END { print waits + 0, drops + 0 }' </proc/net/netlink; }
"""


class Side:
    def __init__(self, name, services, settle):
        self.name = name
        self.services = services
        self.settle = settle


SIDES = (Side("lkmd", ("lkmd.service", "lkmd-loader.service"), "lkmctl --quiet wait --idle --timeout=300"),
         Side("udevd", (guest.UDEVD,), "udevadm settle --timeout=1500"))


def main_pids(machine, side):
    return machine.run(["systemctl", "show", "--value", "-p", "MainPID", *side.services]).stdout.split()


def dropped(machine, pid):
    return int(machine.run(SOCKETS.replace("{pid}", pid) + "sockets").stdout.split()[1])


def counters(machine, side):
    return json.loads(machine.run("lkmctl --json=short status").stdout)["counters"] if side.name == "lkmd" else {}


def await_file(machine, path):
    """A file of the guest, seen from outside: asking the guest would be work for it."""
    deadline = time.monotonic() + TIMEOUT
    while not (machine.disk.root / path.lstrip("/")).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the storm has not come to {path} within {TIMEOUT} s")
        time.sleep(0.05)


def storm(machine, side, events):
    """Let it blow, plug the device in when half of it is over, and wait until all of it has been dealt with."""
    half, done = f"{EXCHANGE}/storm-half", f"{EXCHANGE}/storm-done"
    writer = guest.bring(machine, "storm")
    machine.run(["systemd-run", "--quiet", "--unit=bench-storm", "-p", "StandardInput=file:/run/bench-targets",
                 writer, str(events), half, done])
    await_file(machine, half)
    machine.qmp("device_add", **KINDS["usb"][0])
    await_file(machine, done)
    # lkmd takes an event from the socket when it deals with it; udevd has a queue of its own, and tells by settle.
    pid = main_pids(machine, side)[0]
    drained = 'while [ "$(sockets | cut -d" " -f1)" != 0 ]; do sleep 0.1; done'
    machine.run(f"""{SOCKETS.replace("{pid}", pid)}
{drained if side.name == "lkmd" else side.settle}
echo 'storm: over' >{trace.INSTANCE}/trace_marker
{side.settle}""", timeout=TIMEOUT)
    machine.wait(f"grep -q '^{KINDS['usb'][1]} .* Live ' /proc/modules", timeout=300)
    return float(machine.read(done).split()[1])


def device_times(events):
    """(milliseconds from the new device's uevent to the first module for it, whether that was before the end)."""
    over = next(event.time for event in events if "storm: over" in event.text)
    told = next(event.time for event in events if event.name == "uevent"
                and KINDS["usb"][2].fullmatch(NAME.search(event.text)[1]))
    # Others may be tried again and again: what the kernel refuses, udevd's rule asks for with each event.
    enters = [load.enter for load in trace.loads(events) if load.module in ("usbserial", KINDS["usb"][1])]
    return round((min(enters) - told) * 1000, 1), min(enters) < over


def one(side, events):
    with guest.booted(lkmd=side.name == "lkmd") as machine:
        machine.run(side.settle, timeout=300)
        machine.qmp("chardev-add", **LINE)
        if side.name == "lkmd":
            machine.run(f"systemctl stop {guest.UDEVD} systemd-udevd-kernel.socket systemd-udevd-control.socket")
        n_devices = int(machine.run(TARGETS % DEVICES).stdout)
        pids = main_pids(machine, side)
        trace.start(machine, uevents=True, switches=False)
        # One storm's uevents are many, and of no interest but the new device's.
        machine.run(f"echo 'name ~ \"*-[1-9]*:*\"' >{trace.INSTANCE}/events/bench/uevent/filter")
        before = {"cpu": guest.cpu_seconds(machine, *side.services), "pss": guest.pss_kib(machine, *side.services),
                  "group": guest.memory_kib(machine, "current", *side.services), "counters": counters(machine, side)}
        machine.write("/run/bench-sampler", SAMPLER)
        if side.name == "lkmd":
            machine.run(["systemd-run", "--quiet", "--unit=bench-sampler", "bash", "/run/bench-sampler", *pids])
        guest.tell(f"storm: {side.name}, {events} events for {n_devices} devices")
        effort = guest.Effort(machine)
        seconds = storm(machine, side, events)
        speed = effort.speed()
        cpu = guest.cpu_seconds(machine, *side.services) - before["cpu"]
        latency, served = device_times(trace.read(machine))
        after = counters(machine, side)
        return {
            "events": events, "devices": n_devices, "writeSeconds": seconds,
            "cpuSeconds": round(cpu * speed, 3), "speed": round(speed, 3),
            "cpuPerEventUSec": round(cpu * speed / events * 1e6, 1),
            "deviceMSec": latency, "deviceServedMeanwhile": served,
            "dropped": dropped(machine, pids[0]),
            "rescans": after["rescans"] - before["counters"]["rescans"] if after else None,
            "eventsCounted": after["events"] - before["counters"]["events"] if after else None,
            "restarted": main_pids(machine, side) != pids,
            "pssBeforeKiB": before["pss"], "pssAfterKiB": guest.pss_kib(machine, *side.services),
            "pssPeakKiB": int(machine.read("/run/bench-peak")) if side.name == "lkmd" else None,
            "groupBeforeKiB": before["group"], "groupAfterKiB": guest.memory_kib(machine, "current", *side.services),
            "groupPeakKiB": guest.memory_kib(machine, "peak", *side.services)}


def measure(options):
    sizes = {"lkmd": options.events, "udevd": max(1, options.events // SHARE_OF_UDEVD)}
    contenders = {side.name: one(side, sizes[side.name]) for side in SIDES}
    lkmd, udevd = contenders["lkmd"], contenders["udevd"]
    return {"contenders": contenders, "goals": [
        goal("uevents dropped, and rescans", lkmd["dropped"] + lkmd["rescans"], 0),
        goal("the new device had to wait for the end (1: yes)", int(not lkmd["deviceServedMeanwhile"]), 0),
        goal("memory at the peak beyond that at rest, KiB of PSS", lkmd["pssPeakKiB"] - lkmd["pssBeforeKiB"], 2048),
        goal("CPU for an event / udevd's", ratio(lkmd["cpuPerEventUSec"], udevd["cpuPerEventUSec"]), 0.05)]}


def show(result):
    heads = ("storm", "events", "CPU us/event", "device ms", "meanwhile", "dropped", "rescans",
             "PSS KiB before", "peak", "after", "group KiB before", "peak", "after")
    rows = [(name, f["events"], f["cpuPerEventUSec"], f["deviceMSec"], f["deviceServedMeanwhile"], f["dropped"],
             f["rescans"], f["pssBeforeKiB"], f["pssPeakKiB"], f["pssAfterKiB"], f["groupBeforeKiB"],
             f["groupPeakKiB"], f["groupAfterKiB"]) for name, f in result["contenders"].items()]
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
