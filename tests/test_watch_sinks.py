"""Sinks, each against a receiver that is not ours: sockets, an HTTP server, Prometheus's own parser."""

from __future__ import annotations

import http.server
import json
import re
import socket
import socketserver
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.watch.journal import Journal
from auditor.watch.loop import State
from auditor.watch.news import News, Step
from auditor.watch.outlets import Outlet, Round
from auditor.watch.sinks.file import FileOutlet
from auditor.watch.sinks.metrics import Metrics
from auditor.watch.sinks.syslog import SyslogOutlet, message_of
from auditor.watch.sinks.webhook import WebhookOutlet
from tests.helpers.journals import opened

# RFC 5424, section 6: PRI, version, five header fields, one element of structured data, the mark of UTF-8, the message.
SYSLOG = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32})"
    rb' \[auditor@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\] \xef\xbb\xbf(.*)',
    re.DOTALL,
)


def news(number: int = 1, text: str = "one", **more: Any) -> News:
    return News(
        "finding-opened", f"BX301 {text}", text, "2026-11-22T15:42:15.123456789Z", "high", number=number, **more
    )


def wait_for(condition: Any) -> None:
    for _ in range(10_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


def filled(journal: Journal, outlet: Outlet, *texts: str) -> Round:
    """Return the round of an outlet that the journal knew before it was given these texts."""
    made = Round(journal, [outlet])
    journal.write([Step(news(text=text)) for text in texts])
    return made


def test_syslog_over_udp_is_rfc_5424() -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(100)
    outlet = SyslogOutlet(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
    made = filled(opened(":memory:"), outlet, 'he said "]\\" and\x1b[2J went\n', "über")
    made.show()
    first, second = (SYSLOG.fullmatch(receiver.recv(4096)) for _ in range(2))
    made.close()
    receiver.close()
    assert first is not None
    assert second is not None
    # Facility 13 (log audit), severity 3 (error) for a high finding: 13 * 8 + 3.
    assert (int(first[1]), first[2], first[6]) == (107, b"2026-11-22T15:42:15.123456Z", b"finding-opened")
    assert b"\x1b" not in first[0]
    assert b"\n" not in first[0]
    assert rb"\"\]" in first[7]
    assert second[8].decode() == "über"


def test_syslog_to_a_local_socket(tmp_path: Path) -> None:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(tmp_path / "log"))
    receiver.settimeout(100)
    made = filled(opened(":memory:"), SyslogOutlet(f"unix:{tmp_path / 'log'}"), "one")
    made.show()
    assert SYSLOG.fullmatch(receiver.recv(4096))
    made.close()
    receiver.close()


def test_syslog_over_tcp_counts_octets_and_survives_a_receiver_that_goes_away() -> None:
    got: list[bytes] = []
    hung_up = threading.Event()

    def serve(listener: socket.socket) -> None:
        # The first connection is closed after its first message: the rest has to come over another.
        for last in (False, True):
            connection = listener.accept()[0]
            file = connection.makefile("rb")
            while True:
                length = b""
                while (octet := file.read(1)) not in (b" ", b""):
                    length += octet
                if not length:
                    break
                got.append(file.read(int(length)))
                if not last:
                    break
            file.close()
            connection.close()
            hung_up.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        journal = opened(":memory:")
        outlet = SyslogOutlet(f"tcp://127.0.0.1:{listener.getsockname()[1]}", first_wait=0.01)
        made = filled(journal, outlet, "one")
        made.show()
        assert hung_up.wait(100)
        journal.write([Step(news(text=text)) for text in ("two\nlines", "three")])
        made.show()
        wait_for(lambda: len(got) == 3)
        made.close()
    bodies = [found[8] for found in map(SYSLOG.fullmatch, got) if found]
    assert bodies == [b"one", rb"two\x0alines", b"three"]
    assert journal.shown(outlet.name) == 3


@pytest.mark.parametrize("target", ["", "syslog", "http://host", "udp://", "tcp://host:99999", "unix:"])
def test_a_receiver_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(UsageError, match="names no receiver"):
        SyslogOutlet(target)


def test_every_severity_of_syslog_is_within_the_rfc() -> None:
    for word in ("critical", "high", "medium", "low", "info", ""):
        found = SYSLOG.fullmatch(message_of(News("loss", "k", "t", "2026-11-22T15:42:15.123456789Z", word), "host"))
        assert found is not None
        assert int(found[1]) // 8 == 13


@contextmanager
def hook(answers: list[int], port: int = 0) -> Iterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    """Serve a webhook that gives these answers, then 200."""
    got: list[tuple[dict[str, str], Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), json.loads(body)))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook?secret=1", got
        server.shutdown()


def test_a_webhook_is_tried_again_and_a_piece_that_is_refused_does_not_stop_the_next() -> None:
    # Twice busy, then taken; the second is refused for good (a redirect is no acceptance either), the third taken.
    with hook([503, 429, 200, 302, 201]) as (url, got):
        journal = opened(":memory:")
        outlet = WebhookOutlet(url, "j", first_wait=0.01)
        made = filled(journal, outlet, "one", "two", "three")
        made.show()
        wait_for(lambda: outlet.delivered() == 3)
        made.close()
    assert [body["number"] for _, body in got] == [1, 1, 1, 2, 3]
    assert [heads["Idempotency-Key"] for heads, _ in got] == ["j-1", "j-1", "j-1", "j-2", "j-3"]
    assert outlet.failures == 3
    assert "secret" not in outlet.name


