# SPDX-License-Identifier: LGPL-2.1-or-later
"""A refused device is looked at again when what refused it goes, and whoever has it go is told what became of it."""

import errno
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

STICK = b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"
CHAIN = ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]
DENY = "version: 1\nrules: [{{id: no, match: {{module: {}}}, verdict: deny}}]\n"


def plug_refused(daemon, name="1-1", module="lkmdt_top"):
    """A device that is refused a module: the audit says so."""
    daemon.call("Wait", idle=True)          # the first walk does not find it, too
    path = daemon.write_policy(DENY.format(module))
    device = daemon.devices.add(name, STICK)
    wait_refused(daemon, module, 1)
    return path, device


def wait_refused(daemon, module, n):
    daemon.call("Wait", idle=True)
    entries = [e for e in daemon.call("Audit")["entries"] if e["module"] == module]
    assert [e["count"] for e in entries] == [n], entries


def grant(daemon, module, verdict="allow", **more):
    return daemon.call("Grant", module=module, verdict=verdict, reason="a test", **more)


def test_a_grant_lets_the_device_have_it(daemon):
    plug_refused(daemon)
    assert daemon.loader.modules() == []
    devices = grant(daemon, "lkmdt_top", forUSec=60_000_000)["devices"]
    assert [(d["device"].rsplit("/", 1)[1], d["modules"]) for d in devices] == [("1-1", ["lkmdt_top"])]
    assert devices[0]["result"] and not devices[0].get("driver")
    assert daemon.loader.modules() == CHAIN
    assert "looked at again" in daemon.text()
    assert grant(daemon, "lkmdt_alone", forUSec=60_000_000)["devices"] == []


def test_a_grant_for_something_else(daemon):
    """It stays refused, and audit and counters do not count it again."""
    plug_refused(daemon)
    denied = daemon.call("Status")["counters"]["denied"]
    assert grant(daemon, "lkmdt_alone")["devices"] == []
    wait_refused(daemon, "lkmdt_top", 1)
    assert daemon.call("Status")["counters"]["denied"] == denied
    assert daemon.loader.modules() == []
    assert [d["modules"] for d in grant(daemon, "lkmdt_*")["devices"]] == [["lkmdt_top"]]      # not forgotten


def test_once(daemon):
    plug_refused(daemon)
    assert len(grant(daemon, "lkmdt_top", once=True)["devices"]) == 1
    assert daemon.loader.modules() == CHAIN
    assert daemon.call("Status")["policy"]["grants"] == []


def test_what_it_needs_was_refused(daemon):
    plug_refused(daemon, module="lkmdt_base")
    (device,) = grant(daemon, "lkmdt_base")["devices"]
    assert "lkmdt_base" in device["modules"]
    assert daemon.loader.modules() == CHAIN


def test_a_rule_goes(daemon):
    path, _ = plug_refused(daemon)
    path.unlink()
    devices = daemon.call("Reload")["devices"]
    assert [d["modules"] for d in devices] == [["lkmdt_top"]]
    assert daemon.loader.modules() == CHAIN
    assert daemon.call("Reload")["devices"] == []


def test_a_rule_goes_and_nobody_asks(daemon):
    path, _ = plug_refused(daemon)
    path.unlink()
    daemon.loader.wait_for("lkmdt_top")
    daemon.call("Wait", idle=True)
    assert daemon.loader.modules() == CHAIN


def test_a_grant_that_denied_goes(daemon):
    given = grant(daemon, "lkmdt_top", "deny")
    assert given["devices"] == []
    daemon.devices.add("1-1", STICK)
    wait_refused(daemon, "lkmdt_top", 1)
    reply = daemon.call("Revoke", id=given["grant"]["id"])
    assert [d["modules"] for d in reply["devices"]] == [["lkmdt_top"]] and reply["keeping"] == []
    assert daemon.loader.modules() == CHAIN


def test_a_rule_changes(daemon):
    plug_refused(daemon, module="lkmdt_mid")
    daemon.write_policy(DENY.format("lkmdt_alone"))
    daemon.loader.wait_for("lkmdt_top")


def test_it_fails(daemon):
    daemon.loader.errors["lkmdt_top"] = -errno.ENOEXEC
    plug_refused(daemon)
    (device,) = grant(daemon, "lkmdt_top")["devices"]
    assert device["result"].startswith("failed: ")


def test_it_takes_long(daemon):
    """The reply comes with the outcome; a client that hangs up stops nothing, and nothing waits for it."""
    plug_refused(daemon)
    daemon.loader.held.add("lkmdt_base")
    client, other = daemon.client(), daemon.client()
    for c in (client, other):
        c.send("Grant", {"module": "lkmdt_top", "verdict": "allow", "reason": "a test"})
    daemon.loader.wait_for("lkmdt_base")
    client.close()
    assert daemon.call("Status")["running"][0]["module"] == "lkmdt_base"
    daemon.loader.release("lkmdt_base")
    assert [d["modules"] for d in other.receive()["parameters"]["devices"]] == [["lkmdt_top"]]
    assert daemon.loader.modules() == CHAIN


def test_a_device_that_went(daemon):
    _, device = plug_refused(daemon)
    daemon.devices.announce(device, "remove")
    daemon.call("Wait", idle=True)
    assert grant(daemon, "lkmdt_top")["devices"] == []
    assert daemon.loader.modules() == []


def test_a_device_that_has_a_driver(daemon):
    _, device = plug_refused(daemon)
    uevent = Path(daemon.devices.root) / device.lstrip("/") / "uevent"
    uevent.write_text(uevent.read_text() + "DRIVER=other\n")
    assert grant(daemon, "lkmdt_top")["devices"] == []
    assert daemon.loader.modules() == []


def test_oneway(daemon):
    plug_refused(daemon)
    client = daemon.client()
    client.send("Grant", {"module": "lkmdt_top", "verdict": "allow", "reason": "a test"}, oneway=True)
    daemon.loader.wait_for("lkmdt_top")
