# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coldplug: how long it takes, and what it costs, until the drivers of all devices that are there are loaded. In each
round each contender has a machine of its own, which came up with nobody loading drivers.

A shared computer is half as fast again from one minute to the next. What all contenders have to do is the same, the inits
of the same modules: what these took on a processor is the measure of time that the goals go by.

udevd runs beside all of them, as it does on every system, and handles the uevents that drivers send when they come up;
its rule that loads modules is in force only for those that are named after it."""

import statistics
from pathlib import Path

from . import guest, modinfo, trace
from .contenders import CONTENDERS, REPLAY_LIST
from .table import goal, goals, ratio, table

TIMEOUT = 600                           # seconds for a contender, on an emulated CPU of a busy computer

# The contender's command in a control group of its own. What the group has used is written down while it exists.
SCRIPT = """
group=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
echo '{start}' >{instance}/trace_marker
{command}
cat $group/cpu.stat >/run/bench-cpu
cat $group/memory.peak >/run/bench-peak
"""

# Nothing is on its way any more: no module is in its init, and none has come for three seconds.
QUIET = """
last= same=0
while [ $same -lt 3 ]; do
        udevadm settle --timeout=300
        {idle}
        now=$(grep -c . /proc/modules)
        if [ "$now" = "$last" ] && ! grep -q ' Loading ' /proc/modules; then same=$((same + 1)); else same=0; fi
        last=$now
        sleep 1
done
"""


def start(machine, contender):
    """Have it done, and return what it has used: seconds on a processor, and the peak of its memory."""
    script = SCRIPT.format(start=trace.START, instance=trace.INSTANCE, command=contender.command)
    machine.write("/run/bench-contender", script)
    machine.run("systemd-run --quiet --wait --unit=bench-contender bash /run/bench-contender", timeout=TIMEOUT)
    machine.run(QUIET.format(idle=contender.idle), timeout=TIMEOUT)
    cpu = guest.cpu_seconds(machine, *contender.services)
    peak = guest.memory_kib(machine, "peak", *contender.services)
    if contender.by_hand:
        own = dict(line.split() for line in machine.read("/run/bench-cpu").splitlines())
        cpu += int(own["usage_usec"]) / 1e6
        peak += int(machine.read("/run/bench-peak")) // 1024
    return cpu, peak


def look_into(machine):
    """Of lkmd: when it was started, when it was READY, and what the manager and the loader have used."""
    return (*guest.started_and_ready(machine, "lkmd.service"),
            guest.cpu_seconds(machine, "lkmd.service"), guest.cpu_seconds(machine, "lkmd-loader.service"))


def keep(path, loads, began):
    """Write down every load: for whoever asks where a round's time went."""
    lines = [f"{load.enter - began:9.3f} {load.leave - began:9.3f} {load.cpu:8.3f} {load.result:5} {load.task:16} "
             f"{load.module or '-'}" for load in sorted(loads, key=lambda load: load.enter)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#   enter     leave      cpu  errno task             module", *lines]) + "\n",
                    encoding="utf-8")


