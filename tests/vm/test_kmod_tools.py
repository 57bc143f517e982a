# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian whose modprobe, insmod, rmmod, lsmod and modinfo are lkmd's: its own programs that use them, the policy in all of
them, and everything as it was before when they are taken out again."""

import hashlib
import os
import stat

import pytest

from support import ask, lkmctl, loaded, remove, wait_idle

DIVERT = "/usr/lib/lkmd/lkmd-divert"
POLICY = "/etc/lkmd/policy.d/50-tools.yaml"
PATHS = ("/usr/bin/lsmod", *(f"/usr/sbin/{name}" for name in ("insmod", "lsmod", "modinfo", "modprobe", "rmmod")))
NOT_FILES = ("dev", "proc", "run", "sys", "tmp", "var")         # of the running system, and dpkg's records: see diversions()


def manifest(machine):
    """Every file of the disk: what it is and when it was written; of commands also the content."""
    found = {}
    for top, directories, files in os.walk(machine.disk.root):
        if top == str(machine.disk.root):
            directories[:] = sorted(set(directories) - set(NOT_FILES))
        for name in [*files, *directories]:
            path = os.path.join(top, name)
            info = os.lstat(path)
            what = [info.st_mode, info.st_uid, info.st_gid]
            if stat.S_ISLNK(info.st_mode):
                what += [os.readlink(path), info.st_mtime_ns]
            elif stat.S_ISREG(info.st_mode):
                what += [info.st_size, info.st_mtime_ns]
                if "/bin" in top or "/sbin" in top:
                    with open(path, "rb") as file:
                        what.append(hashlib.sha256(file.read()).hexdigest())
            found[os.path.relpath(path, machine.disk.root)] = what
    return found


def diversions(machine):
    return machine.run("dpkg-divert --list").stdout


@pytest.fixture(scope="module")
def original(machine):
    machine.run("sync")
    return manifest(machine), diversions(machine)


@pytest.fixture(scope="module", autouse=True)
def diverted(machine, original):
    machine.run([DIVERT, "on"])
    machine.install_test_modules()
    lkmctl(machine, "reload")
    wait_idle(machine)


def requester(machine, module):
    return ask(machine, "status", module)["module"]["loadedBy"]["requester"]


def file_of(machine, module):
    return machine.run(["modinfo", "-n", module]).stdout.strip()


def test_the_commands(machine):
    """As root types them; who asked for it is on record each time."""
    assert sorted(machine.run([DIVERT, "status"]).stdout.splitlines()) == [f"{path} lkmd" for path in sorted(PATHS)]
    machine.run("modprobe -v lkmd_test_a")
    assert {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} <= loaded(machine)
    assert requester(machine, "lkmd_test_a")["command"] == "modprobe"
    assert requester(machine, "lkmd_test_a")["origin"] == "client"
    assert "modprobe" in lkmctl(machine, "why", "lkmd_test_c").stdout
    assert machine.run("lsmod").stdout == machine.run("kmod list").stdout
    assert machine.run("modinfo lkmd_test_a loop ext4").stdout == machine.run("exec -a modinfo kmod lkmd_test_a loop ext4").stdout
    assert machine.run("rmmod lkmd_test_c", check=False).stderr == "rmmod: ERROR: Module lkmd_test_c is in use by: lkmd_test_b\n"
    machine.run("rmmod lkmd_test_a")
    assert {"lkmd_test_b", "lkmd_test_c"} <= loaded(machine)            # alone
    history = ask(machine, "status", "lkmd_test_a")["history"]
    assert (history[0]["outcome"], history[0]["requester"]["command"]) == ("unloaded", "rmmod")
    machine.run("modprobe -r lkmd_test_b")
    assert not {"lkmd_test_b", "lkmd_test_c"} & loaded(machine)
    machine.run(f"insmod {file_of(machine, 'lkmd_test_c')}")
    machine.wait("lkmctl status lkmd_test_c --json | grep -q foreign", timeout=30)
    assert "insmod" in lkmctl(machine, "why", "lkmd_test_c").stdout
    assert "File exists" in machine.run(f"insmod {file_of(machine, 'lkmd_test_c')}", check=False).stderr
    remove(machine, "lkmd_test_c")


def test_what_is_denied_stays_out(machine):
    """By each of the commands and options, and by whatever name the file has."""
    machine.write(POLICY, "version: 1\nrules:\n- {match: {module: lkmd_test_c}, verdict: deny, reason: this is a test}\n")
    lkmctl(machine, "reload")
    file = file_of(machine, "lkmd_test_c")
    machine.run(f"cp {file} /root/other-name.ko; cp {file} /root/lkmd_test_c.ko")
    try:
        for command in ("modprobe lkmd_test_c", "modprobe -i lkmd_test_c", "modprobe -f lkmd_test_c", "modprobe -a lkmd_test_c", "modprobe lkmd_test_a",
                        "modprobe --first-time lkmd-test-c", f"modprobe {file}", "modprobe /root/other-name.ko", f"insmod {file}",
                        "insmod /root/other-name.ko", "insmod -f /root/lkmd_test_c.ko", "cd /root; insmod lkmd_test_c.ko"):
            done = machine.run(command, check=False)
            assert done.returncode == 1 and f"is denied by {POLICY}:3: this is a test" in done.stderr, f"{command}: {done}"
            assert "lkmd_test_c" not in loaded(machine), command
        done = machine.run("modprobe -q lkmd_test_c", check=False)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    finally:
        machine.run(["rm", POLICY])
        lkmctl(machine, "reload")
    machine.run("modprobe lkmd_test_c")
    remove(machine, "lkmd_test_c")


def test_without_lkmd(machine):
    """They do then what kmod's do, and so does the kernel's own request."""
    machine.run("systemctl stop lkmd")
    try:
        machine.run("modprobe lkmd_test_a && rmmod lkmd_test_a && modprobe -r lkmd_test_b")
        machine.run(f"insmod {file_of(machine, 'lkmd_test_c')} && rmmod lkmd_test_c")
        assert not {"lkmd_test_a", "lkmd_test_b", "lkmd_test_c"} & loaded(machine)
        assert machine.read("/proc/sys/kernel/modprobe").strip() == "/sbin/modprobe"
        machine.run("ip link add dummy-tools type dummy && ip link del dummy-tools && modprobe -r dummy")
    finally:
        machine.run("systemctl start lkmd")
        wait_idle(machine)


def test_programs_of_debian(machine):
    """Units, mounts, firewalls, encrypted disks and tunnels: what needs a module gets it, and why says who needed it."""
    machine.run("systemctl start modprobe@lkmd_test_c.service")
    cause = requester(machine, "lkmd_test_c")
    assert (cause["command"], cause["unit"]) == ("modprobe", "modprobe@lkmd_test_c.service")
    assert "modprobe@lkmd_test_c.service" in lkmctl(machine, "why", "lkmd_test_c").stdout
    remove(machine, "lkmd_test_c")

    machine.run("truncate -s 32M /root/disk && mkfs.ext4 -q /root/disk && mkdir -p /root/there && mount -o loop /root/disk /root/there && "
                "touch /root/there/file && umount /root/there", timeout=120)
    assert {"loop", "ext4"} <= loaded(machine) and requester(machine, "ext4")["key"] == "fs-ext4"

    machine.run("nft add table inet t && nft 'add chain inet t c { type filter hook input priority 0; }' && "
                "nft 'add rule inet t c ct state established limit rate 5/second accept' && nft delete table inet t")
    machine.run("iptables-nft -A INPUT -p tcp -m multiport --dports 1,2 -m comment --comment x -j ACCEPT && iptables-nft -F INPUT")
    assert {"nf_tables", "nf_conntrack", "nft_limit", "nft_compat"} <= loaded(machine)

    machine.run("printf secret >/root/key && truncate -s 20M /root/crypt && "
                "cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /root/key /root/crypt && "
                "cryptsetup open --key-file /root/key /root/crypt tools && cryptsetup status tools && cryptsetup close tools", timeout=240)
    assert "dm_crypt" in loaded(machine)

    machine.run("ip link add wg-tools type wireguard && wg show wg-tools && ip link del wg-tools", timeout=120)
    assert requester(machine, "wireguard")["key"] == "rtnl-link-wireguard"
    assert machine.run("systemctl --failed --no-legend").stdout == ""


DKMS = {
    "dkms.conf": 'PACKAGE_NAME="lkmd-own"\nPACKAGE_VERSION="1.0"\nBUILT_MODULE_NAME[0]="lkmd_own"\nDEST_MODULE_LOCATION[0]="/updates/dkms"\nAUTOINSTALL="yes"\n',
    "Makefile": "obj-m := lkmd_own.o\nall:\n\t$(MAKE) -C /lib/modules/$(KERNELRELEASE)/build M=$(CURDIR) modules\n"
                "clean:\n\t$(MAKE) -C /lib/modules/$(KERNELRELEASE)/build M=$(CURDIR) clean\n",
    "lkmd_own.c": '#include <linux/module.h>\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("made by dkms");\nMODULE_VERSION("1.0");\n',
}


@pytest.mark.soak
def test_dkms(machine):
    for name, text in DKMS.items():
        machine.write(f"/usr/src/lkmd-own-1.0/{name}", text)
    machine.run("dkms add lkmd-own/1.0 && dkms build lkmd-own/1.0 && dkms install lkmd-own/1.0", timeout=900)
    assert "made by dkms" in machine.run("modinfo -d lkmd_own").stdout
    machine.run("modprobe lkmd_own")
    assert requester(machine, "lkmd_own")["command"] == "modprobe"
    machine.run("modprobe -r lkmd_own && dkms uninstall lkmd-own/1.0 && dkms autoinstall && modprobe lkmd_own && rmmod lkmd_own", timeout=900)
    machine.run("dkms remove lkmd-own/1.0 --all; rm -r /usr/src/lkmd-own-1.0", timeout=300)


INITRAMFS = "printf 'MODULES=list\\nCOMPRESS=gzip\\n' >/etc/initramfs-tools/conf.d/tools && echo lkmd_test_c >>/etc/initramfs-tools/modules"


@pytest.mark.soak
def test_initramfs(machine, boot):
    """update-initramfs puts lkmd's modprobe in, with what it needs, and a machine boots from that."""
    machine.run(INITRAMFS)
    release = machine.kernel_version
    machine.run(f"update-initramfs -c -k {release}", timeout=900)
    listed = machine.run(f"lsinitramfs -l /boot/initrd.img-{release}", timeout=300).stdout
    assert "usr/sbin/modprobe -> " in listed and "usr/bin/lkmctl" in listed and "libkmod.so.2" in listed and "lkmd_test_c.ko" in listed
    image = machine.disk.dir / "initrd"
    image.write_bytes(machine.read_bytes(f"/boot/initrd.img-{release}"))
    other = boot(qemu=["-initrd", str(image)], append="break=none")
    assert "lkmd_test_c" in loaded(other)
    assert ask(other, "status", "lkmd_test_c")["module"]["loadedBy"]["requester"]["origin"] == "initramfs"


def test_last_everything_as_before(machine, original):
    files, list_before = original
    machine.run([DIVERT, "off"])
    assert machine.run([DIVERT, "status"], check=False).returncode == 1
    assert diversions(machine) == list_before
    machine.run("sync")
    now = manifest(machine)
    changed = {name for name in files.keys() | now.keys() if files.get(name) != now.get(name)}
    assert not {name for name in changed if name.startswith(("usr/bin", "usr/sbin", "bin", "sbin", "boot"))} - {f"boot/initrd.img-{machine.kernel_version}"}
    # what the tests themselves have made
    assert not {name for name in changed if not name.startswith(("root", "etc/initramfs-tools", "etc/lkmd", "usr/lib/modules", "boot/initrd.img", "usr/src"))}
    machine.run("kmod --version; modprobe --version | grep -q '^+ZSTD'; modprobe dummy && modprobe -r dummy")
