# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl require, which is a precondition, with a real lkmd; and lkmctl static-nodes beside kmod's own program."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import BUILD

LKMCTL = BUILD / "src/cli/lkmctl"


def run(daemon, *words, check=0):
    done = subprocess.run([LKMCTL, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1",
                               "LKMD_ROOT": str(daemon.root), "LKMD_POLICY_ROOT": str(daemon.policy), "LKMD_SOCKET": str(daemon.socket)})
    assert done.returncode == check, done
    return done


def test_it_is_quiet(daemon):
    """What is loaded, what is there already, and what is part of the kernel."""
    assert run(daemon, "require", "lkmdt_top", "any:thing", "acpi:LKMD0001:").stdout == ""
    assert set(daemon.loader.modules()) == {"lkmdt_base", "lkmdt_mid", "lkmdt_top", "lkmdt_any", "lkmdt_alone"}
    daemon.devices.set_module("lkmdt_slow", "live")
    before = daemon.loader.modules()
    for name in ("lkmdt_slow", "lkmdt-slow", "lkmdt_in_kernel", "in-kernel:x"):
        done = run(daemon, "require", name)
        assert (done.stdout, done.stderr) == ("", "")
    assert daemon.loader.modules() == before
    [record] = [e["record"] for e in daemon.call("History", module="lkmdt_any")["entries"]]
    assert (record["requester"]["origin"], record["requester"]["key"]) == ("client", "any:thing")


@pytest.mark.parametrize("name, status, words", [
    ("lkmdt_nothing", 5, "lkmdt_nothing"),
    ("lkmdt/top", 5, "in the name of a unit '-' stands for '/'"),
    ("lkmdt_slow", 1, "lkmdt_slow"),
    ("lkmdt_alone", 3, "not here"),
    ("", 5, "no module or alias can have such a name"),
])
def test_what_cannot_be_used(daemon, name, status, words):
    daemon.write_policy("version: 1\nrules: [{id: no, match: {module: lkmdt_alone}, verdict: deny, reason: not here}]\n")
    daemon.loader.errors["lkmdt_slow"] = -errno.EINVAL
    done = run(daemon, "require", name, check=status)
    assert done.stdout == "" and words in done.stderr, done
    assert run(daemon, "-q", "require", name, check=status).stdout == ""


def test_the_others_are_tried(daemon):
    daemon.loader.errors["lkmdt_slow"] = -errno.EINVAL
    done = run(daemon, "require", "lkmdt_nothing", "lkmdt_slow", "lkmdt_any", check=1)
    assert "lkmdt_nothing" in done.stderr and "lkmdt_slow" in done.stderr
    assert daemon.loader.modules() == ["lkmdt_slow", "lkmdt_any"]
    run(daemon, "require", check=2)


def test_json(daemon):
    answer = json.loads(run(daemon, "--json=short", "require", "lkmdt_any").stdout)
    assert [r["outcome"] for r in answer["records"]] == ["loaded"]
    answers = [json.loads(line) for line in run(daemon, "--json=short", "require", "lkmdt_any", "lkmdt_alone").stdout.splitlines()]
    assert [[r["module"] for r in a["records"]] for a in answers] == [["lkmdt_any"], ["lkmdt_alone"]]


def test_without_lkmd(stopped):
    assert "lkmd" in run(stopped, "require", "lkmdt_any", "lkmdt_top", check=4).stderr


def test_lists_of_the_boot(stopped):
    """wait --lists: settled, too late, left to systemd."""
    path = stopped.list_for_boot("lkmdt_slow\n")
    stopped.loader.held = {"lkmdt_slow"}
    stopped.start()
    assert "listed for the boot" in run(stopped, "wait", "--lists", "--timeout=0", check=1).stderr
    stopped.loader.errors["lkmdt_slow"] = -errno.ENODEV
    stopped.loader.release("lkmdt_slow")
    assert run(stopped, "wait", "--lists").stdout == ""
    assert f"listed in {path}:1\n" in run(stopped, "status").stdout
    [cause] = json.loads(run(stopped, "--json=short", "why-not", "lkmdt_slow").stdout)["causes"]
    assert (cause["kind"], cause["file"], cause["line"]) == ("waits_for_device", str(path), 1)
    stopped.stop()
    stopped.boot_list.unlink()
    (Path(stopped.devices.root) / "sys/fs/cgroup/system.slice/systemd-udevd.service").mkdir(parents=True)
    stopped.start()
    done = run(stopped, "wait", "--lists", check=4)
    assert "leaves it to systemd" in done.stderr and "systemd-modules-load" in done.stderr


# ------------------------------------------------------------------------------------------------ static nodes

DEVNAMES = """# Device nodes to trigger on-demand module loading.
fuse fuse c10:229
tun net/tun c10:200
loop loop-control c10:237
deep a/b/c c1:2
floppy fd0 b2:0
"""


def test_static_nodes(daemon, tmp_path):
    """The same lines as kmod's own program, which has no option for another directory."""
    directory = daemon.root / "lib/modules" / os.uname().release
    (directory / "modules.devname").write_text(DEVNAMES)
    ours = run(daemon, "static-nodes", "--root", daemon.root).stdout
    theirs = subprocess.run(["unshare", "--mount", "sh", "-c", 'mkdir -p "$1" && mount --bind "$0" "$1" && exec kmod static-nodes --format=tmpfiles', directory,
                             f"/lib/modules/{os.uname().release}"], capture_output=True, text=True, check=True).stdout
    assert ours == theirs and "c! /dev/net/tun 0600 - - - 10:200\n" in ours
    nodes = json.loads(run(daemon, "--json=short", "static-nodes", "--root", daemon.root).stdout)["nodes"]
    assert nodes[1] == {"node": "net/tun", "module": "tun", "type": "character", "major": 10, "minor": 200} and nodes[4]["type"] == "block"
    (directory / "modules.devname").write_text("")
    assert run(daemon, "static-nodes", "--root", daemon.root).stdout == ""
    assert json.loads(run(daemon, "--json=short", "static-nodes", "--root", daemon.root).stdout) == {"nodes": []}
