# SPDX-License-Identifier: LGPL-2.1-or-later
"""A module that modprobe can load, lkmd can load: all of them, in ten pairs of machines."""

import zlib

import pytest

from sweep import same_as_modprobe


@pytest.mark.parametrize("tenth", range(10))
def test_all(tenth):
    loaded = same_as_modprobe(lambda name: zlib.crc32(name.encode()) % 10 == tenth)
    assert sum(loaded.values()) > 250
