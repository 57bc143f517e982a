# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fails around lkmd: module files, memory, its processes, the kernel's announcements, devices that vanish while they
are looked at. Afterwards each device has its driver, lkmd is in charge, and its books are right."""

import contextlib
import json

import driver
import pytest

from support import (Background, ask, cause_of, configure, lkmctl, loaded, main_pid, pci_driver, release, remove,
                     wait_bound, wait_coming, wait_idle, wait_pci)

DEVICE, DRIVER, SLOW, INNER, OUTER = (f"lkmd_test_{name}" for name in ("device", "driver", "slow", "inner", "outer"))
ZST = "lkmd_test_zst"
UEVENT = f"/sys/devices/platform/{DEVICE}/uevent"
FOR_LONG = "ms=120000"                          # released before, or the test is about to fail
CONF = "/etc/modprobe.d/lkmd-faults.conf"
BUFFER = "/etc/lkmd/lkmd.conf.d/buffer.conf"
DROP_IN = "/run/systemd/system/lkmd.service.d/faults.conf"
E1000E = "8086:10d3"
UDEVD = "systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service"


# Beside the plain ones: quick to start, and their drivers, which are these, go as they came.
DEVICES = """virtio-net-pci virtio-rng-pci virtio-balloon-pci virtio-serial-pci virtio-keyboard-pci e1000 vmxnet3 rtl8139
pcnet tulip pvpanic-pci""".split()
DRIVERS = """virtio_net net_failover failover virtio_rng virtio_balloon virtio_console virtio_input e1000 vmxnet3 8139cp 8139too
mii pcnet32 tulip pvpanic_pci pvpanic""".split()


@pytest.fixture(scope="module")
def machine():
    machine = driver.boot(qemu=[word for name in DEVICES for word in ("-device", name)])
    machine.install_test_modules()
    lkmctl(machine, "reload")
    yield machine
    machine.remove()


@pytest.fixture(autouse=True)
def as_before(machine):
    """lkmd with its defaults and no module of the tests in the kernel, also after a failed test."""
    yield
    release(machine, SLOW, INNER)
    if machine.run(f"rm {CONF}; systemctl start lkmd {UDEVD}", check=False).stderr == "":
        lkmctl(machine, "reload")
    wait_idle(machine)
    remove(machine, SLOW, OUTER, INNER, DEVICE, DRIVER, "lkmd_test_params", "dummy")


@contextlib.contextmanager
def settings(machine, **changed):
    """Other settings of lkmd.conf for a while."""
    configure(machine, **changed)
    try:
        yield
    finally:
        configure(machine)


@contextlib.contextmanager
def drop_in(machine, text):
    """A drop-in of lkmd.service for a while; it holds for an lkmd that is started meanwhile."""
    machine.write(DROP_IN, f"[Service]\n{text}\n")
    machine.run("systemctl daemon-reload && systemctl restart lkmd")
    try:
        yield
    finally:
        machine.run(f"rm {DROP_IN} && systemctl daemon-reload && systemctl restart lkmd")


@contextlib.contextmanager
def files_kept(machine, *modules):
    """What happens to the files of these modules is undone afterwards."""
    names = " ".join(f"{module}.ko" for module in modules)
    machine.run(f"mkdir -p /root/kept && cd {extra(machine, '')} && cp {names} /root/kept")
    try:
        yield
    finally:
        machine.run(f"cd {extra(machine, '')} && rm -rf {names} && cp /root/kept/* . && rm -r /root/kept")


def extra(machine, name):
    return f"/lib/modules/{machine.kernel_version}/extra/{name}"


def plug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_pci(machine, E1000E)


def has_driver(machine):
    wait_bound(machine, "pci", "e1000e")
    assert pci_driver(machine, E1000E) == "e1000e"


def unplug(machine):
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device")
    remove(machine, "e1000e")


def books_are_right(machine):
    """Nothing is under way, and what lkmd says of the modules is what the kernel says."""
    wait_idle(machine)
    status = ask(machine, "status")
    assert (status["inCharge"], status["queued"], status["running"], status["idle"]) == ("lkmd", 0, [], True)
    assert status["modulesLoaded"] == len(loaded(machine))
    return status


# ------------------------------------------------------------------------------------------------- module files

BROKEN = {                              # module: what becomes of its file, errno
    "lkmd_test_unresolved": ("true", 2),
    "lkmd_test_a": ("truncate -s 3000 {}", 8),
    INNER: ("truncate -s 0 {}", 22),
    "lkmd_test_params": ("head -c 20000 /dev/urandom >{}", 8),
}


def test_a_device_that_asks_for_broken_modules_and_one_that_works(machine):
    """Each failure is told, but of a driver that found no device, and none of them keeps the device from the one that works."""
    names = [*BROKEN, "lkmd_test_fail", DRIVER]
    aliases = "".join(f"alias platform:{DEVICE} {name}\n" for name in names)
    with files_kept(machine, *BROKEN):
        for name, (spoil, _) in BROKEN.items():
            machine.run(spoil.format(extra(machine, f"{name}.ko")))
        for errno, told in ((12, True), (19, False)):
            machine.write(CONF, f"{aliases}options lkmd_test_fail error={errno}\n")
            lkmctl(machine, "reload")
            lkmctl(machine, "load", DEVICE)
            wait_bound(machine, "platform", DEVICE)
            status = books_are_right(machine)
            failures = {f["module"]: f for f in status["failures"]}
            for name, error in [*((name, case[1]) for name, case in BROKEN.items()), ("lkmd_test_fail", errno)]:
                shown = ask(machine, "status", name)
                record = shown["history"][0]
                assert (record["outcome"], record["errno"], record["requester"]["origin"]) == ("failed", error, "device"), record
                assert record["message"] and shown["module"]["state"] == "not_loaded"
                assert (failures.get(name) == record) == (told or name != "lkmd_test_fail"), failures
            assert cause_of(machine, DRIVER)["origin"] == "device"
            assert {m for m in loaded(machine) if m in names} == {DRIVER}
            remove(machine, DRIVER, DEVICE)


def test_compressed_in_a_way_that_the_kernel_does_not_know(machine):
    lkmctl(machine, "load", ZST, "number=7")
    assert ask(machine, "status", ZST)["module"]["path"] == extra(machine, f"{ZST}.ko.zst")
    assert machine.read(f"/sys/module/{ZST}/parameters/number") == "7\n"
    lkmctl(machine, "unload", ZST)
    assert ask(machine, "load", ZST, "colour=red", status=1)["known"] == ["number"]


REPLACED = {                            # what becomes of the file while its load waits, outcome
    "a good one": ("cp /root/kept/lkmd_test_inner.ko /root/new && mv /root/new {}", "loaded"),
    "a half-written one": ("head -c 3000 /root/kept/lkmd_test_inner.ko >/root/new && mv /root/new {}", "failed"),
    "nothing": ("rm {}", "failed"),
    "a directory": ("rm {0} && mkdir {0}", "failed"),
    "a link to elsewhere": ("ln -sf /root/kept/lkmd_test_inner.ko {}", "loaded"),
    "a link to what is not root's": ("cp /root/kept/lkmd_test_inner.ko /var/tmp && ln -sf /var/tmp/lkmd_test_inner.ko {}", "failed"),
}


def test_a_file_that_is_replaced_between_plan_and_load(machine):
    with settings(machine, LoaderThreads=1):
        for case, (replace, outcome) in REPLACED.items():
            first = Background(machine, "lkmctl", "load", SLOW, FOR_LONG)
            wait_coming(machine, SLOW)
            second = Background(machine, "lkmctl", "--json=short", "load", OUTER)
            machine.wait("lkmctl --json=short status | grep -q '\"queued\":1,'")
            with files_kept(machine, INNER, "lkmd_test_params"):
                machine.run(replace.format(extra(machine, f"{INNER}.ko")))
                release(machine, SLOW)
                assert first.result()[0] == 0
                status, output, error = second.result()
            reply = json.loads(output)
            records = {r["module"]: r["outcome"] for r in reply["records"]}
            assert records[INNER] == outcome and (status == 0) == (outcome == "loaded"), (case, output, error)
            if outcome == "failed":
                assert reply["module"] == INNER and INNER in reply["message"], (case, reply)
            books_are_right(machine)
            for module in (INNER, OUTER):
                shown = ask(machine, "status", module)["module"]
                assert (shown["state"] == "live") == (module in loaded(machine)) == (outcome == "loaded"), (case, shown)
                assert ("loadedBy" in shown) == (outcome == "loaded"), (case, shown)
            remove(machine, SLOW, OUTER, INNER, "lkmd_test_params")


# -------------------------------------------------------------------------------------------- events that get lost

FLOOD = r"""
import glob, os, sys

