# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmd among the other parts of the system: its units, its privileges, its journal, its varlink interface."""

import json
import re

from support import ask, lkmctl, loaded, main_pid, remove, start_lkmd, wait_idle

SOCKET = "/run/lkmd/io.lkmd.Manager"


# --------------------------------------------------------------------------------------------------- units

def show(machine, unit, *properties):
    lines = machine.run(["systemctl", "show", *(f"-p{p}" for p in properties), unit]).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_booted_with_it_and_nothing_failed(machine):
    assert machine.run("systemctl is-system-running", check=False).stdout == "running\n"
    assert machine.run("systemctl is-enabled lkmd").stdout == "enabled\n"
    assert machine.run("systemctl --failed --plain --no-legend").stdout == ""
    shown = show(machine, "lkmd", "Type", "WatchdogUSec", "NRestarts", "SubState", "StatusText", "User", "Result")
    assert shown["Type"] == "notify-reload" and shown["WatchdogUSec"] == "30s"
    assert (shown["NRestarts"], shown["SubState"], shown["User"], shown["Result"]) == ("0", "running", "lkmd", "success")


def test_units_are_sound(machine):
    result = machine.run("systemd-analyze verify --man=no lkmd.service lkmd.socket lkmd-loader.service lkmd-loader.socket "
                         "lkmd-command.socket lkmd-command@x.service lkmd-reader.socket lkmd-reader@x.service "
                         "lkmd-trail.socket lkmd-trail@x.service lkmd-broker.socket lkmd-handover.service lkmd-handover.path lkmd-load@x.service",
                         check=False, timeout=120)
    assert result.returncode == 0 and "lkmd" not in result.stderr, result.stderr
    journal = machine.journal("-b", "-t", "systemd", "-g", "lkmd", "-p", "warning")
    assert "Unknown key" not in journal and "ordering cycle" not in machine.journal("-b", "-t", "systemd")


def test_security(machine):
    scores = {}
    for unit in ("lkmd.service", "lkmd-loader.service"):
        table = machine.run(["systemd-analyze", "security", "--no-pager", unit], timeout=120).stdout
        print(table)
        scores[unit] = float(re.search(rf"exposure level for {unit}: ([0-9.]+)", table)[1])
    print(scores)
    assert scores["lkmd.service"] < 3.0


def capabilities(machine, pid):
    return {line.split(":")[0]: int(line.split()[1], 16)
            for line in machine.read(f"/proc/{pid}/status").splitlines() if line.startswith("Cap")}


def test_the_manager_has_no_privilege(machine):
    pid = main_pid(machine)
    caps = capabilities(machine, pid)
    assert caps["CapEff"] == caps["CapPrm"] == caps["CapAmb"] == caps["CapInh"] == 0
    status = machine.read(f"/proc/{pid}/status")
    uid = machine.run("id -u lkmd").stdout.strip()
    assert re.search(rf"^Uid:\s+{uid}\s+{uid}\s+{uid}\s+{uid}$", status, re.M)
    assert re.search(r"^Seccomp:\s+2$", status, re.M) and re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    assert re.search(r"^Threads:\s+1$", status, re.M)


def test_the_loader_has_all_that_root_has(machine):
    """An init asks for it. What the loader itself may do with it, its filters say: test_loader."""
    caps, roots = capabilities(machine, main_pid(machine, "lkmd-loader")), capabilities(machine, 1)
    assert (caps["CapEff"], caps["CapPrm"], caps["CapBnd"]) == (roots["CapEff"], roots["CapPrm"], roots["CapBnd"])


def test_run_directory(machine):
    """What user lkmd may replace lies in a directory of its own; what root and everybody else look up does not."""
    listing = machine.run("stat -c '%A %U:%G %n' /run/lkmd /run/lkmd/* /run/lkmd/state/*").stdout.splitlines()
    for line in ("drwxr-xr-x root:root /run/lkmd", "srw-rw-rw- root:root /run/lkmd/io.lkmd.Manager",
                 "srw------- lkmd:lkmd /run/lkmd/loader", "srw------- lkmd:lkmd /run/lkmd/command", "-rwx--x--- lkmd:lkmd /run/lkmd/in-charge", "drwxr-xr-x lkmd:lkmd /run/lkmd/state",
                 "-rw-r--r-- lkmd:lkmd /run/lkmd/state/ledger", "-rw-r--r-- lkmd:lkmd /run/lkmd/state/audit"):
        assert line in listing, "\n".join(listing)


def image_is_mapped(machine):
    """Does lkmd have the image of its index in memory?"""
    return "/var/cache/lkmd/" in machine.run(f"cat /proc/{main_pid(machine)}/maps").stdout


def wait_mapped(machine):
    machine.wait("grep -q /var/cache/lkmd/ /proc/$(systemctl show --value -p MainPID lkmd)/maps", 60)


