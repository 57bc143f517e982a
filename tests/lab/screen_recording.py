# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of a terminal as one SVG that plays by itself (SMIL, which browsers play in images, too), without a program beside it."""

import screen_picture
from screen_picture import CELL_HEIGHT, MARGIN, THEMES, Screen

PROMPT = "# "
KEY_SECONDS = 0.045                     # between two keys of what is typed
PAUSE_MAX = 0.8                         # of what a command takes; a machine that is emulated is slow
READING_SECONDS = 2.2                   # after each command, and a little for each line
LINE_SECONDS = 0.25
END_SECONDS = 4


def _frames(commands, columns, rows):
    """(time, rows of runs) whenever the screen has changed, and the time of the end."""
    screen, now, frames = Screen(columns, rows), 0.0, []

    def shown(data, seconds):
        nonlocal now
        screen.feed(data)
        frames.append((now, screen.frame().rows))
        now += seconds

    for command, written in commands:
        shown(PROMPT.encode(), 0.4)
        for key in command:
            shown(key.encode(), KEY_SECONDS)
        shown(b"\r\n", 0.2)
        for seconds, data in written:
            now += min(seconds, PAUSE_MAX)
            shown(data, 0)
        n_lines = sum(data.count(b"\n") for _, data in written)
        now += READING_SECONDS + LINE_SECONDS * n_lines
        shown(b"\r\n", 0)
    return frames, now + END_SECONDS


def _spans(frames, end):
    """(row, runs, from, to): what each line shows, and how long."""
    open_spans, spans = {}, []
    for when, rows in frames:
        for number, runs in enumerate(rows):
            before = open_spans.get(number)
            if before and before[0] == runs:
                continue
            if before and before[0] and when > before[1]:
                spans.append((number, *before, when))
            open_spans[number] = (runs, when)
    spans += [(number, runs, since, end) for number, (runs, since) in open_spans.items() if runs]
    return spans


def animation(commands, columns, rows, theme="dark"):
    """The SVG of commands, each with what it wrote: (command, [(seconds since the one before, bytes)])."""
    frames, end = _frames(commands, columns, rows)
    empty = screen_picture.svg(screen_picture.Frame(columns, []), theme, rows)
    head, _, tail = empty.rpartition("</svg>")
    parts = [head.rstrip("\n"),
             f'<rect width="0" height="0"><animate id="again" attributeName="x" begin="0s;again.end" dur="{end:.2f}s" values="0;0"/></rect>']
    for number, runs, since, until in _spans(frames, end):
        drawn = "".join(part for run in runs for part in screen_picture.draw(THEMES[theme], MARGIN + number * CELL_HEIGHT, run))
        if drawn:
            parts.append(f'<g visibility="hidden"><set attributeName="visibility" to="visible" begin="again.begin+{since:.2f}s" '
                         f'dur="{until - since:.2f}s"/>{drawn}</g>')
    return "\n".join([*parts, "</svg>"]) + tail
