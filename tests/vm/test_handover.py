# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who loads drivers for devices: lkmd while it runs, udev at any other time, however lkmd has ended."""

import pytest

from support import (CGROUP, RULE, ask, cause_of, configure, kill_lkmd, lkmctl, loaded, main_pid, pci_driver, remove,
                     start_lkmd, udev_leaves_it_to_lkmd, wait_pci)

E1000E = "8086:10d3"
RULES = "ls -lA --time-style=+ /run/udev/rules.d /etc/udev/rules.d; cat /etc/udev/rules.d/* 2>/dev/null; " \
        "cksum /usr/lib/udev/rules.d/* /etc/udev/udev.conf"
LAST_CHANGE = "systemctl show --value -p StateChangeTimestampMonotonic"
POLICY = "/etc/lkmd/policy.d/no-e1000e.yaml"
DENIED = "/run/modprobe.d/lkmd-denied.conf"
DROP_IN = "/run/systemd/system/lkmd.service.d/test.conf"


def plug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_pci(machine, E1000E)


def unplug(machine):
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)


def forget(machine):
    if "e1000e" in loaded(machine):
        machine.run("modprobe -r e1000e")


def wait_driven(machine):
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)


def udev_loads(machine):
    """The proof: a card that is plugged in now has its driver, and lkmd had no part in it."""
    assert main_pid(machine) == 0
    assert not udev_leaves_it_to_lkmd(machine)
    assert "e1000e" not in loaded(machine)
    plug(machine)
    wait_driven(machine)
    unplug(machine)
    forget(machine)


def last_change(machine, unit):
    return machine.run(f"{LAST_CHANGE} {unit}").stdout.strip()


def said(machine, unit):
    """What the processes of a service have said since it was started last."""
    invocation = machine.run(f"systemctl show --value -p InvocationID {unit}").stdout.strip()
    return machine.journal("-b", "-u", unit, "-o", "cat", f"_SYSTEMD_INVOCATION_ID={invocation}")


def handover_says(machine):
    return "\n".join(line for line in said(machine, "lkmd").splitlines() if line.startswith("lkmd-handover: "))


@pytest.fixture
def drop_in(machine):
    """A drop-in for lkmd.service that goes with the test, which leaves lkmd running again."""
    def write(text):
        machine.write(DROP_IN, text)
        machine.run("systemctl daemon-reload")

    yield write
    machine.run(["rm", "-f", DROP_IN])
    machine.run("systemctl daemon-reload")
    start_lkmd(machine)


def test_lkmd_is_in_charge_from_boot(machine):
    assert ask(machine, "status")["inCharge"] == "lkmd"
    assert udev_leaves_it_to_lkmd(machine)
    # It was there before udev read its rules: no module came another way that a device had asked for.
    journal = machine.journal("-b", "-u", "systemd-udevd", "-u", "lkmd", "-o", "short-monotonic")
    assert journal.index("Started lkmd.service") < journal.index("Started systemd-udevd.service"), journal


def test_stop_and_start(machine):
    """udev has read once what it needs to know. Neither way has to tell it anything, and no other rule is touched."""
    during = machine.run(RULES).stdout
    read_before = last_change(machine, "systemd-udevd")
    machine.run("systemctl stop lkmd")
    assert machine.run(RULES).stdout == during
    udev_loads(machine)
    start_lkmd(machine)
    assert udev_leaves_it_to_lkmd(machine)
    machine.run("systemctl restart lkmd")
    assert machine.run(RULES).stdout == during
    assert last_change(machine, "systemd-udevd") == read_before
    assert handover_says(machine) == ""


@pytest.mark.parametrize("earlier", ["rm -f {0}", pytest.param("ln -sf /dev/null {0}", marks=pytest.mark.soak)])
def test_rule_of_an_earlier_lkmd(machine, earlier):
    """udevd is told: it says to systemd when it reads its rules, though there was no uevent."""
    during = machine.run(RULES).stdout
    machine.run(earlier.format(RULE))
    read_before = last_change(machine, "systemd-udevd")
    machine.run("systemctl restart lkmd")
    machine.wait(f"test \"$({LAST_CHANGE} systemd-udevd)\" != {read_before} && systemctl -q is-active systemd-udevd")
    assert machine.run(RULES).stdout == during
    assert handover_says(machine) == ""


def test_udev_really_leaves_it_to_lkmd(machine):
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    try:
        plug(machine)
        machine.run("udevadm settle", timeout=120)      # udev is through with it
        assert pci_driver(machine, E1000E) == ""
        assert "e1000e" not in loaded(machine)
    finally:
        machine.run(["kill", "-CONT", str(pid)])
    wait_driven(machine)
    assert main_pid(machine) == pid
    assert cause_of(machine, "e1000e")["origin"] == "device"
    unplug(machine)
    remove(machine, "e1000e")


def test_killed_for_good(machine, drop_in):
    drop_in("[Service]\nRestart=no\n")
    kill_lkmd(machine)
    machine.wait("systemctl is-failed lkmd")
    udev_loads(machine)
    # Its socket was not stopped: whoever asks for lkmd has it back, and in charge.
    lkmctl(machine, "wait", "--idle", "--timeout=60")
    assert udev_leaves_it_to_lkmd(machine)


