"""Judges scenes of the flow notation as captures are judged, and so proves the examples of rules and services.

What NDMP messages would have told (logins, transfers, announced data connections) is taken from the scene's marks; all
else goes through sessions, policy and engine like real traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from auditor import _native
from auditor.controls import load_controls
from auditor.controls.read import lint_controls
from auditor.engine import findings
from auditor.errors import DocumentProblem, UsageError
from auditor.model import Finding, Severity
from auditor.model.parts import PartList
from auditor.ndmp import NdmpMessages
from auditor.notation import Marks, Scene, parse
from auditor.packs.lint import lint_pack, lint_services
from auditor.packs.model import Example, Pack, Rule
from auditor.policy.adjust import adjusted
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.load import load_policy
from auditor.policy.match import judge
from auditor.policy.model import Policy
from auditor.records import replace
from auditor.services import ANY_GENERATION, Catalogue, Service, generations, load_catalogue
from auditor.sessions import (
    Authority,
    DataLink,
    Dialogue,
    Grade,
    Login,
    Posture,
    Readable,
    Session,
    SessionSet,
    find_sessions,
)
from auditor.tables import build_tables

_ACCEPTED = {"accepted": True, "refused": False, "unanswered": None}
_BECAUSE = ("the example says so",)


class Bench:
    """Judges scenes against the policy of ``examples.yaml`` with the rules of a pack."""

    def __init__(self, pack: Pack, folder: Path) -> None:
        self._pack = pack
        self._folder = folder

    @cached_property
    def policy(self) -> Policy:
        """The policy of the examples. Raises PolicyError."""
        return load_policy(str(self._folder / "examples.yaml"))

    def catalogue(self, generation: str = "") -> Catalogue:
        """Return the services of a generation; that of the examples' policy when none is named."""
        return load_catalogue(generation or self.policy.generation)

    def judge(self, text: str, *, generation: str = "") -> tuple[Finding, ...]:
        """Return the findings on a scene. Raises UsageError where the text is not in the notation."""
        return judge_scene(parse(text), self.policy, self.catalogue(generation), self._pack)

    def prove_rule(self, rule: Rule) -> list[DocumentProblem]:
        """Return a complaint for each example of a rule that does not do what it says."""
        problems = []
        generation = rule.generations[0] if rule.generations else ""
        for examples, fires in ((rule.fires, True), (rule.silent, False)):
            for example in examples:
                found = self._outcome(example, lambda one: one.code == rule.code, generation)
                problems += _complaints(found, fires, rule.path, example, rule.code)
        return problems

    def prove_service(self, service: Service) -> list[DocumentProblem]:
        """Return a complaint for each example of a service that is judged otherwise than it says.

        Those that fire must lead to a finding that counts, of whatever rule; those that are silent to none.
        """
        problems = []
        for texts, fires in ((service.fires, True), (service.silent, False)):
            for text in texts:
                example = Example(text, service.place.line)
                found = self._outcome(example, lambda one: one.severity >= Severity.LOW, service.generation)
                problems += _complaints(found, fires, service.place.path, example, "a finding")
        return problems

    def _outcome(
        self, example: Example, wanted: Callable[[Finding], bool], generation: str = ""
    ) -> list[Finding] | UsageError:
        try:
            found = self.judge(example.text, generation="" if generation == ANY_GENERATION else generation)
        except UsageError as error:
            return error
        return [one for one in found if wanted(one)]


def judge_scene(
    scene: Scene, policy: Policy, catalogue: Catalogue, pack: Pack, told: PartList | None = None
) -> tuple[Finding, ...]:
    """Return the findings on a scene under a policy; ``told`` takes what some of them stand for.

    Raises UsageError for a setting that no policy has.
    """
    policy = adjusted(policy, scene.policy)
    sessions = _sessions(scene, policy, catalogue)
    verdicts = judge(scene.table, policy, catalogue, control=sessions.control, data=sessions.data)
    tables = build_tables(
        scene.table, sessions, verdicts, policy, scene.captures, listings=scene.listings, waivers=scene.waivers
    )
    return findings(pack.for_generation(catalogue.generation), tables, scene.table, told)


