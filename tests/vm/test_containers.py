# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that ask the broker for modules: who is told apart, what they get, and what they cannot reach."""

import json

import pytest

from support import ask_all, cause_of, lkmctl, loaded, wait_idle

POLICY = "/etc/lkmd/policy.d/50-containers.yaml"
DIRECTORY = "/run/lkmd-broker"
BROKER = f"{DIRECTORY}/io.lkmd.Broker"
RULES = """version: 1
rules:
  - id: not-in-containers
    match: {origin: container, module: ksmbd}
    verdict: deny
    reason: no file servers in containers
  - id: everybody
    match: {module: dummy}
    verdict: allow
  - id: web
    match: {container: "systemd-nspawn@web", module: [ip6_tables, lkmd_no_such]}
    verdict: allow
"""
# What a container does all the time: run what it is given, and say how it ended.
SERVE = """
while :; do
        if test -e /talk/go; then
                rm /talk/go
                sh /talk/do >/talk/out 2>&1
                echo $? >/talk/new
                mv /talk/new /talk/status
        fi
        sleep 0.2
done
"""
UNIT = f"""[Service]
Slice=machine.slice
Delegate=yes
ExecStart=systemd-nspawn --quiet --keep-unit --register=no --directory={{root}} --machine={{name}} --bind-ro=/usr --bind-ro={DIRECTORY} \\
        --bind={{talk}}:/talk --tmpfs=/usr/lib/modules --resolv-conf=off --timezone=off --link-journal=no --as-pid2 /bin/sh /talk/serve
"""
FLOOD = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
kinds = {}
with open("/talk/names") as f:
    names = f.read().split()
for i in range(3000):
    s.sendall(json.dumps({"method": "io.lkmd.Broker.Require", "parameters": {"name": names[i % len(names)]}}).encode() + b"\\0")
    data = b""
    while not data.endswith(b"\\0"):
        data += s.recv(65536)
    kind = json.loads(data[:-1]).get("error", "ready")
    kinds[kind] = kinds.get(kind, 0) + 1
print(json.dumps(kinds))
"""


class Container:
    """One of systemd-nspawn's, with the programs of the host, read-only, and neither /lib/modules nor the main socket."""

    def __init__(self, machine, name):
        self.machine, self.name, self.talk = machine, name, f"/srv/{name}-talk"
        root = f"/srv/{name}"
        machine.run(f"mkdir -p {self.talk} {root}/etc {root}/run {root}/tmp {root}/proc {root}/sys {root}/dev {root}/root {root}/var {root}/usr "
                    f"{root}/talk && cd {root} && ln -s usr/bin usr/sbin usr/lib usr/lib64 . && "
                    f"cp /etc/os-release /etc/passwd /etc/group /etc/ld.so.cache etc/")
        machine.write(f"{self.talk}/serve", SERVE)
        machine.write(f"/run/systemd/system/systemd-nspawn@{name}.service", UNIT.format(root=root, name=name, talk=self.talk))
        machine.run(f"systemctl daemon-reload && systemctl start systemd-nspawn@{name}.service")

    def run(self, command, status=0, timeout=120):
        """What a command in it says, on both streams."""
        self.machine.write(f"{self.talk}/do", command)
        self.machine.run(f"rm -f {self.talk}/status; touch {self.talk}/go")
        self.machine.wait(f"test -e {self.talk}/status", timeout=timeout)
        said = self.machine.read(f"{self.talk}/out")
        assert self.machine.read(f"{self.talk}/status").strip() == str(status), f"{command}: {said}"
        return said


@pytest.fixture(scope="module")
def web(machine):
    machine.write(POLICY, RULES)
    lkmctl(machine, "reload")
    wait_idle(machine)
    return Container(machine, "web")


@pytest.fixture(scope="module")
def other(machine):
    return Container(machine, "other")


def refusals(machine, container):
    return [e for e in ask_all(machine, "policy", "audit") if e.get("origin") == "container" and e["container"] == container]


def test_it_gets_what_a_rule_allows(machine, web):
    web.run("test -z \"$(ls -A /lib/modules)\" && test ! -e /run/lkmd")
    assert "ip6_tables" not in loaded(machine)
    assert web.run("lkmctl require ip6_tables") == ""
    web.run("grep -q '^ip6_tables .* Live' /proc/modules")
    requester = cause_of(machine, "ip6_tables")
    assert requester["origin"] == "container" and requester["container"] == "systemd-nspawn@web", requester
    assert requester["uid"] == 0 and requester["command"] == "lkmctl" and requester["unit"] == "systemd-nspawn@web.service"
    assert "container systemd-nspawn@web" in lkmctl(machine, "why", "ip6_tables").stdout
    assert json.loads(web.run("lkmctl --json=short require ip6_tables")) == {"builtIn": False}
    assert json.loads(web.run("lkmctl --json=short require fuse")) == {"builtIn": True}


