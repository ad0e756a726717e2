"""Reads the site's own terms."""

from __future__ import annotations

from auditor.documents.document import Document, did_you_mean
from auditor.documents.yaml_tree import Node
from auditor.policy.meant import action_meant
from auditor.policy.model import ANY, UNDECLARED, Term, Zone
from auditor.policy.read_values import read_network
from auditor.services import ROLES

TERM_KEYS = ("name", "action", "source", "destination", "transport", "ports", "comment")
_REQUIRED = ("name", "action", "source", "destination")


def read_terms(document: Document, node: Node | None, zones: tuple[Zone, ...]) -> tuple[Term, ...]:
    """Return the terms in order; complaints go to the document."""
    terms: dict[str, Term] = {}
    for item in document.items(node):
        term = _read_term(document, item, zones)
        if term.name and term.name in terms:
            first = terms[term.name].place.line
            document.complain(
                item, f"a term called {term.name!r} exists already, on line {first}", "rename one of them"
            )
        terms[term.name] = term
    return tuple(terms.values())


def _read_term(document: Document, node: Node, zones: tuple[Zone, ...]) -> Term:
    fields = document.fields(node, TERM_KEYS, required=_REQUIRED, what="a term")
    return Term(
        name=document.text(fields.get("name")) or "",
        action=document.choice(fields.get("action"), ("permit", "deny"), action_meant) or "deny",
        source=_read_ends(document, fields.get("source"), zones),
        destination=_read_ends(document, fields.get("destination"), zones),
        transport=document.choice(fields.get("transport"), ("tcp", "udp", "any")) or "any",
        ports=document.ports(fields.get("ports")),
        service="",
        doubt="",
        origin="site",
        place=node.place,
        comment=document.text(fields.get("comment")) or "",
    )


def _read_ends(document: Document, node: Node | None, zones: tuple[Zone, ...]) -> tuple[str, ...]:
    """Return the operands of a term: a zone before a role of the same name, a role as the zones that have it."""
    names = {zone.name for zone in zones}
    ends: list[str] = []
    for text, item in document.texts(node, single=True, some=True):
        if text in names or text in (ANY, UNDECLARED):
            ends.append(text)
        elif text in ROLES:
            having = [zone.name for zone in zones if zone.role == text]
            if not having:
                document.complain(item, f"no zone has the role {text!r}", "declare such a zone, or remove this end")
            ends += having
        elif text[0].isdigit() or ":" in text:
            network = read_network(document, item, text)
            if network is not None:
                ends.append(str(network))
        else:
            known = (*names, *ROLES, ANY, UNDECLARED)
            document.complain(item, f"{text[:60]!r} is no zone of this policy", did_you_mean(text, known))
    return tuple(dict.fromkeys(ends))
