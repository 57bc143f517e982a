# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lkmd remembers of what was done to modules: over restarts, page by page, and when its file is broken."""

import errno
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import VarlinkError


def test_ledger_over_a_restart(daemon):
    daemon.loader.errors["lkmdt_mid"] = -errno.EIO
    with pytest.raises(VarlinkError):
        daemon.call("Load", name="lkmdt_top")
    before = daemon.call("Status")["failures"]
    assert [record["module"] for record in before] == ["lkmdt_mid"]
    daemon.stop()
    daemon.start()
    assert daemon.call("Status")["failures"] == before


def test_history(daemon):
    daemon.loader.errors["lkmdt_mid"] = -errno.EIO
    with pytest.raises(VarlinkError):
        daemon.call("Load", name="lkmdt_top")
    daemon.call("Load", name="lkmdt_alone")
    reply = daemon.call("History")
    assert reply["complete"] and "next" not in reply
    entries = reply["entries"]
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)
    records = {entry["record"]["module"]: entry["record"] for entry in entries}
    assert {"lkmdt_base", "lkmdt_mid", "lkmdt_alone"} <= set(records)
    for record in (records["lkmdt_mid"], records["lkmdt_alone"]):
        assert 0 < record["queuedUSec"] <= record["beganUSec"] <= record["endedUSec"]
    assert records["lkmdt_mid"]["beganUSec"] >= records["lkmdt_base"]["endedUSec"]
    mine = daemon.call("History", module="lkmdt-alone")
    assert [entry["record"]["module"] for entry in mine["entries"]] == ["lkmdt_alone"]
    assert daemon.call("History", module="lkmdt_nothing")["entries"] == []
    daemon.stop()
    daemon.start()
    again = daemon.call("History", module="lkmdt_alone")["entries"]
    assert again[0]["record"] == mine["entries"][0]["record"] and again[0]["id"] == mine["entries"][0]["id"]


def write_ledger(daemon, n):
    line = {"gone": True, "record": {"timeUSec": 1, "module": "lkmdt_gone", "outcome": "loaded", "reason": "requested",
                                     "requester": {"origin": "boot", "key": "lkmdt_gone"}}}
    daemon.ledger.write_text("".join(json.dumps({**line, "id": number}) + "\n" for number in range(1, n + 1)))


def test_history_page_by_page(stopped):
    write_ledger(stopped, 600)
    stopped.start()
    got, after = [], {}
    while True:
        reply = stopped.call("History", module="lkmdt_gone", **after)
        assert len(reply["entries"]) <= 256 and reply["complete"]
        got += [entry["id"] for entry in reply["entries"]]
        if "next" not in reply:
            break
        after = {"after": reply["next"]}
    assert got == list(range(1, 601))
    assert stopped.call("History", module="lkmdt_gone", after=2**60)["entries"] == []


def test_a_history_that_has_forgotten(stopped, lkmd_conf):
    lkmd_conf.write_text("[Manager]\nLedgerEntries=16\n")
    write_ledger(stopped, 40)
    stopped.start()
    assert stopped.call("Load", name="lkmdt_alone")["records"]
    reply = stopped.call("History")
    assert not reply["complete"] and len(reply["entries"]) == 16


@pytest.mark.parametrize("parameters, wrong", [({"module": ""}, "module"), ({"module": "x" * 5000}, "module"),
                                               ({"module": 1}, "module"), ({"after": -1}, "after")], ids=str)
def test_a_history_of_nothing(daemon, parameters, wrong):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("History", **parameters)
    assert failed.value.name == "org.varlink.service.InvalidParameter"
    assert failed.value.parameters["parameter"] == wrong


def test_killed_in_the_middle(daemon):
    daemon.loader.held.add("lkmdt_slow")
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    daemon.kill()
    with pytest.raises(ConnectionResetError):
        client.receive()

    daemon.start()
    failure, = daemon.call("Status")["failures"]
    assert (failure["module"], failure["errno"]) == ("lkmdt_slow", errno.EINTR)
    assert "restarted" in failure["message"]
    daemon.loader.release("lkmdt_slow")
    assert daemon.call("Load", name="lkmdt_slow")["records"][0]["outcome"] == "loaded"
    assert daemon.call("Status")["failures"] == []


def test_broken_ledger(stopped):
    stopped.ledger.write_bytes(b"\0\xff{]\n" * 1000 + b'{"id":1,"record":')
    stopped.start()
    assert stopped.call("Load", name="lkmdt_alone")["records"]
    stopped.stop()
    stopped.start()
    assert '"lkmdt_alone"' in stopped.ledger.read_text()