def test_image_of_the_index(machine):
    """Written after the devices, used by the next start, and made anew when it is damaged; where there is no room, done without."""
    image = "/var/cache/lkmd/" + machine.run("uname -r").stdout.strip()
    wait_mapped(machine)                                # in place of what was built at boot
    assert machine.run(f"stat -c '%A %U:%G' /var/cache/lkmd {image}").stdout == "drwx------ lkmd:lkmd\n-rw------- lkmd:lkmd\n"
    before = machine.run(f"sha256sum {image}").stdout
    machine.run(f"echo damaged | dd of={image} bs=1 seek=1000000 conv=notrunc status=none && systemctl restart lkmd")
    assert ask(machine, "status")["modulesKnown"] > 3000
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    wait_mapped(machine)
    assert machine.run(f"sha256sum {image}").stdout == before
    machine.run("mount -t tmpfs -o size=64k,mode=700,uid=$(id -u lkmd) none /var/cache/lkmd && systemctl restart lkmd")
    wait_idle(machine)
    assert not image_is_mapped(machine)
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    machine.run("umount /var/cache/lkmd && systemctl restart lkmd")
    assert image_is_mapped(machine)                     # from READY on
    assert machine.run("ls -A /var/cache/lkmd").stdout == image.rpartition("/")[2] + "\n"


def test_run_directory_of_an_older_version(machine):
    """It was lkmd's: root takes it back, and the files in it are left, read by nobody."""
    machine.run("systemctl stop lkmd && rm -r /run/lkmd/state && echo old >/run/lkmd/ledger && chown -R lkmd:lkmd /run/lkmd")
    machine.run("systemd-tmpfiles --create lkmd.conf && systemctl start lkmd")
    test_run_directory(machine)
    assert machine.read("/run/lkmd/ledger") == "old\n"
    machine.run("rm /run/lkmd/ledger")


def test_reload(machine):
    pid = main_pid(machine)
    machine.write("/etc/lkmd/lkmd.conf.d/level.conf", "[Manager]\nLogLevel=debug\n")
    machine.run("systemctl reload lkmd")
    assert main_pid(machine) == pid
    lkmctl(machine, "load", "dummy")
    machine.write("/etc/lkmd/lkmd.conf.d/level.conf", "[Manager]\nLogLevel=nonsense\n")
    machine.run("systemctl reload lkmd", check=False)
    assert main_pid(machine) == pid
    assert ask(machine, "status")["problems"][0]["line"] == 2
    machine.run("rm /etc/lkmd/lkmd.conf.d/level.conf; systemctl reload lkmd")
    assert ask(machine, "status")["problems"] == []
    lkmctl(machine, "unload", "dummy")
    # The same, when SIGHUP comes from elsewhere.
    machine.run(["systemctl", "kill", "-s", "HUP", "lkmd"])
    wait_idle(machine)
    assert main_pid(machine) == pid


def test_ends_again_and_again(machine):
    """It is there again, and neither systemd nor its sockets count how often."""
    assert show(machine, "lkmd", "StartLimitIntervalUSec", "Restart") == {"StartLimitIntervalUSec": "0", "Restart": "on-failure"}
    for unit in ("lkmd.socket", "lkmd-loader.socket", "lkmd-command.socket"):
        assert show(machine, unit, "TriggerLimitIntervalUSec")["TriggerLimitIntervalUSec"] == "0"
    machine.run("""old=0; for i in 1 2 3; do
        until pid=$(systemctl show --value -p MainPID lkmd) && [ "$pid" != 0 ] && [ "$pid" != "$old" ]; do :; done
        kill -KILL "$pid"; old=$pid; done""", timeout=300)
    machine.wait("systemctl is-active lkmd lkmd.socket lkmd-loader.socket && lkmctl status", 120)
    assert int(show(machine, "lkmd", "NRestarts")["NRestarts"]) >= 3
    wait_idle(machine)


