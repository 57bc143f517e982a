# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks ask of a machine: to come up with nobody loading drivers, and what its processes have used."""

import contextlib
import os
import sys
import time
from pathlib import Path

import driver
from driver import lab

RULES = "/usr/lib/udev/rules.d"
MASKS = "/etc/udev/rules.d"
AUTOLOAD = "80-drivers.rules"           # the only rule of udev's that loads modules
UDEVD = "systemd-udevd.service"

started = time.monotonic()


def tell(text):
    """Progress, for whoever waits: not part of the result."""
    print(f"bench: {time.monotonic() - started:5.0f} s  {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def booted(**how):
    machine = driver.boot(parallel=True, **how)
    try:
        yield machine
    finally:
        machine.remove()


@contextlib.contextmanager
def held_back(devices):
    """A machine with lkmd installed that is up, and in which nobody has loaded a driver for a device yet: lkmd is not
    enabled, udev does not go through the devices that are there, and its rule is masked for those that come."""
    # An emulated machine that ends in its early boot has measured nothing, and must not cost the whole run.
    machine = start_held_back(devices, last=False) or start_held_back(devices, last=True)
    try:
        yield machine
    finally:
        machine.remove()


def start_held_back(devices, last):
    """The machine, or None if it went down before it was up and this is not the last attempt."""
    machine = driver.Machine(devices=devices, parallel=True)
    try:
        root = machine.disk.root
        lab.tool(["systemctl", f"--root={root}", "--quiet", "disable", "lkmd.service"])
        lab.tool(["systemctl", f"--root={root}", "--quiet", "mask", "systemd-udev-trigger.service"])
        masks = root / MASKS.lstrip("/")
        masks.mkdir(parents=True, exist_ok=True)
        (masks / AUTOLOAD).symlink_to("/dev/null")
        machine.start()
        return machine
    except driver.MachineDown:
        status, log = machine.qemu.poll(), machine.disk.dir / "qemu.log"
        tell(f"QEMU ended (status {status}) before the machine was up: {log.read_text(errors='replace')}")
        machine.remove()
        if last:
            raise
        return None
    except BaseException:
        machine.remove()
        raise


def bring(machine, name):
    """Put a program of the bench into the machine; returns its path there."""
    path = f"/usr/local/bin/bench-{name}"
    machine.write(path, (lab.setting("LKMD_BUILD") / "tests/bench" / name).read_bytes(), mode=0o755)
    return path


def modules(machine):
    return {line.split()[0] for line in machine.read("/proc/modules").splitlines()}


def cgroup(unit):
    return f"/sys/fs/cgroup/system.slice/{unit}"


def cpu_seconds(machine, *units):
    """What the processes of these services have used until now, ended ones included."""
    total = 0
    for unit in units:
        text = machine.run(f"cat {cgroup(unit)}/cpu.stat 2>/dev/null", check=False).stdout
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("usage_usec "))
    return total / 1e6


def memory_kib(machine, what, *units):
    """memory.current or memory.peak of these services' control groups."""
    return sum(int(machine.read(f"{cgroup(unit)}/memory.{what}")) for unit in units) // 1024


def pss_kib(machine, *units):
    """The memory of these services' processes, shared pages divided among those who share them."""
    total = 0
    for unit in units:
        text = machine.run(f"for p in $(find {cgroup(unit)} -name cgroup.procs | xargs cat); do "
                           "grep ^Pss: /proc/$p/smaps_rollup; done").stdout
        total += sum(int(line.split()[1]) for line in text.splitlines())
    return total


def started_and_ready(machine, unit):
    """When the program of a service was started and when it said READY, in seconds of the monotonic clock."""
    names = ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    text = machine.run(["systemctl", "show", *(f"--property={name}" for name in names), unit]).stdout
    times = dict(line.split("=") for line in text.splitlines())
    return tuple(int(times[name]) / 1e6 for name in names)


class Effort:
    """How fast a machine ran since this was made: what it has had of this computer's processors, divided by the time
    that its own processors were busy by its own clock. Below 1 others used this computer, too, and all times in the
    machine are longer by that. Multiplied with it, time on a processor is what it would have been without them, as far
    as they were there all the time."""

    def __init__(self, machine):
        self.machine = machine
        self.had, self.busy = self._now()

    def _now(self):
        fields = Path(f"/proc/{self.machine.qemu.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        had = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        uptime, stat = self.machine.run("cut -d' ' -f1 /proc/uptime; head -n 1 /proc/stat").stdout.splitlines()
        idle = sum(int(word) for word in stat.split()[4:6]) / 100
        return had, float(uptime) * self.machine.smp - idle

    def speed(self):
        had, busy = self._now()
        return (had - self.had) / (busy - self.busy)
