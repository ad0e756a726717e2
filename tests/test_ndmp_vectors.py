"""NDMP records decode to what was computed beforehand; what is not NDMP is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor import _native

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "domain" / "ndmp-vectors.json"
OWN: list[dict[str, Any]] = json.loads((HERE / "data" / "ndmp" / "records.json").read_text(encoding="utf-8"))["records"]

if SHARED.is_file():
    _DOCUMENT = json.loads(SHARED.read_text(encoding="utf-8"))
    VECTORS: list[dict[str, Any]] = _DOCUMENT["vectors"]
    NEGATIVE: list[dict[str, Any]] = _DOCUMENT["negative_tests"]
    OFFSETS: dict[str, Any] = _DOCUMENT["address_offsets"]
else:
    VECTORS, NEGATIVE, OFFSETS = [], [], {}

needs_shared = pytest.mark.skipif(not SHARED.is_file(), reason="the NDMP vectors of ../shared/domain are absent")

SECRETS = {"auth_password": "password", "auth_digest": "digest"}
"""Fields of the vectors that must not come out, and what ``auth_secret`` says instead."""


def expected(vector: dict[str, Any]) -> dict[str, Any]:
    """The fields of a vector without its secrets."""
    fields = {name: value for name, value in vector["fields"].items() if name not in SECRETS}
    for name in SECRETS.keys() & vector["fields"].keys():
        fields["auth_secret"] = SECRETS[name]
    return fields


def plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


@needs_shared
def test_there_are_27_vectors_and_8_negatives() -> None:
    assert (len(VECTORS), len(NEGATIVE)) == (27, 8)


@needs_shared
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    [message] = _native.decode_ndmp(bytes.fromhex(vector["hex"]), vector["version"])
    assert message["message"] == vector["message"]
    assert message["reply"] is (vector["type"] == "reply")
    assert message["sequence"] == vector["sequence"]
    assert message["reply_sequence"] == vector["reply_sequence"]
    assert message["header_error"] == vector["header_error"]
    assert message["time"] == vector["timestamp"]
    assert message["status"] == "decoded"
    fields = plain(message["fields"])
    if "record_bytes" in vector["fields"]:
        wanted = vector["fields"]
        assert message["length"] == wanted["record_bytes"] == sum(wanted["fragment_payloads"])
        assert fields["bu_type"] == wanted["bu_type"]
        assert len(fields["env"]) == wanted["env_count"]
        assert fields["env"][:2] == wanted["first_env"]
    else:
        assert message["length"] == vector["length"] - 4
        assert fields == expected(vector)


@needs_shared
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector_without_known_version_never_contradicts(vector: dict[str, Any]) -> None:
    [message] = _native.decode_ndmp(bytes.fromhex(vector["hex"]))
    assert message["status"] in ("decoded", "opaque")
    if "record_bytes" not in vector["fields"]:
        fields = plain(message["fields"])
        wanted = expected(vector)
        assert {name: wanted[name] for name in fields} == fields


@needs_shared
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_no_secret_of_a_vector_comes_out(vector: dict[str, Any]) -> None:
    text = repr(_native.decode_ndmp(bytes.fromhex(vector["hex"]), vector["version"]))
    for name in SECRETS.keys() & vector["fields"].keys():
        assert vector["fields"][name] not in text


@needs_shared
@pytest.mark.parametrize("case", NEGATIVE, ids=[case["id"] for case in NEGATIVE])
@pytest.mark.parametrize("version", [0, 2, 3, 4])
def test_negative(case: dict[str, Any], version: int) -> None:
    data = bytes.fromhex(case["hex"])
    if case["expect"].startswith("malformed"):
        [message] = _native.decode_ndmp(data, version)
        assert message["status"] == "malformed"
        assert message["fields"] == {}
    else:
        with pytest.raises(ValueError, match=r"\b0\b"):
            _native.decode_ndmp(data, version)


@needs_shared
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_every_prefix_is_refused_or_told_to_be_cut(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    for length in range(1, len(data), max(1, len(data) // 100)):
        try:
            messages = _native.decode_ndmp(data[:length], vector["version"])
        except ValueError:
            continue
        assert messages[-1]["status"] != "decoded", length


@pytest.mark.parametrize("record", OWN, ids=[record["id"] for record in OWN])
def test_record_made_by_hand(record: dict[str, Any]) -> None:
    [message] = _native.decode_ndmp(bytes.fromhex(record["words"]), record["version"])
    assert message["status"] == record["status"]
    assert plain(message["fields"]) == record["fields"]
    for text in record["absent"]:
        assert text not in repr(message)


def test_records_follow_each_other_and_the_greeting_is_remembered() -> None:
    greeting = "80000024 00000001 66a3c0de 00000000 00000502 00000000 00000000 00000000 00000003 00000000"
    listen = "80000028 00000002 66a3c0de 00000001 00000409 00000001 00000000 00000000 00000001 c0000214 0000c3cb"
    messages = _native.decode_ndmp(bytes.fromhex(greeting + listen))
    assert [message["name"] for message in messages] == ["NOTIFY_CONNECTED", "DATA_LISTEN"]
    assert plain(messages[1]["fields"]) == {"error": 0, "addr_type": 1, "ip": "192.0.2.20", "port": 50123}


def test_nothing_is_no_record() -> None:
    assert _native.decode_ndmp(b"") == []


def test_names() -> None:
    assert _native.message_name(0x409) == "DATA_LISTEN"
    assert _native.message_name(0x502, 3) == "NOTIFY_CONNECTED"
    assert _native.message_name(0x502, 4) == "NOTIFY_CONNECTION_STATUS"
    assert _native.ndmp_error_name(4) == "NOT_AUTHORIZED"
    assert _native.MESSAGE_STATUS == ("decoded", "not-captured", "malformed", "opaque")
