"""The report as JSON: the names that outside tools read, the schema, and the way back."""

from __future__ import annotations

import json
import typing
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor import model
from auditor.errors import AuditorError
from auditor.report import json_, json_text
from auditor.report.interface import RenderOptions
from tests.report_samples import HOSTILE, hostile_report, report
from tests.support import ROOT

SCHEMA = json.loads((ROOT / "auditor/schemas/report-1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

PROMISED = {
    "": {"schema", "verdict", "captures", "hosts", "services", "sessions", "findings"},
    "captures": {"path", "sha256", "packets", "bytes", "first", "last", "link_types", "problems"},
    "hosts": {"address", "zone", "process_roles", "because"},
    "services": {"service", "process", "transport", "port", "flows", "packets", "bytes", "verdict"},
    "sessions": {"control", "ndmp_version", "authentication", "tls", "data"},
    "sessions.control": {"originator", "responder", "first_packet", "last_packet"},
    "sessions.authentication": {"type", "accepted"},
    "sessions.data": {"originator", "responder", "first_packet", "grade", "because"},
    "findings": {
        "code", "name", "severity", "message", "subject", "key", "waived", "consequence", "remedy", "evidence",
    },
    "findings.evidence": {"flow", "packets"},
    "findings.evidence.flow": {"transport", "originator", "responder"},
}  # fmt: skip
"""Names that outside tools were promised, copied from the issue by hand."""


def rendered(made: model.Report) -> bytes:
    return json_.render(made, RenderOptions())


def at(document: Any, path: str) -> dict[str, Any]:
    for name in filter(None, path.split(".")):
        document = document[name]
        document = document[0] if isinstance(document, list) else document
    return typing.cast(dict[str, Any], document)


@pytest.mark.parametrize("path", PROMISED)
def test_promised_names(path: str) -> None:
    assert PROMISED[path] <= set(at(json.loads(rendered(report())), path))


def test_words_of_the_enumerations() -> None:
    document = json.loads(rendered(report()))
    assert document["schema"] == "auditor.report/1"
    assert document["verdict"] == "violations"
    assert document["findings"][0]["severity"] == "medium"


def test_the_head_comes_first() -> None:
    assert list(json.loads(rendered(report())))[:5] == ["schema", "version", "verdict", "summary", "limits"]


def test_the_sample_is_valid() -> None:
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(rendered(report())))] == []


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def saved_names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if field.metadata.get("saved", True)]


def dataclasses_of(kind: Any) -> dict[str, Any]:
    """Return all dataclasses that a report is made of, by name."""
    found: dict[str, Any] = {}
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if is_dataclass(one) and one.__name__ not in found:  # type: ignore[union-attr]
            found[one.__name__] = one  # type: ignore[union-attr]
            waiting += [typing.get_type_hints(one)[name] for name in saved_names(one)]
    return found


@pytest.mark.parametrize("name", sorted(dataclasses_of(model.Report)))
def test_schema_and_model_name_the_same(name: str) -> None:
    kind = dataclasses_of(model.Report)[name]
    place = SCHEMA if name == "Report" else SCHEMA["$defs"][name]
    names = saved_names(kind)
    # The format json-flows writes the flows of a report as well, which the model does not save.
    assert sorted(place["properties"]) == sorted([*names, "flows"] if name == "Report" else names)
    assert sorted(place["required"]) == sorted(names)
    assert place["additionalProperties"] is False
    assert all(definition["description"] for definition in place["properties"].values())


@pytest.mark.parametrize("made", [report(), hostile_report()], ids=["calm", "hostile"])
def test_there_and_back_again(made: model.Report) -> None:
    data = rendered(made)
    assert json_.load(data) == made
    assert rendered(json_.load(data)) == data


def test_control_characters_are_escaped() -> None:
    data = rendered(hostile_report())
    assert not any(byte < 0x20 and byte != 0x0A for byte in data)
    assert not set(data.decode()) & set("\x7f\x9b\u202e\u2028\u200b")
    assert json.loads(data)["limits"] == [HOSTILE]


@pytest.mark.parametrize("made", [report(), hostile_report(), report(limits=("fünf – “x”",), policy=None)])
def test_the_layout_is_that_of_the_standard_library(made: model.Report) -> None:
    written = json.dumps(json_.to_dict(made), indent=2, ensure_ascii=False)
    read = rendered(made).decode()
    assert json.loads(read) == json.loads(written)
    # Beyond what a terminal would obey, byte for byte; the samples have empty and full lists, numbers, None and enumerations.
    assert json_text.harmless(written) == read.removesuffix("\n")


@pytest.mark.parametrize("text", ["\x7f", "a\x7fé", '\x00\x1b\n\t"\\', "é\u202e", "\ud83d\ude00"])
def test_any_text_survives_and_nothing_of_it_is_obeyed(text: str) -> None:
    document = {text: [text, (text,), {"x": {text: text}}], "n": [1, -2, 1.5, True, None, [], {}]}
    data = json_.dump(document)
    assert json.loads(data) == json.loads(json.dumps(document))
    assert not set(data.decode()) & set("\x7f\x00\x1b\t\u202e")
    assert not set(json_.json_bytes(document).decode()) & set("\x7f\x00\x1b\t\u202e")


def test_a_lone_surrogate_survives() -> None:
    odd = report(limits=("caf\udce9",))
    assert json_.load(rendered(odd)) == odd


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda document: document.pop("verdict"), "'verdict' is missing"),
        (lambda document: document.update(verdict="fine"), "report.verdict: 'fine' is not one of"),
        (lambda document: document.update(more=1), "unknown name 'more'"),
        (lambda document: document.update(schema="auditor.report/9"), "not a report of schema"),
        (lambda document: document["captures"][0].update(packets="1"), "report.captures[0].packets: str found"),
        (lambda document: document["captures"][0].update(packets=True), "report.captures[0].packets: bool found"),
        (lambda document: document["captures"][0].update(problems=[]), "list found where dict belongs"),
    ],
)
def test_what_is_no_report_is_refused(change: Any, complaint: str) -> None:
    document = json.loads(rendered(report()))
    change(document)
    with pytest.raises(AuditorError) as refused:
        json_.load(json.dumps(document))
    assert complaint in refused.value.message


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(AuditorError):
        json_.load(data)
