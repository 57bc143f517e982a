# SPDX-License-Identifier: LGPL-2.1-or-later
"""A denied module, and every way that leads to it: by its name, by an alias, as a dependency, as a softdep, by a device, by
an install command. None of them may bring it in."""

import random

from driver import lab
from support import ask_all, lkmctl, loaded, wait_idle

POLICY = "/etc/lkmd/policy.d/ways.yaml"
CONF = "/etc/modprobe.d/ways.conf"
KEYBOARD = "usb:v0627p0001*"                    # usb-kbd of the emulator
CARRIER = "dummy"                               # loaded with all of them as its softdeps


class Tree:
    """What the files of the guest's module directory say, read on the host."""

    def __init__(self):
        directory = lab.guest_root() / "usr/lib/modules" / lab.kernel_version()
        self.needs = {}
        for line in (directory / "modules.dep").read_text().splitlines():
            path, _, rest = line.partition(":")
            self.needs[self.name_of(path)] = [self.name_of(word) for word in rest.split()]
        self.with_softdep = sorted({line.split()[1].replace("-", "_")
                                    for line in (directory / "modules.softdep").read_text().splitlines()
                                    if line.startswith("softdep ")})
        self.aliases = {}
        for line in (directory / "modules.alias").read_text().splitlines():
            if line.startswith("alias "):
                _, pattern, module = line.split()
                self.aliases.setdefault(module, pattern)

    @staticmethod
    def name_of(path):
        return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")

    def instance(self, module):
        """A text that the first alias of a module matches; None if it has none."""
        text, out = self.aliases.get(module), ""
        if text is None:
            return None
        while text:
            if text[0] == "[":
                inside, _, text = text[1:].partition("]")
                out += inside[0]
            else:
                out += {"*": "", "?": "0"}.get(text[0], text[0])
                text = text[1:]
        return out

    def dependant(self, module, without):
        """The first module that needs this one and is not one of the others; None if there is none."""
        return next((name for name, needs in self.needs.items() if module in needs and name not in without), None)


def choose(tree, machine, others):
    """The modules that have a softdep, and some of the others, that others need if there are such."""
    there = loaded(machine) | {need for name in loaded(machine) for need in tree.needs.get(name, [])}
    fit = [name for name in sorted(tree.needs) if name not in there and name != CARRIER]
    needed = {need for needs in tree.needs.values() for need in needs}
    pool = [name for name in fit if name in needed and name not in tree.with_softdep]
    chosen = [name for name in tree.with_softdep if name in fit]
    return chosen + random.Random(39).sample(pool, min(others, len(pool)))


def deny(machine, modules):
    """Write and put in force a rule for each, and all the other ways to them. Returns the line of each rule."""
    text, lines = "version: 1\nrules:\n", {}
    for name in modules:
        lines[name] = text.count("\n") + 1
        text += f"  - {{id: way-{name}, match: {{module: {name}}}, verdict: deny, reason: not {name}}}\n"
    machine.write(POLICY, text)
    conf = "".join(f"alias ways-to-{name} {name}\n"
                   f"alias {KEYBOARD} {name}\n"
                   f"install ways_run_{name} /usr/bin/lkmctl load {name}\n" for name in modules)
    conf += f"softdep {CARRIER} pre: {' '.join(modules[::2])} post: {' '.join(modules[1::2])}\n"
    machine.write(CONF, conf)
    lkmctl(machine, "reload")
    return lines


def try_keys(machine, keys):
    """lkmctl load for each of many keys; [(exit status, what it said)]."""
    machine.write("/root/ways", "".join(f"{key}\n" for key in keys))
    out = machine.run("n=0; while read -r key; do said=$(lkmctl load \"$key\" 2>&1 </dev/null); "
                      "printf '%s\\037%s\\036' $? \"$said\"; done </root/ways", timeout=600).stdout
    answers = [part.split("\x1f") for part in out.split("\x1e")[:-1]]
    assert len(answers) == len(keys)
    return [(int(status), said) for status, said in answers]


def no_way_leads_in(machine, others):
    tree = Tree()
    modules = choose(tree, machine, others)
    assert len(modules) >= 30 + others
    lines = deny(machine, modules)
    try:
        for prefix in ("", "ways-to-"):                         # its name, an alias
            for name, (status, said) in zip(modules, try_keys(machine, [prefix + name for name in modules])):
                assert status == 3, (prefix, name, status, said)
                assert f"{name} is denied by {POLICY}:{lines[name]}: not {name}" in said, said

        instances = [i for name in modules if (i := tree.instance(name))]
        for key, (status, said) in zip(instances, try_keys(machine, instances)):
            assert status in (0, 1, 3), (key, status, said)     # others may match it too, and have no hardware

        pairs = [(name, d) for name in modules if (d := tree.dependant(name, modules))]
        assert len(pairs) >= others
        for (_, dependant), (status, said) in zip(pairs, try_keys(machine, [d for _, d in pairs])):
            to_blame = [n for n in tree.needs[dependant] if n in lines]     # it may need several of them
            assert status == 3 and "needed by" in said, (dependant, said)
            assert any(f"is denied by {POLICY}:{lines[n]}: not {n}" in said for n in to_blame), (dependant, said)

        for name, (status, said) in zip(modules, try_keys(machine, [f"ways_run_{name}" for name in modules])):
            assert status == 1, (name, status, said)            # it is the command that fails

        answer = ask_all(machine, "load", CARRIER)[-1]
        assert {o["module"] for o in answer["omissions"] if o["kind"] == "denied"} == set(modules)
        lkmctl(machine, "unload", CARRIER)

        machine.qmp("device_add", driver="usb-kbd", id="ways", bus="xhci.0")
        machine.wait("grep -qx 0627 /sys/bus/usb/devices/*/idVendor")
        wait_idle(machine)
        refused = [e for e in ask_all(machine, "policy", "audit") if e["kind"] == "refused" and e["origin"] == "device"]
        assert set(modules) <= {entry["module"] for entry in refused}
        for entry in refused:
            if entry["module"] in lines:
                assert (entry["file"], entry["line"]) == (POLICY, lines[entry["module"]])
        machine.unplug("ways")
        assert not set(modules) & loaded(machine)
    finally:
        machine.run(["rm", "-f", POLICY, CONF])
        lkmctl(machine, "reload")
