# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers: what lkmctl's why and log take on a machine with many modules, beside list, which asks lkmd once and reads
nothing else. The three take turns in one machine, and starting a program that does nothing is taken off: list, why and
log start the same one."""

import json
import statistics

from . import guest
from .request import SCRIPT
from .table import goal, goals, ratio, table

CONTENDERS = {
    "nothing": ["/usr/bin/lkmctl", "version"],
    "list": ["/usr/bin/lkmctl", "list"],
    "why": None,                        # of a module that came along with another
    "log": ["/usr/bin/lkmctl", "log"],
    "log MODULE": None,
    "log --by requester": ["/usr/bin/lkmctl", "log", "--by", "requester"],
}


def find_module(machine):
    """Some module that another one needs."""
    for line in machine.run("lkmctl list --json=short").stdout.splitlines():
        module = json.loads(line)
        if module.get("loadedBy", {}).get("parent"):
            return module["name"]
    raise AssertionError("no module has come along with another")


def measure(options):
    guest.tell(f"answers: {options.requests} of each")
    with guest.booted(lkmd=True, devices="rich") as machine:
        machine.run("udevadm settle; lkmctl --quiet wait --idle --timeout=120; journalctl --sync", timeout=180)
        module = find_module(machine)
        words = {name: words or ["/usr/bin/lkmctl", name.split()[0], module] for name, words in CONTENDERS.items()}
        script = SCRIPT.replace("posix_spawn(words[0], words, environment)",
                                "posix_spawn(words[0], words, environment, file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])")
        found = json.loads(machine.run(["python3", "-c", script, json.dumps(words), str(options.requests)], timeout=900).stdout)
    nothing = statistics.median(found["nothing"])
    contenders = {name: {"medianMSec": round(statistics.median(times) / 1000, 2), "minMSec": round(min(times) / 1000, 2),
                         "aboveNothingMSec": round((statistics.median(times) - nothing) / 1000, 2)} for name, times in found.items()}
    listing = contenders["list"]["aboveNothingMSec"]
    return {"contenders": contenders, "requests": options.requests,
            "goals": [goal(f"{name} / list", ratio(contenders[name]["aboveNothingMSec"], listing), 4.0) for name in ("why", "log")]}


def show(result):
    rows = [(name, f["medianMSec"], f["minMSec"], f["aboveNothingMSec"]) for name, f in result["contenders"].items()]
    return f"{table(('answer', 'median ms', 'min ms', 'above nothing ms'), rows)}\n\n{goals(result['goals'])}\n"
