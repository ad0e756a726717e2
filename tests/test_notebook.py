"""The door to Python and pandas: the page of the documents is run, frames are as documented, hostile text is escaped."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import html5lib
import pandas as pd
import pytest

import auditor
from auditor.errors import MissingExtra
from auditor.flows import COLUMNS
from auditor.notebook import FINDING_COLUMNS, SESSION_COLUMNS, Audit, Findings, Sessions
from tests.report_samples import HOSTILE, finding, hostile_report, report, session
from tests.support import CAPTURES, ROOT

PAGE = ROOT / "docs" / "notebook.md"
STEP = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<output>.*?)```", re.DOTALL)
COLUMNS_BELOW = "<!-- made from auditor/notebook.py and auditor/flows.py; a test keeps it fresh -->\n"
CAPTURE, POLICY = CAPTURES / "out-of-range" / "out-of-range.pcap", CAPTURES / "out-of-range" / "policy.yaml"


def steps_run(text: str) -> list[tuple[str, str]]:
    """Run the steps of the page one after another and return what each shows and what it printed."""
    names: dict[str, object] = {}
    found = []
    with contextlib.chdir(ROOT):
        for step in STEP.finditer(text):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(step["code"], str(PAGE), "exec"), names)  # noqa: S102 - our own page
            found.append((step["output"], printed.getvalue()))
    return found


def columns_page() -> str:
    """Return the tables of columns as the page shows them."""
    flows = [(column.name, _unit(column), column.meaning) for column in COLUMNS]
    lines = []
    for title, rows in (("findings", FINDING_COLUMNS), ("sessions", SESSION_COLUMNS), ("flows", flows)):
        lines += ["", f"### {title}", "", "| column | kind | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in rows]
    return "\n".join(lines) + "\n"


def _unit(column: object) -> str:
    return str(getattr(column, "unit", "") or getattr(column, "dtype", ""))


def refresh() -> None:
    """Write the outputs and tables of the page anew: ``python -m tests.test_notebook`` in the checkout."""
    text = PAGE.read_text(encoding="utf-8")
    printed = iter([output for _, output in steps_run(text)])
    text = STEP.sub(lambda step: f"```python\n{step['code']}```\n\n```text\n{next(printed)}```", text)
    PAGE.write_text(text[: text.index(COLUMNS_BELOW)] + COLUMNS_BELOW + columns_page(), encoding="utf-8")


def test_the_page_shows_what_its_steps_print() -> None:
    steps = steps_run(PAGE.read_text(encoding="utf-8"))
    assert len(steps) == 5
    for shown, printed in steps:
        assert printed.strip()
        assert shown == printed, "run python -m tests.test_notebook"


def test_the_page_tells_every_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(COLUMNS_BELOW) + len(COLUMNS_BELOW) :] == columns_page()


@pytest.fixture(scope="module")
def result() -> Audit:
    return auditor.audit([CAPTURE], policy_path=POLICY)


def test_sessions_are_those_of_the_truth(result: Audit) -> None:
    """Hosts, ports and bytes as the witnesses of captures/out-of-range recorded them."""
    truth = json.loads((CAPTURES / "out-of-range" / "truth.json").read_text())
    frame = result.sessions.to_pandas()
    ends = {
        f"{one['client']}:{one['client_port']} {one['server']}:{one['server_port']}"
        for one in truth["control_sessions"]
    }
    assert set(frame.originator + " " + frame.responder) == ends
    assert int(frame.data_connections.sum()) == len(truth["data_connections"])
    version = {f"{one['client']}:{one['client_port']}": one["ndmp_version"] for one in truth["control_sessions"]}
    assert dict(zip(frame.originator, frame.ndmp_version, strict=True)) == version


def test_flows_are_those_that_were_judged(result: Audit) -> None:
    assert len(result.flows.to_pandas()) == result.totals["flows"] == result.report.totals["flows"]


@pytest.mark.parametrize(
    ("rows", "columns"), [(Findings, FINDING_COLUMNS), (Sessions, SESSION_COLUMNS)], ids=["findings", "sessions"]
)
def test_columns_have_their_types_even_without_a_row(rows: type, columns: tuple[tuple[str, str, str], ...]) -> None:
    full = Findings(report().findings) if rows is Findings else Sessions(report().sessions)
    for frame in (full.to_pandas(), rows().to_pandas()):
        assert list(frame.columns) == [name for name, _, _ in columns]
        for name, kind, _ in columns:
            # Text may be any of the types that pandas has for it.
            expected = {str(frame[name].dtype)} if kind in ("str", "object") else {kind}
            assert str(frame[name].dtype) in expected, name
            if kind == "str":
                assert pd.api.types.is_string_dtype(frame[name]) or len(frame) == 0


def test_severities_are_ordered() -> None:
    frame = Findings(report().findings).to_pandas()
    assert (frame.severity > "low").all()
    assert not (frame.severity > "high").any()


def test_what_was_not_readable_is_missing() -> None:
    frame = Sessions([session(ndmp_version=None)]).to_pandas()
    assert frame.ndmp_version.isna().all()


def test_a_notebook_is_shown_escaped_text() -> None:
    evil = "<img src=x onerror=alert(1)>"
    made = dataclasses.replace(
        hostile_report(), summary=evil, limits=(evil, HOSTILE), findings=(finding(message=evil, code=HOSTILE),) * 30
    )
    shown = Audit(made, auditor.FlowTable.from_columns({}, __import__("numpy").zeros((0, 16), "uint8")))._repr_html_()
    shown += Sessions([session(story=evil)])._repr_html_()
    tree = html5lib.parse(shown, namespaceHTMLElements=False)
    assert tree.findall(".//img") == []
    assert tree.findall(".//script") == []
    assert shown.count("&lt;img") == 1 + 1 + 20 + 1
    assert not {"\x1b", "\u202e", "\x9b", "\x00"} & set(shown)
    assert "… and 10 more" in shown


def test_a_notebook_is_shown_flows_as_they_are(result: Audit) -> None:
    tree = html5lib.parse(result.flows._repr_html_(), namespaceHTMLElements=False)
    rows = [[cell.text or "" for cell in row.findall("td")] for row in tree.iter("tr")][1:]
    # tshark -q -z conv,tcp: eight conversations, one of them from 10.77.0.10:36576 to 10.77.0.21:40011.
    assert len(rows) == 8
    assert ["10.77.0.10:36576", "10.77.0.21:40011", "tcp"] in [row[:3] for row in rows]
    assert "… and" not in result.flows._repr_html_()


def test_an_audit_can_be_rendered_and_knows_its_parts(result: Audit) -> None:
    assert auditor.render(result, "json") == auditor.render(result.report, "json")
    assert result.hosts == result.report.hosts
    with pytest.raises(AttributeError, match="nothing_of_this"):
        _ = result.nothing_of_this


def test_without_pandas_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra) as told:
        Findings().to_pandas()
    assert "auditor[pandas]" in told.value.fix


def test_an_audit_in_python_loads_no_pandas() -> None:
    probe = (
        "import auditor, sys\nresult = auditor.audit([sys.argv[1]])\nlen(result.findings), result._repr_html_()\n"
        "print(sorted({'pandas', 'jinja2', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(CAPTURE)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    refresh()
