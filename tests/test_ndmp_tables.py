"""NDMP's tables: every message of every version by its name, every error, and the bodies that are read, word by word.

Names and layouts were written down by hand from draft-skardal-ndmp4-04, the version 3 draft and the published XDR. Where
the notes of ../shared/domain are beside the checkout, the names are held against their tables too.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import pytest

from auditor import _native
from tests.support import SHARED

NOTES = SHARED / "domain" / "ndmp.md"

SAME = """
100 CONFIG_GET_HOST_INFO/103 CONFIG_GET_AUTH_ATTR/200 SCSI_OPEN/201 SCSI_CLOSE/202 SCSI_GET_STATE/203 SCSI_SET_TARGET
204 SCSI_RESET_DEVICE/205 SCSI_RESET_BUS/206 SCSI_EXECUTE_CDB/300 TAPE_OPEN/301 TAPE_CLOSE/302 TAPE_GET_STATE
303 TAPE_MTIO/304 TAPE_WRITE/305 TAPE_READ/307 TAPE_EXECUTE_CDB/400 DATA_GET_STATE/401 DATA_START_BACKUP
402 DATA_START_RECOVER/403 DATA_ABORT/404 DATA_GET_ENV/407 DATA_STOP/40b DATA_START_RECOVER_FILEHIST
501 NOTIFY_DATA_HALTED/503 NOTIFY_MOVER_HALTED/504 NOTIFY_MOVER_PAUSED/505 NOTIFY_DATA_READ/602 LOG_FILE
900 CONNECT_OPEN/901 CONNECT_CLIENT_AUTH/902 CONNECT_CLOSE/903 CONNECT_SERVER_AUTH/a00 MOVER_GET_STATE/a01 MOVER_LISTEN
a02 MOVER_CONTINUE/a03 MOVER_ABORT/a04 MOVER_STOP/a05 MOVER_SET_WINDOW/a06 MOVER_READ/a07 MOVER_CLOSE
a08 MOVER_SET_RECORD_SIZE
"""
ONLY_2 = (
    "101 CONFIG_GET_BUTYPE_ATTR/600 LOG_LOG/601 LOG_DEBUG/700 FH_ADD_UNIX_PATH/701 FH_ADD_UNIX_DIR/702 FH_ADD_UNIX_NODE"
)
SINCE_3 = """
104 CONFIG_GET_BUTYPE_INFO/105 CONFIG_GET_FS_INFO/106 CONFIG_GET_TAPE_INFO/107 CONFIG_GET_SCSI_INFO
108 CONFIG_GET_SERVER_INFO/409 DATA_LISTEN/40a DATA_CONNECT/603 LOG_MESSAGE/703 FH_ADD_FILE/704 FH_ADD_DIR/705 FH_ADD_NODE
a09 MOVER_CONNECT
"""
ONLY_4 = "109 CONFIG_SET_EXT_LIST/10a CONFIG_GET_EXT_LIST"
_ERRORS = """
NO_ERR NOT_SUPPORTED DEVICE_BUSY DEVICE_OPENED NOT_AUTHORIZED PERMISSION DEV_NOT_OPEN IO TIMEOUT ILLEGAL_ARGS
NO_TAPE_LOADED WRITE_PROTECT EOF EOM FILE_NOT_FOUND BAD_FILE NO_DEVICE NO_BUS XDR_DECODE ILLEGAL_STATE UNDEFINED
XDR_ENCODE NO_MEM CONNECT SEQUENCE_NUM READ_IN_PROGRESS PRECONDITION CLASS_NOT_SUPPORTED VERSION_NOT_SUPPORTED
EXT_DUPL_CLASSES EXT_DANDN_ILLEGAL
"""
ERRORS = _ERRORS.split()


def listed(text: str) -> dict[int, str]:
    return {int(code, 16): name for code, name in re.findall(r"([0-9a-f]{3}) ([A-Z_]+)", text)}


def names() -> dict[tuple[int, int], str]:
    """Return the name of each message, by version and code."""
    found = {(version, code): name for version in (2, 3, 4) for code, name in listed(SAME).items()}
    found |= {(2, code): name for code, name in listed(ONLY_2).items()}
    found |= {(version, code): name for version in (3, 4) for code, name in listed(SINCE_3).items()}
    found |= {(4, code): name for code, name in listed(ONLY_4).items()}
    found |= {(2, 0x102): "CONFIG_GET_MOVER_TYPE"}
    found |= {(version, 0x102): "CONFIG_GET_CONNECTION_TYPE" for version in (3, 4)}
    found |= {(2, 0x502): "NOTIFY_CONNECTED", (3, 0x502): "NOTIFY_CONNECTED", (4, 0x502): "NOTIFY_CONNECTION_STATUS"}
    return found


def test_every_message_of_every_version_by_name() -> None:
    assert len(names()) == 3 * 43 + 6 + 2 * 12 + 2
    for (version, code), name in names().items():
        assert _native.message_name(code, version) == name, (version, hex(code))


def test_every_error_by_name() -> None:
    assert [_native.ndmp_error_name(number) for number in range(31)] == ERRORS


@pytest.mark.skipif(not NOTES.is_file(), reason="the notes of ../shared/domain are absent")
def test_the_lists_are_those_of_the_notes() -> None:
    text = NOTES.read_text(encoding="utf-8")
    table = text[text.index("### 2.1") : text.index("### 2.2")]
    told: dict[tuple[int, int], str] = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        # Lines of several codes abbreviate their names; those are in the list alone.
        if re.fullmatch("0x[0-9a-f]{3}", cells[0]) and len(cells) == 5:
            told |= row_of(int(cells[0], 16), cells[1:4])
    assert len(told) > 100
    assert {key: names().get(key) for key in told} == told
    errors = text[text.index("### 2.6") : text.index("Other enumerations")]
    pairs = {int(number): name for number, name in re.findall(r"\| (\d+) \| ([A-Z_]+)", errors)}
    assert [pairs[number] for number in sorted(pairs)] == ERRORS


def row_of(code: int, cells: list[str]) -> dict[tuple[int, int], str]:
    """Return the names on a line of the table; ``=`` repeats the version before, and so do remarks in brackets."""
    row, before = {}, ""
    for version, cell in zip((2, 3, 4), cells, strict=True):
        name = cell.split(" ")[0]
        before = before if name in ("=", "same", "obsolete") else name if re.fullmatch("[A-Z_]+", name) else ""
        if before:
            row[version, code] = before
    return row


# Bodies.

ALL, OLD, NEW = (2, 3, 4), (2, 3), (3, 4)
Words = list[int | str | tuple[int]]
"""A body: numbers are words of 32 bits, texts are strings, a tuple is a number of 64 bits."""
IP, PORT = 0xC0000214, 50123
TCP = {2: [1, IP, PORT], 3: [1, IP, PORT], 4: [1, 1, IP, PORT, 0]}
ENV: Words = [2, "FILESYSTEM", "/vol/a", "PASSWORD", "not-to-be-seen"]
TOLD = {"env": [["FILESYSTEM", "/vol/a"], ["PASSWORD", "(withheld)"]]}
NAMES = {
    2: [1, "/a", "/b", 7, (9,)],
    3: [1, "/a", "/b", "c", "d", (8,), (9,)],
    4: [1, "/a", "/b", "c", "d", (8,), (9,)],
}
ERROR = {"error": 0}
AUTHS = [2, 1, 2]


def packed(words: Words) -> bytes:
    parts = []
    for word in words:
        if isinstance(word, int):
            parts.append(struct.pack(">I", word))
        elif isinstance(word, tuple):
            parts.append(struct.pack(">Q", *word))
        else:
            parts.append(struct.pack(">I", len(word)) + word.encode() + bytes(-len(word) % 4))
    return b"".join(parts)


def state(version: int, first: Words) -> Words:
    """Return a DATA_GET_STATE reply: ``first`` stands before what all versions have."""
    return [*first, 0, 1, 2, 1, (70_000_000_000,), (5,), 6, *TCP[version], (7,), (8,)]


def mover(version: int) -> Words:
    tail: Words = [] if version == 2 else list(TCP[version])
    return [0, *([1] if version == 4 else []), 3, 5, 1, 32768, 12, (70_000_000_000,), (1,), (2,), (3,), (4,), *tail]


STATE = {"operation": 1, "state": 2, "halt_reason": 1, "bytes_processed": 70_000_000_000, "read_length": 8}
MOVED = {
    "state": 3,
    "pause_reason": 5,
    "halt_reason": 1,
    "record_size": 32768,
    "bytes_moved": 70_000_000_000,
    "window_length": 4,
}
INFO = {"hostname": "h", "os_type": "Windows NT", "os_vers": "6", "host_id": "42"}
SERVER = {"vendor_name": "VERITAS Software, Corp.", "product_name": "p", "revision_number": "9.4", "auth_types": [1, 2]}
FS: Words = [0, 1, 0, "NTFS", "C:", "Device0000", (1,), (2,), (3,), (4,), (5,), 1, "A", "b", "online"]

Body = tuple[int, bool, tuple[int, ...], Any, dict[str, Any]]
BODIES: list[Body] = [
    (0x900, False, ALL, [3], {"protocol_version": 3}),
    (0x901, False, ALL, [0], {"auth_type": 0}),
    (0x901, False, ALL, [1, "u", "not-to-be-seen"], {"auth_id": "u", "auth_secret": "password"}),
    (0x901, False, ALL, [2, "u", 1, 2, 3, 4], {"auth_id": "u", "auth_secret": "digest"}),
    (0x903, False, ALL, [2, *[7] * 16], {"auth_type": 2}),
    (0x903, True, ALL, [0, 2, "u", 1, 2, 3, 4], {"error": 0, "auth_id": "u", "auth_secret": "digest"}),
    (0x502, False, ALL, [1, 4, "bye"], {"reason": 1, "reason_name": "SHUTDOWN", "protocol_version": 4, "text_reason": "bye"}),
    (0x100, True, (2,), [0, "h", "Windows NT", "6", "42", *AUTHS], {**INFO, "auth_types": [1, 2]}),
    (0x100, True, NEW, [0, "h", "Windows NT", "6", "42"], INFO),
    (0x108, True, NEW, [0, "VERITAS Software, Corp.", "p", "9.4", *AUTHS], SERVER),
    (0x102, True, ALL, [0, 2, 0, 1], {"addr_types": [0, 1]}),
    (0x103, False, ALL, [2], {"auth_type": 2}),
    (0x103, True, ALL, [0, 2, *[7] * 16], {"error": 0, "auth_type": 2}),
    (0x104, True, NEW, [0, 1, "dump", 1, "A", "b", 3], {"bu_types": ["dump"]}),
    (0x105, True, NEW, FS, {"filesystems": ["C:"]}),
    (0x109, False, (4,), [2, 0x2050, 1, 0x2052, 1], {"ext_classes": [0x2050, 0x2052]}),
    (0x10A, True, (4,), [0, 1, 0x2051, 2, 1, 2], {"ext_classes": [0x2051]}),
    (0x409, False, NEW, [1], {"addr_type": 1}),
    (0x409, True, NEW, lambda v: [0, *TCP[v]], ERROR),
    (0x40A, False, NEW, lambda v: TCP[v], {"addr_type": 1}),
    (0x401, False, (2,), [*TCP[2], "dump", *ENV], {"bu_type": "dump", "port": PORT, **TOLD}),
    (0x401, False, NEW, ["dump", *ENV], {"bu_type": "dump", **TOLD}),
    (0x402, False, (2,), [*TCP[2], *ENV, *NAMES[2], "dump"], {"bu_type": "dump", "nlist_count": 1, **TOLD}),
    (0x402, False, NEW, lambda v: [*ENV, *NAMES[v], "dump"], {"bu_type": "dump", "nlist_count": 1, **TOLD}),
    (0x40B, False, NEW, lambda v: [*ENV, *NAMES[v], "dump"], {"bu_type": "dump", "nlist_count": 1, **TOLD}),
    (0x400, True, (2,), lambda v: state(v, []), STATE),
    (0x400, True, NEW, lambda v: state(v, [3]), STATE),
    (0x404, True, ALL, [0, *ENV], TOLD),
    (0xA01, False, ALL, [0, 1], {"mode": 0, "addr_type": 1}),
    (0xA01, True, ALL, lambda v: [0, *TCP[v]], ERROR),
    (0xA09, False, NEW, lambda v: [1, *TCP[v]], {"mode": 1, "addr_type": 1}),
    (0xA08, False, ALL, [32768], {"record_size": 32768}),
    (0xA05, False, ALL, [(1,), (70_000_000_000,)], {"offset": 1, "length": 70_000_000_000}),
    (0xA06, False, ALL, [(1,), (2,)], {"offset": 1, "length": 2}),
    (0xA00, True, ALL, mover, MOVED),
    (0x501, False, OLD, [4, "no"], {"reason": 4, "reason_name": "CONNECT_ERROR", "text_reason": "no"}),
    (0x501, False, (4,), [1], {"reason": 1, "reason_name": "SUCCESSFUL"}),
    (0x503, False, OLD, [1, ""], {"reason": 1, "reason_name": "CONNECT_CLOSED"}),
    (0x503, False, (4,), [5], {"reason": 5, "reason_name": "MEDIA_ERROR"}),
    (0x504, False, ALL, [3, (9,)], {"reason": 3, "reason_name": "SEEK", "seek_position": 9}),
    (0x505, False, ALL, [(1,), (2,)], {"offset": 1, "length": 2}),
    (0x600, False, (2,), ["said"], {"entry": "said"}),
    (0x601, False, (2,), [3, "said"], {"level": 3, "entry": "said"}),
    (0x602, False, (2,), ["f", 3, 14], {"name": "f", "ssid": 3, "file_error": 14}),
    (0x602, False, (3,), ["f", 14], {"name": "f", "file_error": 14}),
    (0x602, False, (4,), ["f", 2], {"name": "f", "recovery_status": 2}),
    (0x603, False, (3,), [2, 7, "said"], {"log_type": 2, "message_id": 7, "entry": "said"}),
    (0x603, False, (4,), [2, 7, "said", 1, 5], {"log_type": 2, "associated_message_sequence": 5}),
    *[(code, False, ALL, [], {}) for code in (0x400, 0x403, 0x404, 0x407, 0x902, 0xA00, 0xA02, 0xA03, 0xA04, 0xA07)],
    *[(code, True, ALL, [0], ERROR) for code in (0x401, 0x402, 0x403, 0x407, 0x900, 0x901, 0xA02, 0xA03, 0xA04, 0xA05, 0xA07)],
    *[(code, True, NEW, [0], ERROR) for code in (0x40A, 0xA09)],
]  # fmt: skip
CASES = [
    pytest.param(code, reply, v, packed(body(v) if callable(body) else body), told, id=f"{code:x}-{'reply' if reply else 'request'}-v{v}-{n}")
    for n, (code, reply, versions, body, told) in enumerate(BODIES)
    for v in versions
]  # fmt: skip


def decoded(code: int, reply: bool, version: int, body: bytes) -> dict[str, Any]:
    head = struct.pack(">6I", 5, 0x66A3C0DE, int(reply), code, 4 if reply else 0, 0)
    (message,) = _native.decode_ndmp(struct.pack(">I", 0x80000000 | 24 + len(body)) + head + body, version)
    assert "not-to-be-seen" not in repr(message)
    return dict(message)


def plain(value: Any) -> Any:
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize(("code", "reply", "version", "body", "told"), CASES)
def test_bodies(code: int, reply: bool, version: int, body: bytes, told: dict[str, Any]) -> None:
    """A body is read to its last word; with a word more or less it is another version's, or wrong."""
    message = decoded(code, reply, version, body)
    assert message["status"] == "decoded"
    assert {name: plain(message["fields"].get(name)) for name in told} == told
    if IP.to_bytes(4, "big") in body:
        ends = message["fields"].get("addresses") or [message["fields"]]
        assert [(str(end["ip"]), end["port"]) for end in ends] == [("192.0.2.20", PORT)]
    for other in (body + bytes(4), body[:-4]):
        changed = decoded(code, reply, version, other) if len(other) > 4 else message | {"status": "malformed"}
        assert changed["status"] != "decoded" or changed["fields"] != message["fields"]


