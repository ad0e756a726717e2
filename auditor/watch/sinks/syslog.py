"""Syslog as RFC 5424 has it: over UDP (RFC 5426), over TCP with counted octets (RFC 6587, 3.4.1), or to a local socket."""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import urlsplit

from auditor.errors import UsageError
from auditor.text import escape
from auditor.watch.news import News
from auditor.watch.sinks.courier import FIRST_WAIT, CourierOutlet

_FACILITY = 13
"""Log audit (RFC 5424, table 1)."""
_LEVELS = {"critical": 2, "high": 3, "medium": 4, "low": 5, "info": 6}
_LOSS_LEVEL, _USUAL_LEVEL = 4, 6
_LONGEST_UDP = 1400
"""Bytes: fits one frame of Ethernet; RFC 5424 (6.1) asks receivers for 480 and suggests 2048."""
_TIMEOUT = 10.0
SD_ID = "auditor@32473"
"""32473 is the enterprise number that RFC 5612 sets aside; this project has none of its own."""


def message_of(news: News, host: str) -> bytes:
    """Return news as one message of RFC 5424. The sentence is UTF-8 with its mark, as the RFC asks."""
    level = _LEVELS.get(news.severity, _LOSS_LEVEL if news.kind in ("loss", "trouble") else _USUAL_LEVEL)
    if news.kind == "finding-closed":
        level = _USUAL_LEVEL
    facts = {
        "number": str(news.number),
        "kind": news.kind,
        "key": news.key,
        "severity": news.severity,
        "code": str(news.facts.get("code", "")),
        "again": "yes" if news.again else "",
    }
    data = "".join(f' {name}="{_value(value)}"' for name, value in facts.items() if value)
    # Nine digits are three too many for the RFC.
    stamp = f"{news.time[:26]}Z"
    head = f"<{_FACILITY * 8 + level}>1 {stamp} {_header(host)} auditor {os.getpid()} {news.kind} [{SD_ID}{data}] "
    return head.encode() + b"\xef\xbb\xbf" + escape(news.text, limit=1000).encode("utf-8", "backslashreplace")


def _value(text: str) -> str:
    """Return a value of structured data, escaped as RFC 5424 (6.3.3) has it, after what a terminal would obey."""
    safe = escape(text, limit=200).encode("utf-8", "backslashreplace").decode()
    return re.sub(r'([\\"\]])', r"\\\1", safe)


def _header(text: str) -> str:
    return re.sub(r"[^!-~]", "", text)[:255] or "-"


class SyslogOutlet(CourierOutlet):
    """Sends news to ``udp://HOST:PORT``, ``tcp://HOST:PORT`` or ``unix:PATH``. Raises UsageError for anything else.

    UDP tells nobody whether a message arrived; what matters goes over TCP or to the local daemon.
    """

    def __init__(self, target: str, *, first_wait: float = FIRST_WAIT) -> None:
        super().__init__(f"syslog {target}", first_wait=first_wait)
        self._kind, self._address = _parsed(target)
        self._host = socket.gethostname()
        self._socket: socket.socket | None = None

    def carry(self, news: News) -> None:
        """Send one message."""
        message = message_of(news, self._host)
        if self._kind == "udp":
            message = message[:_LONGEST_UDP].decode("utf-8", "ignore").encode()
        if self._kind == "tcp":
            message = b"%d %s" % (len(message), message)
        if self._socket is None:
            self._socket = self._connected()
        if self._kind == "tcp" and _hung_up(self._socket):
            raise ConnectionResetError("the receiver closed the connection")
        self._socket.sendall(message)

    def let_go(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._kind == "unix":
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            made.connect(str(self._address))
            return made
        assert not isinstance(self._address, str)
        host, port = self._address
        kind = socket.SOCK_STREAM if self._kind == "tcp" else socket.SOCK_DGRAM
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        made = socket.socket(family, kind, protocol)
        made.settimeout(_TIMEOUT)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        return made


def _hung_up(connection: socket.socket) -> bool:
    """Return whether the other end has closed: a send would still seem to go well once."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(_TIMEOUT)


def _parsed(target: str) -> tuple[str, tuple[str, int] | str]:
    fix = "write udp://HOST:514, tcp://HOST:601 or unix:/dev/log"
    if target.startswith("unix:") and len(target) > len("unix:"):
        return "unix", target.removeprefix("unix:").removeprefix("//")
    try:
        parts = urlsplit(target)
        if parts.scheme in ("udp", "tcp") and parts.hostname and not parts.path.strip("/"):
            return parts.scheme, (parts.hostname, parts.port or (514 if parts.scheme == "udp" else 601))
    except ValueError:
        pass
    raise UsageError(f'--syslog "{target}" names no receiver', fix=fix)