def test_it_is_refused_the_rest(machine, web):
    said = web.run("lkmctl require ksmbd", status=3)
    assert said.startswith("lkmctl: this container may not load ksmbd: not allowed by the host's policy: no file servers in containers\n"), said
    assert "/etc" not in said and "50-containers" not in said
    entry, = refusals(machine, "systemd-nspawn@web")
    assert entry["module"] == "ksmbd" and entry["rule"] == "not-in-containers" and entry["file"] == POLICY
    machine.wait("journalctl -u lkmd LKMD_REQUESTER_CONTAINER=systemd-nspawn@web LKMD_MODULE=ksmbd -o cat | grep -q 'container systemd-nspawn@web'",
                 timeout=30)
    # A rule for everybody, and a grant, are no rule for containers; a module that is not there is not told from one that is.
    assert web.run("lkmctl require dummy", status=3).startswith("lkmctl: this container may not load dummy: not allowed by the host's policy\n")
    lkmctl(machine, "policy", "allow", "nlmon", "--for=1h", "--reason=for the host")
    web.run("lkmctl require nlmon no_such_at_all", status=3)
    web.run("lkmctl require lkmd_no_such", status=5)
    assert not {"ksmbd", "dummy", "nlmon"} & loaded(machine)
    for word, status in ("explain", 3), ("why-not", 0):
        assert "containers" in lkmctl(machine, word, "dummy", "--container", "systemd-nspawn@web", status=status).stdout
    proposed = lkmctl(machine, "policy", "propose", "--container", "systemd-nspawn@web").stdout
    assert 'container: "systemd-nspawn@web"' in proposed and "- nlmon" in proposed
    assert "container systemd-nspawn@web" in lkmctl(machine, "policy", "audit", "--by=requester").stdout


def test_another_container_is_not_taken_for_it(machine, web, other):
    assert "ip6_tables" in loaded(machine)      # which makes no difference
    other.run("lkmctl require ip6_tables", status=3)
    other.run("mkdir -p /sys/fs/cgroup/systemd-nspawn@web.service && echo $$ >/sys/fs/cgroup/systemd-nspawn@web.service/cgroup.procs && "
              "grep -q 'systemd-nspawn@web.service' /proc/self/cgroup && lkmctl require ip6_tables", status=3)
    assert {e["module"] for e in refusals(machine, "systemd-nspawn@other")} == {"ip6_tables"}
    assert sum(e["count"] for e in refusals(machine, "systemd-nspawn@other")) == 2
    # Another user of the same container, root of a name space of its own.
    web.run("setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user lkmctl require ip6_tables")


def test_nothing_else_can_be_reached(machine, web):
    for method, parameters in ("Load", '{"name":"dummy"}'), ("Grant", '{"module":"dummy","verdict":"allow","once":true,"reason":"x"}'), ("Status", "{}"):
        assert "not" in web.run(f"varlinkctl call {BROKER} io.lkmd.Manager.{method} '{parameters}'", status=1).lower()
    assert "io.lkmd.Manager" not in web.run(f"varlinkctl list-interfaces {BROKER}")
    assert "method Require(" in web.run(f"varlinkctl introspect {BROKER} io.lkmd.Broker")
    assert "only be asked for modules" in web.run("lkmctl status", status=4)
    assert "dummy" not in loaded(machine)


def test_who_is_in_no_container_gets_nothing(machine, web):
    for before in "", "unshare --fork --pid --mount --net --uts --cgroup ", "setpriv --reuid 65534 --clear-groups ":
        result = machine.run(f"{before}env LKMD_SOCKET={BROKER} lkmctl require ip6_tables", check=False)
        assert result.returncode == 1 and "in no container that lkmd knows" in result.stderr, result
    # A control group that a user's manager could make.
    fake = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/systemd-nspawn@web.service"
    result = machine.run(f"mkdir -p {fake} && echo $$ >{fake}/cgroup.procs && env LKMD_SOCKET={BROKER} lkmctl require ip6_tables", check=False)
    assert result.returncode == 1 and "in no container that lkmd knows" in result.stderr, result


def test_it_can_ask_when_lkmd_was_started_again(machine, web):
    machine.run("systemctl restart lkmd")
    wait_idle(machine)
    assert web.run("lkmctl require ip6_tables") == ""
    machine.run("systemctl stop lkmd")
    assert "lkmd" in web.run("lkmctl require ip6_tables", status=4)
    machine.run("systemctl start lkmd")
    wait_idle(machine)
    assert web.run("lkmctl require ip6_tables") == ""


def test_a_flood(machine, web, other):
    machine.write(f"{other.talk}/flood.py", FLOOD)
    machine.run(f"cut -d: -f1 /lib/modules/$(uname -r)/modules.dep | sed 's,.*/,,; s,\\.ko.*,,' | head -500 >{other.talk}/names")
    kinds = json.loads(other.run(f"python3 /talk/flood.py {BROKER}", timeout=600).splitlines()[-1])
    assert kinds["io.lkmd.Broker.Busy"] > kinds["io.lkmd.Broker.NotAllowed"] >= 64 and len(kinds) == 2, kinds
    assert len(refusals(machine, "systemd-nspawn@other")) <= 64
    assert web.run("lkmctl require ip6_tables") == ""
    lkmctl(machine, "load", "dummy")
    lines = machine.run("journalctl -u lkmd -b LKMD_REQUESTER_CONTAINER=systemd-nspawn@other -o cat").stdout.splitlines()
    assert 0 < len(lines) < 150, len(lines)