def test_plugged_when_it_has_just_died(machine, drop_in):
    """The moment between lkmd's death and udev's rule: held open until udevd has seen the device and left it alone."""
    drop_in("[Service]\nRestart=no\nTimeoutStopSec=infinity\nExecStopPost=\nExecStopPost=+/bin/sh -c 'while [ ! -e /run/go-on ]; do :; done'\n"
            "ExecStopPost=+/usr/lib/lkmd/lkmd-handover give-back\n")
    kill_lkmd(machine)
    assert udev_leaves_it_to_lkmd(machine)
    plug(machine)
    machine.run("udevadm settle", timeout=120)
    assert pci_driver(machine, E1000E) == "", "neither has taken it yet"
    machine.write("/run/go-on", "")
    wait_driven(machine)
    machine.wait("systemctl is-failed lkmd")
    assert not udev_leaves_it_to_lkmd(machine)
    unplug(machine)
    forget(machine)


@pytest.mark.parametrize("start", ["/bin/false", pytest.param("-/bin/true", marks=pytest.mark.soak)])
def test_failed_start(machine, drop_in, start):
    """Exits with an error, ends without having said that it is ready."""
    machine.run("systemctl stop lkmd")
    drop_in(f"[Service]\nRestart=no\nExecStart=\nExecStart={start}\n")
    assert machine.run("systemctl start lkmd", check=False).returncode != 0
    machine.wait("! systemctl is-active lkmd")
    udev_loads(machine)


def test_somebodys_own_rule_is_left_alone(machine):
    machine.run("systemctl stop lkmd")
    text = "# mine\n"
    machine.write(RULE, text)
    start_lkmd(machine)
    assert machine.read(RULE) == text
    status = ask(machine, "status")         # what it says is what the administrator wants, and lkmd does not go round it
    assert (status["inCharge"], status["ownUdevRule"]) == ("udev", RULE)
    machine.run("systemctl stop lkmd")
    assert machine.read(RULE) == text
    machine.run(["rm", RULE])
    start_lkmd(machine)
    assert udev_leaves_it_to_lkmd(machine)


@pytest.mark.soak
def test_udevd_that_does_not_answer(machine):
    """As one that is kept busy by uevents: neither way waits for it, and it goes by the right rule when it is back."""
    udevd = str(main_pid(machine, "systemd-udevd"))
    for verb in ("stop", "start"):
        machine.run(["kill", "-STOP", udevd])
        try:
            machine.run(["systemctl", verb, "lkmd"], timeout=45)
            assert udev_leaves_it_to_lkmd(machine) == (verb == "start")
            plug(machine)
        finally:
            machine.run(["kill", "-CONT", udevd])
        assert handover_says(machine) == ""
        wait_driven(machine)
        machine.run("udevadm settle", timeout=120)
        unplug(machine)
        forget(machine)


@pytest.mark.soak
def test_without_udevd(machine):
    """It is not started on the way, and nobody complains."""
    machine.run("systemctl stop systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket")
    try:
        for verb in ("stop", "start"):
            machine.run(["systemctl", verb, "lkmd"])
            assert udev_leaves_it_to_lkmd(machine) == (verb == "start")
            assert main_pid(machine, "systemd-udevd") == 0
            assert handover_says(machine) == ""
    finally:
        machine.run("systemctl start systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service")
    machine.run("udevadm settle", timeout=120)
    lkmctl(machine, "wait", "--idle", "--timeout=60")


# ------------------------------------------------------------------------------------------ without anything of ours

@pytest.fixture
def put_back(machine):
    """After something of lkmd was away: all of it is there again, and lkmd runs."""
    yield
    machine.run("if [ -d /root/away ]; then cp -a /root/away/. / && rm -r /root/away; fi; systemctl unmask lkmd; "
                "systemctl daemon-reload; systemctl restart lkmd")
    start_lkmd(machine)
    assert udev_leaves_it_to_lkmd(machine)


def take_away(machine, *paths):
    for path in paths:
        machine.run(f"mkdir -p /root/away$(dirname {path}) && cp -a {path} /root/away{path} && rm -r {path}")


def test_masked(machine, put_back):
    """systemd does not run what a masked unit wanted done at its end. A device that lkmd had no time for is udev's, too."""
    machine.run("systemctl mask lkmd")                  # which can take longer than the watchdog waits for a stopped lkmd
    machine.run(["kill", "-STOP", str(main_pid(machine))])
    plug(machine)
    machine.run("udevadm settle", timeout=120)
    machine.run("systemctl stop lkmd")                  # which sends SIGCONT as well
    wait_driven(machine)
    unplug(machine)
    forget(machine)
    udev_loads(machine)


PROGRAMS = ["/usr/lib/lkmd", "/usr/sbin/lkmd"]
UNITS = [f"/usr/lib/systemd/system/lkmd{unit}" for unit in (".service", ".socket", "-loader.service", "-loader.socket",
                                                          "-handover.service", "-handover.path")]


