"""nftables: a table of its own, stateful, that is replaced as a whole when the file is loaded again.

``nft -c -f FILE`` checks it without loading. Comments of rules hold at most 127 bytes there; the reasons stand above.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.firewall.model import EVERY_PORT, IN, OUT, Rule, RuleSet
from auditor.firewall.ranges import Range, is_all, range_texts
from auditor.firewall.words import about_rule, harmless, head, port_texts, remarks
from auditor.ports import PortSet

_TABLE = "inet backup_exec"
_MOST_COMMENT = 120
_MOST_NAME = 24
_WIDTH = 100
_HOOKS = {"through": "forward", IN: "input", OUT: "output"}
_LAST = 'limit rate 10/second burst 20 packets log prefix "backup-exec drop: "'

_Sets = dict[tuple[int, tuple[Range, ...]], str]


def render(rules: RuleSet) -> bytes:
    """Return a file for ``nft -f``."""
    return ("\n".join(_lines(rules)) + "\n").encode("ascii")


def _lines(rules: RuleSet) -> Iterator[str]:
    sets = _sets(rules)
    directions = (IN, OUT) if rules.on_host else ("through",)
    yield "#!/usr/sbin/nft -f"
    for line in head(rules, *_advice(rules)):
        yield f"# {line}".rstrip()
    # To delete a table that is not there is an error: it is made first.
    yield f"table {_TABLE}"
    yield f"delete table {_TABLE}"
    yield ""
    yield f"table {_TABLE} {{"
    for (version, ranges), name in sets.items():
        yield f"    set {name} {{"
        yield f"        type ipv{version}_addr; flags interval;"
        yield from _elements(range_texts(ranges, version))
        yield "    }"
    for direction in directions:
        yield from _chain(rules, direction, sets)
    yield "}"
    for line in remarks(rules):
        yield f"# {line}"


def _advice(rules: RuleSet) -> Iterator[str]:
    yield "Check: nft -c -f FILE. Load: nft -f FILE. Take away: nft delete table inet backup_exec."
    if rules.on_host:
        yield (
            "Everything that no rule permits is dropped, remote administration, DNS and time of this host included: add what "
            "it needs besides, in both chains, before you load it."
        )
    else:
        yield "Everything else that is forwarded is dropped, too: add what this firewall serves besides before you load it."


def _chain(rules: RuleSet, direction: str, sets: _Sets) -> Iterator[str]:
    hook = _HOOKS[direction]
    yield f"    chain {hook} {{"
    yield f"        type filter hook {hook} priority filter; policy drop;"
    yield "        ct state established,related accept"
    yield '        ct state invalid counter drop comment "belongs to no connection"'
    if rules.on_host:
        yield f"        {'iif' if direction == IN else 'oif'} lo accept"
        yield "        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept"
    for rule in rules.of_direction(direction):
        yield from _rule(rule, sets, "")
    proposals = [rule for rule in rules.proposals if rule.direction == direction]
    if proposals:
        yield "        # Proposals, not in force; --include puts them in force:"
    for rule in proposals:
        yield from _rule(rule, sets, "# ")
    yield f"        {_LAST}"
    yield '        counter drop comment "no rule permits it"'
    yield "    }"


def _rule(rule: Rule, sets: _Sets, sign: str) -> Iterator[str]:
    yield from (f"        # {line}" for line in about_rule(rule))
    action = "accept" if rule.action == "permit" else "drop"
    terms = ", ".join(dict.fromkeys(reason.term for reason in rule.reasons))
    comment = harmless(f"{rule.name} {terms} {rule.reasons[0].place}", limit=_MOST_COMMENT)
    yield f'        {sign}{_match(rule, sets)} ct state new counter {action} comment "{comment}"'


def _match(rule: Rule, sets: _Sets) -> str:
    family = "ip" if rule.version == 4 else "ip6"
    parts = []
    for side, addresses in (("saddr", rule.source), ("daddr", rule.destination)):
        ranges = addresses.of(rule.version)
        if not is_all(ranges, rule.version):
            parts.append(f"{family} {side} {_end(ranges, rule.version, sets)}")
    if not parts:
        parts.append(f"meta nfproto ipv{rule.version}")
    return " ".join([*parts, _transport(rule.transports, rule.ports)])


def _end(ranges: tuple[Range, ...], version: int, sets: _Sets) -> str:
    name = sets.get((version, ranges))
    return f"@{name}" if name else range_texts(ranges, version)[0]


def _transport(transports: tuple[str, ...], ports: PortSet) -> str:
    both = len(transports) > 1
    if ports == EVERY_PORT:
        return "meta l4proto { tcp, udp }" if both else f"meta l4proto {transports[0]}"
    texts = port_texts(ports)
    numbers = texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"
    return f"meta l4proto {{ tcp, udp }} th dport {numbers}" if both else f"{transports[0]} dport {numbers}"


def _sets(rules: RuleSet) -> _Sets:
    """Return a named set for each end that is more than one network, called after the zones in it."""
    names: _Sets = {}
    for rule in (*rules.rules, *rules.proposals):
        for words, addresses in ((rule.source_words, rule.source), (rule.destination_words, rule.destination)):
            ranges = addresses.of(rule.version)
            if len(ranges) > 1 and (rule.version, ranges) not in names:
                names[rule.version, ranges] = _free_name(words, rule.version, set(names.values()))
    return names


def _free_name(words: tuple[str, ...], version: int, taken: set[str]) -> str:
    text = "_".join(words) if len(words) < 3 else f"{words[0]}_and_others"
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)[:_MOST_NAME]
    # A letter in front, and an end that no word of nftables has.
    name = name if name[:1].isalpha() else f"z{name}"
    number, found = 1, f"{name}_v{version}"
    while found in taken:
        number += 1
        found = f"{name}_{number}_v{version}"
    return found


def _elements(texts: list[str]) -> Iterator[str]:
    line = "        elements = {"
    for number, text in enumerate(texts, 1):
        part = f" {text}{',' if number < len(texts) else ' }'}"
        if len(line) + len(part) > _WIDTH:
            yield line
            line = "           "
        line += part
    yield line
