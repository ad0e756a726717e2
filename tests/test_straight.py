"""The straight way into ``auditor audit`` reads a command line as Click does, or leaves it to Click."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli.audit import audit
from auditor.cli.audit_options import AUDIT_OPTIONS
from auditor.cli.straight import plain_audit
from tests.support import CAPTURES, run_auditor

CAPTURE = CAPTURES / "out-of-range" / "out-of-range.pcap"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere Click reads every command line")

VALUES = ("a.pcap", "-", "", "json", "text", "high", "own", "tshark", "span", "--", "-v", "x=y", "-x", "1")
WRITTEN = tuple(written for option in AUDIT_OPTIONS for written in option.written)
WORDS = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(WRITTEN),
    st.builds("{}={}".format, st.sampled_from(WRITTEN), st.sampled_from(VALUES)),
    st.sampled_from(["-vv", "-vvv", "-fjson", "-vf", "--polic", "--help", "-h", "--no-such", "-o=x"]),
)


def by_click(words: list[str]) -> dict[str, object] | None:
    """Return the parameters that Click reads, None where it complains or helps."""
    try:
        return audit.make_context("audit", list(words)).params
    except (click.ClickException, click.exceptions.Exit):
        return None


@given(st.lists(WORDS, max_size=7))
def test_it_reads_what_click_reads_or_nothing(words: list[str]) -> None:
    plain = plain_audit(["audit", *words])
    if plain is not None:
        assert plain == by_click(words)


def test_every_option_is_read() -> None:
    """In full, once with the value behind it and once behind an equals sign; no option is left to Click for its own sake."""
    for option in AUDIT_OPTIONS:
        for written in option.written:
            bare = option.kind in ("flag", "count")
            value = option.choices[-1] if option.choices else "x=y"
            forms = [[written]] if bare else [[written, value]]
            forms += [] if bare or not written.startswith("--") else [[f"{written}={value}"]]
            for form in forms:
                read = plain_audit(["audit", "a.pcap", *form])
                assert read is not None, form
                assert read == by_click(["a.pcap", *form])
                assert read[option.name] != plain_audit(["audit", "a.pcap"])[option.name] or value == option.default  # type: ignore[index]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["rules", "list"],
        ["--debug", "audit", "a.pcap"],
        ["audit"],
        ["audit", "a.pcap", "--format", "nonsense"],
        ["audit", "a.pcap", "--help"],
        ["audit", "a.pcap", "--policy"],
        ["audit", "--", "-a.pcap"],
    ],
    ids=" ".join,
)
def test_the_rest_is_left_to_click(words: list[str]) -> None:
    assert plain_audit(words) is None


@pytest.mark.parametrize("name", ["AUDITOR_DEBUG", "_AUDITOR_COMPLETE"])
def test_what_click_takes_from_the_environment_is_left_to_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert plain_audit(["audit", "a.pcap"]) is None


def test_both_ways_end_alike(tmp_path: Path) -> None:
    """The same report, exit code and silence, straight and by Click, which `--debug` asks for."""
    policy = CAPTURE.with_name("policy.yaml")
    straight = run_auditor("audit", CAPTURE, "--policy", policy, "--format", "json")
    by_way_of_click = run_auditor("--debug", "audit", CAPTURE, "--policy", policy, "--format", "json")
    assert straight == by_way_of_click
    assert straight.code == 1
    missing = tmp_path / "none.yaml"
    complaints = [run_auditor(*more, "audit", CAPTURE, "--policy", missing) for more in ((), ("--debug",))]
    assert complaints[0] == complaints[1]
    assert complaints[0].code == 2