def removed_while_it_runs(machine, *gone):
    """Then it is killed, and udev acts at once."""
    take_away(machine, *gone)
    machine.run("systemctl daemon-reload")
    machine.run(["kill", "-KILL", str(main_pid(machine))])
    machine.wait(f"test ! -d {CGROUP}")
    udev_loads(machine)


def test_all_removed_while_it_runs(machine, put_back):
    removed_while_it_runs(machine, *PROGRAMS, *UNITS)


@pytest.fixture
def denied(machine):
    """e1000e is denied by name."""
    machine.write(POLICY, "version: 1\nrules:\n- match: {module: e1000e}\n  verdict: deny\n  reason: test\n")
    machine.wait(f"grep -qx 'blacklist e1000e' {DENIED}")
    yield
    machine.run(["rm", POLICY])
    machine.wait(f"test ! -e {DENIED}")


def stays_out(machine):
    machine.run("udevadm settle", timeout=120)
    assert pci_driver(machine, E1000E) == "" and "e1000e" not in loaded(machine)


def test_what_is_denied_stays_out(machine, denied, put_back):
    """By name, however lkmd ends; a device that was there before, and one that comes then."""
    plug(machine)
    for end in ("restart lkmd", "kill -s KILL lkmd", "stop lkmd", "start lkmd", "mask --now lkmd"):
        machine.run(f"systemctl {end}")
        stays_out(machine)
        unplug(machine)
        plug(machine)
        stays_out(machine)
    assert "bin/false" in machine.run("modprobe e1000e", check=False).stderr, "nor does root's modprobe load it"
    unplug(machine)
    machine.run("systemctl unmask lkmd")
    start_lkmd(machine)


def test_denials_are_forgotten_where_that_is_wanted(machine, denied):
    configure(machine, OnStop="forget")
    try:
        machine.run("systemctl restart lkmd")
        machine.run(f"test -e {DENIED}")
        kill_lkmd(machine)
        machine.wait("systemctl is-active lkmd")
        machine.run(f"test -e {DENIED}")
        machine.run("systemctl stop lkmd")
        machine.run(f"test ! -e {DENIED}")
        udev_loads(machine)
    finally:
        start_lkmd(machine)
        configure(machine)


# ------------------------------------------------------------------------------------- a loader that can do nothing

LOADER = "/usr/lib/lkmd/lkmd-loader"
TROUBLES = {                            # what is done, what is said, what mends it
    "stopped": ("systemctl kill -s STOP lkmd-loader", "does not answer", "systemctl kill -s CONT lkmd-loader"),
    "not executable": (f"chmod 0 {LOADER}; systemctl kill -s KILL lkmd-loader", "is not executable", f"chmod 755 {LOADER}"),
}


def steps_told(machine):
    """How often the journal says that lkmd stepped back, and in. One that ended meanwhile did not step in again."""
    return [machine.journal("-b", "-u", "lkmd", "-o", "cat", f"MESSAGE_ID={kind}").count("\n")
            for kind in ("5b0b1f3a3e7e4d0f9d0a6c1b7d2f4e81", "c1d7e0a94b3f4c57a8c2f9e15d6b3a70")]


@pytest.mark.parametrize("trouble", ["stopped", pytest.param("not executable", marks=pytest.mark.soak)])
def test_loader_that_can_do_nothing(machine, trouble):
    """udev has the device that lkmd asked the loader for, and lkmd is back when the loader is."""
    harm, said_of_it, remedy = TROUBLES[trouble]
    told = steps_told(machine)
    lkmctl(machine, "load", "dummy")
    remove(machine, "dummy")
    machine.run(harm)
    plug(machine)
    wait_driven(machine)
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"udev\"'")
    status = ask(machine, "status")
    assert said_of_it in status["steppedBack"] and status["steppedBackRemedy"] == remedy, status
    assert f"not lkmd: {status['steppedBack']}; udev loads drivers\n" in lkmctl(machine, "status").stdout
    failure = lkmctl(machine, "load", "dummy", status=1, timeout=20)
    assert said_of_it in failure.stderr and remedy in failure.stderr, failure
    unplug(machine)
    forget(machine)
    plug(machine)
    wait_driven(machine)
    unplug(machine)
    forget(machine)
    machine.run(remedy)
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'", 90)
    assert udev_leaves_it_to_lkmd(machine)
    lkmctl(machine, "load", "dummy")
    remove(machine, "dummy")
    back, forth = (now - then for now, then in zip(steps_told(machine), told))
    assert back == forth >= 1


@pytest.mark.soak
def test_udevd_restarted_while_lkmd_runs(machine):
    machine.run("systemctl restart systemd-udevd")
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    try:
        plug(machine)
        machine.run("udevadm settle", timeout=120)
        assert pci_driver(machine, E1000E) == ""
    finally:
        machine.run(["kill", "-CONT", str(pid)])
    wait_driven(machine)
    unplug(machine)
    remove(machine, "e1000e")
