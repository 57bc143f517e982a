# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs as root for lkmd. lkmd-loader: an init sees of it what it sees of modprobe in a root shell, and it can do nothing
else; it is small, and stays. lkmd-command: the commands of modprobe.d have root's rights, and nobody waits for those that hang."""

import json
import re

import pytest

from support import Background, ask, configure, lkmctl, loaded, main_pid, release, remove, wait_coming, wait_idle, watching

SLOW = "lkmd_test_slow"
SEES, PARAMS, CHAIN = "lkmd_test_sees", "lkmd_test_params", "lkmd_test_a"
CONF = "/etc/modprobe.d/lkmd-loader-test.conf"
PSS_MAX_KIB = 400


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    release(machine, SLOW)
    machine.run(f"touch /run/go; rm -f {CONF}")
    configure(machine)
    wait_idle(machine)
    remove(machine, PARAMS, CHAIN, SEES, SLOW, "dummy")


@pytest.fixture
def lines(machine):
    def write(*text):
        machine.run("rm -rf /run/go /run/lkmdt.*")
        machine.write(CONF, "".join(f"{line}\n" for line in text))
        lkmctl(machine, "reload")
    return write


# ------------------------------------------------------------------------------------------- what an init sees

def what_it_sees(machine, *command):
    machine.run("rm -f /run/lkmd_test_sees")
    machine.run([*command, SEES])
    text = machine.read(f"/proc/{SEES}")
    machine.run(["rmmod", SEES])
    return text.splitlines()


def test_an_init_sees_what_it_sees_of_modprobe(machine):
    shell = what_it_sees(machine, "bash", "-c", "cd /; umask 022; exec modprobe $0")
    ours = what_it_sees(machine, "lkmctl", "load")
    assert ours == shell
    for line in ("bind below 1024: 0", "new file: 0, mode 644", "/dev/kmsg: 0", "root: /", "cwd: /", "umask: 22"):
        assert line in ours
    assert sum(line.startswith("capable(") and line.endswith(": 1") for line in ours) > 40


def test_qrtr_binds_a_port_in_its_init(machine):
    lkmctl(machine, "load", "qrtr")
    assert "qrtr" in loaded(machine)
    lkmctl(machine, "unload", "qrtr")


def test_what_the_kernel_cannot_decompress(machine):
    assert machine.read("/sys/module/compression").strip() == "xz"
    lkmctl(machine, "load", "lkmd_test_zst")
    assert "lkmd_test_zst" in loaded(machine)
    lkmctl(machine, "unload", "lkmd_test_zst")


# ------------------------------------------------------------------------------------------------- lkmd-loader

def status_of(machine, pid):
    return dict(re.findall(r"^(\w+):\s*(.*)$", machine.read(f"/proc/{pid}/status"), re.M))


def test_the_loader_stays_and_is_small(machine):
    """Also after loads at once, whose threads are gone, and after it has read the largest file that it may."""
    pid = main_pid(machine, "lkmd-loader")
    assert pid != 0
    for module in (CHAIN, "dummy", "qrtr"):
        lkmctl(machine, "load", module)
    remove(machine, CHAIN, "dummy", "qrtr")
    assert main_pid(machine, "lkmd-loader") == pid
    libraries = set(re.findall(r"/([^/\s]+\.so[.\d]*)$", machine.read(f"/proc/{pid}/maps"), re.M))
    print(libraries, machine.read(f"/proc/{pid}/smaps_rollup"))
    assert {name.split(".so")[0] for name in libraries} == {"libc", "ld-linux-x86-64"}
    assert int(re.search(r"^Pss:\s+(\d+)", machine.read(f"/proc/{pid}/smaps_rollup"), re.M)[1]) < PSS_MAX_KIB


def test_the_loader_can_do_nothing_else(machine):
    status = status_of(machine, main_pid(machine, "lkmd-loader"))
    assert status["Seccomp"] == "2" and int(status["Seccomp_filters"]) > 1
    assert int(status["CapEff"], 16) == int(status_of(machine, 1)["CapEff"], 16)


@pytest.mark.parametrize("how", [
    "systemctl restart lkmd-loader",
    # as an upgrade does: another file in the place of the program, and a restart of what ran it
    "cp /usr/lib/lkmd/lkmd-loader /run/l && mv /run/l /usr/lib/lkmd/lkmd-loader && systemctl restart lkmd-loader",
])
def test_a_load_outlives_its_loader(machine, how):
    """It is answered by the loader that has it, while the next one loads what comes after it."""
    slow = Background(machine, "lkmctl", "--json=short", "load", SLOW, "ms=120000")
    wait_coming(machine, SLOW)
    pid = main_pid(machine, "lkmd-loader")
    machine.run(how, timeout=120)
    lkmctl(machine, "load", "dummy")
    assert main_pid(machine, "lkmd-loader") not in (0, pid)
    running = ask(machine, "status")
    assert [r["module"] for r in running["running"]] == [SLOW] and running["inCharge"] == "lkmd"
    release(machine, SLOW)
    status, output, said = slow.result()
    assert status == 0, said
    assert json.loads(output)["records"][-1]["outcome"] == "loaded"
    machine.wait(f"! kill -0 {pid}")
    lkmctl(machine, "unload", SLOW)


# ------------------------------------------------------------------------------------------------ lkmd-command

