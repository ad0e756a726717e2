"""Security facts read from control connections: streams made by hand after the draft, and the lab's refused guests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from auditor.flows import FlowTable
from auditor.notation import parse
from auditor.sessions import Posture, find_sessions
from auditor.tables.posture_rows import revision_number
from tests.helpers.talk import Talk
from tests.support import CAPTURES, ROOT, run_auditor

CONTROL = "10.0.1.5:40000 > 10.0.2.9:10000 tcp SF app=ndmp at=0 for=30"
AUTH, OPEN, CLOSE, ATTR, SERVER_INFO, HOST_INFO = 0x901, 0x900, 0x902, 0x103, 0x108, 0x100
FS_INFO, CONNECT, SSL, COMMAND, WRITE = 0x105, 0x40A, 0xF383, 0xF30F, 0xF309
TEXT, MD5, SHA, BEWS2 = 1, 2, 5, 190


def posture(talk: Talk, table: FlowTable | None = None) -> Posture:
    table = table or parse(CONTROL).table
    ports = np.full(len(table.addresses), 10000, np.uint16)
    found = find_sessions(table, talk.done(), control_ports=ports, service_ports=np.zeros(0, np.uint16))
    return found.sessions[0].posture


def talk(*, began: int = 0) -> Talk:
    made = Talk()
    made.stream(0, began=began)
    return made


def log_in(said: Talk, *, error: int = 0) -> None:
    said.say(0, AUTH, sequence=50, auth_type=MD5, auth_id="ndmp")
    said.say(0, AUTH, reply=True, answers=50, error=error)


@pytest.mark.parametrize("code", [OPEN, CLOSE, ATTR, SERVER_INFO, SSL])
def test_what_the_draft_allows_before_the_login(code: int) -> None:
    """draft-skardal-ndmp4-04, 2.11.3, and the exchange that begins TLS."""
    said = talk()
    said.say(0, code, reply=True)
    log_in(said)
    assert posture(said).early == ()


def test_an_answer_before_the_login() -> None:
    said = talk()
    said.say(0, HOST_INFO, reply=True)
    said.say(0, FS_INFO, reply=True, error=4)
    log_in(said)
    said.say(0, FS_INFO, reply=True)
    assert posture(said).early == ("CONFIG_GET_HOST_INFO",)


def test_a_refused_login_is_none() -> None:
    said = talk()
    log_in(said, error=4)
    said.say(0, FS_INFO, reply=True)
    assert posture(said).early == ("CONFIG_GET_FS_INFO",)


def test_nothing_is_early_where_the_beginning_was_not_seen() -> None:
    joined = talk(began=1)
    joined.say(0, HOST_INFO, reply=True)
    assert posture(joined).early == ()
    holed = talk()
    holed.say(0, HOST_INFO, reply=True)
    assert posture(holed, parse(f"{CONTROL} missed=100/0").table).early == ()


def test_the_list_of_authentication_types_and_the_revision() -> None:
    said = talk()
    vendor = "VERITAS Software, Corp."
    said.say(0, SERVER_INFO, reply=True, vendor_name=vendor, revision_number="9.3", auth_types=SHA)
    read = posture(said)
    assert (read.offered, read.revision) == ((SHA,), "9.3")


def test_another_makers_revision_is_none_of_ours() -> None:
    said = talk()
    said.say(0, SERVER_INFO, reply=True, vendor_name="Network Appliance", revision_number="9.1", auth_types=TEXT)
    assert posture(said).revision == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [("9.3", 903), ("9.10", 910), ("4.2", 402), ("9.3 R2", 903), ("", 0), ("x", 0), ("9", 0)],
)
def test_revisions_as_numbers(text: str, number: int) -> None:
    assert revision_number(text) == number


def test_a_digest_for_root_needs_a_challenge() -> None:
    bare = talk()
    bare.say(0, AUTH, auth_type=MD5, auth_id="root")
    assert posture(bare).root_without_challenge
    asked = talk()
    asked.say(0, ATTR, auth_type=MD5)
    asked.say(0, AUTH, auth_type=MD5, auth_id="root")
    assert not posture(asked).root_without_challenge
    other = talk()
    other.say(0, AUTH, auth_type=TEXT, auth_id="root")
    assert not posture(other).root_without_challenge


def test_certificates_tls_and_commands() -> None:
    said = talk()
    for opcode in (1, 2, 3, 4, 4):
        said.say(0, SSL, opcode=opcode)
    said.say(0, COMMAND, command="never kept")
    said.say(0, WRITE)
    read = posture(said)
    assert (read.trust_exchange, read.tls_starts, read.commands) == (True, 2, ("command", "file write"))
    # Opcodes 2 and 3, the second 4, and the two messages: packets 2, 3, 5, 6, 7.
    assert read.packets == (2, 3, 5, 6, 7)
    tested = talk()
    tested.say(0, SSL, opcode=1)
    assert not posture(tested).trust_exchange


def test_the_host_that_a_server_is_told_to_connect_to() -> None:
    table = parse(f"{CONTROL}\n203.0.113.9:5353 > 203.0.113.10:5353 udp SF").table
    said = talk()
    said.say(0, CONNECT, address=(int(table.address_codes("203.0.113.9")[0]), 4444))
    read = posture(said, table)
    assert [table.address_text(code) for codes in read.connect_to for code in codes] == ["203.0.113.9"]


def test_the_rogue_guest_of_the_lab() -> None:
    """Its truth: one query was answered without any login, from a host that no term lets in: BX201, and nothing more."""
    case = CAPTURES / "rogue"
    done = run_auditor("audit", case / "rogue.pcap", "--policy", case / "policy.yaml", "--format", "json")
    codes = {finding["code"] for finding in json.loads(done.out)["findings"]}
    assert "BX201" in codes
    assert not codes & {"BX603", "BX604", "BX605", "BX606", "BX607", "BX608", "BX609", "BX610", "BX611"}


@pytest.mark.parametrize(
    "rule", sorted((ROOT / "rules" / "checks" / "posture").glob("*.yaml")), ids=lambda rule: rule.stem
)
def test_every_finding_of_posture_names_its_confidence(rule: Path) -> None:
    consequence = " ".join(yaml.safe_load(rule.read_text(encoding="utf-8"))["consequence"].split())
    assert re.search(r" Confidence: (high|medium|low)[ ,][^.]+\.$", consequence)
