# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's own requests on a real kernel: lkmd answers them as modprobe would, holds the policy against them, stands in
nobody's way when it is not there, and gives kernel.modprobe back."""

import pytest

from kernel_requests import EXIT_1, OURS, PARAMETERS, POLICY, REQUEST, THEIRS, asked, opens_alg, put_back, results
from support import ask, ask_all, cause_of, kill_lkmd, lkmctl, loaded, main_pid, remove, start_lkmd

THREADS = 20                            # at once; the kernel has 50, and gives up after 5 s, which is little here


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    put_back(machine)


def test_a_socket_of_any_user(machine):
    assert asked(machine) == OURS
    assert ask(machine, "status")["kernelAsksLkmd"]
    assert opens_alg(machine)
    assert "af_alg" in loaded(machine)
    cause = cause_of(machine, "af_alg")
    assert (cause["origin"], cause["key"]) == ("kernel", "net-pf-38")


def test_the_policy_holds(machine):
    machine.write(POLICY, "version: 1\nrules:\n- {id: no-alg, match: {origin: kernel, alias: net-pf-38}, verdict: deny, reason: a test}\n")
    lkmctl(machine, "reload")
    assert not opens_alg(machine)
    assert "af_alg" not in loaded(machine)
    assert {(e["module"], e["origin"]) for e in ask_all(machine, "policy", "audit", "--since=boot") if "module" in e} == {("af_alg", "kernel")}
    lkmctl(machine, "load", "af_alg")   # it is about the kernel only
    assert opens_alg(machine)


def test_killed(machine):
    """From that moment on modprobe does it, and lkmd does it again once it is back."""
    machine.run("mkdir -p /run/systemd/system/lkmd.service.d && printf '[Service]\\nRestart=no\\n' >/run/systemd/system/lkmd.service.d/no.conf "
                "&& systemctl daemon-reload")
    machine.run(["kill", "-STOP", str(main_pid(machine))])
    kill_lkmd(machine)
    machine.wait("systemctl is-failed lkmd")
    assert opens_alg(machine) and "af_alg" in loaded(machine)
    start_lkmd(machine)
    assert asked(machine) == OURS


def test_stopped_and_restarted(machine):
    machine.run("systemctl restart lkmd")
    assert asked(machine) == OURS
    machine.run("systemctl stop lkmd")
    assert asked(machine) == THEIRS
    assert machine.run("ls /run/lkmd/modprobe /run/lkmd/shut /run/lkmd/request", check=False).stdout == ""
    assert opens_alg(machine)
    start_lkmd(machine)
    assert asked(machine) == OURS


def test_inits_that_ask(machine):
    lkmctl(machine, "load", "lkmd_test_nested_1")
    cause = cause_of(machine, "lkmd_test_inner")
    assert (cause["origin"], cause["key"]) == ("kernel", "lkmd_test_inner")


def test_an_init_that_asks_for_its_own_module(machine):
    lkmctl(machine, "load", REQUEST, f"init_asks={REQUEST}")
    assert machine.read(f"{PARAMETERS}/results") == f"{EXIT_1} 1\n"
    assert f"{REQUEST}: its init waits for a request of the kernel for {REQUEST}" in machine.journal("-u", "lkmd", "-b")


def test_many_threads_see_what_they_see_with_modprobe(machine):
    names = ["dummy", "no-such-module", "net-pf-1"]
    with_lkmd = [results(machine, name, THREADS) for name in names]
    assert with_lkmd[:2] == [{0: THREADS}, {EXIT_1: THREADS}]
    remove(machine, "dummy")
    machine.run("systemctl stop lkmd")
    assert asked(machine) == THEIRS
    with_modprobe = [results(machine, name, THREADS) for name in names]
    start_lkmd(machine)
    assert with_lkmd == with_modprobe
