"""The platforms that Aerleon writes rules for, and what has to be known of each. As seen with Aerleon 1.18."""

from __future__ import annotations

from auditor.records import record

_ANSWERS = "What comes back has rules of its own, be-NNN-back-tcp and -udp: this filter keeps no states."
_ICMP = (
    "ICMP is denied as well: permit what path MTU discovery needs, and for IPv6 neighbour discovery, which the last line of the "
    "filter denies where the device would have permitted it by itself."
)


@record
class Platform:
    """``name`` as Aerleon has it; ``options`` of its header by version of IP, 0 for both at once.

    ``comment`` is what a line of comment begins and ends with. ``stateless`` filters need rules for what comes back;
    ``states`` ones need a rule that lets it pass. ``advice`` are lines for the head.
    """

    name: str
    options: dict[int, str]
    comment: tuple[str, str] = ("#", "")
    stateless: bool = False
    states: bool = False
    advice: tuple[str, ...] = ()

    def versions(self) -> tuple[int, ...]:
        """Return the versions of IP that it can say."""
        return (4, 6) if 0 in self.options else tuple(self.options)


def _router(name: str, four: str, six: str, comment: tuple[str, str] = ("!", "")) -> Platform:
    return Platform(name, {4: four, 6: six}, comment, stateless=True, advice=(_ANSWERS, _ICMP))


_IPTABLES = (
    "Load with {0}, which replaces the whole filter table; check with {0} --test. Everything else that is forwarded is dropped.",
)

PLATFORMS = {
    "arista": _router("arista", "backup-exec extended", "backup-exec-v6 inet6"),
    "cisco": _router("cisco", "backup-exec extended", "backup-exec-v6 inet6"),
    # For IPv6 Aerleon writes remarks there, and no rule.
    "ciscoasa": Platform("ciscoasa", {4: "backup-exec"}, ("!", "")),
    "cisconx": _router("cisconx", "backup-exec extended", "backup-exec-v6 inet6"),
    "ciscoxr": _router("ciscoxr", "backup-exec extended", "backup-exec-v6 inet6"),
    "fortigate": Platform(
        "fortigate",
        {0: "from-zone any to-zone any mixed"},
        advice=(
            "Policies are numbered from 1: renumber them where the device has such. Name your interfaces for any.",
        ),
    ),
    "ip6tables": Platform(
        "speedway", {6: "FORWARD DROP inet6"}, states=True, advice=(_IPTABLES[0].format("ip6tables-restore"),)
    ),
    "iptables": Platform(
        "speedway", {4: "FORWARD DROP inet"}, states=True, advice=(_IPTABLES[0].format("iptables-restore"),)
    ),
    "juniper": _router("juniper", "backup-exec inet", "backup-exec inet6", ("/*", "*/")),
    "packetfilter": Platform("packetfilter", {4: "backup-exec inet", 6: "backup-exec inet6"}),
    "paloalto": Platform("paloalto", {0: "from-zone any to-zone any mixed"}, ("<!--", "-->")),
    "srx": Platform(
        "srx", {0: "from-zone all to-zone all mixed"}, ("/*", "*/"), advice=("These are global policies.",)
    ),
}
"""Name of the target -> platform."""
