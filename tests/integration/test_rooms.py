# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/lab/check-rooms, on copies of the sources in which something is wrong."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path):
    """A copy of what is compared: sources, the list of rooms, and the document."""
    shutil.copytree(PROJECT / "src", tmp_path / "src")
    for name in ("docs/ARCHITECTURE.md", "tests/lab/rooms"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def check(project):
    """What check-rooms says, by lines; its exit status has to agree."""
    done = subprocess.run([PROJECT / "tests/lab/check-rooms", project], capture_output=True, text=True, check=False)
    assert not done.stderr and done.returncode == (1 if done.stdout else 0), done
    return done.stdout.splitlines()


def prepend(path, text):
    path.write_text(text + path.read_text())


def test_the_project_is_in_order(copy):
    assert check(copy) == []


@pytest.mark.parametrize("file, header, wrong", [
    ("common/base/text.c", "common/module/module-info.h", "common/base may not include common/module"),
    ("common/plan/plan.c", "daemon/base/log.h", "common/plan may not include daemon/base"),
    ("daemon/history/ledger.c", "daemon/engine/scheduler.h", "daemon/history may not include daemon/engine"),
    ("daemon/base/log.c", "cli/print/output.h", "daemon/base may not include cli/print"),
    ("daemon/service/service-load.c", "daemon/manager.h", "daemon/service may not include daemon "),
    ("daemon/service/service-load.c", "daemon/privileged/request/loader-protocol.h", "may not include daemon/privileged/request"),
    ("daemon/privileged/loader/loader.c", "common/policy/policy.h", "daemon/privileged/loader may not include common/policy"),
    ("daemon/privileged/handover/lkmd-handover.c", "daemon/base/log.h", "daemon/privileged/handover may not include daemon/base"),
    ("cli/print/format.c", "cli/call/client.h", "cli/print may not include cli/call"),
    ("cli/verbs/verb-list.c", "daemon/history/record.h", "cli/verbs may not include daemon/history"),
])
def test_a_forbidden_include(copy, file, header, wrong):
    prepend(copy / "src" / file, f'#include "{header}"\n')
    lines = check(copy)
    assert lines[0].startswith(f"src/{file}:1: ") and wrong in lines[0]


def test_a_header_that_is_not_there(copy):
    prepend(copy / "src/common/base/text.c", '#include "common/base/nowhere.h"\n')
    assert check(copy) == ["src/common/base/text.c:1: there is no src/common/base/nowhere.h"]


def test_objects_in_a_circle(copy):
    prepend(copy / "src/common/base/text.c", '#include "common/base/glob.h"\n')
    prepend(copy / "src/common/base/glob.h", '#include "common/base/text.h"\n')
    assert "objects include each other: common/base/glob, common/base/text" in check(copy)


def test_rooms_in_a_circle(copy):
    """Also one that the list of rooms allows."""
    rooms = copy / "tests/lab/rooms"
    rooms.write_text(rooms.read_text().replace("\ncommon/module:\n", "\ncommon/module: common/policy\n"))
    prepend(copy / "src/common/module/module-info.c", '#include "common/policy/policy.h"\n')
    assert any(line.startswith("rooms include each other: common/module, common/policy") for line in check(copy))


def test_a_file_without_a_room(copy):
    (copy / "src/common/stray.c").write_text("")
    assert check(copy) == ["src/common/stray.c: common is no room of tests/lab/rooms"]


def test_a_room_that_is_gone(copy):
    with (copy / "tests/lab/rooms").open("a") as rooms:
        rooms.write("common/gone:\n")
    assert "tests/lab/rooms: there is no src/common/gone" in check(copy)


def test_an_arrow_that_nobody_uses(copy):
    rooms = copy / "tests/lab/rooms"
    rooms.write_text(rooms.read_text().replace("\ncommon/alias:\n", "\ncommon/alias: common/module\n"))
    assert check(copy) == ["tests/lab/rooms: nothing in common/alias includes common/module"]


def test_an_object_that_the_document_does_not_name(copy):
    (copy / "src/common/base/newcomer.c").write_text("")
    assert [line.split(": ", 1)[1] for line in check(copy)] == ["common/base/newcomer is missing from this row"]


def test_an_object_that_only_the_document_has(copy):
    document = copy / "docs/ARCHITECTURE.md"
    document.write_text(document.read_text().replace(" glob, ", " glob, ghost, ", 1))
    assert [line.split(": ", 1)[1] for line in check(copy)] == ["common/base/ghost is not there"]


def test_a_pattern_in_the_document(copy):
    (copy / "src/cli/verbs/verb-newcomer.c").write_text("")
    assert check(copy) == []
    for verb in (copy / "src/cli/verbs").glob("verb-*.c"):
        verb.unlink()
    said = [line.split(": ", 1)[1] for line in check(copy)]
    # Some rooms are included by verbs alone.
    assert [line for line in said if not line.startswith("nothing in cli/verbs includes")] == ["cli/verbs/verb-* is not there"]


@pytest.mark.parametrize("line, wrong", [("common/base:", "listed twice"), ("common/new", "no colon")])
def test_a_broken_list_of_rooms(copy, line, wrong):
    with (copy / "tests/lab/rooms").open("a") as rooms:
        rooms.write(line + "\n")
    number = len((copy / "tests/lab/rooms").read_text().splitlines())
    done = subprocess.run([PROJECT / "tests/lab/check-rooms", copy], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"rooms:{number}: " in done.stderr and wrong in done.stderr
