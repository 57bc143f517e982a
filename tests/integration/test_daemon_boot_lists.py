# SPDX-License-Identifier: LGPL-2.1-or-later
"""What modules-load.d and modules_load= list: requested once in a boot, and again when a device comes that was missing."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import TIMEOUT, Client, VarlinkError

STICK = b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"
CHAIN = ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]


def settle(daemon):
    daemon.call("Wait", lists=True, timeoutUSec=TIMEOUT * 1_000_000)


def requests(daemon):
    """(module, outcome, key, file, line) of what lists led to, in the order of its end."""
    entries = [entry["record"] for entry in daemon.call("History")["entries"]]
    return [(r["module"], r.get("outcome"), r["requester"]["key"], r["requester"].get("file"), r["requester"].get("line"))
            for r in entries if r["requester"]["origin"] == "boot"]


def waiting(daemon):
    return [(w["name"], w["module"], w["file"], w.get("line")) for w in daemon.call("Status")["waitingForDevice"]]


def test_lists_are_loaded(stopped):
    """Names, aliases, what they need, comments, several directories; the place of each is in its record."""
    stopped.set_command_line("quiet modules_load=lkmdt-slow,any:thing")
    a = stopped.list_for_boot("# comment\n; comment\n\n  lkmdt-top  \nlkmdt_alone\n", "10-a.conf")
    stopped.list_for_boot("acpi:LKMD0001:x\n", "20-b.conf", "usr/lib")
    stopped.list_for_boot("lkmdt_slow\n", "30-c.conf", "run")            # the command line has it
    stopped.start()
    settle(stopped)
    assert set(stopped.loader.modules()) == {*CHAIN, "lkmdt_slow", "lkmdt_any", "lkmdt_alone"}
    found = {(module, key, file, line) for module, outcome, key, file, line in requests(stopped) if outcome == "loaded"}
    assert {("lkmdt_slow", "lkmdt-slow", "/proc/cmdline", None), ("lkmdt_any", "any:thing", "/proc/cmdline", None),
            ("lkmdt_top", "lkmdt-top", str(a), 4), ("lkmdt_base", "lkmdt-top", str(a), 4)} <= found
    assert stopped.call("Status")["listsSettled"] and waiting(stopped) == []
    assert f"lkmdt_top: loaded in 1.500 ms for {a}:4" in stopped.text()


def test_masks(stopped):
    """By systemd's rules: a file of the same name in a higher directory counts instead, whatever it says."""
    stopped.list_for_boot("lkmdt_slow\n", "a.conf", "usr/lib")
    stopped.list_for_boot("", "a.conf", "run")
    stopped.list_for_boot("lkmdt_alone\n", "b.conf", "usr/local/lib")
    (stopped.policy / "etc/modules-load.d").mkdir(parents=True)
    (stopped.policy / "etc/modules-load.d/b.conf").symlink_to("/dev/null")
    stopped.list_for_boot("lkmdt_any\n", "c.conf", "usr/lib")
    stopped.start()
    settle(stopped)
    assert stopped.loader.modules() == ["lkmdt_any"]


def test_all_at_once(stopped):
    """The init of one holds up no other, nor READY=1."""
    stopped.list_for_boot("lkmdt_slow\nlkmdt_alone\nlkmdt_any\n")
    stopped.loader.held = {"lkmdt_slow"}
    stopped.start()
    for module in ("lkmdt_alone", "lkmdt_any"):
        stopped.loader.wait_for(module)
    with pytest.raises(VarlinkError, match="Timeout") as caught:
        stopped.call("Wait", lists=True, timeoutUSec=0)
    assert "listed for the boot" in caught.value.parameters["message"]
    assert not stopped.call("Status")["listsSettled"]
    stopped.loader.release("lkmdt_slow")
    settle(stopped)


