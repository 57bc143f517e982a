# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans of removals, waiting for a module that is in use, and sweeps, with a loader that only pretends."""

import pytest

from daemon_bench import VarlinkError


def put_chain(daemon):
    """top, which needs mid, which needs base: in the kernel, by a request for top."""
    daemon.call("Load", name="lkmdt_top")
    for module, holders in (("lkmdt_base", ["lkmdt_mid"]), ("lkmdt_mid", ["lkmdt_top"]), ("lkmdt_top", [])):
        daemon.devices.set_module(module, "live", refcnt=len(holders))
        daemon.devices.list_module(module, len(holders), holders)


def reasons(reply):
    return [(s["module"], s["reason"], s.get("parent")) for s in reply["steps"]]


def fails(daemon, method="Unload", **parameters):
    with pytest.raises(VarlinkError) as failed:
        daemon.call(method, **parameters)
    return failed.value.name, failed.value.parameters


def test_plan_does_nothing(daemon):
    put_chain(daemon)
    before = len(daemon.loader.requests)
    reply = daemon.call("Unload", name="lkmdt-top", plan=True)
    assert reasons(reply) == [("lkmdt_top", "requested", None), ("lkmdt_mid", "dependency", "lkmdt_top"),
                              ("lkmdt_base", "dependency", "lkmdt_mid")]
    assert reply["stays"] == [] and reply["needed"] == [] and all(s["sizeBytes"] == 16384 for s in reply["steps"])
    assert len(daemon.loader.requests) == before


def test_plan_says_who_asked_for_what_stays(daemon):
    put_chain(daemon)
    daemon.call("Load", name="lkmdt_base")
    reply = daemon.call("Unload", name="lkmdt_top", plan=True)
    assert [s["module"] for s in reply["steps"]] == ["lkmdt_top", "lkmdt_mid"]
    stay, = reply["stays"]
    assert (stay["module"], stay["kind"], stay["requester"]["origin"]) == ("lkmdt_base", "requested", "client")


def test_holders(daemon):
    put_chain(daemon)
    name, parameters = fails(daemon, name="lkmdt_base")
    assert (name, parameters["holders"]) == ("InUse", ["lkmdt_mid"]) and "--holders" in parameters["hint"]
    reply = daemon.call("Unload", name="lkmdt_base", holders=True, plan=True)
    assert reasons(reply) == [("lkmdt_top", "holder", "lkmdt_mid"), ("lkmdt_mid", "holder", "lkmdt_base"),
                              ("lkmdt_base", "requested", None)]
    daemon.devices.list_module("lkmdt_top", 1)
    name, parameters = fails(daemon, name="lkmdt_base", holders=True)
    assert (name, parameters["module"], parameters["refCount"]) == ("InUse", "lkmdt_top", 1)


def test_alone(daemon, modprobe_d):
    """As rmmod does it: what it needed stays, the line of modprobe.d is not run, and no alias counts."""
    modprobe_d.write_text("remove lkmdt_top /bin/true\nalias lkmdt_also lkmdt_top\n")
    put_chain(daemon)
    reply = daemon.call("Unload", name="lkmdt-top", alone=True, plan=True)
    assert reasons(reply) == [("lkmdt_top", "requested", None)] and reply["stays"] == []
    assert fails(daemon, name="lkmdt_also", alone=True)[0] == "NotLoaded"
    assert fails(daemon, name="lkmdt_base", alone=True)[0] == "InUse"
    reply = daemon.call("Unload", name="lkmdt_top", alone=True)
    assert [(r["module"], r["outcome"]) for r in reply["records"]] == [("lkmdt_top", "unloaded")]
    assert daemon.loader.requests[-1][:2] == ("remove", "lkmdt_top")


def test_wait(daemon):
    daemon.call("Load", name="lkmdt_alone")
    daemon.devices.set_module("lkmdt_alone", "live", refcnt=1)
    assert fails(daemon, name="lkmdt_alone", waitUSec=1)[0] == "InUse"
    client = daemon.client()
    client.send("Unload", {"name": "lkmdt_alone", "waitUSec": 60_000_000})
    assert daemon.call("Status")["queued"] == 0                 # it can be used as before
    daemon.devices.list_module("lkmdt_alone", 0)
    assert client.receive()["parameters"]["records"][0]["outcome"] == "unloaded"
    assert daemon.loader.requests[-1][:2] == ("remove", "lkmdt_alone")


def test_who_waits_and_leaves(daemon):
    daemon.call("Load", name="lkmdt_alone")
    daemon.devices.set_module("lkmdt_alone", "live", refcnt=1)
    client = daemon.client()
    client.send("Unload", {"name": "lkmdt_alone", "waitUSec": 2**63 - 1})
    daemon.call("Status")
    client.socket.close()
    daemon.call("Status")
    assert ("remove", "lkmdt_alone") not in [r[:2] for r in daemon.loader.requests]


@pytest.mark.parametrize("interfaces", [["../x"], [""], ["sixteen_letters_"], ["a"] * 65])
def test_interfaces_that_cannot_be(daemon, interfaces):
    daemon.devices.set_module("lkmdt_alone", "live")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Unload", name="lkmdt_alone", keepInterfaces=interfaces)
    assert failed.value.parameters["parameter"] == "keepInterfaces"


def test_sweep_takes_nothing_that_somebody_asked_for(daemon):
    put_chain(daemon)
    assert daemon.call("Sweep", plan=True) == {"steps": [], "stays": [], "sizeBytes": 0}
    assert daemon.call("Sweep") == {"records": [], "sizeBytes": 0}


def test_status_tells_of_idle_modules(daemon):
    status = daemon.call("Status")
    assert status["idleUnload"] is False and "idleUnloadUSec" not in status
    daemon.write_policy("version: 1\nrules:\n  - match: {module: lkmdt_any}\n    idle-unload: 10min\n")
    daemon.call("Reload")
    status = daemon.call("Status")
    assert status["idleUnload"] is True and "idleUnloadUSec" not in status
