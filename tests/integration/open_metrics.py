# SPDX-License-Identifier: LGPL-2.1-or-later
"""A parser of the part of OpenMetrics 1.0 that the older text format of Prometheus understands as well. It accepts nothing
else: what it lets pass may be shown to either."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
UNITS = ("seconds", "bytes")


class Family:
    def __init__(self, name, kind):
        self.name, self.type = name, kind
        self.unit = self.help = None
        self.samples = {}               # (suffix, ((label, value), ...)): number

    def value(self, suffix="", **labels):
        return self.samples[(suffix, tuple(labels.items()))]


def parse(text):
    """Name of the family: Family."""
    assert text.endswith("\n# EOF\n") or text == "# EOF\n", "it has to end with # EOF and nothing after it"
    families, family = {}, None
    for line in text.splitlines()[:-1]:
        if line.startswith("#"):
            family = _descriptor(families, family, line)
        else:
            assert family, f"a sample before any TYPE: {line}"
            _sample(family, line)
    for family in families.values():
        assert family.samples and family.help, f"{family.name} without samples or HELP"
        assert not _names(family) & {name for other in families.values() if other is not family for name in _names(other)}
        if family.type == "histogram":
            _check_histogram(family)
    return families


def _names(family):
    """All that a family calls its own; no other may have it."""
    return {family.name} | {family.name + suffix for suffix in SUFFIXES[family.type]}


def _descriptor(families, family, line):
    keyword, name, rest = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.+)", line).groups()
    if keyword == "TYPE":
        assert name not in families, f"{name} twice"
        assert rest in SUFFIXES, f"{rest} is no type of both formats"
        assert not name.endswith("_total"), f"the name of {name} is that without _total"
        families[name] = Family(name, rest)
        return families[name]
    assert family and family.name == name and not family.samples, f"{line} does not stand below its TYPE"
    if keyword == "UNIT":
        assert family.unit is None and rest in UNITS and name.endswith("_" + rest), line
        family.unit = rest
    else:
        assert family.help is None and "\\" not in rest, line
        family.help = rest
    return family


def _sample(family, line):
    match = SAMPLE.fullmatch(line)
    assert match, f"no sample: {line}"
    name, labels = match[1], tuple((key, _unescape(value)) for key, value in re.findall(LABEL, match[2] or ""))
    suffix = name.removeprefix(family.name)
    assert name.startswith(family.name) and suffix in SUFFIXES[family.type], f"{name} is none of {family.name}"
    assert len({key for key, _ in labels}) == len(labels), f"a label twice: {line}"
    assert (suffix, labels) not in family.samples, f"{line} is there twice"
    number = float(match[match.lastindex])
    assert number >= 0 or family.type == "gauge", f"it cannot be negative: {line}"
    family.samples[(suffix, labels)] = number


def _unescape(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def _check_histogram(family):
    series = {}
    for (suffix, labels), number in family.samples.items():
        if suffix == "_bucket":
            assert labels[-1][0] == "le", f"le is the last label: {labels}"
            series.setdefault(labels[:-1], []).append((labels[-1][1], number))
    assert series
    for labels, buckets in series.items():
        bounds = [float(bound) for bound, _ in buckets]
        assert bounds == sorted(set(bounds)) and buckets[-1][0] == "+Inf", f"bounds out of order: {bounds}"
        assert all(bound == repr(float(bound)) for bound, _ in buckets[:-1]), f"not the form that is asked for: {buckets}"
        counts = [number for _, number in buckets]
        assert counts == sorted(counts) and counts[-1] == family.samples[("_count", labels)], f"counts that shrink: {counts}"
        assert ("_sum", labels) in family.samples
