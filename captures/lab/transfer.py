"""Data connections of the lab: the end that listens or connects, and the bytes that go over it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable

from wire import End, Log, ends

PATIENCE = 20.0
CHUNK = 4096


class Transfer:
    """One end of one data connection; moves bytes in a thread of its own and tells when it has ended.

    ``moved`` counts payload bytes; ``failed`` says that the connection broke.
    """

    def __init__(self, log: Log, session: str, role: str) -> None:
        self._log = log
        self._session = session
        self._role = role
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.moved = 0
        self.failed = False
        self.ended = False

    def listen(self, host: str) -> End:
        """Listen on any free port of an address; return the end."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(PATIENCE)
        name: str
        name, port = self._listener.getsockname()[:2]
        return name, port

    def connect(self, end: End) -> None:
        """Connect to an end; raises OSError."""
        self._connection = socket.create_connection(end, timeout=PATIENCE)

    def start(self, size: int | None, pace: float, done: Callable[[], None] = lambda: None) -> None:
        """Send ``size`` bytes, ``pace`` seconds between chunks, or receive to the end (None); then call ``done``."""
        self._thread = threading.Thread(target=self._run, args=(size, pace, done), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until everything was moved."""
        if self._thread is not None:
            self._thread.join(PATIENCE * 2)

    def _run(self, size: int | None, pace: float, done: Callable[[], None]) -> None:
        opened = self._connection is not None
        try:
            if self._connection is None:
                assert self._listener is not None
                self._connection = self._listener.accept()[0]
            self._connection.settimeout(PATIENCE)
            facts = {**ends(self._connection), "t_open": time.time()}
            if size is None:
                self._receive(self._connection)
            else:
                self._send(self._connection, size, pace)
        except OSError:
            self.failed = True
        else:
            sent = size is not None
            bytes_ = {"sent": self.moved if sent else 0, "received": 0 if sent else self.moved}
            self._log.tell("data", session=self._session, role=self._role, opened=opened, **facts, **bytes_)
        finally:
            self.close()
            self.ended = True
            done()

    def _send(self, connection: socket.socket, size: int, pace: float) -> None:
        while self.moved < size:
            chunk = os.urandom(min(CHUNK, size - self.moved))
            connection.sendall(chunk)
            self.moved += len(chunk)
            time.sleep(pace)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # the other end's close

    def _receive(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            self.moved += len(data)

    def close(self) -> None:
        """Close what is open."""
        for one in (self._listener, self._connection):
            if one is not None:
                one.close()
