"""``auditor policy firewall``: a policy as firewall rules, held against the matcher, against a first-match evaluator over the
JSON rules, and against Aerleon's AclCheck."""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.cli.schema import schema_text
from auditor.errors import UsageError
from auditor.firewall.from_policy import rules_of
from auditor.firewall.model import HELD_BACK, RuleSet
from auditor.firewall.platforms import PLATFORMS
from auditor.firewall.ranges import Addresses, networks_of, of_networks, range_texts
from auditor.firewall.targets import TARGETS, render
from auditor.policy.load import load_policy
from auditor.policy.model import Policy, Zone
from auditor.policy.terms import UNANNOUNCED, policy_terms
from auditor.ports import PortSet
from auditor.services import load_catalogue
from tests.support import CAPTURES, run_auditor
from tests.test_match_many import HERE, judged, random_flows, random_policy
from tests.test_match_reference import CATALOGUE, One, Reference

OWN = ("nftables", "windows", "csv", "json")
SITE = """\
generation: 11d-12
data_direction: media-to-agent
zones:
  media-servers: [10.0.0.1]
  agents: {hosts: [10.0.1.0/25, 10.0.1.128/25, "fd00:1::/64"], dynamic_ports: 10001-10025}
  mail-relays: [10.0.2.1]
terms:
  - {name: no-lab, action: deny, source: media-servers, destination: 10.0.1.7}
  - {name: never, action: deny, source: agents, destination: mail-relays}
  - {name: rdp, action: permit, source: agents, destination: media-servers, transport: tcp, ports: 3389, comment: change 4711}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def made(policy: Policy, **options: Any) -> RuleSet:
    return rules_of(policy, load_catalogue(policy.generation), **options)


def as_json(rules: RuleSet) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render(rules, "json"))
    return document


# --- By hand ----------------------------------------------------------------------------------------------------------


def test_the_rules_of_a_small_site_are_those_that_one_would_write_by_hand(site: Path) -> None:
    document = as_json(made(load_policy(str(site))))
    rules = [
        (r["action"], r["source"], r["destination"], r["transports"], r["ports"], [x["term"] for x in r["reasons"]])
        for r in document["rules"]
    ]
    media, agents, relay = ["10.0.0.1"], ["10.0.1.0/24"], ["10.0.2.1"]
    # 6102, 6103 and 441 are rows of the vendor's table for agents; 10000 and 10001-10025 lie side by side.
    assert rules == [
        ("deny", media, ["10.0.1.7"], ["tcp", "udp"], [[1, 65535]], ["no-lab"]),
        ("permit", media, agents, ["tcp"], [[441, 441], [6102, 6103], [10000, 10025]], [
            "ndmp-control", "ndmp-data:to-agent:10001-10025", "netware-agent-9", "remote-agent-6103", "push-install"]),
        ("permit", agents, media, ["tcp"], [[1125, 1125], [3106, 3106], [3389, 3389], [3527, 3527], [5633, 5633], [6101, 6101],
            [6106, 6106]], ["agent-browser", "beserver", "mssql", "dcom-rpc", "dba-initiated", "rdp"]),
        ("permit", agents, media, ["udp"], [[1434, 1434]], ["mssql-monitor"]),
        ("permit", media, relay, ["tcp"], [[25, 25]], ["smtp"]),
        ("permit", agents, media, ["tcp", "udp"], [[3999, 3999]], ["dlo-admin"]),
    ]  # fmt: skip
    # 441, 1125, 3106, 3389, 3527, 3999, 5633, 25, 6101-6103, 6106, and 26 from 10000 on; 1434 and 3999 of UDP.
    assert "6 rules (1 of them to deny); open: 38 TCP ports" in document["summary"]
    assert "2 UDP ports (1434, 3999)" in document["summary"]
    left = {one["what"]: one["why"] for one in document["left_out"]}
    assert left["never"] == "needs no rule: nothing here permits any of it any more, and the rest is dropped"
    assert "no version of IP" not in str(left), "an end of both versions has one in common with IPv4"


def test_each_rule_names_term_place_and_reason(site: Path) -> None:
    text = render(made(load_policy(str(site))), "nftables").decode()
    line = SITE.splitlines().index(next(line for line in SITE.splitlines() if "rdp" in line)) + 1
    unbroken = " ".join(text.replace("#", " ").split())
    assert f"rdp [{site}:{line}] change 4711" in unbroken
    assert "the initial connection will be initiated to the well known port 10000; grade A" in unbroken
    assert text.splitlines()[1].startswith("# REVIEW BEFORE APPLY")


@pytest.mark.parametrize(("at", "hooks"), [("transit", ["forward"]), ("agents", ["input", "output"])])
def test_nftables_drops_and_counts_what_no_rule_permits(site: Path, at: str, hooks: list[str]) -> None:
    text = render(made(load_policy(str(site)), at=at), "nftables").decode()
    for hook in hooks:
        assert f"type filter hook {hook} priority filter; policy drop;" in text
    assert text.count('counter drop comment "no rule permits it"') == len(hooks)


def test_a_host_s_firewall_is_seen_from_there(site: Path) -> None:
    policy = load_policy(str(site))
    at_media = {(r.direction, str(r.ports)) for r in made(policy, at="media-server").rules if r.action == "permit"}
    at_agents = {(r.direction, str(r.ports)) for r in made(policy, at="agents").rules if r.action == "permit"}
    assert ("out", "25") in at_media
    assert ("out", "441, 6102-6103, 10000-10025") in at_media
    assert ("in", "441, 6102-6103, 10000-10025") in at_agents
    assert not {pair for pair in at_agents if "25" in pair[1].split(", ")}, "notification leaves the media server only"


def test_windows_never_blocks_everything_and_shows_the_default_as_a_step_of_its_own(site: Path) -> None:
    text = render(made(load_policy(str(site)), at="agents"), "windows").decode()
    commands = [line for line in text.splitlines() if line and not line.startswith("#")]
    blocking = [line for line in commands if "-Action Block" in line]
    assert len(blocking) == 2, "one for each transport"
    assert all("-LocalAddress '10.0.1.7' -RemoteAddress '10.0.0.1'" in line for line in blocking)
    assert "# Set-NetFirewallProfile -All -DefaultInboundAction Block" in text
    assert "\nSet-NetFirewallProfile" not in text
    with pytest.raises(UsageError, match="guards the host"):
        render(made(load_policy(str(site))), "windows")


def test_what_is_doubtful_or_undeclared_or_without_source_is_a_proposal(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "generation: 20.x\nzones:\n  media-servers: [10.0.0.1]\n  agents: [10.0.1.1]\n  domain-controllers: [10.0.2.1]\n"
    )
    policy = load_policy(str(path))
    rules = made(policy)
    held = {reason.term: rule.held_back for rule in rules.proposals for reason in rule.reasons}
    assert held["ndmp-data:to-agent:any"] == ("undeclared-ranges",)
    assert held["cloud-storage"] == ("unproved",)
    assert held["dedupe-engine"] == ("doubtful",)
    text = render(rules, "nftables").decode()
    assert not [line for line in text.splitlines() if "1024-65535" in line and not line.strip().startswith("#")]
    every = made(policy, include=tuple(HELD_BACK))
    assert not every.proposals
    cloud = next(rule for rule in every.rules if 443 in rule.ports and 10000 not in rule.ports)
    assert cloud.destination.of(4) == (
        (0, int(ipaddress.ip_address("10.0.0.0"))),
        (int(ipaddress.ip_address("10.0.0.2")), int(ipaddress.ip_address("10.0.1.0"))),
        (int(ipaddress.ip_address("10.0.1.2")), int(ipaddress.ip_address("10.0.2.0"))),
        (int(ipaddress.ip_address("10.0.2.2")), 2**32 - 1),
    )


def test_a_policy_that_permits_nothing_here_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE + "  - {name: stop, action: deny, source: any, destination: any}\n")
    done = run_auditor("policy", "firewall", path, "--target", "nftables")
    assert (done.code, done.out) == (2, "")
    assert "no rule at transit would permit anything" in done.err
    done = run_auditor("policy", "firewall", path, "--target", "nftables", "--at", "filers")
    assert done.code == 2
    assert "known here" in done.err


def test_waivers_open_nothing_and_are_told(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(
        "waivers:\n  - {code: BX301, hosts: 10.0.1.7, ports: 40011, owner: ops, reason: moves in May, expires: 2026-01-31}\n"
    )
    path = tmp_path / "site.yaml"
    path.write_text(SITE + "waivers: waivers.yaml\n")
    done = run_auditor("policy", "firewall", path, "--target", "json")
    assert done.code == 0, done.err
    assert "waiver of BX301" in done.err
    assert "expired, until 2026-01-31" in done.err
    assert "opens nothing" in done.out
    assert 40011 not in [low for rule in json.loads(done.out)["rules"] for low, _ in rule["ports"]]


# --- Against other evaluators -----------------------------------------------------------------------------------------


def first_match(rules: Iterable[dict[str, Any]], flow: One, direction: str) -> bool:
    """Whether rules as JSON let a new connection pass: the first that fits decides, none drops it."""
    for rule in rules:
        if rule["direction"] != direction or flow.transport not in rule["transports"]:
            continue
        if not any(low <= flow.port <= high for low, high in rule["ports"]):
            continue
        if within(flow.orig, rule["source"]) and within(flow.resp, rule["destination"]):
            return bool(rule["action"] == "permit")
    return False


def within(text: str, ends: list[str]) -> bool:
    address = ipaddress.ip_address(text)
    for end in ends:
        if "-" in end:
            low, high = map(ipaddress.ip_address, end.split("-"))
            if low.version == address.version and int(low) <= int(address) <= int(high):
                return True
        elif address in ipaddress.ip_network(end):
            return True
    return False


def open_by_matcher(policy: Policy, flows: list[One]) -> list[bool | None]:
    """Whether the matcher permits each flow whatever it may carry (None: none of its business)."""
    kinds = [judged(policy, [replace(flow, kind=kind) for flow in flows]) for kind in ("", "control", "data")]
    return [
        None if "out-of-scope" in words else "permit" in words
        for words in ([word for word, _ in found] for found in zip(*kinds, strict=True))
    ]


def certain(policy: Policy, plain: Reference, flow: One) -> bool:
    """Whether some term permits a flow that a packet filter can tell by its ports, and nothing speaks against it."""
    for term in plain.terms:
        service = CATALOGUE.get(term.service)
        kinds = [replace(flow, kind=kind) for kind in ("", "control", "data")]
        if not any(plain.matches(term, one) for one in kinds):
            continue
        if term.action == "deny":
            return False
        doubtful = term.doubt not in ("", UNANNOUNCED) or (service is not None and service.grade == "U")
        undeclared = term.declared == "dynamic_ports" and policy.dynamic_ports_of(flow.resp) is None
        if not doubtful and not undeclared:
            return True
    return False


def places(policy: Policy, plain: Reference, flow: One) -> Iterable[tuple[str, str]]:
    """Where a flow meets a firewall, and in which direction."""
    one, other = policy.zone_of(flow.orig), policy.zone_of(flow.resp)
    if one is None or other is None or one is not other:
        yield "transit", "through"
    for zone, direction in ((one, "out"), (other, "in")):
        if zone is not None and zone.role != "other":
            yield zone.role, direction


def test_rules_say_what_the_matcher_says_of_random_flows() -> None:
    dice = random.Random(20261128)  # noqa: S311 - a test draws the same lot each time
    seen: Counter[tuple[str, bool]] = Counter()
    for _ in range(10):
        policy = random_policy(dice)
        plain = Reference(policy)
        flows = [
            one for one in random_flows(dice, policy, 200) if one.ported and not one.guessed and one.orig != one.resp
        ]
        flows = [one for one in flows if "multicast" not in (plain.role(one.orig), plain.role(one.resp))]
        flows = [one for one in flows if (":" in one.orig) == (":" in one.resp)]
        documents: dict[tuple[str, bool], Any] = {}
        for flow, permitted in zip(flows, open_by_matcher(policy, flows), strict=True):
            if permitted is None:
                continue
            for at, direction in places(policy, plain, flow):
                for everything in (True, False):
                    if (at, everything) not in documents:
                        documents[at, everything] = rules_or_none(policy, at, everything=everything)
                    document = documents[at, everything]
                    wanted = permitted if everything else certain(policy, plain, flow)
                    found = document is not None and first_match(document["rules"], flow, direction)
                    assert found == wanted, (policy, flow, at, everything)
                    seen[direction, found] += 1
    assert all(seen[direction, found] > 100 for direction in ("through", "in", "out") for found in (True, False)), seen


def rules_or_none(policy: Policy, at: str, *, everything: bool) -> Any:
    try:
        return as_json(made(policy, at=at, include=tuple(HELD_BACK) if everything else ()))
    except UsageError as error:
        if "would permit anything" not in error.message:
            raise
        return None


def test_no_rule_says_what_another_says_already() -> None:
    dice = random.Random(4)  # noqa: S311
    pairs = 0
    for _ in range(40):
        try:
            rules = made(random_policy(dice), include=tuple(HELD_BACK)).rules
        except UsageError:
            continue
        for one in rules:
            for other in rules:
                if one is other or (one.version, one.action) != (other.version, other.action):
                    continue
                pairs += 1
                inside = (
                    set(other.transports) <= set(one.transports)
                    and PortSet.of(one.ports.ranges + other.ports.ranges) == one.ports
                    and one.source | other.source == one.source
                    and one.destination | other.destination == one.destination
                )
                assert not inside, (one, other)
                same = [one.source == other.source, one.destination == other.destination, one.ports == other.ports,
                        one.transports == other.transports]  # fmt: skip
                assert sum(same) < 3, (one, other)
    assert pairs > 200


def test_aerleon_s_check_says_what_the_rules_say() -> None:
    pytest.importorskip("aerleon", reason="aerleon is not installed")
    from aerleon.lib import aclcheck, naming
    from aerleon.lib import policy as aerleon_policy
    from aerleon.utils import config  # noqa: F401 - its absence would be another Aerleon than the one that was tried

    dice = random.Random(11)  # noqa: S311
    decided: Counter[bool] = Counter()
    for _ in range(25):
        policy = random_policy(dice, single_version=True)
        rules = rules_or_none(policy, "transit", everything=True)
        if rules is None:
            continue
        definitions, text = naming.Naming(None), ["header {", "  target:: speedway INPUT", "}"]
        for rule in rules["rules"]:
            if rule["ip_version"] != 4:
                continue
            n, ways = rule["number"], rule["transports"]
            for side in ("source", "destination"):
                nets = [str(net) for end in rule[side] for net in networks(end)]
                definitions.ParseNetworkList([f"N{n}{side} = {nets[0]}", *(f"  {net}" for net in nets[1:])])
            ports = " ".join(f"{low}-{high}/{way}" for low, high in rule["ports"] for way in ways)
            definitions.ParseServiceList([f"S{n} = {ports}"])
            text += [f"term t{n} {{", f"  protocol:: {' '.join(ways)}", f"  source-address:: N{n}source",
                     f"  destination-address:: N{n}destination", f"  destination-port:: S{n}",
                     f"  action:: {'accept' if rule['action'] == 'permit' else 'deny'}", "}"]  # fmt: skip
        parsed = aerleon_policy.ParsePolicy("\n".join(text), definitions)
        flows = [one for one in random_flows(dice, policy, 30, plain=True) if one.orig != one.resp]
        flows = [
            one for one in flows if not policy.zone_of(one.orig) or policy.zone_of(one.orig) != policy.zone_of(one.resp)
        ]
        for flow, permitted in zip(flows, open_by_matcher(policy, flows), strict=True):
            exact = aclcheck.AclCheck(
                parsed, flow.orig, flow.resp, "any", str(flow.port), flow.transport
            ).ExactMatches()
            found = bool(exact) and exact[0].action == "accept"
            assert permitted is None or found == permitted, (policy, flow)
            decided[found] += permitted is not None
    assert all(decided[found] > 50 for found in (True, False)), decided


def networks(end: str) -> Iterable[Any]:
    if "-" not in end:
        return [ipaddress.ip_network(end)]
    low, high = map(ipaddress.ip_address, end.split("-"))
    return ipaddress.summarize_address_range(low, high)


def test_a_denial_of_some_ports_takes_them_from_the_rule_and_needs_none_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    denial = "  - {name: no-6106, action: deny, source: any, destination: media-servers, ports: 6104-6107}\n"
    path.write_text(SITE.replace("  - {name: no-lab", f"{denial}  - {{name: no-lab"))
    rules = made(load_policy(str(path)))
    assert [reason.term for rule in rules.rules if rule.action == "deny" for reason in rule.reasons] == ["no-lab"]
    assert 6106 not in rules.opened()["tcp"]
    assert 3527 in rules.opened()["tcp"]
    assert "beserver" in {one.what: one.why for one in rules.left_out}
    for low, high in ((5, 5), (1, 9), (4, 6), (1, 3), (3, 4), (6, 8), (9, 9)):
        some = PortSet.of([(3, 6), 8])
        assert {p for p in range(1, 12) if p in some.without(PortSet.of([(low, high)]))} == {3, 4, 5, 6, 8} - set(
            range(low, high + 1)
        )


def test_ranges_and_networks_say_the_same() -> None:
    dice = random.Random(3)  # noqa: S311
    for version, bits in ((4, 32), (6, 128)):
        for _ in range(200):
            low = dice.randrange(1 << dice.randrange(1, bits))
            high = min(low + dice.randrange(1 << dice.randrange(1, 20)), (1 << bits) - 1)
            (text,) = range_texts([(low, high)], version)
            assert [str(net) for net in networks(text)] == networks_of([(low, high)], version)
    some = of_networks([ipaddress.ip_network("10.0.0.0/24")])
    less = some - of_networks([ipaddress.ip_network("10.0.0.7")])
    assert range_texts(less.v4, 4) == ["10.0.0.0-10.0.0.6", "10.0.0.8-10.0.0.255"]
    assert less | of_networks([ipaddress.ip_network("10.0.0.7")]) == some
    assert not Addresses()


# --- The targets ------------------------------------------------------------------------------------------------------

HOSTILE = [
    '"; flush ruleset; #', "'; Remove-Item C:\\ -Recurse; '", "$(reboot)`id`", "=cmd|'/c calc'!A1", "a\nnft flush ruleset",
    "\u2018; calc; \u2019\u201c", "x\u202ey\u2028z", "--> <x/> */ system { }", "\\", "tcp", "@evil", "é" * 300, "\x00\x1b[2J", "{ } ;",
    "end\r\nexit", "%PATH%&calc|more>x",
]  # fmt: skip


def hostile_policy(text: str) -> Policy:
    """A policy all of whose words are hostile, where no reader of policy files stands in between."""
    six = ipaddress.ip_network("fd00:1::/64")
    zones = (
        Zone("media" + text, "media-servers", (ipaddress.ip_network("10.0.0.1"), ipaddress.ip_network("fd00::1")), None, None, HERE),
        Zone(text, "agents", (ipaddress.ip_network("10.0.1.0/24"), six), PortSet.of([(50100, 50124)]), None, HERE),
    )  # fmt: skip
    policy = load_policy(str(CAPTURES / "out-of-range" / "policy.yaml"))
    term = replace(
        next(term for term in policy_terms(policy, CATALOGUE)), name=text, comment=text, origin="site", service="",
        source=("media" + text,), destination=(text,), ports=PortSet.of([7]), place=replace(HERE, path=text), declared="",
    )  # fmt: skip
    denied = replace(term, name=f"deny{text}", action="deny", ports=PortSet.of([10000]), source=("10.0.0.0/30",),
                     destination=("10.0.1.0/28",))  # fmt: skip
    return Policy(text, zones=zones, site_terms=(denied, term))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words_in_our_own_targets(text: str) -> None:
    policy = hostile_policy(text)
    for at in ("transit", "agents"):
        rules = made(policy, at=at, remarks=())
        for line in render(rules, "nftables").decode("ascii").splitlines():
            assert line.isprintable()
            if not line.lstrip().startswith("#"):
                assert re.fullmatch(NFT_LINE, line), line
        rows = list(csv.reader(io.StringIO(render(rules, "csv").decode(), newline="")))
        assert len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r"))]
        assert all(cell.isprintable() for row in rows for cell in row)
        assert any(text in json.dumps(rule, ensure_ascii=False) or json.dumps(text)[1:-1] in json.dumps(rule)
                   for rule in as_json(rules)["rules"])  # fmt: skip
    for line in render(made(policy, at="agents"), "windows").decode("ascii").split("\r\n"):
        assert line.isprintable()
        assert not line or line.startswith("#") or re.fullmatch(POWERSHELL_LINE, line), line


NFT_LINE = r"[ ]*[A-Za-z0-9_.,:;/@{}= -]*( \{)?((comment|prefix) \"[A-Za-z0-9 _.,:;/+=()\[\]@?-]*\")?( \})?"
POWERSHELL_LINE = r"New-NetFirewallRule( -[A-Za-z]+ ([A-Za-z]+|'[A-Za-z0-9 _.,:;/+=()\[\]@?-]*'(,'[0-9a-f.:/-]*')*))+"


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_nft_accepts_the_rules() -> None:
    shell = (
        ["unshare", "--net"]
        if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0
        else []
    )
    probe = subprocess.run([*shell, "nft", "list", "ruleset"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"nft may not be used here: {probe.stderr.strip()}")
    dice = random.Random(5)  # noqa: S311
    policies = [*(hostile_policy(text) for text in HOSTILE[:6]), *(random_policy(dice) for _ in range(4))]
    files = []
    for policy in policies:
        for at in ("transit", *{zone.role for zone in policy.zones if zone.role != "other"}):
            for include in ((), tuple(HELD_BACK)):
                try:
                    rules = made(policy, at=at, include=include)
                except UsageError:
                    continue
                text = render(rules, "nftables")
                # Proposals as well: each could be put in force by taking the sign of the comment away.
                files += [text, re.sub(rb"^ +# (?=(ip|ip6|meta) )", b"        ", text, flags=re.MULTILINE)]
    assert len(files) > 40
    # One run for all: each file makes its table anew.
    done = subprocess.run([*shell, "nft", "-c", "-f", "-"], input=b"".join(files), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[:2000]
    for harm in (b"        tcp dport 0x10000 accept\n    }\n}\n", b'        accept comment "a" "b"\n    }\n}\n'):
        broken = files[0].replace(b"    }\n}\n", harm, 1)
        assert subprocess.run([*shell, "nft", "-c", "-f", "-"], input=broken, capture_output=True).returncode != 0


BOTH = {"ciscoasa": 4, "iptables": 4, "ip6tables": 6}
"""Targets that say one version of IP only."""


@pytest.mark.parametrize("target", sorted(PLATFORMS))
@pytest.mark.parametrize("text", ["plain", " ".join(HOSTILE)], ids=["plain", "hostile"])
def test_aerleon_s_platforms_have_every_network_and_port(target: str, text: str) -> None:
    pytest.importorskip("aerleon", reason="aerleon is not installed")
    versions = (BOTH[target],) if target in BOTH else (4, 6)
    rules = made(hostile_policy(text), versions=versions)
    assert {rule.version for rule in rules.rules} == set(versions)
    written = render(rules, target).decode("ascii")
    assert "REVIEW BEFORE APPLY" in "\n".join(written.splitlines()[:2])
    before, _ = PLATFORMS[target].comment
    body = [line for line in written.splitlines() if not line.startswith(before) and "remark" not in line]
    configuration = "\n".join(body)
    assert text == "plain" or text not in written
    assert len(written.splitlines()) == len(written.split("\n")) - 1, "no line ends where a word wants it to"
    for version in versions:
        network = "10.0.1" if version == 4 else "fd00:1::"
        assert network in configuration
    for port in ("441", "10000", "50100", "50124", "6101"):
        assert port in configuration, (target, port)


@pytest.mark.parametrize("target", ["ciscoasa", "iptables"])
def test_a_version_that_a_platform_cannot_say_is_an_error_and_not_left_out(target: str) -> None:
    pytest.importorskip("aerleon", reason="aerleon is not installed")
    rules = made(hostile_policy("plain"))
    with pytest.raises(UsageError, match="IPv4 only"):
        render(rules, target)


def test_what_aerleon_warns_of_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aerleon", reason="aerleon is not installed")
    from auditor.firewall import aerleon_

    rules = made(hostile_policy("plain"))
    usual = aerleon_._term
    monkeypatch.setattr(aerleon_, "_term", lambda *given: {**usual(*given), "bogus": 1})
    with pytest.raises(UsageError, match="Unexpected term keyword bogus"):
        render(rules, "cisco")


def test_without_aerleon_the_extra_is_named(site: Path) -> None:
    code = "import sys; sys.modules['aerleon'] = None; from auditor.cli import main; main()"
    words = ["policy", "firewall", str(site), "--target", "cisco"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: aerleon is not installed",
        'help: install it with: pip install "auditor[rules]"',
    ]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_begins_with_the_request_to_review(target: str, site: Path) -> None:
    if target not in OWN:
        pytest.importorskip("aerleon", reason="aerleon is not installed")
    if target == "ip6tables":
        site.write_text(SITE.replace("[10.0.0.1]", '["fd00::1"]'))
    versions = (BOTH[target],) if target in BOTH else (4, 6)
    rules = made(load_policy(str(site)), at="agents" if target == "windows" else "transit", versions=versions)
    assert "REVIEW BEFORE APPLY" in "\n".join(render(rules, target).decode().splitlines()[:4])


def test_the_command_writes_a_file_and_says_what_came_of_it(site: Path) -> None:
    output = site.parent / "rules.nft"
    done = run_auditor("policy", "firewall", site, "--target", "nftables", "--ip-version", "4", "--output", output)
    assert (done.code, done.out) == (0, "")
    assert output.read_text().startswith("#!/usr/sbin/nft -f\n# REVIEW BEFORE APPLY")
    assert f"{output}: 6 rules (1 of them to deny); open: 38 TCP ports" in done.err
    assert "Review before you apply it; auditor applies nothing." in done.err
    assert "no rule: never" in done.err


def test_json_is_as_its_schema_says(site: Path) -> None:
    schema = json.loads(schema_text("firewall"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for include in ((), tuple(HELD_BACK)):
        jsonschema.validate(as_json(made(load_policy(str(site)), at="agents", include=include)), schema)
    broken = as_json(made(load_policy(str(site))))
    broken["rules"][0]["action"] = "apply"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)