def test_no_device(stopped):
    """ENODEV is no failure: the module is tried again for a device that it is for, and then waits no more."""
    path = stopped.list_for_boot("lkmdt_top\nlkmdt_any\n")
    stopped.loader.errors["lkmdt_top"] = -errno.ENODEV
    stopped.start()
    settle(stopped)
    stopped.wait_idle()
    assert waiting(stopped) == [("lkmdt_top", "lkmdt_top", str(path), 1)]
    status = stopped.call("Status")
    assert status["listsSettled"] and status["failures"] == [] and status["idle"]
    assert f"{path}:1: lkmdt_top has found no device yet" in stopped.text()
    stopped.devices.add("0-1", b"acpi:PNP0000:")                 # for no module that waits
    stopped.wait_idle()
    assert stopped.loader.modules().count("lkmdt_top") == 1 and len(waiting(stopped)) == 1

    del stopped.loader.errors["lkmdt_top"]
    stopped.devices.add("1-1", STICK)
    stopped.loader.wait_for("lkmdt_top", 2)
    wait_for_nothing(stopped)
    assert stopped.loader.modules().count("lkmdt_top") <= 3      # for the device, and for the list


def wait_for_nothing(daemon):
    """Until nothing waits for a device. A retry may be due in a moment, which nobody can wait for by name."""
    for _ in range(TIMEOUT * 20):
        if not waiting(daemon):
            return
        with pytest.raises(VarlinkError, match="Timeout"):
            daemon.call("Wait", module="lkmdt_never", timeoutUSec=50_000)
    raise AssertionError(waiting(daemon))


def test_retry_where_devices_may_not(stopped):
    """What a policy keeps from devices and allows to the boot is loaded by the list alone."""
    stopped.write_policy("version: 1\nrules: [{id: no, match: {origin: device, module: lkmdt_top}, verdict: deny}]\n")
    path = stopped.list_for_boot("lkmdt_top\n")
    stopped.loader.errors["lkmdt_top"] = -errno.ENODEV
    stopped.start()
    settle(stopped)
    for i in range(3):                  # still none that it supports: every attempt is later than the one before
        stopped.devices.add(f"1-{i}", STICK)
    stopped.loader.wait_for("lkmdt_top", 2)
    del stopped.loader.errors["lkmdt_top"]
    stopped.devices.add("1-4", STICK)
    wait_for_nothing(stopped)
    assert [r for r in requests(stopped) if r[0] == "lkmdt_top" and r[1] == "loaded"] == [("lkmdt_top", "loaded", "lkmdt_top", str(path), 1)]
    assert len([r for r in requests(stopped) if r[0] == "lkmdt_top" and r[1] == "failed"]) <= 4


def test_a_driver_that_it_needs_has_a_device(stopped):
    """A module without an alias may want a device of another one's driver."""
    stopped.list_for_boot("lkmdt_mid\n")
    stopped.loader.errors["lkmdt_mid"] = -errno.ENODEV
    stopped.start()
    settle(stopped)
    stopped.wait_idle()
    del stopped.loader.errors["lkmdt_mid"]
    for driver in ("lkmdt_any", "lkmdt_base"):                   # it needs the second
        assert len(waiting(stopped)) == 1
        device = stopped.devices.add(f"at-{driver}", subsystem="platform", driver=driver)
        stopped.devices.announce(device, "bind")
        stopped.wait_idle()
    wait_for_nothing(stopped)


def test_somebody_else_loads_it(stopped):
    stopped.list_for_boot("lkmdt_slow\n")
    stopped.loader.errors["lkmdt_slow"] = -errno.ENODEV
    stopped.start()
    settle(stopped)
    assert len(waiting(stopped)) == 1
    stopped.devices.set_module("lkmdt_slow", "live")
    stopped.devices.add("lkmdt_slow", subsystem="module")
    wait_for_nothing(stopped)


def test_failures_and_what_is_left_out(stopped):
    """Each is told with its place, and keeps nothing else out."""
    stopped.write_policy("version: 1\nrules: [{id: no-any, match: {origin: boot, module: lkmdt_any}, verdict: deny, reason: not here}]\n")
    path = stopped.list_for_boot("lkmdt_nothing\nlkmdt_slow\nlkmdt_any\nin-kernel:x\n" + "x" * 5000 + "\nlkmdt_alone\n")
    stopped.loader.errors["lkmdt_slow"] = -errno.EINVAL
    stopped.start()
    settle(stopped)
    assert sorted(stopped.loader.modules()) == ["lkmdt_alone", "lkmdt_slow"]
    text = stopped.text()
    for words in (f"{path}:1: lkmdt_nothing is not loaded: this kernel has no module of that name", f"{path}:2: lkmdt_slow is not loaded: ",
                  f"{path}:3: lkmdt_any is not loaded: ", "' is too long for a module or an alias"):
        assert words in text, text
    (refused,) = stopped.call("Audit")["entries"]
    assert (refused["module"], refused["origin"], refused["rule"]) == ("lkmdt_any", "boot", "no-any"), refused
    status = stopped.call("Status")
    assert [f["module"] for f in status["failures"]] == ["lkmdt_slow"] and status["listsSettled"]
    assert any(p["file"] == str(path) and p["line"] == 5 for p in status["problems"])


