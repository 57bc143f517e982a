# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory: what lies in it and what wakes up when there is nothing to do; how soon after its start lkmd is READY."""

import statistics

from . import guest
from .table import goal, goals, table

IDLE_SECONDS = 30
SERVICES = ("lkmd.service", "lkmd-loader.service", guest.UDEVD)

# All tasks of a service: how often each has been put on a processor, by its own sleeping or not.
SWITCHES = "awk '/ctxt_switches/ {{ n[FILENAME] += $2 }} END {{ for (task in n) print task, n[task] }}' /dev/null " \
    "$(for p in $(find {cgroup} -name cgroup.procs 2>/dev/null | xargs -r cat); do echo /proc/$p/task/*/status; done)"


def switches(machine):
    """{service: {task: how often}}"""
    return {unit: {task: int(n) for task, n in map(str.split, machine.run(SWITCHES.format(cgroup=guest.cgroup(unit))).stdout.splitlines())}
            for unit in SERVICES}


def switches_between(before, after):
    """Of the tasks that are there afterwards: those that have ended meanwhile would make it less than nothing."""
    return sum(n - before.get(task, 0) for task, n in after.items())


def in_memory(machine, unit):
    """(PSS, all of the control group) in KiB; nothing for what does not run."""
    if machine.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode != 0:
        return 0, 0
    return guest.pss_kib(machine, unit), guest.memory_kib(machine, "current", unit)


def ready_msec(machine, unit):
    """From the start of the service's program to its READY."""
    began, ready = guest.started_and_ready(machine, unit)
    return (ready - began) * 1000


def restarts(machine, unit, rounds):
    found = []
    for _ in range(rounds):
        machine.run(["systemctl", "restart", unit])
        found.append(ready_msec(machine, unit))
        machine.run("udevadm settle; lkmctl --quiet wait --idle --timeout=120", timeout=180)
    return round(statistics.median(found), 1)


def measure(options):
    guest.tell("memory: boot, coldplug, idle")
    with guest.booted() as machine:
        machine.run("udevadm settle; lkmctl --quiet wait --idle --timeout=120", timeout=180)
        at_boot = {unit: round(ready_msec(machine, unit), 1) for unit in SERVICES if unit != "lkmd-loader.service"}
        guest.tell(f"memory: idle for {IDLE_SECONDS} s")
        before = switches(machine)
        machine.run(["sleep", str(IDLE_SECONDS)], timeout=IDLE_SECONDS + 60)
        after = switches(machine)
        services = {}
        for unit in SERVICES:
            pss, group = in_memory(machine, unit)
            services[unit.removesuffix(".service")] = {
                "pssKiB": pss, "groupKiB": group,
                "idleSwitches": switches_between(before[unit], after[unit]), "readyAtBootMSec": at_boot.get(unit)}
        for unit in at_boot:
            services[unit.removesuffix(".service")]["readyMSec"] = restarts(machine, unit, options.rounds)
    ours = [services["lkmd"], services["lkmd-loader"]]
    return {"services": services, "idleSeconds": IDLE_SECONDS, "rounds": options.rounds, "goals": [
        goal("PSS of lkmd and its loader, KiB", sum(f["pssKiB"] for f in ours), 4096),
        goal("context switches of the two while idle", sum(f["idleSwitches"] for f in ours), 0)]}


def show(result):
    heads = ("memory", "PSS KiB", "group KiB", f"switches in {result['idleSeconds']} s", "READY ms", "at boot ms")
    rows = [(name, f["pssKiB"], f["groupKiB"], f["idleSwitches"], f.get("readyMSec"), f["readyAtBootMSec"])
            for name, f in result["services"].items()]
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
