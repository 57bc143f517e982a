# SPDX-License-Identifier: LGPL-2.1-or-later
"""./dev demo: the main job of lkmd on a virtual machine, step by step. Each step shows what it does and checks it; the
last line is "demo: ok", or the first thing that was not as it should be."""

import json
import shlex
import sys
import threading
import time

import driver

RULES = "/run/udev/rules.d"
IN_CHARGE = "/run/lkmd/in-charge"
CGROUP = "/sys/fs/cgroup/system.slice/lkmd.service"
BLACKLIST = "/etc/modprobe.d/demo.conf"


class Unexpected(Exception):
    """Something was not as the demo says it is."""


class Demo:
    def __init__(self):
        self.machine = None
        self.bold, self.plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")

    # ------------------------------------------------------------------------------------------------ telling

    def step(self, text):
        print(f"\n{self.bold}== {text}{self.plain}", flush=True)

    def show(self, command, status=0):
        """Type a command in the machine, show what it prints, and check how it exits."""
        result = self.machine.run(command, check=False)
        print(f"{self.bold}# {command}{self.plain}")
        for line in (result.stdout + result.stderr).rstrip("\n").split("\n"):
            print(f"  {line}")
        sys.stdout.flush()
        self.check(result.returncode == status, f"`{command}` exited with {result.returncode}, not {status}")
        return result

    def check(self, holds, otherwise):
        if not holds:
            raise Unexpected(otherwise)

    def ask(self, *words):
        return json.loads(self.machine.run(["lkmctl", "--json=short", *words]).stdout)

    # ------------------------------------------------------------------------------------------------- looking

    def in_charge(self):
        """Who loads drivers for devices: a guard before udev's rule keeps it from that while lkmd does."""
        guard = f"test -e {RULES}/80-drivers.rules -a -d {CGROUP} && test $((0$(stat -c %a {IN_CHARGE}) & 0100)) -ne 0"
        masked = self.machine.run(guard, check=False).returncode == 0
        alive = self.machine.run("systemctl is-active lkmd.service", check=False).stdout == "active\n"
        self.check(masked == alive, f"udev's rule is {'out of force' if masked else 'in force'} although lkmd "
                                    f"{'runs' if alive else 'does not run'}")
        return "lkmd" if masked else "udev"

    def loaded(self):
        return {line.split()[0] for line in self.machine.read("/proc/modules").splitlines()}

    def lived_through(self, module):
        """Wait until a module is there, by whoever loads it."""
        self.machine.run(["lkmctl", "--quiet", "wait", f"--module={module}", "--timeout=60"], timeout=90)

    def brought_in(self, since):
        """What lkmd loaded since a moment, in the order in which it ended, with times and causes."""
        answer = self.machine.run(["lkmctl", "--json=short", "list"]).stdout
        modules = [json.loads(line) for line in answer.splitlines()]
        records = [m["loadedBy"] for m in modules if m.get("loadedBy") and m["loadedBy"]["timeUSec"] >= since]
        return sorted(records, key=lambda record: record["timeUSec"])

    def guest_usec(self):
        return int(self.machine.run("date +%s%6N").stdout)

    def tell_loads(self, records):
        for record in records:
            requester = record["requester"]
            why = f"needed by {record['parent']}" if record.get("parent") else requester["key"]
            origin = requester.get("device", "").rsplit("/", 1)[-1] or requester["origin"]
            print(f"  {record['module']:<20} {record.get('durationUSec', 0) / 1000:9.1f} ms   {origin}: {why}")
        sys.stdout.flush()

    # --------------------------------------------------------------------------------------------------- steps

    def boot(self):
        self.step("A virtual machine with a stock Debian 13 kernel, systemd and udev; lkmd is installed and enabled")
        began = time.monotonic()
        booted = threading.Event()

        def tell():
            while not booted.wait(5):
                print(f"  booting ... {time.monotonic() - began:.0f} s", flush=True)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            self.machine = driver.boot()
        finally:
            booted.set()
            teller.join()
        print(f"  booted in {time.monotonic() - began:.0f} s: {self.machine.run('uname -sr').stdout.strip()}, "
              f"{self.machine.run('systemctl --version').stdout.splitlines()[0]}")
        self.machine.run("lkmctl --quiet wait --idle --timeout=60", timeout=90)

    def hand_over(self):
        self.step("Who loads drivers: udev while lkmd is stopped, lkmd while it runs")
        for verb, expected in (("stop", "udev"), ("start", "lkmd")):
            self.machine.run(f"systemctl {verb} lkmd.service")
            who = self.in_charge()
            print(f"  systemctl {verb} lkmd: {who} is in charge")
            self.check(who == expected, f"after systemctl {verb} lkmd, {who} is in charge")
        self.machine.run("lkmctl --quiet wait --idle --timeout=60", timeout=90)
        self.show("lkmctl status")

    def plug_in(self, what, module, commands):
        self.step(f"{what} is plugged in while the machine runs")
        self.check(module not in self.loaded(), f"{module} is loaded before {what} is there")
        since = self.guest_usec()
        for name, arguments in commands:
            print(f"{self.bold}qemu> {name} {' '.join(f'{k}={v}' for k, v in arguments.items())}{self.plain}")
            self.machine.qmp(name, **arguments)
        self.lived_through(module)
        self.machine.run("lkmctl --quiet wait --idle --timeout=60", timeout=90)
        records = self.brought_in(since)
        print("  came with it, in this order:")
        self.tell_loads(records)
        mine = [record for record in records if record["module"] == module]
        self.check(mine and mine[0]["requester"]["origin"] == "device", f"lkmd does not say that a device asked for {module}")

    def plug_in_all(self):
        disk = {"driver": "null-co", "node_name": "stick", "size": 64 << 20, "read_zeroes": True}
        stick = {"driver": "usb-storage", "id": "stick", "bus": "xhci.0", "drive": "stick"}
        self.plug_in("A USB stick", "usb_storage", [("blockdev-add", disk), ("device_add", stick)])
        self.machine.wait("test -e /sys/block/sda", timeout=60)
        self.show("cat /proc/partitions")
        self.plug_in("A network card", "e1000e", [("device_add", {"driver": "e1000e", "id": "card", "bus": "rp0"})])
        self.machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*/net/*", timeout=60)
        self.show("ls -d /sys/bus/pci/drivers/e1000e/*:*/net/*")

    def by_hand(self):
        self.step("By hand: load, status, unload")
        self.show("lkmctl load dm-mirror")
        self.check("dm_mirror" in self.loaded(), "dm_mirror is not loaded")
        self.show("lkmctl status dm-mirror")
        self.show("lkmctl unload dm-mirror")
        self.check(not {"dm_mirror", "dm_log"} & self.loaded(), "dm_mirror or what only it needed is still loaded")
        self.step("A failure is a sentence, with what to try next")
        self.show("lkmctl load no-such-module", status=5)

    def blacklisted(self):
        self.step("A blacklisted driver stays out, and lkmd says which line keeps it out")
        self.machine.write(BLACKLIST, "blacklist 8139cp\nblacklist 8139too\n")
        self.show(f"cat {BLACKLIST}")
        self.show("lkmctl reload")
        events = "/run/demo-events"
        self.machine.run(["systemd-run", "--quiet", "--unit=demo-monitor", f"--property=StandardOutput=file:{events}",
                          "lkmctl", "--json=short", "monitor"])
        # Only what comes after the subscription is seen: ask for something harmless until it shows.
        self.machine.wait(f"lkmctl --quiet reload && test -s {events}", timeout=60)
        self.machine.qmp("device_add", driver="rtl8139", id="old", bus="rp1")
        self.machine.wait(f"grep -q '\"verdict\".*8139' {events}", timeout=60)
        self.machine.run("lkmctl --quiet wait --idle --timeout=60; systemctl stop demo-monitor", timeout=90)
        seen = [json.loads(line) for line in self.machine.read(events).splitlines()]
        left_out = [e["omission"] for e in seen if e["kind"] == "verdict" and e["omission"]["module"].startswith("8139")]
        for omission in left_out:
            print(f"  {omission['module']}: {omission['kind']} by {omission.get('file')}:{omission.get('line')}")
        self.check(left_out and all(o.get("file") == BLACKLIST for o in left_out),
                   f"lkmd does not name {BLACKLIST} as the reason")
        self.check(not {"8139cp", "8139too"} & self.loaded(), "a blacklisted driver was loaded")
        self.machine.run(["rm", BLACKLIST])

    def killed(self):
        self.step("If lkmd goes away, by whatever means, udev is in charge again")
        self.machine.run("systemctl stop lkmd.service lkmd.socket")
        print(f"  stopped: {self.in_charge()} is in charge")
        self.check(self.in_charge() == "udev", "udev is not in charge after the stop")
        self.show("lkmctl status", status=4)

    def run(self):
        self.boot()
        self.hand_over()
        self.plug_in_all()
        self.by_hand()
        self.blacklisted()
        self.killed()


def main():
    demo = Demo()
    try:
        demo.run()
    except KeyboardInterrupt:
        print("\ndemo: interrupted")
        return 130
    except (Unexpected, driver.CommandFailed, driver.LabError, driver.MachineDown, driver.QmpError, TimeoutError) as error:
        print(f"\ndemo: FAILED: {error}")
        if demo.machine:
            logs = driver.lab.project() / "build/vm-logs/demo"
            demo.machine.save_logs(logs)
            print(f"demo: console and journal are in {shlex.quote(str(logs))}")
        return 1
    finally:
        if demo.machine:
            demo.machine.remove()
    print("\ndemo: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
