# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the guest's depmod and modprobe.d say about modules: where they are, what they need, with which parameters."""

import collections
import re

from driver import lab


def normal(name):
    return name.replace("-", "_")


def name_of(path):
    return normal(path.rsplit("/", 1)[-1].split(".ko")[0])


def dependencies():
    """Module: (file in the guest, names of all that it needs), by modules.dep and the "pre" of modules.softdep."""
    directory = f"/usr/lib/modules/{lab.kernel_version()}"
    on_host = lab.guest_root() / directory.lstrip("/")
    found = {}
    for line in (on_host / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, needs = line.partition(":")
        found[name_of(path)] = (f"{directory}/{path}", {name_of(need) for need in needs.split()})
    for line in (on_host / "modules.softdep").read_text(encoding="ascii").splitlines():
        words = line.split()
        if len(words) > 2 and words[0] == "softdep" and normal(words[1]) in found:
            before = re.split(r"\bpost:", " ".join(words[2:]))[0].replace("pre:", "")
            found[normal(words[1])][1].update(normal(word) for word in before.split())
    return found


def parameters(machine):
    """Module: its parameters by the "options" lines of modprobe.d and the kernel's command line."""
    found = collections.defaultdict(list)
    for line in machine.run(["modprobe", "--showconfig"], timeout=120).stdout.splitlines():
        words = line.split()
        if len(words) > 2 and words[0] == "options":
            found[normal(words[1])] += words[2:]
    return {name: " ".join(words) for name, words in found.items()}


def replay_list(machine, names):
    """The list that tests/bench/replay.c reads, for modules in the order in which they came."""
    known, options = dependencies(), parameters(machine)
    position = {name: i for i, name in enumerate(names)}
    lines = []
    for name in names:
        path, needs = known[name]
        waits = sorted(position[need] for need in needs if need in position)
        lines.append(f"{path}\t{options.get(name, '')}\t{' '.join(map(str, waits))}\n")
    return "".join(lines)
