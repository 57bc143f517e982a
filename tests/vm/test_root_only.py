# SPDX-License-Identifier: LGPL-2.1-or-later
"""What only root may read counts as it does for modprobe and udev, which are root's; and what cannot be read even so is never
"not there"."""

import re

import pytest

from support import ask, bound, lkmctl, loaded, main_pid, remove, udev_leaves_it_to_lkmd, wait_bound, wait_idle, wait_unbound

LINES = """# a guide's
install usb-storage /bin/true
options dummy numdummies=3
"""
FILE = "/etc/modprobe.d/zz-private.conf"            # after systemd.conf, which has an option for dummy
RULE = "version: 1\nrules: [{match: {module: dummy}, verdict: deny, reason: private}]\n"
RULES = "/etc/lkmd/policy.d/private.yaml"


@pytest.fixture(scope="module", autouse=True)
def stick_node(machine):
    machine.qmp("blockdev-add", node_name="stick", driver="null-co", size=1 << 20, read_zeroes=True)
    # a disk that was restored has other inodes, which shows at the first mount, that of the reader's name space
    machine.write(FILE, "", mode=0o600)
    lkmctl(machine, "status")
    machine.run(["rm", FILE])
    lkmctl(machine, "reload")


@pytest.fixture(autouse=True)
def as_before(machine):
    yield
    machine.run(f"chmod 0755 /etc/modprobe.d /usr/lib/modules; rm -rf {FILE} {RULES} /etc/lkmd/lkmd.conf.d/private.conf /srv/private")
    machine.run("chmod 0755 /etc/lkmd /etc/lkmd/policy.d", check=False)
    if machine.run("grep -qi ic08isc06 /sys/bus/usb/devices/*/modalias", check=False).returncode == 0:
        machine.unplug("stick")
    remove(machine, "uas", "usb_storage", "dummy")
    lkmctl(machine, "reload")


def plug_stick(machine):
    machine.qmp("device_add", driver="usb-storage", id="stick", bus="xhci.0", drive="stick")
    machine.wait("grep -qi ic08isc06 /sys/bus/usb/devices/*/modalias")
    wait_idle(machine)


def holds(machine):
    """The lines of FILE, for whoever asks."""
    status = ask(machine, "status")
    assert (status["inCharge"], status["problems"], status["unwatched"]) == ("lkmd", [], [])
    explained = machine.run("lkmctl explain usb_storage", check=False)      # by root, who reads the file itself
    result = machine.run("lkmctl load usb-storage", check=False)
    assert FILE in explained.stdout and result.returncode == explained.returncode, (explained, result)
    assert "usb_storage" not in loaded(machine)
    lkmctl(machine, "load", "dummy")
    assert machine.run("ls -d /sys/class/net/dummy? | wc -l").stdout == "3\n"
    lkmctl(machine, "unload", "dummy")


MODES = [(0o755, 0o600), (0o700, 0o600), *(pytest.param(*modes, marks=pytest.mark.soak) for modes in ((0o755, 0o640), (0o700, 0o644), (0o711, 0o600)))]
OPEN = pytest.param(0o755, marks=pytest.mark.soak)


@pytest.mark.parametrize("directory,file", MODES)
def test_lines_of_modprobe_d_hold(machine, directory, file):
    machine.write(FILE, LINES, mode=file)
    machine.run(["chmod", f"{directory:o}", "/etc/modprobe.d"])
    holds(machine)


def test_lines_of_modprobe_d_hold_for_devices(machine):
    machine.write(FILE, LINES, mode=0o600)
    machine.run("chmod 0700 /etc/modprobe.d")
    plug_stick(machine)
    assert "usb_storage" not in loaded(machine) and not bound(machine, "usb", "usb-storage")
    machine.run(f"rm {FILE}")                                       # noticed by itself
    lkmctl(machine, "load", "usb-storage")
    wait_bound(machine, "usb", "usb-storage")


