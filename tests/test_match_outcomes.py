"""What became of a flow, from its state and from what was answered."""

from __future__ import annotations

import pytest

from auditor.policy.load import load_policy
from auditor.policy.outcome import OUTCOMES, tcp_outcome
from auditor.services.folder import rules_folder
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
        # Who is sent data had its SYN answered, though the capture lacks that one packet.
        ("tcp S0 bytes=0/100", "established"),
        ("tcp RSTOS0 bytes=0/100", "established"),
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


@pytest.mark.parametrize(
    ("state", "seen", "outcome"),
    [
        ("S0", {}, "unanswered"),
        ("S0", {"accepted": True}, "uncertain"),
        ("RSTOS0", {"accepted": True}, "uncertain"),
        ("S0", {"accepted": True, "refused": True}, "refused"),
        # SYN, ACK, RST: what was refused was no SYN.
        ("REJ", {"accepted": True}, "uncertain"),
        ("REJ", {"answered": True}, "established"),
        ("REJ", {"refused": True}, "refused"),
        ("REJ", {}, "refused"),
        ("OTH", {"answered": True}, "uncertain"),
    ],
)
def test_an_answer_that_the_capture_lacks(state: str, seen: dict[str, bool], outcome: str) -> None:
    facts = {"refused": False, "sent": False, "answered": False, **seen}
    assert OUTCOMES[tcp_outcome(state, **facts)] == outcome


def test_a_datagram_that_nobody_answers_has_done_its_work() -> None:
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 udp S0").outcome == "established"
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 udp S0 refusal=icmp-port-unreachable").outcome == "refused"
    assert judged(EXAMPLES, f"{M} > 10.0.6.9:162 tcp S0").outcome == "unanswered"
