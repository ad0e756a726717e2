"""``auditor policy firewall``: a declared policy as firewall rules, for review."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from auditor.cli import output as output_
from auditor.cli.failures import tell
from auditor.firewall.model import HELD_BACK, LeftOut, RuleSet
from auditor.firewall.places import TRANSIT, WORDS
from auditor.firewall.targets import TARGETS, check_target, render
from auditor.text import joined, path_text

_MOST_NAMED = 40
"""Terms and waivers told on the terminal one by one; the output has them all."""


def _places(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [word for word in WORDS if word.startswith(incomplete)]


@click.command()
@click.argument("path", metavar="FILE")
@click.option(
    "--target", "-t", type=click.Choice(tuple(TARGETS)), required=True,
    help="What the rules are written for; all but the first four need the extra rules.",
)  # fmt: skip
@click.option(
    "--at", metavar="PLACE", default=TRANSIT, show_default=True, shell_complete=_places,
    help="Where the firewall stands: transit (between the zones), or on the hosts of a role or zone: media-servers, agents …",
)  # fmt: skip
@click.option(
    "--include", multiple=True, type=click.Choice(tuple(HELD_BACK)),
    help="Put proposals in force: terms with a doubt, ranges that nobody declared, ports without a source.",
)  # fmt: skip
@click.option("--ip-version", type=click.Choice(("4", "6")), help="Rules of one version of IP only.  [default: both]")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of standard output.")
def firewall(
    path: str, target: str, at: str, include: tuple[str, ...], ip_version: str | None, output: str | None
) -> None:
    """Write a policy as firewall rules: the fewest that say what it permits, each with its term and reason.

    REVIEW BEFORE APPLY: nothing is ever applied. What is no rule is told with its reason, here and in the output; what is
    only probable is written as a proposal that is not in force.

    \b
    Examples:
      auditor policy firewall site.yaml --target nftables --output backup.nft
      auditor policy firewall site.yaml --target windows --at agents --output agents.ps1
      auditor policy firewall site.yaml --target csv --output change-request.csv
    """  # noqa: D301 - Click wants a real backspace
    from auditor import __version__
    from auditor.firewall.from_policy import rules_of
    from auditor.policy.load import load_policy
    from auditor.services import load_catalogue

    check_target(target)
    output_.check_output(output, [path])
    loaded = load_policy(path)
    rules = rules_of(
        loaded, load_catalogue(loaded.generation), at=at, include=include, remarks=_waivers(loaded), version=__version__,
        versions=(4, 6) if ip_version is None else (int(ip_version),),
    )  # fmt: skip
    made = render(rules, target)
    output_.write(made, output, text=True)
    _tell(rules, output)


def _waivers(policy: Any) -> Iterator[LeftOut]:
    """Yield a remark for each waiver that the policy names: it accepts a finding, and opens nothing."""
    if not policy.waiver_files:
        return
    from auditor.cli.days import read_day
    from auditor.pipeline.options import AuditOptions
    from auditor.pipeline.yardstick import prepare

    for one in prepare(policy.path, AuditOptions()).waivers:
        state = one.state(read_day("today")).replace("-", " ")
        why = f"{state}, until {one.expires}: accepts {one.covers} and opens nothing; write a term for what shall pass"
        yield LeftOut(f"waiver of {one.code}", str(one.place), why)


def _tell(rules: RuleSet, output: str | None) -> None:
    """Say on standard error what is not in force, what came of the rest, and what to do with it."""
    from auditor.firewall.words import summary

    lines = [
        (
            f"proposal {rule.name}, not in force ({', '.join(rule.held_back)}): "
            f"{'; '.join(dict.fromkeys(f'{one.term} [{one.place}]: {one.doubt}' for one in rule.reasons))}"
        )
        for rule in rules.proposals
    ]
    lines += [f"no rule: {one.line}" for one in rules.left_out]
    for line in lines[:_MOST_NAMED]:
        tell("warning", line)
    if len(lines) > _MOST_NAMED:
        tell("warning", f"{len(lines) - _MOST_NAMED} more of these are in the output")
    kinds = sorted({kind for rule in rules.proposals for kind in rule.held_back})
    more = f"; --include {joined(kinds, last='or')} puts proposals in force" if kinds else ""
    where = f"{path_text(output)}: " if output else ""
    tell("help", f"{where}{summary(rules)}{more}. Review before you apply it; auditor applies nothing.")
