# SPDX-License-Identifier: LGPL-2.1-or-later
"""Modprobe: what kmod's commands and lkmd's by the same names take for what scripts ask most, from the start of the program
to its exit. Both take turns on this computer, which needs no machine for it: nothing is loaded, and lkmd does not run. A
module that is loaded already is not among it, since a build root has none."""

import os
import statistics
import tempfile
import time
from pathlib import Path

from driver import lab
from . import guest
from .table import goal, goals, ratio, table

ALIAS = "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"
GOALS = ("-R ALIAS", "-R MODULE", "-n --show-depends", "lsmod")


def commands():
    release = sorted(path.parent.name for path in Path("/lib/modules").glob("*/modules.dep.bin"))[-1]
    return {
        "-R ALIAS": ["modprobe", "-S", release, "-R", ALIAS],
        "-R MODULE": ["modprobe", "-S", release, "-R", "ext4"],
        "-n --show-depends": ["modprobe", "-S", release, "-n", "--show-depends", "e1000e"],
        "-n --show-depends, with a softdep": ["modprobe", "-S", release, "-n", "--show-depends", "ext4"],
        "lsmod": ["lsmod"],
        "modinfo -n": ["modinfo", "-k", release, "-n", "ext4"],
        "modinfo": ["modinfo", "-k", release, "loop"],
    }


def run_once(program, words, null):
    """Milliseconds from start to exit, and of the processor."""
    begun = time.monotonic_ns()
    pid = os.posix_spawn(program, words, {"PATH": os.environ["PATH"], "LC_ALL": "C"},
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    used = os.wait4(pid, 0)[2]
    return (time.monotonic_ns() - begun) / 1e6, (used.ru_utime + used.ru_stime) * 1e3


def measure(options):
    guest.tell(f"modprobe: {options.requests} of each")
    found = {}
    with tempfile.TemporaryDirectory() as directory, open(os.devnull, "wb") as null:
        for tool in ("lsmod", "modinfo", "modprobe"):
            (Path(directory) / tool).symlink_to(lab.setting("LKMD_BUILD") / "src/cli/lkmctl")
        for name, words in commands().items():
            runs = {"kmod": [], "lkmd": []}
            for _ in range(options.requests):
                for whose, where in (("kmod", "/usr/sbin"), ("lkmd", directory)):
                    runs[whose].append(run_once(f"{where}/{words[0]}", words, null.fileno()))
            found[name] = {f"{whose}{what}": round(value, 2) for whose, times in runs.items() for what, value in
                           (("LeastMSec", min(t[0] for t in times)), ("CpuMSec", statistics.median(t[1] for t in times)))}
            found[name]["ratio"] = ratio(found[name]["lkmdCpuMSec"], found[name]["kmodCpuMSec"])
    return {"commands": found, "requests": options.requests,
            "goals": [goal(f"{name}: lkmd / kmod", found[name]["ratio"], 1.0) for name in GOALS]}


def show(result):
    rows = [(name, f["kmodLeastMSec"], f["lkmdLeastMSec"], f["kmodCpuMSec"], f["lkmdCpuMSec"], f["ratio"]) for name, f in result["commands"].items()]
    heads = ("command", "kmod, least ms", "lkmd", "kmod, CPU ms", "lkmd", "ratio")
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
