# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that do what they should not, and clients that may not: they get an error, and nobody else anything."""

import contextlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import BUILD, INTERFACE, TIMEOUT, Client, Daemon, VarlinkError

NOBODY = 65534
UNSENT_MAX = 256 << 10                  # that a client may leave unread and be told more
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


def refusal_of(client):
    """The error that comes before lkmd hangs up."""
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert failed.value.parameters["message"] and failed.value.parameters["hint"]
    assert client.hung_up()
    return failed.value.name


@pytest.mark.parametrize("data", [
    b"x" * (64 << 20),
    b"[" * (8 << 20) + b"\0",
    b'{"method":"io.lkmd.Manager.Wait","parameters":{"idle":[' + b"0," * 3500000 + b"0]}}\0",
    b'{"method":"io.lkmd.Manager.Status"' + b" " * (64 << 10) + b"}\0",
    b'{"method":"io.lkmd.Manager.Status","parameters":{"x":' + b"[" * 15 + b"]" * 15 + b"}}\0",
    b'{"a":' * 12000 + b"1" + b"}" * 12000 + b"\0",
], ids=("without-an-end", "brackets", "seven-megabytes", "one-too-many", "too-deep", "objects"))
def test_message_beyond_its_bounds(daemon, data):
    """It is refused before it is parsed, and costs its sender the connection."""
    assert daemon.call("Status")["version"]
    before = daemon.memory_peak()
    client = daemon.client()
    with contextlib.suppress(BrokenPipeError):
        client.socket.sendall(data)
    assert refusal_of(client) == "MessageTooLarge"
    assert is_served(daemon)
    assert daemon.memory_peak() - before < 8 << 20


def test_message_within_its_bounds(shared):
    client = shared.client()
    client.socket.sendall(b'{"method":"io.lkmd.Manager.Status"' + b" " * ((64 << 10) - 35) + b"}\0")
    assert client.receive()["parameters"]["version"]


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


class Abuser:
    """abuser.py, as nobody, until it is told to stop."""

    def __init__(self, daemon, kind):
        self.process = subprocess.Popen(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                                         sys.executable, Path(__file__).parents[1] / "soak/abuser.py", daemon.socket, kind, "600"],
                                        stdout=subprocess.PIPE)

    def __enter__(self):
        assert self.process.stdout.readline() == b"going\n"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


HOLD = r"""
import socket, sys
links, refused = [], None
for n in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    links.append(s)
    try:
        s.sendall(b'{"method":"io.lkmd.Manager.%s","parameters":{%s}}\0' % (sys.argv[3].encode(), sys.argv[4].encode()))
    except BrokenPipeError:
        pass
    if sys.argv[3] == "Status" and not s.recv(1 << 20).startswith(b'{"parameters"'):
        refused = refused or n
print(refused, flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held_by(daemon, uid, number, method="Status", parameters=""):
    """That many connections of a user; how many were taken before the first that was refused."""
    process = subprocess.Popen(["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", sys.executable, "-c", HOLD,
                                str(daemon.socket), str(number), method, parameters], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        taken = process.stdout.readline().strip().decode()
        yield taken == "None" and number or int(taken)
    finally:
        process.kill()
        process.communicate()


def test_places_of_a_user(daemon):
    with held_by(daemon, NOBODY, 20) as taken:
        assert taken == 16
        refused = as_user(daemon, "Status")
        assert refused.returncode != 0 and "TooManyClients" in refused.stderr
        for verb in ("status", "list", "wait", "monitor"):
            told = subprocess.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", BUILD / "src/cli/lkmctl", verb],
                                  env={**os.environ, "LKMD_SOCKET": str(daemon.socket)}, capture_output=True, text=True, check=False)
            assert told.returncode == 4
            assert told.stderr == "lkmctl: your user has too many connections to lkmd\n  try: end one of them, and try again\n"
        with held_by(daemon, 1000, 1) as other:
            assert other == 1
        assert is_served(daemon)
    assert as_user(daemon, "Status").returncode == 0


def test_places_for_root(daemon):
    """Others hold every place that they can get, and wait on all of them: root comes in all the same."""
    with contextlib.ExitStack() as others:
        for uid in range(20000, 20013):
            others.enter_context(held_by(daemon, uid, 20, "Wait", '"module":"lkmdt_slow"'))
        refused = as_user(daemon, "Status")
        assert refused.returncode != 0 and "TooManyClients" in refused.stderr
        assert is_served(daemon)
        clients = [daemon.client() for _ in range(60)]
        for client in clients:
            assert client.call("Status")["version"]


def test_more_than_there_may_be(daemon):
    """Root's places have an end too, and are free again when they are left."""
    clients, refused = [], 0
    for _ in range(600):
        client = daemon.client()
        with contextlib.suppress(BrokenPipeError): # who is one too many finds the connection closed already
            client.send("Status")
        try:
            assert client.receive()["parameters"]["version"]
            clients.append(client)
        except VarlinkError as error:
            assert error.name == "TooManyClients"
            refused += 1
    assert len(clients) == 512 and refused == 88
    clients[0].close()
    clients[1].call("Status")
    assert is_served(daemon)


