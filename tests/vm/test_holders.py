# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl holders on a machine where something holds modules in every way that it knows: the right one is named."""

import json
import re

import pytest

from support import ask, lkmctl, loaded

HOLD = r"""
import os, socket, sys, time
kinds = {"alg": lambda: socket.socket(38, 5, 0), "sctp": lambda: socket.socket(2, 1, 132),
         "netfilter": lambda: socket.socket(16, 3, 12)}
word = sys.argv[1]
if word == "alg":
    held = kinds[word]()
    held.bind(("hash", "sha256"))
elif word in kinds:
    held = kinds[word]()
    if word == "netfilter":
        held.bind((0, 0))
elif os.path.isfile(word):
    held = open(word)
else:
    held = open(word, "rb", buffering=0)
open("/run/holds-" + os.path.basename(word), "w").write(str(os.getpid()))
time.sleep(100000)
"""

SETUP = r"""
set -e
truncate -s 32M /root/ext4.img /root/swap.img
for module in af_alg algif_hash sctp dummy veth bridge tun snd_dummy null_blk dm_mod zram loop ext4; do
    lkmctl -q load $module
done
mkfs.ext4 -q /root/ext4.img
mkdir -p '/mnt/a b'
mount -o loop /root/ext4.img '/mnt/a b'
echo 16M >/sys/block/zram0/disksize
mkswap -q /dev/zram0 2>/dev/null || mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
dmsetup create held --table "0 1024 linear /dev/nullb0 0"
ip link add dummy7 type dummy
ip link add veth7 type veth peer name veth8
ip netns add apart
ip link set veth8 netns apart
ip link add br7 type bridge
ip tuntap add tap7 mode tap
for word in alg sctp netfilter /dev/snd/controlC0 /dev/loop-control; do
    systemd-run -q --unit=holds-$(basename $word) python3 /root/hold.py $word
done
"""

# module, kind, what its row says (a regular expression), the command that ends it; {pid:NAME} is a process of holds-NAME
CASES = [
    ("ext4", "mount", r"^/mnt/a b is a mounted ext4 of /dev/loop\d+$", "umount '/mnt/a b'"),
    ("loop", "mount", r"^/mnt/a b is a mounted ext4 of /dev/loop\d+$", "umount '/mnt/a b'"),
    ("loop", "loop", r"^/dev/loop\d+ shows the file /root/ext4.img$", r"losetup -d /dev/loop\d+"),
    ("loop", "file", r"has /dev/loop-control open$", "systemctl stop holds-loop-control.service"),
    ("jbd2", "module", r"^ext4 needs it$", "lkmctl unload ext4"),
    ("zram", "swap", r"^/dev/zram0 is used as swap space$", "swapoff /dev/zram0"),
    ("null_blk", "block", r"^/dev/dm-\d+ \(held\) is made of /dev/nullb0$", "dmsetup remove held"),
    ("dm_mod", "block", r"^/dev/dm-\d+ \(held\) is a mapped device$", "dmsetup remove held"),
    ("dummy", "interface", r"^dummy7 is an interface of the kind dummy, down$", "ip link delete dummy7"),
    ("veth", "interface", r"^veth8 is an interface of the kind veth, down, in the name space apart$",
     "ip netns exec apart ip link delete veth8"),
    ("bridge", "interface", r"^br7 is an interface of the kind bridge, down$", "ip link delete br7"),
    ("tun", "interface", r"^tap7 is an interface of the kind tun, down$", "ip link delete tap7"),
    ("af_alg", "socket", r"has a socket of the protocol ALG open$", "systemctl stop holds-alg.service"),
    ("algif_hash", "socket", r"has a socket of the protocol ALG open$", "systemctl stop holds-alg.service"),
    ("sctp", "socket", r"has a socket of the protocol SCTP open$", "systemctl stop holds-sctp.service"),
    ("nfnetlink", "socket", r"has a socket of netlink's protocol 12 open$", "systemctl stop holds-netfilter.service"),
    ("snd_dummy", "file", r"has /dev/snd/controlC0 open$", "systemctl stop holds-controlC0.service"),
    ("snd", "file", r"has /dev/snd/controlC0 open$", "systemctl stop holds-controlC0.service"),
    ("snd_dummy", "device", r"^snd_dummy.0 .*is driven by it$", None),
]


@pytest.fixture(scope="module")
def held(machine):
    machine.write("/root/hold.py", HOLD)
    machine.run(SETUP, timeout=180)
    for name in "alg", "sctp", "netfilter", "controlC0", "loop-control":
        machine.wait(f"test -s /run/holds-{name}")
    return machine


def sentence(hold):
    return f"{hold['name']} {hold['how']}" if "pid" not in hold else hold["how"]


