# SPDX-License-Identifier: LGPL-2.1-or-later
"""Request: what a request of the kernel's costs for a module that is there already, from the start of the program that the
kernel starts to its exit. Starting any program costs, so that of one that does nothing is taken off. The three take turns
in one machine.

And what socket(2) costs that the gate refuses inside the kernel, beside one that fails in the kernel as it is, after the
same hook: of AF_UNIX, with a protocol that it does not have. The costs of the call itself are those of one that fails at
once, and are taken off both."""

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

POLICY = """version: 1
rules:
  - match: {uid: 65534, alias: net-pf-33}
    verdict: deny
    scope: use
"""
# family, type, protocol, and what socket(2) says
SOCKETS = {"at once": [999, 1, 0, 97], "plain": [1, 1, 99, 93], "refused": [33, 2, 2, 97]}
# Runs in the machine as a user: nanoseconds of each call, the least of many turns.
SOCKET_SCRIPT = """
import _socket, json, os, sys, time
os.setuid(65534)
sockets, rounds, calls = json.loads(sys.argv[1]), int(sys.argv[2]), 200
found = dict.fromkeys(sockets)
for _ in range(rounds):
    for name, (family, kind, protocol, error) in sockets.items():
        begun = time.monotonic_ns()
        for _ in range(calls):
            try:
                _socket.socket(family, kind, protocol)
            except OSError as said:
                number = said.errno
        nsec = (time.monotonic_ns() - begun) / calls
        assert number == error, (name, number)
        found[name] = min(nsec, found[name] or nsec)
print(json.dumps(found))
"""


def measure_sockets(machine, rounds):
    machine.write("/etc/lkmd/policy.d/50-bench.yaml", POLICY)
    machine.run("lkmctl reload && lkmctl --quiet wait --idle --timeout=60", timeout=120)
    found = json.loads(machine.run(["python3", "-c", SOCKET_SCRIPT, json.dumps(SOCKETS), str(rounds)], timeout=600).stdout)
    return {name: round((found[name] - found["at once"]) / 1000, 2) for name in ("plain", "refused")}


def measure(options):
    guest.tell(f"request: {options.requests} of each")
    with guest.booted(lkmd=True) as machine:
        machine.run("udevadm settle; lkmctl --quiet wait --idle --timeout=60", timeout=120)
        machine.run(f"lkmctl load {MODULE}")
        found = json.loads(machine.run(["python3", "-c", SCRIPT, json.dumps(CONTENDERS), str(options.requests)], timeout=600).stdout)
        sockets = measure_sockets(machine, options.requests)
    nothing = statistics.median(found["nothing"])
    contenders = {name: {"medianMSec": round(statistics.median(times) / 1000, 2), "minMSec": round(min(times) / 1000, 2),
                         "aboveNothingMSec": round((statistics.median(times) - nothing) / 1000, 2)} for name, times in found.items()}
    share = ratio(contenders["lkmd"]["aboveNothingMSec"], contenders["modprobe"]["aboveNothingMSec"])
    return {"contenders": contenders, "requests": options.requests, "socketsUSec": sockets,
            "goals": [goal("above nothing / modprobe's", share, 0.333),
                      goal("refused socket / plain failing one", ratio(sockets["refused"], sockets["plain"]), 3.0)]}


def show(result):
    heads = ("request", "median ms", "min ms", "above nothing ms")
    rows = [(name, f["medianMSec"], f["minMSec"], f["aboveNothingMSec"]) for name, f in result["contenders"].items()]
    calls = table(("socket(2)", "us"), list(result["socketsUSec"].items()))
    return f"{table(heads, rows)}\n\n{calls}\n\n{goals(result['goals'])}\n"
