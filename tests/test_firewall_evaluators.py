"""Firewall rules of a policy, held against the matcher, a first-match evaluator over the JSON rules, and Aerleon's AclCheck."""

from __future__ import annotations

import ipaddress
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.firewall.model import HELD_BACK
from auditor.firewall.ranges import Addresses, networks_of, of_networks, range_texts
from auditor.policy.load import load_policy
from auditor.policy.model import Policy
from auditor.policy.terms import UNANNOUNCED
from auditor.ports import PortSet
from tests.helpers.firewall import SITE, as_json, made
from tests.test_match_many import judged, random_flows, random_policy
from tests.test_match_reference import CATALOGUE, One, Reference


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
