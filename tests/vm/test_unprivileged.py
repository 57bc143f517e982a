# SPDX-License-Identifier: LGPL-2.1-or-later
"""What users make the kernel load: told with who it was as Debian is, and refused inside the kernel with the list for that."""

import json

import pytest

from support import ask, ask_all, lkmctl, loaded, wait_idle

POLICY = "/etc/lkmd/policy.d/50-unprivileged.yaml"
NOBODY = 65534
MODULES = {"af_alg", "algif_aead", "rxrpc", "sctp"}
# name, family, type, protocol, what socket(2) says where there is no such protocol
SOCKETS = (("alg", 38, 5, 0, 97), ("rxrpc", 33, 2, 2, 97), ("sctp", 2, 1, 132, 93))
PROGRAM = """
import json, socket, sys
found = {}
for name, family, kind, protocol in json.loads(sys.argv[1]):
    try:
        s = socket.socket(family, kind, protocol)
        if name == "alg":
            s.bind(("aead", "gcm(aes)"))
        found[name] = 0
    except OSError as error:
        found[name] = error.errno
print(json.dumps(found))
"""
# How many processes were started in the whole system while as many sockets were refused.
FORKS = """
import socket
def started():
    return next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("processes"))
before = started()
for _ in range(200):
    try:
        socket.socket(33, 2, 2)
    except OSError:
        pass
print(started() - before)
"""


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.write("/run/sockets.py", PROGRAM)
    machine.write("/run/forks.py", FORKS)
    wait_idle(machine)


def enforce(machine, text):
    machine.write(POLICY, text)
    lkmctl(machine, "reload")
    wait_idle(machine)


def sockets(machine, unit, uid=NOBODY, which=SOCKETS):
    """Errors of socket(2), by name; 0: it was made. As a service of its own, so that it has a unit."""
    words = json.dumps([s[:4] for s in which]).replace('"', '\\"')
    user = f"-p User={uid}" if uid else ""
    out = machine.run(f'systemd-run --quiet --wait --pipe --collect --unit={unit} {user} python3 /run/sockets.py "{words}"',
                      timeout=120).stdout
    return json.loads(out.splitlines()[-1])


def entries(machine, *matches):
    machine.run("journalctl --sync")
    return [json.loads(line) for line in machine.run(["journalctl", "-b", "-o", "json", "-t", "lkmd", *matches]).stdout.splitlines()]


def test_the_list(machine):
    """Nothing is loaded, no process is started, and the program sees what it would without the protocol."""
    assert not MODULES & loaded(machine)
    enforce(machine, "version: 1\ninclude: [no-unprivileged-autoload]\n")
    assert "gate" in lkmctl(machine, "status").stdout.lower()
    assert sockets(machine, "refused") == {name: error for name, *_, error in SOCKETS}
    started = int(machine.run(f"setpriv --reuid {NOBODY} --clear-groups python3 /run/forks.py").stdout)
    assert started < 100, started               # others do start some
    assert not MODULES & loaded(machine)
    machine.wait("lkmctl policy audit --json=short | grep -q net-pf-38", timeout=30)
    refused = [e for e in ask_all(machine, "policy", "audit") if e.get("uid") == NOBODY]
    assert refused, ask_all(machine, "policy", "audit")
    by = lkmctl(machine, "policy", "audit", "--by", "requester").stdout
    assert f"{NOBODY}" in by and "refused.service" in by, by
    entry = entries(machine, "LKMD_KEY=net-pf-38", "LKMD_OUTCOME=denied", "-p", "notice")[-1]
    assert entry["LKMD_REQUESTER_UID"] == str(NOBODY) and "no-unprivileged-autoload" in entry["LKMD_RULE"]


def test_root_is_not_concerned(machine):
    assert sockets(machine, "root", uid=0) == {"alg": 0, "rxrpc": 0, "sctp": 0}
    assert MODULES <= loaded(machine)
    assert ask(machine, "status", "af_alg")["module"]["loadedBy"]["requester"]["uid"] == 0


def test_what_is_loaded_stays_refused_where_the_rule_is_for_use(machine):
    found = sockets(machine, "use")
    assert found["alg"] == found["rxrpc"] == 97, found      # scope: use
    assert found["sctp"] == 0                               # scope: load, and it is there


def test_an_exception(machine):
    enforce(machine,
            "version: 1\ninclude: [no-unprivileged-autoload]\nrules:\n"
            "  - id: mine\n    match: {origin: kernel, uid: 65534, alias: net-pf-38}\n    verdict: allow\n    scope: use\n")
    assert sockets(machine, "exception") == {"alg": 0, "rxrpc": 97, "sctp": 0}


def test_who_it_was(fresh):
    """Without a rule, all of them are loaded by lkmd, and it is known for whom."""
    machine = fresh()
    machine.write("/run/sockets.py", PROGRAM)
    wait_idle(machine)
    assert sockets(machine, "who") == {"alg": 0, "rxrpc": 0, "sctp": 0}
    assert MODULES <= loaded(machine)
    for module, key in (("af_alg", "net-pf-38"), ("rxrpc", "net-pf-33"), ("sctp", "net-pf-2-proto-132-type-1")):
        record = ask(machine, "status", module)["module"]["loadedBy"]
        who = record["requester"]
        assert who["origin"] == "kernel" and who["uid"] == NOBODY and who["pid"] > 1, record
        assert who["key"].startswith(key[:len(who["key"])]), record
        assert who["command"] == "python3" and who["executable"].startswith("/usr/bin/python3"), record
        assert who["unit"] == "who.service", record
        text = lkmctl(machine, "status", module).stdout
        assert f"uid {NOBODY}" in text and "who.service" in text and "net-pf-" in text, text
    entry = entries(machine, "LKMD_MODULE=af_alg", "LKMD_REQUESTER_UID=65534", "-p", "notice")[0]
    assert entry["LKMD_KEY"] == "net-pf-38" and entry["LKMD_ORIGIN"] == "kernel"
    assert "who.service" in json.dumps(entry)
