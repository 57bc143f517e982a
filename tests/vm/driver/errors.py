# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong with a machine, said so that the test's output is enough to understand it."""


class LabError(Exception):
    """The laboratory itself cannot do what was asked: not the machine's fault."""


class NoSnapshot(LabError):
    """A machine could not be saved, or not restored."""


class MachineDown(Exception):
    """The machine is not running, or ended while something was asked of it."""


class QmpError(Exception):
    """QEMU refused a QMP command."""


class CommandFailed(AssertionError):
    """A command in the machine ended with another status than 0."""

    def __init__(self, command, result):
        self.result = result
        super().__init__(
            f"command exited with {result.returncode}: {command}\n"
            f"--- stdout\n{clip(result.stdout)}\n--- stderr\n{clip(result.stderr)}")


def clip(text, limit=20000):
    """The end of a text that may be long: what went wrong stands there."""
    if len(text) <= limit:
        return text
    return f"[{len(text) - limit} characters before this]\n{text[-limit:]}"
