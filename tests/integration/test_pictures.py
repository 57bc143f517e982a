# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures and lists of a boot: plot, graph, blame, critical-chain and memory, against a server that plays lkmd."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_lkmd import error, reply
from lkmctl_bench import LKMCTL, ctl, environment, finish, lkmd, on_terminal, start  # noqa: F401

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 1_000_000
# Bytes that are not UTF-8 come from lkmd as \xNN, so no reply can have them; all else may be in a name.
EVIL = ["</title><script>alert(1)</script>", "a&b<c>\"'", "]]>", "\x1b[31mred\x07", "line\nbreak", "名前のとても長いモジュールの名前です", "\u202eevil",
        "x" * 300, "", " ", "--", "%s%n", "\\xff\\xfe"]


def record(module, queued, began, ended, origin="device", live=None, **more):
    made = {"timeUSec": 1_700_000_000_000_000, "module": module, "outcome": "loaded", "reason": "requested",
            "requester": {"origin": origin, "key": module}, "queuedUSec": queued, "beganUSec": began, "endedUSec": ended,
            "durationUSec": ended - began, **more}
    if live:
        made["liveUSec"] = live
    return made


def seen(module, when, origin):
    return {"timeUSec": 1, "module": module, "outcome": "loaded", "reason": "requested", "endedUSec": when,
            "requester": {"origin": origin, "key": module}}


BOOT = [
    seen("ext4", 2_000_000, "initramfs"),
    seen("loop", 2_000_000, "boot"),
    record("pps_core", 2_100_000, 2_100_100, 2_150_000, reason="dependency", parent="ptp"),
    record("ptp", 2_160_000, 2_170_000, 2_300_000, live=30_000, reason="dependency", parent="e1000e"),
    record("crc32c", 2_150_000, 2_160_000, 2_170_000, reason="softdep_pre", parent="e1000e"),
    record("e1000e", 2_200_500, 2_300_500, 4_900_000, live=600_000, slow=True),
    record("floppy", 2_400_000, 2_500_000, 2_900_000, outcome="failed", errno=19, message="floppy found no hardware"),
    record("nothing", 2_500_000, 2_500_000, 2_500_000, outcome="dependency_failed"),
    record("af_alg", 3_000_000, 3_000_100, 3_000_200, origin="kernel"),
    record("dummy", 3_100_000, 3_100_100, 3_200_000, origin="client"),
    seen("vboxdrv", 3_300_000, "foreign"),
    record("usb_storage", 90 * SECOND, 90 * SECOND, 91 * SECOND),   # somebody plugs in a stick, later
    {"timeUSec": 1, "module": "dummy", "outcome": "unloaded", "requester": {"origin": "client", "key": "dummy"}, "endedUSec": 92 * SECOND},
]
MODULES = [
    {"name": "e1000e", "state": "live", "sizeBytes": 372736, "refCount": 0, "holders": [], "loadedBy": BOOT[5]},
    {"name": "ptp", "state": "live", "sizeBytes": 45056, "refCount": 1, "holders": ["e1000e"], "loadedBy": BOOT[3]},
    {"name": "pps_core", "state": "live", "sizeBytes": 32768, "refCount": 1, "holders": ["ptp"], "loadedBy": BOOT[2]},
    {"name": "crc32c", "state": "live", "sizeBytes": 16384, "refCount": 0, "holders": [], "loadedBy": BOOT[4]},
    {"name": "ext4", "state": "live", "sizeBytes": 1_000_000, "refCount": 2, "holders": [], "loadedBy": BOOT[0]},
    {"name": "igb", "state": "live", "sizeBytes": 1000, "refCount": 0, "holders": []},
    {"name": "i2c", "state": "live", "sizeBytes": 1000, "refCount": 2, "holders": ["igb", "ptp"]},
]


def history(records, complete=True):
    return reply(entries=[{"id": i + 1, "gone": False, "record": r} for i, r in enumerate(records)], complete=complete)


