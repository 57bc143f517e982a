# SPDX-License-Identifier: LGPL-2.1-or-later
"""The gate in the kernel: attached, proved, there exactly as long as lkmd is to be; what it refuses, to whom, and what is told of it."""

import json

import pytest

from support import ask, configure, kill_lkmd, lkmctl, loaded, main_pid, remove, start_lkmd

PINS = "/sys/fs/bpf/lkmd"
LINKS = {"link-request", "link-socket", "link-file", "link-data", "link-helper", "link-helper_starts"}
NO_BPF_LSM = "lsm=landlock,yama,apparmor"


def pinned(machine):
    return set(machine.run(["ls", f"{PINS}/v1"]).stdout.split())


def programs(machine):
    """IDs of the programs of the gate that are in the kernel."""
    return {line.split(":")[0] for line in machine.run("bpftool prog show").stdout.splitlines() if " name gate_" in line}


def attached(machine):
    """Programs of the gate that the kernel calls, by their IDs."""
    shown = machine.run("bpftool link show").stdout
    return {word for word in shown.replace("\n", " ").split() if word in programs(machine)}


@pytest.fixture(scope="module")
def gate(machine):
    """A machine that was booted with Debian's lsm=."""
    return machine


def test_attached_and_proved(gate):
    assert gate.run("systemctl is-active lkmd-gate").stdout == "active\n"
    assert gate.run("systemctl --failed --plain --no-legend").stdout == ""
    assert LINKS < pinned(gate)
    assert len(programs(gate)) == len(LINKS), "the observer of the proof is gone"
    assert gate.run("test -e /run/lkmd/gate-off", check=False).returncode == 1
    assert gate.run("systemctl show --value -p NFileDescriptorStore lkmd").stdout == "11\n"


def test_only_root_touches_it(gate):
    assert gate.run(f"stat -c '%A %U' {PINS} {PINS}/v1").stdout == "drwx------ root\n" * 2
    for line in gate.run(f"stat -c '%A %U' {PINS}/v1/*").stdout.splitlines():
        assert line == "-rw------- root"
    for user in ("nobody", "lkmd"):
        for command in (f"ls {PINS}", f"rm -r {PINS}", f"bpftool map dump pinned {PINS}/v1/map-active", "/usr/lib/lkmd/lkmd-gate detach"):
            result = gate.run(["setpriv", f"--reuid={user}", "--clear-groups", "--inh-caps=-all", "sh", "-c", command], check=False)
            assert result.returncode != 0, f"{user}: {command}"
    assert LINKS < pinned(gate)


def test_the_proof_fails_where_nothing_is_refused(gate):
    """No module can be asked for any more, so no program can be seen to refuse it."""
    gate.run("systemctl stop lkmd")
    gate.wait(f"! test -e {PINS}")
    result = gate.run("unshare --net setpriv --bounding-set=-sys_module,-net_admin /usr/lib/lkmd/lkmd-gate attach", check=False)
    assert result.returncode == 1 and "security_kernel_module_request" in result.stderr, result
    assert gate.run(f"test -e {PINS}", check=False).returncode == 1
    gate.wait("! bpftool prog show | grep -q 'name gate_'")
    assert "journalctl" in gate.read("/run/lkmd/gate-off")
    start_lkmd(gate)
    assert LINKS < pinned(gate)
    assert gate.run("test -e /run/lkmd/gate-off", check=False).returncode == 1


def test_it_stays_when_lkmd_is_killed_or_restarted(gate):
    before = programs(gate)
    kill_lkmd(gate)
    assert LINKS < pinned(gate)
    gate.wait("systemctl is-active lkmd")
    gate.run("systemctl restart lkmd")
    assert programs(gate) == before and attached(gate) == before
    assert gate.run("systemctl is-active lkmd-gate").stdout == "active\n"


