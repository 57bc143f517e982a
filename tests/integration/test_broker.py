# SPDX-License-Identifier: LGPL-2.1-or-later
"""The broker: what a container gets, what it is told, and what it cannot do by that socket."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import BUILD, Client, Daemon, VarlinkError

REQUIRE = "io.lkmd.Broker.Require"
POLICY = """
version: 1
rules:
  - match: {module: lkmdt_top, origin: container}
    verdict: deny
    reason: not in containers
  - match: {module: "*"}
    verdict: allow
  - match: {container: machine-web, module: [lkmdt_mid, lkmdt_none]}
    verdict: allow
"""


def start(tree, container):
    daemon = Daemon(tree)
    daemon.broker, daemon.container = daemon.dir / "io.lkmd.Broker", container
    daemon.write_policy(POLICY)
    return daemon.start()


@pytest.fixture
def daemon(tree):
    daemon = start(tree, "machine-web")
    yield daemon
    daemon.close()


def refused(client, method, /, **parameters):
    with pytest.raises(VarlinkError) as error:
        client.call(method, **parameters)
    return error.value


def require(daemon, *words, **environment):
    return subprocess.run([BUILD / "src/cli/lkmctl", *words], capture_output=True, text=True,
                          env={"PATH": "/usr/bin", "LKMD_SOCKET": str(daemon.broker), **environment})


def test_what_a_rule_allows(daemon):
    with Client(daemon.broker) as client:
        assert client.call(REQUIRE, name="lkmdt_mid") == {"builtIn": False}
        assert client.call(REQUIRE, name="lkmdt-in-kernel") == {"builtIn": True}
    record, = [e["record"] for e in daemon.call("History", module="lkmdt-mid")["entries"]]
    assert record["requester"]["origin"] == "container" and record["requester"]["container"] == "machine-web"
    assert record["requester"]["pid"] > 0 and record["requester"]["key"] == "lkmdt_mid"


def test_what_no_rule_allows(daemon):
    with Client(daemon.broker) as client:
        error = refused(client, REQUIRE, name="lkmdt_top")
        assert error.name == "io.lkmd.Broker.NotAllowed" and error.parameters["reason"] == "not in containers"
        said = json.dumps(error.parameters)
        assert "test.yaml" not in said and str(daemon.policy) not in said
        for name in "lkmdt_base", "no_such_module_at_all":      # one is there, and the answers are the same
            error = refused(client, REQUIRE, name=name)
            assert error.name == "io.lkmd.Broker.NotAllowed" and "reason" not in error.parameters
            assert error.parameters["message"] == f"this container may not load {name}: not allowed by the host's policy"
        assert refused(client, REQUIRE, name="lkmdt_none").name == "io.lkmd.Broker.NoSuchModule"
    assert daemon.loader.modules() == []
    entries = {(e["module"], e.get("container")) for e in daemon.call("Audit")["entries"]}
    assert entries == {("lkmdt_top", "machine-web"), ("lkmdt_base", "machine-web")}


def test_a_grant_and_a_mode_open_nothing(daemon):
    daemon.call("Grant", module="lkmdt_base", verdict="allow", forUSec=3600 * 1000000, reason="for the host")
    with Client(daemon.broker) as client:
        assert refused(client, REQUIRE, name="lkmdt_base").name == "io.lkmd.Broker.NotAllowed"
        daemon.write_policy(POLICY.replace("version: 1", "version: 1\nmode: audit"))
        daemon.reload()
        assert refused(client, REQUIRE, name="lkmdt_mid").name == "io.lkmd.Broker.NotAllowed"


def test_nothing_but_one_method(daemon):
    with Client(daemon.broker) as client:
        for method in "Load", "Grant", "Status", "Monitor", "Reload", "Unload":
            assert refused(client, f"io.lkmd.Manager.{method}").name.startswith("org.varlink.service.")
        interfaces = client.call("org.varlink.service.GetInfo")["interfaces"]
        assert "io.lkmd.Broker" in interfaces and "io.lkmd.Manager" not in interfaces
    with daemon.client() as client:             # and that is none of the main socket's
        assert refused(client, REQUIRE, name="lkmdt_mid").name.startswith("org.varlink.service.")
    assert daemon.loader.modules() == []


@pytest.mark.parametrize("parameters", [
    {}, {"name": ""}, {"name": 17}, {"name": None}, {"name": "a" * 256}, {"name": "a\nb"}, {"name": "a\x7f"}, {"name": "lkmdt_mid", "parameters": ["x=1"]},
    {"name": "lkmdt_mid", "forceVermagic": True}, {"name": "../../etc/passwd\u0001"},
])
def test_bad_input(daemon, parameters):
    with Client(daemon.broker) as client:
        client.send(REQUIRE, parameters)
        with pytest.raises((VarlinkError, ConnectionResetError)) as error:
            client.receive()
        assert error.type is ConnectionResetError or error.value.name == "org.varlink.service.InvalidParameter"
    for flags in {"more": True}, {"oneway": True}:
        with Client(daemon.broker) as client:
            client.send(REQUIRE, {"name": "lkmdt_mid"}, **flags)
            client.send(REQUIRE, {"name": "lkmdt_none"})
            with pytest.raises((VarlinkError, ConnectionResetError)):
                client.receive()
    assert daemon.loader.modules() == []


def test_who_is_in_no_container(tree):
    daemon = start(tree, None)
    daemon.write_policy("version: 1\nrules:\n  - match: {origin: container}\n    verdict: allow\n")
    daemon.reload()
    with Client(daemon.broker) as client:
        assert refused(client, REQUIRE, name="lkmdt_mid").name == "io.lkmd.Broker.NotAContainer"
    said = require(daemon, "require", "lkmdt_mid")
    assert said.returncode == 1 and said.stderr.startswith("lkmctl: this process is in no container that lkmd knows\n  try: ")
    daemon.close()


def test_a_flood(daemon):
    with Client(daemon.broker) as client:
        names = [refused(client, REQUIRE, name="lkmdt_base").name for _ in range(400)]
        assert names[:64] == ["io.lkmd.Broker.NotAllowed"] * 64 and names.count("io.lkmd.Broker.Busy") > 200
    assert daemon.call("Load", name="lkmdt_mid")["records"]
    clients = [Client(daemon.broker) for _ in range(16)]
    with Client(daemon.broker) as one_more:
        with pytest.raises(VarlinkError) as error:
            one_more.receive()
        assert error.value.name == "io.lkmd.Broker.TooManyClients" and "container" in error.value.parameters["message"]
    for client in clients:
        client.close()


def test_lkmctl(daemon):
    assert (said := require(daemon, "require", "lkmdt_mid")).returncode == 0 and said.stdout + said.stderr == ""
    assert json.loads(require(daemon, "--json=short", "require", "lkmdt_mid").stdout) == {"builtIn": False}
    said = require(daemon, "require", "lkmdt_top", "lkmdt_mid")
    assert said.returncode == 3 and said.stderr.startswith(
        "lkmctl: this container may not load lkmdt_top: not allowed by the host's policy: not in containers\n  try: "), said
    assert require(daemon, "require", "lkmdt_none").returncode == 5
    error = json.loads(require(daemon, "--json=short", "require", "lkmdt_top").stdout)
    assert error["error"] == "io.lkmd.Broker.NotAllowed" and error["reason"] == "not in containers"
    # It is asked where the main socket is not there, and only for this verb.
    fallback = {"LKMD_SOCKET": "/nowhere", "LKMD_BROKER_SOCKET": str(daemon.broker)}
    assert require(daemon, "require", "lkmdt_mid", **fallback).returncode == 0
    said = require(daemon, "status", **fallback)
    assert said.returncode == 4 and said.stderr == "lkmctl: in a container, lkmd can only be asked for modules\n  try: lkmctl require MODULE\n"
    daemon.stop()
    said = require(daemon, "require", "lkmdt_mid")
    assert said.returncode == 4 and said.stderr.startswith("lkmctl: lkmd")


def test_what_it_was_refused_becomes_a_rule(daemon):
    with Client(daemon.broker) as client:
        refused(client, REQUIRE, name="lkmdt_base")
    environment = {"LKMD_SOCKET": str(daemon.socket)}
    said = require(daemon, "policy", "propose", "--container", "machine-web", **environment)
    assert said.returncode == 0 and 'container: "machine-web"' in said.stdout and "- lkmdt_base" in said.stdout, said
    assert "default" not in said.stdout
    daemon.write_policy(said.stdout, "proposed.yaml")
    daemon.reload()
    with Client(daemon.broker) as client:
        assert client.call(REQUIRE, name="lkmdt_base") == {"builtIn": False}
    rule, = json.loads(require(daemon, "--json=short", "policy", "propose", "--container", "machine-web", **environment).stdout)["rules"]
    assert rule["container"] == "machine-web"
    assert require(daemon, "policy", "propose", "--container", "machine-x", **environment).returncode == 1
    assert require(daemon, "policy", "propose", "--container", "machine-x", "--from", "x", **environment).returncode == 2
    assert "container machine-web" in require(daemon, "policy", "audit", "--by=requester", **environment).stdout
