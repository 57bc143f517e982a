#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the tests of ./dev test and add them up; the last line is "N passed, N failed".

run_tests.py FLAVOUR VM-FLAVOUR [PATH...]: the C tests and the integration tests with build/FLAVOUR, the virtual machines
with the lkmd of build/VM-FLAVOUR. Runs in the build root, in the project's directory."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

PARTS = ("unit", "integration", "vm")
LANES = 2                               # test files at once: a computer may have no more than two processors
count = Counter()
broken = []                             # what failed, and what was skipped, for the end of the output


def part_of(path):
    """The part of the tests that a path belongs to; files outside tests/ are tests of virtual machines."""
    try:
        words = Path(path).resolve().relative_to(Path("tests").resolve()).parts
    except ValueError:
        return "vm"
    return words[0] if words and words[0] in PARTS else None


def add_junit(path, what, status):
    """Add a JUnit file's cases to the sums. A runner that left none, or failed without saying where, is a failure."""
    cases, failed = [], 0
    try:
        cases = list(xml.parse(path).iter("testcase"))
    except (OSError, xml.ParseError):
        pass
    for case in cases:
        name = f"{what}: {case.get('classname', '')} {case.get('name')}".replace(" " + what + ".", " ")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            broken.append("FAILED  " + name)
        elif case.find("skipped") is not None:
            count["skipped"] += 1
            broken.append("SKIPPED " + name)
        else:
            count["passed"] += 1
    if status != 0 and failed == 0:
        failed = 1
        broken.append(f"FAILED  {what}: the runner exited with {status}")
    count["failed"] += failed


def built(flavour):
    """The directory of a flavour, compiled; None if it does not compile, which counts as a failure."""
    done = subprocess.run(["tests/lab/build", flavour])
    if done.returncode != 0:
        count["failed"] += 1
        broken.append(f"FAILED  build/{flavour} does not compile")
        return None
    return f"build/{flavour}"


def run_unit(paths, build):
    """meson's tests: all, or those whose source file is named."""
    names = []
    if paths:
        known = json.loads(subprocess.run(["meson", "introspect", "--tests", build], check=True, capture_output=True).stdout)
        programs = {Path(test["cmd"][0]).name: test["name"] for test in known}
        for path in paths:
            stem = Path(path).stem
            if Path(path).is_dir():
                names += [name for program, name in programs.items() if any(Path(path).rglob(program + ".c"))]
            elif stem in programs:
                names.append(programs[stem])
            else:
                count["failed"] += 1
                broken.append(f"FAILED  unit: {path} is no test of tests/unit/meson.build")
        if not names:
            return
    report = Path(build) / "meson-logs/testlog.junit.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", "2", *names])
    add_junit(report, "unit", done.returncode)


def run_pytest(what, paths, build):
    """Files side by side; the tests of one file one after the other, since those of machines share one."""
    report = Path("build/test-logs") / f"{what}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    done = subprocess.run(["tests/lab/pytest", "-v", f"--junitxml={report}", "-o", "junit_family=xunit1",
                           "-n", str(LANES), "--dist", "loadfile", *paths],
                          env={**os.environ, "LKMD_BUILD": str(Path(build).resolve())})
    # 5: nothing collected, which is no failure for a part that was not asked for.
    add_junit(report, what, 0 if done.returncode == 5 else done.returncode)


def main():
    flavour, vm_flavour, *paths = sys.argv[1:]
    wanted = {part: [] for part in PARTS}
    for path in paths:
        if part_of(path) is None:
            for part in PARTS:
                wanted[part].append(f"tests/{part}")
        else:
            wanted[part_of(path)].append(path)
    if not paths:
        wanted.update(integration=["tests/integration"], vm=["tests/vm"])
    if wanted["unit"] or wanted["integration"] or not paths:
        if build := built(flavour):
            if wanted["unit"] or not paths:
                run_unit(wanted["unit"], build)
            if wanted["integration"]:
                run_pytest("integration", wanted["integration"], build)
    if wanted["vm"]:
        if build := built(vm_flavour):
            run_pytest("vm", wanted["vm"], build)

    print()
    for line in broken:
        print(line)
    if count["passed"] + count["failed"] == 0:
        count["failed"] = 1
        print("FAILED  no test was run")
    print(f"{count['passed']} passed, {count['failed']} failed", flush=True)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