@pytest.fixture
def boot(lkmd):
    lkmd.on("History", history(BOOT))
    lkmd.on("List", reply(modules=MODULES))
    lkmd.on("Status", reply(version="0.1.0", kernelRelease="6.12.0-test"))
    return lkmd


def evil_boot(lkmd):
    records = [record(name, SECOND + i, SECOND + 10 + i, 2 * SECOND + i, origin=name, parent=EVIL[i - 1], reason="dependency")
               for i, name in enumerate(EVIL)]
    records += [record(name, SECOND, 2 * SECOND, 3 * SECOND, outcome="failed", message=name) for name in EVIL]
    records += [{"module": name, "outcome": "loaded", "reason": name, "requester": {"origin": "foreign", "key": name, "command": name},
                 "endedUSec": SECOND} for name in EVIL]
    records += [{"module": 7}, {}, {"module": "odd", "reason": "requested", "beganUSec": -1, "endedUSec": "x", "requester": []},
                record("huge", 2**63 - 1, 2**64 - 1, 2**63, live=2**62), record("tiny", 1, 0, 2)]
    lkmd.on("History", history(records, complete=False))
    lkmd.on("List", reply(modules=[{"name": name, "holders": EVIL, "loadedBy": records[i]} for i, name in enumerate(EVIL)] + [{}, {"name": 3}]))
    lkmd.on("Status", reply(version=EVIL[0], kernelRelease=EVIL[1]))


# ----------------------------------------------------------------------------------------------- what SVG has to be

def text_width(element):
    """About that of DejaVu Sans, the widest of the usual fonts: less than what lkmctl reckons with."""
    classes = element.get("class", "").split()
    size = 18 if "head" in classes else 10.5 if "small" in classes else 12
    wide = sum(2 if ord(c) > 0x2e80 else 1 for c in element.text or "")
    return size * wide * (0.62 if "strong" not in classes and "head" not in classes else 0.66)


def boxes_of(root):
    """Where each text is: left, top, right, bottom."""
    for element in root.iter(f"{SVG}text"):
        classes = element.get("class", "").split()
        x, y, width = float(element.get("x")), float(element.get("y")), text_width(element)
        left = x - width if "end" in classes else x - width / 2 if "middle" in classes else x
        yield left, y - 9, left + width, y + 2, element.text


def check_svg(text):
    """Well-formed, self-contained, all texts in the picture and none over another."""
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "style", "g", "rect", "path", "text", "title"}, names
    assert not any(key.startswith("on") or "href" in key for element in root.iter() for key in element.attrib)
    assert not re.search(r"url\(|@import|NaN|inf\b", text)
    _, _, width, height = map(float, root.get("viewBox").split())
    boxes = sorted(boxes_of(root), key=lambda box: box[1])
    for i, (left, top, right, bottom, shown) in enumerate(boxes):
        assert left >= 0 and top >= 0 and right <= width and bottom <= height, (shown, left, right, width)
        for other in boxes[i + 1:]:
            if other[1] >= bottom:
                break
            assert other[0] >= right or other[2] <= left, (shown, other[4])
    return root


def draw(path, svg):
    """At the width of a column in a report and of a screen, in the colours that the file has."""
    path.write_text(svg, encoding="utf-8")
    for width in (800, 1600):
        png = subprocess.run(["rsvg-convert", "-w", str(width), str(path)], capture_output=True, check=True, timeout=60)
        assert png.stderr == b""
        assert struct.unpack(">I", png.stdout[16:20])[0] == width and len(png.stdout) > 2000


def rows_of(root):
    """The lines of a plot: name, what is beside the bar, and the title."""
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "load":
            name, note = [element.text for element in group.iter(f"{SVG}text")]
            yield name, note, group.find(f"{SVG}title").text


# ------------------------------------------------------------------------------------------------------- plot

