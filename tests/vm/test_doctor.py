# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl doctor on a real machine: all is well there, and whatever is broken is named with the command that repairs it."""

import shutil

import pytest

from support import RULE, ask_all, lkmctl, loaded

POLICY = "/etc/lkmd/policy.d/doctor.yaml"
DENY = "version: 1\nrules:\n- {{id: no, match: {{module: {}}}, verdict: deny, reason: not here}}\n"
MASK = "/etc/udev/rules.d/80-drivers.rules"


def doctor(machine, status=0):
    """{check: [(state, sentence, command)]}"""
    found = {}
    for item in ask_all(machine, "doctor", status=status, timeout=300):
        found.setdefault(item["check"], []).append((item["state"], item["sentence"], item.get("command")))
    return found


def not_well(found):
    return {check: rows for check, rows in found.items() if any(state not in ("ok", "note") for state, *_ in rows)}


def repairs(machine, check, sentence, command):
    """One thing needs a hand, and it is this."""
    found = not_well(doctor(machine, status=1))
    assert list(found) == [check] or check in found, found
    rows = [row for row in found[check] if row[0] == "repair"]
    assert any(sentence in row[1] and command in row[2] for row in rows), found


def test_all_is_well_and_then_not(machine):
    found = doctor(machine)
    assert not_well(found) == {}, found
    assert found["lkmd"][0][1].endswith("runs and loads drivers for devices")
    assert found["kernel.modprobe"][0][0] == "ok" and found["udev"][0][0] == "ok" and found["gate"][0][0] == "ok", found
    assert "All is well." in lkmctl(machine, "doctor").stdout

    # Root sees more than others, who are told so.
    text = machine.run("setpriv --reuid=65534 --regid=65534 --clear-groups lkmctl doctor", check=False)
    assert text.returncode == 0 and "lkmd" in text.stdout, text

    machine.run(f"mkdir -p /etc/udev/rules.d; ln -s /dev/null {MASK}")
    repairs(machine, "udev", f"{MASK} masks udev's rule", f"rm {MASK}")
    machine.run(f"rm {MASK}; udevadm control --reload")
    lkmctl(machine, "wait", "--idle", "--timeout=60")

    machine.run("sysctl -q -w kernel.modprobe=/sbin/modprobe")
    repairs(machine, "kernel.modprobe", "asks /sbin/modprobe, not lkmd", "systemctl restart lkmd")
    machine.run("systemctl restart lkmd")
    machine.run("sysctl -q -w kernel.modprobe=/nowhere")
    repairs(machine, "kernel.modprobe", "its program /nowhere is missing", "sysctl -w kernel.modprobe=/sbin/modprobe")
    machine.run("sysctl -q -w kernel.modprobe=/sbin/modprobe; systemctl restart lkmd")

    release = machine.kernel_version
    machine.run(f"mkdir -p /lib/modules/{release}/extra; cp $(modinfo -n dummy) /lib/modules/{release}/extra/lkmd_newcomer.ko.xz")
    repairs(machine, "module index", "since 1 module was put there", "depmod -a")
    machine.run(f"rm /lib/modules/{release}/extra/lkmd_newcomer.ko.xz")

    machine.write("/etc/lkmd/policy.d/broken.yaml", "version: 7\n")
    machine.run("lkmctl reload", check=False)
    repairs(machine, "policy", "a file of the policy is broken", "lkmctl policy check")
    machine.run("rm /etc/lkmd/policy.d/broken.yaml; lkmctl reload")

    assert not_well(doctor(machine)) == {}
    lkmd_stopped(machine)
    modules_disabled(machine)


