# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon and its policy: what is denied and how that is said, audits, exceptions, broken files."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import VarlinkError

CHAIN = ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]
USB = "usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"
HEAD = "version: 1\n"


def rule(match, verdict="deny", name=None, **more):
    """A rule in lines of YAML."""
    lines = [f"match: {match}", f"verdict: {verdict}", *(f"{key}: {value}" for key, value in more.items())]
    if name:
        lines.insert(0, f"id: {name}")
    return "  - " + "\n    ".join(lines) + "\n"


def policy(*rules, **head):
    return HEAD + "".join(f"{key}: {value}\n" for key, value in head.items()) + ("rules:\n" if rules else "") + "".join(rules)


def refused(daemon, name, **more):
    """The fields of the refusal of a load."""
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name=name, **more)
    assert failed.value.name == "Denied", failed.value
    return failed.value.parameters


def loaded(daemon, name):
    return [record["module"] for record in daemon.call("Load", name=name)["records"]]


def set_loaded(daemon, *modules):
    """What is in the kernel, by its list."""
    path = Path(daemon.devices.root) / "proc/modules"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{module} 16384 0 - Live 0x0\n" for module in modules))


# ------------------------------------------------------------------------------------------------------- denials

def test_denied_by_name_and_alias(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt-top}", name="no-top", reason="not here")))
    for name in ("lkmdt_top", "lkmdt-top", USB):
        fields = refused(daemon, name)
        assert fields["message"] == f"lkmdt_top is denied by {path}:3: not here"
        assert fields["hint"]
        assert {key: fields[key] for key in ("module", "file", "line", "source", "rule", "reason")} == \
            {"module": "lkmdt_top", "file": str(path), "line": 3, "source": "rule", "rule": "no-top", "reason": "not here"}
    assert daemon.loader.requests == []
    assert loaded(daemon, "lkmdt_mid") == CHAIN[:2]


