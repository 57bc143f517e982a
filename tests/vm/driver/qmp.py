# SPDX-License-Identifier: LGPL-2.1-or-later
"""QMP: QEMU's own control channel. Owns its socket; events are kept in the order of their arrival."""

import json
import socket
import time

from .errors import MachineDown, QmpError


def matches(data, wanted):
    """Whether data has all items of wanted; a tuple there is a choice."""
    return all(data.get(key) in (value if isinstance(value, tuple) else (value,)) for key, value in wanted.items())


class Qmp:
    def __init__(self, path):
        self.events = []
        self.buffer = b""
        self.socket = self._connected(path, 30)
        self._message(30)               # the greeting
        self.command("qmp_capabilities")

    @staticmethod
    def _connected(path, timeout):
        """QEMU makes the file of its socket a moment before it listens there, and refuses meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
                return connection
            except ConnectionRefusedError as error:
                connection.close()
                if time.monotonic() > deadline:
                    raise MachineDown(f"QEMU does not listen: {error}") from error
                time.sleep(0.01)

    def close(self):
        self.socket.close()

    def _message(self, timeout):
        """The next message, or None when none came in time."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise MachineDown(f"QEMU hung up: {error}") from error
            if not data:
                raise MachineDown("QEMU has ended")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def command(self, name, arguments=None, timeout=30):
        request = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        try:
            self.socket.settimeout(timeout)             # not what is left of an earlier wait
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise MachineDown(f"QEMU hung up: {error}") from error
        deadline = time.monotonic() + timeout
        while True:
            message = self._message(deadline - time.monotonic())
            if message is None:
                raise TimeoutError(f"QEMU did not answer {name} within {timeout} s")
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{name}: {message['error']['desc']}")
            elif "return" in message:
                return message["return"]

    def wait_event(self, name, match=None, timeout=30):
        """Take the first event of that name whose data has all items of match, see matches()."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for index in range(seen, len(self.events)):
                event = self.events[index]
                if event["event"] == name and matches(event.get("data", {}), match or {}):
                    return self.events.pop(index)
            seen = len(self.events)
            message = self._message(deadline - time.monotonic())
            if message is None:
                got = ", ".join(e["event"] for e in self.events) or "none"
                raise TimeoutError(f"no QMP event {name} {match or ''} within {timeout} s (events: {got})")
            if "event" in message:
                self.events.append(message)