def test_another_build_takes_its_place(gate):
    """As after an upgrade: the programs are others, the maps and what is in them stay."""
    before = programs(gate)
    gate.run(f"bpftool map update pinned {PINS}/v1/map-denied_files key 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0 value 3 0 0 0")
    gate.run(f"bpftool map update pinned {PINS}/v1/map-info key 0 0 0 0 value 1 0 0 0 0 0 0 0 7 7 7 7 7 7 7 7")
    gate.run("systemctl restart lkmd")
    gate.wait(f"test $(bpftool prog show | grep -c ' name gate_') = {len(LINKS)}")
    after = programs(gate)
    assert not after & before and attached(gate) == after
    shown = gate.run(f"bpftool map dump pinned {PINS}/v1/map-denied_files").stdout
    assert '"inode": 2' in shown, shown
    gate.run(f"bpftool map delete pinned {PINS}/v1/map-denied_files key 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0")


def test_another_layout_goes_when_lkmd_has_started(gate):
    gate.run(f"mkdir -m 700 {PINS}/v0 && bpftool link pin id $(bpftool link show pinned {PINS}/v1/link-data | sed -n '1s/:.*//p') {PINS}/v0/link-data")
    gate.run("systemctl restart lkmd")
    gate.wait(f"! test -e {PINS}/v0")
    assert LINKS < pinned(gate)


def test_nothing_is_left_after_a_stop(gate):
    assert gate.run("systemctl stop lkmd-gate", check=False).returncode != 0, "not by hand"
    gate.run("systemctl stop lkmd")
    gate.wait(f"! test -e {PINS}")
    gate.wait("! bpftool prog show | grep -q ' name gate_'")
    assert not any(name in gate.run("bpftool map show").stdout for name in (" name aliases_0", " name events", " name denied_files"))
    assert gate.run("systemctl --failed --plain --no-legend").stdout == ""
    start_lkmd(gate)
    assert LINKS < pinned(gate)


# ------------------------------------------------------------------------------------------- what it refuses

POLICY = "/etc/lkmd/policy.d/gate.yaml"
MODPROBE = "/root/modprobe"             # in the place of the kernel's, and tells of each start
STARTED = "/root/started"
NOBODY = 65534
AF_ALG, AF_RXRPC, AF_INET = 38, 33, 2
EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOENT = 97, 93, 94, 2

# Tells the errno of what it did; 0 for success.
TRY = """import socket, sys
words = sys.argv[1:]
try:
    s = socket.socket(int(words[0]), int(words[1]), int(words[2]))
    if len(words) > 3:
        s.bind((words[3], words[4]))
    print(0)
except OSError as error:
    print(error.errno)
"""

NOT_FOR_USERS = """version: 1
rules:
- id: no-protocols
  match: {origin: kernel, alias: ["net-pf-*", "algif-*", "crypto-*"], uid: "!0"}
  verdict: deny
  reason: loaded by anybody
"""

NO_USE = """- id: no-sockets
  match: {origin: kernel, alias: [net-pf-38, net-pf-33, "net-pf-2-proto-132*"], uid: "!0"}
  scope: use
  verdict: deny
"""


