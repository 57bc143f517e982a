# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that do what they should not, and clients that may not: they get an error, and nobody else anything."""

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import INTERFACE, Client, Daemon, VarlinkError

NOBODY = 65534
INPUT_MAX = 16 << 20                    # that sd-varlink takes of one message
SOCKET_MAX = 4 << 20                    # what may lie in the socket beside that


@pytest.fixture(scope="module")
def shared(tree):
    """For tests that leave nothing behind, or are here to show that they do not."""
    daemon = Daemon(tree)
    yield daemon.start()
    daemon.close()


def is_served(daemon):
    """Somebody else at the same moment."""
    return daemon.call("Load", name="lkmdt_mid")["records"] and daemon.call("Status")["version"]


# ------------------------------------------------------------------------------------------------------- garbage

@pytest.mark.parametrize("data", [
    b"\0",
    b"\0" * 10000,
    b"garbage\0",
    b"{}\0",
    b"[]\0",
    b"null\0",
    b'"io.lkmd.Manager.Status"\0',
    b'{"method":17}\0',
    b'{"method":""}\0',
    b'{"method":"Status"}\0',
    b'{"method":"io.lkmd.Manager.Status","parameters":[]}\0',
    b'{"method":"io.lkmd.Manager.Status","parameters":17}\0',
    b'{"method":"io.lkmd.Manager.Status","more":"yes"}\0',
    b'{"method":"io.lkmd.Manager.Status","no":"such field"}\0',
    b'{"method":"io.lkmd.Manager.Load","parameters":{"name":"\xff"}}\0',
    b'{"method":"io.lkmd.Manager.Load","parameters":{"name":"\\ud800"}}\0',
    b'{"parameters":{}}\0',
    b'{"error":"io.lkmd.Manager.Denied"}\0',
    b"[" * 100000 + b"\0",
    b'{"a":' * 20000 + b"1" + b"}" * 20000 + b"\0",
    b'{"method":"io.lkmd.Manager.Status"}' * 2 + b"\0",
    b"GET / HTTP/1.1\r\n\r\n\0",
    bytes(range(1, 256)) + b"\0",
], ids=lambda data: repr(data[:24]))
def test_garbage(shared, data):
    client = shared.client()
    with contextlib.suppress(BrokenPipeError):
        client.socket.sendall(data)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.hung_up()
    assert is_served(shared)


def test_half_a_message_and_gone(daemon):
    whole = json.dumps({"method": INTERFACE + "Load", "parameters": {"name": "lkmdt_slow"}}).encode() + b"\0"
    for n in range(len(whole)):
        with Client(daemon.socket) as client:
            client.socket.sendall(whole[:n])
    assert is_served(daemon)
    assert "lkmdt_slow" not in daemon.loader.modules()


def test_half_a_message_and_no_more(daemon):
    clients = [daemon.client() for _ in range(20)]
    for client in clients:
        client.socket.sendall(b'{"method":"io.lkmd.Manager.Status"')
    assert is_served(daemon)
    for client in clients:
        client.socket.sendall(b"}\0")
        assert client.receive()["parameters"]["version"]


def test_message_without_an_end(daemon):
    client = daemon.client()
    block, sent = b"x" * (1 << 20), 0
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while sent < 100 << 20:
            sent += client.socket.send(block)
            if sent % (4 << 20) < len(block):
                assert daemon.call("Status")["version"]
    assert sent <= INPUT_MAX + SOCKET_MAX
    assert is_served(daemon)


def test_many_messages_at_once(daemon):
    """They are answered one after the other, however many lie in the socket."""
    client = daemon.client()
    call = json.dumps({"method": INTERFACE + "Wait", "parameters": {"idle": True}}).encode() + b"\0"
    sender = threading.Thread(target=client.socket.sendall, args=(call * 1000,))
    sender.start()
    for _ in range(1000):
        client.receive()
    sender.join()


# ------------------------------------------------------------------------------------------------ wrong parameters

