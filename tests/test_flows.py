"""The flow table: addresses as RFC 5952 prints them, references, selection, and the door to pandas."""

from __future__ import annotations

import ipaddress
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import _native
from auditor.errors import MissingExtra
from auditor.flows import COLUMNS, FlowTable, time_text
from auditor.model import FlowReference
from auditor.ndmp import FIELD_COLUMNS, MESSAGE_COLUMNS, NO_ADDRESS, STREAM_COLUMNS, NdmpMessages
from auditor.notation import parse

TWO = """
10.0.1.5:49152 > 10.0.2.9:10000 tcp SF app=ndmp
[2001:db8::1]:49153 > [2001:db8::2]:443 tcp S0
"""


def addresses(*texts: str) -> np.ndarray:
    rows = [ipaddress.ip_address(text) for text in texts]
    packed = [row.packed if row.version == 6 else bytes(10) + b"\xff\xff" + row.packed for row in rows]
    return np.frombuffer(b"".join(packed), np.uint8).reshape(-1, 16)


# The examples of RFC 5952, sections 1 and 4: as written -> as it is to be printed.
RFC_5952 = {
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:0db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:DB8:0:0:1::1": "2001:db8::1:0:0:1",
    "2001:db8::0:1": "2001:db8::1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa",
    "::ffff:192.0.2.1": "192.0.2.1",
}


@pytest.mark.parametrize(("written", "printed"), RFC_5952.items())
def test_addresses_are_printed_as_rfc_5952_says(written: str, printed: str) -> None:
    table = FlowTable.from_columns({}, addresses(written))
    assert table.address_text(0) == printed


@given(st.ip_addresses())
def test_codes_are_found_again_by_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    table = FlowTable.from_columns({}, addresses("10.0.0.1", str(address), "2001:db8::1"))
    assert 1 in table.address_codes(str(address))
    assert {table.address_text(int(code)) for code in table.address_codes(str(address))} == {table.address_text(1)}


def test_endpoints_put_ipv6_in_brackets() -> None:
    table = parse(TWO).table
    assert table.endpoint(0, "orig") == "10.0.1.5:49152"
    assert table.endpoint(1, "resp") == "[2001:db8::2]:443"
    assert table.reference(1) == FlowReference("tcp", "[2001:db8::1]:49153", "[2001:db8::2]:443")


def test_a_selection_is_a_table_of_its_own() -> None:
    table = parse(TWO).table
    by_mask = table.select(table["state"] == _native.STATES.index("S0"))
    by_row = table.select(np.array([1]))
    assert len(by_mask) == len(by_row) == 1
    assert by_mask.reference(0) == by_row.reference(0) == table.reference(1)


def test_history_follows_the_rows_of_a_selection() -> None:
    table = parse(TWO).table
    columns = {column.name: table[column.name] for column in COLUMNS}
    with_history = FlowTable(columns, table.addresses, history=lambda flow: f"history {flow}")
    assert with_history.select(np.array([1])).history(0) == "history 1"
    assert table.history(0) == ""


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        # `date -u -d @1795362161 --rfc-3339=seconds`
        (1795362161_276298000, "2026-11-22T15:42:41.276298000Z"),
        # The ends of a signed 64-bit count of nanoseconds, which a hostile capture may hold.
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
        (-(2**63), "1677-09-21T00:12:43.145224192Z"),
    ],
)
def test_times_are_rfc_3339_with_nanoseconds(nanoseconds: int, text: str) -> None:
    assert time_text(nanoseconds) == text


def test_unknown_and_uneven_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown columns: nonsense"):
        FlowTable.from_columns({"nonsense": np.zeros(1)}, addresses())
    with pytest.raises(ValueError, match="differ in length"):
        FlowTable.from_columns({"vlan": np.zeros(2), "app": np.zeros(3)}, addresses())
    with pytest.raises(ValueError, match="columns are missing"):
        FlowTable({}, addresses())


def test_columns_have_the_types_that_they_declare() -> None:
    table = parse(TWO).table
    for column in COLUMNS:
        assert table[column.name].dtype == np.dtype(column.dtype), column.name


def test_pandas_gets_words_for_codes() -> None:
    pytest.importorskip("pandas")
    frame = parse(TWO).table.to_pandas()
    assert list(frame["orig_addr"]) == ["10.0.1.5", "2001:db8::1"]
    assert list(frame["state"]) == ["SF", "S0"]
    assert list(frame["transport"]) == ["tcp", "tcp"]
    assert str(frame["first_time"].dt.tz) == "UTC"


def test_without_pandas_the_pip_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra) as caught:
        parse(TWO).table.to_pandas()
    assert "pip install" in caught.value.fix


def ndmp() -> NdmpMessages:
    """Return messages of two flows, interleaved as a merged reading may have them."""

    def columns(declared: tuple, **values: list[int]) -> dict[str, np.ndarray]:
        length = len(next(iter(values.values())))
        return {c.name: np.array(values.get(c.name, [0] * length), c.dtype) for c in declared}

    messages = columns(MESSAGE_COLUMNS, flow=[7, 3, 7, 3], message=[0x502, 0x502, 0x901, 0x900], packet=[1, 2, 3, 4])
    fields = columns(
        FIELD_COLUMNS,
        message=[1, 2, 2, 3],
        name=[0, 0, 0, 1],
        number=[4, 10, 11, 0],
        text=[-1, -1, -1, 0],
        address=[NO_ADDRESS, 5, NO_ADDRESS, NO_ADDRESS],
    )
    streams = columns(STREAM_COLUMNS, flow=[7, 3])
    return NdmpMessages(messages, fields, ["hello"], streams)


def test_messages_are_found_by_flow_and_code() -> None:
    messages = ndmp()
    assert list(messages.rows(7)) == [0, 2]
    assert list(messages.rows(3)) == [1, 3]
    assert list(messages.rows(3, {0x900})) == [3]
    assert list(messages.rows(99)) == []
    assert messages.stream(3) == 1
    assert messages.stream(99) is None
    assert len(NdmpMessages.empty()) == 0


def test_fields_come_by_name_with_every_value() -> None:
    messages = ndmp()
    first, second = _native.FIELD_NAMES[:2]
    assert messages.fields(0) == {}
    assert [(f.number, f.text, f.address) for f in messages.fields(2)[first]] == [(10, None, 5), (11, None, None)]
    assert messages.fields(3)[second][0].text == "hello"
