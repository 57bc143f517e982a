# SPDX-License-Identifier: LGPL-2.1-or-later
"""lkmctl metrics against a server that plays lkmd: what it says, and where it puts it."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, reply
from lkmctl_bench import COUNTERS, DEVICE, FLOPPY, PROBLEM, STATUS, ctl, environment, finish, lkmd, start
from open_metrics import parse


# ----------------------------------------------------------------------------------------------------- metrics

def test_metrics(lkmd, ctl):
    lkmd.on("Status", reply(**{**STATUS, "failures": [FLOPPY], "problems": [PROBLEM] * 3, "idle": False,
                               "running": [{"timeUSec": 1, "module": "slow_one", "requester": DEVICE}]}))
    done = ctl("metrics", check=0)
    assert done.stderr == ""
    metrics = parse(done.stdout)
    for name, value in {"up": 1, "start_time_seconds": 1_700_000_000, "in_charge": 1, "index_complete": 1, "coldplug_done": 1, "idle": 0,
                        "jobs_queued": 0, "jobs_running": 1, "jobs_queued_max": 12, "modules_loaded": 126, "modules_known": 4123,
                        "aliases_known": 20554, "modules_failed": 1, "problems": 3}.items():
        assert metrics["lkmd_" + name].type == "gauge"
        assert metrics["lkmd_" + name].value() == value, name
    assert metrics["lkmd_build_info"].value(version="0.1.0") == 1
    counters = {"events": 5, "events_coalesced": 2, "event_losses": 0, "events_backed_off": 0, "rescans": 0, "coldplug_devices": 126,
                "lookups": 71, "requests": 60, "loads": 84, "unloads": 1, "joins": 3, "failures": 0, "kept_out": 0, "slow_jobs": 0}
    for name, value in counters.items():
        assert metrics["lkmd_" + name].type == "counter"
        assert metrics["lkmd_" + name].value("_total") == value, name
    assert {name for name, family in metrics.items() if family.type == "counter"} == {"lkmd_" + name for name in counters}
    assert len(counters) + 1 == len(COUNTERS)          # none is forgotten; the queue is a gauge

    phases = metrics["lkmd_phase_seconds"]
    assert (phases.type, phases.unit) == ("histogram", "seconds")
    assert phases.value("_bucket", phase="plan", le="0.0001") == 1
    assert phases.value("_bucket", phase="plan", le="1.0") == phases.value("_count", phase="plan") == 3
    assert phases.value("_sum", phase="plan") == 1.001234
    assert phases.value("_bucket", phase="load", le="1.0") == 83
    assert phases.value("_bucket", phase="load", le="+Inf") == 84
    assert phases.value("_sum", phase="load") == 120


def flat(metrics):
    """What --json says, as the text would."""
    for metric in metrics:
        suffix = "_total" if metric["type"] == "counter" else ""
        for sample in metric["samples"]:
            labels = sample.get("labels", {})
            if metric["type"] != "histogram":
                yield metric["name"], suffix, tuple(labels.items()), sample["value"]
                continue
            for bucket in [*sample["buckets"], {"le": "+Inf", "count": sample["count"]}]:
                yield metric["name"], "_bucket", (*labels.items(), ("le", str(bucket["le"]))), bucket["count"]
            yield metric["name"], "_sum", tuple(labels.items()), sample["sum"]
            yield metric["name"], "_count", tuple(labels.items()), sample["count"]


def test_metrics_in_json(lkmd, ctl):
    lkmd.on("Status", reply(**STATUS))
    families = parse(ctl("metrics", check=0).stdout)
    pretty = json.loads(ctl("metrics", "--json", check=0).stdout)
    assert [json.loads(line) for line in ctl("metrics", "--json=short", check=0).stdout.splitlines()] == pretty
    assert {(name, suffix, labels): value for name, suffix, labels, value in flat(pretty)} == \
        {(family.name, *key): value for family in families.values() for key, value in family.samples.items()}
    for metric in pretty:
        family = families[metric["name"]]
        assert (metric["type"], metric.get("unit"), metric["help"]) == (family.type, family.unit, family.help)


def test_metrics_of_another_version(lkmd, ctl):
    """What the reply lacks, or has otherwise, is left out; what is odd breaks nothing."""
    lkmd.on("Status", reply(version="9", counters={"loads": 1, "events": "many", "lost": -1}, failures=3, inCharge="both", idle=None,
                            phases=[{}, 3, {"phase": "x"}, {"phase": "y", "count": 1, "buckets": [{}, 4, {"leUSec": 5000, "count": 7}]}]))
    metrics = parse(ctl("metrics", check=0).stdout)
    assert set(metrics) == {"lkmd_up", "lkmd_build_info", "lkmd_in_charge", "lkmd_loads", "lkmd_phase_seconds"}
    assert metrics["lkmd_in_charge"].value() == 0
    assert metrics["lkmd_phase_seconds"].value("_bucket", phase="y", le="+Inf") == 1


def test_metrics_escape_what_comes_from_elsewhere(lkmd, ctl):
    bad = 'a"b\\c\nd\x1b'
    lkmd.on("Status", reply(version=bad, phases=[{"phase": bad, "count": 0, "buckets": []}]))
    out = ctl("metrics", check=0).stdout
    metrics = parse(out)
    assert "\x1b" not in out
    shown = 'a"b\\c\\x0ad\\x1b'
    assert metrics["lkmd_build_info"].value(version=shown) == 1
    assert metrics["lkmd_phase_seconds"].value("_count", phase=shown) == 0


DOWN = '# TYPE lkmd_up gauge\n# HELP lkmd_up Whether lkmd answers; while it does not, no other metric is there\nlkmd_up 0\n# EOF\n'


def test_metrics_while_lkmd_is_down(ctl, tmp_path):
    done = ctl("metrics", check=4)
    assert done.stdout == DOWN and "lkmd is not running" in done.stderr
    assert parse(done.stdout)["lkmd_up"].value() == 0
    failure, up = json.loads(ctl("metrics", "--json", check=4).stdout)
    assert failure["error"] == "io.lkmd.Client.NotReachable"
    assert (up["name"], up["samples"]) == ("lkmd_up", [{"value": 0}])

    (tmp_path / "lkmd.prom").write_text("of yesterday\n")
    done = ctl("metrics", f"--output={tmp_path}/lkmd.prom", check=4)
    assert done.stdout == "" and "lkmd is not running" in done.stderr
    assert (tmp_path / "lkmd.prom").read_text() == DOWN


@pytest.mark.parametrize("answer, status", [(reply(), 1), (error("BrandNew", message="m"), 1), (None, 4)])
def test_metrics_when_the_answer_is_none(lkmd, ctl, answer, status):
    lkmd.on("Status", answer)
    assert ctl("metrics", check=status).stdout == DOWN


def test_metrics_into_a_file(lkmd, ctl, tmp_path):
    lkmd.on("Status", reply(**STATUS))
    text = ctl("metrics", check=0).stdout
    directory = tmp_path / "collector"
    directory.mkdir()
    file = directory / "lkmd.prom"
    old = os.umask(0o077)
    try:
        for _ in range(2):              # there is none, there is an old one
            done = ctl("metrics", "--output", str(file), check=0)
            assert done.stdout + done.stderr == ""
            assert file.read_text() == text
            assert file.stat().st_mode & 0o7777 == 0o644
            assert os.listdir(directory) == ["lkmd.prom"]
            file.chmod(0o600)
    finally:
        os.umask(old)
    assert ctl("metrics", "--quiet", check=0).stdout == ""
    assert ctl("metrics", "--quiet", "--json=short", f"--output={file}", check=0).stdout == ""
    assert [json.loads(line)["name"] for line in file.read_text().splitlines()][0] == "lkmd_up"
    ctl("metrics", "--json", f"--output={file}", check=0)
    assert json.loads(file.read_text())[0]["name"] == "lkmd_up"


def test_metrics_into_a_relative_file(lkmd, environment, tmp_path):
    lkmd.on("Status", reply(**STATUS))
    process = start(environment, "metrics", "--output=x.prom", cwd=tmp_path)
    assert finish(process) == ("", "") and process.returncode == 0
    parse((tmp_path / "x.prom").read_text())


@pytest.mark.parametrize("name, text", [("missing/lkmd.prom", "No such file"), ("file/lkmd.prom", "Not a directory"),
                                        ("directory", "no regular file"), ("directory/", "no regular file"), ("link", "no regular file"),
                                        ("pipe", "no regular file"), ("x" * 300, "too long")])
def test_metrics_into_what_cannot_be_written(lkmd, ctl, tmp_path, name, text):
    lkmd.on("Status", reply(**STATUS))
    directory = tmp_path / "there"
    (directory / "directory").mkdir(parents=True)
    (directory / "file").write_text("x")
    (directory / "link").symlink_to("file")
    os.mkfifo(directory / "pipe")
    before = sorted(os.listdir(directory))
    done = ctl("metrics", f"--output={directory}/{name}", check=1)
    assert done.stdout == "" and done.stderr.startswith("lkmctl: cannot write ") and text in done.stderr, done.stderr
    assert sorted(os.listdir(directory)) == before and (directory / "file").read_text() == "x"
    assert json.loads(ctl("metrics", "--json", f"--output={directory}/{name}", check=1).stdout)["error"] == "io.lkmd.Client.Local"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_metrics_that_cannot_be_written(lkmd, environment):
    lkmd.on("Status", reply(**STATUS))
    with open("/dev/full", "w") as full:
        process = start(environment, "metrics", stdout=full)
        _, stderr = finish(process)
        assert process.returncode == 1 and "No space left" in stderr