def test_each_kind_is_found(held):
    answers = {module: ask(held, "holders", module) for module in sorted({case[0] for case in CASES})}
    missing = []
    for module, kind, words, command in CASES:
        if not any(h["kind"] == kind and re.search(words, sentence(h)) and (not command or re.fullmatch(command, h.get("next", "")))
                   for h in answers[module]["holders"]):
            missing.append((module, kind, words, answers[module]))
    assert not missing, "\n".join(map(str, missing))

    # the right processes, by number, name and unit
    for module, name in (("af_alg", "alg"), ("sctp", "sctp"), ("snd_dummy", "controlC0"), ("loop", "loop-control")):
        pid = int(held.read(f"/run/holds-{name}"))
        hold = next(h for h in answers[module]["holders"] if h.get("pid") == pid)
        assert (hold["command"], hold["unit"]) == ("python3", f"holds-{name}.service")

    # nothing is left to explain, and what has no references is not blamed
    for module, answer in answers.items():
        assert answer["references"] == int(held.read(f"/sys/module/{module}/refcnt")), module
        assert module not in ("ext4", "loop", "af_alg", "algif_hash") or answer["explained"] == answer["references"], answer
    assert all(h["references"] == 0 for h in answers["dummy"]["holders"] + answers["veth"]["holders"])
    assert [h["probable"] for h in answers["algif_hash"]["holders"] if h["kind"] == "socket"] == [True]


def test_a_mount_of_another_name_space(held):
    held.write("/root/apart.sh", "mkdir -p /mnt/apart; mount --bind '/mnt/a b' /mnt/apart; exec sleep 100000\n")
    held.run("systemd-run -q --unit=apart -p PrivateMounts=yes sh /root/apart.sh")
    held.wait("grep -q /mnt/apart /proc/$(systemctl show --value -p MainPID apart)/mountinfo")
    pid = held.run("systemctl show --value -p MainPID apart").stdout.strip()
    holds = [h for h in ask(held, "holders", "ext4")["holders"] if h["name"] == "/mnt/apart"]
    assert holds and holds[0]["next"] == f"nsenter -m -t {pid} umount /mnt/apart"
    held.run("systemctl stop apart")


def test_a_file_system_that_is_mounted_nowhere(held):
    """The use that no table shows: umount --lazy, while somebody has a file of it open."""
    held.run("truncate -s 16M /root/lazy.img; mkfs.ext4 -q /root/lazy.img; mkdir -p /mnt/lazy; "
             "mount -o loop /root/lazy.img /mnt/lazy; touch /mnt/lazy/kept")
    held.run("systemd-run -q --unit=holds-kept python3 /root/hold.py /mnt/lazy/kept")
    held.wait("test -s /run/holds-kept")
    held.run("umount --lazy /mnt/lazy")
    pid = int(held.read("/run/holds-kept"))
    for module in "ext4", "loop":
        answer = ask(held, "holders", module)
        holds = [h for h in answer["holders"] if h.get("pid") == pid and "mounted nowhere any more" in h["how"]]
        assert holds and holds[0]["probable"] and holds[0]["next"] == "systemctl stop holds-kept.service", answer
        assert answer["explained"] == answer["references"]
    held.run("systemctl stop holds-kept")


def test_who_may_not_look(held):
    """Others see what anybody sees, and are told what they did not."""
    answer = json.loads(held.run("setpriv --reuid=65534 --clear-groups lkmctl --json=short holders loop").stdout)
    assert answer["unseenProcesses"] > 0
    assert {"mount", "loop"} <= {h["kind"] for h in answer["holders"]}
    text = held.run("setpriv --reuid=65534 --clear-groups lkmctl holders loop").stdout
    assert "sudo lkmctl holders loop" in text
    failed = held.run("setpriv --reuid=65534 --clear-groups lkmctl holders --trace=1s loop", check=False)
    assert failed.returncode == 1 and "only root may trace" in failed.stderr and "sudo" in failed.stderr


def test_processes_that_come_and_go(held):
    held.run("systemd-run -q --unit=crowd sh -c 'while :; do cat /dev/null </dev/loop-control; done'")
    for _ in range(3):
        assert ask(held, "holders", "loop")["references"] >= 2
    held.run("systemctl stop crowd")


def test_a_refused_unload_says_what_to_do(held):
    refused = lkmctl(held, "unload", "ext4", status=1).stderr
    assert "held by: /mnt/a b is a mounted ext4" in refused
    assert "try: umount '/mnt/a b'; lkmctl holders ext4 shows all that uses it" in refused
    assert "ext4" in loaded(held)


def test_trace(held):
    held.run("systemd-run -q --unit=opens sh -c 'while :; do head -c 1 /dev/loop-control; blockdev --getsize64 /dev/loop7; "
             "done'")
    answer = ask(held, "holders", "--trace=2s", "loop")
    assert any(c["command"] == "blockdev" and c["taken"] > 0 and c["callSite"].startswith(("bdev_open", "blkdev_"))
               for c in answer["callers"]), answer
    text = lkmctl(held, "holders", "--trace=1s", "loop").stdout
    assert "TAKEN" in text and "blockdev" in text
    held.run("systemctl stop opens")
    # Ctrl-C ends it early, and leaves nothing
    held.run("timeout -s INT 1 lkmctl holders --trace=1h loop", check=False)
    assert held.run("ls /sys/kernel/tracing/instances").stdout == ""


def test_what_is_not_there(held):
    assert "is not loaded" in lkmctl(held, "holders", "floppy", status=1).stderr
    assert "part of the kernel image" in lkmctl(held, "holders", "virtio_pci", status=1).stderr
    lkmctl(held, "holders", "a/b", status=5)
    lkmctl(held, "holders", "x" * 70, status=5)
    lkmctl(held, "holders", status=2)
    assert lkmctl(held, "holders", "btrfs", status=1).stderr.count("lkmctl:") == 1
