# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a whole: clients, devices, loader, settings, restarts."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import INTERFACE, MODULES, VarlinkError

CHAIN = ["lkmdt_base", "lkmdt_mid", "lkmdt_top"]


# --------------------------------------------------------------------------------------------------------- loads

def test_load_brings_dependencies(daemon):
    reply = daemon.call("Load", name="lkmdt-top", parameters=["speed=3"])
    kernel = daemon.root / "lib/modules" / os.uname().release / "kernel"
    assert daemon.loader.requests == [("insert", name, str(kernel / f"{name}.ko"), "speed=3" if name == "lkmdt_top" else "")
                                      for name in CHAIN]
    assert [record["module"] for record in reply["records"]] == CHAIN
    assert {record["outcome"] for record in reply["records"]} == {"loaded"}
    assert [record["reason"] for record in reply["records"]] == ["dependency", "dependency", "requested"]
    assert reply["records"][2]["parameters"] == "speed=3"
    assert reply["omissions"] == []
    requester = reply["records"][0]["requester"]
    assert (requester["origin"], requester["key"], requester["uid"], requester["pid"]) == ("client", "lkmdt-top", os.getuid(), os.getpid())
    counters = daemon.call("Status")["counters"]
    assert (counters["loads"], counters["failures"], counters["requests"]) == (3, 0, 1)


def test_load_by_alias(daemon):
    reply = daemon.call("Load", name="usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00")
    assert [record["module"] for record in reply["records"]] == CHAIN


def test_nothing_is_known_by_that_name(daemon):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="no-such-module")
    assert failed.value.name == "NoSuchModule"
    assert "no-such-module" in failed.value.parameters["message"]
    assert daemon.loader.requests == []


def test_kernel_refuses(daemon):
    daemon.loader.errors["lkmdt_top"] = -errno.ENOEXEC
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_top")
    assert failed.value.name == "LoadFailed"
    parameters = failed.value.parameters
    assert (parameters["module"], parameters["errno"]) == ("lkmdt_top", errno.ENOEXEC)
    assert parameters["message"] and parameters["hint"]
    assert [record["outcome"] for record in parameters["records"]] == ["loaded", "loaded", "failed"]
    assert [record["module"] for record in daemon.call("Status")["failures"]] == ["lkmdt_top"]


@pytest.mark.parametrize("refusal, not_proven", [(4, None), (6, True), (7, True), (8, None)])
def test_what_root_did_not_prove_is_refused_as_that(daemon, refusal, not_proven):
    daemon.loader.errors["lkmdt_alone"], daemon.loader.refusals["lkmdt_alone"] = -errno.EPERM, refusal
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "LoadFailed"
    assert (failed.value.parameters["errno"], failed.value.parameters.get("notProven")) == (errno.EPERM, not_proven)


def test_dependency_fails(daemon):
    daemon.loader.errors["lkmdt_base"] = -errno.EIO
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_top")
    assert failed.value.parameters["module"] == "lkmdt_base"
    assert [record["outcome"] for record in failed.value.parameters["records"]] == ["failed"] + 2 * ["dependency_failed"]
    assert daemon.loader.modules() == ["lkmdt_base"]


def test_unknown_parameter(daemon):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_top", parameters=["sped=3"])
    assert failed.value.name == "UnknownParameter"
    assert (failed.value.parameters["parameter"], failed.value.parameters["known"]) == ("sped", ["speed"])
    assert daemon.loader.requests == []


def test_one_load_for_many_clients(daemon):
    daemon.loader.held.add("lkmdt_slow")
    clients = [daemon.client() for _ in range(20)]
    for client in clients:
        client.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    assert daemon.call("Load", name="lkmdt_alone")["records"] # nobody waits for what it does not need
    status = daemon.call("Status")
    assert [record["module"] for record in status["running"]] == ["lkmdt_slow"]
    assert not status["idle"]

    daemon.loader.release("lkmdt_slow")
    for client in clients:
        assert client.receive()["parameters"]["records"][0]["outcome"] == "loaded"
    assert daemon.loader.modules().count("lkmdt_slow") == 1
    assert daemon.call("Status")["counters"]["joins"] == len(clients) - 1


