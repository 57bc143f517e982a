# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the plan says, what lkmd does and what it writes down are one and the same, for any policy and any request.

Policies, modprobe.d and requests are made by chance. The plan comes from a program that has nothing of the daemon
in it (answers.c); the daemon gets the same files, and the requests over its socket.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from daemon_bench import BUILD, MODULES, Client, Daemon, VarlinkError, make_tree

POLICIES = 360
REQUESTS = 40                                   # for each; twice, since Mode=audit follows Mode=enforce
TOGETHER = 20                                   # policies for one life of the daemon, whose table has room for so much
REFUSALS = ("denied", "blacklisted", "impossible")

NAMES = [*MODULES, "lkmdt_in_kernel"]
GLOBS = [*NAMES, "lkmdt-top", "lkmdt_*", "lkmdt_[ab]*", "lkmdt_?lo*", "*", "lkmdt_m*", "nothing*"]
PATTERNS = {
    "module": GLOBS, "license": ["GPL", "Proprietary", "G*"], "signed": ["yes", "no"], "intree": ["yes", "no"],
    "path": ["kernel/*", "*lkmdt-top*", "updates/*"], "signer": ["?*", "Build*"],
    "alias": ["any:*", "any:a*", "usb:*", "acpi*", "lkmdt*", "*"], "modalias": ["usb:v1111*", "acpi:*", "*"],
    "origin": ["client", "device", "kernel"], "subsystem": ["usb"], "driver": ["*"], "uid": ["0", "1-1000", "0-5"],
}


def make_match(dice):
    keys = dice.sample(sorted(PATTERNS), dice.choice((0, 1, 1, 2)))
    if dice.random() < 0.6 and "module" not in keys:
        keys.append("module")
    parts = []
    for key in keys:
        patterns = [f'"{dice.choice(("", "", "", "!"))}{pattern}"' for pattern in
                    dice.sample(PATTERNS[key], dice.randint(1, min(2, len(PATTERNS[key]))))]
        parts.append(f"{key}: [{', '.join(patterns)}]")
    return "{" + ", ".join(parts) + "}"


def make_policy(dice, modes):
    """@modes: rules and files may have their own."""
    lines = ["version: 1"]
    if dice.random() < 0.2:
        lines.append(f"default: {dice.choice(('allow', 'deny', 'deny'))}")
    if modes and dice.random() < 0.3:
        lines.append(f"mode: {dice.choice(('off', 'audit', 'enforce'))}")
    lines.append("rules:")
    for _ in range(dice.randint(1, 5)):
        lines.append(f"  - match: {make_match(dice)}")
        lines.append(f"    verdict: {dice.choice(('deny', 'deny', 'allow', 'audit'))}")
        if modes and dice.random() < 0.4:
            lines.append(f"    mode: {dice.choice(('off', 'audit', 'enforce'))}")
        if dice.random() < 0.1:
            lines.append(f"    expires: {dice.choice(('2020-01-01', '2099-12-31'))}")
    return "\n".join(lines) + "\n"


def make_modprobe_d(dice):
    lines = []
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        one, two = dice.sample(list(MODULES), 2)
        lines.append(dice.choice((f"blacklist {one}", f"install {one} /bin/false", f"install {one} /bin/echo {two}",
                                  f"softdep {one} pre: {two}", f"softdep {one} post: {two}")))
    return "\n".join(lines) + "\n"


def make_key(dice):
    return dice.choice((dice.choice(NAMES), dice.choice(NAMES), f"any:{dice.choice('abc')}{dice.randint(0, 999)}",
                        f"acpi:LKMD0001:{dice.randint(0, 999)}", f"usb:v1111p2222d0100dc00dsc00dp00ic08isc06ip50in{dice.randint(0, 99)}",
                        f"in-kernel:{dice.randint(0, 9)}", "nothing:at-all"))


def spelled(key, blank):
    """The same to every pattern, and another text in the audit."""
    return key.replace("_", blank) if key in NAMES else f"{key}{blank}"


def place_of(fields):
    return f"{fields.get('file', '')}:{fields.get('line', 0)}"


# ------------------------------------------------------------------------------------------------------ the plan

class Answers:
    """The program with the plans; one question, one answer."""

    def __init__(self, directory):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([BUILD / "tests/integration/answers", "policy", directory], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, questions):
        """[lines of the answer] for each, in the order of asking."""
        self.process.stdin.write("".join(f"{question}\n" for question in [*questions, "resolve the-end"]))
        self.process.stdin.flush()
        answers = []
        while (line := self.process.stdout.readline().rstrip("\n")) != "> resolve the-end":
            assert line, "it has died"
            if line.startswith("> "):
                answers.append([])
            else:
                answers[-1].append(line)
        return answers

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


class Expected:
    """What a plan in words comes to."""

    def __init__(self, lines):
        self.nothing = "nothing" in lines
        words = [line.split(" ") for line in lines]
        self.modules = {w[2] for w in words if w[0] == "step"}
        self.reported = {w[2] for w in words if w[0] == "step" and w[-1] == "reported"}
        self.omissions = [w[1:] for w in words if w[0] == "omit"]       # kind, module, place, required, source
        self.refused = self.refusals(self.omissions)
        enforced = [w[2:] for w in words if w[:2] == ["enforced", "omit"]]
        self.would = {module: place for module, place in self.refusals(enforced).items() if module not in self.refused}
        self.denied_by = {(w[2], w[3]) for w in words if w[:2] == ["trace", "deny"]}

    @staticmethod
    def refusals(omissions):
        """Modules with the place of what denies each; the first word counts."""
        found = {}
        for kind, module, place, _, source in omissions:
            if kind in REFUSALS and source != "-":
                found.setdefault(module, place)
        return found


