# SPDX-License-Identifier: LGPL-2.1-or-later
"""Removals that can be trusted: the plan, what the machine or a login needs, devices, waiting, and what goes by itself."""

import socket
import subprocess

import pytest

from support import ask, ask_all, configure, lkmctl, loaded, remove, wait_idle

# As any user: an AEAD algorithm is used, and the socket is closed again.
ALG = ("setpriv --reuid=65534 --regid=65534 --clear-groups python3 -c 'import socket; "
       "s = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET); s.bind((\"aead\", \"gcm(aes)\"))'")


@pytest.fixture(scope="module", autouse=True)
def prepared(machine):
    machine.install_test_modules()
    lkmctl(machine, "reload")
    wait_idle(machine)


def steps(plan):
    return [(s["module"], s["reason"], s.get("parent")) for s in plan["steps"]]


def refused(machine, *words):
    return ask(machine, "unload", *words, status=1)


# ------------------------------------------------------------------------------------------------------ plans

def test_what_somebody_asked_for_stays(machine):
    lkmctl(machine, "load", "lkmd_test_a")                      # which needs b, which needs c
    lkmctl(machine, "load", "lkmd_test_c")
    plan = ask(machine, "unload", "--plan", "lkmd_test_a")
    assert steps(plan) == [("lkmd_test_a", "requested", None), ("lkmd_test_b", "dependency", "lkmd_test_a")]
    stay, = plan["stays"]
    assert (stay["module"], stay["kind"], stay["requester"]["key"]) == ("lkmd_test_c", "requested", "lkmd_test_c")
    assert plan["needed"] == [] and "lkmd_test_a" in loaded(machine)
    text = lkmctl(machine, "unload", "--plan", "lkmd_test_a").stdout
    assert "only needed by lkmd_test_a" in text and "asked for by lkmctl" in text and "Nothing was done" in text

    text = lkmctl(machine, "unload", "lkmd_test_a").stdout
    assert "lkmd_test_c  stays: asked for by lkmctl" in text
    assert {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} & loaded(machine) == {"lkmd_test_c"}
    lkmctl(machine, "unload", "lkmd_test_c")


def test_softdeps_go_too(machine):
    """btrfs names digests in its softdeps (crc32c, xxhash64), for each of which one or several modules are loaded."""
    before = loaded(machine)
    lkmctl(machine, "load", "btrfs")
    came = loaded(machine) - before
    assert {"btrfs", "blake2b_generic", "xxhash_generic"} <= came
    lkmctl(machine, "load", "blake2b_generic")
    reply = ask(machine, "unload", "btrfs")
    assert reply["records"][0]["module"] == "btrfs" and loaded(machine) - before == {"blake2b_generic"}
    lkmctl(machine, "unload", "blake2b_generic")
    assert loaded(machine) == before


def test_what_uses_it_goes_before(machine):
    lkmctl(machine, "load", "lkmd_test_a")
    error = refused(machine, "lkmd_test_c")
    assert (error["error"], error["holders"]) == ("io.lkmd.Manager.InUse", ["lkmd_test_b"])
    reply = ask(machine, "unload", "--holders", "lkmd_test_c")
    assert [r["module"] for r in reply["records"]] == ["lkmd_test_a", "lkmd_test_b", "lkmd_test_c"]
    assert not {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} & loaded(machine)


def test_wait_until_it_is_free(machine):
    machine.run(["systemd-run", "--quiet", "--unit=hold", "sh", "-c", ALG[:-1].replace("setpriv", "exec setpriv", 1) + "; import time; time.sleep(9999)'"])
    machine.wait("test $(cat /sys/module/algif_aead/refcnt) -gt 0", 60)
    assert refused(machine, "--wait=1s", "algif_aead")["refCount"] >= 1
    machine.run("systemd-run --quiet --unit=frees sh -c 'sleep 1; systemctl stop hold'")
    reply = ask(machine, "unload", "--wait=60s", "algif_aead")
    assert reply["records"][0]["module"] == "algif_aead"
    remove(machine, "af_alg")


# ------------------------------------------------------------------------------------------------------ needs

