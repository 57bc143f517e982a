# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several test files stand on: a tree of modules, an lkmd on it, files of the throw-away root that tests run in.
A file that needs another one of the same name has its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import Daemon, make_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    make_tree(root)
    return root


@pytest.fixture
def stopped(tree):
    daemon = Daemon(tree)
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(stopped):
    return stopped.start()


@pytest.fixture
def modprobe_d():
    path = Path("/etc/modprobe.d/lkmd-test.conf")
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def lkmd_conf():
    path = Path("/etc/lkmd/lkmd.conf")
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)