def test_progress(daemon):
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_mid"}, more=True)
    told = []
    while (reply := client.receive()).get("continues"):
        event = reply["parameters"]["progress"]
        told.append((event["kind"], event["record"]["module"]))
    assert told == [("started", "lkmdt_base"), ("finished", "lkmdt_base"), ("started", "lkmdt_mid"),
                    ("finished", "lkmdt_mid")]
    assert len(reply["parameters"]["records"]) == 2


def test_what_is_there_already(daemon):
    for module in ("lkmdt_base", "lkmdt_mid"):
        daemon.devices.set_module(module, "live")
    reply = daemon.call("Load", name="lkmdt_top")
    assert [record["outcome"] for record in reply["records"]] == ["already_loaded", "already_loaded", "loaded"]
    assert daemon.loader.modules() == ["lkmdt_top"]

    daemon.devices.set_module("lkmdt_top", "live")
    reply = daemon.call("Load", name="lkmdt_top")
    assert [record["outcome"] for record in reply["records"]] == ["already_loaded"]


def test_unload_of_what_is_not_loaded(daemon):
    for name, error in (("lkmdt_top", "NotLoaded"), ("no-such-module", "NoSuchModule")):
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Unload", name=name)
        assert failed.value.name == error


def test_unload_of_what_is_in_use(daemon):
    daemon.devices.set_module("lkmdt_base", "live", refcnt=2)
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Unload", name="lkmdt_base")
    assert (failed.value.name, failed.value.parameters["refCount"]) == ("InUse", 2)


def test_unload_by_alias(daemon):
    daemon.devices.set_module("lkmdt_any", "live", refcnt=2)
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Unload", name="any:thing")
    assert (failed.value.name, failed.value.parameters["module"]) == ("InUse", "lkmdt_any")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Unload", name="acpi:LKMD0001:")
    assert failed.value.name == "NotLoaded"


def test_loader_dies(daemon):
    daemon.loader.held.add("lkmdt_slow")
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    daemon.loader.hang_up()
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert (failed.value.name, failed.value.parameters["errno"]) == ("LoadFailed", errno.ECONNRESET)
    daemon.loader.held.clear()
    assert daemon.call("Load", name="lkmdt_slow")["records"][0]["outcome"] == "loaded"


def test_loader_dies_when_the_kernel_was_done(daemon):
    """The module's state says how it ended, whichever of the two is read first."""
    daemon.loader.held.add("lkmdt_slow")
    client = daemon.client()
    client.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    daemon.devices.set_module("lkmdt_slow", "live", refcnt=0)
    daemon.loader.hang_up()
    assert client.receive()["parameters"]["records"][0]["outcome"] == "loaded"


