"""Reads lines of the notation."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from auditor import _native
from auditor.errors import UsageError
from auditor.flows import TRANSPORTS
from auditor.listeners import Listener, Listing
from auditor.notation.build import table_of
from auditor.notation.model import GRADES, LOGINS, READABLE, WAIVER_STATES, WORDS, CaptureLine, Flow, Scene, WaiverLine
from auditor.records import replace

_FLOW = re.compile(r"(?P<orig>\S+)\s*>\s*(?P<resp>\S+)\s+(?P<transport>\S+)(?P<words>.*)", re.DOTALL)
_ENDPOINT = re.compile(r"(?:\[(?P<six>[^]]+)]|(?P<four>[^:]+))(?::(?P<port>\d{1,5}))?")
MARKS = ("control", "tls", "transfer", "local", "early", "root", "constant", "trust", "commands", "expired")
"""Words that mark a line and take no value."""
_TRANSPORT_NUMBERS = {word: number for number, word in TRANSPORTS.items()}


def parse(text: str) -> Scene:
    """Read lines of the notation. Raises UsageError naming the line and the word."""
    flows: list[Flow] = []
    captures: list[CaptureLine] = []
    policy: dict[str, str] = {}
    listeners: dict[str, list[Listener]] = {}
    waivers: list[WaiverLine] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.split("#", 1)[0].strip()
        try:
            if stripped.startswith("capture "):
                captures.append(_parse_capture(stripped))
            elif stripped.startswith("listener "):
                host, listener = _parse_listener(stripped, number)
                listeners.setdefault(host, []).append(listener)
            elif stripped == "waiver" or stripped.startswith("waiver "):
                waivers.append(_parse_waiver(stripped))
            elif stripped.startswith("policy "):
                policy |= _settings(stripped)
            elif stripped:
                flows.append(parse_flow(stripped))
        except UsageError as error:
            raise UsageError(f"line {number}: {error.message}", fix=error.fix) from None
    return Scene(
        table_of(flows),
        tuple(flow.marks for flow in flows),
        tuple(captures) or (CaptureLine(),),
        policy,
        _listings(listeners),
        tuple(waivers),
    )


def _parse_listener(line: str, number: int) -> tuple[str, Listener]:
    """Read a line ``listener HOST tcp ADDRESS:PORT PROGRAM``; address ``*`` for all, no program where none is told."""
    words = line.split()
    if len(words) not in (4, 5) or words[2] not in ("tcp", "udp"):
        raise UsageError(
            f'"{line}" is not a listener', fix="write listener HOST tcp ADDRESS:PORT PROGRAM, address * for all"
        )
    host, _ = _endpoint(words[1])
    address, port = ("", words[3][2:]) if words[3].startswith("*:") else _endpoint(words[3])
    program = words[4] if len(words) == 5 else ""
    return host, Listener(words[2], address, _number(words[3], str(port), most=0xFFFF), program, 0, number)


def _listings(listeners: dict[str, list[Listener]]) -> tuple[Listing, ...]:
    return tuple(Listing(host, "listing.txt", "notation", tuple(own)) for host, own in listeners.items())


def parse_flow(line: str) -> Flow:
    """Read one line of the notation. Raises UsageError naming the word that is wrong."""
    match = _FLOW.fullmatch(line.strip())
    if match is None:
        raise UsageError(f'"{line}" is not a flow', fix="write ADDRESS:PORT > ADDRESS:PORT tcp")
    flow = Flow(_transport(match["transport"]), _endpoint(match["orig"]), _endpoint(match["resp"]))
    for word in match["words"].split():
        flow = _apply(flow, word)
    return flow


def _endpoint(text: str) -> tuple[str, int]:
    match = _ENDPOINT.fullmatch(text)
    if match is None:
        raise UsageError(f'"{text}" is not an address and port', fix="write 10.0.1.5:49152 or [2001:db8::1]:49152")
    try:
        address = ipaddress.ip_address(match["six"] or match["four"])
    except ValueError:
        raise UsageError(f'"{match["six"] or match["four"]}" is not an IP address') from None
    port = int(match["port"] or 0)
    if port > 0xFFFF:
        raise UsageError(f'"{text}" has a port above 65535')
    return str(address), port


def _transport(word: str) -> int:
    if word in _TRANSPORT_NUMBERS:
        return _TRANSPORT_NUMBERS[word]
    if word.isascii() and word.isdecimal() and int(word) <= 0xFF:
        return int(word)
    known = ", ".join(_TRANSPORT_NUMBERS)
    raise UsageError(f'"{word}" is not a transport', fix=f"write one of {known}, or an IP protocol number")


def _apply(flow: Flow, word: str) -> Flow:
    """Return the flow with one more word said of it."""
    if word in _native.STATES:
        return replace(flow, state=word)
    if word[0] == "x" and word[1:].isdecimal():
        return replace(flow, packets=_number(word, word[1:]))
    said: dict[str, Any] = {word.replace("-", "_"): True}
    if word in ("cut", "one-sided"):
        return replace(flow, **said)
    if word in MARKS:
        return replace(flow, marks=replace(flow.marks, **said))
    name, equals, value = word.partition("=")
    if not equals or name not in _SETTERS:
        raise UsageError(f'"{word}" is not a word of the flow notation', fix=f"known: {', '.join(WORDS)}")
    return _SETTERS[name](flow, word, value)


def _parse_capture(line: str) -> CaptureLine:
    return replace(CaptureLine(), **_described("capture", line, CaptureLine, ("packets", "drops", "snaplen")))


def _parse_waiver(line: str) -> WaiverLine:
    change = _described("waiver", line, WaiverLine, ("findings", "days", "warn"))
    standing = change.get("standing", WaiverLine().standing)
    if standing not in WAIVER_STATES:
        raise UsageError(f'"standing={standing}" is not known', fix=f"known: {', '.join(WAIVER_STATES)}")
    return replace(WaiverLine(), **change)


def _described(what: str, line: str, kind: type[Any], numbers: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of a line ``capture NAME=VALUE …`` or ``waiver NAME=VALUE …``, by name of field."""
    change: dict[str, Any] = {}
    for name, value in _settings(line).items():
        if name not in kind.__dataclass_fields__:
            known = ", ".join(f"{field}=" for field in kind.__dataclass_fields__)
            raise UsageError(f'"{name}={value}" is not a word of a {what}', fix=f"known: {known}")
        change[name] = _number(f"{name}={value}", value) if name in numbers else value
    return change


