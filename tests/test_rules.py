"""The rules that come with auditor prove themselves, and their pages and schema are fresh."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor.documents.document import Document
from auditor.documents.yaml_tree import Mapping, Node, Scalar
from auditor.examples import Bench, lint
from auditor.model import Severity
from auditor.notation import WORDS
from auditor.packs.lint import FAMILIES
from auditor.packs.load import load_pack
from auditor.packs.model import Pack, Rule
from auditor.packs.page import BEGIN, rules_page
from auditor.packs.read import read_rule
from auditor.packs.schema import rule_schema
from auditor.services import generations, load_catalogue
from auditor.services.folder import rules_folder

ROOT = Path(__file__).resolve().parent.parent
CHECKS = rules_folder() / "checks"
PACK = load_pack([CHECKS])
FILES = sorted(CHECKS.rglob("*.yaml"))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(PACK, rules_folder())


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: rule.code)
def test_every_example_of_a_rule_does_what_it_says(bench: Bench, rule: Rule) -> None:
    assert bench.prove_rule(rule) == []


@pytest.mark.parametrize("generation", generations())
def test_every_example_of_a_service_does_what_it_says(bench: Bench, generation: str) -> None:
    for service in load_catalogue(generation).services:
        if service.generation == generation:
            assert bench.prove_service(service) == [], service.id


def test_lint_finds_nothing() -> None:
    assert lint(PACK, rules_folder()) == []


def test_examples_that_fire_do_not_fire_other_rules_that_count(bench: Bench) -> None:
    """No matter is reported twice: an example of one rule raises no finding that counts of another."""
    for rule in PACK.rules:
        for example in rule.fires:
            others = {one.code for one in bench.judge(example.text) if one.severity >= Severity.LOW} - {rule.code}
            assert not others, f"{rule.code}: {example.text}"


def test_families_and_codes_are_as_agreed() -> None:
    for rule in PACK.rules:
        assert rule.code.startswith(FAMILIES[Path(rule.path).parent.name])


# Codes are stable for ever: a rule may be added here, never removed or renamed.
CODES = {
    "BX001": "expected-listener-missing",
    "BX002": "port-of-another-program",
    "BX003": "unexpected-listener",
    "BX004": "bound-wider-than-needed",
    "BX051": "declared-host-never-seen",
    "BX052": "agent-never-contacted",
    "BX053": "no-agent-published",
    "BX054": "no-control-connection-seen",
    "BX101": "control-connection-blocked",
    "BX102": "data-connection-blocked",
    "BX103": "agent-browser-blocked",
    "BX104": "permitted-service-blocked",
    "BX105": "control-without-data",
    "BX201": "unauthorized-control-connection",
    "BX202": "service-from-unauthorized-host",
    "BX203": "undocumented-traffic",
    "BX204": "denied-traffic-passed",
    "BX205": "data-connection-with-undeclared-host",
    "BX206": "platform-traffic",
    "BX207": "data-connection-without-media-server",
    "BX301": "data-port-outside-range",
    "BX302": "no-range-declared",
    "BX303": "blocked-outside-range",
    "BX304": "data-direction",
    "BX401": "smtp-not-from-media-server",
    "BX402": "snmp-trap-not-from-media-server",
    "BX403": "notification-to-undeclared-receiver",
    "BX404": "notification-into-media-server",
    "BX405": "snmp-trap-over-udp",
    "BX501": "ndmp-on-undeclared-port",
    "BX502": "hosts-disagree-about-ndmp-port",
    "BX503": "not-ndmp-on-control-port",
    "BX504": "control-connection-to-undeclared-host",
    "BX505": "called-on-the-ndmp-port-of-others",
    "BX506": "called-on-the-callers-ndmp-port",
    "BX601": "cleartext-password-login",
    "BX602": "control-inside-tls",
    "BX603": "no-authentication",
    "BX604": "answered-before-login",
    "BX605": "sha-login-offered",
    "BX606": "root-digest-without-challenge",
    "BX617": "known-digest-of-root",
    "BX618": "accepted-weak-login",
    "BX619": "login-type-not-accepted",
    "BX620": "port-scan",
    "BX607": "agent-revision-with-holes",
    "BX608": "trust-from-undeclared-host",
    "BX609": "commands-in-clear",
    "BX610": "data-to-third-host",
    "BX611": "tls-begun-twice",
    "BX612": "old-tls-version",
    "BX613": "certificate-not-valid",
    "BX614": "agent-announcement",
    "BX615": "control-port-scan",
    "BX616": "login-without-tls",
    "BX701": "term-never-exercised",
    "BX702": "term-shadowed",
    "BX703": "ranges-overlap",
    "BX704": "no-range-at-all",
    "BX705": "range-below-advice",
    "BX706": "range-holds-service-port",
    "BX707": "range-holds-ndmp-port",
    "BX801": "peak-above-advice",
    "BX802": "range-exhausted",
    "BX803": "range-smaller-than-need",
    "BX804": "more-than-two-ports-per-operation",
    "BX805": "strained-at-the-peak",
    "BX901": "control-messages-cut",
    "BX902": "one-sided-capture",
    "BX903": "packets-dropped",
    "BX904": "judged-without-handshake",
    "BX905": "capture-not-read",
    "BX906": "nothing-to-judge",
    "BX907": "control-bytes-missing",
    "BX908": "control-stream-not-ndmp",
    "BX951": "waiver-expired",
    "BX952": "waiver-unused",
    "BX953": "waiver-expires-soon",
}


def test_codes_keep_their_names() -> None:
    assert {rule.code: rule.name for rule in PACK.rules} == CODES


def test_a_blocked_agent_browser_never_says_that_backups_fail() -> None:
    rule = PACK.find("BX103")
    assert rule is not None
    assert "not discoverable" in rule.consequence.text
    assert "fail" not in rule.consequence.text


def test_findings_of_info_are_those_that_undermine_or_note() -> None:
    assert all(rule.severity is Severity.INFO for rule in PACK.rules if rule.undermines)


def test_sentences_read_as_sentences(bench: Bench) -> None:
    """Whatever a rule raises on its examples ends with a full stop and leaves no brace and no double blank."""
    for rule in PACK.rules:
        for example in rule.fires:
            for found in bench.judge(example.text):
                for text in (found.message, found.consequence, found.remedy):
                    assert re.fullmatch(r"[^{}]+\.", text), text
                    assert "  " not in text
                    assert "\n" not in text


def plain(node: Node) -> object:
    """Return a document as JSON would have it: flags and numbers as such."""
    if isinstance(node, Scalar):
        if node.plain and node.text in ("true", "false"):
            return node.text == "true"
        return int(node.text) if node.plain and node.text.isdecimal() else node.text
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(item) for item in node.items]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rule_files_meet_the_schema(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = Document(path.name, path.read_text())
    assert document.root is not None
    jsonschema.Draft202012Validator(rule_schema()).validate(plain(document.root))


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(rule_schema())
    text = (CHECKS / "blocked" / "control-connection-blocked.yaml").read_text()
    for before, after in (
        ("control: true", "control: perhaps"),
        ("verdict: permit", "verdict: permitted"),
        ("verdict: permit", "judgement: permit"),
        ("severity: medium", "severity: grave"),
        ("code: BX101", "code: B1"),
        ("why: >-", "reason: >-"),
    ):
        document = Document("bad.yaml", text.replace(before, after, 1))
        assert document.root is not None
        assert not validator.is_valid(plain(document.root)), after
        assert read_rule(document) is None, after


def test_the_schema_beside_the_code_is_fresh() -> None:
    written = json.loads((ROOT / "auditor" / "schemas" / "rule.schema.json").read_text())
    assert written == rule_schema()


def test_the_page_of_rules_is_fresh() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    assert page[page.index(BEGIN) :] == rules_page(PACK)
    for word, meaning in WORDS.items():
        assert f"| `{word}` | {meaning} |" in page


def test_lint_tells_of_examples_that_lie(bench: Bench) -> None:
    rule = PACK.find("BX101")
    assert rule is not None
    from dataclasses import replace

    lying = replace(rule, fires=rule.silent, silent=rule.fires)
    problems = bench.prove_rule(lying)
    assert len(problems) == len(rule.fires) + len(rule.silent)
    assert {problem.message for problem in problems} >= {"BX101 does not fire on this example"}
    assert all(problem.line > 1 and problem.excerpt for problem in problems)


def test_lint_names_files_out_of_place() -> None:
    from dataclasses import replace

    from auditor.packs.lint import lint_pack

    rule = PACK.find("BX101")
    assert rule is not None
    astray = replace(rule, path="checks/range/other.yaml", fires=(), silent=(), sources=())
    messages = [problem.message for problem in lint_pack(Pack((astray,)))]
    assert messages == [
        "the file is named other.yaml, the rule control-connection-blocked",
        "code BX101 is not of family range",
        "no example fires",
        "no example stays silent",
        "no source is given",
    ]