@pytest.mark.parametrize("method, parameters, at_fault", [
    ("Load", {}, "name"),
    ("Load", {"name": 17}, "name"),
    ("Load", {"name": None}, "name"),
    ("Load", {"name": ["x"]}, "name"),
    ("Load", {"name": ""}, "name"),
    ("Load", {"name": "x" * 4097}, "name"),
    ("Load", {"name": "lkmdt_mid", "parameters": "x=1"}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": [1]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": {}}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": [""]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": ["=1"]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": ["a b=1"]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": ["a=\n"]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "parameters": ["a=" + "1" * 4096]}, "parameters"),
    ("Load", {"name": "lkmdt_mid", "force": True}, "force"),
    ("Unload", {}, "name"),
    ("Unload", {"name": ""}, "name"),
    ("Unload", {"name": 1.5}, "name"),
    ("Status", {"verbose": True}, "verbose"),
    ("List", {"name": "x"}, "name"),
    ("DescribeModule", {}, "name"),
    ("DescribeModule", {"name": ""}, "name"),
    ("Reload", {"now": True}, "now"),
    ("Wait", {}, "idle"),
    ("Wait", {"idle": "yes"}, "idle"),
    ("Wait", {"idle": True, "timeoutUSec": -1}, "timeoutUSec"),
    ("Wait", {"idle": True, "timeoutUSec": "1s"}, "timeoutUSec"),
    ("Wait", {"module": "a/b"}, "module"),
    ("Wait", {"module": "x" * 100}, "module"),
])
def test_wrong_parameters(shared, method, parameters, at_fault):
    client = shared.client()
    before = len(shared.loader.requests)
    client.send(method, parameters)
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert failed.value.name == "org.varlink.service.InvalidParameter"
    assert failed.value.parameters["parameter"] == at_fault
    assert client.call("Status")["version"] # the connection is good for more
    assert len(shared.loader.requests) == before


@pytest.mark.parametrize("method, error", [
    ("NoSuchMethod", "MethodNotFound"),
    ("org.example.Nothing.Method", "MethodNotFound"),
    ("Monitor", "ExpectedMore"),
])
def test_wrong_methods(shared, method, error):
    client = shared.client()
    client.send(method)
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert failed.value.name == "org.varlink.service." + error
    assert client.call("Status")["version"]


def test_call_that_wants_no_answer(daemon):
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_alone"}, oneway=True)
    daemon.loader.wait_for("lkmdt_alone")
    assert client.call("Status")["version"]


# -------------------------------------------------------------------------------------------------- bad manners

def test_hang_up_in_the_middle_of_a_load(daemon):
    """What was begun ends, and what was asked for goes on; nobody is told."""
    daemon.loader.held.add("lkmdt_base")
    with Client(daemon.socket) as client:
        client.send("Load", {"name": "lkmdt_top"}, more=True)
        daemon.loader.wait_for("lkmdt_base")
        other = daemon.client()
        other.send("Load", {"name": "lkmdt_base"})
    assert daemon.call("Status")["running"]
    daemon.loader.release("lkmdt_base")
    assert other.receive()["parameters"]["records"][0]["outcome"] == "loaded"
    daemon.loader.wait_for("lkmdt_top")
    daemon.wait_idle()
    assert daemon.loader.modules() == ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]


def test_hang_up_in_the_middle_of_a_wait(daemon):
    daemon.loader.held.add("lkmdt_slow")
    loading = daemon.client()
    loading.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    for parameters in ({"idle": True}, {"module": "lkmdt_slow"}, {"idle": True, "timeoutUSec": 3600000000}):
        with Client(daemon.socket) as client:
            client.send("Wait", parameters)
            client.socket.shutdown(socket.SHUT_WR)
    assert is_served(daemon)
    daemon.loader.release("lkmdt_slow")
    loading.receive()


