"""What differs between two product generations: services that came, went or changed, and rules for one of them only."""

from __future__ import annotations

from auditor.packs.model import Pack, Rule
from auditor.records import record
from auditor.services import Catalogue, Service

COMPARED = (
    "name",
    "process",
    "transport",
    "port_text",
    "listener",
    "originator",
    "optional",
    "grade",
    "source",
    "doubt",
)
"""What of a service is compared; ``port_text`` is shown as ports."""


@record
class Change:
    """A service that both generations have, and what differs: field, before, after."""

    service: Service
    fields: tuple[tuple[str, str, str], ...]


@record
class GenerationDiff:
    """Services of the older generation only, of the newer only, and changed; rules for one of the two only."""

    gone: tuple[Service, ...]
    new: tuple[Service, ...]
    changed: tuple[Change, ...]
    rules_gone: tuple[Rule, ...]
    rules_new: tuple[Rule, ...]

    def plain(self) -> dict[str, object]:
        """Return the difference in terms of JSON."""
        return {
            "services": {
                "gone": [_service(service) for service in self.gone],
                "new": [_service(service) for service in self.new],
                "changed": [
                    {"id": one.service.id, **{name: {"before": old, "after": new} for name, old, new in one.fields}}
                    for one in self.changed
                ],
            },
            "rules": {
                "gone": [rule.code for rule in self.rules_gone],
                "new": [rule.code for rule in self.rules_new],
            },
        }


def diff_generations(before: Catalogue, after: Catalogue, pack: Pack) -> GenerationDiff:
    """Return what differs from one generation to another, in the order of the catalogues."""
    old = {service.id: service for service in before.services}
    new = {service.id: service for service in after.services}
    changes = (Change(new[name], _fields(old[name], new[name])) for name in old if name in new)
    rules_before, rules_after = (pack.for_generation(one.generation).rules for one in (before, after))
    return GenerationDiff(
        gone=tuple(service for name, service in old.items() if name not in new),
        new=tuple(service for name, service in new.items() if name not in old),
        changed=tuple(change for change in changes if change.fields),
        rules_gone=tuple(rule for rule in rules_before if rule not in rules_after),
        rules_new=tuple(rule for rule in rules_after if rule not in rules_before),
    )


def _fields(old: Service, new: Service) -> tuple[tuple[str, str, str], ...]:
    pairs = ((name, _text(getattr(old, name)), _text(getattr(new, name))) for name in COMPARED)
    return tuple((name.removesuffix("_text"), before, after) for name, before, after in pairs if before != after)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else " ".join(str(value).split())


def _service(service: Service) -> dict[str, object]:
    return {
        "id": service.id,
        "name": service.name,
        "process": service.process,
        "transport": service.transport,
        "ports": service.port_text,
        "optional": service.optional,
        "grade": service.grade,
        "source": service.source,
        "doubt": " ".join(service.doubt.split()),
        "since": service.since,
    }
