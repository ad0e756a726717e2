"""Reads waiver files; docs/waivers.md describes them, schemas/waivers.schema.json checks them in editors."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from auditor.documents.document import Document, did_you_mean, read_document
from auditor.documents.yaml_tree import Node
from auditor.errors import DocumentProblem, WaiverError
from auditor.packs.model import Pack, Rule
from auditor.policy.model import Network, Policy, Zone
from auditor.policy.read_values import read_network
from auditor.waivers.model import WARN_DAYS, Waiver

FILE_KEYS = ("warn_days", "waivers")
REQUIRED = ("code", "hosts", "owner", "reason", "expires")
KEYS = (*REQUIRED, "ports", "terms", "since", "ticket")
ANY_HOST = "any"
TABLE = "waivers"
"""Rules on this table judge waivers; they cannot be waived themselves."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ADDRESS_LIKE = re.compile(r"[0-9.]+(/[0-9]+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]+)?|.*[/%].*")
_MOST_WARN_DAYS = 3660


def load_waivers(paths: Iterable[str | Path], pack: Pack, policy: Policy | None) -> tuple[Waiver, ...]:
    """Read waiver files, in the order given.

    ``pack`` knows the codes that can be waived, ``policy`` the zones and terms that may be named (None: none).

    Raises
    ------
    WaiverError
        With every problem of all files at once, each with file, line, column, reason and fix.
    """
    waivers: list[Waiver] = []
    problems: list[DocumentProblem] = []
    for path in paths:
        document = read_document(Path(path), shown=str(path))
        if document.root is not None:
            waivers += _FileReader(document, pack, policy).read()
        problems += sorted(document.problems, key=lambda problem: (problem.line, problem.column))
    if problems:
        raise WaiverError(problems)
    return tuple(waivers)


class _FileReader:
    """Turns the tree of one document into waivers; every complaint goes to the document."""

    def __init__(self, document: Document, pack: Pack, policy: Policy | None) -> None:
        self._document = document
        self._pack = pack
        self._zones: dict[str, Zone] = {zone.name: zone for zone in policy.zones} if policy else {}
        self._warn_days = WARN_DAYS
        self._words = {word.lower(): word for rule in pack.rules for word in (rule.code, rule.name)}

    def read(self) -> list[Waiver]:
        """Return the waivers; they are complete only where the document has no problems."""
        document = self._document
        fields = document.fields(
            document.root, FILE_KEYS, required=("waivers",), may_be_empty=("waivers",), what="a file of waivers"
        )
        days = document.whole_number(fields.get("warn_days"), 0, _MOST_WARN_DAYS)
        self._warn_days = WARN_DAYS if days is None else days
        made = [self._waiver(item) for item in document.items(fields.get("waivers"))]
        return [waiver for waiver in made if waiver is not None]

    def _waiver(self, node: Node) -> Waiver | None:
        document = self._document
        fields = document.fields(node, KEYS, required=REQUIRED, what="a waiver")
        rule = self._rule(fields.get("code"))
        hosts, networks, zones = self._hosts(fields.get("hosts"))
        expires, since = self._date(fields.get("expires")), self._date(fields.get("since"))
        if expires is not None and since is not None and since > expires:
            document.complain(
                fields["since"], f"begins on {since}, after its last day {expires}", "exchange the two, or correct one"
            )
        owner, reason = document.text(fields.get("owner")), document.text(fields.get("reason"))
        ports = document.ports(fields.get("ports"))
        terms = tuple(text for text, _ in document.texts(fields.get("terms"), single=True, some=True))
        ticket = document.text(fields.get("ticket")) or ""
        if rule is None or expires is None or not hosts or not owner or not reason:
            return None
        return Waiver(
            code=rule.code,
            name=rule.name,
            hosts=hosts,
            networks=networks,
            zones=zones,
            anywhere=ANY_HOST in hosts,
            ports=ports,
            terms=terms,
            owner=owner,
            reason=reason,
            expires=expires,
            since=since,
            ticket=ticket,
            place=node.place,
            warn_days=self._warn_days,
        )

    def _rule(self, node: Node | None) -> Rule | None:
        """Return the rule of a code or name, unless what it finds must not be waived."""
        text = self._document.text(node)
        if text is None or node is None:
            return None
        rule = self._pack.find(text)
        if rule is None:
            near = difflib.get_close_matches(text[:80].lower(), self._words, n=1)
            fix = f"did you mean {self._words[near[0]]!r}?" if near else "auditor rules list tells every code and name"
            self._document.complain(node, f"{text[:60]!r} is no rule", fix)
            return None
        if rule.undermines:
            self._document.complain(
                node,
                f"{rule.code} says that the capture cannot support a verdict; accepting that would not make it do so",
                "remove this waiver, and capture again as the finding advises",
            )
            return None
        if rule.table == TABLE:
            self._document.complain(
                node, f"{rule.code} is about waivers, and cannot be waived", "renew or remove the waiver it is about"
            )
            return None
        return rule

    def _hosts(self, node: Node | None) -> tuple[tuple[str, ...], tuple[Network, ...], tuple[str, ...]]:
        """Return hosts as written, the networks that they are, and the zones among them."""
        document = self._document
        written: list[str] = []
        networks: list[Network] = []
        zones: list[str] = []
        for text, item in document.texts(node, single=True, some=True):
            if text == ANY_HOST:
                written.append(text)
            elif text in self._zones:
                written.append(text)
                zones.append(text)
                networks += self._zones[text].networks
            elif _ADDRESS_LIKE.fullmatch(text):
                network = read_network(document, item, text)
                if network is not None:
                    written.append(text)
                    networks.append(network)
            else:
                self._no_zone(item, text)
        return tuple(written), tuple(networks), tuple(zones)

    def _no_zone(self, node: Node, text: str) -> None:
        if not self._zones:
            fix = "write addresses or networks, or give the policy that names the zone"
            self._document.complain(node, f"{text[:60]!r} is no address, and without a policy there are no zones", fix)
            return
        self._document.complain(
            node, f"{text[:60]!r} is neither an address nor a zone", did_you_mean(text, (*self._zones, ANY_HOST))
        )

    def _date(self, node: Node | None) -> dt.date | None:
        text = self._document.text(node)
        if text is None or node is None:
            return None
        try:
            if _DATE.fullmatch(text):
                return dt.date.fromisoformat(text)
        except ValueError:
            # The form is right, the day does not exist; the complaint below says so.
            pass
        self._document.complain(node, f"{text[:60]!r} is no date", "write year-month-day, for example 2026-12-31")
        return None