def test_plot(boot, ctl):
    root = check_svg(ctl("plot", check=0).stdout)
    rows = {name: (note, title) for name, note, title in rows_of(root)}
    assert list(rows) == ["pps_core", "crc32c", "ptp", "e1000e", "floppy", "nothing", "af_alg", "dummy", "vboxdrv"]
    assert rows["ptp"][0] == "30.0 ms" and rows["e1000e"][0] == "600.0 ms slow" and rows["floppy"][0] == "400.0 ms failed"
    assert rows["vboxdrv"][0] == "seen"
    assert "usable after 30.0 ms" in rows["ptp"][1] and "needed by e1000e" in rows["ptp"][1]
    assert "then waited for asynchronous probes for 2.0 s" in rows["e1000e"][1] and "queued at 2.200 s, for 100.0 ms" in rows["e1000e"][1]
    assert "floppy found no hardware" in rows["floppy"][1]

    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "2 modules were there before lkmd" in texts
    assert [t.text for t in root.iter(f"{SVG}title") if "before lkmd" in t.text] == ["In the kernel before lkmd looked: ext4, loop"]
    assert any(t.startswith("Linux 6.12.0-test, lkmd 0.1.0: 9 loads from 2.000 s to 4.900 s, 2 failed, 1 slow") for t in texts)
    assert any("Not shown: 1 later load (lkmctl plot --all)" in t for t in texts)


def test_plot_is_to_scale(boot, ctl):
    root = ElementTree.fromstring(ctl("plot", check=0).stdout)
    marks = {float(t.text.removesuffix(" s")): float(t.get("x")) for t in root.iter(f"{SVG}text") if re.fullmatch(r"[\d.]+ s", t.text or "")
             and "middle" in t.get("class")}
    (first, left), (last, right) = min(marks.items()), max(marks.items())

    def x_of(usec):
        return left + (usec / SECOND - first) * (right - left) / (last - first)
    group = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "load" and g.find(f"{SVG}title").text.startswith("e1000e"))
    bars = {bar.get("class"): bar for bar in group.findall(f"{SVG}rect") if bar.get("class") and not bar.get("opacity")}
    assert float(bars["queue"].get("x")) == pytest.approx(x_of(2_200_500), abs=0.2)
    assert float(bars["fill-device"].get("x")) == pytest.approx(x_of(2_300_500), abs=0.2)
    assert float(bars["fill-device"].get("width")) == pytest.approx(x_of(600_000) - x_of(0), abs=0.2)


def test_plot_of_all(boot, ctl):
    assert [name for name, _, _ in rows_of(check_svg(ctl("plot", "--all", check=0).stdout))][-1] == "usb_storage"


def test_plot_of_what_is_under_way(lkmd, ctl):
    under_way = record("slow_one", 2_000_000, 2_100_000, 2_200_000)
    del under_way["outcome"], under_way["endedUSec"]
    lkmd.on("History", history([record("a", SECOND, SECOND, 2 * SECOND), under_way]))
    rows = {name: note for name, note, _ in rows_of(check_svg(ctl("plot", check=0).stdout))}
    assert rows["slow_one"].startswith("under way for ")


def test_plot_of_nothing(lkmd, ctl):
    lkmd.on("History", history([]))
    assert "0 loads" in "".join(check_svg(ctl("plot", check=0).stdout).itertext())
    assert ctl("plot", "--json=short", check=0).stdout == ""
    assert json.loads(ctl("blame", "--json", check=0).stdout) == []
    assert "loaded nothing" in ctl("critical-chain", check=5).stderr


