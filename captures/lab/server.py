#!/usr/bin/env python3
"""An NDMP server of the lab: data server and mover in one, over real sockets, versions 2, 3 and 4.

    server.py ADDRESS PORT LOG [--data-address A] [--announce A] [--certificate PEM] [--highest V]

``--data-address``: listens there for data; ``--announce``: names another address in its replies, as a host behind an
address translation does. With a certificate the private message 0xf383 (opcode 4) takes the connection over to TLS. Any
password is right but ``wrong``. Tells what its sockets saw in LOG, one JSON line each; never reads a packet.
"""

from __future__ import annotations

import argparse
import os
import queue
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

from transfer import Transfer
from wire import (
    CODES,
    CONNECT_ERROR,
    ILLEGAL_ARGS,
    NOT_AUTHORIZED,
    NOT_SUPPORTED,
    Body,
    Channel,
    End,
    Log,
    Message,
    digest,
    encode_end,
    ends,
    pairs,
    text,
    u32,
    u64,
)

PASSWORD = b"ndmp"
AUTHENTICATIONS = {0: "none", 1: "text", 2: "md5"}
IDLE, ACTIVE, HALTED, LISTENING, CONNECTED = 0, 1, 2, 3, 4
MOVER_IDLE, MOVER_LISTENING, MOVER_ACTIVE, MOVER_HALTED = 0, 1, 2, 4
FREE = {CODES[name] for name in ("CONNECT_OPEN", "CONNECT_CLIENT_AUTH", "CONFIG_GET_AUTH_ATTR", "SSL", "CONNECT_CLOSE")}
FREE.add(CODES["CONFIG_GET_SERVER_INFO"])
"""What is answered before authentication (the draft, 2.11.3)."""


