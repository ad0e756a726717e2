"""From a reading to sessions and verdicts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from auditor import _native
from auditor.errors import UsageError
from auditor.flows import FlowTable
from auditor.handshakes import Handshakes
from auditor.ndmp import NdmpMessages
from auditor.pipeline.options import OWN_DECODER, TSHARK_DECODER, AuditOptions, Progress
from auditor.policy.control_ports import declared_ndmp_ports
from auditor.policy.infer import infer_policy
from auditor.policy.match import VERDICTS, Verdicts, judge
from auditor.policy.model import DEFAULT_NDMP_PORT, Policy
from auditor.records import record
from auditor.services import Catalogue
from auditor.sessions import SessionSet, find_sessions


@record
class Tied:
    """Captures as read, with what they are held against, and their sessions."""

    reading: _native.Reading
    table: FlowTable
    messages: NdmpMessages
    policy: Policy
    catalogue: Catalogue
    sessions: SessionSet


def read(
    paths: Sequence[str],
    catalogue: Catalogue,
    policy: Policy | None,
    *,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
) -> _native.Reading:
    """Read captures into flows and NDMP messages, in order of their first packets, whatever order they are named in.

    Raises UsageError where ``options`` ask for a decoder that is not there.
    """
    options = options or AuditOptions()
    if options.decoder not in (OWN_DECODER, TSHARK_DECODER):
        raise UsageError(f'there is no decoder "{options.decoder}"', fix=f"say {OWN_DECODER} or {TSHARK_DECODER}")
    if options.decoder == TSHARK_DECODER:
        # Only here: it starts programs, and loads what that takes.
        from auditor.wireshark import find_tshark, no_settings

        with no_settings() as settings:
            return _read(paths, catalogue, policy, options, progress, tshark=(find_tshark(), settings))
    return _read(paths, catalogue, policy, options, progress)


def _read(
    paths: Sequence[str],
    catalogue: Catalogue,
    policy: Policy | None,
    options: AuditOptions,
    progress: Progress | None,
    *,
    tshark: tuple[str, str] | None = None,
) -> _native.Reading:
    return _native.read_flows(
        paths,
        known_ports=catalogue.known_ports(),
        ndmp_ports=policy.ndmp_ports() if policy is not None else (DEFAULT_NDMP_PORT,),
        hash_files=options.hash_files,
        keep_duplicates=options.keep_duplicates,
        threads=_threads(),
        tshark=tshark,
        # Python sees an interrupt only when the core comes back to it, so that it always must.
        progress=progress or _no_progress,
    )


def _threads() -> int:
    """Return how many threads ``AUDITOR_THREADS`` wants, 0 for as many as are worth it; raise a UsageError for nonsense."""
    text = os.environ.get("AUDITOR_THREADS", "0")
    if text not in {"0", "1", "2"}:
        raise UsageError(f"AUDITOR_THREADS is {text!r}: 1 or 2 threads read captures, 0 leaves it to auditor")
    return int(text)


def tie(reading: _native.Reading, policy: Policy | None, catalogue: Catalogue) -> Tied:
    """Tie the sessions of a reading together, under a policy or, where there is none, under one that it suggests itself."""
    table, messages = FlowTable.from_reading(reading), NdmpMessages.from_reading(reading)
    policy = policy or infer_policy(table, messages, catalogue)
    sessions = find_sessions(
        table,
        messages,
        control_ports=declared_ndmp_ports(table, policy),
        service_ports=np.array(catalogue.known_ports(), np.uint16),
        handshakes=Handshakes(reading),
    )
    return Tied(reading, table, messages, policy, catalogue, sessions)


def judged(tied: Tied) -> tuple[Tied, Verdicts]:
    """Judge the flows, each the way round that the sessions know.

    What connections that no term lets in claim by hosts and time alone is taken back, and all is judged without it.
    """
    table = tied.table.reoriented(tied.sessions.reversed)
    sessions, policy, catalogue = tied.sessions, tied.policy, tied.catalogue
    verdicts = judge(table, policy, catalogue, control=sessions.control, data=sessions.data)
    sound = sessions.without_claims(verdicts.verdict == VERDICTS.index("permit"))
    if sound is not sessions:
        verdicts = judge(table, policy, catalogue, control=sound.control, data=sound.data)
    return replace(tied, table=table, sessions=sound), verdicts


def _no_progress(done: int, total: int) -> None:
    """Be called, and let Python see to its signals."""
