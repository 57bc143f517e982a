# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who takes part in the coldplug benchmark, and how each is started; all of it is shell in the machine."""

import collections

from . import guest

# name
# prepare:  before the clock runs
# command:  ends when it has done its part, or when somebody else knows that it is to be done
# idle:     ends when its services have nothing left to do
# services: whose control groups are its own
# by_hand:  True if what `command` runs is the contender, too, and not just the switch that starts it
Contender = collections.namedtuple("Contender", "name prepare command idle services by_hand")

REPLAY_LIST = "/run/bench-replay.list"

# As systemd-udev-trigger.service does.
TRIGGER = "udevadm trigger --type=all --action=add --prioritized-subsystem=module,block,tpmrm,net,tty,input"
UNMASK = f"rm {guest.MASKS}/{guest.AUTOLOAD}"
MASK_OTHERS = (f"for rule in {guest.RULES}/*.rules; do [ ${{rule##*/}} = {guest.AUTOLOAD} ] || "
               f"ln -sf /dev/null {guest.MASKS}/${{rule##*/}}; done")

MODPROBE_ALL = "find /sys -name modalias -print0 | xargs -0 cat | sort -u | xargs modprobe -abq || true"

# mdev -s only looks for device nodes and never sees a MODALIAS: what loads drivers is its daemon, which is told of
# every device again. It goes through the events one after the other, and starts modprobe for each.
MDEV_PID = "$(systemctl show --value -p MainPID bench-mdev)"
MDEV_START = f"""
echo '$MODALIAS=.* 0:0 660 @modprobe -q -b "$MODALIAS"' >/etc/mdev.conf
systemd-run --quiet --unit=bench-mdev busybox mdev -df
until awk -v pid={MDEV_PID} '$3 == pid {{ found = 1 }} END {{ exit !found }}' /proc/net/netlink; do sleep 0.2; done
"""
MDEV_ADD = "find /sys/devices -name uevent | while read -r file; do echo add >$file; done"
MDEV_IDLE = f"""
pid={MDEV_PID}
waits() {{ awk -v pid=$pid '$3 == pid {{ n += $5 }} END {{ print n + 0 }}' /proc/net/netlink; }}
until [ -z "$(pgrep -P $pid)" ] && [ "$(waits)" = 0 ]; do sleep 0.3; done
"""

CONTENDERS = (
    # Where the administrator has masked udev's rule, lkmd is not in charge either.
    Contender("lkmd", UNMASK, "systemctl start lkmd", "lkmctl --quiet wait --idle --timeout=300",
              ("lkmd.service", "lkmd-loader.service"), False),
    Contender("udevd", UNMASK, TRIGGER, "", (guest.UDEVD,), True),
    Contender("udevd-kmod-only", f"{MASK_OTHERS}; {UNMASK}", TRIGGER, "", (guest.UDEVD,), True),
    Contender("modprobe-all", "", MODPROBE_ALL, "", (), True),
    Contender("mdev", MDEV_START, MDEV_ADD, MDEV_IDLE, ("bench-mdev.service",), True),
    # As many threads as lkmd has.
    Contender("replay", "", f"n=$(($(nproc) + 4)); bench-replay {REPLAY_LIST} $((n < 16 ? n : 16))", "", (), True),
)