def one_round(contender, names, path):
    """One contender on a fresh machine. `names` is what replay replays; returns figures, and the modules in order."""
    with guest.held_back("rich") as machine:
        if contender.name == "replay":
            guest.bring(machine, "replay")
            machine.write(REPLAY_LIST, modinfo.replay_list(machine, names))
        # A new control group for udevd, too: its peak of memory begins here.
        machine.run(f"set -e\n{contender.prepare}\nsystemctl restart {guest.UDEVD}; udevadm settle")
        before = guest.modules(machine)
        beside = guest.cpu_seconds(machine, guest.UDEVD)
        trace.start(machine)
        effort = guest.Effort(machine)
        cpu, peak = start(machine, contender)
        speed = effort.speed()
        events = trace.read(machine)
        beside = guest.cpu_seconds(machine, guest.UDEVD) - beside
        new = guest.modules(machine) - before
        details = look_into(machine) if contender.name == "lkmd" else None
    began = trace.started_at(events)
    loads = [load for load in trace.loads(events) if load.enter >= began]
    if path:
        keep(path, loads, began)
    # The kernel's own requests come from a modprobe that it starts, whoever is in charge of devices.
    others = set() if contender.name in ("modprobe-all", "mdev") else {"modprobe"}
    foreign = [load for load in loads if load.task in others]
    own = [load for load in loads if load not in foreign]
    wall = max(load.leave for load in loads if load.result == 0) - began
    inside = sum(load.cpu for load in own)
    figures = {
        "wallSeconds": wall,
        "wallAloneSeconds": wall * speed,
        "wallByInside": wall / inside,
        "firstSeconds": min(load.enter for load in loads) - began,
        "finitCalls": len(own),
        "finitFailed": sum(load.result != 0 for load in own),
        "kernelRequests": len(foreign),
        "modules": len(new),
        "cpuSeconds": cpu * speed,
        "cpuInsideSeconds": inside * speed,
        "cpuOutsideSeconds": (cpu - inside) * speed,
        "cpuOutsideByInside": (cpu - inside) / inside,
        "peakKiB": peak,
        "udevdSeconds": beside * speed,
        "speed": speed,
    }
    if details:
        exec_at, ready_at, manager, loader = details
        figures |= {"execSeconds": exec_at - began, "readySeconds": ready_at - began,
                    "managerSeconds": manager * speed, "loaderSeconds": loader * speed}
    order = [load.module for load in sorted(loads, key=lambda load: load.enter) if load.module in new]
    return figures, list(dict.fromkeys(order))


def medians(rounds):
    return {key: round(statistics.median(figures[key] for figures in rounds), 3) for key in rounds[0]}


def measure(options):
    only = [name for name in options.only.split(",") if name]
    contenders = [contender for contender in CONTENDERS if not only or contender.name in only]
    rounds = {contender.name: [] for contender in contenders}
    for number in range(options.rounds):
        names = []
        for contender in contenders:
            guest.tell(f"coldplug: round {number + 1} of {options.rounds}, {contender.name}")
            path = options.loads and Path(options.loads) / f"{contender.name}-{number + 1}"
            figures, order = one_round(contender, names, path)
            names = names or order
            rounds[contender.name].append(figures)
            guest.tell("  " + ", ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
                                        for key, value in figures.items()))
    results = {name: medians(figures) for name, figures in rounds.items()}
    return {"contenders": results, "rounds": options.rounds, "goals": judge(results)}


def judge(results):
    """How far lkmd is from what is wanted, as far as those have taken part that it is compared with."""
    lkmd = results.get("lkmd")
    if not lkmd:
        return []
    calls = lkmd["finitCalls"] + lkmd["kernelRequests"]
    found = [goal("finit_module calls / modules", ratio(calls, lkmd["modules"]), 1.0)]
    if "udevd" in results:
        udevd = results["udevd"]
        found.append(goal("wall by inside / udevd's", ratio(lkmd["wallByInside"], udevd["wallByInside"]), 0.65))
        found.append(goal("CPU outside by inside / udevd's",
                          ratio(lkmd["cpuOutsideByInside"], udevd["cpuOutsideByInside"]), 0.2))
    if "replay" in results:
        limit = results["replay"]["wallByInside"]
        found.append(goal("wall by inside / replay's", ratio(lkmd["wallByInside"], limit), 1.15))
    return found


def show(result):
    heads = ("coldplug", "wall s", "by inside", "first s", "modules", "finit calls", "failed", "by kernel", "CPU s",
             "outside finit s", "peak MiB", "udevd beside s", "speed")
    rows = []
    for name, f in result["contenders"].items():
        beside = None if name.startswith("udevd") else f["udevdSeconds"]
        rows.append((name, f["wallSeconds"], f["wallByInside"], f["firstSeconds"], f["modules"], f["finitCalls"],
                     f["finitFailed"], f["kernelRequests"], f["cpuSeconds"], f["cpuOutsideSeconds"],
                     f["peakKiB"] / 1024, beside, f["speed"]))
    return f"{table(heads, rows)}\n\n{goals(result['goals'])}\n"
