# SPDX-License-Identifier: LGPL-2.1-or-later
"""qemu-guest-agent on an ISA serial port: starts commands in the guest before any module is loaded, and changes no
module's state. Owns its socket. Only short messages go this way; data goes through files (see machine.py), because a
serial line without flow control loses what the other side does not read in time."""

import itertools
import json
import socket
import time

from .errors import LabError, MachineDown

SEND_TIMEOUT = 60                       # seconds, on a busy computer


class Agent:
    def __init__(self, path, alive):
        self.path = path
        self.alive = alive              # raises MachineDown when QEMU has ended; patient: it may be about to
        self.socket = None
        self.buffer = b""
        self.serial = itertools.count(1)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def _send(self, data, timeout=SEND_TIMEOUT):
        try:
            self.socket.settimeout(timeout)     # not what is left of somebody's wait
            self.socket.sendall(data)
        except TimeoutError:
            raise TimeoutError(f"nobody has read what was said to the guest agent within {timeout} s") from None
        except OSError as error:
            self._closed(error)

    def _closed(self, error=None):
        """QEMU closes the line when it ends, a moment before it has ended."""
        self.alive(patient=True)
        raise MachineDown(f"the agent's line is closed: {error or 'end of file'}") from error

    def _line(self, deadline):
        """The next whole line, or None at the deadline."""
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(min(left, 1))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                self.alive()
                continue
            except OSError as error:
                self._closed(error)
            if not data:
                self._closed()
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def connect(self, timeout):
        """Wait until the agent of a starting machine answers, and drop whatever was said before."""
        self.close()
        self.buffer = b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        deadline = time.monotonic() + timeout
        ours = set()
        while time.monotonic() < deadline:
            ident = next(self.serial)
            # 0xff makes the agent's parser forget half a message of an earlier life.
            request = {"execute": "guest-sync-delimited", "arguments": {"id": ident}}
            try:
                self._send(b"\xff" + json.dumps(request).encode() + b"\n", timeout=1)
                ours.add(ident)
            except TimeoutError:
                pass                    # the line is full: a slow machine has not begun to read
            pause = min(time.monotonic() + 2, deadline)
            while (line := self._line(pause)) is not None:
                try:
                    answer = json.loads(line.rsplit(b"\xff", 1)[-1])
                except ValueError:
                    continue
                if ours and answer.get("return") == max(ours):
                    return
                if answer.get("return") in ours:
                    ours = {i for i in ours if i > answer["return"]}
        raise TimeoutError(f"the guest agent did not answer within {timeout} s")

    def command(self, name, arguments=None, timeout=30):
        request = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        self._send(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + timeout
        while (line := self._line(deadline)) is not None:
            try:
                answer = json.loads(line.rsplit(b"\xff", 1)[-1])
            except ValueError:
                continue
            if "error" in answer:
                raise LabError(f"guest agent, {name}: {answer['error'].get('desc', answer['error'])}")
            if isinstance(answer.get("return"), int):
                continue                # the late answer to a sync
            return answer["return"]
        raise TimeoutError(f"the guest agent did not answer {name} within {timeout} s")
