# SPDX-License-Identifier: LGPL-2.1-or-later
"""The audit over boots: what is kept in /var/lib/lkmd at a shutdown, at a power cut, and where /var is late."""

from support import ask_all, lkmctl

FILE = "/etc/lkmd/policy.d/test.yaml"
POLICY = "version: 1\nmode: audit\nrules: [{id: no-dummy, match: {module: dummy}, verdict: deny}]\n"
KEPT = "/var/lib/lkmd/audit"


def use(machine, times):
    """As many requests that would be refused, which are in lkmd's file afterwards."""
    for _ in range(times):
        lkmctl(machine, "load", "dummy")
        lkmctl(machine, "unload", "dummy")
    machine.wait(f"grep -q '\"module\":\"dummy\".*\"count\":{times},' /run/lkmd/state/audit")


def counted(machine, *options):
    """How often, and in how many boots."""
    entry, = [e for e in ask_all(machine, "policy", "audit", *options) if e.get("module") == "dummy"] or [{"count": 0, "boots": 0}]
    return entry["count"], entry["boots"]


def wait_joined(machine):
    machine.wait("systemctl is-active lkmd-audit.service && ! lkmctl policy audit | grep -q 'has not been read'", timeout=120)


def test_audit_over_boots(machine):
    machine.write(FILE, POLICY)
    lkmctl(machine, "reload")
    wait_joined(machine)
    use(machine, 3)
    assert counted(machine) == counted(machine, "--since=boot") == (3, 1)
    assert ", over 1 boot:\n" in lkmctl(machine, "policy", "audit").stdout

    machine.reboot()                    # which costs nothing
    wait_joined(machine)
    assert counted(machine) == (3, 1) and counted(machine, "--since=boot") == (0, 0)
    assert ", over 2 boots:\n" in lkmctl(machine, "policy", "audit").stdout
    assert machine.run(f"stat -c '%U %a' {KEPT}").stdout == "lkmd 644\n"

    # a power cut costs what came after the last copy, which lkmd has made by itself; the next boot has the directory in a file
    # system that comes when lkmd has run for long
    use(machine, 2)
    assert counted(machine) == (5, 2) and counted(machine, "--since=boot") == (2, 1)
    machine.wait(f"grep -q '\"module\":\"dummy\".*\"count\":2,' {KEPT}", timeout=400)
    machine.write("/etc/systemd/system/late.service", "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                  "ExecStart=/bin/sh -c 'until test -s /run/lkmd/state/audit; do sleep 1; done; cp /run/lkmd/state/audit /run/late-audit'\n")
    machine.write("/etc/fstab", "/srv/late /var/lib/lkmd none bind,x-systemd.requires=late.service 0 0\n")
    machine.run("mkdir /srv/late && chown lkmd: /srv/late && cp -a /var/lib/lkmd/. /srv/late && rm /var/lib/lkmd/* && sync")
    machine.reset()
    wait_joined(machine)
    assert '"joined":false' in machine.read("/run/late-audit")
    assert counted(machine) == (5, 2) and counted(machine, "--since=boot") == (0, 0)
    assert ", over 3 boots:\n" in lkmctl(machine, "policy", "audit").stdout
    assert machine.run("systemctl list-units --failed --no-legend 'lkmd*'").stdout == ""


def test_the_disk_of_another_machine(machine):
    machine.write(FILE, POLICY)
    lkmctl(machine, "reload")
    wait_joined(machine)
    use(machine, 1)
    machine.run("systemctl stop lkmd lkmd-audit && rm /run/lkmd/state/audit")
    assert '"module":"dummy"' in machine.read(KEPT)
    machine.run(f"sed -i 's/\"machine\":\"[0-9a-f]*\"/\"machine\":\"{'1' * 32}\"/' {KEPT} && systemctl start lkmd lkmd-audit")
    wait_joined(machine)
    assert counted(machine) == (0, 0)
    assert "it is of another machine" in machine.run("journalctl -b -u lkmd --no-pager").stdout
    machine.wait(f"! grep -q {'1' * 32} {KEPT}")

    use(machine, 1)
    lkmctl(machine, "policy", "audit", "--clear")
    assert [e["kind"] for e in ask_all(machine, "policy", "audit")] == ["extent"]
    machine.wait(f"! grep -q dummy {KEPT}")
    machine.run("systemd-analyze verify --man=no lkmd-audit.service lkmd-keep.service lkmd-keep.path", timeout=120)