def attempt(machine, *words, uid=NOBODY):
    """The errno of making a socket, and of binding it, as a user; in a unit of its own."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
    return int(machine.run([*command, "python3", "/root/try.py", *map(str, words)]).stdout)


def put_policy(machine, text):
    machine.write(POLICY, text)
    lkmctl(machine, "reload")


def started(machine):
    """What the kernel has started a program for, since it was last asked."""
    words = machine.run(f"cat {STARTED} 2>/dev/null; rm -f {STARTED}", check=False).stdout.split()
    return [word for word in words if not word.startswith("-")]


@pytest.fixture(scope="module")
def teller(gate):
    """The same machine, with what asks, and with a program that tells what the kernel starts it for."""
    before = gate.read("/proc/sys/kernel/modprobe").strip()
    gate.write("/root/try.py", TRY)
    gate.run("chmod 755 /root; cat /root/try.py >/dev/null")
    gate.write(MODPROBE, f'#!/bin/sh\necho "$@" >>{STARTED}\nexec /sbin/modprobe "$@"\n')
    gate.run(f"chmod 755 {MODPROBE}; echo {MODPROBE} >/proc/sys/kernel/modprobe")
    yield gate
    gate.run(f"echo {before} >/proc/sys/kernel/modprobe; rm -f {POLICY}")
    lkmctl(gate, "reload")


@pytest.fixture
def asked(teller):
    """Users may have no protocol loaded, and none of those that the tests ask for is."""
    put_policy(teller, NOT_FOR_USERS)
    remove(teller, "algif_aead", "af_alg", "rxrpc")
    started(teller)
    return teller


def told(machine, cursor, key):
    """Fields of the journal's entries about a request for this."""
    machine.run("journalctl --sync")
    lines = machine.run(["journalctl", "-u", "lkmd", "-o", "json", f"--after-cursor={cursor}", f"LKMD_KEY={key}"]).stdout
    return [json.loads(line) for line in lines.splitlines()]


def cursor(machine):
    return machine.run("journalctl -n 1 -o json --output-fields=MESSAGE | tail -n 1 | sed 's/.*\"__CURSOR\":\"\\([^\"]*\\)\".*/\\1/'").stdout.strip()


def wait_told(machine, since, key):
    machine.wait(f"journalctl --sync; journalctl -u lkmd --after-cursor='{since}' LKMD_KEY='{key}' | grep -q .")
    return told(machine, since, key)


def test_who_asked(gate):
    """A request that passes, and becomes a load of lkmd's."""
    assert gate.read("/proc/sys/kernel/modprobe").strip().endswith("/lkmd-request")
    gate.write("/root/try.py", TRY)
    gate.run("chmod 755 /root")
    gate.run(f"systemd-run --wait --quiet --uid={NOBODY} --unit=who python3 /root/try.py {AF_ALG} 5 0")
    requester = ask(gate, "status", "af_alg")["module"]["loadedBy"]["requester"]
    assert (requester["uid"], requester["unit"], requester["key"]) == (NOBODY, "who.service", "net-pf-38"), requester
    assert requester["executable"].startswith("/usr/bin/python3") and requester["command"] == "python3", requester
    assert not requester.get("inferred"), requester
    remove(gate, "af_alg")


def test_whose_load_it_came_from(gate):
    """The init of a module asks for another one, in a thread of lkmd-loader: that is for whom lkmd loads the first."""
    gate.install_test_modules()
    lkmctl(gate, "load", "lkmd_test_nested_1")
    requester = ask(gate, "status", "lkmd_test_inner")["module"]["loadedBy"]["requester"]
    assert requester["command"].startswith("+lkmd_test_nest") and not requester.get("inferred"), requester
    assert len(requester["chain"]) == 1 and requester["chain"][0]["uid"] == 0, requester
    remove(gate, "lkmd_test_nested_1", "lkmd_test_inner")


def test_users_load_nothing(asked):
    before, since = loaded(asked), cursor(asked)
    started(asked)
    assert attempt(asked, AF_ALG, 5, 0) == EAFNOSUPPORT
    assert attempt(asked, AF_RXRPC, 2, 2) == EAFNOSUPPORT
    assert attempt(asked, AF_INET, 5, 132) in (EPROTONOSUPPORT, ESOCKTNOSUPPORT)
    assert loaded(asked) == before and started(asked) == []
    entry = wait_told(asked, since, "net-pf-38")[0]
    assert entry["LKMD_REQUESTER_UID"] == str(NOBODY) and entry["LKMD_ORIGIN"] == "kernel"
    assert entry["LKMD_MODULE"] == "af_alg" and entry["LKMD_RULE"] == f"{POLICY}:3"
    assert entry["LKMD_REQUESTER_EXE"].startswith("/usr/bin/python3"), entry
    assert wait_told(asked, since, "net-pf-2-proto-132-type-5")


