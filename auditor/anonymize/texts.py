"""Addresses and names in free text, found and replaced."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from auditor import _native
from auditor.anonymize.key import Key

SHORTEST = 3
"""Characters of a name that is looked for in free text: ``C:`` and ``1`` are nobody's name."""

_ADDRESS = re.compile(
    r"(?<![\w.])(?:"
    r"(?P<mac>[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})(?![\w:])"
    r"|(?P<v6>(?<!:)(?:(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4})|(?:[0-9A-Fa-f]{1,4}:){1,6}:))"
    r"(?!\w|:[\w:])"
    r"|(?P<v4>\d{1,3}(?:\.\d{1,3}){3})(?!\w|\.\d)"
    r")(?P<prefix>/\d{1,3}(?!\d))?",
    re.ASCII,
)
_ATTRIBUTE = re.compile(r"\w=([^,+=]+)")
"""Of a name in a certificate: ``CN=files.example,O=Example``."""

_WORD = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


class Texts:
    """Replaces addresses and the names that it was told; remembers what it replaced."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._addresses: dict[str, str] = {}

    def learn(self, name: str) -> None:
        """Take a name: it is replaced wherever it stands from now on, and a host's first label and domain as well."""
        parts = [name, *(value.strip() for value in _ATTRIBUTE.findall(name))]
        if "." in name and not set(name) & set("/\\ \t") and not _ADDRESS.fullmatch(name):
            first, _, domain = name.partition(".")
            parts += [first, *([domain] if "." in domain else [])]
        for part in parts:
            if len(part.strip()) >= SHORTEST and not part.isdecimal():
                self._names.setdefault(part.casefold(), self.name(part))
                self._pattern = None

    def know(self, text: str, other: str) -> None:
        """Take what stands for a text, wherever it is."""
        self._names[text.casefold()] = other
        self._pattern = None

    def name(self, name: str) -> str:
        """Return what stands for a name: each of its words replaced, what joins them left (``a.example`` has two)."""
        if not name:
            return name
        if _ADDRESS.fullmatch(name):
            return self._replaced_addresses(name)
        return _WORD.sub(lambda match: self._key.pseudonym(match[0]), name)

    def free(self, text: str) -> str:
        """Return free text with addresses and known names replaced."""
        if self._names and self._pattern is None:
            # Longest first, or a name would be found within another and leave the rest of that.
            known = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)", re.IGNORECASE)
        if self._pattern is None:
            return self._replaced_addresses(text)
        # Between the names: a pseudonym is no place for addresses, nor an address for names.
        parts, at = [], 0
        for match in self._pattern.finditer(text):
            parts.append(self._replaced_addresses(text[at : match.start()]))
            parts.append(self._names.get(match[0].casefold()) or self.name(match[0]))
            at = match.end()
        parts.append(self._replaced_addresses(text[at:]))
        return "".join(parts)

    def survivors(self, texts: Iterable[str]) -> list[str]:
        """Return addresses and names that were to be replaced and stand in these texts all the same."""
        gone = {address for address, other in self._addresses.items() if address != other}
        found: dict[str, None] = {}
        for text in texts:
            for match in _ADDRESS.finditer(text):
                if match[0] in gone:
                    found[match[0]] = None
            if self._pattern is not None:
                words = (match[0] for match in self._pattern.finditer(text))
                found.update((word, None) for word in words if self._names.get(word.casefold()) != word)
        return list(found)

    def _replaced_addresses(self, text: str) -> str:
        return _ADDRESS.sub(self._other_address, text) if "." in text or ":" in text or "-" in text else text

    def _other_address(self, match: re.Match[str]) -> str:
        known = self._addresses.get(match[0])
        if known is None:
            known = self._addresses[match[0]] = self._mapped(match)
        return known

    def _mapped(self, match: re.Match[str]) -> str:
        prefix = match["prefix"] or ""
        address = match["mac"] or match["v6"] or match["v4"]
        if match["mac"]:
            return _native.pseudonyms(self._key.addresses, [address])[0] + prefix
        try:
            ipaddress.ip_address(address)
        except ValueError:
            # A time, or a version: 15:42:15.
            return match[0]
        (other,) = _native.pseudonyms(self._key.addresses, [address])
        if prefix:
            try:
                return str(ipaddress.ip_network(f"{other}{prefix}", strict=False))
            except ValueError:
                return f"{other}{prefix}"
        return other
