"""Backup Exec's private messages and authentication types, word by word from their public descriptions.

Layouts: the request and reply structures that a public exploit module for the agent declares, the notes on the version
query and on the job environment. Contents of files, passwords and hashes must come out nowhere.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from auditor import _native

SECRET = "not-to-be-seen"  # noqa: S105 - what must not come out


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def text(value: str) -> bytes:
    data = value.encode()
    return u32(len(data)) + data + bytes(-len(data) % 4)


def decoded(code: int, body: bytes, *, reply: bool = False, status: str = "decoded") -> dict[str, Any]:
    header = u32(7, 0x66A3C0DE, int(reply), code, 6 if reply else 0, 0)
    (message,) = _native.decode_ndmp(u32(0x80000000 | 24 + len(body)) + header + body, 3)
    assert message["status"] == status
    assert SECRET not in repr(message)
    return dict(message)


SSL = text("MEDIA") + text("media.example") + text("10.0.1.5") + u32(0x11223344, 0x55667788, 0, 0)

MESSAGES = [
    ("job environment", 0xF270, False, u32(1, 1) + text("BE_JOB_NAME") + text("Nightly"), {"env": [("BE_JOB_NAME", "Nightly")]}),
    ("file close", 0xF306, False, u32(42), {"handle": 42}),
    ("file closed", 0xF306, True, u32(0), {"error": 0}),
    ("file open", 0xF308, False, text("a.exe") + text("C:\\Temp") + u32(4), {"file_name": "a.exe", "directory": "C:\\Temp", "mode": 4}),
    ("file opened", 0xF308, True, u32(0, 42), {"error": 0, "handle": 42}),
    ("file write", 0xF309, False, u32(42, 14) + text(SECRET), {"handle": 42, "length": 14}),
    ("file written", 0xF309, True, u32(0, 14, 0), {"error": 0, "length": 14}),
    ("command", 0xF30F, False, text("whoami") + u32(0), {"command": "whoami"}),
    ("command done", 0xF30F, True, u32(0), {"error": 0}),
    ("version", 0xF31B, True, u32(0, 1, 2, 3, 14, 1, 1786, 1119, 0), {"version": "14.1.1786.1119"}),
    ("after authentication", 0xF33B, False, u32(0), {"word0": 0}),
    (
        "start of TLS",
        0xF383,
        False,
        u32(4) + SSL + u32(0) + text("") + u32(0) + text(""),
        {"opcode": 4, "media_server_name": "MEDIA", "media_server_fqdn": "media.example", "media_server_addr": "10.0.1.5", "cert_id_1": 0x11223344, "cert_id_2": 0x55667788},
    ),
    ("TLS may start", 0xF383, True, u32(0) + text("") + u32(0) + text(""), {"data_len": 0, "error": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reply", "body", "fields"), [m[1:] for m in MESSAGES], ids=[m[0] for m in MESSAGES])
def test_private_messages(code: int, reply: bool, body: bytes, fields: dict[str, Any]) -> None:
    message = decoded(code, body, reply=reply)
    assert _native.message_name(code, 3).startswith("BE_")
    found = message["fields"]
    if "env" in fields:
        assert [tuple(pair) for pair in found["env"]] == fields["env"]
    else:
        assert {name: found[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("kind", "secret", "told"),
    [
        (0, b"", None),
        (1, text("backup") + text(SECRET), "password"),
        (2, text("backup") + SECRET.encode().ljust(16), "digest"),
        (3, text("backup") + text(SECRET), "other"),
        (4, text(SECRET), "other"),
        (5, text("backup") + SECRET.encode().ljust(32), "hash"),
        (190, text("backup") + text(SECRET), "other"),
    ],
    ids=["none", "text", "md5", "bews", "sspi", "sha", "bews2"],
)
def test_authentication_types(kind: int, secret: bytes, told: str | None) -> None:
    """The bodies of three types are nobody's knowledge: they are skipped whole, and only that one was sent is told."""
    known = kind in (0, 1, 2, 5)
    fields = decoded(0x901, u32(kind) + secret, status="decoded" if known else "opaque")["fields"]
    assert fields["auth_type"] == kind
    assert fields.get("auth_secret") == told
    assert fields.get("auth_id") == ("backup" if kind in (1, 2, 5) else None)
