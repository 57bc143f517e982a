# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody loads the driver of a device that comes now, and nobody what is denied: 20 times in each state that lkmd can be in."""

import pytest

from support import loaded, lkmctl, pci_driver, remove, start_lkmd, wait_idle, wait_pci

ROUNDS = 20
ALLOWED, DENIED = "8086:10d3", "8086:10c9"      # e1000e, igb
POLICY = "/etc/lkmd/policy.d/no-igb.yaml"
CONF = "/run/modprobe.d/lkmd-denied.conf"
LIB, BIN, UNITS = "/usr/lib/lkmd", "/usr/sbin/lkmd", "/usr/lib/systemd/system"
AWAY = "mkdir -p /root/away && mv {} /root/away/"
KILL = "systemctl kill -s KILL --kill-whom=main lkmd"
LOAD = "lkmctl load dummy && lkmctl unload dummy"
# How it gets there, how it gets back. systemd closes the socket of a unit that is away, and takes it for open when the unit is back.
STATES = {
    "in charge": ("true", "true"),
    "restarted": ("systemctl restart lkmd", "true"),
    "killed": (KILL, "true"),
    "stopped": ("systemctl stop lkmd", "true"),
    "masked": ("systemctl mask --now lkmd", "systemctl unmask lkmd"),
    "without programs": (f"mkdir -p /root/away; mv {LIB} /root/away/libexec; mv {BIN} /root/away/lkmd; {KILL}",
                         f"mv /root/away/libexec {LIB}; mv /root/away/lkmd {BIN}"),
    "without units": (f"{AWAY.format(UNITS + '/lkmd*')}; systemctl daemon-reload; pkill -KILL -x lkmd",
                      f"mv /root/away/* {UNITS}; systemctl daemon-reload; systemctl restart lkmd.socket"),
    "units back": (f"{AWAY.format(UNITS + '/lkmd*')}; systemctl daemon-reload; mv /root/away/* {UNITS}; systemctl daemon-reload",
                   "systemctl restart lkmd"),
    "loader stopped": (f"{LOAD}; systemctl kill -s STOP lkmd-loader", "systemctl kill -s CONT lkmd-loader"),
    "loader not executable": (f"chmod 0 {LIB}/lkmd-loader; systemctl kill -s KILL lkmd-loader", f"chmod 755 {LIB}/lkmd-loader"),
}


@pytest.fixture(scope="module", autouse=True)
def denied(machine):
    machine.write(POLICY, "version: 1\nrules:\n- match: {module: igb}\n  verdict: deny\n  reason: test\n")
    machine.wait(f"grep -qx 'blacklist igb' {CONF}")


def one_round(machine):
    machine.qmp("device_add", driver="igb", id="no", bus="rp1")
    machine.qmp("device_add", driver="e1000e", id="yes", bus="rp0")
    wait_pci(machine, ALLOWED)
    wait_pci(machine, DENIED)
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 30)
    machine.run("udevadm settle", timeout=120)
    assert pci_driver(machine, DENIED) == "" and "igb" not in loaded(machine)


@pytest.mark.parametrize("state", STATES)
def test_somebody_loads_what_is_allowed_and_nobody_what_is_not(machine, state):
    there, back = STATES[state]
    for i in range(ROUNDS):
        machine.run(there, check=False, timeout=120)
        try:
            one_round(machine)
        finally:
            for device in ("yes", "no"):
                machine.unplug(device)
            machine.wait("! grep -qx -e 0x10d3 -e 0x10c9 /sys/bus/pci/devices/*/device", 60)
            machine.run(back, check=False)
            start_lkmd(machine)
            machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'", 90)
            if "e1000e" in loaded(machine):
                machine.run("modprobe -r e1000e")
        print(f"{state}: {i + 1} of {ROUNDS}")
    lkmctl(machine, "load", "dummy")
    remove(machine, "dummy")
    wait_idle(machine)
