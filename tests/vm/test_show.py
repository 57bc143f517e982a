# SPDX-License-Identifier: LGPL-2.1-or-later
"""The first thing that a newcomer sees: the session in README.md and its recording show what happens. ./dev record makes both again."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import show

SVG = "{http://www.w3.org/2000/svg}"
AGAIN = "what is shown there is not what happens now; ./dev record writes it again, to be looked at and committed"


@pytest.fixture(scope="module")
def transcript(machine):
    return show.transcript(show.session(machine))


def unordered(text):
    """The shape of each command and of its lines: modules that are loaded side by side end in any order."""
    return [(part.partition("\n")[0], sorted(show.shape(part.partition("\n")[2]))) for part in re.split(r"\n\n(?=# )", text.strip())]


def test_the_readme_shows_what_happens(transcript):
    text = show.README.read_text(encoding="utf-8")
    assert show.recorded("") != text
    then = text.partition(show.HEADING)[2].split("```\n")[1]
    assert unordered(then) == unordered(transcript), AGAIN


def test_so_does_the_recording(transcript):
    """Every line that the session has is drawn in it at some time, and it begins again at its end."""
    root = ElementTree.parse(show.RECORDING).getroot()
    drawn = {line for group in root.iter(f"{SVG}g") for line in show.shape("".join(text.text for text in group.iter(f"{SVG}text")))}
    wanted = re.sub(r"^(# .*?) +# .*$", r"\1", transcript, flags=re.M).splitlines()
    assert [line for line in wanted if line and show.shape(line)[0] not in drawn] == [], AGAIN
    assert root.find(f".//{SVG}animate").get("begin") == "0s;again.end"


def test_the_picture_of_a_boot():
    """plot is compared with lkmd's records elsewhere; here only that the picture is one of a boot."""
    root = ElementTree.parse(show.BOOT).getroot()
    names = [group.find(f"{SVG}text").text for group in root.iter(f"{SVG}g") if group.get("class") == "load"]
    assert len(names) > 20 and "usbcore" in names