def test_blacklist(stopped, modprobe_d):
    """As for systemd-modules-load: a line that blacklists a module holds for its name, too."""
    modprobe_d.write_text("blacklist lkmdt_alone\n")
    path = stopped.list_for_boot("lkmdt_alone\nlkmdt_any\n")
    stopped.start()
    settle(stopped)
    assert stopped.loader.modules() == ["lkmdt_any"]
    assert f"{path}:1: lkmdt_alone is not loaded: " in stopped.text()


def test_once_in_a_boot(stopped):
    """A reload does not repeat it, nor does the next lkmd, which only goes on with what waits."""
    stopped.list_for_boot("lkmdt_any\nlkmdt_top\n")
    stopped.loader.errors["lkmdt_top"] = -errno.ENODEV
    stopped.start()
    settle(stopped)
    before = stopped.loader.modules()
    stopped.call("Reload")
    stopped.list_for_boot("lkmdt_slow\n", "new.conf")
    settle(stopped)
    stopped.stop()
    stopped.start()
    settle(stopped)
    stopped.wait_idle()
    assert stopped.loader.modules() == before
    assert [w[0] for w in waiting(stopped)] == ["lkmdt_top"]
    del stopped.loader.errors["lkmdt_top"]
    stopped.devices.add("1-1", STICK)
    wait_for_nothing(stopped)


def test_killed_in_the_middle(stopped):
    """What had no outcome is requested again."""
    stopped.list_for_boot("lkmdt_slow\nlkmdt_any\n")
    stopped.loader.held = {"lkmdt_slow"}
    stopped.start()
    stopped.loader.wait_for("lkmdt_any")
    stopped.loader.wait_for("lkmdt_slow")
    assert [json.loads(line)["name"] for line in stopped.boot_list.read_text().splitlines()] == ["lkmdt_slow", "lkmdt_any"]
    stopped.kill()
    stopped.loader.held = set()
    stopped.start()
    settle(stopped)
    assert stopped.loader.modules().count("lkmdt_slow") == 2


@pytest.mark.parametrize("content", [b"\0\xff garbage\n", b"{}\n[]\n{\"name\":1}\n", b"{\"name\":\"a\",\"file\":\"b\",\"state\":\"moon\"}\n"])
def test_a_damaged_note(stopped, content):
    """Lines that are none of lkmd's are left out; that the lists were read is known all the same."""
    stopped.list_for_boot("lkmdt_any\n")
    stopped.boot_list.write_bytes(content)
    stopped.start()
    settle(stopped)
    assert stopped.loader.modules() == [] and waiting(stopped) == []


def test_a_boot_that_began_without_lkmd(stopped):
    """systemd-modules-load has done it."""
    (Path(stopped.devices.root) / "sys/fs/cgroup/system.slice/systemd-udevd.service").mkdir(parents=True)
    stopped.list_for_boot("lkmdt_any\n")
    stopped.start()
    with pytest.raises(VarlinkError, match="NotInCharge") as caught:
        settle(stopped)
    assert "leaves it to systemd" in caught.value.parameters["message"]
    stopped.wait_idle()
    assert stopped.loader.modules() == [] and not stopped.boot_list.exists()


def test_no_lists(daemon):
    settle(daemon)
    with Client(daemon.socket) as client, pytest.raises(VarlinkError, match="InvalidParameter"):
        client.call("Wait", lists=False)
    assert daemon.call("Status")["listsSettled"] and daemon.boot_list.read_text() == ""


def test_an_index_comes_later(stopped):
    """Without one nothing can be loaded; the lists are read when there is one."""
    index = stopped.root / "lib/modules" / os.uname().release / "modules.dep.bin"
    aside = index.with_name("aside")
    index.rename(aside)
    stopped.list_for_boot("lkmdt_any\n")
    stopped.start()
    with pytest.raises(VarlinkError, match="NotInCharge"):
        settle(stopped)
    aside.rename(index)
    stopped.loader.wait_for("lkmdt_any")
    settle(stopped)
