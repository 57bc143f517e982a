# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3 -m vm_bench [NAME...] [OPTION...]: run below ./dev bench, which says where the guest root and lkmd are."""

import argparse
import importlib
import json
import sys

import driver
from . import NAMES


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description="benchmarks on virtual machines")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them without")
    parser.add_argument("--json", action="store_true", help="one object a line, and no tables")
    parser.add_argument("--rounds", type=int, default=3, help="coldplug: each contender starts so often (default 3)")
    parser.add_argument("--only", default="", metavar="NAME,...", help="coldplug: only these contenders")
    parser.add_argument("--loads", default="", metavar="DIR",
                        help="coldplug: write every load of every round there, with its times (below build/)")
    parser.add_argument("--plugs", type=int, default=20, help="hotplug: devices that are plugged in (default 20)")
    parser.add_argument("--events", type=int, default=100000, help="storm: events for lkmd (default 100000)")
    parser.add_argument("--requests", type=int, default=40, help="request, answers, modprobe: of each contender (default 40)")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))} (there are: {', '.join(NAMES)})")
    if min(options.rounds, options.plugs, options.events, options.requests) < 1:
        parser.error("--rounds, --plugs, --events and --requests are 1 or more")
    return options


def main():
    options = arguments()
    for name in options.names or NAMES:
        bench = importlib.import_module(f"vm_bench.{name}")
        try:
            result = {"bench": name, **bench.measure(options)}
        except (driver.CommandFailed, driver.LabError, driver.MachineDown, driver.QmpError, TimeoutError) as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            return 1
        print(json.dumps(result) if options.json else bench.show(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
