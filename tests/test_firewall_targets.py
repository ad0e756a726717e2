"""The formats of firewall rules: hostile words, what nft and Aerleon say of them, the command itself."""

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
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from auditor.cli.schema import schema_text
from auditor.errors import UsageError
from auditor.firewall.model import HELD_BACK
from auditor.firewall.platforms import PLATFORMS
from auditor.firewall.targets import TARGETS, render
from auditor.policy.load import load_policy
from auditor.policy.model import Policy, Zone
from auditor.policy.terms import policy_terms
from auditor.ports import PortSet
from tests.helpers.firewall import OWN, SITE, as_json, made
from tests.support import CAPTURES, run_auditor
from tests.test_match_many import HERE, random_policy
from tests.test_match_reference import CATALOGUE

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


def test_without_aerleon_the_extra_is_named(firewall_site: Path) -> None:
    code = "import sys; sys.modules['aerleon'] = None; from auditor.cli import main; main()"
    words = ["policy", "firewall", str(firewall_site), "--target", "cisco"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: aerleon is not installed",
        'help: install it with: pip install "auditor[rules]"',
    ]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_begins_with_the_request_to_review(target: str, firewall_site: Path) -> None:
    if target not in OWN:
        pytest.importorskip("aerleon", reason="aerleon is not installed")
    if target == "ip6tables":
        firewall_site.write_text(SITE.replace("[10.0.0.1]", '["fd00::1"]'))
    versions = (BOTH[target],) if target in BOTH else (4, 6)
    rules = made(load_policy(str(firewall_site)), at="agents" if target == "windows" else "transit", versions=versions)
    assert "REVIEW BEFORE APPLY" in "\n".join(render(rules, target).decode().splitlines()[:4])


def test_the_command_writes_a_file_and_says_what_came_of_it(firewall_site: Path) -> None:
    output = firewall_site.parent / "rules.nft"
    done = run_auditor(
        "policy", "firewall", firewall_site, "--target", "nftables", "--ip-version", "4", "--output", output
    )
    assert (done.code, done.out) == (0, "")
    assert output.read_text().startswith("#!/usr/sbin/nft -f\n# REVIEW BEFORE APPLY")
    assert f"{output}: 6 rules (1 of them to deny); open: 38 TCP ports" in done.err
    assert "Review before you apply it; auditor applies nothing." in done.err
    assert "no rule: never" in done.err


def test_json_is_as_its_schema_says(firewall_site: Path) -> None:
    schema = json.loads(schema_text("firewall"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for include in ((), tuple(HELD_BACK)):
        jsonschema.validate(as_json(made(load_policy(str(firewall_site)), at="agents", include=include)), schema)
    broken = as_json(made(load_policy(str(firewall_site))))
    broken["rules"][0]["action"] = "apply"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)