def test_root_loads_it(asked):
    assert attempt(asked, AF_ALG, 5, 0, uid=0) == 0
    assert "af_alg" in loaded(asked) and started(asked) == ["net-pf-38"]


def test_a_cipher(asked):
    """The socket is there by now, but what it is bound to is not."""
    asked.run("modprobe af_alg")
    before = loaded(asked)
    started(asked)
    assert attempt(asked, AF_ALG, 5, 0, "aead", "gcm(aes)") == ENOENT
    assert loaded(asked) == before and started(asked) == []


def test_the_unit_of_who_asked(asked):
    """Of another user, since the same refusal to the same user is in the journal once."""
    since = cursor(asked)
    asked.run(f"systemd-run --wait --quiet --uid=daemon --unit=asker python3 /root/try.py {AF_RXRPC} 2 2")
    entry = wait_told(asked, since, "net-pf-33")[-1]
    assert entry.get("LKMD_REQUESTER_UNIT") == "asker.service", entry


def test_use_of_a_socket(asked):
    """Although the module is there."""
    asked.run("modprobe af_alg")
    assert attempt(asked, AF_ALG, 5, 0) == 0
    put_policy(asked, NOT_FOR_USERS + NO_USE)
    assert attempt(asked, AF_ALG, 5, 0) == EAFNOSUPPORT
    assert attempt(asked, AF_ALG, 5, 0, uid=0) == 0
    put_policy(asked, "version: 1\nrules:\n- id: no-sctp\n  scope: use\n  match: {alias: \"net-pf-2-proto-132*\", uid: \"!0\"}\n  verdict: deny\n")
    assert attempt(asked, AF_INET, 5, 132) == EPROTONOSUPPORT
    assert attempt(asked, AF_INET, 5, 0) == EPROTONOSUPPORT, "that is SCTP as well"
    assert attempt(asked, AF_INET, 1, 0) == 0
    assert attempt(asked, AF_ALG, 5, 0) == 0


def test_it_holds_without_lkmd(asked):
    asked.run("systemctl kill --signal=STOP lkmd")
    assert attempt(asked, AF_RXRPC, 2, 2) == EAFNOSUPPORT
    pid = main_pid(asked)
    asked.run(["kill", "-KILL", str(pid)])
    for _ in range(5):
        assert attempt(asked, AF_RXRPC, 2, 2) == EAFNOSUPPORT
    assert "rxrpc" not in loaded(asked) and started(asked) == []
    asked.wait("systemctl is-active lkmd && lkmctl status >/dev/null")


def test_never_open_while_it_is_restarted(asked):
    asked.write("/root/keep-asking", f"while :; do setpriv --reuid={NOBODY} python3 /root/try.py {AF_RXRPC} 2 2; done >/root/answers\n")
    asked.run("systemd-run --quiet --unit=keep-asking sh /root/keep-asking")
    asked.wait("test $(wc -l </root/answers) -ge 2")
    asked.run("systemctl restart lkmd")
    n = int(asked.run("wc -l </root/answers").stdout)
    asked.wait(f"test $(wc -l </root/answers) -gt {n + 1}")
    asked.run("systemctl stop keep-asking")
    assert set(asked.read("/root/answers").split()) == {str(EAFNOSUPPORT)}
    assert "rxrpc" not in loaded(asked) and started(asked) == []


def test_status_and_settings(asked):
    assert ask(asked, "status")["gate"] == "requests"
    assert "in the kernel, refuses requests, sockets\n" in lkmctl(asked, "status").stdout
    configure(asked, Gate="off")
    status = ask(asked, "status")
    assert (status["gate"], status["gateOff"]) == ("off", "Gate=off is in lkmd.conf")
    assert attempt(asked, AF_RXRPC, 2, 2) == 0
    assert "rxrpc" in loaded(asked)
    configure(asked)
    assert ask(asked, "status")["gate"] == "requests" and ask(asked, "status")["counters"]["gateRefused"] > 0
    remove(asked, "rxrpc")