def _sessions(scene: Scene, policy: Policy, catalogue: Catalogue) -> SessionSet:
    """Return the sessions that the flows alone show, with what the marks say of them."""
    seen = find_sessions(
        scene.table,
        NdmpMessages.empty(),
        control_ports=declared_ndmp_ports(scene.table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
    )
    said = _said(scene)
    kept = [session for session in seen.sessions if session.control not in said]
    sessions = tuple(sorted([*kept, *said.values()], key=lambda session: session.control))
    control, data = seen.control.copy(), np.zeros(len(scene.table), np.bool_)
    control[list(said)] = True
    data[[link.flow for session in sessions for link in session.data]] = True
    return SessionSet(sessions, control, data)


def _said(scene: Scene) -> dict[int, Session]:
    """Return the sessions that marks describe, by the row of their control connection."""
    sessions: dict[int, Session] = {}
    current = -1
    frames_cut = (scene.table["flags"] & _native.FLAG_CUT) != 0
    for row, mark in enumerate(scene.marks):
        if mark.control:
            current = row
            dialogue = _dialogue(mark, cut=bool(frames_cut[row]))
            sessions[row] = Session(row, Readable(mark.readable), dialogue, posture=_posture(scene, mark))
        if mark.data:
            if current < 0:
                raise UsageError("a data connection needs a control connection on a line above it")
            link = DataLink(row, Grade(mark.data), _BECAUSE)
            sessions[current] = replace(sessions[current], data=(*sessions[current].data, link))
    return sessions


def _dialogue(mark: Marks, *, cut: bool) -> Dialogue:
    logins = (Login(mark.auth or "md5", _ACCEPTED[mark.login], 0),) if mark.login else ()
    return Dialogue(
        version=4 if mark.readable == "read" else None,
        logins=logins,
        operations=("backup",) if mark.transfer else (),
        local=mark.local,
        cut_messages=int(cut and mark.readable == "cut"),
    )


def _posture(scene: Scene, mark: Marks) -> Posture:
    """Return what a line's words say of the security of its ends. Raises UsageError for an address of no line."""
    told: tuple[tuple[int, ...], ...] = ()
    if mark.connect_to:
        codes = scene.table.address_codes(mark.connect_to)
        if not len(codes):
            raise UsageError(f'"connect-to={mark.connect_to}" is an end of no line', fix="add a line with that host")
        told = ((int(codes[0]),),)
    return Posture(
        offered=(mark.offers,) if mark.offers else (),
        early=("CONFIG_GET_HOST_INFO",) if mark.early else (),
        commands=("command",) if mark.commands else (),
        revision=mark.revision,
        root_without_challenge=mark.root,
        known_digest=mark.constant,
        trust_exchange=mark.trust,
        authority=_authority(mark.authority_days),
        tls_starts=mark.tls_starts,
        connect_to=told,
        tls_version=mark.tls_version,
        certificate_invalid=mark.expired,
    )


def _authority(days: int) -> Authority | None:
    return Authority("CN=authority", "CN=authority", 0, days * 86_400, 1, 0) if days else None


def _complaints(
    found: list[Finding] | UsageError, fires: bool, path: str, example: Example, what: str
) -> list[DocumentProblem]:
    if isinstance(found, UsageError):
        return [DocumentProblem(path, example.line, 1, found.message, found.fix, example.text.splitlines()[0])]
    if bool(found) == fires:
        return []
    message = f"{what} does not fire on this example" if fires else f"fires although it should not: {_listed(found)}"
    return [DocumentProblem(path, example.line, 1, message, "", example.text.splitlines()[0])]


def _listed(found: list[Finding]) -> str:
    return "; ".join(f"{one.code} {one.message}" for one in found[:3])


def lint(pack: Pack, folder: Path) -> list[DocumentProblem]:
    """Return everything that is wrong with a pack and with the service catalogue beside it: form and examples.

    ``folder`` holds ``examples.yaml``. Raises PolicyError and RuleError where that or the catalogue cannot be read.
    """
    bench = Bench(pack, folder)
    problems = lint_pack(pack) + lint_controls(pack, load_controls())
    for rule in pack.rules:
        problems += bench.prove_rule(rule)
    for generation in generations():
        problems += lint_services(one for one in load_catalogue(generation).services if one.generation == generation)
        for service in load_catalogue(generation).services:
            if service.generation == generation:
                problems += bench.prove_service(service)
    shared = [one for one in bench.catalogue().services if one.generation == ANY_GENERATION]
    problems += lint_services(shared)
    for service in shared:
        problems += bench.prove_service(service)
    return problems


def lint_site(pack: Pack, folder: Path, default: Path) -> list[DocumentProblem]:
    """Return what is wrong with a site's own rules, those of ``pack`` that did not come with auditor.

    Their examples are judged against ``examples.yaml`` of their folder where there is one, else that of ``default``.
    """
    bench = Bench(pack, folder if (folder / "examples.yaml").is_file() else default)
    own = Pack(tuple(rule for rule in pack.rules if not rule.own))
    return (
        lint_pack(own)
        + lint_controls(own, load_controls())
        + [problem for rule in own.rules for problem in bench.prove_rule(rule)]
    )
