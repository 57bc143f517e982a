# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is broken, forged or hostile costs its sender an error, and nobody else anything."""

import json

import pytest

import abuse
from driver import lab
from support import (ask, cause_of, lkmctl, loaded, main_pid, pci_driver, remove, start_lkmd, wait_idle, wait_pci)

SOCKET = "/run/lkmd/io.lkmd.Manager"
E1000E = "8086:10d3"


@pytest.fixture(autouse=True)
def still_the_same_lkmd(machine):
    """Nothing of this may end lkmd, except where a test restarts it by itself."""
    before = main_pid(machine)
    yield
    restarts = machine.run("systemctl show --value -p NRestarts lkmd").stdout.strip()
    assert restarts == "0" and main_pid(machine) != 0 and before != 0
    assert ask(machine, "status")["inCharge"] == "lkmd"


# --------------------------------------------------------------------------------------------- lkmd.conf

def problems(machine):
    return {(p["file"], p.get("line")): p["message"] for p in ask(machine, "status")["problems"]}


def restart(machine):
    machine.run("systemctl restart lkmd")
    wait_idle(machine)


BROKEN = {                                      # file, its text, the lines that are wrong in it
    "lkmd.conf": (b"[Manager]\nSlowLoadSec=3s\nLoaderThr", [3]),       # half-written
    "lkmd.conf.d/10-section.conf": (b"[Manager\nSlowLoadSec=soon\n", [1]),
    "lkmd.conf.d/20-binary.conf": (b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe binary\n", [1]),
    "lkmd.conf.d/30-values.conf": (b"[Manager]\nLogLevel=loud\nColdplug=" + b"x" * 100000 + b"\nReceiveBuffer=-1\n",
                                   [2, 3, 4]),
    "lkmd.conf.d/40-unreadable.conf": (b"[Manager]\nColdplug=no\n", [None]),
}


def test_broken_lkmd_conf(machine):
    for name, (text, _) in BROKEN.items():
        machine.write(f"/etc/lkmd/{name}", text, mode=0o000 if "unreadable" in name else 0o644)
    machine.run("chown nobody /etc/lkmd/lkmd.conf.d/40-unreadable.conf")    # one of root's is read all the same
    machine.run("mkdir /etc/lkmd/lkmd.conf.d/50-directory.conf")
    restart(machine)
    found, text = problems(machine), lkmctl(machine, "status").stdout
    for name, (_, lines) in BROKEN.items():
        for line in lines:
            assert (f"/etc/lkmd/{name}", line) in found, found
        assert f"/etc/lkmd/{name}" in text
    assert "it cannot be read: " in found["/etc/lkmd/lkmd.conf.d/40-unreadable.conf", None]
    assert ("/etc/lkmd/lkmd.conf.d/50-directory.conf", None) in found
    assert ask(machine, "status")["coldplugDone"], "the default holds"
    warnings = machine.journal("-b", "-u", "lkmd", "-p", "warning", "-o", "cat")
    assert "/etc/lkmd/lkmd.conf:3" in warnings
    machine.run("rm -r /etc/lkmd/lkmd.conf /etc/lkmd/lkmd.conf.d/*")
    lkmctl(machine, "reload")
    assert problems(machine) == {}


# ------------------------------------------------------------------------------------------- /lib/modules

def plug(machine):
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_pci(machine, E1000E)


def unplug(machine):
    machine.unplug("nic")
    machine.wait("! grep -qx 0x10d3 /sys/bus/pci/devices/*/device", 60)


def test_without_modules_of_this_kernel(machine):
    directory = f"/lib/modules/{machine.kernel_version}"
    machine.run(["mv", directory, "/lib/modules/away"])
    restart(machine)
    status = ask(machine, "status")
    assert not status["indexComplete"] and status["modulesKnown"] == 0
    assert status["moduleDirectory"] == directory
    assert "missing" in lkmctl(machine, "status").stdout
    plug(machine)
    wait_idle(machine)
    assert pci_driver(machine, E1000E) == ""
    assert "dummy" in lkmctl(machine, "load", "dummy", status=5).stderr

    machine.run(["mv", "/lib/modules/away", directory])
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)     # coldplug, once more
    assert cause_of(machine, "e1000e")["origin"] == "device"
    assert ask(machine, "status")["indexComplete"]
    unplug(machine)
    remove(machine, "e1000e")
    plug(machine)
    machine.wait("ls -d /sys/bus/pci/drivers/e1000e/*:*", 60)
    unplug(machine)
    remove(machine, "e1000e")


def test_modules_taken_away_while_it_runs(machine):
    directory = f"/lib/modules/{machine.kernel_version}"
    machine.run(["mv", directory, "/lib/modules/away"])
    result = machine.run("lkmctl load dummy", check=False)
    assert result.returncode in (1, 5) and "dummy" in result.stderr
    machine.run(["mv", "/lib/modules/away", directory])
    machine.wait("lkmctl load dummy", 60)
    lkmctl(machine, "unload", "dummy")


