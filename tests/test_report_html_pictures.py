"""The geometry of the pictures, against places worked out by hand, and the port band against the truths of captures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model import CaptureSummary, DataEnd, DataSummary, ServiceSummary
from auditor.pipeline import audit
from auditor.report.html.port_band import LEFT, RIGHT, PortBand, port_band
from auditor.report.html.scale import TimeScale, merged, nanoseconds, px, steps
from auditor.report.html.talk import talk
from auditor.report.html.timeline import timeline
from auditor.report.registry import render
from tests.report_samples import capture, report, session
from tests.support import Case, committed_cases, declared_ranges


def at(second: float) -> str:
    return f"2026-11-22T15:42:{second:012.9f}Z"


def data(port: int, first: float, last: float, *, inside: bool | None = None, **changes: object) -> DataSummary:
    declared = "50100-50124"
    inside = 50100 <= port <= 50124 if inside is None else inside
    given = {"originator_bytes": 1000, "responder_bytes": 0, "grade": "proved", **changes}
    return DataSummary(
        originator=f"10.77.0.10:{port - 10_000}",
        responder=f"10.77.0.21:{port}",
        first_packet=7,
        because=(),
        state="SF",
        first=at(first),
        last=at(last),
        ends=(DataEnd("10.77.0.21", port, "listens", declared, inside),),
        **given,  # type: ignore[arg-type]
    )


def band_of(*connections: DataSummary, attempts: tuple[DataSummary, ...] = ()) -> PortBand:
    return port_band(report(sessions=(session(data=connections, attempts=attempts),)), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.000000002Z", 1_000_000_002),
        ("2026-11-22T15:42:15.084062000Z", 1_795_362_135_084_062_000),
        ("", None),
        (None, None),
        ("2026-13-22T15:42:15.084062000Z", None),
        ("yesterday", None),
    ],
)
def test_times(text: str | None, expected: int | None) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(("value", "expected"), [(1.0, "1"), (1.25, "1.2"), (0.333333, "0.3"), (-0.01, "0")])
def test_places_have_one_decimal(value: float, expected: str) -> None:
    assert str(px(value)) == expected


def test_a_scale_runs_from_edge_to_edge() -> None:
    scale = TimeScale.over([0, 10_000_000_000], 100, 200)
    assert scale is not None
    assert [scale.at(time) for time in (0, 5_000_000_000, 10_000_000_000, -1, 20_000_000_000)] == [
        100,
        150,
        200,
        100,
        200,
    ]
    assert [tick.label for tick in scale.ticks()] == [f"00:00:{s:02d}" for s in range(0, 11, 2)]
    assert TimeScale.over([None], 0, 1) is None


@pytest.mark.parametrize(
    ("seconds", "first", "most"),
    [
        (0.5, "00:00:00.000", 2),
        (30, "00:00:00", 7),
        (3600, "00:00", 8),
        (86_400 * 3, "01-01 00:00", 8),
        (86_400 * 60, "01-01", 8),
    ],
)
def test_ticks_are_few_and_round(seconds: float, first: str, most: int) -> None:
    scale = TimeScale(0, int(seconds * 1e9), 0, 700)
    assert scale.ticks()[0].label == first
    assert 2 <= len(scale.ticks()) <= most


def test_counting_what_overlaps() -> None:
    assert steps([(0, 10), (5, 15), (10, 20)]) == [(0, 1), (5, 2), (15, 1), (20, 0)]
    assert merged([(5, 7), (0, 2), (2, 4)]) == [(0, 4), (5, 7)]


def test_ports_outside_stand_beyond_a_break_each_on_its_own_line() -> None:
    (panel,) = band_of(data(50110, 0, 9), data(40011, 1, 2), data(60000, 3, 4)).panels
    above, band, below = panel.segments
    assert (above.band, band.band, below.band) == (False, True, False)
    assert (above.ports, (band.low, band.high), below.ports) == ((60000,), (50100, 50124), (40011,))
    assert len(panel.breaks) == 2
    by_port = {stroke.title.split(",")[0]: stroke for stroke in panel.strokes}
    assert (
        by_port["port 60000"].y < band.top < by_port["port 50110"].y < band.top + band.height < by_port["port 40011"].y
    )
    assert {stroke.kind for stroke in panel.strokes if stroke.label} == {"outside"}
    assert (by_port["port 50110"].x1, by_port["port 50110"].x2) == (LEFT, RIGHT)
    assert panel.outside == (40011, 60000)
    assert "40011 and 60000" in panel.description


def test_the_middle_of_the_range_is_the_middle_of_the_band() -> None:
    (panel,) = band_of(data(50112, 0, 9)).panels
    (band,) = panel.segments
    assert panel.strokes[0].y == px(float(band.top) + float(band.height) / 2)


def test_the_peak_is_of_one_moment_and_of_ports_in_use() -> None:
    # 0-4 and 2-6 overlap; 6-8 begins when the second ends; the attempt carries nothing.
    band = band_of(data(50100, 0, 4), data(50101, 2, 6), data(50102, 6, 8), attempts=(data(50103, 2, 3),))
    (panel,) = band.panels
    assert (panel.peak, panel.size, panel.connections) == (2, 25, 3)
    assert band.rows == (("10.77.0.21", "50100-50124", 25, 4, (), 2),)


def test_without_a_range_there_is_neither_inside_nor_outside() -> None:
    bare = replace(data(40011, 0, 1), ends=(DataEnd("10.77.0.21", 40011, "listens"),))
    band = band_of(bare)
    assert not band.any_declared
    assert not band.any_outside
    assert [stroke.kind for panel in band.panels for stroke in panel.strokes] == ["undeclared"]


def test_a_range_that_is_none_does_no_harm() -> None:
    odd = replace(data(40011, 0, 1), ends=(DataEnd("h", 1, "listens", "x-y", False),))
    assert band_of(odd).rows[0][2] == 0


def test_crowds_are_cut_but_never_what_is_outside() -> None:
    many = [data(50100 + n % 25, 0, 1) for n in range(900)]
    (panel,) = band_of(*many, data(40011, 0, 1)).panels
    assert panel.left_out + len(panel.strokes) == 901
    assert any(stroke.kind == "outside" for stroke in panel.strokes)


@pytest.mark.parametrize(
    ("originator_bytes", "responder_bytes", "arrow"), [(10, 0, "right"), (0, 10, "left"), (5, 5, "")]
)
def test_the_arrow_shows_where_the_data_went(originator_bytes: int, responder_bytes: int, arrow: str) -> None:
    # 10.77.0.10 opened the control connection (left) and the data connection.
    moved = data(50100, 0, 9, originator_bytes=originator_bytes, responder_bytes=responder_bytes)
    made = timeline(report(sessions=(session(data=(moved,)),)))
    assert made is not None
    assert made.groups[0].lanes[0].bars[0].arrow == arrow


def test_a_stroke_too_short_for_an_arrow_has_it_beside() -> None:
    long, short = data(50100, 0, 8, originator_bytes=1), data(50101, 9, 9.001, originator_bytes=1)
    made = timeline(report(sessions=(session(data=(long, short)),)))
    assert made is not None
    first, second = made.groups[0].lanes[0].bars
    assert first.x1 < first.arrow_x < first.x2
    assert second.arrow_x > second.x2
    page = render(report(sessions=(session(data=(long, short)),)), "html").decode()
    assert (page.count('class="arrow beside"'), page.count('class="arrow" d="M17 3l-4 3 4 3z"')) == (1, 1)


@pytest.mark.parametrize(("port", "told"), [(50100, 0), (40011, 1)])
def test_what_is_orange_is_explained_where_it_is(port: int, told: int) -> None:
    page = render(report(sessions=(session(data=(data(port, 0, 5),)),)), "html").decode()
    lanes = page.partition('id="timeline"')[2].partition("</section>")[0]
    assert lanes.count("data port outside the declared range") == told


def test_connections_at_the_same_time_do_not_hide_each_other() -> None:
    made = timeline(report(sessions=(session(data=(data(50100, 0, 5), data(50101, 1, 2), data(50102, 6, 7))),)))
    assert made is not None
    first, second, third = (bar.y for bar in made.groups[0].lanes[0].bars)
    assert first != second
    assert first == third


def test_time_that_no_capture_covers_is_marked() -> None:
    made = report(captures=(covering(15, 16), covering(18, 19)), sessions=(session(),))
    drawn = timeline(made)
    assert drawn is not None
    ((begin, end),) = drawn.gaps
    assert begin < end


def covering(first: float, last: float) -> CaptureSummary:
    return capture(first=at(first), last=at(last))


def service(source: str, target: str, verdict: str, **changes: object) -> ServiceSummary:
    given = {
        "service": "S",
        "process": "",
        "transport": "tcp",
        "port": "1",
        "flows": 1,
        "packets": 1,
        "bytes": 1,
        **changes,
    }
    return ServiceSummary(
        direction="",
        verdict=verdict,
        originator_zone=source,
        responder_zone=target,
        **given,  # type: ignore[arg-type]
    )


def test_one_line_for_a_pair_of_zones_and_a_service() -> None:
    made = talk(
        report(
            services=(
                service("agents", "media-servers", "permit", bytes=500),
                service("agents", "media-servers", "deny", port="2"),
                service("media-servers", "agents", "permit"),
            )
        )
    )
    assert made is not None
    assert [edge.verdict for edge in made.edges] == ["deny", "permit"]
    assert [zone.title for zone in made.zones] == ["media-servers", "agents"]
    assert made.edges[0].x1 > made.edges[0].x2
    # One of the two flows of the first is permitted; both ports stand beside it.
    assert [(edge.part, edge.port) for edge in made.edges] == [("1 of them denied", "tcp 1, 2"), ("", "tcp 1")]


def test_names_of_services_are_cut_at_their_brackets() -> None:
    names = (
        "Backup Exec Remote Agent (Windows, Linux/UNIX or NetWare)",
        "N" * 50,
        f"{'N' * 50} (x)",
        f"({'N' * 50})",
        "S",
    )
    made = talk(
        report(services=tuple(service("a", "b", "permit", service=name, bytes=9 - n) for n, name in enumerate(names)))
    )
    assert made is not None
    shown = [edge.service for edge in made.edges]
    assert shown[0] == "Backup Exec Remote Agent"
    assert [name[-1] for name in shown[1:4]] == ["…"] * 3
    assert max(map(len, shown)) == 36


def test_many_zones_do_not_make_a_tangle() -> None:
    made = talk(report(services=tuple(service(f"z{n}", f"z{n + 1}", "permit", flows=n + 1) for n in range(40))))
    assert made is not None
    assert len(made.zones) <= 7
    assert len(made.edges) + made.left_out == 40


@pytest.mark.parametrize("case", committed_cases(), ids=lambda case: case.name)
def test_ports_outside_are_those_of_the_truth(case: Case) -> None:
    """The truth was recorded beside the capture, with no part of auditor."""
    ranges = declared_ranges(case.truth["policy"])
    expected: dict[str, set[int]] = {}
    for connection in case.truth["data_connections"]:
        for end in ("client", "server"):
            host, port = connection[end], connection[f"{end}_port"]
            low, high = ranges.get(host, (1, 65535))
            if not low <= port <= high:
                expected.setdefault(host, set()).add(port)
    made = port_band(audit([case.capture], policy_path=case.policy), {})
    assert {row[0]: set(row[4]) for row in made.rows if row[4]} == expected
