"""What became of a flow, from its state and from what was answered."""

from __future__ import annotations

import pytest

from auditor.policy.load import load_policy
from auditor.services import rules_folder
from tests.test_match import A, M, judged

EXAMPLES = load_policy(rules_folder() / "examples.yaml")


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("tcp SF", "established"),
        ("tcp S0 x3", "unanswered"),
        ("tcp REJ", "refused"),
        ("tcp S0 refusal=icmp-admin-prohibited", "refused"),
        ("tcp S0 refusal=icmp-port-unreachable", "refused"),
        ("tcp RSTR", "established"),
        ("tcp RSTO bytes=10/0", "established"),
        ("tcp RSTOS0", "unanswered"),
        ("tcp S0 bytes=100/0", "uncertain"),
        ("tcp SH", "uncertain"),
        ("tcp SHR bytes=0/10", "uncertain"),
        ("tcp OTH bytes=100/0", "uncertain"),
        ("tcp OTH bytes=100/100", "established"),
        ("udp SF", "established"),
        ("udp S0", "unanswered"),
        ("udp S0 refusal=icmp-port-unreachable", "refused"),
    ],
)
def test_outcomes(words: str, outcome: str) -> None:
    assert judged(EXAMPLES, f"{M} > {A}:1434 {words}").outcome == outcome


def test_a_datagram_that_nobody_answers_has_done_its_work() -> None:
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 udp S0").outcome == "established"
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 udp S0 refusal=icmp-port-unreachable").outcome == "refused"
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 tcp S0").outcome == "unanswered"
