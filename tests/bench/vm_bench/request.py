# SPDX-License-Identifier: LGPL-2.1-or-later
"""Request: what a request of the kernel's costs for a module that is there already, from the start of the program that the
kernel starts to its exit. Starting any program costs, so that of one that does nothing is taken off. The three take turns
in one machine."""

import json
import statistics

from . import guest
from .table import goal, goals, ratio, table

MODULE = "dummy"
CONTENDERS = {
    "nothing": ["/bin/true"],
    "lkmd": ["/usr/lib/lkmd/lkmd-request", "-q", "--", MODULE],
    "modprobe": ["/sbin/modprobe", "-q", "--", MODULE],
}
# Runs in the machine: the microseconds of each start, by contender. As the kernel does it, without standard streams.
SCRIPT = """
import json, os, sys, time
contenders, rounds = json.loads(sys.argv[1]), int(sys.argv[2])
found = {name: [] for name in contenders}
environment = {"HOME": "/", "TERM": "linux", "PATH": "/sbin:/usr/sbin:/bin:/usr/bin"}
for _ in range(rounds):
    for name, words in contenders.items():
        begun = time.monotonic_ns()
        pid = os.posix_spawn(words[0], words, environment)
        status = os.waitpid(pid, 0)[1]
        found[name].append((time.monotonic_ns() - begun) // 1000)
        assert status == 0, (name, status)
print(json.dumps(found))
"""


def measure(options):
    guest.tell(f"request: {options.requests} of each")
    with guest.booted(lkmd=True) as machine:
        machine.run("udevadm settle; lkmctl --quiet wait --idle --timeout=60", timeout=120)
        machine.run(f"lkmctl load {MODULE}")
        found = json.loads(machine.run(["python3", "-c", SCRIPT, json.dumps(CONTENDERS), str(options.requests)], timeout=600).stdout)
    nothing = statistics.median(found["nothing"])
    contenders = {name: {"medianMSec": round(statistics.median(times) / 1000, 2), "minMSec": round(min(times) / 1000, 2),
                         "aboveNothingMSec": round((statistics.median(times) - nothing) / 1000, 2)} for name, times in found.items()}
    share = ratio(contenders["lkmd"]["aboveNothingMSec"], contenders["modprobe"]["aboveNothingMSec"])
    return {"contenders": contenders, "requests": options.requests, "goals": [goal("above nothing / modprobe's", share, 0.333)]}


def show(result):
    heads = ("request", "median ms", "min ms", "above nothing ms")
    rows = [(name, f["medianMSec"], f["minMSec"], f["aboveNothingMSec"]) for name, f in result["contenders"].items()]
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