@pytest.mark.parametrize("directory", [0o700, OPEN])
def test_each_change_is_noticed_before_the_next_load(machine, directory):
    """Also in a directory that lkmd may not look into: edited in place, replaced, linked to, a link switched, 100 in all."""
    machine.write("/srv/private/one.conf", "install dummy echo one >/run/which\n", mode=0o644)
    machine.write("/srv/private/two.conf", "install dummy echo two >/run/which\n", mode=0o644)
    machine.run(f"chmod {directory:o} /etc/modprobe.d; ln -s one.conf /srv/private/current.conf")
    result = machine.run(f"""
missed=0
try() {{
        rm -f /run/which
        lkmctl load dummy
        [ "$(cat /run/which)" = "$1" ] || {{ echo "missed: $1, $(cat /run/which)"; missed=$((missed + 1)); }}
}}
for i in $(seq 13); do
        umask 077
        echo "install dummy echo edited-$i >/run/which" >{FILE}
        try edited-$i
        echo "install dummy echo replaced-$i >/run/which" >{FILE}.new
        mv {FILE}.new {FILE}
        try replaced-$i
        ln -sf /srv/private/current.conf {FILE}
        try one
        ln -sfn two.conf /srv/private/current.conf
        try two
        ln -sfn one.conf /srv/private/current.conf
        rm {FILE}
done
exit $missed
""", check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_read_is_watched(machine):
    """All files that a reload opens: either they or their directories have a watch."""
    pid = main_pid(machine)
    machine.run(f"systemd-run --quiet --unit=trace-opens strace -f -qq -e trace=open,openat -o /run/opens -p {pid}")
    machine.wait(f"grep -q '^TracerPid:.*[1-9]' /proc/{pid}/status")
    lkmctl(machine, "reload")
    machine.run("systemctl stop trace-opens")
    opened = set(re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"(/(?:etc|run|usr|lib|srv)/[^"]+)", O_RDONLY[^)]*\) += \d', machine.read("/run/opens")))
    files = sorted(path for path in opened if not path.startswith("/run/lkmd/state/"))      # its own
    assert {"/etc/modprobe.d", "/etc/lkmd/policy.d"} & set(files) and any(path.endswith("modules.softdep") for path in files), opened     # the large indexes are in its image
    watched = {int(ino, 16) for ino in re.findall(r"^inotify wd:\S+ ino:(\S+)", machine.run(f"cat /proc/{pid}/fdinfo/*").stdout, re.M)}
    for path in files:
        own, parent = machine.run(f'stat -Lc %i {path} "$(dirname "$(readlink -f {path})")"').stdout.split()
        assert {int(own), int(parent)} & watched, path


@pytest.mark.parametrize("directory", [0o700, OPEN])
def test_rules_and_settings_hold(machine, directory):
    machine.write(RULES, RULE, mode=0o600)
    machine.write("/etc/lkmd/lkmd.conf.d/private.conf", "[Manager]\nLedgerEntries=77\n", mode=0o600)
    machine.run(f"chmod {directory:o} /etc/lkmd /etc/lkmd/policy.d; systemctl restart lkmd")
    assert f"denied by {RULES}:2: private" in lkmctl(machine, "load", "dummy", status=3).stderr
    status = ask(machine, "status")
    assert (status["policy"]["standing"], status["policy"]["broken"], status["inCharge"]) == ("current", False, "lkmd")
    machine.write(RULES, RULE.replace("private", "edited"), mode=0o600)
    assert "edited" in lkmctl(machine, "load", "dummy", status=3).stderr
    machine.run(f"rm {RULES}")
    lkmctl(machine, "load", "dummy")


