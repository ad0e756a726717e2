"""A policy drafted from traffic: it loads, the capture conforms to it, and nothing hostile in it is more than a comment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import auditor
from auditor.drafting import draft_policy
from auditor.drafting.ranges import RangeEvidence, cover
from auditor.drafting.write import _comment, quoted
from auditor.errors import CaptureError, UsageError
from auditor.model import Severity
from auditor.policy.load import load_policy
from auditor.ports import PortSet
from tests.helpers.pcap import Writer, greeting
from tests.support import CAPTURES, Case, committed_cases, declared_ranges, run_auditor, shared_cases

ALL = [*committed_cases(), *shared_cases()]


def drafted(case: Case, folder: Path) -> Path:
    path = folder / "draft.yaml"
    path.write_text(draft_policy([case.capture]).text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_under_its_own_draft_a_capture_gives_nothing_but_notes(case: Case, tmp_path: Path) -> None:
    path = drafted(case, tmp_path)
    report = auditor.audit([case.capture], policy_path=path)
    assert [one.code for one in report.findings if one.severity > Severity.INFO] == []
    assert report.verdict.value != "violations"


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_draft_has_the_roles_of_the_truth(case: Case, tmp_path: Path) -> None:
    policy = load_policy(drafted(case, tmp_path))
    declared = case.truth["policy"]
    for role, key in (
        ("media-servers", "media_servers"),
        ("mail-relays", "smtp_servers"),
        ("snmp-managers", "snmp_managers"),
    ):
        for zone in policy.zones_with((role,)):
            assert {str(network.network_address) for network in zone.networks} <= set(declared[key]), role
    rogues = set(case.truth.get("rogues", ())) | {"10.77.0.99"}
    assert not any(policy.zone_of(address) for address in rogues)


def test_the_ranges_cover_what_the_truth_saw_and_no_more(tmp_path: Path) -> None:
    """In the compliant capture every data port of an agent lies in the range that its agents were started with."""
    case = next(case for case in committed_cases() if case.name == "compliant")
    policy = load_policy(drafted(case, tmp_path))
    (low, high), *_ = declared_ranges(case.truth["policy"]).values()
    (zone,) = policy.zones_with(("agents",))
    assert zone.dynamic_ports is not None
    assert low <= zone.dynamic_ports.ranges[0][0] <= zone.dynamic_ports.ranges[-1][1] <= high
    ports = {end["port"] for connection in case.truth["data_connections"] for end in connection["agent_side"]}
    assert len(ports) > 1
    assert all(port in zone.dynamic_ports for port in ports)
    assert zone.dynamic_ports.ranges == ((min(ports), max(ports)),)


@pytest.mark.parametrize(
    ("ports", "without", "expected", "scattered"),
    [
        ([50101, 50103], [], "50101-50103", False),
        # A gap of 25 ports is bridged, one of 26 is not.
        ([50100, 50125], [], "50100-50125", False),
        ([50100, 50126], [], "50100, 50126", False),
        ([9990, 10010], [10000], "9990-9999, 10001-10010", False),
        ([2000, 3000, 4000, 5000, 6000], [], "2000-6000", True),
        ([2000, 3000, 4000, 5000], [], "2000, 3000, 4000, 5000", False),
    ],
)
def test_smallest_ranges(ports: list[int], without: list[int], expected: str, scattered: bool) -> None:
    found, apart = cover(ports, without)
    assert (str(found), apart) == (expected, scattered)


def test_the_vendors_advice_starts_at_the_lowest_port_and_ends_below_65536() -> None:
    low = RangeEvidence((50101, 50103), PortSet.of([(50101, 50103)]), False, 1, 1)
    assert str(low.advised) == "50101-50125"
    high = RangeEvidence((65530,), PortSet.of([65530]), False, 1, 1)
    assert str(high.advised) == "65511-65535"


HOSTILE = [
    "x\n  - name: evil\n    action: permit",
    '"]\nterms: [{name: a, action: permit, source: any, destination: any}]',
    "\x85next line\u2028and\u2029more",
    "a\tb # ? \x1b[2J \u202e \ud800 : - {}[]&*!|>'\"%@`",
    "\x00\ufeff\ufffe",
    "key: value",
    "x" * 5000 + "\ny",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_capture_says_stays_a_comment_or_a_string(text: str) -> None:
    lines = [*_comment(text, 4), *_comment(text, question=True)]
    assert all(line.lstrip(" ").startswith("#") for line in lines)
    page = "\n".join(["zones:", *lines, f"  agents: {quoted(text)}"])
    loaded = yaml.safe_load(page)
    assert set(loaded) == {"zones"}
    assert set(loaded["zones"]) == {"agents"}
    assert isinstance(loaded["zones"]["agents"], str)
    assert len(page.splitlines()) == len(lines) + 2


def test_a_capture_with_a_hostile_name(tmp_path: Path) -> None:
    name = "a\nterms: [{name: x, action: permit, source: any, destination: any}]\n.pcap"
    capture = tmp_path / name
    capture.write_bytes((CAPTURES / "compliant" / "compliant.pcap").read_bytes())
    path = tmp_path / "draft.yaml"
    path.write_text(draft_policy([capture]).text, encoding="utf-8")
    assert load_policy(path).site_terms == ()


def test_every_uncertainty_is_a_question() -> None:
    draft = draft_policy([CAPTURES / "rogue" / "rogue.pcap"])
    lines = [line for line in draft.text.splitlines() if line.strip().startswith("# ? ")]
    assert draft.questions == len(lines) >= 5
    assert "10.77.0.99" in draft.text
    assert "is the originator a media server?" in draft.text


def test_nothing_to_draft_from(tmp_path: Path) -> None:
    broken = tmp_path / "not.pcap"
    broken.write_bytes(b"no capture at all, but long enough to look at")
    with pytest.raises(CaptureError):
        draft_policy([broken])
    with pytest.raises(UsageError):
        draft_policy([])


def test_the_command_writes_it_and_says_how_much_is_open(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    done = run_auditor("policy", "draft", CAPTURES / "compliant" / "compliant.pcap", "--output", path)
    assert done.code == 0
    assert "questions to decide" in done.err
    assert run_auditor("policy", "check", path).code == 0
    shown = run_auditor("policy", "show", path, "--format", "json")
    assert {term["action"] for term in json.loads(shown.out)["terms"]} == {"permit"}
    assert run_auditor("policy", "draft", path).code == 3


def test_a_scan_of_thousands_makes_no_draft_of_thousands(tmp_path: Path) -> None:
    """A media server asks 2 500 hosts that never answer for NDMP, beside the one agent that does."""
    writer = Writer()
    writer.connection(("10.0.1.5", 40000), ("10.0.2.9", 10000), [(1, greeting())])
    hosts = [f"10.1.{n // 250}.{n % 250}" for n in range(2500)]
    for host in hosts:
        writer.tcp(("10.0.1.5", 41000), (host, 10000), "S", 1, 0)
    # So long after the last of them that answers could have come.
    for _ in range(6000):
        writer.udp(("10.0.9.1", 5000), ("10.0.9.2", 5000), b"later")
    drafted = draft_policy([writer.save(tmp_path / "scan.pcap")])
    assert "2 500 more hosts took part" in " ".join(drafted.text.replace("\u202f", " ").split())
    path = tmp_path / "draft.yaml"
    path.write_text(drafted.text, encoding="utf-8")
    policy = load_policy(path)
    assert policy.zone_of("10.0.2.9") is not None
    assert not any(policy.zone_of(host) for host in hosts)
    assert sum(len(term.destination) for term in policy.site_terms) <= 1000