def test_files_of_root(asked):
    """What is denied by name, by insmod; also another file with its name."""
    path = asked.run("modinfo -n dummy").stdout.strip()
    put_policy(asked, "version: 1\nrules:\n- {id: no-dummy, match: {module: dummy}, verdict: deny}\n")
    asked.run(["insmod", path])
    remove(asked, "dummy")
    configure(asked, Gate="files")
    since = cursor(asked)
    asked.run(f"cp {path} /root/{path.rsplit('/', 1)[1]}; ln {path} /root/innocent.ko.xz || cp {path} /root/innocent.ko.xz")
    for file in (path, f"/root/{path.rsplit('/', 1)[1]}"):
        result = asked.run(["insmod", file], check=False)
        assert result.returncode != 0 and "Operation not permitted" in result.stderr, result
        assert "dummy" not in loaded(asked)
    entry = wait_told(asked, since, "dummy")[0]
    assert entry["LKMD_REQUESTER_UID"] == "0" and entry["LKMD_ORIGIN"] == "foreign"
    assert entry["LKMD_REQUESTER_COMM"] == "insmod" and entry["LKMD_RULE"] == f"{POLICY}:3"
    asked.run("modprobe bonding")       # of others nothing is said
    assert "bonding" in loaded(asked)
    configure(asked)


def test_who_loaded_it(asked):
    """What comes without lkmd, and passes."""
    put_policy(asked, "version: 1\nrules: []\n")
    asked.run(f"insmod {asked.run('modinfo -n dummy').stdout.strip()}")
    asked.wait("lkmctl --json=short status dummy | grep -q insmod")
    assert ask(asked, "status", "dummy")["module"]["loadedBy"]["requester"]["command"] == "insmod"
    remove(asked, "dummy")


# ------------------------------------------------------------------------------------------- at the boot

def test_without_bpf_in_lsm(boot):
    machine = boot(append=NO_BPF_LSM)
    assert "bpf" not in machine.read("/sys/kernel/security/lsm")
    test_attached_and_proved(machine)
    machine.write("/root/try.py", TRY)
    machine.run("chmod 755 /root")
    put_policy(machine, NOT_FOR_USERS + NO_USE)
    before = loaded(machine)
    assert attempt(machine, AF_ALG, 5, 0) == EAFNOSUPPORT
    assert attempt(machine, AF_RXRPC, 2, 2) == EAFNOSUPPORT
    assert attempt(machine, AF_INET, 5, 132) == EPROTONOSUPPORT
    assert loaded(machine) == before
    assert attempt(machine, AF_ALG, 5, 0, uid=0) == 0
    assert attempt(machine, AF_ALG, 5, 0) == EAFNOSUPPORT


def test_switched_off(machine):
    """As after a boot with these words: another file is mounted over the kernel command line before lkmd-gate reads it."""
    machine.write("/run/cmdline", machine.read("/proc/cmdline").rstrip() + " lkmd.gate=off\n")
    machine.run("systemctl stop lkmd; mount --bind /run/cmdline /proc/cmdline")
    start_lkmd(machine)
    try:
        switched_off(machine)
    finally:
        machine.run("systemctl stop lkmd; umount /proc/cmdline")
        start_lkmd(machine)
    assert "gateOff" not in ask(machine, "status")


def switched_off(machine):
    assert machine.run(f"test -e {PINS}", check=False).returncode == 1
    assert machine.read("/run/lkmd/gate-off") == "lkmd.gate=off is on the kernel command line\n"
    assert machine.run("systemctl --failed --plain --no-legend").stdout == ""
    assert machine.run("systemctl show --value -p NFileDescriptorStore lkmd").stdout == "0\n"
    assert ask(machine, "status")["gateOff"] == "lkmd.gate=off is on the kernel command line"
    assert "Gate: off: lkmd.gate=off" in lkmctl(machine, "status").stdout
    assert "off: lkmd.gate=off" in machine.journal("-b", "-u", "lkmd-gate")