def test_settings_that_can_be_read_at_last(machine):
    """Nobody else's file, nor root's: without a reload, as soon as it can be read, and the other way round."""
    file = "/etc/lkmd/lkmd.conf.d/private.conf"
    machine.write(file, "[Manager]\nMode=audit\n", mode=0o600)
    machine.run(f"chown 65534 {file}; systemctl restart lkmd")
    status = ask(machine, "status")
    assert status["policy"]["mode"] == "enforce"
    assert [(p["file"], p["message"]) for p in status["problems"]] == [(file, "it cannot be read: Permission denied")]
    machine.run(f"chown root {file}")
    machine.wait("lkmctl --json=short status | grep -q '\"mode\":\"audit\"'")
    assert ask(machine, "status")["problems"] == []
    machine.run(f"chown 65534 {file}")
    machine.wait("lkmctl status | grep -q 'what it said before stays in force'")
    status = ask(machine, "status")
    assert status["policy"]["mode"] == "audit" and [p["file"] for p in status["problems"]] == [file]
    machine.run(["rm", file])
    machine.wait("lkmctl --json=short status | grep -q '\"mode\":\"enforce\"'")
    assert ask(machine, "status")["problems"] == []


def test_a_file_that_lkmd_cannot_have_puts_udev_in_charge(machine):
    """Somebody else's file, which only he and root may read: modprobe and udev read it. Mended, it is noticed."""
    machine.write(FILE, "install dummy /bin/true\n", mode=0o600)
    machine.run(f"chown 65534 {FILE}")
    machine.wait("lkmctl status | grep -q 'not lkmd'")
    status = ask(machine, "status")
    assert status["inCharge"] == "udev" and FILE in status["steppedBack"] and "Permission denied" in status["steppedBack"]
    assert FILE in status["steppedBackRemedy"] and "depmod" not in str(status["problems"])
    assert not udev_leaves_it_to_lkmd(machine)
    said = lkmctl(machine, "load", "dummy", status=1).stderr
    assert FILE in said and "cannot be read" in said
    assert "dummy" not in loaded(machine)
    machine.run(f"chown root {FILE}")
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'")
    assert udev_leaves_it_to_lkmd(machine)
    said = lkmctl(machine, "load", "dummy", status=3).stderr
    assert FILE in said and "dummy" not in loaded(machine)


def test_modules_of_root_alone_while_lkmd_runs(machine):
    machine.run("chmod 0700 /usr/lib/modules")
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_bound(machine, "pci", "e1000e")
    status = ask(machine, "status")
    assert (status["inCharge"], status["problems"], status["indexComplete"]) == ("lkmd", [], True)
    machine.unplug("nic")
    wait_unbound(machine, "pci", "e1000e")
    remove(machine, "e1000e")


def test_a_reader_that_does_not_work(machine):
    """Then udev is in charge; when it works again, lkmd is."""
    machine.run("systemctl stop lkmd-reader.socket; systemctl stop 'lkmd-reader@*'")
    machine.write(FILE, LINES, mode=0o600)
    machine.wait("lkmctl status | grep -q 'not lkmd'")
    status = ask(machine, "status")
    assert "lkmd-reader does not work" in status["steppedBack"]
    machine.run(status["steppedBackRemedy"])
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'", timeout=120)
    holds(machine)


def test_a_sys_that_only_root_may_read(machine):
    machine.run("chmod 0700 /sys; systemctl restart lkmd")
    try:
        status = ask(machine, "status")
        assert status["inCharge"] == "udev" and "/sys" in status["steppedBack"]
        machine.qmp("device_add", driver="e1000e", id="own-nic", bus="rp0")
        wait_bound(machine, "pci", "e1000e")                        # by udev
    finally:
        machine.run("chmod 0555 /sys")
    machine.wait("lkmctl --json=short status | grep -q '\"inCharge\":\"lkmd\"'", timeout=60)
    machine.unplug("own-nic")
    wait_unbound(machine, "pci", "e1000e")
    remove(machine, "e1000e")


@pytest.mark.soak
def test_a_boot_with_modules_of_root_alone(fresh):
    """The same modules as without that mode, which are those without lkmd (test_rich.py)."""
    machine = fresh()
    before = loaded(machine)
    machine.run("chmod 0700 /usr/lib/modules")
    machine.reboot()
    wait_idle(machine)
    machine.run("udevadm settle", timeout=120)
    status = ask(machine, "status")
    assert (status["inCharge"], status["problems"]) == ("lkmd", [])
    assert loaded(machine) == before
    machine.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    wait_bound(machine, "pci", "e1000e")
