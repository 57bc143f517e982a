# SPDX-License-Identifier: LGPL-2.1-or-later
"""A varlink server that plays lkmd: for every method a list of steps, on every call the same."""

import json
import socket
import threading

INTERFACE = "io.lkmd.Manager."


def reply(**fields):
    return {"parameters": fields}


def more(**fields):
    return {"parameters": fields, "continues": True}


def error(name, **fields):
    return {"error": name if "." in name else INTERFACE + name, "parameters": fields}


class FakeLkmd:
    """Steps: what reply(), more() and error() give is sent; bytes are sent as they are; a threading.Event is waited for, but
    not after close(), so that no test leaves a thread that fails in another one; a callable is called with the parameters
    and gives the step; None hangs up."""

    def __init__(self, path):
        self.path = str(path)
        self.steps = {}
        self.calls = []                 # (method without the interface, parameters, more)
        self.called = threading.Event()
        self.closed = threading.Event()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def on(self, method, *steps):
        self.steps[method] = steps

    def close(self):
        """Ends the thread before the number of the socket is free, or it would accept for the next server that gets it."""
        self.closed.set()
        if self.socket.fileno() < 0:
            return                      # a test has closed it
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.socket.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        buffer = b""
        with client:
            while chunk := self._receive(client):
                buffer += chunk
                while b"\0" in buffer:
                    message, buffer = buffer.split(b"\0", 1)
                    try:
                        if not self._answer(client, json.loads(message)):
                            return
                    except OSError:
                        return

    @staticmethod
    def _receive(client):
        try:
            return client.recv(65536)
        except ConnectionResetError:    # the client has left something unread
            return b""

    def _await(self, step):
        for _ in range(60 * 50):
            if step.wait(0.02):
                return True
            if self.closed.is_set():
                return False
        raise AssertionError("nobody has set what is waited for")

    def _answer(self, client, call):
        method = call["method"].removeprefix(INTERFACE)
        parameters = call.get("parameters", {})
        self.calls.append((method, parameters, call.get("more", False)))
        self.called.set()
        default = (error("org.varlink.service.MethodNotFound", method=call["method"]),)
        for step in self.steps.get(method, default):
            if callable(step):
                step = step(parameters)
            if step is None:
                client.shutdown(socket.SHUT_RDWR)
                return False
            if isinstance(step, threading.Event):
                if not self._await(step):
                    return False
            elif isinstance(step, bytes):
                client.sendall(step)
            else:
                client.sendall(json.dumps(step).encode() + b"\0")
        return True
