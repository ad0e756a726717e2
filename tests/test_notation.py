"""The flow notation: what is written is what the table holds, and what is wrong is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import _native
from auditor.errors import UsageError
from auditor.notation import flow_text, parse, parse_flow

UNANSWERED = ("S0", "REJ", "RSTOS0", "SH")


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Return a line that says everything that flow_text writes."""

    def end() -> str:
        address, port = draw(st.ip_addresses()), draw(st.integers(1, 65535))
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"

    state = draw(st.sampled_from(_native.STATES))
    words = [
        f"{end()} > {end()} {draw(st.sampled_from(['tcp', 'udp']))}",
        state,
        f"x{draw(st.integers(1, 9999))}",
        f"by={draw(st.sampled_from(_native.ORIGINATOR_BY))}",
        f"bytes={draw(st.integers(0, 2**32 - 1))}/{draw(st.integers(0, 2**32 - 1))}",
    ]
    app = draw(st.sampled_from(_native.APPS))
    if app != _native.APPS[0]:
        words.append(f"app={app}")
    refusal = draw(st.sampled_from(_native.REFUSALS[1:] if state == "REJ" else _native.REFUSALS))
    if refusal != _native.REFUSALS[0]:
        words.append(f"refusal={refusal}")
    missed = draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))
    if any(missed):
        words.append(f"missed={missed[0]}/{missed[1]}")
    vlan = draw(st.integers(0, 4095))
    if vlan:
        words.append(f"vlan={vlan}")
    if draw(st.booleans()):
        words.append("cut")
    return " ".join(words)


@given(st.lists(lines(), max_size=4))
def test_what_is_written_is_read_back(texts: list[str]) -> None:
    table = parse("\n".join(texts)).table
    assert [flow_text(table, row) for row in range(len(table))] == texts


def test_the_line_of_the_house_book() -> None:
    table = parse("10.0.1.5:49152 > 10.0.2.9:10000 tcp S0 x3").table
    assert table.endpoint(0, "orig") == "10.0.1.5:49152"
    assert table.endpoint(0, "resp") == "10.0.2.9:10000"
    assert _native.STATES[table["state"][0]] == "S0"
    assert table["orig_packets"][0] == table["syn_packets"][0] == 3
    assert table["resp_packets"][0] == table["resp_payload"][0] == 0


def test_a_plain_line_is_an_answered_connection() -> None:
    table = parse("10.0.1.5:49152 > 10.0.2.9:10000 tcp").table
    assert _native.STATES[table["state"][0]] == "SF"
    assert table["orig_payload"][0] > 0
    assert table["resp_payload"][0] > 0


def test_rejected_means_rst() -> None:
    table = parse("10.0.1.5:49152 > 10.0.2.9:10000 tcp REJ").table
    assert _native.REFUSALS[table["refusal"][0]] == "rst"
    assert table["refusal_packet"][0] == 2


def test_flows_follow_one_another_in_packets_and_time() -> None:
    table = parse("10.0.0.1:1 > 10.0.0.2:2 tcp S0 x3\n\n# a comment\n10.0.0.1:3 > 10.0.0.2:4 udp at=60 for=2").table
    assert list(table["first_packet"]) == [1, 4]
    assert list(table["last_packet"]) == [3, 12]
    assert list(table["first_time"]) == [0, 60_000_000_000]
    assert list(table["last_time"]) == [1_000_000_000, 62_000_000_000]


def test_icmp_needs_no_ports() -> None:
    table = parse("10.0.0.1 > 10.0.0.2 icmp OTH").table
    assert (table["transport"][0], table["orig_port"][0], table["resp_port"][0]) == (1, 0, 0)


def test_marks_captures_and_settings_stand_beside_the_table() -> None:
    scene = parse(
        "capture path=x.pcap packets=7 drops=2 status=partial\n"
        "policy data_direction=media-to-agent\n"
        "10.0.0.1:1 > 10.0.0.2:10000 tcp SF app=ndmp control login=refused auth=text transfer\n"
        "10.0.0.1:2 > 10.0.0.2:50100 tcp SF data=possible"
    )
    assert len(scene.table) == 2
    assert (scene.marks[0].login, scene.marks[0].auth, scene.marks[0].transfer) == ("refused", "text", True)
    assert scene.marks[1].data == "possible"
    (capture,) = scene.captures
    assert (capture.path, capture.packets, capture.drops, capture.status) == ("x.pcap", 7, 2, "partial")
    assert scene.policy == {"data_direction": "media-to-agent"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("10.0.0.1:1", '"10.0.0.1:1" is not a flow'),
        ("10.0.0.1:1 > 10.0.0.2:2", "is not a flow"),
        ("10.0.0.1:1 > 10.0.0.2:2 sctp", '"sctp" is not a transport'),
        ("10.0.0.1:1 > 10.0.0.2:2 256", '"256" is not a transport'),
        ("10.0.0.1:70000 > 10.0.0.2:2 tcp", "a port above 65535"),
        ("10.0.0.1:123456 > 10.0.0.2:2 tcp", "is not an address and port"),
        ("10.0.0.256:1 > 10.0.0.2:2 tcp", '"10.0.0.256" is not an IP address'),
        ("2001:db8::1:1 > 10.0.0.2:2 tcp", "is not an address and port"),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp S9", '"S9" is not a word of the flow notation'),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp app=gopher", '"app=gopher" is not known'),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp x99999999999", "needs a whole number up to"),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp vlan=4096", "needs a whole number up to 4095"),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp bytes=1/-2", "needs a whole number"),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp bytes=\u0661/2", "needs a whole number"),
        ("10.0.0.1:1 > 10.0.0.2:2 tcp at=soon", "needs a number of seconds"),
        ("capture size=4", '"size=4" is not a word of a capture'),
        ("capture empty", '"empty" is not a setting'),
    ],
)
def test_a_mistake_is_named_with_its_line(line: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(f"10.0.0.1:1 > 10.0.0.2:2 tcp\n{line}")
    assert caught.value.message.startswith("line 2: ")
    assert complaint in caught.value.message


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except UsageError:
        return


def test_a_flow_alone_keeps_its_words() -> None:
    flow = parse_flow("[2001:db8::1]:5 > 192.0.2.1:25 tcp SF one-sided")
    assert flow.orig == ("2001:db8::1", 5)
    assert flow.one_sided