@pytest.mark.parametrize("words", [["plot"], ["graph", "--svg"]])
@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_themes_are_drawn(boot, ctl, tmp_path, words, theme):
    svg = ctl(*words, f"--theme={theme}", check=0).stdout
    draw(tmp_path / "picture.svg", svg)
    assert ("prefers-color-scheme" in svg) == (theme == "auto")
    background = re.findall(r"\.paper\{fill:(#\w+)\}", svg)
    assert background == {"light": ["#ffffff"], "dark": ["#16191d"], "auto": ["#ffffff", "#16191d"]}[theme]


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("words", [["plot"], ["graph", "--svg"]])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(boot, ctl, words, theme):
    """As WCAG 2.1 wants it: 4.5 for text, 3 for what else has a meaning."""
    rules = dict(re.findall(r"^(\.?[\w-]+)\{(?:fill|stroke):(#\w+)\}", ctl(*words, f"--theme={theme}", check=0).stdout, re.MULTILINE))
    paper = luminance(rules[".paper"])
    for name, colour in rules.items():
        if name in (".paper", ".stripe", ".grid", ".halo", ".box", ".centre"):
            continue
        low, high = sorted((luminance(colour), paper))
        assert (high + 0.05) / (low + 0.05) >= (4.5 if name in ("text", ".dim", ".bad", ".slow") else 3), (name, colour)


def test_other_themes(boot, ctl):
    assert "'auto', 'light' or 'dark'" in ctl("plot", "--theme=pink", check=2).stderr


@pytest.mark.parametrize("words", [["plot"], ["graph", "--svg"]])
def test_no_picture_for_a_terminal(boot, environment, words):
    master, slave = pty.openpty()
    process = start(environment, *words, stdout=slave)
    os.close(slave)
    _, stderr = finish(process)
    os.close(master)
    assert process.returncode == 2 and ".svg" in stderr
    assert boot.calls == []


def test_a_machine_that_says_nothing_of_itself(boot, ctl):
    boot.on("Status", error("org.varlink.service.MethodNotFound", method="x"))
    done = ctl("plot", check=0)
    assert done.stderr == "" and "Linux" not in "".join(check_svg(done.stdout).itertext())


def test_json_of_plot(boot, ctl):
    lines = [json.loads(line) for line in ctl("plot", "--json=short", check=0).stdout.splitlines()]
    assert len(lines) == 11
    by_name = {line["module"]: line for line in lines}
    assert by_name["ptp"] == {"module": "ptp", "outcome": "loaded", "origin": "device", "parent": "e1000e", "reason": "dependency",
                              "queuedUSec": 2_160_000, "beganUSec": 2_170_000, "usableUSec": 2_200_000, "endedUSec": 2_300_000,
                              "durationUSec": 130_000, "liveUSec": 30_000, "requester": {"origin": "device", "key": "ptp"}}
    assert "queuedUSec" not in by_name["ext4"] and by_name["e1000e"]["slow"]


# ------------------------------------------------------------------------------------------------------- graph

def test_graph(boot, ctl):
    lines = ctl("graph", check=0).stdout.splitlines()
    assert lines[0].split() == ["MODULE", "WHY", "REQUESTER"] and "wanted before e1000e" in lines[2] and "needed by ptp" in lines[5]
    names = [re.match(r"[│├└─ ]*(\S+)", line)[1] for line in lines[1:]]
    assert names == ["e1000e", "crc32c", "ptp", "i2c", "pps_core", "ext4", "igb", "i2c"]


def test_graph_of_a_module(boot, ctl):
    needs, needed_by = ctl("graph", "ptp", check=0).stdout.split("What needs it")
    assert "pps_core" in needs and "e1000e" not in needs.replace("needed by e1000e", "")
    assert "e1000e" in needed_by and "pps_core" not in needed_by
    assert "no module 'nouveau'" in ctl("graph", "nouveau", check=5).stderr
    assert ctl("graph", "pps-core", check=0).stdout.startswith("What it needs")


