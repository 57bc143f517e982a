# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module that modprobe can load, lkmd can load: one of eighty, and those whose inits look at the rights of who loads them.
All of them are in tests/soak."""

import zlib

from sweep import same_as_modprobe

ALWAYS = {"qrtr_mhi", "qrtr_smd", "qrtr_tun", "nfnetlink_log", "tcp_bbr", "br_netfilter"}


def test_one_of_eighty():
    loaded = same_as_modprobe(lambda name: zlib.crc32(name.encode()) % 80 == 0 or name in ALWAYS)
    assert sum(loaded.values()) > 30 and loaded["qrtr_mhi"]
