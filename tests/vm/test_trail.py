# SPDX-License-Identifier: LGPL-2.1-or-later
"""Audit records of what was refused, as auditd has them."""

import pytest

from support import lkmctl, wait_idle

POLICY = "/etc/lkmd/policy.d/50-trail.yaml"


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.run("systemctl unmask auditd audit-rules && systemctl start auditd", timeout=120)
    machine.write(POLICY, "version: 1\nrules:\n  - match: {module: dummy}\n    verdict: deny\n    reason: \"not here\"\n")
    lkmctl(machine, "reload")
    wait_idle(machine)


def records(machine, text):
    machine.run("auditctl -m lkmd-test-mark")       # what was written before is in the file when this is
    machine.wait("grep -q lkmd-test-mark /var/log/audit/audit.log", timeout=30)
    found = machine.run(f"ausearch -i -m USER --start boot | grep 'op=request-module' | grep '{text}'", check=False).stdout
    return found.splitlines()


def test_what_a_client_is_refused(machine):
    lkmctl(machine, "load", "dummy", status=3)
    machine.wait("grep -q 'op=request-module' /var/log/audit/audit.log", timeout=30)
    record, = records(machine, "alias=.dummy")
    for field in ("req_pid=", "req_uid=0", "comm=lkmctl", 'module="dummy"', f'rule="{POLICY}:3"', "res=failed"):
        assert field in record, record
    lkmctl(machine, "load", "dummy", status=3)      # the same again
    assert len(records(machine, "alias=.dummy")) == 1


def test_it_ends_and_comes_again(machine):
    machine.wait("! pgrep lkmd-trail", timeout=60)
    machine.run(f"echo '# another line' | cat - {POLICY} >/run/p && cat /run/p >{POLICY}")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy", status=3)
    machine.wait(f"grep -q 'rule=\"{POLICY}:4\"' /var/log/audit/audit.log", timeout=30)
    assert machine.run("systemctl --failed --plain --no-legend").stdout == ""


def test_it_has_one_capability(machine):
    machine.run(f"echo '# another line' | cat - {POLICY} >/run/p && cat /run/p >{POLICY}")
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "dummy", status=3)
    pid = machine.run("pgrep lkmd-trail").stdout.strip()
    status = dict(line.split(":\t", 1) for line in machine.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    audit_write = 1 << 29
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == audit_write
    assert status["Seccomp"].strip() == "2" and status["Uid"].split()[0] == machine.run("id -u lkmd").stdout.strip()