def test_denied_without_a_reason(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    assert refused(daemon, "lkmdt_alone")["message"] == f"lkmdt_alone is denied by {path}:3"


def test_denied_dependency_names_the_chain(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt_base}", reason="no base")))
    assert refused(daemon, "lkmdt_base")["message"] == f"lkmdt_base is denied by {path}:3: no base"
    assert refused(daemon, "lkmdt_mid")["message"] == f"lkmdt_base (needed by lkmdt_mid) is denied by {path}:3: no base"
    assert refused(daemon, "lkmdt_top")["message"] == \
        f"lkmdt_base (needed by lkmdt_mid, which lkmdt_top needs) is denied by {path}:3: no base"
    assert daemon.loader.requests == []


def test_denied_softdep_is_left_out_and_said(daemon, modprobe_d):
    modprobe_d.write_text("softdep lkmdt_alone pre: lkmdt_slow\n")
    path = daemon.write_policy(policy(rule("{module: lkmdt_slow}", reason="too slow")))
    reply = daemon.call("Load", name="lkmdt_alone")
    assert [record["module"] for record in reply["records"]] == ["lkmdt_alone"]
    omission, = reply["omissions"]
    assert (omission["kind"], omission["module"], omission["wantedBy"], omission["file"], omission["line"]) == \
        ("denied", "lkmdt_slow", "lkmdt_alone", str(path), 3)


def test_denied_for_a_device(daemon):
    monitor = daemon.client()
    monitor.subscribe()
    path = daemon.write_policy(policy(rule("{origin: device, subsystem: usb}", reason="no usb")))
    device = daemon.devices.add("1-1:1.0", USB.encode()).removeprefix("/sys")
    omission = monitor.event("verdict")["omission"]
    assert (omission["kind"], omission["module"], omission["file"], omission["line"]) == ("denied", "lkmdt_top", str(path), 3)
    daemon.wait_idle()
    assert daemon.loader.requests == []
    entry, = daemon.call("Audit")["entries"]
    assert (entry["kind"], entry["module"], entry["origin"], entry["device"], entry["key"]) == \
        ("refused", "lkmdt_top", "device", device, USB)
    assert "uid" not in entry
    assert f"lkmdt_top is left out for {device}: denied by {path}:3: no usb" in daemon.text()
    assert loaded(daemon, USB) == CHAIN         # a person may


@pytest.mark.parametrize("coldplug", [False, True])
def test_denied_by_the_driver_of_a_device(stopped, coldplug):
    stopped.write_policy(policy(rule("{driver: usb*, module: lkmdt_top}")))
    if not coldplug:
        stopped.start()
        stopped.wait_idle()
    stopped.devices.add("1-1:1.0", USB.encode(), driver="usbhid")
    if coldplug:
        stopped.start()
    while not (entries := stopped.call("Audit")["entries"]):
        pass
    assert [entry["module"] for entry in entries] == ["lkmdt_top"]
    stopped.devices.add("1-2:1.0", USB.encode(), driver="other")
    stopped.loader.wait_for("lkmdt_top")


def test_a_device_again_and_again_is_told_once(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_top}")))
    path = daemon.devices.add("1-1:1.0", USB.encode())
    daemon.wait_idle()
    before = daemon.call("Status")["counters"]["denied"]
    while daemon.call("Status")["counters"]["denied"] < before + 5:
        daemon.devices.announce(path, "add")
    entry, = daemon.call("Audit")["entries"]
    assert entry["count"] >= 5 and entry["lastUSec"] > entry["firstUSec"]
    assert daemon.text().count("lkmdt_top is left out for") == 1


def test_who_asks(daemon):
    daemon.write_policy(policy(rule('{origin: client, uid: "!0", module: lkmdt_alone}'), rule("{uid: 0, module: lkmdt_slow}")))
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    assert refused(daemon, "lkmdt_slow")["line"] == 5


def test_default_deny_lets_dependencies_in(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt_top}", "allow", name="top"), default="deny"))
    records = daemon.call("Load", name="lkmdt_top")["records"]
    assert [record["module"] for record in records] == CHAIN
    assert records[2]["allowedBy"] == {"source": "rule", "file": str(path), "line": 4, "column": 5, "rule": "top"}
    assert "allowedBy" not in records[0]
    fields = refused(daemon, "lkmdt_alone")
    assert (fields["source"], fields["file"], fields["line"]) == ("default", str(path), 2)
    status = daemon.call("Status")["policy"]
    assert (status["defaultVerdict"], status["rules"], status["files"]) == ("deny", 1, [str(path)])

    daemon.stop()                               # the ledger has it as well
    daemon.start()
    set_loaded(daemon)
    gone, load = daemon.call("DescribeModule", name="lkmdt_top")["history"]
    assert load["allowedBy"]["rule"] == "top"
    assert (gone["outcome"], gone["requester"]["origin"]) == ("unloaded", "foreign")    # no kernel has it


def test_describe_module_asks_the_policy(daemon):
    set_loaded(daemon)
    path = daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    omission, = daemon.call("DescribeModule", name="lkmdt_alone")["omissions"]
    assert (omission["kind"], omission["file"]) == ("denied", str(path))
    assert daemon.call("Audit")["entries"] == []        # it was only asked
    assert daemon.call("Status")["counters"]["denied"] == 0


def test_reported(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt_alone}", "audit", name="watch", reason="tell me")))
    for _ in range(3):
        assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    entry, = daemon.call("Audit")["entries"]
    assert (entry["kind"], entry["rule"], entry["reason"], entry["count"], entry["uid"]) == \
        ("reported", "watch", "tell me", 3, os.getuid())
    assert daemon.text().count(f"allowed and reported by {path}:3: tell me") == 1


# -------------------------------------------------------------------------------------------------------- audits

ALL = ("lkmdt_base", "lkmdt_mid", "lkmdt_top", "lkmdt_alone", "lkmdt_any", "lkmdt_slow", USB)


def attempt_all(daemon):
    """What was refused of ALL, by module and place of the rule."""
    for name in ALL:
        try:
            daemon.call("Load", name=name)
        except VarlinkError as error:
            assert error.name == "Denied"


def audited(daemon, kind):
    return {(entry["module"], entry["key"], entry["line"], entry["count"]) for entry in daemon.call("Audit")["entries"]
            if entry["kind"] == kind}


@pytest.mark.parametrize("where", ["file", "rules", "lkmd.conf"])
def test_audit_is_what_enforce_refuses(stopped, lkmd_conf, where):
    rules = ("{module: lkmdt_mid}", "{module: [lkmdt_al*, lkmdt_slow]}")
    stopped.write_policy(policy(*(rule(r) for r in rules)))
    daemon = stopped.start()
    attempt_all(daemon)
    enforced = audited(daemon, "refused")
    assert {module for module, _, _, _ in enforced} == {"lkmdt_mid", "lkmdt_top", "lkmdt_alone", "lkmdt_slow"}
    counters = daemon.call("Status")["counters"]
    assert (counters["denied"], counters["wouldDeny"]) == (len(enforced), 0)
    daemon.stop()
    daemon.audit.unlink()
    daemon.loader.requests.clear()

    if where == "file":
        daemon.write_policy(policy(*(rule(r) for r in rules), mode="audit"))
    elif where == "rules":
        daemon.write_policy(policy(*(rule(r).replace("verdict: deny", "verdict: deny\n    mode: audit") for r in rules)))
    else:
        lkmd_conf.write_text("[Manager]\nMode=audit\n")
    daemon.start()
    attempt_all(daemon)
    assert audited(daemon, "refused") == set()
    would = audited(daemon, "would_refuse")
    assert {(module, key, count) for module, key, _, count in would} == {(module, key, count) for module, key, _, count in enforced}
    if where == "lkmd.conf":
        assert would == enforced
        assert daemon.call("Status")["policy"]["mode"] == "audit"
    assert daemon.call("Status")["counters"]["wouldDeny"] == len(enforced)
    assert set(daemon.loader.modules()) == set(ALL) - {USB}
    assert "would be left out for" in daemon.text()


def test_mode_off(daemon, lkmd_conf):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}"), default="deny"))
    refused(daemon, "lkmdt_alone")
    lkmd_conf.write_text("[Manager]\nMode=off\n")
    daemon.call("Reload")
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    assert audited(daemon, "would_refuse") == set()
    lkmd_conf.write_text("")
    daemon.call("Reload")
    refused(daemon, "lkmdt_alone")


