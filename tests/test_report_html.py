"""The HTML report: complete, self-contained, harmless, light, the same every time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest

from auditor.model import DataEnd, DataSummary, Evidence, FlowReference, Report, Severity, TermSummary
from auditor.pipeline import audit
from auditor.report.html import render
from auditor.report.interface import RenderOptions
from tests.report_samples import HOSTILE, finding, hostile_report, report, session
from tests.support import CAPTURES, ROOT

ATTACK = "\"><script>alert(1)</script><img src=x onerror=alert(2)>' onload=alert(3) {{ 7*7 }} <!-- </style></title>"
"""Tries to leave an attribute, an element, the title and the style, and to be read as a template."""

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def page(made: Report) -> str:
    return render(made, RenderOptions()).decode()


def parsed(text: str) -> ET.Element:
    """Read a page by the rules that browsers follow; any mistake in it is an error."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True)
    root: ET.Element = parser.parse(text)
    return root


def tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def attacked(value: Any) -> Any:
    """Return a hostile sample with the attack instead of control characters."""
    return json.loads(json.dumps(value).replace(json.dumps(HOSTILE)[1:-1], json.dumps(ATTACK)[1:-1]))


@cache
def audited(name: str) -> Report:
    folder = CAPTURES / name
    (capture,) = folder.glob(f"{name}.pcap*")
    return audit([capture], policy_path=folder / "policy.yaml")


@cache
def samples() -> dict[str, Report]:
    from auditor.report import json_

    document = attacked(json_.to_dict(hostile_report()))
    names = sorted(path.parent.name for path in CAPTURES.glob("*/policy.yaml"))
    return {
        "calm": report(),
        "empty": report(captures=(), hosts=(), services=(), sessions=(), findings=(), limits=()),
        "hostile": hostile_report(),
        "attack": json_.load(json.dumps(document)),
        **{name: audited(name) for name in names},
    }


each_sample = pytest.mark.parametrize(
    "name", ["calm", "empty", "hostile", "attack", *sorted(p.parent.name for p in CAPTURES.glob("*/policy.yaml"))]
)


@each_sample
def test_a_browser_finds_no_mistake(name: str) -> None:
    root = parsed(page(samples()[name]))
    assert [tag(child) for child in root] == ["head", "body"]


@each_sample
def test_nothing_is_loaded_and_nothing_can_run(name: str) -> None:
    root = parsed(page(samples()[name]))
    for element in root.iter():
        assert tag(element) not in {
            "script",
            "iframe",
            "object",
            "embed",
            "img",
            "form",
            "base",
            "image",
            "foreignObject",
        }
        for attribute, value in element.attrib.items():
            assert not attribute.lower().startswith("on"), attribute
            assert attribute not in {"src", "srcset", "action", "formaction", "background", "style"}
            if attribute.rpartition("}")[2] == "href":
                assert value.startswith("#") or value == "data:,"
    style = "".join(element.text or "" for element in root.iter(f"{XHTML}style"))
    assert "@import" not in style
    assert re.findall(r"url\((?!#)", style) == []
    policy = next(e for e in root.iter(f"{XHTML}meta") if e.get("http-equiv") == "Content-Security-Policy")
    assert (policy.get("content") or "").startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


@each_sample
def test_every_link_leads_somewhere_and_no_name_is_given_twice(name: str) -> None:
    root = parsed(page(samples()[name]))
    names = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert sorted(names) == sorted(set(names))
    for element in root.iter():
        for attribute in ("href", "aria-labelledby", "aria-describedby"):
            for target in (
                (element.get(attribute) or "").split() if attribute != "href" else [element.get("href") or ""]
            ):
                assert target == "data:," or target.removeprefix("#") in {*names, ""}, target


@each_sample
def test_pictures_are_well_formed_and_say_what_they_show(name: str) -> None:
    text = page(samples()[name])
    pictures = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    assert pictures
    for picture in pictures:
        # The namespace is HTML's to give; everything else must be XML as it stands.
        root = ET.fromstring(picture)  # noqa: S314 - made by the code under test
        if root.get("role") == "img":
            first, second = list(root)[:2]
            assert (first.tag, second.tag) == ("title", "desc")
            assert words(first)
            assert words(second)
            assert root.get("aria-labelledby") == f"{first.get('id')} {second.get('id')}"
        else:
            assert root.get("aria-hidden") == "true"
        assert "nan" not in picture
        assert not re.search(r"\d\.\d{2,}", re.sub(r">[^<]*<", "><", picture)), "coordinates have one decimal"


