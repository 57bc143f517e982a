# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several test files ask of a machine with lkmd: its verbs as Python, where devices stand, who is in charge."""

import contextlib
import itertools
import json

RULE = "/run/udev/rules.d/80-drivers.rules"     # the mask over the rule by which udev loads drivers

serial = itertools.count(1)


# ------------------------------------------------------------------------------------------------- lkmctl

def lkmctl(machine, *words, status=0, timeout=120):
    """Run lkmctl; its exit status has to be the one that is given."""
    result = machine.run(["lkmctl", *words], check=False, timeout=timeout)
    assert result.returncode == status, f"lkmctl {words} exited with {result.returncode}, not {status}:\n" \
        f"{result.stdout}{result.stderr}"
    return result


def ask(machine, *words, status=0, timeout=120):
    """Run lkmctl --json=short; the one object that it answers with."""
    lines = ask_all(machine, *words, status=status, timeout=timeout)
    assert len(lines) == 1, f"{words}: {len(lines)} objects, not one: {lines}"
    return lines[0]


def ask_all(machine, *words, status=0, timeout=120):
    """Run lkmctl --json=short; the objects that it answers with, one a line."""
    result = lkmctl(machine, "--json=short", *words, status=status, timeout=timeout)
    assert result.stderr == "", f"{words}: with --json nothing is said beside it: {result.stderr}"
    return [json.loads(line) for line in result.stdout.splitlines()]


def wait_idle(machine, timeout=120):
    lkmctl(machine, "wait", "--idle", f"--timeout={timeout}", timeout=timeout + 30)


def loaded(machine):
    """Names of the modules in the kernel."""
    return {line.split()[0] for line in machine.read("/proc/modules").splitlines()}


def cause_of(machine, module):
    """What brought a module into the kernel through lkmd, or None."""
    record = ask(machine, "status", module)["module"].get("loadedBy")
    return record and record["cause"]


def remove(machine, *modules):
    """Make sure that these are not in the kernel; what only they needed goes with them."""
    for module in modules:
        if module in loaded(machine):
            lkmctl(machine, "unload", module)


class Watch:
    """lkmctl monitor, running in the machine: events() are those so far."""

    def __init__(self, machine):
        self.machine = machine
        self.unit = f"watch-{next(serial)}"
        self.path = f"/run/{self.unit}"

    def start(self):
        self.machine.run(["systemd-run", "--quiet", "--collect", f"--unit={self.unit}", "-p",
                          f"StandardOutput=file:{self.path}", "lkmctl", "--json=short", "monitor"])
        # No line tells that it listens: a reload does.
        self.machine.wait(f"lkmctl --quiet reload; grep -q reloaded {self.path}")

    def events(self):
        return [json.loads(line) for line in self.machine.read(self.path).splitlines()]

    def wait_for(self, text, timeout=60):
        self.machine.wait(["grep", "-q", "-e", text, self.path], timeout)
        return self.events()

    def stop(self):
        self.machine.run(["systemctl", "stop", self.unit], check=False)


@contextlib.contextmanager
def watching(machine):
    watch = Watch(machine)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


# ------------------------------------------------------------------------------------------------ devices

def pci_driver(machine, ident):
    """The driver of the PCI device VENDOR:DEVICE, "" without one, None if there is no such device."""
    vendor, device = ident.split(":")
    result = machine.run(
        f"for d in /sys/bus/pci/devices/*; do\n"
        f'[ "$(cat $d/vendor) $(cat $d/device)" = "0x{vendor} 0x{device}" ] || continue\n'
        f'if [ -e $d/driver ]; then basename "$(readlink $d/driver)"; else echo; fi; exit 0; done; exit 1', check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def wait_pci(machine, ident, timeout=60):
    """Until the kernel shows the PCI device, with a driver or without."""
    vendor, device = ident.split(":")
    machine.wait(f"grep -lx 0x{device} $(grep -lx 0x{vendor} /sys/bus/pci/devices/*/vendor | sed s/vendor$/device/)",
                 timeout)


def devices_of(bus, driver):
    """A pattern of the shell for what a driver drives; its other entries have no subsystem."""
    return f"/sys/bus/{bus}/drivers/{driver}/*/subsystem"


def wait_bound(machine, bus, driver, timeout=60):
    """Until a driver has a device on this bus."""
    machine.wait(f"ls -d {devices_of(bus, driver)}", timeout)


def wait_unbound(machine, bus, driver, timeout=60):
    machine.wait(f"! ls -d {devices_of(bus, driver)}", timeout)


def bound(machine, bus, driver):
    return machine.run(f"ls -d {devices_of(bus, driver)}", check=False).returncode == 0


# ---------------------------------------------------------------------------------------------- in charge

def main_pid(machine, unit="lkmd"):
    return int(machine.run(["systemctl", "show", "--value", "-p", "MainPID", unit]).stdout)


def kill_lkmd(machine):
    """SIGKILL; returns the process ID that it had."""
    machine.wait("systemctl is-active lkmd")
    pid = main_pid(machine)
    machine.run(["kill", "-KILL", str(pid)])
    return pid


def rule_is_masked(machine):
    return machine.run(f'test "$(readlink {RULE})" = /dev/null', check=False).returncode == 0


def start_lkmd(machine):
    machine.run("systemctl reset-failed lkmd lkmd-loader 2>/dev/null; systemctl start lkmd")
    wait_idle(machine)