# ------------------------------------------------------------------------------------------------ uevents

FORGE = r"""
import os, socket, sys, time
path = b"/devices/virtual/misc/forged"
if len(sys.argv) > 2 and sys.argv[2] == "nobody":
    os.setuid(65534)
fields = [b"ACTION=add", b"DEVPATH=" + path, b"SUBSYSTEM=misc", b"MODALIAS=" + sys.argv[1].encode(), b"SEQNUM=99999"]
data = b"\0".join([b"add@" + path] + fields) + b"\0"
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
for group in (1, 0):
    try:
        s.sendto(data, (0, group) if group else (int(sys.argv[3]), 0))
    except OSError as error:
        print(group, error)
    else:
        print(group, "sent")
"""


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_forged_uevents_are_ignored(machine, user):
    machine.write("/root/forge.py", FORGE)
    machine.run("chmod 755 /root && chmod 644 /root/forge.py")
    before = ask(machine, "status")["counters"]["events"]
    said = machine.run(["python3", "/root/forge.py", "dmi:forged", user, str(main_pid(machine))]).stdout
    if user == "root":
        assert "1 sent" in said, said
    for alias in ("dummy", "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"):
        machine.run(["python3", "/root/forge.py", alias, user, str(main_pid(machine))])
    # A real event after them: when it has been handled, they have been seen too.
    machine.run("echo add >/sys/devices/virtual/misc/loop-control/uevent 2>/dev/null || echo add >/sys/class/mem/null/uevent")
    machine.wait(f"test $(lkmctl --json=short status | grep -o '\"events\":[0-9]*' | cut -d: -f2) -gt {before}", 30)
    wait_idle(machine)
    assert not {"dummy", "e1000e"} & loaded(machine)


def test_a_real_event_with_words_of_ones_own(machine):
    """Who may write to a uevent file may add words; none of them becomes the MODALIAS."""
    machine.run("echo 'add 12345678-1234-1234-1234-123456789abc MODALIAS=dummy A=1' >/sys/class/mem/null/uevent",
                check=False)
    wait_idle(machine)
    assert "dummy" not in loaded(machine)


HOSTILE = ["x" * 4096, "x" * 5000, "a b", "$(touch /root/touched)", "`touch /root/touched`", "; touch /root/touched",
           "'\"", "../../etc/passwd", "/etc/passwd", "line\nbreak", "*", "[", "\x01\x7f", "dummy\udcff\udcfe", "--", "%s%n",
           "", ".", "dummy\t", "pci:v*", "usb:v" + "\U0001f40d" * 1000]

ASK = r"""
import json, subprocess, sys
for name in json.load(open(sys.argv[1])):
    for verb in ("load", "unload", "status"):
        done = subprocess.run([b"lkmctl", verb, b"--", name.encode("utf-8", "surrogateescape")], capture_output=True)
        print(json.dumps([verb, name[:40], done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")]))
"""


def test_hostile_names(machine):
    machine.write("/root/names", json.dumps(HOSTILE))
    machine.write("/root/ask.py", ASK)
    answers = [json.loads(line) for line in
               machine.run(["python3", "/root/ask.py", "/root/names"], timeout=180).stdout.splitlines()]
    assert len(answers) == 3 * len(HOSTILE)
    for answer in answers:
        _, _, status, out, err = answer
        assert status in (1, 5) and out == "" and err.startswith("lkmctl: "), answer
        assert "\x01" not in err and "\x7f" not in err and "\xff" not in err, answer
    assert machine.run("test -e /root/touched", check=False).returncode == 1
    assert "dummy" not in loaded(machine)


# ------------------------------------------------------------------------------------------------- clients

