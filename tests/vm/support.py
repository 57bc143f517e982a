# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several test files ask of a machine with lkmd: its verbs as Python, where devices stand, who is in charge."""

import contextlib
import itertools
import json

RULE = "/run/udev/rules.d/80-drivers.rules"     # what stands over the rule by which udev loads drivers
IN_CHARGE = "/run/lkmd/in-charge"               # what that looks at
CGROUP = "/sys/fs/cgroup/system.slice/lkmd.service"

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
    return record and record["requester"]


def remove(machine, *modules):
    """Make sure that these are not in the kernel; what only they needed goes with them."""
    there = loaded(machine)
    for module in modules:
        if module in there:
            lkmctl(machine, "unload", module)
            there = loaded(machine)


def configure(machine, **settings):
    """Settings of lkmd.conf, put in force at once; without any, the defaults."""
    text = "".join(f"{key}={value}\n" for key, value in settings.items())
    machine.write("/etc/lkmd/lkmd.conf.d/support.conf", f"[Manager]\n{text}")
    lkmctl(machine, "reload")


class Background:
    """A command of the machine that goes on while the test does other things, in a unit of its own."""

    def __init__(self, machine, *words):
        self.machine = machine
        self.unit = f"background-{next(serial)}"
        machine.run(["systemd-run", "--quiet", f"--unit={self.unit}", "--remain-after-exit",
                     "-p", f"StandardOutput=file:/run/{self.unit}.out", "-p", f"StandardError=file:/run/{self.unit}.err",
                     *words])

    def output(self):
        """What it has written so far."""
        return self.machine.read(f"/run/{self.unit}.out")

    def result(self, timeout=120):
        """Wait for its end; (exit status, standard output, standard error)."""
        self.machine.wait(f"! systemctl show -p SubState {self.unit} | grep -q -e =running -e =start", timeout)
        status = int(self.machine.run(["systemctl", "show", "--value", "-p", "ExecMainStatus", self.unit]).stdout)
        self.machine.run(f"systemctl stop {self.unit}; systemctl reset-failed {self.unit}", check=False)
        return status, self.output(), self.machine.read(f"/run/{self.unit}.err")


def state(machine, module):
    """What the kernel says of a module: live, coming, going or "" for one that is not there."""
    return machine.run(f"cat /sys/module/{module}/initstate", check=False).stdout.strip()


def wait_coming(machine, module):
    """Until the init of a module is running."""
    machine.wait(f"grep -qx coming /sys/module/{module}/initstate")


def release(machine, *modules):
    """Have the inits of modules with the parameter ms return. One that is not in the kernel needs no help."""
    machine.run("for module in " + " ".join(modules) + "; do ms=/sys/module/$module/parameters/ms; "
                "if [ -e $ms ]; then echo 0 >$ms; fi; done")


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


def udev_leaves_it_to_lkmd(machine):
    """Whether the guard in RULE holds at this moment."""
    return machine.run(f"grep -q '^TEST==\"{CGROUP}\", TEST{{0100}}==\"{IN_CHARGE}\", GOTO=' {RULE} && test -d {CGROUP} && "
                       f"test $((0$(stat -c %a {IN_CHARGE}) & 0100)) -ne 0", check=False).returncode == 0


def start_lkmd(machine):
    machine.run("systemctl reset-failed lkmd lkmd-loader 2>/dev/null; systemctl start lkmd")
    wait_idle(machine)