files = [os.open(path, os.O_WRONLY) for path in sorted(glob.glob("/sys/bus/[pa]c*i/devices/*/uevent"))]
for i in range(int(sys.argv[1])):
    os.pwrite(files[i % len(files)], b"add", 0)
"""


def times_told_of_loss(machine):
    return machine.journal("-b", "-u", "lkmd", "-o", "cat", "MESSAGE_ID=dc179f2afdbf4997b284dc586bab51f8").count("\n")


@pytest.mark.parametrize("buffer, n_events", [("128M", 50000), ("64K", 3000)])
def test_more_events_than_it_can_take(machine, buffer, n_events):
    """It stands still while they come, and a device among them. udevd is not there, for which they would be too many too."""
    machine.write("/root/flood.py", FLOOD)
    machine.write(BUFFER, f"[Manager]\nReceiveBuffer={buffer}\n")
    with drop_in(machine, "WatchdogSec=0"):
        machine.run(f"rm {BUFFER}; systemctl stop {UDEVD}")
        wait_idle(machine)
        before, told = ask(machine, "status")["counters"], times_told_of_loss(machine)
        pid = main_pid(machine)
        machine.run(["kill", "-STOP", str(pid)])
        try:
            machine.run(["python3", "/root/flood.py", str(n_events)], timeout=180)
            plug(machine)
        finally:
            machine.run(["kill", "-CONT", str(pid)])
        has_driver(machine)
        assert cause_of(machine, "e1000e")["origin"] == "device"
        counters = books_are_right(machine)["counters"]
        assert main_pid(machine) == pid
        lost = counters["rescans"] - before["rescans"]
        assert times_told_of_loss(machine) - told == lost
        if buffer == "64K":
            assert lost > 0 and counters["events"] - before["events"] < n_events
            assert counters["coldplugDevices"] > before["coldplugDevices"]
        else:
            assert lost == 0 and counters["events"] - before["events"] >= n_events
        unplug(machine)


# --------------------------------------------------------------------------------------------- processes that die

def test_the_loader_dies_while_it_loads_what_a_driver_needs(machine):
    """The init goes on in the kernel, and the driver that waited for it is not forgotten."""
    machine.write(CONF, f"alias platform:lkmd_test_device {OUTER}\noptions {INNER} {FOR_LONG}\n")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", DEVICE)
    wait_coming(machine, INNER)
    machine.run(["kill", "-KILL", str(main_pid(machine, "lkmd-loader"))])
    release(machine, INNER)
    machine.wait(f"grep -qx live /sys/module/{OUTER}/initstate")
    books_are_right(machine)


KILLED = r"""
import json, os, subprocess, sys

