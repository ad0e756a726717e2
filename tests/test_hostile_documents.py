"""Documents of any content: what we read from people's files is refused by our own errors or read, never a traceback.

Mutations of sound documents, by Hypothesis: a piece taken out, doubled, moved or replaced by what upsets parsers.
"""

from __future__ import annotations

import contextlib
import functools
import json
import operator
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import auditor
from auditor.documents.document import read_document
from auditor.errors import AuditorError
from auditor.listeners.read import read_listing
from auditor.manifest import Entry, Manifest, load_manifest, render_manifest
from auditor.packs.load import load_pack
from auditor.packs.read import read_rule
from auditor.policy.load import load_policy
from auditor.policy.services_file import read_services_file
from auditor.report.json_ import load
from auditor.services import load_catalogue
from auditor.services.folder import rules_folder
from auditor.waivers.load import load_waivers
from tests.support import CAPTURES, ROOT

EXAMPLES = int(os.environ.get("AUDITOR_EXAMPLES", "25"))
"""Tries of each property; ``make fuzz`` asks for many more."""

UPSETTING = (
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"*a", b"&a ", b"!!python/object:os.system ", b"<<: ", b"{", b"]", b"? ",
    b"- ", b": ", b"\t", b"\n", b"'", b'"', b"1e999", b"-1", b"99999999999999999999", b"null", b"~", b".nan", b"2026-13-45",
    b"\xc3\x28", b"\xed\xa0\x80", b"%", b"|", b">", b"@", b"---\n", b"...\n", b"0.0.0.0/0", b"::/129", b"65536", b"70000-1",
    b"[" * 300, b"{a: " * 300, "\u202e\u2028".encode(),
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, sound: bytes) -> bytes:
    """Return a document with one to four pieces of it changed."""
    data = sound
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.sampled_from(UPSETTING), st.binary(max_size=8), st.just(data[at:end] * 2)))
        data = data[:at] + piece + data[end:]
    return data


POLICY = (CAPTURES / "out-of-range" / "policy.yaml").read_bytes()
RULE = next(iter(sorted((ROOT / "rules" / "checks" / "range").glob("*.yaml")))).read_bytes()
PACK = load_pack([rules_folder() / "checks"])
CATALOGUE = rules_folder() / "services" / "vendor-2010.yaml"
SERVICES_FILE = b"""\
# <name>  <port>/<protocol>  [alias...]
ndmp      10000/tcp  backup  # Network Data Management Protocol
ndmp      10000/udp
telnet    23/tcp
"""
WAIVERS = b"""\
waivers:
  - code: BX301
    hosts: [10.77.0.21, 10.77.0.0/24]
    owner: backup team
    reason: next window
    expires: 2026-11-22
"""
LISTING = b"""\
State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN 0      128    0.0.0.0:10000      0.0.0.0:*         users:(("beremote",pid=812,fd=9))
LISTEN 0      128    [::]:22            [::]:*
"""


def _policy(path: Path) -> None:
    load_policy(path)


def _rule(path: Path) -> None:
    read_rule(read_document(path))


def _waivers(path: Path) -> None:
    load_waivers([path], PACK, None)


def _listing(path: Path) -> None:
    read_listing(path, "10.0.2.9")


def _catalogue(path: Path) -> None:
    # Vendor's files build on one another; catalogues are remembered by their folder, so that each needs its own.
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    for file in (rules_folder() / "services").glob("*.yaml"):
        shutil.copy(path if file.name == CATALOGUE.name else file, folder / file.name)
    load_catalogue(CATALOGUE.stem.removeprefix("vendor-"), folder)


def _services_file(path: Path) -> None:
    found = read_services_file(path, "services")
    assert found.port is None or 0 < found.port < 65536


def _report(path: Path) -> None:
    load(path.read_bytes())


def _manifest(path: Path) -> None:
    load_manifest(path.read_bytes())


def sound_report() -> bytes:
    from auditor.report.json_ import dump, to_dict

    case = CAPTURES / "blocked"
    report = auditor.audit([next(case.glob("*.pcap"))], policy_path=case / "policy.yaml").report
    return dump(to_dict(report))


MANIFEST = Manifest("0.1.0", "audit", {"fail_on": "high"}, "ab" * 32, (Entry("capture", "a.pcap", "cd" * 32, 9),), ())
READERS: dict[str, tuple[Callable[[Path], None], bytes]] = {
    "policy": (_policy, POLICY),
    "rule": (_rule, RULE),
    "waivers": (_waivers, WAIVERS),
    "listing": (_listing, LISTING),
    "services": (_catalogue, CATALOGUE.read_bytes()),
    "services of a host": (_services_file, SERVICES_FILE),
    "report": (_report, sound_report()),
    "manifest": (_manifest, render_manifest(MANIFEST)),
}


@pytest.mark.parametrize("kind", READERS)
def test_sound_documents_are_read(kind: str, tmp_path: Path) -> None:
    """What is spoiled below was sound: the readers do get beyond the first line."""
    reader, sound = READERS[kind]
    path = tmp_path / "sound"
    path.write_bytes(sound)
    reader(path)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoiled_document_is_read_or_refused(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    reader, sound = READERS[kind]
    path = tmp_path / "spoiled"
    path.write_bytes(data.draw(spoiled(sound)))
    with contextlib.suppress(AuditorError):
        reader(path)


# What a document may hold where something else belongs.
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=6), st.just([]), st.just({}),
    st.just([[None]]), st.just({"": {}}),
)  # fmt: skip


def places(document: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a document of JSON."""
    yield here
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(value, (*here, key))


PLACES = {kind: list(places(json.loads(READERS[kind][1]))) for kind in ("report", "manifest")}


@pytest.mark.parametrize("kind", PLACES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_document_of_the_wrong_shape_is_refused(kind: str, data: st.DataObject) -> None:
    """Well-formed JSON with another value in one place: mutations of bytes seldom come so far."""
    sound = json.loads(READERS[kind][1])
    path = data.draw(st.sampled_from(PLACES[kind]))
    value = data.draw(VALUES)
    if not path:
        spoilt = value
    else:
        spoilt = sound
        parent = functools.reduce(operator.getitem, path[:-1], spoilt)
        parent[path[-1]] = value
    loader = load if kind == "report" else load_manifest
    with contextlib.suppress(AuditorError):
        loader(json.dumps(spoilt).encode())
