# SPDX-License-Identifier: LGPL-2.1-or-later
"""A policy in time: what a rule denies while a load is under way, and what holds at a boot at which a file is broken."""

from support import ask, lkmctl, loaded

FILE = "/etc/lkmd/policy.d/test.yaml"
CLOSED = """version: 1
default: deny
rules:
  - match: {module: ["*", "!dummy"]}
    verdict: allow
"""


def test_a_rule_comes_while_a_load_is_under_way(machine):
    machine.install_test_modules()
    machine.write("/etc/modprobe.d/slow.conf", "softdep lkmd_test_a pre: lkmd_test_slow\noptions lkmd_test_slow ms=8000\n")
    machine.run("systemctl reload lkmd")
    machine.run("systemd-run --unit=load --no-block sh -c 'lkmctl load lkmd_test_a >/tmp/load 2>&1; echo $? >/tmp/status'")
    machine.wait("grep -q coming /sys/module/lkmd_test_slow/initstate")
    machine.write(FILE, "version: 1\nrules: [{match: {module: lkmd_test_a}, verdict: deny, reason: changed my mind}]\n")
    machine.wait("test -s /tmp/status", timeout=60)
    assert machine.read("/tmp/status") == "3\n"
    assert f"lkmd_test_a is denied by {FILE}:2: changed my mind" in machine.read("/tmp/load")
    assert "lkmd_test_slow" in loaded(machine) and "lkmd_test_a" not in loaded(machine)
    machine.run(f"rm {FILE} /etc/modprobe.d/slow.conf; systemctl reload lkmd")


def test_a_machine_that_denies_by_default_boots_closed(machine):
    machine.write(FILE, CLOSED)
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy", status=3)
    machine.wait("grep -q 'default: deny' /var/lib/lkmd/policy")     # it was taken out of /run
    assert machine.run("stat -c '%U %a' /var/lib/lkmd /var/lib/lkmd/policy").stdout == "lkmd 755\nlkmd 644\n"
    machine.write(FILE, "version: 1\ndefault: deny\nruels: []\n")

    machine.reboot()
    said = lkmctl(machine, "load", "dummy", status=3).stderr
    assert f"{FILE}:2" in said
    policy = ask(machine, "status")["policy"]
    assert (policy["standing"], policy["broken"], policy["lacksDefault"]) == ("last_good", True, False)
    text = lkmctl(machine, "status").stdout
    assert "what it was when lkmd could last read it is in force" in text and f"{FILE}:3:1" in text
    assert "Failed" not in machine.run("systemctl status --no-pager lkmd-keep.service lkmd-keep.path", check=False).stdout
    machine.run("systemd-analyze verify --man=no lkmd-keep.service lkmd-keep.path", timeout=120)

    machine.run("rm /var/lib/lkmd/policy; rm -f /run/lkmd/state/policy; systemctl restart lkmd")
    assert "nothing is denied by default" in lkmctl(machine, "status").stdout      # nothing is known of before
    machine.write(FILE, CLOSED)
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy", status=3)
    machine.run(f"rm {FILE}")
