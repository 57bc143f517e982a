# SPDX-License-Identifier: LGPL-2.1-or-later
"""The driver of the virtual machines, tested on stock machines without lkmd."""

import time

import pytest

from driver import CommandFailed


@pytest.fixture(scope="module")
def stock():
    import driver
    machine = driver.fresh(lkmd=False)
    yield machine
    machine.remove()


def test_run_gives_output_and_status(stock):
    result = stock.run("echo out; echo err >&2; exit 7", check=False)
    assert result == ("out\n", "err\n", 7)


def test_run_takes_a_list_of_words(stock):
    assert stock.run(["printf", "%s|", "a b", "$HOME", "'"]).stdout == "a b|$HOME|'|"


def test_run_raises_with_the_output(stock):
    with pytest.raises(CommandFailed, match="(?s)exited with 3.*the reason"):
        stock.run("echo the reason >&2; exit 3")


def test_a_killed_command_has_its_signal_in_the_status(stock):
    assert stock.run("kill -TERM $$", check=False).returncode == 128 + 15


def test_run_carries_a_mebibyte_each_way(stock):
    text = "0123456789abcde\n" * 65536
    stock.write("/tmp/big", text)
    assert stock.read("/tmp/big") == text
    assert stock.run("true\n# " + "x" * 100000).returncode == 0


def test_a_timeout_shows_command_and_output_and_ends_it(stock):
    with pytest.raises(TimeoutError, match="(?s)half done; exec sleep.*half done"):
        stock.run("echo half done; exec sleep 600", timeout=3)
    stock.wait("! pgrep -x sleep", timeout=30)


def test_wait_until_it_works(stock):
    stock.run("(echo 1 >/tmp/later) &")
    stock.wait("test -s /tmp/later", timeout=30)
    with pytest.raises(TimeoutError, match="still exits with 1"):
        stock.wait("false", timeout=1)


def test_write_sets_the_mode_and_makes_directories(stock):
    stock.write("/run/a/b/c", b"\x00\xff", mode=0o600)
    assert stock.run("stat -c %a /run/a/b/c").stdout == "600\n"
    assert stock.read_bytes("/run/a/b/c") == b"\x00\xff"
    stock.write("/proc/sys/kernel/panic", "5")
    assert stock.read("/proc/sys/kernel/panic") == "5\n"


def test_no_lkmd_in_a_stock_machine(stock):
    assert stock.run("test -e /usr/lib/systemd/system/lkmd.service", check=False).returncode == 1
    assert stock.run("systemctl is-system-running", check=False).stdout == "running\n"


def test_devices_come_and_go(stock):
    stock.qmp("blockdev-add", node_name="stick", driver="null-co", size=1 << 20, read_zeroes=True)
    stock.qmp("device_add", driver="usb-storage", id="stick", bus="xhci.0", drive="stick")
    stock.qmp("device_add", driver="e1000e", id="nic", bus="rp0")
    stock.wait("grep -q ^usb_storage /proc/modules && grep -q ^e1000e /proc/modules", timeout=60)
    stock.wait("ls /sys/bus/pci/drivers/e1000e/*:*/net/*", timeout=60)
    stock.unplug("nic")
    stock.unplug("stick")
    stock.wait("! ls -d /sys/bus/pci/drivers/e1000e/*:*", timeout=60)


def test_qmp_errors_are_said(stock):
    from driver import QmpError
    with pytest.raises(QmpError, match="no-such-device"):
        stock.qmp("device_add", driver="no-such-device")


def test_the_console_has_the_kernel(stock):
    assert "Linux version " + stock.kernel_version in stock.console


def test_own_modules(stock):
    stock.install_test_modules()
    stock.run("modprobe lkmd_test_a")
    loaded = stock.run("lsmod").stdout
    assert all(name in loaded for name in ("lkmd_test_a", "lkmd_test_b", "lkmd_test_c"))
    assert "Unknown error 523" not in stock.run("modprobe lkmd_test_fail error=5", check=False).stderr
    assert stock.run("modprobe lkmd_test_fail error=5", check=False).returncode == 1
    stock.run("modprobe lkmd_test_params number=7 word=seven flag=1")
    assert stock.read("/sys/module/lkmd_test_params/parameters/word") == "seven\n"
    assert stock.run("modprobe lkmd_test_unresolved", check=False).returncode == 1
    stock.run("modprobe lkmd_test_slow ms=100")


def test_each_fresh_machine_is_like_the_others_and_its_own(fresh):
    """Two that go on from one moment: same boot and no lkmd, right time, own disk, own random numbers."""
    began = time.time()
    machines = [fresh(lkmd=False), fresh(lkmd=False)]
    drawn = {machine.read("/proc/sys/kernel/random/uuid") for machine in machines}
    assert len(drawn) == 2
    assert len({machine.read("/proc/sys/kernel/random/boot_id") for machine in machines}) == 1
    for machine in machines:
        machine.write("/etc/mine", machine.disk.dir.name)
        machine.run("echo mine >>/etc/hosts && rm /etc/hostname && cd /usr/lib && mv udev moved && mv moved udev")
        assert began - 1 < int(machine.run("date +%s").stdout) < time.time() + 1
        assert machine.run("systemctl is-system-running").stdout == "running\n"
    for machine in machines:
        assert machine.read("/etc/mine") == machine.disk.dir.name
        assert machine.read("/etc/hosts").count("mine") == 1
        assert machine.console.count("Linux version ") == 1