def test_graph_as_a_picture(boot, ctl):
    root = check_svg(ctl("graph", "--svg", check=0).stdout)
    names = [group.find(f"{SVG}text").text for group in root.iter(f"{SVG}g") if group.get("class") == "module"]
    assert sorted(names) == sorted(m["name"] for m in MODULES)
    x_of = {g.find(f"{SVG}text").text: float(g.find(f"{SVG}text").get("x")) for g in root.iter(f"{SVG}g") if g.get("class") == "module"}
    assert x_of["e1000e"] < x_of["ptp"] < x_of["pps_core"] and x_of["ptp"] < x_of["i2c"] and x_of["igb"] < x_of["i2c"]
    part = check_svg(ctl("graph", "ptp", "--svg", check=0).stdout)
    names = {group.find(f"{SVG}text").text for group in part.iter(f"{SVG}g") if group.get("class") == "module"}
    assert names == {"ptp", "e1000e", "pps_core", "i2c"}


def test_graph_for_graphviz(boot, ctl):
    dot = ctl("graph", "--dot", check=0).stdout
    assert '"e1000e" -> "ptp";' in dot and '"e1000e" -> "crc32c" [style=dashed, label="softdep"];' in dot
    assert "exclude each other" in ctl("graph", "--dot", "--svg", check=2).stderr


def test_json_of_graph(boot, ctl):
    objects = {line["module"]: line for line in map(json.loads, ctl("graph", "--json=short", check=0).stdout.splitlines())}
    assert objects["ptp"] == {"module": "ptp", "origin": "device", "uses": [{"module": "i2c", "reason": "dependency"},
                                                                          {"module": "pps_core", "reason": "dependency"}],
                              "usedBy": [{"module": "e1000e", "reason": "dependency"}]}
    assert "origin" not in objects["igb"] and objects["ext4"]["uses"] == []


@pytest.mark.parametrize("modules", [
    [{"name": "a", "holders": ["b"]}, {"name": "b", "holders": ["a"]}],
    [{"name": "a", "holders": ["a"]}],
    [{"name": "a", "holders": ["c"]}, {"name": "b", "holders": ["a"]}, {"name": "c", "holders": ["b"]}, {"name": "d", "holders": ["b"]}],
    [{"name": f"a{i}" if i else "a", "holders": [f"a{i + 1}", f"a{i - 1}"]} for i in range(150)],
])
def test_circles(lkmd, ctl, modules):
    lkmd.on("List", reply(modules=modules))
    text = ctl("graph", check=0).stdout
    assert all(m["name"] in text for m in modules)
    check_svg(ctl("graph", "--svg", check=0).stdout)
    ctl("graph", "a", check=0)


# ------------------------------------------------------------------------------------------------------- blame

def test_blame(boot, ctl):
    lines = ctl("blame", check=0).stdout.splitlines()
    assert lines[0].split() == ["TIME", "PROBES", "QUEUED", "MODULE", "REQUESTER"]
    assert lines[1].split()[:7] == ["600.0", "ms", "2.0", "s", "100.0", "ms", "e1000e"]
    assert [line.split("ms")[-1].split()[0] for line in lines[1:5]] == ["e1000e", "floppy", "ptp", "dummy"]
    assert "(failed)" in lines[2] and "needed by e1000e" in lines[3]
    assert lines[-2] == "Not shown: 3 modules that came without lkmd, whose time nobody took."
    assert lines[-1] == "Not shown: 1 load after the boot had settled; lkmctl blame --all"
    assert "usb_storage" in ctl("blame", "--all", check=0).stdout.splitlines()[2]


# ---------------------------------------------------------------------------------------------- critical-chain

def test_critical_chain(boot, ctl):
    lines = ctl("critical-chain", "e1000e", check=0).stdout.splitlines()
    assert [re.match(r"[└─ ]*(\S+)", line)[1] for line in lines] == ["MODULE", "e1000e", "ptp", "pps_core", "Usable:"]
    assert "@2.901 s" in lines[1] and "+600.0 ms" in lines[1] and "100.0 ms" in lines[1]
    objects = [json.loads(line) for line in ctl("critical-chain", "e1000e", "--json=short", check=0).stdout.splitlines()]
    assert [o.get("waitedFor") for o in objects] == ["dependency", "dependency", None]


