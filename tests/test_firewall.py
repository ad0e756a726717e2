"""``auditor policy firewall``: a policy as firewall rules, held against what one would write by hand."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.firewall.model import HELD_BACK
from auditor.firewall.targets import render
from auditor.policy.load import load_policy
from tests.helpers.firewall import SITE, as_json, made
from tests.support import run_auditor


def test_the_rules_of_a_small_site_are_those_that_one_would_write_by_hand(firewall_site: Path) -> None:
    document = as_json(made(load_policy(str(firewall_site))))
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


def test_each_rule_names_term_place_and_reason(firewall_site: Path) -> None:
    text = render(made(load_policy(str(firewall_site))), "nftables").decode()
    line = SITE.splitlines().index(next(line for line in SITE.splitlines() if "rdp" in line)) + 1
    unbroken = " ".join(text.replace("#", " ").split())
    assert f"rdp [{firewall_site}:{line}] change 4711" in unbroken
    assert "the initial connection will be initiated to the well known port 10000; grade A" in unbroken
    assert text.splitlines()[1].startswith("# REVIEW BEFORE APPLY")


@pytest.mark.parametrize(("at", "hooks"), [("transit", ["forward"]), ("agents", ["input", "output"])])
def test_nftables_drops_and_counts_what_no_rule_permits(firewall_site: Path, at: str, hooks: list[str]) -> None:
    text = render(made(load_policy(str(firewall_site)), at=at), "nftables").decode()
    for hook in hooks:
        assert f"type filter hook {hook} priority filter; policy drop;" in text
    assert text.count('counter drop comment "no rule permits it"') == len(hooks)


def test_a_host_s_firewall_is_seen_from_there(firewall_site: Path) -> None:
    policy = load_policy(str(firewall_site))
    at_media = {(r.direction, str(r.ports)) for r in made(policy, at="media-server").rules if r.action == "permit"}
    at_agents = {(r.direction, str(r.ports)) for r in made(policy, at="agents").rules if r.action == "permit"}
    assert ("out", "25") in at_media
    assert ("out", "441, 6102-6103, 10000-10025") in at_media
    assert ("in", "441, 6102-6103, 10000-10025") in at_agents
    assert not {pair for pair in at_agents if "25" in pair[1].split(", ")}, "notification leaves the media server only"


def test_windows_never_blocks_everything_and_shows_the_default_as_a_step_of_its_own(firewall_site: Path) -> None:
    text = render(made(load_policy(str(firewall_site)), at="agents"), "windows").decode()
    commands = [line for line in text.splitlines() if line and not line.startswith("#")]
    blocking = [line for line in commands if "-Action Block" in line]
    assert len(blocking) == 2, "one for each transport"
    assert all("-LocalAddress '10.0.1.7' -RemoteAddress '10.0.0.1'" in line for line in blocking)
    assert "# Set-NetFirewallProfile -All -DefaultInboundAction Block" in text
    assert "\nSet-NetFirewallProfile" not in text
    with pytest.raises(UsageError, match="guards the host"):
        render(made(load_policy(str(firewall_site))), "windows")


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
