"""What traffic is held against, made ready while the first packets are read: mistakes are told before the long work."""

from __future__ import annotations

import os
from collections.abc import Sequence

from auditor.baselines import Baseline
from auditor.errors import UsageError
from auditor.listeners.model import Listing
from auditor.packs.load import load_pack
from auditor.packs.model import Pack
from auditor.pipeline.declared import Declared, declared
from auditor.pipeline.options import AuditOptions
from auditor.policy.model import Policy, normalised
from auditor.records import record, replace
from auditor.services import Catalogue, rules_at
from auditor.text import joined
from auditor.waivers.model import Waiver


@record
class Yardstick:
    """What traffic is held against. ``policy`` is None where roles are to be inferred; ``pack`` has the rules of all product
    generations."""

    policy: Policy | None
    catalogue: Catalogue
    pack: Pack
    waivers: tuple[Waiver, ...] = ()
    baseline: Baseline | None = None
    listings: tuple[Listing, ...] = ()


def prepare(policy_path: str | os.PathLike[str] | None = None, options: AuditOptions | None = None) -> Yardstick:
    """Load everything that an audit is held against.

    Raises
    ------
    UsageError
        The baseline is no saved report.
    PolicyError, WaiverError, ListingError, RuleError
        A file cannot be used; with all complaints about it at once.
    """
    return completed(declared(policy_path), options or AuditOptions())


def completed(known: Declared, options: AuditOptions) -> Yardstick:
    """Load what is beside policy and services. Raises as ``prepare`` does."""
    policy = known.policy
    folders = _folders((*options.rules, *(policy.rules if policy else ())))
    pack = load_pack([rules_at("checks"), *folders], examples=False)
    return Yardstick(
        policy=policy,
        catalogue=known.catalogue,
        pack=pack,
        waivers=_waivers((*(policy.waiver_files if policy else ()), *options.waivers), pack, policy),
        baseline=None if options.baseline is None else _baseline(options.baseline, pack),
        listings=_listings(options.sockets),
    )


# What not every audit is told is read by modules that not every audit imports.


def _folders(named: Sequence[str]) -> tuple[str, ...]:
    """Return folders of rules, each once, however its name is written."""
    if not named:
        return ()
    from pathlib import Path

    return tuple(map(str, dict.fromkeys(map(Path, named))))


def _waivers(paths: Sequence[str], pack: Pack, policy: Policy | None) -> tuple[Waiver, ...]:
    if not paths:
        return ()
    from auditor.waivers.load import load_waivers

    return load_waivers(paths, pack, policy)


def _baseline(path: str, pack: Pack) -> Baseline:
    from auditor.baselines import read_baseline

    return read_baseline(path, pack)


def _listings(sockets: Sequence[tuple[str, str]]) -> tuple[Listing, ...]:
    if not sockets:
        return ()
    from auditor.listeners.read import read_listing

    return tuple(read_listing(path, host) for host, path in sockets)


def placed(listings: Sequence[Listing], policy: Policy) -> tuple[Listing, ...]:
    """Return listings with the addresses of their hosts. Raises UsageError for a name that the policy does not give."""
    names = {host.name: host.address for host in policy.hosts.values() if host.name}
    found = []
    for listing in listings:
        try:
            address = names.get(listing.host) or str(normalised(listing.host))
        except ValueError:
            known = joined(sorted(names), last="or") if names else "no name is given to a host of this policy"
            raise UsageError(
                f'--sockets: "{listing.host}" is no address, nor the name of a host in the policy',
                fix=f"write an address; names: {known}",
            ) from None
        found.append(replace(listing, host=address))
    return tuple(found)
