# SPDX-License-Identifier: LGPL-2.1-or-later
"""pytest plugin: the fixtures `boot`, `fresh` and `machine`, also for test files outside the project. A failed test leaves the
consoles and journals of its machines in build/vm-logs/TEST/."""

import re

import pytest

import driver
from . import lab, machine as machines


def kept_for_a_test(make):
    """As make(); the machines are switched off when the test ends."""
    mine = []

    def made(*args, **kwargs):
        machine = make(*args, **kwargs)
        mine.append(machine)
        return machine

    yield made
    for machine in mine:
        machine.remove()


@pytest.fixture
def boot():
    """driver.boot(), for tests of what happens at boot, or of machines that others do not need."""
    yield from kept_for_a_test(driver.boot)


@pytest.fixture
def fresh():
    """driver.fresh()"""
    yield from kept_for_a_test(driver.fresh)


@pytest.fixture(scope="module")
def machine():
    """One plain machine with lkmd for all tests of a file."""
    machine = driver.fresh()
    yield machine
    machine.remove()


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="also the tests of tests/vm that are marked soak")


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: a rare variant of what another test shows; not a part of ./dev test")


def pytest_collection_modifyitems(config, items):
    """Without --soak, only those that are not marked so, or that were named one by one."""
    if config.getoption("--soak") or any("::" in argument for argument in config.args):
        return
    kept = [item for item in items if not item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
    items[:] = kept


# What takes longer than the number of its tests says, the longest first: these begin first, so that lanes end together.
LONG = ["test_package.py", "test_handover.py", "test_gate.py", "test_doctor.py", "test_boundary.py", "test_boot_lists.py", "test_bad_input.py", "test_units.py",
        "test_root_only.py", "test_rich.py", "test_policy.py", "test_policy_boot.py", "test_requests.py", "test_containers.py", "test_udev_word.py", "test_sweep.py"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class LongFilesFirst(LoadFileScheduling):
        def _assign_work_unit(self, node):
            for name in reversed(LONG):
                for file in [file for file in self.workqueue if file.endswith("/" + name)]:
                    self.workqueue.move_to_end(file, last=False)
            super()._assign_work_unit(node)

    return LongFilesFirst(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and machines.existing:
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", item.nodeid.split("/")[-1].replace("::", "."))
        directory = lab.project() / "build/vm-logs" / name
        for number, machine in enumerate(machines.existing):
            machine.save_logs(directory / f"machine-{number}" if number else directory)
        report.sections.append(("machine logs", str(directory)))
    for machine in [m for m in machines.existing if m.abandoned]:
        machine.remove()
    return report