def test_what_did_not_arrive_is_delivered_at_the_next_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    journal = opened(str(tmp_path / "journal"))
    url = f"http://127.0.0.1:{port}/hook?secret=1"
    outlet = WebhookOutlet(url, "j", first_wait=60)
    made = filled(journal, outlet, "one", "two")
    made.show()
    wait_for(lambda: outlet.trouble)
    assert "try again" in made.troubles()[0][1]
    made.close()
    assert outlet.delivered() is None
    journal.close(clean=True)
    with hook([], port) as (there, got):
        second = WebhookOutlet(there, "j")
        made = Round(opened(str(tmp_path / "journal")), [second])
        made.show()
        wait_for(lambda: second.delivered() == 2)
        made.close()
    assert [(body["text"], body["again"]) for _, body in got] == [("one", True), ("two", True)]


def test_a_slow_receiver_never_holds_up_the_watch_and_memory_is_bounded() -> None:
    begun, go = threading.Event(), threading.Event()

    class Slow(WebhookOutlet):
        def carry(self, news: News) -> None:
            del news
            begun.set()
            go.wait(60)

    outlet = Slow("http://127.0.0.1/", "j")
    journal = opened(":memory:")
    made = filled(journal, outlet, *map(str, range(1000)))
    made.show()
    assert begun.wait(60)
    assert outlet.room() == 0
    assert len(outlet._queue) == 256
    go.set()
    for _ in range(10_000):
        made.show()
        if outlet.delivered() == 1000:
            break
        time.sleep(0.01)
    assert outlet.delivered() == 1000
    made.close()


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://host/", "https://"])
def test_a_webhook_is_http_or_https(url: str) -> None:
    with pytest.raises(UsageError, match="no http or https"):
        WebhookOutlet(url, "j")


def numbers_of(*paths: Path) -> list[int]:
    return [json.loads(line)["number"] for path in paths for line in path.read_bytes().splitlines()]


def test_a_file_is_rotated_by_size_and_by_others(tmp_path: Path) -> None:
    path = tmp_path / "watch.jsonl"
    journal = opened(":memory:")
    made = filled(journal, FileOutlet(str(path), most_bytes=1000, keep=2), *("x" * 150 for _ in range(12)))
    made.show()
    files = [tmp_path / "watch.jsonl.2", tmp_path / "watch.jsonl.1", path]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(file.stat().st_size <= 1000 for file in files)
    kept = numbers_of(*files)
    assert kept == list(range(kept[0], 13))
    path.rename(tmp_path / "moved")
    journal.write([Step(news(text="after"))])
    made.show()
    made.close()
    assert numbers_of(path) == [13]


def test_a_torn_line_is_written_again_and_no_line_twice(tmp_path: Path) -> None:
    path, held = tmp_path / "watch.jsonl", tmp_path / "journal"
    journal = opened(str(held))
    made = filled(journal, FileOutlet(str(path)), "one", "two", "three")
    made.show()
    made.close()
    # As if the process had been killed before it could note what it wrote, in the middle of the third line.
    journal.note_shown(f"file {path}", 0)
    path.write_bytes(path.read_bytes()[:-20])
    journal.close(clean=False)
    again = Round(opened(str(held)), [FileOutlet(str(path))])
    again.show()
    again.close()
    assert numbers_of(path) == [1, 2, 3]


def test_a_file_that_cannot_be_written_is_told_and_made_up_for(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    folder.mkdir()
    outlet = FileOutlet(str(folder / "log"))
    journal = opened(":memory:")
    made = Round(journal, [outlet])
    folder.rmdir()
    journal.write([Step(news(text="one"))])
    made.show()
    assert "cannot write" in made.troubles()[0][1]
    folder.mkdir()
    journal.write([Step(news(text="two"))])
    made.show()
    made.close()
    assert numbers_of(folder / "log") == [1, 2]


def test_metrics_are_what_prometheus_reads() -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")
    metrics = Metrics("0")
    state = State(
        counters={"packets": 7, "kernel_drops": 2, "evicted": {'odd"\n\\': 3}},
        open_findings={("BX301", "high"): 2},
        lost=2,
    )
    metrics.show(state)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=100) as answer:
        text = answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/", timeout=100)
    metrics.close()
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found[("auditor_watch_packets_total",)] == 7
    assert found[("auditor_watch_lost_packets_total",)] == 2
    assert found["auditor_watch_open_findings", ("code", "BX301"), ("severity", "high")] == 2
    assert found["auditor_watch_evicted_flows_total", ("reason", 'odd"\n\\')] == 3


def test_metrics_stay_on_this_machine_unless_told() -> None:
    with pytest.raises(UsageError, match="who backs up what"):
        Metrics("0.0.0.0:0")
    with pytest.raises(UsageError, match="is no port"):
        Metrics("nine")
    with pytest.raises(UsageError, match="--metrics 99999"):
        Metrics("99999")