def test_critical_chain_of_the_last_one(boot, ctl):
    lines = ctl("critical-chain", "--all", check=0).stdout.splitlines()
    assert "usb_storage" in lines[1]
    assert "dummy" in ctl("critical-chain", check=0).stdout.splitlines()[1]


def test_critical_chain_without_the_list(boot, ctl):
    boot.on("List", error("org.varlink.service.MethodNotFound", method="x"))
    done = ctl("critical-chain", "e1000e", check=0)
    assert done.stderr == "" and "pps_core" in done.stdout


@pytest.mark.parametrize("argument", ["nouveau", "/sys/none", "0000:ff:1f.7", "usb_storage"])
def test_critical_chain_of_what_is_not_there(boot, ctl, argument):
    done = ctl("critical-chain", argument, check=5)
    assert argument in done.stderr


# ------------------------------------------------------------------------------------------------------- memory

PROC = {
    "modules": "e1000e 372736 0 - Live 0x0\nptp 45056 1 e1000e, Live 0x0\nigb 8192 0 - Live 0x0\npps_core 32768 1 ptp, Live 0x0\n"
               "af_alg 16384 0 - Live 0x0\nodd 4096 0 - Loading 0x0 (OE)\n",
    "vmallocinfo": "0x1-0x2   20480 load_module+0x5a1/0x1d60 pages=4 vmalloc N0=4\n0x1-0x2   8192 load_module+0x5a1/0x1d60 pages=1 vmalloc N0=1\n"
                   "0x1-0x2   20480 kernel_clone+0xbd/0x440 pages=4 vmalloc N0=4\n",
    "meminfo": "MemTotal: 1003268 kB\nDirectMap4k:      1024 kB\nDirectMap2M:     3072 kB\nDirectMap1G:           0 kB\n",
}


@pytest.fixture
def machine(boot, environment, tmp_path):
    """A made-up /proc and /sys: e1000e and af_alg have no users, and e1000e has a device."""
    for name, text in PROC.items():
        (tmp_path / "root/proc").mkdir(parents=True, exist_ok=True)
        (tmp_path / "root/proc" / name).write_text(text, encoding="ascii")
    driver = tmp_path / "root/sys/bus/pci/drivers/e1000e"
    driver.mkdir(parents=True)
    (tmp_path / "root/sys/devices/pci/0000:00:02.0").mkdir(parents=True)
    (driver / "0000:00:02.0").symlink_to("../../../../devices/pci/0000:00:02.0")
    (tmp_path / "root/sys/module/e1000e/drivers").mkdir(parents=True)
    (tmp_path / "root/sys/module/e1000e/drivers/pci:e1000e").symlink_to("../../../bus/pci/drivers/e1000e")
    environment["LKMD_ROOT"] = str(tmp_path / "root")
    boot.on("List", reply(modules=MODULES + [{"name": "af_alg", "state": "live", "refCount": 0, "holders": [], "loadedBy": BOOT[8]}]))
    return tmp_path / "root"


def test_memory(machine, ctl):
    text = ctl("memory", check=0).stdout
    lines = text.splitlines()
    assert lines[0].split() == ["MODULE", "SIZE", "CODE", "DATA", "LOST", "INIT", "AREAS", "USE"]
    assert [line.split()[0] for line in lines[1:7]] == ["e1000e", "ptp", "pps_core", "af_alg", "igb", "odd"]
    assert lines[1].split() == ["e1000e", "364K", "-", "-", "-", "-", "-"] and lines[4].split()[-1] == "idle"
    assert "     Modules: 6, 468K" in lines
    assert "       Areas: 2 of modules with 20K, of 3 with 36K" in lines
    assert "  Direct map: 1.0M (25 %) in pages of 4.0K, 3.0M (75 %) in pages of 2.0M, 0B (0 %) in pages of 1.0G" in lines
    assert "        Idle: 1, 16K: af_alg" in lines
    assert any(line.startswith("   Not known: of 6,") for line in lines)


