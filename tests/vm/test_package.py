# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's packages on a stock Debian: a careful first installation, an upgrade in the midst of a load, and a removal
that leaves nothing behind."""

import hashlib
import os
import stat
import subprocess

import pytest

from driver import lab
from support import ask, lkmctl, loaded, release, wait_coming, wait_idle

APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "--allow-downgrades"]
# What any installation and removal changes: dpkg's and apt's own records, logs, copies of /etc/passwd as it was, caches of the C library.
OF_DPKG = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "tmp/", "var/tmp/", "run/", "var/lib/lkmd-lab/", "root/",
           "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock", "etc/ld.so.cache",
           "var/lib/systemd/", "etc/resolv.conf", "etc/.updated", "var/.updated", "etc/machine-id", "var/lib/initramfs-tools/")


@pytest.fixture(scope="session")
def packages():
    subprocess.run([lab.project() / "tests/lab/package", "deb"], cwd=lab.project(), check=True)
    return {path.name.split("_")[0]: path for path in (lab.project() / "build/package/deb").glob("*.deb")}


@pytest.fixture
def newer(packages, tmp_path):
    """The same, called a later revision."""
    made = {}
    for name in ("lkmd", "lkmd-kmod"):
        tree = tmp_path / name
        subprocess.run(["dpkg-deb", "--raw-extract", packages[name], tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace("0.1.0-1", "0.1.0-2"))
        made[name] = tmp_path / f"{name}_0.1.0-2_amd64.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, made[name]], check=True, stdout=subprocess.DEVNULL)
    return made


def install(machine, *debs):
    paths = []
    for deb in debs:
        path = f"/var/tmp/{deb.name}"
        machine.write(path, deb.read_bytes())
        paths.append(path)
    machine.run([*APT, "install", *paths], timeout=300)


def drivers(machine):
    """Which driver each device has."""
    machine.run("udevadm settle --timeout=120", timeout=150)
    return set(machine.run(r"find /sys/devices -name driver -type l -printf '%h %l\n' | sed 's, .*/, ,'").stdout.splitlines())


# ------------------------------------------------------------------------------------------------ what is on a disk

def described(path):
    """A file as it is, without its times. None: it is not there."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = stat.S_IFMT(found.st_mode)
    if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
        return None                     # the overlay's mark of a file that was removed
    content = os.readlink(path) if stat.S_ISLNK(kind) else ""
    if stat.S_ISREG(kind):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return found.st_mode, found.st_uid, found.st_gid, content


def original(machine, name):
    """A file as the machine began with it."""
    for layer in [machine.snapshot.upper] * bool(machine.snapshot) + [lab.guest_root()]:
        if (layer / name).is_symlink() or (layer / name).exists():
            return described(layer / name)
    return None


def changed(machine):
    """All files of the machine that differ from what it began with."""
    names, disk = [], machine.disk
    for top, directories, files in os.walk(disk.upper):
        names += [os.path.relpath(os.path.join(top, name), disk.upper) for name in directories + files]
    return sorted(name for name in names if not f"{name}/".startswith(OF_DPKG) and not name.startswith(OF_DPKG)
                  and described(disk.upper / name) != original(machine, name))


# -------------------------------------------------------------------------------------------------------- initramfs

IMAGE = "/boot/initrd.img-{}"
EARLY = "loop"                          # what the image loads


def make_image(machine):
    """What a stock Debian has, though with few modules, and booted from it from now on."""
    image = IMAGE.format(machine.kernel_version)
    machine.run("sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf")
    machine.write("/etc/initramfs-tools/modules", "".join(f"{name}\n" for name in ["virtiofs", EARLY]))
    machine.run(["update-initramfs", "-c", "-k", machine.kernel_version], timeout=300)
    machine.run("sync")
    machine.devices += ["-initrd", str(machine.disk.root / image.lstrip("/"))]


def in_image(machine):
    """The names of the files in it."""
    return set(machine.run(["lsinitramfs", IMAGE.format(machine.kernel_version)], timeout=120).stdout.splitlines())


# ------------------------------------------------------------------------------------------------------------ tests

