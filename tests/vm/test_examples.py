# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of the manual pages that only a machine can run: as root types them, in their order. tests/integration/examples.py has the list."""

import sys

import pytest

from driver import lab
from kernel_requests import opens_alg

sys.path.insert(0, str(lab.project() / "tests/integration"))
from examples import ON_A_MACHINE


@pytest.fixture(scope="module", autouse=True)
def session(machine):
    """What a login of root's has: a systemd of its own. There is no PAM here, which user@.service needs."""
    machine.run("install -d -m 700 /run/user/0 && systemd-run --unit=user-of-root -p Type=notify -p Delegate=yes -E XDG_RUNTIME_DIR=/run/user/0 "
                "-E HOME=/root /usr/lib/systemd/systemd --user", timeout=120)
    machine.wait("XDG_RUNTIME_DIR=/run/user/0 systemctl --user show-environment", timeout=60)
    machine.run("lkmctl load e1000e")           # what the examples look for in the journal
    opens_alg(machine)


@pytest.mark.parametrize("command", [command for command, test in ON_A_MACHINE.items() if not test])
def test_a_command(machine, command):
    done = machine.run(["/bin/sh", "-c", f"export XDG_RUNTIME_DIR=/run/user/0; {command}"], check=False, timeout=120)
    assert done.returncode == 0 and "-- No entries --" not in done.stdout, done


def test_notices_wait_for_a_desktop(machine):
    """The unit is enabled by now; without a bus of the session it says what to do, and a session with one starts it anew."""
    machine.wait("XDG_RUNTIME_DIR=/run/user/0 systemctl --user is-enabled lkmd-notify.service", timeout=30)
    verify = machine.run("systemd-analyze verify --user --man=no lkmd-notify.service", check=False, timeout=120)
    assert "lkmd-notify" not in verify.stderr, verify.stderr
    machine.run(["/bin/sh", "-c", "lkmctl notify --terminal >/run/notices 2>&1 & echo $! >/run/notices.pid"])
    machine.write("/etc/lkmd/policy.d/10-no.yaml", "version: 1\nrules: [{id: no, match: {module: dummy}, verdict: deny, reason: for the test}]\n")
    machine.run("lkmctl reload")
    machine.wait("lkmctl load dummy; grep -q 'To allow it' /run/notices", timeout=60)
    text = machine.read("/run/notices")
    assert "dummy was refused" in text and "denied by /etc/lkmd/policy.d/10-no.yaml:2:9: for the test" in text
    command = text.split("To allow it: ")[1].splitlines()[0]
    machine.run(["/bin/sh", "-c", command])
    machine.run("lkmctl load dummy")
    machine.run("systemctl restart lkmd && lkmctl unload dummy")
    assert machine.read("/run/notices").count("was refused") == 1
    machine.run("kill $(cat /run/notices.pid)")


def test_policy_edit_comes_into_force(machine):
    machine.write("/var/tmp/new.yaml", "version: 1\nrules: [{id: no, match: {module: dummy}, verdict: deny, reason: edited}]\n")
    shown = machine.run(["/bin/sh", "-c", "EDITOR='cp /var/tmp/new.yaml' lkmctl policy edit 20-edited --yes"], check=False, timeout=120)
    assert shown.returncode == 0 and "is installed.\nRead anew." in shown.stdout, shown
    assert "20-edited.yaml" in machine.run("lkmctl policy show").stdout
    machine.run("lkmctl policy edit 10-no --stdin --yes </dev/null; test $? -eq 1")