def test_audit_over_a_restart(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}", name="none")))
    for _ in range(5):
        refused(daemon, "lkmdt_alone")
    before = daemon.call("Audit")
    assert [entry["count"] for entry in before["entries"]] == [5]
    daemon.stop()
    daemon.start()
    assert daemon.call("Audit") == before
    refused(daemon, "lkmdt_alone")
    daemon.kill()
    daemon.start()
    count = daemon.call("Audit")["entries"][0]["count"]
    assert count in (5, 6)                      # of a crash the last moments are not known
    daemon.audit.write_bytes(daemon.audit.read_bytes() + b'{"kind":"refused"}\n\0{]')
    daemon.kill()
    daemon.start()
    assert daemon.call("Audit")["entries"][0]["count"] == count


def beside(path, suffix):
    return path.with_name(path.name + suffix)


def wait_until(condition):
    """What lkmd does by itself, not as an answer."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def another_boot(daemon):
    """What lkmd-audit.service does: what was kept is brought to an lkmd that finds nothing else. Returns when that has read it."""
    lines = daemon.audit.read_text().splitlines(keepends=True)
    head = json.loads(lines[0])
    daemon.audit.unlink()
    daemon.start()
    before = daemon.call("Audit")
    assert (before["entries"], before["boots"], before["earlier"]) == ([], 1, False)
    new = beside(daemon.audit, ".test")
    new.write_text("".join([json.dumps(dict(head, boot="0" * 36)) + "\n", *lines[1:]]))
    new.rename(beside(daemon.audit, "-earlier"))
    wait_until(lambda: not beside(daemon.audit, "-earlier").exists())


def test_audit_over_boots(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}", name="none")))
    for _ in range(3):
        refused(daemon, "lkmdt_alone")
    since = daemon.call("Audit")["sinceUSec"]
    assert since > 1_600_000_000_000_000
    call = beside(daemon.audit, "-call")
    assert not call.exists()                    # what was kept is not known yet, and would be lost

    daemon.stop()
    another_boot(daemon)
    assert call.exists()
    audit = daemon.call("Audit")
    assert (audit["sinceUSec"], audit["boots"], audit["earlier"], audit["dropped"]) == (since, 2, True, 0)
    entry, = audit["entries"]
    assert (entry["count"], entry["boots"], "gone" in entry) == (3, 1, False)
    assert daemon.call("Audit", thisBoot=True)["entries"] == []

    refused(daemon, "lkmdt_alone")
    entry, = daemon.call("Audit")["entries"]
    assert (entry["count"], entry["boots"]) == (4, 2) and entry["firstUSec"] < entry["lastUSec"]
    now, = daemon.call("Audit", thisBoot=True)["entries"]
    assert (now["count"], now["boots"], now["firstUSec"]) == (1, 1, entry["lastUSec"])
    call.unlink()
    wait_until(call.exists)                     # by itself
    assert '"earlierCount":3' in daemon.audit.read_text()

    daemon.stop()
    another_boot(daemon)
    assert daemon.call("Audit")["boots"] == 3
    daemon.write_policy(policy(rule("{module: lkmdt_mid}", name="another")))
    refused(daemon, "lkmdt_mid")
    assert {entry["module"]: entry.get("gone") for entry in daemon.call("Audit")["entries"]} == {"lkmdt_alone": True, "lkmdt_mid": None}


@pytest.mark.parametrize("kind", ["empty", "link", "fifo", "garbage"])
def test_what_is_kept_is_no_good(daemon, kind):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}", name="none")))
    refused(daemon, "lkmdt_alone")
    new, earlier = beside(daemon.audit, ".test"), beside(daemon.audit, "-earlier")
    if kind == "link":
        new.symlink_to("/nonexistent")
    elif kind == "fifo":
        os.mkfifo(new)
    else:
        new.write_bytes(b"" if kind == "empty" else b"\xff\0{[\n" * 100)
    new.rename(earlier)
    wait_until(lambda: not os.path.lexists(earlier))
    audit = daemon.call("Audit")
    assert (len(audit["entries"]), audit["boots"], audit["earlier"]) == (1, 1, True)
    assert beside(daemon.audit, "-call").exists()
    assert f"{earlier}: " in daemon.text() or kind == "empty"


def test_audit_is_cleared(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}", name="none")))
    refused(daemon, "lkmdt_alone")
    assert daemon.call("ClearAudit") == {}
    audit = daemon.call("Audit")
    assert (audit["entries"], audit["boots"], audit["earlier"]) == ([], 1, True)
    assert beside(daemon.audit, "-call").exists()
    assert "the audit is cleared, which had 1 entries" in daemon.text()
    refused(daemon, "lkmdt_alone")
    assert daemon.call("Audit")["entries"][0]["count"] == 1


# -------------------------------------------------------------------------------------------------------- grants

def grant(daemon, module, verdict="allow", reason="just now", **more):
    return daemon.call("Grant", module=module, verdict=verdict, reason=reason, **more)["grant"]


def test_grant_until_reboot(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt*}", reason="none of ours")))
    given = grant(daemon, "lkmdt-al*", reason="the admin's 'quoted' \"reason\" #1: yes")
    assert given.pop("createdUSec") > 1_600_000_000_000_000
    assert given == {"id": "grant-1", "module": "lkmdt_al*", "verdict": "allow", "once": False, "uid": os.getuid(),
                     "reason": "the admin's 'quoted' \"reason\" #1: yes"}
    record, = daemon.call("Load", name="lkmdt_alone")["records"]
    assert (record["allowedBy"]["source"], record["allowedBy"]["rule"]) == ("grant", "grant-1")
    refused(daemon, "lkmdt_slow")

    before = daemon.call("Status")["policy"]
    assert [item["id"] for item in before["grants"]] == ["grant-1"]
    assert before["rules"] == 2 and str(path) in before["files"]
    file = daemon.policy / "run/lkmd/state/grants.yaml"
    assert file.stat().st_mode & 0o777 == 0o644
    daemon.stop()                               # a restart is no reboot
    daemon.start()
    assert daemon.call("Status")["policy"]["grants"] == before["grants"]
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]

    daemon.call("Revoke", id="grant-1")
    refused(daemon, "lkmdt_alone")
    assert not file.exists()
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Revoke", id="grant-1")
    assert failed.value.name == "NoSuchGrant"
    assert "grant-1" in failed.value.parameters["message"] and failed.value.parameters["hint"]
    assert grant(daemon, "lkmdt_any")["id"] == "grant-2"


def test_grant_for_a_time(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    refused(daemon, "lkmdt_alone")
    monitor = daemon.client()
    monitor.subscribe()
    given = grant(daemon, "lkmdt_alone", forUSec=400_000)
    assert given["expiresUSec"] == pytest.approx(given["createdUSec"] + 400_000, abs=100_000)
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    assert monitor.event("reloaded")            # the grant
    assert monitor.event("reloaded")            # its end
    refused(daemon, "lkmdt_alone")
    assert daemon.call("Status")["policy"]["grants"] == []
    assert time.time() * 1e6 >= given["expiresUSec"]


def test_grant_that_is_over_while_lkmd_is_not_there(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt*}")))
    given = grant(daemon, "lkmdt_alone", forUSec=300_000)
    grant(daemon, "lkmdt_slow", forUSec=3600_000_000)
    daemon.stop()
    while time.time() * 1e6 < given["expiresUSec"]:
        time.sleep(0.01)
    daemon.start()
    refused(daemon, "lkmdt_alone")
    assert loaded(daemon, "lkmdt_slow") == ["lkmdt_slow"]
    assert [item["module"] for item in daemon.call("Status")["policy"]["grants"]] == ["lkmdt_slow"]


def test_grant_once(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_*}")))
    grant(daemon, "lkmdt*", once=True)
    assert daemon.call("Status")["policy"]["grants"][0]["once"]
    assert loaded(daemon, "lkmdt_top") == CHAIN         # one request, all that it needs
    refused(daemon, "lkmdt_top")
    assert daemon.call("Status")["policy"]["grants"] == []

    grant(daemon, "lkmdt_slow", once=True)
    daemon.devices.set_module("lkmdt_slow", "live")     # nothing is done, so it is not used up
    assert daemon.call("Load", name="lkmdt_slow")["records"][0]["outcome"] == "already_loaded"
    assert len(daemon.call("Status")["policy"]["grants"]) == 1


def test_deny_once(daemon):
    set_loaded(daemon)
    grant(daemon, "lkmdt_alone", "deny", once=True, reason="not this time")
    assert daemon.call("DescribeModule", name="lkmdt_alone")["omissions"]       # a question uses nothing up
    assert refused(daemon, "lkmdt_alone")["reason"] == "not this time"
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]


@pytest.mark.parametrize("wrong", [
    {"module": ""}, {"module": "a b"}, {"module": "!a"}, {"module": "a["}, {"module": "/lib/modules/a.ko"}, {"module": "a\nb"},
    {"reason": ""}, {"reason": "  "}, {"reason": "a\nb"}, {"reason": "x" * 1025}, {"reason": "\u0085"},
    {"forUSec": 0}, {"forUSec": -1}, {"forUSec": 2**62}, {"forUSec": 1, "once": True}, {"verdict": "audit"}, {"verdict": "no"}])
def test_wrong_grants(daemon, wrong):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Grant", **{"module": "lkmdt_alone", "verdict": "deny", "reason": "why", **wrong})
    assert failed.value.name == "org.varlink.service.InvalidParameter"
    assert failed.value.parameters["parameter"] in wrong
    if "verdict" not in wrong:
        assert failed.value.parameters["message"] and failed.value.parameters["hint"]
    assert daemon.call("Status")["policy"]["grants"] == []
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]


def test_more_grants_than_there_may_be(daemon):
    for number in range(256):
        grant(daemon, f"lkmdt_none{number}")
    with pytest.raises(VarlinkError) as failed:
        grant(daemon, "lkmdt_none")
    assert "too many" in failed.value.parameters["message"]
    daemon.call("Revoke", id="grant-7")
    assert grant(daemon, "lkmdt_none")["id"] == "grant-257"


def test_grants_while_the_policy_is_broken(daemon):
    daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    refused(daemon, "lkmdt_alone")
    daemon.write_policy("version: 1\nrules: [\n", "broken.yaml")
    given = grant(daemon, "lkmdt_alone")
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    daemon.call("Revoke", id=given["id"])
    refused(daemon, "lkmdt_alone")
    assert daemon.call("Status")["policy"]["broken"]


# -------------------------------------------------------------------------------------------------- broken files

def test_broken_policy_keeps_the_old_one(daemon):
    path = daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    refused(daemon, "lkmdt_alone")
    monitor = daemon.client()
    monitor.subscribe()
    daemon.write_policy(policy(rule("{modul: lkmdt_slow}")))
    refused(daemon, "lkmdt_alone")
    status = daemon.call("Status")
    assert status["policy"]["broken"] and status["problems"] == []
    problem, = status["policy"]["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(path), 3, 13)
    assert monitor.event("problem")["problem"] == problem
    assert "module" in problem["message"]       # the nearest key
    assert status["policy"]["rules"] == 1

    for _ in range(3):
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Reload")
        assert failed.value.name == "ReloadFailed"
        assert failed.value.parameters["problems"] == [problem]
        assert "policy" in failed.value.parameters["message"]
    assert daemon.text().count(f"{path}:3:13: ") == 1   # the journal once
    refused(daemon, "lkmdt_alone")

    daemon.write_policy(policy(rule("{module: lkmdt_slow}")))
    assert daemon.call("Reload") == {"problems": [], "devices": []}
    assert not daemon.call("Status")["policy"]["broken"]
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    refused(daemon, "lkmdt_slow")


def test_broken_at_the_start(stopped):
    """What can be read holds; that there is a default of deny in it does not, since nobody knows what it would have allowed."""
    stopped.write_policy(policy(rule("{module: lkmdt_alone}"), default="deny"), "10-good.yaml")
    broken = stopped.write_policy("version: 1\n\t: [", "20-broken.yaml")
    daemon = stopped.start()
    refused(daemon, "lkmdt_alone")
    assert loaded(daemon, "lkmdt_slow") == ["lkmdt_slow"]
    status = daemon.call("Status")["policy"]
    assert status["broken"] and status["problems"][0]["file"] == str(broken)
    broken.unlink()
    refused(daemon, "lkmdt_slow")
    assert not daemon.call("Status")["policy"]["broken"]


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_others_can_write_is_no_policy(stopped, what):
    path = stopped.write_policy(policy(rule("{module: lkmdt_alone}")))
    place = path if what == "file" else path.parent
    place.chmod(0o666 if what == "file" else 0o777)
    daemon = stopped.start()
    status = daemon.call("Status")["policy"]
    assert status["broken"] and status["problems"][0]["file"] == str(place)
    assert "chmod" in status["problems"][0]["message"]
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    place.chmod(0o644 if what == "file" else 0o755)
    refused(daemon, "lkmdt_alone")              # a change of mode is a change
    assert not daemon.call("Status")["policy"]["broken"]


def test_policies_come_and_go(daemon):
    directory = daemon.policy / "etc/lkmd/policy.d"
    path = daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    refused(daemon, "lkmdt_alone")
    path.unlink()
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_alone"]
    directory.rename(directory.with_name("away"))
    daemon.call("Reload")
    directory.with_name("away").rename(directory)
    daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    refused(daemon, "lkmdt_alone")


def test_lists(daemon):
    lists = daemon.policy / "etc/lkmd/lists"
    lists.mkdir()
    daemon.write_policy("version: 1\ninclude: [mine]\n")
    assert daemon.call("Status")["policy"]["broken"]
    (lists / "mine.yaml").write_text(policy(rule("{module: lkmdt_alone}", reason="listed", source="me")))
    assert refused(daemon, "lkmdt_alone")["source"] == "list"


def test_ledger_and_monitor_tell_of_a_change(daemon):
    monitor = daemon.client()
    monitor.subscribe()
    daemon.write_policy(policy(rule("{module: lkmdt_alone}")))
    assert "policy" in monitor.event("reloaded")["message"]
    assert "the policy has 1 rules from 1 files" in daemon.text()


# ------------------------------------------------------------------------------------------------------ settings

def test_blacklist_deny(daemon, modprobe_d, lkmd_conf):
    modprobe_d.write_text("blacklist lkmdt_mid\n")
    assert loaded(daemon, "lkmdt_top") == CHAIN
    lkmd_conf.write_text("[Manager]\nBlacklist=deny\n")
    daemon.call("Reload")
    assert refused(daemon, "lkmdt_top")["message"].startswith(f"lkmdt_mid (needed by lkmdt_top) is denied by {modprobe_d}:1")
    assert refused(daemon, "lkmdt_mid")["source"] == "blacklist"
    lkmd_conf.unlink()
    daemon.call("Reload")
    assert loaded(daemon, "lkmdt_top") == CHAIN


def test_compat_kmod(daemon, modprobe_d, lkmd_conf):
    """With a softdep beside it, an install line means nothing to kmod."""
    modprobe_d.write_text("install lkmdt_alone /bin/false\nsoftdep lkmdt_alone pre: lkmdt_slow\n")
    assert refused(daemon, "lkmdt_alone")["source"] == "install"
    lkmd_conf.write_text("[Manager]\nCompat=kmod\n")
    daemon.call("Reload")
    assert loaded(daemon, "lkmdt_alone") == ["lkmdt_slow", "lkmdt_alone"]
    daemon.write_policy(policy(rule("{module: lkmdt_alone}")))  # a policy is a policy all the same
    assert refused(daemon, "lkmdt_alone")["source"] == "rule"


def test_loaded_but_denied(stopped):
    set_loaded(stopped, "lkmdt_alone", "lkmdt_slow", "lkmdt_else")
    daemon = stopped.start()
    assert daemon.call("Status")["modulesLoaded"] == 3
    assert daemon.call("Status")["policy"]["loadedButDenied"] == []
    path = daemon.write_policy(policy(rule("{module: [lkmdt_alone, lkmdt_else]}", name="late", reason="too late")))
    assert [item["module"] for item in daemon.call("Status")["policy"]["loadedButDenied"]] == ["lkmdt_alone", "lkmdt_else"]
    assert daemon.call("Status")["policy"]["loadedButDenied"][0] == {
        "module": "lkmdt_alone", "source": "rule", "file": str(path), "line": 3, "column": 5, "rule": "late", "reason": "too late"}
    assert daemon.text().count("though the policy denies it: lkmdt_alone, lkmdt_else") == 1
    assert daemon.loader.requests == []         # nothing is removed


@pytest.mark.parametrize("thing", ["fifo", "zero", "directory"])
def test_starts_whatever_lies_in_the_place_of_its_files(stopped, thing):
    files = [stopped.ledger, stopped.audit, stopped.policy / "run/lkmd/state/grants.yaml"]
    for file in files:
        {"fifo": os.mkfifo, "zero": lambda f: f.symlink_to("/dev/zero"), "directory": os.mkdir}[thing](file)
    stopped.start()
    for file in files:
        assert stopped.text().count(f"{file}: it is ") == 1, stopped.text()
    stopped.stop()
    assert files[0].is_file() and files[1].is_file() and not files[0].is_symlink()


def test_names_that_are_denied_are_written_down(daemon):
    """For the time without lkmd; with what is left out, this follows the policy."""
    assert not daemon.denied.exists()
    daemon.write_policy(policy(rule("{module: lkmdt_top}"), rule("{module: lkmdt_alone, origin: device}")))
    assert refused(daemon, "lkmdt_top")
    assert daemon.denied.read_text() == "lkmdt_top\n"
    daemon.write_policy(policy(rule("{module: lkmdt_top}"), mode="audit"))
    assert loaded(daemon, "lkmdt_top")
    assert daemon.denied.read_text() == ""