def test_two_hundred_at_once(daemon):
    clients = [daemon.client() for _ in range(200)]
    for client in clients:
        client.send("Load", {"name": "lkmdt_alone"})
    for client in clients:
        assert client.receive()["parameters"]["records"][0]["module"] == "lkmdt_alone"
    for client in clients:
        client.close()
    assert is_served(daemon)


def test_more_than_there_may_be(daemon):
    """Nobody can take all places: a user has so many, and gets more when some are free again."""
    clients, refused = [], 0
    for _ in range(600):
        client = daemon.client()
        try:
            client.send("Status")  # who is one too many may find the connection closed already
            assert client.receive()["parameters"]["version"]
            clients.append(client)
        except (ConnectionResetError, BrokenPipeError):
            refused += 1
    assert len(clients) == 512 and refused == 88
    clients[0].close()
    clients[1].call("Status")
    assert is_served(daemon)


def is_cut_off(client):
    """Did lkmd close this connection? Nothing is read from it."""
    poll = select.poll()
    poll.register(client.socket, select.POLLRDHUP)
    return bool(poll.poll(0))


def test_monitor_that_never_reads(daemon):
    """It is cut off when it is too far behind; those who read miss nothing."""
    deaf, good, loading = (daemon.client() for _ in range(3))
    deaf.subscribe()
    good.subscribe()
    name = "any:" + "\x01" * 4092        # shown as \\x01 each: 40 KB for what begins and ends
    loads = 0
    while not is_cut_off(deaf):
        assert loading.call("Load", name=name)["records"][0]["outcome"] == "loaded"
        assert good.event("finished")["record"]["module"] == "lkmdt_any"
        loads += 1
        assert loads * 40000 < 2 * (INPUT_MAX + SOCKET_MAX)
    assert is_served(daemon)


# -------------------------------------------------------------------------------------------------------- rights

def as_user(daemon, method, parameters="{}", groups=()):
    """varlinkctl of somebody who is not root."""
    words = ["--groups", ",".join(groups)] if groups else ["--clear-groups"]
    return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), *words,
                           "varlinkctl", "call", "--json=short", str(daemon.socket), INTERFACE + method, parameters],
                          capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def admin_group():
    """In /etc of the throw-away root that tests run in."""
    subprocess.run(["groupadd", "--system", "--force", "lkmd-admin"], check=True)
    line = subprocess.run(["getent", "group", "lkmd-admin"], check=True, capture_output=True, text=True).stdout
    return line.split(":")[2]


def test_anyone_may_read(daemon):
    done = as_user(daemon, "Status")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"]
    assert as_user(daemon, "Wait", '{"idle":true}').returncode == 0


@pytest.mark.parametrize("method, parameters", [("Load", '{"name":"lkmdt_mid"}'), ("Unload", '{"name":"lkmdt_mid"}'),
                                                ("Reload", "{}"), ("Revoke", '{"id":"grant-1"}'),
                                                ("Grant", '{"module":"lkmdt_mid","verdict":"deny","reason":"mine"}')])
def test_not_everyone_may_change(daemon, admin_group, method, parameters):
    for groups in ((), ("0",)):         # the group of root is no reason
        done = as_user(daemon, method, parameters, groups)
        assert done.returncode != 0
        assert "PermissionDenied" in done.stderr + done.stdout
    assert daemon.loader.requests == []


def test_admins_may_change(daemon, admin_group):
    done = as_user(daemon, "Load", '{"name":"lkmdt_mid"}', (admin_group,))
    assert done.returncode == 0, done.stderr
    cause = json.loads(done.stdout)["records"][0]["cause"]
    assert (cause["uid"], cause["command"]) == (NOBODY, "varlinkctl")
    assert daemon.loader.modules() == ["lkmdt_base", "lkmdt_mid"]


def test_admins_of_many_groups(daemon, admin_group):
    groups = [str(20000 + number) for number in range(300)]
    assert as_user(daemon, "Load", '{"name":"lkmdt_mid"}', [*groups, admin_group]).returncode == 0
    assert as_user(daemon, "Load", '{"name":"lkmdt_mid"}', groups).returncode != 0
