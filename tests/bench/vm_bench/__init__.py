# SPDX-License-Identifier: LGPL-2.1-or-later
"""Benchmarks on virtual machines: lkmd beside what it stands in for. Each file below NAMES has a measure(options) that
returns one object for --json, and a show(result) that makes a table of it; docs/PERFORMANCE.md says what is counted."""

NAMES = ("coldplug", "hotplug", "storm", "memory")
