# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's own requests when lkmd hangs, is removed, or is not to be asked: what tests/vm/test_requests.py has no time for."""

import pytest

from kernel_requests import EXIT_1, OURS, SYSCTL, THEIRS, asked, opens_alg, put_back, results
from support import configure, lkmctl, loaded, main_pid, start_lkmd, wait_idle

THREADS = 120                           # at once; the kernel has 50, and lets the others wait for 5 s
GIVEN_UP = -62                          # -ETIME: for those, which is little here


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    put_back(machine)


def test_hanging(machine):
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    try:
        assert opens_alg(machine) and "af_alg" in loaded(machine)
    finally:
        machine.run(["kill", "-CONT", str(pid)])
    wait_idle(machine)


def test_closed(machine):
    """OnFailure=closed: not without lkmd, until it is stopped."""
    configure(machine, OnFailure="closed")
    machine.wait("test -e /run/lkmd/shut")
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    try:
        assert not opens_alg(machine)
    finally:
        machine.run(["kill", "-CONT", str(pid)])
    assert "af_alg" not in loaded(machine)
    assert "lkmd-request: net-pf-38: not loaded: lkmd did not answer, and OnFailure=closed" in machine.run("dmesg").stdout
    machine.run("systemctl stop lkmd")
    assert opens_alg(machine)
    start_lkmd(machine)
    assert machine.run("test -e /run/lkmd/shut", check=False).returncode == 0
    configure(machine)
    machine.wait("! test -e /run/lkmd/shut")


@pytest.mark.parametrize("own", ["", "/bin/true"])
def test_what_the_administrator_has_set(machine, own):
    machine.write(SYSCTL, f"{own}\n")
    for verb in ("restart", "stop", "start"):
        machine.run(f"systemctl {verb} lkmd")
        assert asked(machine) == own
    assert not opens_alg(machine)


def test_program_is_gone(machine):
    """A kernel that asked it would load nothing at all."""
    machine.run(f"mv {OURS} {OURS}.gone")
    machine.wait(f"grep -qx {THEIRS} {SYSCTL}")
    assert opens_alg(machine)


def test_removed_while_it_runs(machine):
    """All of lkmd's programs: what systemd itself does when lkmd ends is enough."""
    machine.run("mv /usr/lib/lkmd /usr/lib/lkmd-gone")
    try:
        machine.run("systemctl stop lkmd")
        assert asked(machine) == THEIRS
        assert opens_alg(machine)
    finally:
        machine.run("mv /usr/lib/lkmd-gone /usr/lib/lkmd")
    start_lkmd(machine)


def test_over_the_limit_of_the_kernel(machine):
    """Each thread gets an answer, and none another than with modprobe; the kernel may give up on those that it lets wait."""
    names = {"no-such-module": EXIT_1, "dummy": 0}
    for stop in (False, True):
        if stop:
            machine.run("systemctl stop lkmd")
            machine.run("modprobe -r dummy")
        for name, expected in names.items():
            found = results(machine, name, THREADS)
            assert sum(found.values()) == THREADS and set(found) <= {expected, GIVEN_UP} and found[expected] >= 1, (stop, name, found)
    start_lkmd(machine)
