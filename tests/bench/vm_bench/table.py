# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables and goals as text. A goal says how far a figure of lkmd's is from what the project wants of it."""

import math


def cell(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 0.1 or value == 0 else 4
        return f"{value:.{digits}f}"
    return str(value)


def table(heads, rows):
    """Columns as wide as their widest cell; the first is text, the others are figures."""
    lines = [list(heads)] + [[cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def ratio(a, b):
    return round(a / b, 3) if a is not None and b else None


def goal(what, value, limit):
    """A figure that has to be at most limit; None: it could not be measured."""
    met = value is not None and not math.isnan(value) and value <= limit
    return {"what": what, "value": value, "limit": limit, "met": met if value is not None else None}


def goals(items):
    return table(("goal", "is", "at most", "met"), [(g["what"], g["value"], g["limit"], g["met"]) for g in items])