CLIENT = r"""
import json, os, socket, sys, threading

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect("/run/lkmd/io.lkmd.Manager")
    return s

def end(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except (ConnectionResetError, BrokenPipeError):
        return data

def garbage():
    s = connect()
    s.sendall(os.urandom(4096) + b"\0" + os.urandom(100) + b"\0")
    end(s)

def not_an_object():
    for text in (b"[]", b"1", b'"x"', b"{}", b'{"method":1}', b'{"method":"io.lkmd.Manager.Load"}',
                 b'{"method":"io.lkmd.Manager.Load","parameters":{"name":1}}',
                 b'{"method":"io.lkmd.Manager.Load","parameters":{"name":"x","more":1}}',
                 b'{"method":"io.lkmd.Manager.Nope"}', b'{"method":"no.such.Interface.M"}', b"[" * 100000):
        s = connect()
        try:
            s.sendall(text + b"\0")
            s.shutdown(socket.SHUT_WR)
        except (ConnectionResetError, BrokenPipeError):
            pass                        # cut off before all of it was sent
        answer = end(s)
        if answer and not json.loads(answer.rstrip(b"\0")).get("error"):
            sys.exit(f"{text} was answered with {answer}")

def half():
    s = connect()
    s.sendall(b'{"method":"io.lkmd.Manager.Status","param')
    s.close()
    kept.append(connect())
    kept[-1].sendall(b'{"method":"io.lkmd.Manager.Sta')      # and never the rest

def huge():
    s = connect()
    sent = 0
    try:
        s.sendall(b'{"method":"io.lkmd.Manager.Load","parameters":{"name":"')
        while sent < 100 << 20:
            sent += s.send(b"x" * (1 << 16))
    except (ConnectionResetError, BrokenPipeError):
        pass
    print("huge: sent", sent)
    if sent >= 100 << 20:
        sys.exit("100 MB were taken")

def hang_up():
    for method in ("Status", "List", "Monitor", "Load"):
        s = connect()
        more = {"more": True} if method == "Monitor" else {}
        parameters = {"parameters": {"name": "dummy"}} if method == "Load" else {}
        s.sendall(json.dumps({"method": "io.lkmd.Manager." + method, **parameters, **more}).encode() + b"\0")
        s.close()

def never_reads():
    s = connect()
    s.setblocking(False)
    call = b'{"method":"io.lkmd.Manager.List"}\0'
    try:
        for i in range(10000):
            s.send(call)
    except (BlockingIOError, ConnectionResetError, BrokenPipeError):
        pass
    kept.append(s)

kept = []
for attack in sys.argv[1].split(","):
    globals()[attack]()
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("attack", ["garbage,not_an_object,half,hang_up,never_reads", "huge"])
def test_clients_that_misbehave(machine, attack):
    """Others are served while it goes on and afterwards, and lkmd does not grow by it."""
    pid = main_pid(machine)
    machine.write("/root/client.py", CLIENT)
    unit = f"attack-{len(attack)}"
    machine.run(["systemd-run", "--quiet", f"--unit={unit}", "--remain-after-exit", "-p", f"StandardOutput=file:/run/{unit}",
                 "-p", f"StandardError=file:/run/{unit}.err", "sh", "-c",
                 f"sleep infinity | python3 /root/client.py {attack}"])
    while machine.run(f"grep -q done /run/{unit} || ! systemctl show -p SubState {unit} | grep -q =running",
                      check=False).returncode != 0:
        assert ask(machine, "status")["inCharge"] == "lkmd"
    assert "done" in machine.read(f"/run/{unit}"), machine.read(f"/run/{unit}.err")
    assert ask(machine, "status")["inCharge"] == "lkmd"         # while the connections are open still
    machine.run(f"systemctl stop {unit}; systemctl reset-failed {unit}", check=False)
    wait_idle(machine)
    assert main_pid(machine) == pid
    resident = int(machine.run(f"grep VmRSS /proc/{pid}/status").stdout.split()[1])
    if not lab.sanitized():             # a sanitizer keeps what was freed
        assert resident < 64 << 10, f"{resident} KiB"
    remove(machine, "dummy")


def test_the_socket_is_missing(machine):
    machine.run("systemctl stop lkmd")
    for words in (["status"], ["list"], ["load", "dummy"], ["monitor"], ["wait"], ["reload"]):
        result = lkmctl(machine, *words, status=4)
        assert "not running" in result.stderr and "systemctl start lkmd" in result.stderr
    error = ask(machine, "status", status=4)
    assert error["hint"] == "systemctl start lkmd"
    start_lkmd(machine)


# ------------------------------------------------------------------------------------------------- rights

def test_anyone_may_look_and_nobody_may_change(machine):
    for words in ("status", "list", "status dummy", "wait --idle --timeout=60"):
        machine.run(f"runuser -u nobody -- lkmctl {words}")
    for words in ("load dummy", "unload autofs4", "reload"):
        result = machine.run(f"runuser -u nobody -- lkmctl {words}", check=False)
        assert result.returncode == 1
        assert "lkmd-admin" in result.stderr and "try: " in result.stderr
    error = json.loads(machine.run("runuser -u nobody -- lkmctl --json=short load dummy", check=False).stdout)
    assert error["error"].endswith("PermissionDenied")
    assert "dummy" not in loaded(machine)


def test_members_of_the_group_may_change(machine):
    machine.run("useradd --no-create-home --groups lkmd-admin tester")
    machine.run("runuser -u tester -- lkmctl load dummy")
    requester = cause_of(machine, "dummy")
    assert requester["uid"] == int(machine.run("id -u tester").stdout)
    machine.run("runuser -u tester -- lkmctl unload dummy")
    assert "dummy" not in loaded(machine)


def test_nobody_but_the_manager_reaches_the_loader(machine):
    probe = "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect('/run/lkmd/loader')"
    result = machine.run(["runuser", "-u", "nobody", "--", "python3", "-c", probe], check=False)
    assert "PermissionError" in result.stderr


# --------------------------------------------------------------------------------------------------------- abuse

def test_abuse(machine):
    """What needs a kernel of its own for it, beside test_daemon_clients.py: events that a user has it announce. All kinds
    at once, and for longer, are in tests/soak."""
    remove(machine, "e1000e")
    abuse.live_with_it(machine, [abuse.NOBODY], 0, ("uevents", "storm"))
