# SPDX-License-Identifier: LGPL-2.1-or-later
"""The policy on a real kernel: a deny holds on every way, audit tells what enforce does, what was proposed is enough."""

import pytest

from policy_paths import no_way_leads_in
from support import ask, ask_all, lkmctl, loaded, remove, wait_idle, wait_pci

FILE = "/etc/lkmd/policy.d/test.yaml"


def put(machine, text):
    machine.write(FILE, text)
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def no_policy(request):
    yield
    if "machine" in request.fixturenames:
        machine = request.getfixturevalue("machine")
        machine.run("rm -f /etc/lkmd/policy.d/* /run/lkmd/state/grants.yaml")
        lkmctl(machine, "reload")


def audit(machine, kind):
    """In this boot."""
    return {(e["module"], e["origin"]) for e in ask_all(machine, "policy", "audit", "--since=boot") if e["kind"] == kind}


def test_no_way_leads_to_a_denied_module(machine):
    no_way_leads_in(machine, others=11)


def test_a_file_that_others_may_write_is_no_policy(machine):
    put(machine, "version: 1\nrules: [{id: a, match: {module: dummy}, verdict: deny, reason: kept}]\n")
    machine.write("/root/open.yaml", "version: 1\n", mode=0o666)
    machine.run(["mv", "/root/open.yaml", FILE])        # at once: it never was there and root's alone
    said = lkmctl(machine, "reload", status=1).stderr
    assert FILE in said and "chmod" in said
    assert "kept" in lkmctl(machine, "load", "dummy", status=3).stderr
    assert ask(machine, "status")["policy"]["broken"]
    machine.run(["chmod", "0644", FILE])
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")


def test_a_broken_file_keeps_the_old_policy_and_is_named(machine):
    put(machine, "version: 1\nrules: [{id: a, match: {module: dummy}, verdict: deny, reason: kept}]\n")
    machine.write(FILE, "version: 1\nrules:\n  - match: {modul: dummy}\n    verdict: allow\n")
    machine.wait(f"lkmctl status | grep -q {FILE}:3:")          # noticed by itself
    assert f"{FILE}:3:13" in lkmctl(machine, "reload", status=1).stderr
    assert "kept" in lkmctl(machine, "load", "dummy", status=3).stderr
    assert machine.journal("-u", "lkmd", "-o", "cat").count(f"{FILE}:3:13") == 1


def deny_dummy(reason):
    return f"version: 1\nrules: [{{id: a, match: {{module: dummy}}, verdict: deny, reason: {reason}}}]\n"


def test_what_is_mounted_over_the_policy_holds(machine):
    """The manager has mounts of its own, into which those of the system go."""
    put(machine, deny_dummy("not mounted"))
    machine.write("/root/other/test.yaml", deny_dummy("is mounted"))
    for _ in range(10):                 # what lkmd reads at that moment cannot be unmounted, here or in its own mounts
        said = machine.run("mount --bind /root/other /etc/lkmd/policy.d; lkmctl load dummy; "
                           "until umount -q /etc/lkmd/policy.d; do :; done; lkmctl load dummy; true").stderr
        assert said.index("is mounted") < said.index("not mounted"), said
    assert ask(machine, "status")["unwatched"] == []


def test_changes_are_seen_without_inotify_watches(machine):
    put(machine, deny_dummy("before"))
    most = machine.run("sysctl -n fs.inotify.max_user_watches").stdout.strip()
    machine.run("sysctl -q fs.inotify.max_user_watches=3 && systemctl restart lkmd")
    try:
        wait_idle(machine)
        said = lkmctl(machine, "status").stdout
        assert "Not watched for changes" in said and "raise fs.inotify.max_user_watches" in said, said
        assert ask(machine, "status")["unwatched"][0]["file"].startswith("/")
        assert "before" in lkmctl(machine, "load", "dummy", status=3).stderr
        machine.write(FILE, deny_dummy("afterwards"))
        machine.wait("lkmctl load dummy 2>&1 | grep -q afterwards")
    finally:
        machine.run(f"sysctl -q fs.inotify.max_user_watches={most}")
    machine.wait("lkmctl status --json=short | grep -q '\"unwatched\":\\[\\]'")
    machine.write(FILE, deny_dummy("watched again"))
    assert "watched again" in lkmctl(machine, "load", "dummy", status=3).stderr


def test_allowed_for_once_and_for_a_time(machine):
    put(machine, "version: 1\nrules: [{id: a, match: {module: dummy}, verdict: deny, reason: not here}]\n")
    assert "not here" in lkmctl(machine, "load", "dummy", status=3).stderr
    lkmctl(machine, "policy", "allow", "dummy", "--once", "--reason", "a test")
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    lkmctl(machine, "load", "dummy", status=3)
    lkmctl(machine, "policy", "allow", "dummy", "--for", "1h", "--reason", "a test")
    machine.run("systemctl restart lkmd")
    lkmctl(machine, "load", "dummy")
    status = ask(machine, "status")
    grant, = status["policy"]["grants"]
    assert (grant["module"], grant["verdict"], grant["reason"]) == ("dummy", "allow", "a test")
    lkmctl(machine, "policy", "revoke", grant["id"])
    status = ask(machine, "status")
    assert [entry["module"] for entry in status["policy"]["loadedButDenied"]] == ["dummy"]
    assert "dummy" in loaded(machine)                           # told, never unloaded
    lkmctl(machine, "unload", "dummy")
    lkmctl(machine, "load", "dummy", status=3)


def test_explain_says_what_load_does(machine):
    put(machine, "version: 1\nrules: [{id: hands-off, match: {module: dummy}, verdict: deny, reason: not here}]\n")
    said = lkmctl(machine, "explain", "dummy", status=3).stdout
    assert FILE in said and "hands-off" in said and "not here" in said
    lkmctl(machine, "explain", "lp", status=0)


def test_prefer_chooses_the_same_driver(fresh):
    """Two drivers have the RTL8139's alias; whichever is preferred gets it, and the other stays out."""
    machine = fresh()
    machine.qmp("device_add", driver="rtl8139", id="old", bus="rp0")
    wait_pci(machine, "10ec:8139")
    wait_idle(machine)
    device = machine.run("dirname $(grep -lx 0x8139 /sys/bus/pci/devices/*/device)").stdout.strip()
    for preferred, other in (("8139cp", "8139too"), ("8139too", "8139cp")):
        put(machine, "version: 1\nrules:\n"
                     f"  - match: {{modalias: 'pci:v000010ECd00008139*'}}\n    prefer: ['{preferred}', '{other}']\n")
        for _ in range(2):
            remove(machine, "8139cp", "8139too")
            machine.run(f"echo 1 >{device}/remove; echo 1 >/sys/bus/pci/rescan")
            machine.wait(f"grep -q ^{preferred} /proc/modules")
            wait_idle(machine)
            assert {preferred, other} & loaded(machine) == {preferred}
