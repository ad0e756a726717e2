"""The words of a report that a reader may not know: the page and the paper explain them alike."""

from __future__ import annotations

GLOSSARY = (
    (
        "control connection",
        "NDMP between the media server and an agent, on the declared port; it says what is to be done.",
    ),
    (
        "data connection",
        "What carries the backup itself, on a port that the control connection announced.",
    ),
    (
        "dynamic range",
        "The ports that a host was told to use for its data connections. The host's own port counts, whether it listens or connects.",
    ),
    (
        "evidence",
        "The flows and packet numbers behind a finding.",
    ),
    (
        "flow",
        "Both directions of one connection. The originator opened it, the responder was addressed.",
    ),
    (
        "grade",
        "How sure it is that a data connection belongs to its control connection: proved, probable, possible.",
    ),
    (
        "term",
        "One line of the policy. The first that fits a flow decides.",
    ),
    (
        "TIME_WAIT",
        "The rest that a closed port may be kept from use, on the side that closed first: four minutes by RFC 9293.",
    ),
    (
        "unstated",
        "No term of the policy speaks of this traffic.",
    ),
    (
        "zone",
        "A named set of hosts of the policy.",
    ),
)
"""Word -> what it means, in the order of the alphabet."""