def test_loader_that_does_not_answer(daemon):
    """What waits for it ends with what mends it, udev is told to load drivers, and what comes meanwhile is left to udev."""
    before = daemon.call("Status")["inCharge"]
    daemon.loader.held.add("lkmdt_slow")
    client, watch = daemon.client(), daemon.client()
    watch.subscribe()
    daemon.loader.stopped = True
    client.send("Load", {"name": "lkmdt_slow"})
    with pytest.raises(VarlinkError) as failed:
        client.receive()
    assert (failed.value.name, failed.value.parameters["errno"]) == ("LoadFailed", errno.EHOSTDOWN)
    assert "lkmd-loader does not answer" in failed.value.parameters["message"]
    assert "steps back" in watch.event("charge")["message"]
    status = daemon.call("Status")
    assert status["inCharge"] == "udev" and status["steppedBackRemedy"] == "systemctl kill -s CONT lkmd-loader"
    daemon.devices.add("1-1", b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert "lkmdt_alone was not tried: lkmd-loader does not answer" in failed.value.parameters["message"]
    assert daemon.loader.modules() == ["lkmdt_slow"]
    daemon.loader.go_on()
    assert "in charge" in watch.event("charge")["message"]
    daemon.loader.held.clear()
    assert daemon.call("Load", name="lkmdt_alone")["records"][0]["outcome"] == "loaded"
    status = daemon.call("Status")
    assert status["inCharge"] == before != "udev" and not status.get("steppedBack")


# --------------------------------------------------------------------------------------------------------- udev

def rules_of_udev(daemon, name, text):
    path = daemon.policy / "etc/udev/rules.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_rules_that_come_before_drivers(daemon):
    path = rules_of_udev(daemon, "61-x.rules", '# x\nSUBSYSTEM=="pci|hid", ATTR{driver_override}="vfio-pci"\n')
    assert daemon.call("Status")["afterUdev"] == [
        {"devices": "pci and hid devices", "file": "/etc/udev/rules.d/61-x.rules", "line": 2, "reason": "sets driver_override"}]
    assert "drivers of pci and hid devices are loaded after udev's rules: /etc/udev/rules.d/61-x.rules:2" in daemon.text()
    daemon.devices.add("1-1", b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00")      # not about USB
    daemon.loader.wait_for("lkmdt_top")
    path.unlink()
    status = daemon.call("Status")
    assert (status["afterUdev"], status["waitingForUdev"]) == ([], 0)


def test_rule_of_the_administrator_in_the_place_of_udevs(daemon):
    """Nothing is loaded for devices, and everything by name; when the file goes, all devices are looked at."""
    watch = daemon.client()
    watch.subscribe()
    before = daemon.call("Status")["inCharge"]
    path = rules_of_udev(daemon, "80-drivers.rules", "# mine\n")
    assert "/etc/udev/rules.d/80-drivers.rules is the administrator's own" in watch.event("charge")["message"]
    status = daemon.call("Status")
    assert (status["inCharge"], status["ownUdevRule"]) == ("udev", "/etc/udev/rules.d/80-drivers.rules")
    daemon.devices.add("1-1", b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00")
    assert daemon.call("Load", name="lkmdt_alone")["records"][0]["outcome"] == "loaded"
    assert daemon.loader.modules() == ["lkmdt_alone"]
    path.unlink()
    assert "in charge" in watch.event("charge")["message"]
    assert daemon.call("Status")["inCharge"] == before != "udev"
    daemon.loader.wait_for("lkmdt_top")


def test_no_loader(daemon):
    """One that is connected goes on without its socket; one that is gone is not found there again."""
    (daemon.dir / "loader").unlink()
    daemon.call("Load", name="lkmdt_alone")
    daemon.loader.hang_up()
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "LoadFailed"
    assert "lkmd-loader" in failed.value.parameters["message"]


def test_wait(daemon):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Wait", module="lkmdt_slow", timeoutUSec=1)
    assert failed.value.name == "Timeout"

    daemon.loader.held.add("lkmdt_slow")
    loading, idle, live = (daemon.client() for _ in range(3))
    loading.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    idle.send("Wait", {"idle": True})
    live.send("Wait", {"module": "lkmdt-slow"})
    with pytest.raises(VarlinkError):
        daemon.call("Wait", idle=True, timeoutUSec=1)

    daemon.devices.set_module("lkmdt_slow", "live")
    live.receive()                      # whoever loads it
    daemon.loader.release("lkmdt_slow")
    idle.receive()
    loading.receive()


def test_wait_for_a_device(stopped, lkmd_conf):
    lkmd_conf("[Manager]\nColdplug=no\n")
    daemon = stopped.start()
    sys = Path(daemon.devices.root) / "sys"
    path = daemon.devices.add("1-1:1.0", b"usb:v9999p0000(x)").removeprefix("/sys")
    card = sys / path[1:]
    (card / "modalias").write_text("usb:v9999p0000(another)\n")     # of no account, for udev neither
    interface = daemon.devices.add("eth0", subsystem="net")
    (sys / interface.removeprefix("/sys/") / "device").symlink_to(card)

    names = (path, "/sys" + path, "/bus/usb/devices/1-1:1.0", "/class/net/eth0", "/sys/class/net/eth0")
    for name in names:
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Wait", device=name, timeoutUSec=1)
        assert failed.value.name == "Timeout"
        assert failed.value.parameters["message"] == f"no driver was bound to {path} within the time given"
        assert "lkmctl resolve 'usb:v9999p0000(x)'" in failed.value.parameters["hint"]

    clients = [daemon.client() for _ in names]
    for client, name in zip(clients, names):
        client.send("Wait", {"device": name})
    both = daemon.client()
    both.send("Wait", {"device": path, "module": "lkmdt_slow"})

    # The kernel shows a driver before it has probed the device; while its module is in its init, it does not count.
    driver = sys / "bus/usb/drivers/lkmdt"
    driver.mkdir(parents=True)
    daemon.devices.set_module("lkmdt_any", "coming")
    (driver / "module").symlink_to("../../../../module/lkmdt_any")
    (card / "driver").symlink_to("../../bus/usb/drivers/lkmdt")
    daemon.devices.announce("/sys" + path, "bind")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Wait", device=path, timeoutUSec=1)
    assert failed.value.parameters["message"] == f"the driver of {path} is still being loaded"
    daemon.devices.set_module("lkmdt_any", "live")
    for client in clients:
        assert client.receive()["parameters"] == {}
    assert daemon.call("Wait", device=path, timeoutUSec=0) == {}     # a question rather than a wait
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Wait", device=path, module="lkmdt_slow", timeoutUSec=1)
    assert "lkmdt_slow did not become live" in failed.value.parameters["message"]
    daemon.devices.set_module("lkmdt_slow", "live")
    both.receive()


def test_a_device_goes_away_while_somebody_waits(daemon):
    path = daemon.devices.add("1-1:1.0")
    waiting = daemon.client()
    waiting.send("Wait", {"device": path, "idle": True, "module": "lkmdt_slow"})
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Wait", device=path, timeoutUSec=1)              # the other one has been taken up by now
    assert failed.value.name == "Timeout"
    shutil.rmtree(daemon.devices.root + path)
    daemon.devices.announce(path, "remove")
    with pytest.raises(VarlinkError) as failed:
        waiting.receive()
    assert (failed.value.name, failed.value.parameters["message"]) == \
        ("NoSuchDevice", f"the device {path.removeprefix('/sys')} is gone")


@pytest.mark.parametrize("device, error", [
    ("/devices/nothing", "NoSuchDevice"), ("/", "NoSuchDevice"), ("/sys", "NoSuchDevice"), ("/sys/bus/usb", "NoSuchDevice"),
    ("/a\nb\x1b", "NoSuchDevice"), ("/" + "x" * 4000, "NoSuchDevice"), ("/" + "x" * 5000, "InvalidParameter"),
    ("", "InvalidParameter"), ("devices/x", "InvalidParameter"), ("/../etc/passwd", "InvalidParameter"),
    ("/devices/..", "InvalidParameter"), (3, "InvalidParameter"), ([], "InvalidParameter")])
def test_what_is_no_device(daemon, device, error):
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Wait", device=device)
    assert failed.value.name.endswith(error)
    assert "\n" not in failed.value.parameters.get("message", "")


# ------------------------------------------------------------------------------------------------------- devices

USB = b"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in00"


def test_device_appears(daemon):
    monitor = daemon.client()
    monitor.subscribe()
    daemon.wait_idle()                  # else the walk over /sys may come upon it as well
    path = daemon.devices.add("1-1:1.0", USB)
    event = monitor.event("device")
    assert event["matches"] == ["lkmdt_top"]
    assert event["requester"] == {"origin": "device", "key": USB.decode(), "device": path.removeprefix("/sys"),
                              "subsystem": "usb"}
    while (record := monitor.event("finished")["record"])["module"] != "lkmdt_top":
        pass
    assert record["requester"] == event["requester"]
    assert daemon.loader.modules() == CHAIN


def test_what_is_counted(stopped, lkmd_conf):
    lkmd_conf("[Manager]\nColdplug=no\nLoaderThreads=1\n")
    daemon = stopped.start()
    daemon.loader.held.add("lkmdt_slow")
    slow, top = daemon.client(), daemon.client()
    slow.send("Load", {"name": "lkmdt_slow"})
    daemon.loader.wait_for("lkmdt_slow")
    daemon.devices.add("1-1:1.0", USB)
    daemon.devices.add("1-2:1.0", b"usb:v9999p0000")   # no module for it
    top.send("Load", {"name": "lkmdt_top"})            # what the device asked for, waiting for its turn
    while daemon.call("Status")["counters"]["requests"] < 3:
        pass
    daemon.loader.errors["lkmdt_top"] = -errno.EIO
    daemon.loader.release("lkmdt_slow")
    slow.receive()
    with pytest.raises(VarlinkError):
        top.receive()
    with pytest.raises(VarlinkError):
        daemon.call("Load", name="lkmdt_nothing")

    status = daemon.call("Status")
    counters, phases = status["counters"], {times["phase"]: times for times in status["phases"]}
    expected = {"events": 2, "lookups": 5, "requests": 4, "loads": 3, "unloads": 0, "failures": 1, "joins": 3, "lost": 0,
                "rescans": 0, "slow": 0, "queueHighWater": 1}
    assert {name: counters[name] for name in expected} == expected
    assert set(phases) == {"event", "plan", "queue", "load", "unload"}
    assert {name: phases[name]["count"] for name in ("plan", "queue", "load", "unload")} == \
        {"plan": 3, "queue": 4, "load": 3, "unload": 0}
    assert phases["load"]["sumUSec"] == 3 * 1500       # as the loader said
    assert [bucket["count"] for bucket in phases["load"]["buckets"]] == [0, 0] + 8 * [3]
    for times in phases.values():
        counts = [bucket["count"] for bucket in times["buckets"]]
        assert counts == sorted(counts) and counts[-1] <= times["count"]


def test_a_slow_load_is_counted_once(stopped, lkmd_conf):
    lkmd_conf("[Manager]\nSlowLoadSec=1ms\n")
    daemon = stopped.start()
    daemon.loader.held.add("lkmdt_slow")
    monitor, loading = daemon.client(), daemon.client()
    monitor.subscribe()
    loading.send("Load", {"name": "lkmdt_slow"})
    for _ in range(3):                  # it is told again while it goes on
        assert monitor.event("slow")["record"]["module"] == "lkmdt_slow"
    assert daemon.call("Status")["counters"]["slow"] == 1
    daemon.loader.release("lkmdt_slow")
    loading.receive()
    assert daemon.call("Status")["counters"]["slow"] == 1


def test_only_what_is_added(stopped, lkmd_conf):
    lkmd_conf("[Manager]\nColdplug=no\n")
    path = stopped.devices.add("1-1:1.0", USB)
    stopped.start()
    for action in ("change", "remove", "bind", "move"):
        stopped.devices.announce(path, action)
    stopped.devices.add("2-1:1.0", b"acpi:LKMD0001:") # events keep their order
    stopped.loader.wait_for("lkmdt_alone")
    assert stopped.loader.modules() == ["lkmdt_alone"]
    assert stopped.call("Status")["counters"]["events"] == 5


def test_devices_that_were_there_before(stopped):
    stopped.devices.add("1-1:1.0", USB)
    for number in range(200):
        stopped.devices.add(f"2-{number}:1.0", b"usb:v9999p%04Xd*" % number)
    stopped.devices.add("3-1:1.0")
    stopped.start().wait_idle()
    assert stopped.loader.modules() == CHAIN
    status = stopped.call("Status")
    assert status["coldplugDone"]
    assert status["counters"]["coldplugDevices"] >= 202


def test_no_coldplug_when_it_is_off(stopped, lkmd_conf):
    lkmd_conf("[Manager]\nColdplug=no\n")
    stopped.devices.add("1-1:1.0", USB)
    stopped.start().wait_idle()
    assert stopped.loader.requests == []


@pytest.mark.parametrize("key, shown", [
    (b"any:" + b"x" * 1900, "any:" + "x" * 1900),
    (b"any:'\"; reboot; $(reboot) `reboot` | \\ % * ?", "any:'\"; reboot; $(reboot) `reboot` | \\ % * ?"),
    (b"any: two  blanks\tand a tab ", "any: two  blanks\\x09and a tab "),
    (b"any:\xff\xfe\x80 \xc3\xa4 \x01\x1b(31m", "any:\\xff\\xfe\\x80 ä \\x01\\x1b(31m"),
    (b"any:", "any:"),
    (b"any:../../../etc/passwd", "any:../../../etc/passwd"),
], ids=["long", "quotes", "blanks", "bytes", "empty", "path"])
def test_strange_modaliases(daemon, key, shown):
    """They are bytes to match with, whatever they are. Announced, and found in /sys."""
    monitor = daemon.client()
    monitor.subscribe()
    daemon.wait_idle()
    daemon.devices.add("1-1:1.0", key)
    event = monitor.event("device")
    assert event["requester"]["key"].rstrip() == shown.rstrip() # a blank at the end is the business of libudev
    assert event["matches"] == ["lkmdt_any"]
    daemon.loader.wait_for("lkmdt_any")
    daemon.stop()

    daemon.start()
    daemon.wait_idle()
    assert daemon.loader.modules() == ["lkmdt_any"] * 2


def test_strange_modaliases_of_clients(daemon):
    for key in ("any:" + "x" * 4092, "any:\n\"'\\ \u0001\u2028\U0001f600", "any:*?"):
        record, = daemon.call("Load", name=key)["records"]
        assert record["module"] == "lkmdt_any"
    for key in ("any:" + "x" * 4093, ""):
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Load", name=key)
        assert failed.value.name == "org.varlink.service.InvalidParameter"


# -------------------------------------------------------------------------------------------------- modprobe.d

def test_blacklist_keeps_devices_out(daemon, modprobe_d):
    monitor = daemon.client()
    monitor.subscribe()
    modprobe_d.write_text("# mine\nblacklist lkmdt-top\n")
    daemon.devices.add("1-1:1.0", USB)
    omission = monitor.event("verdict")["omission"]
    assert (omission["kind"], omission["module"]) == ("blacklisted", "lkmdt_top")
    assert (omission["file"], omission["line"]) == (str(modprobe_d), 2)
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name=USB.decode())
    assert (failed.value.name, failed.value.parameters["line"]) == ("Denied", 2)
    assert daemon.loader.requests == []
    daemon.call("Load", name="lkmdt_top") # by its name all the same
    assert daemon.loader.modules() == CHAIN


def test_a_command_keeps_out(daemon, modprobe_d):
    modprobe_d.write_text("# mine\ninstall lkmdt-alone /usr/bin/kept-out\n")
    daemon.call("Reload")
    daemon.loader.errors["lkmdt_alone"] = -errno.ECANCELED
    daemon.loader.endings["lkmdt_alone"] = (1 << 8, b"checking\nlkmdt_alone is not \x1b[1mwanted\xff here\n")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "LoadFailed"
    assert failed.value.parameters["message"] == (
        f"lkmdt_alone is kept out by its install command ({modprobe_d}:2), which ended with status 1: "
        "checking / lkmdt_alone is not \\x1b[1mwanted\\xff here")
    assert [record["outcome"] for record in failed.value.parameters["records"]] == ["kept_out"]
    status = daemon.call("Status")
    assert (status["counters"]["failures"], status["counters"]["keptOut"], status["failures"]) == (0, 1, [])

    daemon.loader.endings["lkmdt_alone"] = (127 << 8, b"sh: 1: /usr/bin/kept-out: not found\n")    # nobody wants that
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.parameters["message"] == (
        f"the install command of lkmdt_alone ({modprobe_d}:2) names a program that is not there: "
        "sh: 1: /usr/bin/kept-out: not found")
    status = daemon.call("Status")
    assert (status["counters"]["failures"], status["counters"]["keptOut"], len(status["failures"])) == (1, 1, 1)


def test_the_journal_has_no_words_of_the_interface(daemon, modprobe_d):
    modprobe_d.write_text("install lkmdt-alone /usr/bin/x\nalias lkmdt-nowhere lkmdt-nothing\n")
    daemon.call("Reload")
    daemon.call("Load", name="lkmdt_alone")
    with pytest.raises(VarlinkError):
        daemon.call("Load", name="lkmdt-nowhere")
    log = daemon.log.read_text()
    assert "lkmdt_alone: its command was run instead in 1.500 ms for lkmdt_alone" in log
    assert "an alias leads to it, but there is no such module" in log
    assert "command_run" not in log and "module_missing" not in log


def test_alias_off(daemon, modprobe_d):
    modprobe_d.write_text("alias lkmdt-nothing off\nalias pci:v00001111* off\n")
    daemon.call("Reload")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt-nothing")
    assert failed.value.name == "Denied"
    assert failed.value.parameters["message"] == f"lkmdt-nothing is turned off by {modprobe_d}:1"
    assert (failed.value.parameters["file"], failed.value.parameters["line"]) == (str(modprobe_d), 1)


def test_denial_with_strange_bytes(daemon, modprobe_d):
    """A name that is no UTF-8, in a file whose name is none, can still be told to a client."""
    strange = os.fsencode(modprobe_d.parent) + b"/lkmd-test-\xff.conf"
    try:
        Path(os.fsdecode(strange)).write_bytes(b"install lkmdt_base /bin/false\nalias lkmdt-strange \xff\xfe\n")
        daemon.reload()
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Load", name="lkmdt_top")
        assert (failed.value.name, failed.value.parameters["module"]) == ("Denied", "lkmdt_base")
        assert failed.value.parameters["file"].endswith("lkmd-test-\\xff.conf")
        with pytest.raises(VarlinkError) as failed:
            daemon.call("Load", name="lkmdt_strange")
        assert failed.value.name in ("LoadFailed", "NoSuchModule")
    finally:
        Path(os.fsdecode(strange)).unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------------ settings

@pytest.fixture
def lkmd_conf():
    path = Path("/etc/lkmd/lkmd.conf")
    path.parent.mkdir(exist_ok=True)

    def write(text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    write.path = path
    yield write
    path.unlink(missing_ok=True)


def test_half_written_settings(stopped, lkmd_conf):
    path = lkmd_conf("[Manager]\nLoaderThreads=2\nNoSuchKey=1\nColdplug=perh")
    stopped.start()
    problems = stopped.call("Status")["problems"]
    assert [(problem["file"], problem["line"]) for problem in problems] == [(str(path), 3), (str(path), 4)]
    assert f"{path}:4: " in stopped.text()
    assert stopped.call("Load", name="lkmdt_alone")["records"]


@pytest.mark.parametrize("content", [b"\x00\xff\xfe garbage \n" * 100, b"[", b"\n" * 5000 + b"=", None],
                         ids=["garbage", "bracket", "far", "directory"])
def test_unreadable_settings(stopped, lkmd_conf, content):
    if content is None:
        lkmd_conf.path.mkdir()
    else:
        lkmd_conf(content)
    try:
        stopped.start()
        assert stopped.call("Status")["problems"][0]["file"] == str(lkmd_conf.path)
        assert stopped.call("Load", name="lkmdt_alone")["records"]
    finally:
        if content is None:
            lkmd_conf.path.rmdir()


def test_reload_keeps_the_last_good_settings(daemon, lkmd_conf):
    monitor = daemon.client()
    monitor.subscribe()
    lkmd_conf("[Manager]\nUnknownParameters=warn\n")
    daemon.reload()                     # SIGHUP
    monitor.event("reloaded")
    daemon.call("Load", name="lkmdt_top", parameters=["sped=3"])

    path = lkmd_conf("[Manager]\nUnknownParameters=refuse\nLogLevel=much\n")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Reload")
    assert failed.value.name == "ReloadFailed"
    problem, = failed.value.parameters["problems"]
    assert (problem["file"], problem["line"]) == (str(path), 3)
    daemon.call("Load", name="lkmdt_top", parameters=["sped=3"])
    assert daemon.call("Status")["problems"] == [problem]

    lkmd_conf("[Manager]\n")
    assert daemon.call("Reload") == {"problems": [], "devices": []}
    with pytest.raises(VarlinkError):
        daemon.call("Load", name="lkmdt_top", parameters=["sped=3"])
    assert daemon.call("Status")["problems"] == []


def test_settings_that_wait_for_a_reload_are_told(daemon, lkmd_conf):
    drop_in = lkmd_conf.path.with_name("lkmd.conf.d") / "a.conf"
    drop_in.parent.mkdir()
    try:
        for change in (lambda: lkmd_conf("[Manager]\nLoaderThreads=2\n"), lambda: drop_in.write_text("[Manager]\n"),
                       drop_in.unlink, lkmd_conf.path.unlink):
            change()
            problem, = daemon.call("Status")["problems"]
            assert problem["file"] == str(lkmd_conf.path) and "systemctl reload lkmd" in problem["message"]
            assert daemon.call("Reload") == {"problems": [], "devices": []}
            assert daemon.call("Status")["problems"] == []
    finally:
        drop_in.parent.rmdir()


# -------------------------------------------------------------------------------------------------- module index

def test_module_directory_appears(stopped):
    away = stopped.dir / "away"
    stopped.root.rename(away)
    stopped.devices.add("1-1:1.0", USB)
    stopped.start()
    stopped.wait_idle()
    status = stopped.call("Status")
    assert not status["indexComplete"]
    assert status["modulesKnown"] == 0
    with pytest.raises(VarlinkError) as failed:
        stopped.call("Load", name="lkmdt_top")
    assert failed.value.name == "NoSuchModule"
    assert str(stopped.root) in failed.value.parameters["message"]
    assert "depmod" in failed.value.parameters["hint"]

    away.rename(stopped.root)
    stopped.loader.wait_for("lkmdt_top") # the device is still there
    status = stopped.call("Status")
    assert status["indexComplete"]
    assert status["modulesKnown"] >= len(MODULES)


def test_module_directory_goes_away(daemon):
    daemon.root.rename(daemon.dir / "away")
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "LoadFailed" # the last good index holds: it is known, only its file is not there
    assert failed.value.parameters["module"] == "lkmdt_alone"
    (daemon.dir / "away").rename(daemon.root)
    assert daemon.call("Load", name="lkmdt_mid")["records"]


def test_depmod_is_noticed(daemon, modprobe_d):
    directory = daemon.root / "lib/modules" / os.uname().release
    (directory / "kernel/lkmdt_alone.ko").unlink()
    subprocess.run(["depmod", "-b", daemon.root, os.uname().release], check=True)
    with pytest.raises(VarlinkError) as failed:
        daemon.call("Load", name="lkmdt_alone")
    assert failed.value.name == "NoSuchModule"


# ------------------------------------------------------------------------------------------------------ restarts

def test_sigterm_with_everything_under_way(daemon):
    daemon.loader.held.add("lkmdt_slow")
    clients = [daemon.client() for _ in range(4)]
    clients[0].send("Load", {"name": "lkmdt_slow"}, more=True)
    clients[1].send("Wait", {"idle": True})
    clients[2].subscribe()
    clients[3].socket.sendall(b'{"method":"io.lkmd')
    daemon.loader.wait_for("lkmdt_slow")
    daemon.stop()                       # and nothing leaks
    for client in clients:
        assert client.hung_up()


# ------------------------------------------------------------------------------------------------------- varlink

def test_introspect(daemon):
    text = subprocess.run(["varlinkctl", "introspect", daemon.socket, INTERFACE.rstrip(".")], check=True,
                          capture_output=True, text=True).stdout
    for word in ("method Load", "method Monitor", "error NoSuchModule"):
        assert word in text


def test_sighup_again_and_again(daemon):
    for _ in range(50):
        daemon.reload()
    assert daemon.call("Load", name="lkmdt_alone")["records"]
    assert daemon.process.poll() is None