def test_no_file_descriptors(daemon):
    """It can take nobody in for a while. That is not for good."""
    here = daemon.client()
    here.call("Status")
    pid = daemon.process.pid
    used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    few = min(set(range(len(used) + 1)) - used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, before[1]))
    late = daemon.client()
    late.send("Status")
    deadline = time.monotonic() + TIMEOUT
    while "Too many open files" not in daemon.text():
        assert time.monotonic() < deadline
    with pytest.raises(VarlinkError):           # a call takes some, too; its connection stays
        here.call("Status")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert late.receive()["parameters"]["version"]
    assert here.call("Status")["version"]
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
        assert loads * 40000 < 2 * (UNSENT_MAX + SOCKET_MAX)
    assert is_served(daemon)


# --------------------------------------------------------------------------------------- answers to the wrong call

SOON = {"module": "lkmdt_slow", "timeoutUSec": 1}


@pytest.mark.parametrize("calls", [
    [("Wait", SOON, {"oneway": True})],
    [("Wait", SOON, {"oneway": True})] * 50,
    [("Wait", {"idle": True, "timeoutUSec": 1}, {"oneway": True})],
    [("Wait", {"idle": True}, {"oneway": True})],
    [("Monitor", {}, {"oneway": True})] * 3,
    [("Load", {"name": "lkmdt_alone"}, {"oneway": True})],
    [("Load", {"name": "lkmdt_alone"}, {"oneway": True})] * 3,
    [("Unload", {"name": "lkmdt_any"}, {"oneway": True})],
    [("Reload", {}, {"oneway": True})],
    [("Grant", {"module": "x", "verdict": "deny", "reason": "none"}, {"oneway": True})],
    [("Revoke", {"id": "grant-1"}, {"oneway": True})],
    [("ClearAudit", {}, {"oneway": True})],
    [("Status", {}, {"oneway": True}), ("List", {}, {"oneway": True}), ("Audit", {}, {"oneway": True})],
    [("NoSuchMethod", {}, {"oneway": True})],
], ids=lambda calls: f"{calls[0][0]}-{len(calls)}")
def test_no_answer_to_a_call_that_is_over(daemon, calls):
    """Calls that want no answer, and Monitor behind them on the same connection, twice: what they come to is told to
    nobody, and a subscription that stands is one."""
    daemon.devices.set_module("lkmdt_any", "live", refcnt=0)
    client, other = daemon.client(), daemon.client()
    client.socket.settimeout(20)
    daemon.loader.held.update(("lkmdt_alone", "lkmdt_any"))
    for _ in range(2):
        for method, parameters, flags in calls:
            client.send(method, parameters, **flags)
        client.subscribe()
        daemon.loader.release("lkmdt_alone")
        daemon.loader.release("lkmdt_any")
        with pytest.raises(VarlinkError):       # by now the one microsecond of the others is over, too
            other.call("Wait", **SOON)
        other.call("Load", name="lkmdt_mid")
        assert client.event("finished")["record"]["module"].startswith("lkmdt_")
        client.socket.close()
        client = daemon.client()
    assert is_served(daemon)
    other.call("Load", name="lkmdt_mid")


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("number", [1, 4])
def test_list_of_a_call_that_is_over(daemon, number, others):
    """Calls of Monitor on one connection were one link in the list several times, when they were answered by a Wait. The
    event behind them is told to whoever is left."""
    listening = [daemon.client() for _ in range(others)]
    for client in listening:
        client.subscribe()
    clients = [daemon.client() for _ in range(number)]
    for client in clients:
        for _ in range(3):
            client.socket.sendall(b"".join(     # at once: the second is there when the time of the first is over
                json.dumps({"method": INTERFACE + method, "parameters": parameters, flag: True}).encode() + b"\0"
                for method, parameters, flag in (("Wait", SOON, "oneway"), ("Monitor", {}, "more"))))
            with pytest.raises(VarlinkError):
                daemon.call("Wait", **SOON)
    for _ in range(2):
        for _ in range(4):
            assert daemon.call("Load", name="lkmdt_alone")["records"]
            for client in listening:
                assert client.event("finished")["record"]["module"] == "lkmdt_alone"
        for client in clients:
            client.close()
    assert is_served(daemon)


