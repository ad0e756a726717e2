"""The pages with waivers, a baseline and a comparison, looked over for accessibility in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.drift.compare import compare_reports
from auditor.pipeline import AuditOptions, audit
from auditor.report.comparison import render_comparison
from auditor.report.registry import render
from tests.support import CAPTURES
from tests.test_report_html_browser import CHROMIUM, faults

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_axe_finds_no_fault_in_waivers_baseline_and_comparison(tmp_path: Path) -> None:
    one, two = CAPTURES / "compliant", CAPTURES / "out-of-range"
    policy = two / "policy.yaml"
    old = audit([one / "compliant.pcap"], policy_path=policy)
    saved = tmp_path / "old.json"
    saved.write_bytes(render(old, "json"))
    options = AuditOptions(waivers=(str(two / "waivers.yaml"),), baseline=str(saved))
    new = audit([two / "out-of-range.pcap"], policy_path=policy, options=options)
    assert new.waivers
    assert new.baseline is not None
    assert new.baseline.gone
    pages = {
        "report": render(new, "html"),
        "comparison": render_comparison(compare_reports(old, new, (("a", b""), ("b", b""))), "html"),
    }
    for name, data in pages.items():
        page = tmp_path / f"{name}.html"
        page.write_bytes(data)
        assert faults(page, tmp_path) == [], name
