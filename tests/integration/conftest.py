# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several test files stand on: a tree of modules, an lkmd on it, files of the throw-away root that tests run in.
A file that needs another one of the same name has its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import Daemon, make_tree


WRITTEN = ("/etc", "/run", "/usr/lib", "/var")  # what tests write into besides /tmp, where each has names of its own


def pytest_configure(config):
    """With several lanes, each sees these places of the throw-away root as if it were alone: what one configures must not be in force
    for the lkmd of another."""
    if not hasattr(config, "workerinput"):
        return
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for place in WRITTEN:
        upper, work = tempfile.mkdtemp(prefix="lane-"), tempfile.mkdtemp(prefix="lane-")
        os.chmod(upper, 0o755)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", "lkmd-lane", place], check=True)


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
