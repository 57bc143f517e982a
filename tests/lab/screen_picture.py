#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of a terminal, as SVG and PNG.

screen_picture.py [--columns N] [--rows N] [--theme light|dark] --output FILE COMMAND...

Runs COMMAND on a terminal of this size and writes what is seen there at its end, or all of its output without --rows. The ending of
FILE says what it is, svg or png (by rsvg-convert). For other uses: Screen is a terminal without a window, which is fed bytes and gives a
Frame at any moment; svg() draws a Frame."""

import argparse
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import pyte

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.43, 17, 14      # of DejaVu Sans Mono
BASELINE = 13                           # below the top of a cell
MARGIN = 12
ROWS_MAX = 2000                         # of a screen that is as high as its text
FONTS = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
INK, GROUND = "ink", "ground"           # of what has no colour of its own
FAINT = "faint"                         # pyte has no such attribute: it becomes a colour here

COLOURS = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]
THEMES = {
    "light": {GROUND: "#ffffff", INK: "#24292f", FAINT: "#6e7781", "frame": "#d0d7de",
              "plain": ["#24292f", "#b3261e", "#1a7f37", "#8a6100", "#0550ae", "#8250df", "#1b7c83", "#6e7781"],
              "bright": ["#57606a", "#b3261e", "#1a7f37", "#8a6100", "#0550ae", "#8250df", "#1b7c83", "#24292f"]},
    "dark": {GROUND: "#0d1117", INK: "#e6edf3", FAINT: "#8b949e", "frame": "#30363d",
             "plain": ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
             "bright": ["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"]},
}


class Look(NamedTuple):
    """How characters look that are drawn as one."""
    ink: str                            # names of pyte, six digits of a colour, FAINT or "default"
    ground: str
    bold: bool
    italic: bool
    underline: bool


class Run(NamedTuple):
    """Characters of one look. A wide one is a run of its own, so that it stays in its place."""
    column: int
    width: int                          # in cells
    text: str
    look: Look


class Frame(NamedTuple):
    """What a screen shows at a moment."""
    columns: int
    rows: list                          # of lists of Run


class _FaintScreen(pyte.Screen):
    def select_graphic_rendition(self, *attributes, **more):
        super().select_graphic_rendition(*attributes, **more)
        if 2 in attributes and not {38, 48} & set(attributes):
            self.cursor.attrs = self.cursor.attrs._replace(fg=FAINT)
        elif 22 in attributes and self.cursor.attrs.fg == FAINT:
            self.cursor.attrs = self.cursor.attrs._replace(fg="default")


class Screen:
    """A terminal of columns by rows; rows=None: as high as what it is fed."""

    def __init__(self, columns=80, rows=None):
        self.grows = rows is None
        self._screen = _FaintScreen(columns, rows or ROWS_MAX)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data):
        """What a program writes to its terminal."""
        self._stream.feed(data)

    def text(self):
        """Its lines, without the blanks at their ends."""
        lines = [line.rstrip() for line in self._screen.display]
        while self.grows and lines and not lines[-1]:
            lines.pop()
        return lines

    def frame(self):
        """What it shows now."""
        buffer, columns = self._screen.buffer, self._screen.columns
        n_rows = len(self.text()) if self.grows else self._screen.lines
        return Frame(columns, [_runs(buffer[row], columns) for row in range(n_rows)])


def _look(char):
    ink, ground = char.fg, char.bg
    if char.reverse:
        ink, ground = (GROUND if char.bg == "default" else char.bg), (INK if char.fg == "default" else char.fg)
    return Look(ink, ground, char.bold, char.italics, char.underscore)


def _runs(line, columns):
    """The cells of a line as runs; blanks at its end are left out."""
    runs = []
    for column in range(columns):
        char = line[column]
        if not char.data:               # the second cell of a wide one
            runs[-1] = runs[-1]._replace(width=2)
            continue
        wide = column + 1 < columns and not line[column + 1].data
        before = runs[-1] if runs else None
        if before and before.look == _look(char) and not wide and before.width == len(before.text):
            runs[-1] = before._replace(width=before.width + 1, text=before.text + char.data[0])
        else:
            runs.append(Run(column, 1, char.data, _look(char)))
    while runs and runs[-1].look.ground == "default":
        text = runs[-1].text.rstrip(" ")
        if text:
            runs[-1] = runs[-1]._replace(text=text, width=runs[-1].width - len(runs[-1].text) + len(text))
            break
        runs.pop()
    return runs


def _colour(theme, name, bold, otherwise):
    """bold: as many terminals do, the colours 0 to 7 are bright then."""
    if name == "default":
        return theme[otherwise]
    if name in (FAINT, INK, GROUND):
        return theme[name]
    if name.startswith("bright"):
        return theme["bright"][COLOURS.index(name.removeprefix("bright"))]
    if name in COLOURS:
        return theme["bright" if bold else "plain"][COLOURS.index(name)]
    return f"#{name}"


def draw(theme, top, run):
    """The parts of an SVG for a run whose line begins at this height; theme: of THEMES."""
    ink, ground = _colour(theme, run.look.ink, run.look.bold, INK), _colour(theme, run.look.ground, False, GROUND)
    left, width = MARGIN + run.column * CELL_WIDTH, run.width * CELL_WIDTH
    if run.look.ground != "default":
        yield f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" height="{CELL_HEIGHT}" fill="{ground}"/>'
    if not run.text.strip():
        return
    style = ' font-weight="bold"' if run.look.bold else ""
    style += ' font-style="italic"' if run.look.italic else ""
    style += ' text-decoration="underline"' if run.look.underline else ""
    yield (f'<text x="{left:.2f}" y="{top + BASELINE}" textLength="{width:.2f}" fill="{ink}"{style}>{escape(run.text)}</text>')


def svg(frame, theme="dark", rows=None):
    """The picture of a frame; rows: its height where that is not the frame's, so that the pictures of a recording are alike."""
    colours = THEMES[theme]
    width = frame.columns * CELL_WIDTH + 2 * MARGIN
    height = (rows or len(frame.rows)) * CELL_HEIGHT + 2 * MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" '
             f'font-family="{FONTS}" font-size="{FONT_SIZE}" xml:space="preserve">',
             f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" rx="6" '
             f'fill="{colours[GROUND]}" stroke="{colours["frame"]}"/>']
    for number, runs in enumerate(frame.rows):
        for run in runs:
            parts += draw(colours, MARGIN + number * CELL_HEIGHT, run)
    return "\n".join([*parts, "</svg>\n"])


def save(picture, path):
    """Write an SVG into a file, as PNG if it is called so."""
    path = Path(path)
    if path.suffix == ".png":
        subprocess.run(["rsvg-convert", "--output", path], input=picture.encode(), check=True)
    else:
        path.write_text(picture, encoding="utf-8")


def run_on_terminal(command, columns=80, rows=24, environment=None):
    """Run a command on a terminal. What it wrote, as bytes, and its exit status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    written = b""
    try:
        while chunk := os.read(master, 65536):
            written += chunk
    except OSError:                     # nobody has it open any more
        pass
    os.close(master)
    return written, process.wait()


def main(words=None):
    parser = argparse.ArgumentParser(description="a picture of what a command shows on a terminal")
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rows", type=int, help="of the terminal (default: as many as the output has)")
    parser.add_argument("--theme", choices=sorted(THEMES), default="dark")
    parser.add_argument("--output", required=True, metavar="FILE")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)

    screen = Screen(options.columns, options.rows)
    written, status = run_on_terminal(options.command, options.columns, options.rows or 24, {"TERM": "xterm-256color", **os.environ})
    screen.feed(written)
    save(svg(screen.frame(), options.theme), options.output)
    return status


if __name__ == "__main__":
    sys.exit(main())