class Session:
    """One control connection, from the greeting to the close."""

    def __init__(self, connection: socket.socket, options: argparse.Namespace, log: Log, name: str) -> None:
        self._options = options
        self._log = log
        self._name = name
        self._channel = Channel(connection, server=True)
        self._posts: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._version = options.highest
        self._challenge = os.urandom(64)
        self._admitted = False
        self._auth: list[dict[str, str]] = []
        self._tls = False
        self._data: Transfer | None = None
        self._mover: Transfer | None = None
        self._data_state = IDLE
        self._mover_state = MOVER_IDLE
        self._mover_mode = 0
        self._window = 0
        self._operation = 0

    def run(self) -> None:
        """Serve until the other end closes; then tell what happened."""
        facts = {**ends(self._channel.socket), "t_open": time.time()}
        self._channel.send(CODES["NOTIFY_CONNECTED"], u32(0, self._options.highest) + text(""))
        try:
            while True:
                while not self._posts.empty():
                    self._channel.send(*self._posts.get())
                message = self._channel.receive(0.005)
                if message is not None:
                    self._answer(message)
                if message is not None and message.code == CODES["CONNECT_CLOSE"]:
                    break
        except (EOFError, OSError):
            pass
        self._channel.socket.close()
        said = {"version": self._version, "auth": self._auth, "tls": self._tls, "messages": self._channel.said}
        self._log.tell("control", session=self._name, **facts, **said)

    def _answer(self, message: Message) -> None:
        if message.code == CODES["CONNECT_CLOSE"]:
            return
        if not self._admitted and message.code not in FREE:
            self._channel.send(message.code, answers=message.sequence, error=NOT_AUTHORIZED)
            return
        handler = HANDLERS.get(message.code)
        if handler is None:
            self._channel.send(message.code, answers=message.sequence, error=NOT_SUPPORTED)
            return
        body = handler(self, Body(message.body))
        self._channel.send(message.code, body, answers=message.sequence)
        if message.code == CODES["SSL"]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._options.certificate)
            self._channel.socket = context.wrap_socket(self._channel.socket, server_side=True)
            self._tls = True

    # --- connection and configuration

    def open(self, body: Body) -> bytes:
        """CONNECT_OPEN."""
        wanted = body.u32()
        if not 2 <= wanted <= self._options.highest:
            return u32(ILLEGAL_ARGS)
        self._version = wanted
        return u32(0)

    def auth_attributes(self, body: Body) -> bytes:
        """CONFIG_GET_AUTH_ATTR."""
        kind = body.u32()
        return u32(0, kind) + (self._challenge if kind == 2 else b"")

    def login(self, body: Body) -> bytes:
        """CONNECT_CLIENT_AUTH."""
        kind = body.u32()
        if kind:
            body.text()
        right = {0: lambda: True, 1: lambda: body.text() == PASSWORD.decode()}
        right[2] = lambda: body.raw(16) == digest(PASSWORD, self._challenge)
        self._admitted = right[kind]()
        self._auth.append({"type": AUTHENTICATIONS[kind], "result": "OK" if self._admitted else "NOT_AUTHORIZED_ERR"})
        return u32(0 if self._admitted else NOT_AUTHORIZED)

    def server_info(self, _: Body) -> bytes:
        """CONFIG_GET_SERVER_INFO."""
        return u32(0) + text("auditor lab") + text("peer") + text("1") + u32(2, 1, 2)

    def start_tls(self, _: Body) -> bytes:
        """0xf383."""
        return u32(0) + text("") + u32(0) + text("")

    # --- the data server

    def data_listen(self, body: Body) -> bytes:
        """DATA_LISTEN."""
        if not body.u32():
            self._data_state = LISTENING
            return u32(0) + encode_end(self._version, None)
        self._data, reply = self._listen("data")
        self._data_state = LISTENING
        return reply

    def data_connect(self, body: Body) -> bytes:
        """DATA_CONNECT."""
        end = body.end(self._version)
        self._data_state = CONNECTED
        if end is None:
            return u32(0)
        self._data, error = self._connect("data", end)
        return u32(error)

    def start_backup(self, body: Body) -> bytes:
        """DATA_START_BACKUP: as many bytes as the pair LAB_SIZE says."""
        end = body.end(2) if self._version == 2 else None
        body.text()
        return self._start(body.pairs(), end, backup=True)

    def start_recover(self, body: Body) -> bytes:
        """DATA_START_RECOVER."""
        end = body.end(2) if self._version == 2 else None
        return self._start(body.pairs(), end, backup=False)

    def _start(self, given: dict[str, str], end: End | None, *, backup: bool) -> bytes:
        if end is not None:
            self._data, error = self._connect("data", end)
            if error:
                return u32(error)
        self._operation = 1 if backup else 2
        self._data_state = ACTIVE
        if self._data is None:  # local
            self._data_halted()
        else:
            size = int(given["LAB_SIZE"]) if backup else None
            self._data.start(size, float(given.get("LAB_PACE", "0")), self._data_halted)
        return u32(0)

    def _data_halted(self) -> None:
        self._data_state = HALTED
        reason = u32(4 if self._data is not None and self._data.failed else 1)
        self._posts.put((CODES["NOTIFY_DATA_HALTED"], reason + (b"" if self._version == 4 else text(""))))

    def data_state(self, _: Body) -> bytes:
        """DATA_GET_STATE."""
        moved = self._data.moved if self._data is not None else 0
        reason = 1 if self._data_state == HALTED else 0
        start = u32(0) if self._version == 2 else u32(0, 0)
        numbers = u32(self._operation, self._data_state, reason) + u64(moved) + u64(0) + u32(0)
        return start + numbers + encode_end(self._version, None) + u64(0) + u64(0)

    def data_environment(self, _: Body) -> bytes:
        """DATA_GET_ENV."""
        return u32(0) + pairs({"TYPE": "tar"})

    def data_stop(self, _: Body) -> bytes:
        """DATA_STOP."""
        self._data, self._data_state, self._operation = None, IDLE, 0
        return u32(0)

    # --- the mover

    def set_window(self, body: Body) -> bytes:
        """MOVER_SET_WINDOW: in a restore, as many bytes as the window is long."""
        body.u64()
        self._window = body.u64()
        return u32(0)

    def record_size(self, _: Body) -> bytes:
        """MOVER_SET_RECORD_SIZE."""
        return u32(0)

    def mover_listen(self, body: Body) -> bytes:
        """MOVER_LISTEN."""
        self._mover_mode = body.u32()
        self._mover_state = MOVER_LISTENING
        if not body.u32():
            return u32(0) + encode_end(self._version, None)
        self._mover, reply = self._listen("mover")
        self._move()
        return reply

    def mover_connect(self, body: Body) -> bytes:
        """MOVER_CONNECT."""
        self._mover_mode = body.u32()
        end = body.end(self._version)
        assert end is not None
        self._mover, error = self._connect("mover", end)
        if not error:
            self._move()
        return u32(error)

    def _move(self) -> None:
        assert self._mover is not None
        self._mover_state = MOVER_ACTIVE
        self._mover.start(self._window if self._mover_mode == 1 else None, 0.002, self._mover_halted)

    def _mover_halted(self) -> None:
        self._mover_state = MOVER_HALTED
        body = u32(1) + (b"" if self._version == 4 else text(""))
        self._posts.put((CODES["NOTIFY_MOVER_HALTED"], body))

    def mover_state(self, _: Body) -> bytes:
        """MOVER_GET_STATE."""
        moved = self._mover.moved if self._mover is not None else 0
        reason = 1 if self._mover_state == MOVER_HALTED else 0
        mode = u32(self._mover_mode) if self._version == 4 else b""
        body = u32(0) + mode + u32(self._mover_state, 0, reason, 10240, 0) + u64(moved) + u64(0) * 4
        return body + (encode_end(self._version, None) if self._version > 2 else b"")

    def mover_stop(self, _: Body) -> bytes:
        """MOVER_STOP."""
        self._mover, self._mover_state = None, MOVER_IDLE
        return u32(0)

    # --- both

    def _listen(self, role: str) -> tuple[Transfer, bytes]:
        transfer = Transfer(self._log, self._name, role)
        host, port = transfer.listen(self._options.data_address or self._options.address)
        return transfer, u32(0) + encode_end(self._version, (self._options.announce or host, port))

    def _connect(self, role: str, end: End) -> tuple[Transfer, int]:
        transfer = Transfer(self._log, self._name, role)
        try:
            transfer.connect(end)
        except OSError:
            return transfer, CONNECT_ERROR
        return transfer, 0