@each_sample
def test_the_frame_helps_who_cannot_see_it(name: str) -> None:
    root = parsed(page(samples()[name]))
    assert root.get("lang") == "en"
    assert len(list(root.iter(f"{XHTML}h1"))) == 1
    assert [len(list(root.iter(f"{XHTML}{mark}"))) for mark in ("header", "main", "footer")] == [1, 1, 1]
    assert next(root.iter(f"{XHTML}a")).get("class") == "skip"
    for table in root.iter(f"{XHTML}table"):
        assert words(next(table.iter(f"{XHTML}caption")))
        assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in table.iter(f"{XHTML}th"))
    levels = [int(tag(element)[1]) for element in root.iter() if re.fullmatch("h[1-6]", tag(element))]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_hostile_text_is_shown_as_text() -> None:
    root = parsed(page(samples()["attack"]))
    assert ATTACK in "".join(root.itertext())
    assert "49" not in words(next(root.iter(f"{XHTML}title")))


def test_what_would_hide_or_mislead_is_made_visible() -> None:
    text = page(hostile_report())
    assert not set(text) & set(HOSTILE) - set("abcdef0123456789[]2Jownm;\r\n") - {"\n"}
    assert "\\u202e" in text
    assert "\\x1b[2J" in text
    assert "\r" not in text


def test_a_lone_surrogate_does_not_stop_it() -> None:
    assert b"caf\\udce9" in render(report(limits=("caf\udce9",)), RenderOptions())


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page(audited("out-of-range")) == page(audited("out-of-range"))
    program = (
        "import sys, auditor; "
        "sys.stdout.buffer.write(auditor.render(auditor.load_report(sys.stdin.buffer.read()), 'html'))"
    )
    from auditor.report import json_

    saved = json_.render(audited("out-of-range"), RenderOptions())
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        input=saved,
        capture_output=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
        check=True,
    )
    assert elsewhere.stdout.decode() == page(audited("out-of-range"))


def test_five_hundred_findings_stay_light() -> None:
    made = tuple(
        finding(
            port,
            evidence=(
                Evidence(
                    FlowReference("tcp", "10.77.0.10:36576", f"10.77.0.21:{port}"), (30, port), "site.pcap", "proved"
                ),
                Evidence(FlowReference("tcp", "10.77.0.10:35014", "10.77.0.21:10000"), (28,), "site.pcap", "names it"),
            ),
        )
        for port in range(40_000, 40_500)
    )
    data = tuple(
        DataSummary(
            f"10.77.0.10:{port}", f"10.77.0.21:{port}", 30, "proved", ("DATA_LISTEN reply in packet 28",), 110, "site.pcap",
            0, 215_040, "SF", "2026-11-22T15:42:15.084062000Z", "2026-11-22T15:42:20.000000000Z",
            (DataEnd("10.77.0.21", port, "listens", "50100-50124", False),),
        )
        for port in range(40_000, 40_100)
    )  # fmt: skip
    assert len(page(report(findings=made, sessions=(session(data=data),)))) < 300_000


def test_each_part_of_the_report_is_on_the_page() -> None:
    made = replace(audited("out-of-range"), limits=("One side of it was not captured.",))
    root = parsed(page(made))
    text = words(root)
    for said in (
        *(one.message for one in made.findings),
        *(one.remedy for one in made.findings[:1]),
        *(host.address for host in made.hosts),
        *(service.service for service in made.services),
        *(one.control.originator for one in made.sessions),
        *(data.responder for one in made.sessions for data in one.data),
        *(term.name for term in made.terms if term.flows),
        *made.limits,
    ):
        assert " ".join(said.split()) in text, said


def test_what_to_do_first_are_the_worst_rules_only() -> None:
    findings = (
        finding(1, code="BX1", severity=Severity.CRITICAL),
        finding(2, code="BX2", severity=Severity.HIGH, waived=True),
        finding(3, code="BX3", severity=Severity.MEDIUM),
        finding(4, code="BX3", severity=Severity.MEDIUM),
        finding(5, code="BX4", severity=Severity.LOW),
        finding(6, code="BX5", severity=Severity.LOW),
        finding(7, code="BX6", severity=Severity.INFO),
    )
    root = parsed(page(report(findings=findings)))
    steps = next(e for e in root.iter(f"{XHTML}ol"))
    ports = [re.search(r"port (\d)", words(step)) for step in steps]
    assert [match[1] for match in ports if match] == ["1", "3", "5"]
    assert "And 1 more of BX3" in words(steps)


def test_terms_that_were_not_exercised_are_named_apart() -> None:
    terms = (
        TermSummary("used", "permit tcp a > b: 1", "permit", "site", 3),
        TermSummary("idle", "x", "deny", "vendor", 0),
    )
    root = parsed(page(report(terms=terms)))
    assert "1 of 2 terms decided a flow" in words(root)
    assert "idle: x" in words(next(root.iter(f"{XHTML}details")))