def _settings(line: str) -> dict[str, str]:
    """Return the settings of a line ``capture NAME=VALUE …`` or ``policy NAME=VALUE …``."""
    settings = {}
    for word in line.split()[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f'"{word}" is not a setting', fix="write NAME=VALUE")
        settings[name] = value
    return settings


def _number(word: str, value: str, most: int = (1 << 32) - 1) -> int:
    if not value.isascii() or not value.isdecimal() or len(value) > 10 or int(value) > most:
        raise UsageError(f'"{word}" needs a whole number up to {most}')
    return int(value)


def _pair(word: str, value: str) -> tuple[int, int]:
    first, _, second = value.partition("/")
    return _number(word, first), _number(word, second or "0")


def _letters(word: str, value: str) -> str:
    if re.fullmatch(r"\^?[A-Za-z]{1,64}", value) is None:
        raise UsageError(f'"{word}" needs letters of a history, such as ShADadFf')
    return value


def _seconds(word: str, value: str) -> float:
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) is None:
        raise UsageError(f'"{word}" needs a number of seconds')
    return float(value)


def _one_of(name: str, known: tuple[str, ...], *, mark: bool = False) -> Callable[[Flow, str, str], Flow]:
    """Return the setter of a field, or of a mark, whose value is one of a few words."""

    def apply(flow: Flow, word: str, value: str) -> Flow:
        if value not in known:
            raise UsageError(f'"{word}" is not known', fix=f"known: {', '.join(known)}")
        change: dict[str, Any] = {name: value}
        return replace(flow, marks=replace(flow.marks, **change)) if mark else replace(flow, **change)

    return apply


def _marked(flow: Flow, **change: Any) -> Flow:
    return replace(flow, marks=replace(flow.marks, **change))


_SETTERS: dict[str, Callable[[Flow, str, str], Flow]] = {
    "app": _one_of("app", _native.APPS),
    "refusal": _one_of("refusal", _native.REFUSALS),
    "by": _one_of("by", _native.ORIGINATOR_BY),
    "bytes": lambda flow, word, value: replace(flow, bytes=_pair(word, value)),
    "missed": lambda flow, word, value: replace(flow, missed=_pair(word, value)),
    "vlan": lambda flow, word, value: replace(flow, vlan=_number(word, value, most=0xFFF)),
    "at": lambda flow, word, value: replace(flow, at=_seconds(word, value)),
    "for": lambda flow, word, value: replace(flow, lasts=_seconds(word, value)),
    "syns": lambda flow, word, value: replace(flow, syns=_number(word, value)),
    "history": lambda flow, word, value: replace(flow, history=_letters(word, value)),
    "data": _one_of("data", GRADES, mark=True),
    "login": _one_of("login", LOGINS, mark=True),
    "auth": _one_of("auth", ("none", "text", "md5"), mark=True),
    "readable": _one_of("readable", READABLE, mark=True),
    "offers": lambda flow, word, value: _marked(flow, offers=_number(word, value)),
    "authority-days": lambda flow, word, value: _marked(flow, authority_days=_number(word, value)),
    "tls-starts": lambda flow, word, value: _marked(flow, tls_starts=_number(word, value)),
    "tls-version": lambda flow, _, value: _marked(flow, tls_version=value.replace("-", " ")),
    "revision": lambda flow, _, value: _marked(flow, revision=value),
    "connect-to": lambda flow, _, value: _marked(flow, connect_to=_endpoint(value)[0]),
}