HANDLERS = {
    CODES[name]: handler
    for name, handler in {
        "CONNECT_OPEN": Session.open,
        "CONFIG_GET_AUTH_ATTR": Session.auth_attributes,
        "CONNECT_CLIENT_AUTH": Session.login,
        "CONFIG_GET_SERVER_INFO": Session.server_info,
        "SSL": Session.start_tls,
        "DATA_LISTEN": Session.data_listen,
        "DATA_CONNECT": Session.data_connect,
        "DATA_START_BACKUP": Session.start_backup,
        "DATA_START_RECOVER": Session.start_recover,
        "DATA_GET_STATE": Session.data_state,
        "DATA_GET_ENV": Session.data_environment,
        "DATA_STOP": Session.data_stop,
        "MOVER_SET_WINDOW": Session.set_window,
        "MOVER_SET_RECORD_SIZE": Session.record_size,
        "MOVER_LISTEN": Session.mover_listen,
        "MOVER_CONNECT": Session.mover_connect,
        "MOVER_GET_STATE": Session.mover_state,
        "MOVER_STOP": Session.mover_stop,
    }.items()
}


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("log", type=Path)
    parser.add_argument("--data-address")
    parser.add_argument("--announce")
    parser.add_argument("--certificate")
    parser.add_argument("--highest", type=int, default=4)
    options = parser.parse_args()
    log = Log(options.log)
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    listener = socket.create_server((options.address, options.port), family=family)
    print("READY", flush=True)
    count = 0
    while True:
        connection, _ = listener.accept()
        count += 1
        session = Session(connection, options, log, f"{options.address}:{options.port}#{count}")
        threading.Thread(target=session.run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
