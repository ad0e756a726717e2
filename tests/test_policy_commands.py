"""``auditor policy show``, ``test`` and ``schema``: a policy read as a rule base, and flows tried on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from auditor.policy.load import load_policy
from auditor.policy.terms import policy_terms
from auditor.services import load_catalogue
from tests.support import CAPTURES, Completed, run_auditor

SITE = """\
generation: 11d-12
zones:
  media-servers: {hosts: [10.77.0.10], dynamic_ports: 50200-50224}
  agents: {hosts: [10.77.0.21, 10.77.0.22], dynamic_ports: 50100-50124}
  consoles: [10.77.0.80]
terms:
  - {name: rdp, action: permit, source: consoles, destination: media-servers, transport: tcp, ports: 3389}
  - {name: no-agent-to-agent, action: deny, source: agents, destination: agents}
"""
M, A = "10.77.0.10:40000", "10.77.0.21"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def tried(site: Path, *flows: str, options: tuple[str, ...] = ()) -> tuple[list[dict[str, Any]], int]:
    done = run_auditor("policy", "test", "--policy", site, "--format", "json", *options, *flows)
    return json.loads(done.out), done.code


# Flow, verdict, deciding term, nearest permitting term and what does not fit; by hand, from the policy above.
FLOWS = [
    (f"{M} > {A}:10000 tcp", "permit", "ndmp-control", "", []),
    ("10.77.0.21:1 > 10.77.0.22:445 tcp", "deny", "no-agent-to-agent", "", []),
    ("10.77.0.80:1 > 10.77.0.10:3389 tcp", "permit", "rdp", "", []),
    ("10.77.0.80:1 > 10.77.0.10:3389 udp", "unstated", None, "rdp", ["transport"]),
    ("10.9.9.9:1 > 10.77.0.10:3389 tcp", "unstated", None, "rdp", ["zone"]),
    (f"{M} > {A}:10001 tcp control", "unstated", None, "ndmp-control", ["port"]),
    (f"{A}:1 > 10.77.0.10:10000 tcp", "unstated", None, "ndmp-control", ["direction"]),
    (f"{M} > {A}:50125 tcp data=proved", "unstated", None, "ndmp-data:to-agent:50100-50124", ["port"]),
    (f"{M} > {A}:50124 tcp data=proved", "permit", "ndmp-data:to-agent:50100-50124", "", []),
    ("192.0.2.1:1 > 192.0.2.2:80 tcp", "out-of-scope", None, "", []),
    # No port of it was captured: it may be the control connection, or anything.
    ("10.77.0.10 > 10.77.0.21 tcp", "undetermined", None, "", []),
    # Between agents every port is denied, whichever way round.
    ("10.77.0.21 > 10.77.0.22 udp", "deny", "no-agent-to-agent", "", []),
]


def test_which_term_decides_or_comes_nearest(site: Path) -> None:
    found, code = tried(site, *(line for line, *_ in FLOWS if "data=" not in line))
    found += [
        one for line, *_ in FLOWS if "data=" in line for one in tried(site, f"{M} > {A}:10000 tcp control", line)[0][1:]
    ]
    order = [case for case in FLOWS if "data=" not in case[0]] + [case for case in FLOWS if "data=" in case[0]]
    assert code == 1
    for (line, verdict, term, nearest, misfits), one in zip(order, found, strict=True):
        near = one["nearest"][0] if one["nearest"] else {"term": {"name": ""}, "misfits": []}
        assert (one["verdict"], one["term"] and one["term"]["name"]) == (verdict, term), line
        assert (near["term"]["name"], near["misfits"]) == (nearest, misfits), line


@pytest.mark.parametrize(
    ("flows", "options", "code"),
    [
        ([f"{M} > {A}:10000 tcp"], (), 0),
        ([f"{M} > {A}:10000 tcp", "10.9.9.9:1 > 10.77.0.10:3389 tcp"], (), 1),
        (["192.0.2.1:1 > 192.0.2.2:80 tcp"], (), 3),
        (["10.9.9.9:1 > 10.77.0.10:3389 tcp"], ("--expect", "unstated"), 0),
        ([f"{M} > {A}:10000 tcp"], ("--expect", "deny"), 1),
    ],
)
def test_exit_codes(site: Path, flows: list[str], options: tuple[str, ...], code: int) -> None:
    assert tried(site, *flows, options=options)[1] == code


@pytest.mark.parametrize("flows", [["nonsense"], ["10.0.0.1:1 > 10.0.0.2:2 tpc"], ["# only a comment"]])
def test_what_is_no_flow_is_wrong_usage(site: Path, flows: list[str]) -> None:
    done = run_auditor("policy", "test", "--policy", site, *flows)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "help:" in done.err


def test_the_text_says_the_same(site: Path) -> None:
    done = run_auditor("policy", "test", "--policy", site, "10.9.9.9:1 > 10.77.0.10:3389 tcp")
    assert "unstated  no term matched" in done.out
    assert "does not fit: zone" in " ".join(done.out.split())


def shown(site: Path, *options: str) -> Completed:
    return run_auditor("policy", "show", site, *options)


def test_show_lists_every_term_in_the_order_of_judgement(site: Path) -> None:
    policy = load_policy(site)
    expected = [term.name for term in policy_terms(policy, load_catalogue(policy.generation))]
    document = json.loads(shown(site, "--format", "json").out)
    assert [term["name"] for term in document["terms"]] == expected
    assert [term["number"] for term in document["terms"]] == list(range(1, len(expected) + 1))
    assert (expected[0], expected[-1]) == ("no-agent-to-agent", "rdp")
    assert document["zones"][1]["dynamic_ports"] == "50100-50124"


def test_show_reads_like_a_rule_base(site: Path) -> None:
    done = shown(site)
    assert done.code == 0
    assert "ndmp-control: Backup Exec Remote Agent" in done.out
    # The first line holds the path, which is as long as it is.
    assert max(map(len, done.out.splitlines()[1:])) <= 100
    rows = [line.split() for line in done.out.splitlines()]
    assert ["1", "deny", "any", "agents", "agents", "any"] in [row[:6] for row in rows]
    assert "rdp, line 7" in done.out


def test_the_schema_is_that_of_editors() -> None:
    done = run_auditor("policy", "schema")
    assert done.out == run_auditor("schema", "policy").out
    schema = json.loads(done.out)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in CAPTURES.glob("*/policy.yaml"):
        assert validator.is_valid(yaml.safe_load(path.read_text())), path
    # What editors show beside a key is written for every key.
    assert all(entry.get("description") for entry in schema["properties"].values())


def test_the_nearest_term_is_in_the_report_of_undocumented_traffic() -> None:
    folder = CAPTURES / "services"
    done = run_auditor("audit", folder / "services.pcap", "--policy", folder / "policy.yaml", "--format", "json")
    notes = {
        (finding["subject"]["originator"], finding["subject"]["port"]): finding["evidence"][0]["note"]
        for finding in json.loads(done.out)["findings"]
        if finding["code"] == "BX202"
    }
    assert notes["10.77.0.99", "6106"].startswith("no term matched; nearest beserver (permit tcp media-servers, agents")
    assert notes["10.77.0.99", "6106"].endswith("but for the zone")