def test_restart_stop_start(machine):
    pid = main_pid(machine)
    machine.run("systemctl restart lkmd")
    assert main_pid(machine) not in (0, pid)
    assert lkmctl(machine, "status").returncode == 0         # READY means that it answers
    machine.run("systemctl stop lkmd")
    assert show(machine, "lkmd", "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
    assert show(machine, "lkmd.socket", "ActiveState")["ActiveState"] == "inactive"
    machine.run(f"test ! -e {SOCKET}")
    start_lkmd(machine)
    assert show(machine, "lkmd", "NRestarts")["NRestarts"] == "0"


def test_watchdog_restarts_a_hung_manager(machine):
    machine.write("/run/systemd/system/lkmd.service.d/dog.conf", "[Service]\nWatchdogSec=6s\n")
    machine.run("systemctl daemon-reload; systemctl restart lkmd")
    pid = main_pid(machine)
    machine.run(["kill", "-STOP", str(pid)])
    machine.wait(f"test $(systemctl show --value -p MainPID lkmd) -ne {pid} && systemctl is-active lkmd", 90)
    assert "watchdog" in machine.journal("-b", "-u", "lkmd", "-t", "systemd").lower()
    machine.run("rm /run/systemd/system/lkmd.service.d/dog.conf; systemctl daemon-reload; systemctl restart lkmd")
    wait_idle(machine)


def test_loader_comes_by_its_socket(machine):
    machine.run("systemctl stop lkmd-loader.service")
    lkmctl(machine, "load", "dummy")
    assert main_pid(machine, "lkmd-loader") != 0
    lkmctl(machine, "unload", "dummy")


def test_the_loader_has_twice_the_part_of_udevd(machine):
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    weights = [machine.read(f"/sys/fs/cgroup/system.slice/{unit}/cpu.weight").strip()
               for unit in ("lkmd-loader.service", "systemd-udevd.service")]
    assert weights == ["200", "100"]


def test_what_is_installed(machine):
    for path in ("/usr/bin/lkmctl", "/usr/sbin/lkmd", "/usr/lib/lkmd/lkmd-loader", "/usr/lib/lkmd/lkmd-command", "/usr/lib/lkmd/lkmd-handover",
                 "/usr/share/man/man1/lkmctl.1", "/usr/share/man/man8/lkmd.8", "/usr/share/man/man5/lkmd.conf.5",
                 "/usr/share/bash-completion/completions/lkmctl", "/usr/lib/sysusers.d/lkmd.conf",
                 "/usr/lib/tmpfiles.d/lkmd.conf", "/usr/lib/systemd/system-preset/80-lkmd.preset",
                 "/usr/lib/systemd/catalog/lkmd.catalog"):
        machine.run(f"ls {path} {path}.gz 2>/dev/null | grep -q .")
    assert machine.run("getent passwd lkmd").stdout and machine.run("getent group lkmd-admin").stdout


# ------------------------------------------------------------------------------------------------- journal

def entries(machine, *match):
    return [json.loads(line) for line in machine.journal("-b", "-u", "lkmd", "-o", "json", *match).splitlines()]


def test_journal_entries(machine):
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    lkmctl(machine, "load", "pcspkr", "no_such_parameter=1", status=1)
    machine.run("lkmctl load nvram nvram=1; lkmctl load evbug; lkmctl unload evbug nvram", check=False)
    loaded_entry = entries(machine, "MESSAGE_ID=8a6e00149c394731b00f564799df73f1", "LKMD_MODULE=dummy")[-1]
    assert loaded_entry["LKMD_ORIGIN"] == "client" and loaded_entry["LKMD_REQUESTER_UID"] == "0"
    assert loaded_entry["PRIORITY"] == "6" and loaded_entry["MESSAGE"].startswith("dummy: loaded in ")
    assert entries(machine, "MESSAGE_ID=10d47b5dbdf34ee482b0344e0b33a66d", "LKMD_MODULE=dummy")
    device = entries(machine, "MESSAGE_ID=8a6e00149c394731b00f564799df73f1", "LKMD_MODULE=xhci_pci")[-1]
    assert device["LKMD_ORIGIN"] == "device" and device["LKMD_DEVICE"].startswith("/devices/pci0000:00/")


def test_failures_in_the_journal(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")
    lkmctl(machine, "load", "lkmd_test_fail", "error=12", status=1)
    entry = entries(machine, "MESSAGE_ID=52ca4cb152bc49859db30e05a3d95f13", "LKMD_MODULE=lkmd_test_fail")[-1]
    assert entry["PRIORITY"] == "3" and "not enough memory" in entry["MESSAGE"]
    assert entry["ERRNO"] == "12"


def test_catalog(machine):
    machine.run("journalctl --update-catalog")
    lkmctl(machine, "load", "dummy")
    lkmctl(machine, "unload", "dummy")
    machine.run("journalctl --sync")
    text = machine.run("journalctl -b -x -u lkmd LKMD_MODULE=dummy -n 2").stdout
    assert "A kernel module was loaded" in text and "Module dummy was loaded because of dummy." in text


# ------------------------------------------------------------------------------------------------- varlink

def call(machine, method, parameters=None, check=True, options=()):
    result = machine.run(["varlinkctl", "--json=short", *options, "call", SOCKET, f"io.lkmd.Manager.{method}",
                          json.dumps(parameters or {})], check=check)
    return json.loads(result.stdout) if check else result


def sequence(text):
    """What varlinkctl --more prints: each object is led by a record separator (RFC 7464)."""
    return [json.loads(line) for line in text.replace("\x1e", "").split("\n") if line]


def test_varlink_introspect(machine):
    text = machine.run(["varlinkctl", "introspect", SOCKET, "io.lkmd.Manager"]).stdout
    for method in ("Load", "Unload", "Status", "DescribeModule", "List", "Monitor", "Reload", "Wait"):
        assert f"method {method}(" in text or f"method {method} (" in text, method
    for error in ("NoSuchModule", "Denied", "LoadFailed", "InUse", "UnknownParameter", "Timeout"):
        assert f"error {error}" in text
    assert "# " in text and "Everybody may read" in text
    methods = machine.run(["varlinkctl", "list-methods", SOCKET]).stdout
    assert "io.lkmd.Manager.Load" in methods


def test_varlink_info(machine):
    info = json.loads(machine.run(["varlinkctl", "--json=short", "info", SOCKET]).stdout)
    assert "io.lkmd.Manager" in info["interfaces"]
    assert info["product"] and info["version"] and "lkmd" in (info["product"] + info["vendor"]).lower()


def test_varlink_idl_is_valid(machine):
    machine.run(f"varlinkctl introspect {SOCKET} io.lkmd.Manager >/root/idl")
    machine.run("varlinkctl validate-idl /root/idl")


def test_varlink_calls(machine):
    reply = call(machine, "Load", {"name": "lkmd_test_a" if "lkmd_test_a" in loaded(machine) else "dummy"})
    assert reply["records"][-1]["outcome"] in ("loaded", "already_loaded")
    assert call(machine, "DescribeModule", {"name": "dummy"})["module"]["state"] == "live"
    assert {m["name"] for m in call(machine, "List")["modules"]} == loaded(machine)
    assert call(machine, "Status")["inCharge"] == "lkmd"
    assert call(machine, "Wait", {"idle": True, "timeoutUSec": 30000000}) == {}
    assert call(machine, "Wait", {"module": "dummy"}) == {}
    assert call(machine, "Unload", {"name": "dummy"})["records"][0]["outcome"] == "unloaded"
    assert call(machine, "Reload") == {"problems": [], "devices": []}


def test_varlink_errors(machine):
    for method, parameters, error in (
            ("Load", {"name": "no_such"}, "io.lkmd.Manager.NoSuchModule"),
            ("Load", {}, "org.varlink.service.InvalidParameter"),
            ("Load", {"name": 3}, "org.varlink.service.InvalidParameter"),
            ("Load", {"name": "dummy", "colour": "red"}, "org.varlink.service.InvalidParameter"),
            ("Load", {"name": "dummy", "parameters": ["no_such=1"]}, "io.lkmd.Manager.UnknownParameter"),
            ("Unload", {"name": "dummy"}, "io.lkmd.Manager.NotLoaded"),
            ("Wait", {"module": "dummy", "timeoutUSec": 1000}, "io.lkmd.Manager.Timeout"),
            ("Wait", {}, "org.varlink.service.InvalidParameter"),
            ("Monitor", {}, "org.varlink.service.ExpectedMore"),
            ("NoSuchMethod", {}, "org.varlink.service.MethodNotFound")):
        result = call(machine, method, parameters, check=False)
        assert result.returncode != 0 and error in result.stderr, (method, parameters, result)
    result = machine.run(["runuser", "-u", "nobody", "--", "varlinkctl", "call", SOCKET, "io.lkmd.Manager.Load",
                          '{"name":"dummy"}'], check=False)
    assert result.returncode != 0 and "PermissionDenied" in result.stderr
    remove(machine, "dummy")


def test_varlink_monitor(machine):
    machine.run(["systemd-run", "--quiet", "--unit=vl-monitor", "-p", "StandardOutput=file:/run/vl-monitor", "varlinkctl",
                 "--json=short", "--more", "call", SOCKET, "io.lkmd.Manager.Monitor", "{}"])
    machine.wait("lkmctl --quiet reload; grep -q reloaded /run/vl-monitor")
    lkmctl(machine, "load", "dummy")
    machine.wait("grep -q '\"finished\".*\"dummy\"' /run/vl-monitor")
    machine.run("systemctl stop vl-monitor", check=False)
    events = sequence(machine.read("/run/vl-monitor"))
    assert "event" not in events[0] or events[0]["event"] is None
    kinds = [e["event"]["kind"] for e in events[1:] if e["event"].get("record", {}).get("module") == "dummy"]
    assert kinds == ["started", "finished"]
    lkmctl(machine, "unload", "dummy")


def test_varlink_load_with_more_tells_progress(machine):
    result = machine.run(["varlinkctl", "--json=short", "--more", "call", SOCKET, "io.lkmd.Manager.Load",
                          '{"name":"virtio_net"}'])
    lines = sequence(result.stdout)
    assert len(lines) > 1 and [r["module"] for r in lines[-1]["records"]][-1] == "virtio_net"
    lkmctl(machine, "unload", "virtio_net")