def lkmd_stopped(machine):
    machine.run("systemctl stop lkmd.service")
    repairs(machine, "lkmd", "lkmd does not answer", "systemctl start lkmd")
    found = doctor(machine, status=1)
    assert found["udev"][0][0] == "ok" and found["kernel.modprobe"][0][0] == "ok" and found["leftovers"][0][0] in ("ok", "note"), found
    machine.run(f"ln -sf /dev/null {RULE}")
    repairs(machine, "udev", "earlier versions of lkmd did: nobody loads drivers", f"rm {RULE}")
    machine.run(f"rm {RULE}; udevadm control --reload; systemctl start lkmd")
    assert not_well(doctor(machine)) == {}


def modules_disabled(machine):
    """Until the machine is restarted, which is why it is the last."""
    machine.run("sysctl -q -w kernel.modules_disabled=1")
    repairs(machine, "kernel", "kernel.modules_disabled is 1", "reboot")


MAKERS = {
    "initramfs-tools": ("sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf; printf 'loop\\ndummy\\n' >/etc/initramfs-tools/modules; "
                        "mkinitramfs -o {image} {release} 2>&1", "update-initramfs -u -k {release}"),
    "dracut": ("dracut --force --no-hostonly --add-drivers loop --force-drivers 'dummy nbd' --modules 'bash kernel-modules base virtiofs lkmd' {image} {release} 2>&1",
               "dracut --force {image} {release}"),
}


# What dracut makes is compared with the disk in tests/integration, too; to make it takes two minutes where QEMU emulates.
EACH_MAKER = [pytest.param(maker, marks=pytest.mark.soak) if maker == "dracut" else maker for maker in MAKERS]


@pytest.mark.parametrize("maker", EACH_MAKER)
def test_images(fresh, boot, maker, tmp_path):
    """Made by the real programs: doctor compares it with the disk, before and after that has changed; and what is denied in it is
    not loaded from it, though the disk that it starts knows of no denial."""
    machine = fresh()
    release = machine.kernel_version
    image = f"/boot/initrd.img-{release}"
    command = MAKERS[maker][1].format(image=image, release=release)
    machine.write("/etc/modprobe.d/doctor-a.conf", "blacklist floppy\n")
    machine.write("/etc/modprobe.d/doctor-b.conf", "options loop max_loop=4\n")
    machine.write(POLICY, DENY.format("dummy"))
    machine.run(MAKERS[maker][0].format(image=image, release=release), timeout=1200)
    # While it is made, files of this machine's overlay leave the cache, and come back with other numbers of inodes.
    lkmctl(machine, "reload")
    found = doctor(machine)
    assert found["initramfs"] == [("ok", f"{image} has the configuration that is on disk", None)], found
    machine.run("sync")
    copy = shutil.copy(machine.disk.root / image.lstrip("/"), tmp_path)

    machine.write("/etc/modprobe.d/doctor-a.conf", "blacklist loop\n")
    machine.run("rm /etc/modprobe.d/doctor-b.conf")
    machine.write("/etc/modprobe.d/doctor-c.conf", "blacklist x25\n")
    machine.write(POLICY, DENY.format("nbd"))
    expected = {"modprobe.d/doctor-a.conf is another one than on disk", "modprobe.d/doctor-b.conf is still there, but not on disk any more",
                "modprobe.d/doctor-c.conf is missing", "modprobe.d/lkmd-denied.conf is another one than on disk",
                f"{POLICY.removeprefix('/etc/')} is another one than on disk"}
    rows = doctor(machine, status=1)["initramfs"]
    assert {row[1] for row in rows} == {f"in {image}, /etc/{text}" for text in expected} and {row[2] for row in rows} == {command}, rows
    assert {row[0] for row in rows} == {"repair"}
    others = machine.run("setpriv --reuid=65534 --regid=65534 --clear-groups lkmctl doctor", check=False).stdout
    assert "lkmd-denied.conf" in others or f"{image} may be read by root only" in " ".join(others.split()), others

    other = "loop" if maker == "initramfs-tools" else "nbd"
    started = boot(qemu=["-initrd", str(copy)], memory=1536)
    there = loaded(started)
    assert other in there and "dummy" not in there, there
    lkmctl(started, "load", "dummy")            # nothing denies it here
