# SPDX-License-Identifier: LGPL-2.1-or-later
"""What monitoring sees of a real machine, and scripts that wait for the driver of a device."""

import itertools
import json
import re
import sys
from pathlib import Path

import pytest

from support import ask, ask_all, lkmctl, remove, start_lkmd, wait_idle, wait_pci

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from open_metrics import parse

COLLECTOR = "/var/lib/prometheus/node-exporter"
FILE = f"{COLLECTOR}/lkmd.prom"
CARD = "8086:10d3"                      # an e1000e

serial = itertools.count(1)


# ------------------------------------------------------------------------------------------------- metrics

def metrics_of(machine):
    return parse(lkmctl(machine, "metrics").stdout)


def test_metrics_of_a_machine(machine):
    wait_idle(machine)
    metrics, status = metrics_of(machine), ask(machine, "status")
    counters = status["counters"]
    for name, value in {"up": 1, "in_charge": 1, "index_complete": 1, "coldplug_done": 1, "idle": 1, "jobs_queued": 0, "jobs_running": 0,
                        "modules_loaded": status["modulesLoaded"], "modules_known": status["modulesKnown"],
                        "problems": 0}.items():
        assert metrics["lkmd_" + name].value() == value, name
    assert metrics["lkmd_build_info"].value(version=status["version"]) == 1
    assert abs(metrics["lkmd_start_time_seconds"].value() - status["startedUSec"] / 1e6) < 0.001
    for name, field in (("loads", "loads"), ("failures", "failures"), ("coldplug_devices", "coldplugDevices"), ("lookups", "lookups")):
        assert metrics["lkmd_" + name].value("_total") == counters[field]

    assert counters["loads"] > 10 and counters["lookups"] >= counters["requests"] >= counters["loads"] / 20
    assert counters["queueHighWater"] >= 1 and counters["lost"] == 0
    phases = metrics["lkmd_phase_seconds"]
    assert phases.value("_count", phase="load") == counters["loads"]
    assert phases.value("_sum", phase="load") > 0
    assert phases.value("_count", phase="queue") >= counters["loads"]
    assert phases.value("_count", phase="plan") >= 1
    print(lkmctl(machine, "metrics").stdout)


def test_counters_only_grow(machine):
    before = metrics_of(machine)
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    after = metrics_of(machine)
    for name, grown in (("loads", 1), ("unloads", 1), ("requests", 2), ("failures", 0)):
        assert after["lkmd_" + name].value("_total") == before["lkmd_" + name].value("_total") + grown, name
    for phase in ("load", "unload"):
        assert after["lkmd_phase_seconds"].value("_count", phase=phase) == before["lkmd_phase_seconds"].value("_count", phase=phase) + 1
    for name, family in before.items():
        if family.type != "gauge":
            for key, number in family.samples.items():
                assert after[name].samples[key] >= number, (name, key)


def test_json_has_the_same_metrics(machine):
    assert [metric["name"] for metric in ask_all(machine, "metrics")] == list(metrics_of(machine))


def test_anyone_may_ask(machine):
    parse(machine.run("runuser -u nobody -- lkmctl metrics").stdout)


# --------------------------------------------------------------------------------------------------- units

@pytest.fixture
def collector(machine):
    """The directory as Debian's prometheus-node-exporter makes it: somebody else's."""
    machine.run(f"mkdir -p {COLLECTOR} && chown nobody {COLLECTOR}")
    yield
    machine.run(f"systemctl stop lkmd-metrics.timer; rm -rf {COLLECTOR} /run/systemd/system/lkmd-metrics.service.d;"
                "systemctl daemon-reload; systemctl reset-failed lkmd-metrics.service", check=False)


def result_of_service(machine):
    machine.run("systemctl start lkmd-metrics.service", check=False)
    return machine.run("systemctl show --value -p Result lkmd-metrics.service").stdout.strip()


def test_units_are_sound_and_off(machine):
    result = machine.run("systemd-analyze verify --man=no lkmd-metrics.service lkmd-metrics.timer", check=False, timeout=120)
    assert result.returncode == 0 and "lkmd" not in result.stderr, result.stderr
    assert machine.run("systemctl is-enabled lkmd-metrics.timer", check=False).stdout == "disabled\n"
    machine.run("systemctl preset lkmd-metrics.timer")
    assert machine.run("systemctl is-enabled lkmd-metrics.timer", check=False).stdout == "disabled\n"


def test_security(machine):
    table = machine.run("systemd-analyze security --no-pager lkmd-metrics.service", timeout=120).stdout
    print(table)
    assert float(re.search(r"exposure level for lkmd-metrics.service: ([0-9.]+)", table)[1]) < 3.0


