# SPDX-License-Identifier: LGPL-2.1-or-later
"""The policy changes while a plan is under way: what has not gone to the loader is judged by what holds then."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import VarlinkError
from test_daemon_policy import CHAIN, USB, grant, policy, refused, rule

ACPI = b"acpi:LKMD0001:"


def begin(daemon, name):
    """A load whose answer is still to come."""
    client = daemon.client()
    client.send("Load", {"name": name})
    return client


def answer(client):
    """The modules, or the error."""
    try:
        return [record["module"] for record in client.receive()["parameters"]["records"]]
    except VarlinkError as error:
        return error


def change(daemon, text, name="test.yaml"):
    """A policy that is in force when this returns."""
    path = daemon.write_policy(text, name)
    daemon.call("Reload")
    return path


def entries(daemon, kind):
    return {entry["module"]: entry for entry in daemon.call("Audit")["entries"] if entry["kind"] == kind}


@pytest.fixture
def slow(daemon):
    """A load of the chain whose first module is in its init."""
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    return client


@pytest.mark.parametrize("denied, message, loaded", [
    ("lkmdt_mid", "lkmdt_mid (needed by lkmdt_top) is denied by {}:3: too late", ["lkmdt_base"]),
    ("lkmdt_top", "lkmdt_top is denied by {}:3: too late", ["lkmdt_base"]),     # nothing needs lkmdt_mid any more
    ("lkmdt_[m-t]*", "lkmdt_top is denied by {}:3: too late", ["lkmdt_base"]),
    ("lkmdt_base", None, CHAIN),                                                # it is in the kernel
    ("lkmdt_slow", None, CHAIN),
])
def test_denied_meanwhile(daemon, slow, denied, message, loaded):
    monitor = daemon.client()
    monitor.subscribe()
    path = change(daemon, policy(rule(f'{{module: "{denied}"}}', reason="too late")))
    daemon.loader.release("lkmdt_base")
    reply = answer(slow)
    assert daemon.loader.modules() == loaded
    if not message:
        assert reply == loaded
        assert entries(daemon, "refused") == {}
        return
    assert reply.name == "Denied"
    assert reply.parameters["message"] == message.format(path)
    assert (reply.parameters["file"], reply.parameters["line"], reply.parameters["reason"]) == (str(path), 3, "too late")
    assert monitor.event("verdict")["omission"]["reason"] == "too late"
    refusals = entries(daemon, "refused")
    assert all(entry["count"] == 1 for entry in refusals.values()) and "lkmdt_top" in refusals
    assert daemon.call("Status")["counters"]["denied"] == len(refusals)
    assert "is left out for" in daemon.text()
    assert refused(daemon, "lkmdt_top")["message"] == message.format(path)      # the same as for who asks now


def test_denied_meanwhile_by_modprobe_d(daemon, slow, modprobe_d):
    modprobe_d.write_text("install lkmdt_mid /bin/false\n")
    daemon.call("Reload")
    daemon.loader.release("lkmdt_base")
    assert answer(slow).parameters["source"] == "install"
    assert daemon.loader.modules() == ["lkmdt_base"]


def test_default_denies_meanwhile(daemon, slow):
    change(daemon, policy(default="deny"))
    daemon.loader.release("lkmdt_base")
    assert answer(slow).parameters["module"] == "lkmdt_top"                     # nobody asks it about dependencies
    assert daemon.loader.modules() == ["lkmdt_base"]


def test_command_denied_meanwhile(daemon, modprobe_d):
    modprobe_d.write_text("install lkmdt_mid /bin/echo mid\n")
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    change(daemon, policy(rule("{module: lkmdt_mid}")))
    daemon.loader.release("lkmdt_base")
    assert answer(client).parameters["module"] == "lkmdt_mid"
    assert daemon.loader.requests[-1][:2] == ("insert", "lkmdt_base")


@pytest.mark.parametrize("post", [True, False])
def test_softdep_denied_meanwhile(daemon, modprobe_d, post):
    """It is left out, and the rest goes on."""
    modprobe_d.write_text("softdep lkmdt_slow pre: lkmdt_base " + ("post: lkmdt_any\n" if post else "lkmdt_any\n"))
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_slow")
    daemon.loader.wait_for("lkmdt_base")
    if not post:
        daemon.loader.wait_for("lkmdt_any")     # side by side
    change(daemon, policy(rule("{module: lkmdt_any}", reason="no")))
    daemon.loader.release("lkmdt_base")
    reply = client.receive()["parameters"]
    assert [record["module"] for record in reply["records"]][-1] == "lkmdt_slow"
    assert [omission["module"] for omission in reply["omissions"]] == (["lkmdt_any"] if post else [])


def test_audit_meanwhile(daemon, slow):
    change(daemon, policy(rule("{module: lkmdt_mid}"), mode="audit"))
    daemon.loader.release("lkmdt_base")
    assert answer(slow) == CHAIN
    assert set(entries(daemon, "would_refuse")) == {"lkmdt_mid"}
    assert entries(daemon, "would_refuse")["lkmdt_mid"]["count"] == 1


def test_policy_is_off(daemon, slow, lkmd_conf):
    lkmd_conf.write_text("[Manager]\nMode=off\n")
    change(daemon, policy(rule("{module: lkmdt_mid}")))
    daemon.loader.release("lkmdt_base")
    assert answer(slow) == CHAIN


def test_switched_on_meanwhile(daemon, lkmd_conf):
    lkmd_conf.write_text("[Manager]\nMode=off\n")
    daemon.call("Reload")
    change(daemon, policy(rule("{module: lkmdt_mid}")))
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    lkmd_conf.write_text("")
    daemon.call("Reload")
    daemon.loader.release("lkmdt_base")
    assert answer(client).parameters["module"] == "lkmdt_mid"


def test_rule_expires_meanwhile(daemon):
    """No file changes, and yet the policy does."""
    end = time.time() + 2
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    daemon.write_policy(policy(rule("{module: lkmdt_mid}", "allow", expires=text), rule("{module: lkmdt_mid}")))
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    while time.time() < end:
        time.sleep(0.05)
    daemon.loader.release("lkmdt_base")
    assert answer(client).parameters["module"] == "lkmdt_mid"


@pytest.fixture
def one_at_a_time(daemon, lkmd_conf):
    """A daemon whose only place is taken by lkmdt_slow."""
    lkmd_conf.write_text("[Manager]\nLoaderThreads=1\n")
    daemon.call("Reload")
    daemon.loader.held.add("lkmdt_slow")
    client = begin(daemon, "lkmdt_slow")
    daemon.loader.wait_for("lkmdt_slow")
    return client


def wait_until_queued(daemon, joins):
    while daemon.call("Status")["counters"]["joins"] < joins:
        pass


@pytest.mark.parametrize("client_first", [True, False])
@pytest.mark.parametrize("who", ["client", "device", "both"])
def test_shared_job(daemon, one_at_a_time, client_first, who):
    """Two requests wait for one load: it goes on for the one that may, and each hears what became of it."""
    if client_first:
        client = begin(daemon, "lkmdt_alone")
        daemon.call("Status")
    daemon.devices.add("LKMD0001:00", ACPI, "acpi")
    while daemon.call("Status")["counters"]["requests"] < (3 if client_first else 2):
        pass
    if not client_first:
        client = begin(daemon, "lkmdt_alone")
    wait_until_queued(daemon, 1)
    change(daemon, policy(*(rule(f"{{origin: {one}, module: lkmdt_alone}}", reason=one)
                            for one in ("client", "device") if who in (one, "both"))))
    daemon.loader.release("lkmdt_slow")
    reply = answer(client)
    daemon.wait_idle()
    if who == "device":
        assert reply == ["lkmdt_alone"]
    else:
        assert (reply.name, reply.parameters["reason"]) == ("Denied", "client")
    assert daemon.loader.modules() == ["lkmdt_slow"] + ([] if who == "both" else ["lkmdt_alone"])
    refusals = [entry["origin"] for entry in daemon.call("Audit")["entries"]]
    assert sorted(refusals) == sorted(["client", "device"] if who == "both" else [who])
    history = [record for record in map(json.loads, daemon.ledger.read_text().splitlines())
               if record.get("record", {}).get("module") == "lkmdt_alone"]
    origins = {record["record"]["requester"]["origin"] for record in history}
    assert origins == (set() if who == "both" else {"client" if who == "device" else "device"})


def test_parameters_of_who_may(daemon, one_at_a_time):
    """What the one who may not asked for is not done for the other."""
    uid = os.getuid()
    first = daemon.client()
    first.send("Load", {"name": "lkmdt_top", "parameters": ["speed=7"]})
    daemon.call("Status")
    daemon.devices.add("1-1:1.0", USB.encode())
    wait_until_queued(daemon, 1)
    change(daemon, policy(rule(f"{{origin: client, uid: {uid}, module: lkmdt_top}}")))
    daemon.loader.release("lkmdt_slow")
    assert answer(first).name == "Denied"
    daemon.wait_idle()
    assert daemon.loader.requests[-1][1] == "lkmdt_top" and daemon.loader.requests[-1][3] == ""


# ------------------------------------------------------------------------------------------- grants for one request

def test_once_is_once(daemon):
    """Three loads at the same time: one of them gets it, whatever becomes of it."""
    daemon.write_policy(policy(rule("{module: lkmdt*}", reason="none")))
    grant(daemon, "lkmdt_*", once=True)
    daemon.loader.held |= {"lkmdt_alone", "lkmdt_slow", "lkmdt_any"}
    clients = [begin(daemon, name) for name in ("lkmdt_alone", "lkmdt_slow", "lkmdt_any")]
    daemon.loader.wait_for("lkmdt_alone")
    assert [answer(client).name for client in clients[1:]] == ["Denied"] * 2
    assert daemon.call("Status")["policy"]["grants"] == []
    daemon.loader.release("lkmdt_alone")
    assert answer(clients[0]) == ["lkmdt_alone"]
    assert daemon.loader.modules() == ["lkmdt_alone"]


def test_once_with_a_failure(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    grant(daemon, "lkmdt_alone", once=True)
    daemon.loader.errors["lkmdt_alone"] = -5
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "LoadFailed"
    assert refused(daemon, "lkmdt_alone")


def test_once_outlives_a_change(daemon):
    """A request that used it goes on with it, also if it has to be judged again; what it never was about is denied."""
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    grant(daemon, "lkmdt_*", once=True)
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    change(daemon, policy(rule("{module: lkmdt_mid}"), rule("{module: lkmdt*}")))
    daemon.loader.release("lkmdt_base")
    assert answer(client) == CHAIN


def test_once_is_not_used_by_what_is_refused(daemon):
    """A module that it does not speak of stands in the way: nothing is done, and it is there for the next."""
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    grant(daemon, "lkmdt_top", once=True)
    assert refused(daemon, "lkmdt_top")["module"] == "lkmdt_base"
    assert len(daemon.call("Status")["policy"]["grants"]) == 1


def test_revoked_meanwhile(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    given = grant(daemon, "lkmdt_*")
    daemon.loader.held.add("lkmdt_base")
    client = begin(daemon, "lkmdt_top")
    daemon.loader.wait_for("lkmdt_base")
    daemon.call("Revoke", id=given["id"])
    daemon.loader.release("lkmdt_base")
    assert answer(client).name == "Denied"
    assert daemon.loader.modules() == ["lkmdt_base"]


def test_denied_once_meanwhile(daemon, slow):
    grant(daemon, "lkmdt_mid", "deny", once=True, reason="not now")
    daemon.loader.release("lkmdt_base")
    assert answer(slow).parameters["reason"] == "not now"
    assert daemon.call("Status")["policy"]["grants"] == []
    assert daemon.loader.modules() == ["lkmdt_base"]