# ---------------------------------------------------------------------------------------------------- what is done

def load_all(client, keys):
    """The replies to loads, or their errors. All are sent before the first is answered."""
    for key in keys:
        client.send("Load", {"name": key})
    replies = []
    for _ in keys:
        try:
            replies.append(client.receive()["parameters"])
        except VarlinkError as error:
            replies.append(error)
    return replies


def check_reply(key, expected, reply):
    required = [o for o in expected.omissions if o[3] == "required"]
    if expected.nothing:
        assert isinstance(reply, VarlinkError) and reply.name == "NoSuchModule", (key, reply)
    elif required:
        assert isinstance(reply, VarlinkError), (key, required, reply)
        assert reply.name == "Denied", (key, reply)
        assert (reply.parameters["module"], place_of(reply.parameters)) in \
            {(module, place) for _, module, place, _, _ in required}, (key, reply.parameters)
    else:
        assert not isinstance(reply, VarlinkError), (key, reply)
        assert {record["module"] for record in reply["records"]} == expected.modules, key
        assert [(o["kind"], o["module"], place_of(o)) for o in reply["omissions"]] == \
            [(kind, module, place) for kind, module, place, _, _ in expected.omissions], key
    for kind, module, place, _, _ in expected.omissions:
        if kind == "denied":            # and what is told to those who ask why is the same
            assert (module, place) in expected.denied_by, (key, module, place)


def audited(entries, keys):
    """{kind: {(key, module): place}} of what was noted for these keys."""
    found = {"refused": {}, "would_refuse": {}, "reported": {}}
    for entry in entries:
        if entry["key"] in keys:
            found[entry["kind"]][entry["key"], entry["module"]] = place_of(entry)
    return found


def check_audit(entries, asked):
    found = audited(entries, asked)
    assert found["refused"] == {(key, m): p for key, plan in asked.items() for m, p in plan.refused.items()}
    assert found["would_refuse"] == {(key, m): p for key, plan in asked.items() for m, p in plan.would.items()}
    assert set(found["reported"]) == {(key, m) for key, plan in asked.items() for m in plan.reported}
    return {kind: {(key.replace("-", "_"), module): place for (key, module), place in those.items()} for kind, those in found.items()}


class Round:
    """One policy: the same requests with Mode=enforce and with Mode=audit."""

    def __init__(self, number, seed):
        self.dice = random.Random(f"{seed} {number}")
        self.modes = number % 2 == 1
        self.policy, self.lines = make_policy(self.dice, self.modes), make_modprobe_d(self.dice)
        self.keys = sorted({make_key(self.dice) for _ in range(REQUESTS)})
        self.file = f"round{number}.yaml"
        self.begun_usec = 0
        self.asked = {}                 # by mode: {key: Expected}

    def run(self, daemon, client, answers, modprobe_d, lkmd_conf):
        self.begun_usec = time.time_ns() // 1000
        path = daemon.write_policy(self.policy, self.file)
        modprobe_d.write_text(self.lines)
        for mode, blank in (("enforce", "-"), ("audit", "_")):
            lkmd_conf.write_text(f"[Manager]\nMode={mode}\nLogLevel=notice\n")
            client.call("Reload")
            keys = [spelled(key, blank) for key in self.keys]
            plans = answers.ask([f"use {modprobe_d}", f"config {mode} {daemon.policy}", *(f"plan {key}" for key in keys)])[2:]
            self.asked[mode] = {key: Expected(lines) for key, lines in zip(keys, plans)}
            for key, reply in zip(keys, load_all(client, keys)):
                check_reply(key, self.asked[mode][key], reply)
        path.unlink()

    def check(self, entries):
        """Names are asked for by other rounds, too: what was silent since this one began is not of it."""
        entries = [entry for entry in entries if entry["lastUSec"] >= self.begun_usec]
        noted = {mode: check_audit(entries, asked) for mode, asked in self.asked.items()}
        if self.modes:
            return                      # then enforcing leaves something in audit mode, too
        enforced, allowed = noted["enforce"]["refused"], noted["audit"]["refused"]
        assert noted["enforce"]["would_refuse"] == {}
        assert noted["audit"]["would_refuse"] == {what: place for what, place in enforced.items() if what not in allowed}


def test_plan_engine_and_audit_agree(tmp_path, modprobe_d, lkmd_conf):
    make_tree(tmp_path)
    daemon = Daemon(tmp_path)
    answers = Answers(daemon.root / "lib/modules" / os.uname().release)
    seed = os.environ.get("LKMD_SEED", "1")
    pairs = 0
    try:
        for first in range(0, POLICIES, TOGETHER):
            daemon.audit.unlink(missing_ok=True)
            daemon.start()
            with Client(daemon.socket) as client:
                rounds = [Round(number, seed) for number in range(first, min(first + TOGETHER, POLICIES))]
                for one in rounds:
                    one.run(daemon, client, answers, modprobe_d, lkmd_conf)
                    pairs += len(one.keys)
                    one.check(client.call("Audit")["entries"])
            daemon.stop()
        answers.close()
    finally:
        daemon.close()
    assert pairs >= 10_000