@pytest.mark.parametrize("method, parameters", [("Status", {}), ("List", {}), ("Audit", {}), ("History", {}), ("Reload", {}), ("Wait", {"idle": True}),
                                                ("DescribeModule", {"name": "lkmdt_mid"}), ("Revoke", {"id": "grant-1"})])
def test_more_where_there_is_no_more(shared, method, parameters):
    client = shared.client()
    client.send(method, parameters, more=True)
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert failed.value.name == "org.varlink.service.InvalidParameter"
    assert failed.value.parameters["parameter"] == "more"
    assert client.call("Status")["version"]


@pytest.mark.parametrize("flags", [{"oneway": True, "more": True}, {"oneway": "yes"}, {"more": 1}], ids=str)
def test_flags_that_are_none(shared, flags):
    client = shared.client()
    client.send("Wait", {"idle": True}, **flags)
    assert client.hung_up()
    assert is_served(shared)


def test_upgrade(shared):
    """sd-varlink hangs up itself, or, since systemd 260, knows the flag and leaves it to lkmd, which has no method for it."""
    client = shared.client()
    client.send("Wait", {"idle": True}, upgrade=True)
    try:
        reply = client.receive()
    except VarlinkError as refused:
        reply = {refused.name: refused.parameters["parameter"]}
    except ConnectionResetError:
        reply = None
    assert reply in (None, {"org.varlink.service.InvalidParameter": "flags"})
    assert is_served(shared)


# -------------------------------------------------------------------------------------------------------- abuse

@pytest.mark.parametrize("kind", ["flood", "pipeline", "half", "slow", "waits", "big", "storm", "garbage", "flags", "churn", "hoard"])
def test_abuse(daemon, kind):
    """While it goes on, devices get their drivers, root is answered, and lkmd leaves when it is told to."""
    with Abuser(daemon, kind) as abuser:
        for number in range(3):
            daemon.devices.add(f"1-{number}", b"usb:v1111p2222d0000dc00dsc00dp00ic08isc06ip50in00")
            daemon.loader.wait_for("lkmdt_top", times=number + 1)
            assert daemon.call("Status")["version"]
            daemon.wait_idle()
        assert abuser.process.poll() is None    # all of that was while it went on
        assert daemon.memory_peak() < 512 << 20 # of which most is what AddressSanitizer keeps
        daemon.stop()


# -------------------------------------------------------------------------------------------------------- rights

def as_user(daemon, method, parameters="{}", groups=()):
    """varlinkctl of somebody who is not root."""
    words = ["--groups", ",".join(groups)] if groups else ["--clear-groups"]
    return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), *words,
                           "varlinkctl", "call", "--json=short", str(daemon.socket), INTERFACE + method, parameters],
                          capture_output=True, text=True, check=False)


def refusal(daemon, method, parameters, groups):
    """What a call of somebody who is not root fails with; by varlinkctl it would be a sentence of varlinkctl's."""
    code = """if True:
        import json, sys
        from daemon_bench import Client, VarlinkError
        try:
            print(Client(sys.argv[1]).call(sys.argv[2], **json.loads(sys.argv[3])))
        except VarlinkError as error:
            print(error.name)
        """
    return subprocess.run([sys.executable, "-c", code, str(daemon.socket), method, parameters], check=True, capture_output=True,
                          text=True, user=NOBODY, group=NOBODY, extra_groups=[int(group) for group in groups],
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)}).stdout.strip()


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
                                                ("Reload", "{}"), ("Revoke", '{"id":"grant-1"}'), ("ClearAudit", "{}"),
                                                ("Grant", '{"module":"lkmdt_mid","verdict":"deny","reason":"mine"}')])
def test_not_everyone_may_change(daemon, admin_group, method, parameters):
    for groups in ((), ("0",)):         # the group of root is no reason
        assert as_user(daemon, method, parameters, groups).returncode != 0
        assert refusal(daemon, method, parameters, groups) == "org.varlink.service.PermissionDenied"
    assert daemon.loader.requests == []


def test_admins_may_change(daemon, admin_group):
    done = as_user(daemon, "Load", '{"name":"lkmdt_mid"}', (admin_group,))
    assert done.returncode == 0, done.stderr
    requester = json.loads(done.stdout)["records"][0]["requester"]
    assert (requester["uid"], requester["command"]) == (NOBODY, "varlinkctl")
    assert daemon.loader.modules() == ["lkmdt_base", "lkmdt_mid"]


def test_admins_of_many_groups(daemon, admin_group):
    groups = [str(20000 + number) for number in range(300)]
    assert as_user(daemon, "Load", '{"name":"lkmdt_mid"}', [*groups, admin_group]).returncode == 0
    assert as_user(daemon, "Load", '{"name":"lkmdt_mid"}', groups).returncode != 0
