"""Time of the parts above the core, by pytest-benchmark: ``make bench-parts``. Nothing is asserted of it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor import _native
from auditor.pipeline import AuditOptions
from auditor.pipeline.auditing import audit_reading
from auditor.pipeline.judging import judged, tie
from auditor.pipeline.reading import read
from auditor.pipeline.yardstick import Yardstick, prepare
from auditor.report.interface import RenderOptions
from auditor.report.json_ import render
from bench.workloads import ROOT, workload

FOLDER = ROOT / "target" / "bench"


@pytest.fixture(scope="session")
def yardstick() -> Yardstick:
    """Return rules and services, and no policy: the roles are inferred."""
    return prepare(None, AuditOptions())


@pytest.fixture(scope="session", params=["S", "M96", "F", "P"])
def reading(request: pytest.FixtureRequest, yardstick: Yardstick) -> _native.Reading:
    """Return what the core read of a workload."""
    return read([str(workload(request.param, FOLDER).path)], yardstick.catalogue, None)


def test_reading_rules_and_services(benchmark: Any) -> None:
    """Time what comes before the capture."""
    benchmark(prepare, None, AuditOptions())


def test_tying_sessions(benchmark: Any, reading: _native.Reading, yardstick: Yardstick) -> None:
    """Time roles and sessions."""
    benchmark(tie, reading, None, yardstick.catalogue)


def test_judging(benchmark: Any, reading: _native.Reading, yardstick: Yardstick) -> None:
    """Time verdicts."""
    benchmark(judged, tie(reading, None, yardstick.catalogue))


def test_all_after_the_core(benchmark: Any, reading: _native.Reading, yardstick: Yardstick) -> None:
    """Time roles, sessions, verdicts, tables, rules and the summary."""
    benchmark(audit_reading, reading, yardstick, AuditOptions(flows=False))


def test_rendering_json(benchmark: Any, reading: _native.Reading, yardstick: Yardstick) -> None:
    """Time the report as JSON."""
    report = audit_reading(reading, yardstick, AuditOptions(flows=False))[0]
    benchmark(render, report, RenderOptions())
