"""Windows Firewall: PowerShell, one New-NetFirewallRule for each rule and transport, in ASCII for every release.

There is no rule that blocks everything: in the Windows Firewall a rule that blocks beats every rule that allows. That what
no rule allows is blocked is a setting of the profiles, and a step of its own at the end, in a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.errors import UsageError
from auditor.firewall.model import EVERY_PORT, IN, Rule, RuleSet
from auditor.firewall.places import TRANSIT
from auditor.firewall.ranges import Range, is_all, range_texts
from auditor.firewall.words import about_rule, harmless, head, port_texts, remarks

_GROUP = "Backup Exec"
_MOST_NAME, _MOST_DESCRIPTION = 120, 900


def render(rules: RuleSet) -> bytes:
    """Return a PowerShell script. Raises UsageError for a firewall that stands on no host."""
    if rules.at == TRANSIT:
        raise UsageError(
            "the Windows Firewall guards the host that it runs on", fix="say which: --at media-servers or --at agents"
        )
    return "".join(f"{line}\r\n" for line in _lines(rules)).encode("ascii")


def _lines(rules: RuleSet) -> Iterator[str]:
    for line in head(rules, *_ADVICE):
        yield f"# {line}".rstrip()
    for rule in rules.rules:
        yield from _rule(rule, "")
    if rules.proposals:
        yield "# Proposals, not in force; --include puts them in force:"
    for rule in rules.proposals:
        yield from _rule(rule, "# ")
    for line in (*_DEFAULT, "", *remarks(rules)):
        yield f"# {line}".rstrip()


_ADVICE = (
    f"Take them away again: Remove-NetFirewallRule -Group '{_GROUP}'",
    "The same file serves every host of the role: each rule names the addresses that it is for.",
)
_DEFAULT = (
    "A step of its own, for you to decide: what no rule allows is blocked. Other services of this host need rules of their",
    "own first, remote administration, DNS and time included.",
    "Set-NetFirewallProfile -All -DefaultInboundAction Block -DefaultOutboundAction Block",
)


def _rule(rule: Rule, sign: str) -> Iterator[str]:
    yield from (f"# {line}" for line in about_rule(rule))
    for transport in rule.transports:
        yield f"{sign}{_command(rule, transport)}"


def _command(rule: Rule, transport: str) -> str:
    inbound = rule.direction == IN
    local, remote = (rule.destination, rule.source) if inbound else (rule.source, rule.destination)
    terms = ", ".join(dict.fromkeys(reason.term for reason in rule.reasons))
    places = ", ".join(dict.fromkeys(f"{reason.term} {reason.place}" for reason in rule.reasons))
    # An address list of "Any" means both versions of IP.
    whole = [is_all(side.of(rule.version), rule.version) for side in (local, remote)]
    words = {
        "-Name": _quoted([f"backup-exec-{rule.name}-{transport}"]),
        "-DisplayName": _quoted([harmless(f"Backup Exec {rule.name} {terms}", limit=_MOST_NAME)]),
        "-Description": _quoted([harmless(places, limit=_MOST_DESCRIPTION)]),
        "-Group": _quoted([_GROUP]),
        "-Direction": "Inbound" if inbound else "Outbound",
        "-Action": "Allow" if rule.action == "permit" else "Block",
        "-Protocol": transport.upper(),
        "-LocalAddress": "Any" if all(whole) else _addresses(local.of(rule.version), rule.version),
        "-RemoteAddress": "Any" if whole[1] else _addresses(remote.of(rule.version), rule.version),
    }
    if rule.ports != EVERY_PORT:
        words["-LocalPort" if inbound else "-RemotePort"] = _quoted(port_texts(rule.ports))
    return f"New-NetFirewallRule {' '.join(f'{name} {value}' for name, value in words.items())}"


def _addresses(ranges: Iterable[Range], version: int) -> str:
    return _quoted(range_texts(ranges, version))


def _quoted(texts: Iterable[str]) -> str:
    """Return texts as strings between single quotes, in which PowerShell obeys nothing; none of them holds a quote."""
    return ",".join(f"'{text}'" for text in texts)
