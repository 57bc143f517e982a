# SPDX-License-Identifier: LGPL-2.1-or-later
"""completion [--json]: how long bash and fish take to offer something for lkmctl, beside the start of that shell with nothing to do, by turns.

With the modules of Debian's kernel of $LKMD_GUEST_ROOT, or of this machine's. Run as root, in name spaces of its own: it mounts them.
zsh completes at a terminal only, and is not measured."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

BUILD = Path(os.environ.get("LKMD_BUILD", "build/release"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "31"))
GOAL_MS = 50
LINES = {"verbs": "st", "modules": "load e100", "loaded": "unload e", "devices": "devices tty1", "policies": "policy edit 1", "options": "plan --"}


def bash(line):
    words = " ".join(f"'{word}'" for word in line.split(" "))
    count = len(line.split(" "))
    return ["bash", "--norc", "-c", f"compopt() {{ :; }}; source {BUILD}/completion/lkmctl; COMP_WORDS=(lkmctl {words}); COMP_CWORD={count}; _lkmctl"]


def fish(line):
    return ["fish", "--no-config", "-c", f"source {BUILD}/completion/lkmctl.fish; complete -C 'lkmctl {line}'"]


NOTHING = {"bash": ["bash", "--norc", "-c", "true"], "fish": ["fish", "--no-config", "-c", "true"]}


def took_ms(command):
    start = time.monotonic()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.monotonic() - start) * 1000


def mount_modules():
    if os.environ.get("COMPLETION_MOUNTED"):
        return
    root = Path(os.environ.get("LKMD_GUEST_ROOT", "/"))
    found = sorted(root.glob("lib/modules/*/modules.dep")) or sys.exit("completion: no kernel with a modules.dep below LKMD_GUEST_ROOT or /")
    here = f"/lib/modules/{os.uname().release}"
    script = (f"exec 3<{found[0]} && mkdir -p /lib/modules && mount -t tmpfs none /lib/modules && mkdir {here} && "
              f"cat <&3 >{here}/modules.dep && exec 3<&- \"$0\" \"$@\"")
    os.environ["COMPLETION_MOUNTED"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", script, sys.executable, *sys.argv])


def main():
    mount_modules()
    contenders = {(shell, "nothing"): command for shell, command in NOTHING.items()}
    for what, line in LINES.items():
        contenders[("bash", what)] = bash(line)
        contenders[("fish", what)] = fish(line)
    times = {contender: [] for contender in contenders}
    for _ in range(ROUNDS):
        for contender, command in contenders.items():
            times[contender].append(took_ms(command))
    for (shell, what), each in times.items():
        start = statistics.median(times[(shell, "nothing")])
        median = statistics.median(each)
        if "--json" in sys.argv:
            print(json.dumps({"bench": "completion", "shell": shell, "what": what, "ms": round(median, 2), "ratio": round(median / start, 2),
                              "goalMs": GOAL_MS, "reached": median - start < GOAL_MS}))
        else:
            print(f"completion  {shell}  {what:<9} {median:7.1f} ms, {median / start:5.2f} times the start of {shell}, {median - start:6.1f} ms more")


if __name__ == "__main__":
    main()