VICTIMS = {"manager": ["lkmd"], "loader": ["lkmd-loader"], "both": ["lkmd", "lkmd-loader"], "nobody": []}


def run(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def loaded():
    with open("/proc/modules") as f:
        return {line.split()[0]: line.split()[4] for line in f}


def empty(modules):
    '''Take out whatever nothing holds, until nothing of it is left that can go.'''
    while there := [m for m in modules if m in loaded()]:
        if not any([run("rmmod", m).returncode == 0 for m in there]):
            return


def kill(programs):
    for program in programs:
        try:
            with open(f"/sys/fs/cgroup/system.slice/{program}.service/cgroup.procs") as f:
                pids = f.read().split()
            for pid in pids:
                with open(f"/proc/{pid}/comm") as f:
                    if f.read().strip() == program:
                        os.kill(int(pid), 9)
        except (FileNotFoundError, ProcessLookupError):
            pass                        # it has ended by itself


def one_round(modules, victim, after):
    run("systemctl", "stop", "lkmd")
    run("udevadm", "settle")
    empty(modules)
    left = len(modules & loaded().keys())
    run("systemctl", "start", "--no-block", "lkmd")
    while victim != "nobody" and len([m for m in modules if m in loaded()]) < left + after:
        pass
    kill(VICTIMS[victim])
    run("sh", "-c", "until lkmctl wait --idle --timeout=60; do :; done")
    run("udevadm", "settle")            # what it was asked for while lkmd was not there
    return {m for m, state in loaded().items() if m in modules and state == "Live"}, left


modules = set(sys.argv[2:])
reference, left = one_round(modules, "nobody", 0)
print(json.dumps({"reference": sorted(reference), "left": left}), flush=True)
for i in range(int(sys.argv[1])):
    victim = ["manager", "loader", "both"][i % 3]
    after = 1 + i * (len(reference) - left - 1) // int(sys.argv[1])
    got, _ = one_round(reference, victim, after)
    print(json.dumps({"victim": victim, "after": after, "missing": sorted(reference - got)}), flush=True)
"""


def test_killed_in_the_middle_of_a_coldplug(machine):
    """The manager, the loader, or both, 20 times, each time when another number of drivers is there."""
    machine.write("/root/killed.py", KILLED)
    status, output, error = Background(machine, "python3", "/root/killed.py", "20", *DRIVERS).result(1800)
    print(output)
    assert status == 0, error
    reference, *rounds = [json.loads(line) for line in output.splitlines()]
    assert len(reference["reference"]) - reference["left"] >= 10, reference
    assert len(rounds) == 20 and [r for r in rounds if r["missing"]] == [], rounds
    books_are_right(machine)


# ------------------------------------------------------------------------------------------------------ much to read

def peak_mib(machine):
    status = machine.read(f"/proc/{main_pid(machine)}/status")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def test_fifty_thousand_files_in_modprobe_d(machine):
    """What they take is what they say, and twice that while they are read anew."""
    make = "import os\nos.makedirs('/run/modprobe.d', exist_ok=True)\nfor i in range(50000):\n" \
           "    open(f'/run/modprobe.d/{i}.conf', 'w').write(f'# a file for each\\nblacklist module_{i}\\noptions other_{i} a={i}\\n')\n"
    machine.run(["python3", "-c", make], timeout=300)
    try:
        for _ in range(3):
            lkmctl(machine, "reload", timeout=300)
            assert peak_mib(machine) < 60
        machine.run("systemctl restart lkmd", timeout=300)
        assert peak_mib(machine) < 60
        wait_idle(machine)
    finally:
        machine.run("rm -r /run/modprobe.d", timeout=300)
        lkmctl(machine, "reload", timeout=300)


# ------------------------------------------------------------------------------------------------------ no memory

GREEDY = r"""
import socket, sys

# Calls that never end: lkmd has to keep what it has got of each.
clients = []
for i in range(int(sys.argv[1])):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    clients.append(client)
    try:
        client.connect("/run/lkmd/io.lkmd.Manager")
        client.sendall(b'{"method":"io.lkmd.Manager.Load","parameters":{"name":"')
        for k in range(15 * 16):
            client.sendall(b"x" * 65536)
    except OSError as error:
        print(error)
        break
"""


def test_no_memory_is_left_for_it(machine):
    """The kernel ends lkmd, three times; each time a device comes at that moment."""
    machine.write("/root/greedy.py", GREEDY)
    with drop_in(machine, "MemoryMax=40M\nMemorySwapMax=0"):
        for _ in range(3):
            wait_idle(machine)
            pid = main_pid(machine)
            greedy = Background(machine, "python3", "/root/greedy.py", "8")
            machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
            assert greedy.result()[0] == 0
            machine.wait(f"systemctl is-active lkmd && test $(systemctl show --value -p MainPID lkmd) -ne {pid}", 120)
            has_driver(machine)
            books_are_right(machine)
            unplug(machine)
    assert machine.journal("-b", "-t", "systemd", "-g", "lkmd.service: Failed with result 'oom-kill'").count("\n") >= 3


# ------------------------------------------------------------------------------------------- too many connections

MANY = r"""
import os, socket, sys

clients = []
for user in (65534, 65533, 65532):
    pid = os.fork()
    if pid == 0:
        os.setuid(user)
        for i in range(512):
            clients.append(socket.socket(socket.AF_UNIX))
            clients[-1].settimeout(5)
            try:
                clients[-1].connect("/run/lkmd/io.lkmd.Manager")
            except OSError:
                break
        print(len(clients), flush=True)
        sys.stdin.read()
        sys.exit(0)
for user in range(3):
    os.wait()
"""


def test_more_connections_than_it_can_have(machine):
    """Three users keep as many as they get. When they are gone, lkmd answers as before."""
    machine.write("/root/many.py", MANY)
    pid = main_pid(machine)
    many = Background(machine, "sh", "-c", "sleep infinity | python3 /root/many.py")
    machine.wait(f"test $(wc -l </run/{many.unit}.out) = 3 && test $(ls /proc/{pid}/fd | wc -l) -ge 1000", 120)
    machine.run(["systemctl", "stop", many.unit])
    assert ask(machine, "status")["inCharge"] == "lkmd"
    assert main_pid(machine) == pid
    lkmctl(machine, "load", "dummy")


# ---------------------------------------------------------------------------------------------- devices that vanish

CHURN = """
while [ ! -e /run/enough ]; do
        insmod {device}
        ip link add churn0 type bridge; ip link del churn0
        echo 1 >/sys/bus/pseudo/drivers/scsi_debug/add_host
        rmmod lkmd_test_device
        echo -1 >/sys/bus/pseudo/drivers/scsi_debug/add_host
        n=$((n + 1))
        echo $n
done
"""


def test_devices_that_vanish_while_they_are_looked_at(machine):
    machine.write("/root/churn.sh", CHURN.format(device=extra(machine, f"{DEVICE}.ko")))
    machine.run("rm -f /run/enough; modprobe scsi_debug")
    wait_idle(machine)
    restarts = machine.run("systemctl show --value -p NRestarts lkmd").stdout
    churn = Background(machine, "sh", "/root/churn.sh")
    seen = 0
    for _ in range(6):
        machine.run(f"until [ $(wc -l </run/{churn.unit}.out) -gt {seen} ]; do :; done")
        machine.run("systemctl restart lkmd")
        machine.wait("lkmctl --json=short status | grep -q '\"coldplugDone\":true'")
        seen = churn.output().count("\n")
    machine.write("/run/enough", "")
    assert churn.result()[0] == 0
    assert machine.run("systemctl show --value -p ActiveState -p NRestarts lkmd").stdout.split() in (
        ["active", restarts.strip()], [restarts.strip(), "active"])
    books_are_right(machine)
    remove(machine, DRIVER, "scsi_debug")
    lkmctl(machine, "load", DEVICE)
    wait_bound(machine, "platform", "lkmd_test_device")
