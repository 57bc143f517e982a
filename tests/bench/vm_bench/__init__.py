# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks on virtual machines: lkmd beside what it stands in for. Each file that NAMES has the name of has a
measure(options), which returns one object for --json, and a show(result), which makes a table of it.
docs/PERFORMANCE.md says what is counted."""

NAMES = ("coldplug", "hotplug", "storm", "memory", "request", "answers", "modprobe")
