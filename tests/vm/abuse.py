# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users who abuse lkmd in a machine, all of them at once, and what the rest of the machine notices of it."""

import contextlib
import re
import time
from pathlib import Path

from driver import lab
from support import lkmctl, main_pid, remove, wait_bound, wait_unbound

PROGRAM = Path(__file__).parents[1] / "soak/abuser.py"
SOCKET = "/run/lkmd/io.lkmd.Manager"
KINDS = ("flood", "pipeline", "half", "slow", "waits", "big", "storm", "garbage", "flags", "churn", "hoard", "uevents")
NOBODY = 65534
DRIVER_SECONDS = 5                      # emulated: from what the kernel says of the device to what its driver says
STATUS_SECONDS = 8                      # emulated, with the start of lkmctl, while others want all processors


def as_user(uid):
    """What runs a command as a user whom no database of users has: systemd's --uid= refuses to."""
    return f"setpriv --reuid={uid} --regid={uid} --clear-groups"


@contextlib.contextmanager
def abused(machine, users, kinds=KINDS):
    """Each kind by one of the users, until the end of the block; it begins when all have begun. They are in the slice that
    users of a machine are in."""
    machine.write("/run/abuser.py", PROGRAM.read_text(encoding="utf-8"))
    script = ["modprobe fuse; sysctl -q kernel.unprivileged_userns_clone=1; true"]
    for number, kind in enumerate(kinds):
        script.append(f"systemd-run --quiet --collect --no-block --unit=abuse-{kind} --slice=user.slice "
                      f"-p StandardOutput=file:/run/abuse-{kind} -p MemoryMax=200M "
                      f"{as_user(users[number % len(users)])} python3 /run/abuser.py {SOCKET} {kind} 3600")
    machine.run("rm -f /run/abuse-*; " + " && ".join(script), timeout=180)
    try:
        machine.wait("for kind in " + " ".join(kinds) + "; do grep -q going /run/abuse-$kind || exit; done", timeout=300)
        yield
        machine.run("systemctl is-active " + " ".join(f"abuse-{kind}" for kind in kinds)) # none of them gave up
    finally:
        machine.run("systemctl stop 'abuse-*'", check=False, timeout=180)


def books(machine):
    """What must not change, whatever anybody does."""
    return main_pid(machine), machine.run("systemctl show --value -p NRestarts lkmd").stdout.strip()


def memory(machine, which="MemoryCurrent"):
    return int(machine.run(["systemctl", "show", "--value", "-p", which, "lkmd"]).stdout)


def kernel_time(machine, pattern):
    """When the kernel said that last, in seconds since it started."""
    lines = [line for line in machine.run("dmesg").stdout.splitlines() if re.search(pattern, line)]
    return float(re.match(r"\[ *([0-9.]+)\]", lines[-1])[1])


def plug(machine):
    """A network card comes, gets its driver, and leaves with it. How long it waited for the driver."""
    machine.qmp("device_add", driver="e1000e", id="abused", bus="rp0")
    wait_bound(machine, "pci", "e1000e", timeout=120)
    waited = kernel_time(machine, r"e1000e: Intel") - kernel_time(machine, r"pci .*: \[8086:10d3\]")
    machine.unplug("abused", timeout=120)
    wait_unbound(machine, "pci", "e1000e", timeout=120)
    remove(machine, "e1000e")
    return waited


def status_seconds(machine):
    """What root waits for lkmctl status, by the clock of the machine."""
    said = machine.run("a=$(date +%s%N); lkmctl status >/dev/null || exit; b=$(date +%s%N); echo $((b - a))", timeout=120).stdout
    return int(said) / 1e9


def live_with_it(machine, users, seconds, kinds=KINDS):
    """Plug and ask while it goes on; (times of drivers, times of answers)."""
    before, drivers, answers = books(machine), [], []
    with abused(machine, users, kinds):
        end = time.monotonic() + seconds
        while not drivers or time.monotonic() < end:
            answers.append(status_seconds(machine))
            drivers.append(plug(machine))
            assert books(machine) == before
    lkmctl(machine, "status")
    assert books(machine) == before
    if lab.sanitized():
        return drivers, answers         # which takes the time of two
    assert max(drivers) < DRIVER_SECONDS, drivers
    assert max(answers) < STATUS_SECONDS, answers
    return drivers, answers