def test_file_system_and_swap_are_kept(machine):
    machine.run("truncate -s 16M /root/disk")
    lkmctl(machine, "load", "dummy_hcd")
    lkmctl(machine, "load", "g_mass_storage", "file=/root/disk", "stall=0")
    machine.wait("ls -d /sys/block/sd*", 90)
    disk = machine.run("cd /sys/block; ls -d sd*").stdout.split()[0]
    machine.run(f"udevadm settle; mkdir -p /boot; mkfs.ext4 -q -F /dev/{disk}; mount /dev/{disk} /boot")
    try:
        error = refused(machine, "dummy_hcd")
        assert (error["error"], error["module"]) == ("io.lkmd.Manager.Needed", "dummy_hcd")
        assert error["message"].startswith(f"dummy_hcd is needed: the file system at /boot is on {disk}, behind ")
        need = next(n for n in error["needs"] if n["kind"] == "file_system")
        assert need["name"] == "/boot" and need["through"][0] == disk and need["through"][-1].startswith("dummy_hcd")
        assert "dummy_hcd" in loaded(machine)
        assert lkmctl(machine, "unload", "--plan", "dummy_hcd", status=1).stdout.count("is needed: the file system at /boot") == 1
    finally:
        machine.run("umount /boot")
    machine.run(f"mkswap -f /dev/{disk}; swapon /dev/{disk}")
    try:
        error = refused(machine, "dummy_hcd")
        assert [(n["kind"], n["name"]) for n in error["needs"]] == [("swap", f"/dev/{disk}")]
    finally:
        machine.run(f"swapoff /dev/{disk}")
    lkmctl(machine, "unload", "g_mass_storage")
    machine.wait("! ls -d /sys/block/sd*", 60)
    lkmctl(machine, "unload", "dummy_hcd")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def ssh(machine, tmp_path):
    """Runs a command over a network card, by a real login; the card is e1000e's."""
    port, key = free_port(), tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    machine.qmp("netdev_add", type="user", id="n", hostfwd=[{"str": f"tcp:127.0.0.1:{port}-10.0.2.15:22"}])
    machine.qmp("device_add", driver="e1000e", id="card", bus="rp0", netdev="n")
    machine.wait("test -d /sys/module/e1000e/drivers/pci:e1000e/0*", 90)
    machine.run("udevadm settle", timeout=120)      # it gives the card its name
    name = machine.run("basename $(ls -d /sys/module/e1000e/drivers/pci:e1000e/0*/net/*)").stdout.strip()
    machine.run("mkdir -p /root/.ssh /run/sshd; ssh-keygen -A >/dev/null")
    machine.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text())
    machine.run(f"chmod 700 /root /root/.ssh; ip link set {name} up; ip address add 10.0.2.15/24 dev {name}; "
                "systemd-run --unit=login /usr/sbin/sshd -D -o UsePAM=no -o StrictModes=no -o UseDNS=no")

    def run(*words, check=True):
        return subprocess.run(["ssh", "-i", key, "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                               "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectionAttempts=20", "-o", "ConnectTimeout=60",
                               "root@127.0.0.1", *words], capture_output=True, text=True, check=check, timeout=180)

    # QEMU takes the connection itself, and drops it while the card has no link
    machine.wait(f"grep -q 1 /sys/class/net/{name}/carrier && ss -Hltn sport = 22 | grep -q .")
    for _ in range(10):
        first = run("true", check=False)
        if first.returncode == 0:
            break
    assert first.returncode == 0, first.stderr
    run.interface = name
    yield run
    machine.run("systemctl stop login", check=False)
    remove(machine, "e1000e")


def test_the_card_of_this_login_is_kept(machine, ssh):
    assert ssh("true").returncode == 0
    result = ssh("lkmctl", "unload", "e1000e", check=False)
    assert result.returncode == 1
    assert f"e1000e is needed: the network of this login, {ssh.interface}, is on {ssh.interface}" in result.stderr
    result = ssh("lkmctl", "unload", "--unbind", "e1000e", check=False)
    assert result.returncode == 1 and "is needed" in result.stderr
    assert ssh("cat", "/sys/module/e1000e/initstate").stdout == "live\n"

    # At the console nobody needs it; its devices are taken from it first.
    device = machine.run("ls -d /sys/module/e1000e/drivers/pci:e1000e/0*").stdout.strip().rsplit("/", 1)[1]
    lkmctl(machine, "unload", "--unbind", "e1000e")
    assert "e1000e" not in loaded(machine)
    machine.run(f"test ! -e /sys/bus/pci/devices/{device}/driver")
    lkmctl(machine, "load", "e1000e")


# ------------------------------------------------------------------------------------------------------- idle

def used_up(machine):
    """Whether algif_aead and af_alg, which any user can have loaded, have gone."""
    return not {"algif_aead", "af_alg"} & loaded(machine)


def test_sweep(machine):
    machine.run(ALG)
    lkmctl(machine, "load", "dummy")
    plan = ask(machine, "sweep", "--plan")
    going = [s["module"] for s in plan["steps"]]
    assert going.index("algif_aead") < going.index("af_alg") and "dummy" not in going and plan["sizeBytes"] > 0
    assert {"algif_aead", "af_alg", "dummy"} <= loaded(machine)
    text = lkmctl(machine, "sweep").stdout
    assert "af_alg  unloaded" in text and "of memory freed" in text
    assert used_up(machine) and "dummy" in loaded(machine)
    machine.run(ALG)                                            # the kernel asks again
    assert not used_up(machine)
    lkmctl(machine, "load", "af_alg")                           # from now on, somebody wants it
    lkmctl(machine, "sweep")
    assert {"algif_aead", "af_alg"} & loaded(machine) == {"af_alg"}
    remove(machine, "af_alg", "dummy")


def test_idle_modules_go_by_themselves(machine):
    assert not ask(machine, "status")["idleUnload"]
    lkmctl(machine, "load", "dummy")
    configure(machine, IdleUnloadSec="2s")
    try:
        assert ask(machine, "status")["idleUnloadUSec"] == 2_000_000
        machine.run(ALG)
        machine.wait("! grep -q -e ^algif_aead -e ^af_alg /proc/modules", 90)
        record = ask(machine, "status", "af_alg")["history"][0]
        assert (record["outcome"], record["requester"]["origin"]) == ("unloaded", "idle")
        assert "since nobody used it" in lkmctl(machine, "status", "af_alg").stdout
        assert "dummy" in loaded(machine)
    finally:
        configure(machine)
        lkmctl(machine, "unload", "dummy")
    assert ask_all(machine, "list")