def test_installed_used_and_purged(fresh, packages):
    stock = fresh(lkmd=False)
    make_image(stock)
    before, files, image = drivers(stock), changed(stock), in_image(stock)
    program = stock.read("/proc/sys/kernel/modprobe")

    install(stock, packages["lkmd"], packages["lkmd-kmod"])
    wait_idle(stock)
    assert {name for name in in_image(stock) - image if "lkmd" in name} >= {"etc/modprobe.d/lkmd-denied.conf", "etc/lkmd/lkmd.conf"}
    status = ask(stock, "status")
    assert status["inCharge"] == "lkmd" and status["policy"]["mode"] == "audit"
    assert status["failures"] == status["problems"] == [] and status["kernelAsksLkmd"]
    assert stock.run("systemctl --failed --no-legend").stdout == ""
    for name in ("load", "kmod-names"):         # what Debian runs of these packages
        stock.write(f"/var/tmp/{name}", (lab.project() / "debian/tests" / name).read_text())
        stock.run(["/bin/sh", f"/var/tmp/{name}"], timeout=300)

    stock.reboot()
    wait_idle(stock)
    assert drivers(stock) == before
    assert ask(stock, "status")["inCharge"] == "lkmd"
    assert "All is well" in lkmctl(stock, "status").stdout.splitlines()[0]
    assert "initramfs" in lkmctl(stock, "why", EARLY).stdout
    assert stock.run("readlink -f $(command -v modprobe)").stdout.strip() == "/usr/bin/lkmctl"
    stock.run("modprobe dummy")
    assert "modprobe" in lkmctl(stock, "why", "dummy").stdout

    stock.run([*APT, "purge", "lkmd", "lkmd-kmod"], timeout=300)
    assert changed(stock) == files
    assert in_image(stock) == image
    assert stock.read("/proc/sys/kernel/modprobe") == program
    assert stock.run("ls -d /run/lkmd /run/udev/rules.d/80-drivers.rules /run/modprobe.d /sys/fs/bpf/lkmd 2>/dev/null", check=False).stdout == ""
    units = stock.run("systemctl list-units --all --no-legend 'lkmd*'; systemctl list-unit-files --no-legend 'lkmd*'").stdout.splitlines()
    assert [line for line in units if "lkmd-lab-agent.service" not in line] == []
    assert stock.run("dpkg-divert --list '*modprobe*'").stdout == ""
    stock.run("modprobe -r dummy && modprobe dummy && modprobe -r dummy")

    stock.reboot()
    assert drivers(stock) == before


def test_upgraded_and_downgraded_in_the_midst_of_a_load(fresh, packages, newer):
    stock = fresh(lkmd=False)
    stock.install_test_modules()
    install(stock, packages["lkmd"])
    wait_idle(stock)
    stock.write("/etc/lkmd/policy.d/own.yaml", "version: 1\nrules:\n  - {id: own, match: {module: pcspkr}, verdict: deny}\n")
    stock.write("/etc/lkmd/lkmd.conf.d/own.conf", "[Manager]\nMode=enforce\n")
    lkmctl(stock, "reload")
    lkmctl(stock, "load", "dummy")
    for debs, version in (([newer["lkmd"]], "0.1.0-2"), ([packages["lkmd"]], "0.1.0-1")):
        stock.run("systemd-run --quiet --unit=load lkmctl load lkmd_test_slow ms=600000")
        wait_coming(stock, "lkmd_test_slow")
        loader = stock.run("pidof lkmd-loader").stdout.split()
        install(stock, *debs)
        assert stock.run("dpkg-query -W -f '${Version}' lkmd").stdout == version
        assert "lkmd_test_slow" in loaded(stock)
        assert set(loader) <= set(stock.run("pidof lkmd-loader").stdout.split())       # the one that is in the init
        release(stock, "lkmd_test_slow")
        wait_idle(stock)
        assert "own" in lkmctl(stock, "load", "pcspkr", status=3).stderr
        assert ask(stock, "status", "dummy")["module"]["loadedBy"]["requester"]["key"] == "dummy"
        assert ask(stock, "status")["inCharge"] == "lkmd"
        lkmctl(stock, "unload", "lkmd_test_slow")
        stock.run("systemctl reset-failed load.service", check=False)
    assert stock.run("systemctl --failed --no-legend").stdout == ""