def test_commands_have_the_rights_of_root(machine, lines):
    lines(f"install {PARAMS} mkdir -p /run/lkmdt.mnt && mount -t tmpfs lkmdt /run/lkmdt.mnt && sysctl -qw net.ipv4.ip_forward=1 && "
          f"/sbin/modprobe --ignore-install {PARAMS} && ip link set lo mtu 1400 && (umask; pwd; id -u) >/run/lkmdt.said && "
          "grep Cap /proc/self/status >/run/lkmdt.caps && unshare -m true")
    before = machine.read("/proc/sys/net/ipv4/ip_forward")
    try:
        assert ask(machine, "load", PARAMS)["records"][-1]["outcome"] == "command_run"
        assert PARAMS in loaded(machine)
        assert machine.run("findmnt -no SOURCE /run/lkmdt.mnt").stdout == "lkmdt\n", "the system sees the mount"
        assert machine.read("/proc/sys/net/ipv4/ip_forward") == "1\n"
        assert "mtu 1400" in machine.run("ip link show lo").stdout
        assert machine.read("/run/lkmdt.said") == "0022\n/\n0\n"
        assert machine.read("/run/lkmdt.caps") == machine.run("grep Cap /proc/self/status").stdout
    finally:
        machine.run(f"umount /run/lkmdt.mnt; ip link set lo mtu 65536; echo {before.strip()} >/proc/sys/net/ipv4/ip_forward", check=False)


def test_a_command_that_hangs_is_reported_and_left_alone(machine, lines):
    lines(f"install {PARAMS} echo $$ >/run/lkmdt.pid; until [ -e /run/go ]; do sleep 0.2; done; echo done >/run/lkmdt.done",
          "install dummy echo other >/run/lkmdt.other")
    configure(machine, SlowLoadSec="1s")
    with watching(machine) as watch:
        hangs = Background(machine, "lkmctl", "--json=short", "load", PARAMS)
        events = watch.wait_for('"slow"')
    pid = int(machine.read("/run/lkmdt.pid"))
    assert [e["record"]["threadId"] for e in events if e["kind"] == "slow"][0] == pid
    assert f"process {pid}" in machine.journal("-b", "-u", "lkmd", "-g", "its install command runs")
    lkmctl(machine, "load", "dummy")
    assert machine.read("/run/lkmdt.other") == "other\n"
    lkmctl(machine, "load", CHAIN)

    machine.run("systemctl stop 'lkmd-command@*'; systemctl restart lkmd-command.socket lkmd-loader", timeout=120)
    machine.run(["kill", "-0", str(pid)])
    assert [r["module"] for r in ask(machine, "status")["running"]] == [PARAMS]
    machine.run("touch /run/go")
    assert hangs.result()[0] == 0, "whatever was stopped, its outcome is known"
    assert machine.read("/run/lkmdt.done") == "done\n"


def test_a_command_outlives_lkmd(machine, lines):
    lines(f"install {PARAMS} touch /run/lkmdt.runs; until [ -e /run/go ]; do sleep 0.2; done; echo done >/run/lkmdt.done")
    Background(machine, "lkmctl", "load", PARAMS)
    machine.wait("test -e /run/lkmdt.runs")
    machine.run("systemctl restart lkmd", timeout=120)
    lkmctl(machine, "load", "dummy")
    machine.run("touch /run/go")
    machine.wait("test -e /run/lkmdt.done")


def test_lkmd_command_killed(machine, lines):
    """What it ran may go on; that nobody knows how it ended is told, and the next one is run."""
    lines(f"install {PARAMS} touch /run/lkmdt.runs; until [ -e /run/go ]; do sleep 0.2; done; echo done >/run/lkmdt.done",
          "install dummy true it is; echo other >/run/lkmdt.other")
    loads = Background(machine, "lkmctl", "load", PARAMS)
    machine.wait("test -e /run/lkmdt.runs")
    machine.run("systemctl kill --kill-whom=main -s KILL 'lkmd-command@*'")
    status, _, said = loads.result()
    assert status == 1 and f"lkmd-command ended before it was known how the install command of {PARAMS} ({CONF}:1) ended" in said
    lkmctl(machine, "load", "dummy")
    machine.run("touch /run/go")
    machine.wait("test -e /run/lkmdt.done")


def test_lkmd_command_is_gone(machine, lines):
    lines(f"install {PARAMS} true it is; echo ran")
    machine.run("chmod 0 /usr/lib/lkmd/lkmd-command")
    try:
        said = lkmctl(machine, "load", PARAMS, status=1).stderr
        assert "was not run: lkmd-command did not start" in said and "lkmd-command@*" in said
    finally:
        machine.run("chmod 755 /usr/lib/lkmd/lkmd-command")
    machine.run("systemctl stop lkmd-command.socket")
    said = lkmctl(machine, "load", PARAMS, status=1).stderr
    assert "lkmd-command cannot be reached" in said and "systemctl restart lkmd-command.socket" in said
    machine.run("systemctl start lkmd-command.socket")
    lkmctl(machine, "load", PARAMS)
    assert ask(machine, "status")["inCharge"] == "lkmd"


def test_processes_that_a_command_leaves_behind(machine, lines):
    lines(f"install {PARAMS} (exec >/dev/null 2>&1; until [ -e /run/go ]; do sleep 0.2; done; touch /run/lkmdt.left) & echo $! >/run/lkmdt.pid")
    lkmctl(machine, "load", PARAMS)
    pid = machine.read("/run/lkmdt.pid").strip()
    machine.wait(f"journalctl -b -u 'lkmd-command@*' -o cat | grep -q 'left behind.* {pid}.* of the command for {PARAMS}'")
    machine.run("touch /run/go")
    machine.wait("test -e /run/lkmdt.left")