def test_the_timer_writes_the_file_again_and_again(machine, collector):
    # as it is installed but for the half minute
    machine.write("/run/systemd/system/lkmd-metrics.timer.d/test.conf", "[Timer]\nOnUnitActiveSec=\nOnActiveSec=1s\nOnUnitActiveSec=3s\n")
    machine.run("systemctl daemon-reload; systemctl start lkmd-metrics.timer")
    for _ in range(2):
        machine.wait(f"test -e {FILE}", 120)
        assert parse(machine.read(FILE))["lkmd_up"].value() == 1
        assert machine.run(f"stat -c '%a %U' {FILE}").stdout == "644 root\n"
        assert machine.run(f"ls -A {COLLECTOR}").stdout == "lkmd.prom\n"
        machine.run(f"rm {FILE}")
    machine.run("systemctl stop lkmd-metrics.timer; rm -r /run/systemd/system/lkmd-metrics.timer.d; systemctl daemon-reload")


def test_the_file_says_that_lkmd_is_down(machine, collector):
    assert result_of_service(machine) == "success"
    machine.run("systemctl stop lkmd")
    try:
        assert result_of_service(machine) == "success"
        metrics = parse(machine.read(FILE))
        assert set(metrics) == {"lkmd_up"} and metrics["lkmd_up"].value() == 0
    finally:
        start_lkmd(machine)
    assert result_of_service(machine) == "success"
    assert parse(machine.read(FILE))["lkmd_up"].value() == 1


def test_another_place_by_drop_in(machine, collector):
    machine.run("mkdir -p /var/lib/elsewhere")
    machine.write("/run/systemd/system/lkmd-metrics.service.d/place.conf",
                  "[Service]\nEnvironment=LKMD_METRICS_FILE=/var/lib/elsewhere/x.prom\nReadWritePaths=/var/lib/elsewhere\n")
    machine.run("systemctl daemon-reload")
    assert result_of_service(machine) == "success"
    parse(machine.read("/var/lib/elsewhere/x.prom"))
    machine.run(f"test ! -e {FILE}")


def test_without_the_directory_it_fails_and_says_so(machine):
    machine.run(f"rm -rf {COLLECTOR}")
    assert result_of_service(machine) == "exit-code"
    assert f"cannot write {FILE}" in machine.journal("-b", "-u", "lkmd-metrics")
    machine.run("systemctl reset-failed lkmd-metrics.service")


# ------------------------------------------------------------------------------------- wait for a device

class Waiter:
    """lkmctl wait, running in the machine."""

    def __init__(self, machine, *words):
        self.machine = machine
        self.path = f"/run/waiter-{next(serial)}"
        machine.run(["systemd-run", "--quiet", "--collect", "bash", "-c",
                     f'lkmctl wait "$@" >{self.path}.out 2>&1; echo $? >{self.path}', "waiter", *words])

    def status(self):
        self.machine.wait(["test", "-s", self.path], 120)
        return int(self.machine.read(self.path))

    def text(self):
        return self.machine.read(f"{self.path}.out")

    def waits(self):
        return self.machine.run(["test", "-e", self.path], check=False).returncode != 0


@pytest.fixture
def card(machine):
    """A network card that is there, but gets no driver before somebody says so; its path."""
    remove(machine, "e1000e")
    machine.run("echo 0 >/sys/bus/pci/drivers_autoprobe")
    machine.qmp("device_add", driver="e1000e", id="card", bus="rp0")
    wait_pci(machine, CARD)
    address = machine.run(f"basename $(dirname $(grep -lx 0x{CARD.split(':')[1]} /sys/bus/pci/devices/*/device))").stdout.strip()
    yield f"/sys/bus/pci/devices/{address}"
    machine.run("echo 1 >/sys/bus/pci/drivers_autoprobe")
    if machine.run(f"test -e /sys/bus/pci/devices/{address}", check=False).returncode == 0:
        machine.unplug("card")
        machine.wait(f"test ! -e /sys/bus/pci/devices/{address}")
    remove(machine, "e1000e")


