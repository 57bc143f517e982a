# SPDX-License-Identifier: LGPL-2.1-or-later
"""All modules of the guest's kernel, loaded one after the other in fresh machines: by modprobe in one, by lkmd in another."""

import fnmatch
import re

import driver
from support import wait_idle

# What is left out, and why.
LEFT_OUT = {
    "*torture*": "runs a test without an end", "refscale": "runs a test without an end", "rcuscale": "runs a test without an end",
    "test_*": "is a test of the kernel's, which fails on purpose or takes minutes", "*_test": "likewise", "*_tests": "likewise",
    "*kunit*": "likewise", "tcrypt": "likewise", "kgdbts": "likewise", "testmmiotrace": "likewise",
    "speakup_*": "takes the console, and looks for ports of ISA cards that are not there",
    "dummy_hcd": "gives devices to whatever gadget comes next, so that the order decides",
}

# In the machine, in one process for each way. Nothing is removed: what comes later finds what came before.
PROGRAM = r"""
import json, socket, subprocess, sys

way, names = sys.argv[1], sys.argv[2:]

def by_modprobe(name):
    return subprocess.run(["modprobe", "-q", name]).returncode == 0

def by_lkmd(name):
    link.sendall(json.dumps({"method": "io.lkmd.Manager.Load", "parameters": {"name": name}}).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        reply += link.recv(1 << 16)
    return "error" not in json.loads(reply[:-1])

if way == "lkmd":
    link = socket.socket(socket.AF_UNIX)
    link.connect("/run/lkmd/io.lkmd.Manager")
for name in names:
    print(name, int((by_lkmd if way == "lkmd" else by_modprobe)(name)), flush=True)
"""


def is_left_out(name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT_OUT)


def name_of(path):
    return re.sub(r"\.ko(\.\w+)?$", "", path.rsplit("/", 1)[1]).replace("-", "_")


def dependencies(machine):
    """{module: what it needs}, in the order of modules.dep."""
    lines = machine.read(f"/lib/modules/{machine.kernel_version}/modules.dep").splitlines()
    return {name_of(path): {name_of(need) for need in needs.split()} for path, _, needs in (line.partition(":") for line in lines)}


def leaves(needs):
    """The modules on which no other depends: with them come all the others."""
    needed = set().union(*needs.values())
    return [name for name in needs if name not in needed and not is_left_out(name)]


def live(machine):
    """The modules in the kernel, when nothing comes any more."""
    machine.run("udevadm settle", timeout=240)
    return {line.split()[0] for line in machine.read("/proc/modules").splitlines() if " Live " in line}


def sweep(machine, way, names, timeout):
    """({name: whether it was loaded}, the modules in the kernel then)."""
    machine.write("/run/sweep.py", PROGRAM)
    said = machine.run(["python3", "/run/sweep.py", way, *names], timeout=timeout).stdout
    if way == "lkmd":
        wait_idle(machine, 240)
    return {name: outcome == "1" for name, outcome in map(str.split, said.splitlines())}, live(machine)


def same_as_modprobe(is_chosen, timeout=1800):
    """In machines that are restored from one boot each. Of what a module needs whose dependencies fail, lkmd may have loaded
    more: it loads them side by side, and modprobe stops at the first that fails."""
    results = []
    for way in ("modprobe", "lkmd"):
        machine = driver.fresh(lkmd=way == "lkmd")
        try:
            needs = dependencies(machine)
            chosen = [name for name in leaves(needs) if is_chosen(name)]
            results.append(sweep(machine, way, chosen, timeout))
        finally:
            machine.remove()
    (theirs, their_modules), (ours, our_modules) = results
    assert len(theirs) == len(ours) == len(chosen)
    assert {name: ours[name] for name in chosen if ours[name] != theirs[name]} == {}
    needed_in_vain = set().union(*(needs[name] for name in chosen if not theirs[name]))
    missing, more = their_modules - our_modules, our_modules - their_modules - needed_in_vain
    assert not missing and not more, f"missing with lkmd: {sorted(missing)}, only there with lkmd: {sorted(more)}"
    return ours
