"""Metrics for Prometheus, as text over HTTP (exposition format 0.0.4); on a loopback port unless told otherwise."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from auditor.errors import UsageError
from auditor.watch.loop import State

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_COUNTERS = {
    "packets": "Packets taken.",
    "bytes": "Bytes of these packets on the wire.",
    "kernel_drops": "Packets that the kernel dropped.",
    "own_drops": "Packets that auditor itself dropped.",
    "clock_steps": "Times that the clock was set by a minute or more.",
    "interface_downs": "Times that the interface went down.",
    "reopened": "Times that the source was opened again.",
}


def exposition(state: State) -> bytes:
    """Return the state of a watch as Prometheus reads it."""
    return "".join(_lines(state)).encode()


def _lines(state: State) -> Iterator[str]:
    counters = state.counters
    for name, help_ in _COUNTERS.items():
        if name in counters:
            yield from _one(f"{name}_total", "counter", help_, _number(counters[name]))
    evicted = counters.get("evicted")
    if isinstance(evicted, Mapping):
        yield from _many("evicted_flows_total", "counter", "Flows let go, by reason.", "reason", evicted)
    for name, help_ in {"flows": "Flows in memory.", "messages": "NDMP messages in memory."}.items():
        if name in counters:
            yield from _one(name, "gauge", help_, _number(counters[name]))
    yield from _one("lost_packets_total", "counter", "Packets lost, wherever.", state.lost)
    yield from _one("observed_seconds", "gauge", "How long this watch observes.", round(state.observed, 3))
    yield from _one("audits_total", "counter", "Audits of what was known.", state.audits)
    yield from _one("audit_seconds_total", "counter", "Time that audits took.", round(state.audit_seconds, 6))
    yield from _one("news_total", "counter", "News in the journal.", state.news)
    yield from _one("open_sessions", "gauge", "NDMP control connections that are open.", state.open_sessions)
    name = "auditor_watch_open_findings"
    yield f"# HELP {name} Findings that were told and have not ended.\n# TYPE {name} gauge\n"
    for (code, severity), count in sorted(state.open_findings.items()):
        yield f'{name}{{code="{_label(code)}",severity="{_label(severity)}"}} {count}\n'
    if state.report is not None:
        yield from _many("report_totals", "gauge", "Totals of the latest report.", "of", state.report.totals)


def _one(name: str, kind: str, help_: str, value: float) -> Iterator[str]:
    full = f"auditor_watch_{name}"
    yield f"# HELP {full} {help_}\n# TYPE {full} {kind}\n{full} {value}\n"


def _many(name: str, kind: str, help_: str, label: str, values: Mapping[str, object]) -> Iterator[str]:
    full = f"auditor_watch_{name}"
    yield f"# HELP {full} {help_}\n# TYPE {full} {kind}\n"
    for key, value in sorted(values.items()):
        yield f'{full}{{{label}="{_label(key)}"}} {_number(value)}\n'


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class Metrics:
    """Serves the latest state at ``/metrics`` of ``[ADDRESS:]PORT``; port 0 lets the system choose, ``port`` tells which.

    Raises UsageError for an address beyond loopback without ``anywhere``, and where the port cannot be had.
    """

    def __init__(self, target: str, *, anywhere: bool = False) -> None:
        address, _, port = target.rpartition(":")
        address = address.strip("[]") or "127.0.0.1"
        try:
            parsed, number = ipaddress.ip_address(address), int(port)
        except ValueError:
            raise UsageError(f'--metrics "{target}" is no port', fix="write --metrics 9464") from None
        if not parsed.is_loopback and not anywhere:
            raise UsageError(
                f"--metrics {target}: whoever reaches this address could read who backs up what",
                fix="name a port alone (loopback), or add --metrics-anywhere",
            )
        self._state = State()
        try:
            self._server = self._made(address, number, parsed.version == 6)
        except (OSError, OverflowError) as error:
            raise UsageError(f"--metrics {target}: {getattr(error, 'strerror', None) or error}") from None
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="auditor metrics", daemon=True).start()

    def show(self, state: State) -> None:
        """Serve this state from now on."""
        self._state = state

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _made(self, address: str, port: int, ipv6: bool) -> ThreadingHTTPServer:
        import socket

        metrics = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/metrics":
                    self.send_error(404)
                    return
                body = exposition(metrics._state)
                self.send_response(200)
                self.send_header("Content-Type", _TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: standard error is for trouble."""

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ipv6 else socket.AF_INET
            daemon_threads = True

        return Server((address, port), Handler)