@pytest.mark.parametrize(("code", "version"), [(0x700, 2), (0x701, 2), (0x702, 2), *((c, v) for c in (0x703, 0x704, 0x705) for v in NEW)])  # fmt: skip
def test_file_history_is_counted(code: int, version: int) -> None:
    message = decoded(code, False, version, packed([3, *[0] * 30]))
    assert (message["status"], message["fields"]["fh_count"]) == ("decoded", 3)


@pytest.mark.parametrize(("version", "words"), [(3, []), (4, [1])])
def test_netapps_ipv6(version: int, words: Words) -> None:
    """Type 0x20510004: 16 bytes and the port; in version 4 counted, with an environment to each."""
    body = packed([0, 0x20510004, *words]) + bytes.fromhex("20010db8000000000000000000000020") + packed([50125])
    fields = decoded(0x409, True, version, body + packed([0] if version == 4 else []))["fields"]
    (end,) = fields.get("addresses") or [fields]
    assert (str(end["ip"]), end["port"]) == ("2001:db8::20", 50125)


@pytest.mark.parametrize("extra", [[], [1]], ids=["plain", "with a word before it"])
def test_netapps_cluster_aware_backup(extra: Words) -> None:
    message = decoded(0x20520001, False, 4, packed([*extra, "dump", *ENV]))
    assert (message["name"], message["status"]) == ("CAB_DATA_CONN_PREPARE", "decoded")
    assert plain(message["fields"]["env"]) == TOLD["env"]
