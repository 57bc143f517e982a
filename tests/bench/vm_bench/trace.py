# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's own record of what happened, in a trace instance of the bench's: loads and who made them, uevents, and
when the tasks of the contenders were on a processor.

The system call is watched by probes on its function rather than by the syscalls events: those send every system call
of every process the slow way, which would cost most where most system calls are made. A uevent is seen where its
device fills it in, right before it is sent: what sends it is closed to probes."""

import collections
import re

from driver import LabError

ROOT = "/sys/kernel/tracing"
INSTANCE = f"{ROOT}/instances/bench"
START = "bench: start"

PROBES = """
p:bench/enter __x64_sys_finit_module
r64:bench/leave __x64_sys_finit_module result=$retval:s64
p:bench/enter_image __x64_sys_init_module
r64:bench/leave_image __x64_sys_init_module result=$retval:s64
p:bench/uevent dev_uevent name=+0(+0(%di)):string
"""

# Whose time on a processor is followed: the programs of all contenders, by the names of their tasks. A thread of
# lkmd-loader is called "+MODULE" while it loads one.
TASKS = ("*udev*", "lkmd*", "+*", "modprobe", "mdev", "busybox", "bench-*")

LINE = re.compile(r"^\s*(?P<task>.+)-(?P<tid>\d+)\s+\[\d+\]\s.*?(?P<time>\d+\.\d+): (?P<name>\w+): (?P<text>.*)$")
SWITCH = re.compile(r"prev_pid=(\d+) .* next_pid=(\d+) ")

Event = collections.namedtuple("Event", "task tid time name text")

# One finit_module: who, from when to when (seconds), how long on a processor, which module if the kernel got as far as
# to make one of the file, and 0 or a negative errno.
Load = collections.namedtuple("Load", "task tid enter leave cpu module result")


def start(machine, uevents=False, switches=True):
    tasks = " || ".join(f'{side}_comm ~ "{task}"' for task in TASKS for side in ("prev", "next"))
    script = f"""
        set -e
        mountpoint -q {ROOT} || mount -t tracefs tracefs {ROOT}
        [ ! -d {INSTANCE} ] || {{ echo 0 >{INSTANCE}/events/enable; rmdir {INSTANCE}; }}
        cat >{ROOT}/kprobe_events <<'PROBES'
{PROBES.strip()}
PROBES
        echo 4096 >{ROOT}/saved_cmdlines_size
        mkdir {INSTANCE}
        cd {INSTANCE}
        echo 0 >tracing_on
        echo mono >trace_clock
        echo 16384 >buffer_size_kb
        for event in enter leave enter_image leave_image {"uevent" if uevents else ""}; do
                echo 1 >events/bench/$event/enable
        done
        echo 1 >events/module/module_load/enable
        if {"true" if switches else "false"}; then
                echo '{tasks}' >events/sched/sched_switch/filter
                echo 1 >events/sched/sched_switch/enable
        fi
        echo 1 >tracing_on"""
    machine.run(script)


def clear(machine):
    machine.run(f": >{INSTANCE}/trace")


def read(machine):
    """Stop, and return the events in the order of their time."""
    machine.run(f"echo 0 >{INSTANCE}/tracing_on")
    lost = machine.run(f"grep -h '^overrun: ' {INSTANCE}/per_cpu/cpu*/stats").stdout
    if any(int(line.split()[1]) for line in lost.splitlines()):
        raise LabError("the trace buffer was too small for what happened: the figures would be wrong")
    text = machine.run(["cat", f"{INSTANCE}/trace"], timeout=300).stdout
    events = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            events.append(Event(match["task"].strip(), int(match["tid"]), float(match["time"]), match["name"],
                                match["text"]))
    return sorted(events, key=lambda event: event.time)


def started_at(events):
    return next(event.time for event in events if START in event.text)


def loads(events):
    """All finit_module and init_module calls that began and ended while the trace ran."""
    open_calls, done = {}, []
    for event in events:
        if event.name in ("enter", "enter_image"):
            open_calls[event.tid] = {"event": event, "cpu": 0.0, "since": event.time, "module": None}
        elif event.name == "module_load" and event.tid in open_calls:
            open_calls[event.tid]["module"] = event.text.split()[0]
        elif event.name == "sched_switch":
            match = SWITCH.search(event.text)
            switch(open_calls, int(match[1]), int(match[2]), event.time)
        elif event.name in ("leave", "leave_image") and event.tid in open_calls:
            call = open_calls.pop(event.tid)
            cpu = call["cpu"] + (event.time - call["since"] if call["since"] is not None else 0)
            result = int(event.text.rsplit("result=", 1)[1])
            enter = call["event"]
            done.append(Load(enter.task, event.tid, enter.time, event.time, cpu, call["module"], result))
    return done


def switch(open_calls, gone, come, time):
    """A processor goes from one task to another."""
    if gone in open_calls and open_calls[gone]["since"] is not None:
        open_calls[gone]["cpu"] += time - open_calls[gone]["since"]
        open_calls[gone]["since"] = None
    if come in open_calls:
        open_calls[come]["since"] = time