def test_json_of_memory(machine, ctl):
    done = json.loads(ctl("memory", "--json=short", check=0).stdout)
    assert done["sizeBytes"] == 479232 and done["idleModules"] == 1 and done["idleBytes"] == 16384 and done["unknownModules"] == 6
    assert done["vmalloc"] == {"moduleAreas": 2, "moduleBytes": 20480, "moduleGuardBytes": 8192, "areas": 3, "bytes": 36864, "unpurgedAreas": 0}
    assert done["directMap"] == [{"pageBytes": 4096, "bytes": 1 << 20}, {"pageBytes": 2 << 20, "bytes": 3 << 20}, {"pageBytes": 1 << 30, "bytes": 0}]
    assert done["modules"][0] == {"module": "e1000e", "sizeBytes": 372736, "idle": False}


def test_memory_that_only_root_sees(machine, ctl, environment):
    (machine / "proc/vmallocinfo").chmod(0)
    for path in (machine, *machine.parents):
        if path.stat().st_uid == os.getuid() and path.is_dir():
            path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LKMCTL, "memory"], env={**environment, "LKMD_SOCKET": "/none"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert "only root sees /proc/vmallocinfo" in done.stdout and "lkmd does not answer" in done.stdout


def test_memory_without_lkmd(machine, ctl):
    done = ctl("memory", check=0, LKMD_SOCKET="/none")
    assert "lkmd does not answer" in done.stdout and done.stderr == ""
    assert "idleModules" not in json.loads(ctl("memory", "--json", check=0, LKMD_SOCKET="/none").stdout)


def test_memory_of_a_kernel_without_modules(machine, ctl):
    (machine / "proc/modules").unlink()
    assert "there is no /proc/modules" in ctl("memory", check=1).stderr


# ---------------------------------------------------------------------------------------------- what may come

def test_evil_names(lkmd, ctl, tmp_path):
    evil_boot(lkmd)
    for words in (["plot"], ["graph", "--svg"]):
        svg = ctl(*words, check=0).stdout
        root = check_svg(svg)
        draw(tmp_path / "evil.svg", svg)
        assert not any(ord(c) < 32 and c != "\n" for c in svg)
        assert "\u202e" not in svg
        assert root.find(f".//{SVG}script") is None
    for words in (["graph"], ["blame"], ["critical-chain"], ["graph", "--dot"]):
        text = ctl(*words, check=0).stdout
        assert not any(ord(c) < 32 and c not in "\n\t" for c in text), words
        assert "\u202e" not in text
    for words in (["plot"], ["graph"], ["blame"]):
        for line in ctl(*words, "--json=short", check=0).stdout.splitlines():
            json.loads(line)


def test_quiet_and_unreachable(machine, ctl):
    for words in (["plot"], ["graph"], ["graph", "--svg"], ["blame"], ["critical-chain"], ["memory"]):
        assert ctl("-q", *words).stdout == "", words
    for words in (["plot"], ["graph"], ["blame"], ["critical-chain"]):
        assert ctl(*words, check=4, LKMD_SOCKET="/nonexistent").stdout == "", words


def test_an_older_lkmd(lkmd, ctl):
    for words in (["plot"], ["blame"], ["critical-chain"]):
        done = ctl(*words)
        assert done.returncode != 0 and done.stdout == "" and done.stderr != "", words


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("words", [["graph"], ["graph", "ptp"], ["blame"], ["critical-chain", "e1000e"], ["memory"]])
def test_terminals(machine, environment, words, columns):
    text = on_terminal(environment, *words, columns=columns)
    table = text.split("\n\n")[0].splitlines()
    assert max(len(line) for line in table if not line.startswith(("Not shown", "Usable"))) <= columns, text