def test_wait_while_a_device_is_plugged(machine, card):
    address = card.rsplit("/", 1)[1]
    real = machine.run(["readlink", "-f", card]).stdout.strip()
    for name in (card, real, real.removeprefix("/sys")):
        result = lkmctl(machine, "wait", f"--device={name}", "--timeout=0.1", status=1)
        assert f"no driver was bound to {real.removeprefix('/sys')} within the time given" in result.stderr
        assert "lkmctl resolve pci:v00008086d000010D3" in result.stderr

    # With lkmd idle and the module live: the driver is what lacks.
    wait_idle(machine)
    waiters = [Waiter(machine, "--device", card), Waiter(machine, "--device", real, "--idle", "--module=e1000e", "--timeout=100")]
    lkmctl(machine, "wait", "--module=e1000e", "--timeout=60")
    lkmctl(machine, "wait", f"--device={card}", "--timeout=0.5", status=1)
    assert all(waiter.waits() for waiter in waiters)
    machine.run(f"echo {address} >/sys/bus/pci/drivers_probe")
    for waiter in waiters:
        assert waiter.status() == 0, waiter.text()
    machine.run(f"test -L {card}/driver")
    lkmctl(machine, "wait", f"--device={card}", "--timeout=0")
    interface = machine.run(f"ls {card}/net").stdout.strip()
    lkmctl(machine, "wait", f"--device=/sys/class/net/{interface}", "--timeout=0")
    assert ask(machine, "wait", f"--device={card}", "--idle", "--timeout=60") == {}


def test_a_device_that_vanishes_while_it_is_waited_for(machine, card):
    real = machine.run(["readlink", "-f", card]).stdout.strip()
    waiter = Waiter(machine, "--device", card)
    result = lkmctl(machine, "wait", f"--device={card}", "--timeout=0.5", status=1)     # time for the other one to be taken up
    assert "no driver was bound" in result.stderr and waiter.waits()
    machine.unplug("card")
    assert waiter.status() == 5
    assert f"the device {real.removeprefix('/sys')} is gone" in waiter.text()
    lkmctl(machine, "wait", f"--device={card}", status=5)


PROBED = "/sys/devices/platform/lkmd_test_device"


@pytest.fixture
def probing(machine):
    """Have a driver loaded whose probe goes on until finish(); with an error, it fails then."""
    machine.install_test_modules()

    def begin(error):
        machine.write("/etc/modprobe.d/hold.conf", f"options lkmd_test_driver hold=1 error={error}\n")
        lkmctl(machine, "reload")
        machine.run("insmod /lib/modules/$(uname -r)/extra/lkmd_test_device.ko")
        machine.wait(f"test -L {PROBED}/driver", 60)         # the kernel shows it before it has probed

    def finish():
        machine.run("echo 0 >/sys/module/lkmd_test_driver/parameters/hold")

    begin.finish = finish
    yield begin
    machine.run("echo 0 >/sys/module/lkmd_test_driver/parameters/hold; rmmod lkmd_test_device; rm /etc/modprobe.d/hold.conf",
                check=False)
    wait_idle(machine)
    remove(machine, "lkmd_test_driver")
    lkmctl(machine, "reload")


@pytest.mark.parametrize("error", [pytest.param(0, marks=pytest.mark.soak), 5])
def test_a_driver_counts_when_it_has_probed(machine, probing, error):
    probing(error)
    assert machine.read("/sys/module/lkmd_test_driver/initstate") == "coming\n"
    result = lkmctl(machine, "wait", f"--device={PROBED}", "--timeout=0.5", status=1)
    assert "the driver of /devices/platform/lkmd_test_device is still being loaded" in result.stderr
    waiter = Waiter(machine, "--device", PROBED)
    lkmctl(machine, "wait", f"--device={PROBED}", "--timeout=0.5", status=1)    # time for the other one to be taken up
    assert waiter.waits()
    probing.finish()
    lkmctl(machine, "wait", "--module=lkmd_test_driver", "--timeout=60")
    if error == 0:
        assert waiter.status() == 0, waiter.text()
        return
    machine.run(f"test ! -e {PROBED}/driver")                # it was taken back
    result = lkmctl(machine, "wait", f"--device={PROBED}", "--timeout=0.5", status=1)
    assert "no driver was bound" in result.stderr and "lkmctl resolve platform:lkmd_test_device" in result.stderr
    assert waiter.waits()
    machine.run("rmmod lkmd_test_device")
    assert waiter.status() == 5


def test_waiting_for_what_is_no_device(machine):
    for path in ("/sys/devices/nothing", "/etc/passwd", "/sys/module/ext4", "nothing"):
        assert "there is no device" in lkmctl(machine, "wait", "--device", path, status=5).stderr
    result = machine.run(["varlinkctl", "call", "/run/lkmd/io.lkmd.Manager", "io.lkmd.Manager.Wait",
                          json.dumps({"device": "/../etc"})], check=False)
    assert result.returncode != 0 and "InvalidParameter" in result.stderr
