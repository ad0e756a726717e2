"""Nothing of the original addresses and names is left in what may be given away: every byte of it is looked at."""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from auditor.anonymize import Key, anonymize, read_key
from auditor.anonymize.texts import Texts
from auditor.errors import UsageError
from auditor.model import NameEvidence, Report, WaiverReference
from auditor.pipeline import AuditOptions, audit
from auditor.report.json_ import load
from auditor.report.registry import FORMATS, render
from tests.support import CAPTURES, run_auditor

KEY = Key(b"k" * 32, b"n" * 32)
SECRET = "a key that is long enough 0123"  # noqa: S105 - of this test
CASES = ("out-of-range", "sessions-ipv6", "services", "tls", "blocked")


@cache
def audited(name: str) -> Report:
    (capture,) = (CAPTURES / name).glob(f"{name}.pcap*")
    return audit(
        [capture], policy_path=CAPTURES / name / "policy.yaml", options=AuditOptions(hash_files=True, flows=False)
    )


def addresses_in(text: str) -> set[str]:
    """Return every host address in a text, found without auditor's own means."""
    found = set()
    for word in re.findall(r"[0-9A-Fa-f:.]*[0-9A-Fa-f]", text):
        for part in (word, word.rpartition(":")[0]):
            try:
                address = ipaddress.ip_address(part.strip(":.") if "." in part else part)
            except ValueError:
                continue
            if not (address.is_unspecified or address.is_loopback or address.is_multicast):
                found.add(str(address))
    return found


@pytest.mark.parametrize("name", CASES)
def test_no_original_address_is_in_any_format(name: str) -> None:
    made = audited(name)
    # Without the rules, whose texts name sections of standards: "RFC 1123, 4.1.2.5".
    originals = addresses_in(render(replace(made, rules=()), "json").decode())
    assert len(originals) > 2
    made = replace(made, rules=())
    other = anonymize(made, KEY)
    for form in ("json", "html", "text", "csv", "sarif", "junit", "ocsf", "jsonl", "github"):
        assert form in FORMATS
        text = render(other, form).decode()
        assert not {one for one in originals if re.search(rf"(?<![\w.:]){re.escape(one)}(?!\w|\.\d)", text)}, form
        assert str(CAPTURES) not in text
    assert load(render(other, "json")) == other


def test_what_is_told_stays_the_same_but_for_the_names() -> None:
    made = audited("out-of-range")
    other = anonymize(made, KEY)
    assert (other.verdict, other.totals, other.terms[0].text) == (made.verdict, made.totals, made.terms[0].text)
    assert [one.code for one in other.findings] == [one.code for one in made.findings]
    first, again = made.findings[0].evidence[0], other.findings[0].evidence[0]
    assert first.packets == again.packets
    assert first.flow.originator.rpartition(":")[2] == again.flow.originator.rpartition(":")[2]
    # One host is one host throughout: in the finding, its subject, the list of hosts and the session.
    host = other.findings[0].subject["host"]
    assert host in {one.address for one in other.hosts}
    assert other.findings[0].key.startswith(f"BX301 host={host} ")
    assert any(host in one.story for one in other.sessions)
    # The agents stand in one /24, and do so afterwards.
    networks = {ipaddress.ip_network(f"{one.address}/24", strict=False) for one in other.hosts}
    assert len(networks) == 1


def test_names_are_replaced_wherever_they_stand() -> None:
    made = audited("out-of-range")
    called = "fileserver7.acme.example"
    host = replace(made.hosts[0], name="FILESERVER7", names=(NameEvidence(called, "dns", 5, made.captures[0].path),))
    finding = replace(made.findings[0], message=f"{called} (fileserver7) and acme.example spoke to 10.77.0.21/24.")
    zones = {**made.policy.zones, "vault-of-acme": ("10.77.0.99",)}
    made = replace(
        made, hosts=(host, *made.hosts[1:]), findings=(finding,), policy=replace(made.policy, zones=zones),
        limits=(f"{made.policy.path}:3: zone vault-of-acme is empty",),
    )  # fmt: skip
    other = anonymize(made, KEY)
    text = render(other, "json").decode().casefold()
    for word in ("fileserver7", "acme", "vault", "b_out_of_range", "src-agent1"):
        assert word not in text
    # The pseudonym of a name is the same whether its domain is there or not, and in whatever case.
    assert other.hosts[0].names[0].name.startswith(f"{other.hosts[0].name}.")
    assert other.findings[0].message.startswith(f"{other.hosts[0].names[0].name} ({other.hosts[0].name}) and ")
    assert other.policy.zones.keys() >= {"media-servers", "agents"}


def test_waivers_lose_their_owner_reason_and_file() -> None:
    made = audited("out-of-range")
    waiver = WaiverReference("Jane Zweig", "as told to Acme", "2027-01-31", "/srv/acme/waivers.yaml:12", "ACME-77")
    made = replace(made, findings=(replace(made.findings[0], waiver=waiver), *made.findings[1:]), as_of="2026-11-22")
    other = anonymize(made, KEY)
    text = render(other, "json").decode().casefold()
    for word in ("jane", "zweig", "acme", "/srv"):
        assert word not in text
    kept = other.findings[0].waiver
    assert kept is not None
    assert (kept.expires, kept.place.rpartition(":")[2], other.as_of) == ("2027-01-31", "12", "2026-11-22")


def test_texts_that_only_look_like_addresses_stay() -> None:
    texts = Texts(KEY)
    for text in ("15:42:15", "at 2026-11-22T15:42:15.000000000Z", "port 50100-50124", "0xE00084F8", "a: b, c"):
        assert texts.free(text) == text
    for text in ("fe80::1", "[2001:db8::7]:10000", "10.1.2.3:99", "x=10.1.2.3", "10.1.2.3/32", "02:42:0a:4d:00:15"):
        assert texts.free(text) != text


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize(("name", "code"), [("out-of-range", "BX301+1"), ("sessions-ipv6", ""), ("blocked", "")])
def test_no_byte_of_an_address_or_of_payload_is_in_a_carved_capture(name: str, code: str, tmp_path: Path) -> None:
    made = audited(name)
    with_packets = next(one for one in made.findings if any(proof.packets for proof in one.evidence))
    code = code or with_packets.key
    saved, key, out, plain = (tmp_path / part for part in ("r.json", "key", "out.pcapng", "plain.pcapng"))
    saved.write_bytes(render(made, "json"))
    key.write_text(SECRET)
    done = run_auditor("why", saved, code, "--pcap", out, "--anonymize", key)
    assert done.code == 0, done.err
    assert SECRET not in done.out + done.err
    assert run_auditor("why", saved, code, "--pcap", plain).code == 0
    originals = addresses_in(render(replace(made, rules=()), "json").decode())
    carved = out.read_bytes()
    for one in originals:
        assert ipaddress.ip_address(one).packed not in carved
        assert one.encode() not in carved
        assert one not in done.out
    columns = ("frame.time_epoch", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.flags", "tcp.len", "icmp.code")
    assert fields(out, *columns) == fields(plain, *columns)
    assert fields(out, "data.data", "ndmp.header") == [["", ""]] * len(fields(out, "frame.number"))
    hardware = {one for pair in fields(plain, "eth.src", "eth.dst") for one in pair}
    assert not hardware & {one for pair in fields(out, "eth.src", "eth.dst") for one in pair} - {
        "ff:ff:ff:ff:ff:ff",
        "",
    }
    # Report and capture agree: the ends that the anonymised report names are in the packets.
    other = json.loads(render(anonymize(made, read_key(str(key))), "json"))
    place = [one["key"] for one in json.loads(saved.read_text())["findings"]].index(
        with_packets.key if name != "out-of-range" else made.findings[0].key
    )
    named = addresses_in(json.dumps([proof["flow"] for proof in other["findings"][place]["evidence"]]))
    assert named <= {one for row in fields(out, "ip.addr", "ipv6.addr") for cell in row for one in cell.split(",")}


def fields(path: Path, *names: str) -> list[list[str]]:
    options = [part for field in names for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", "-E", "separator=|", *options],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line.split("|") for line in done.stdout.split("\n")[:-1]]


def test_the_key_is_read_from_a_file_or_the_environment_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    monkeypatch.setenv("AUDITOR_TEST_KEY", SECRET)
    assert read_key(str(path)) == read_key("env:AUDITOR_TEST_KEY")
    assert repr(read_key(str(path))) == "Key()"
    path.write_text("short")
    for source in (str(path), "env:AUDITOR_NO_SUCH_KEY", str(tmp_path)):
        with pytest.raises(UsageError, match="--anonymize"):
            read_key(source)


def test_another_key_gives_other_pseudonyms() -> None:
    made = audited("out-of-range")
    one, other = anonymize(made, KEY), anonymize(made, Key(b"x" * 32, b"y" * 32))
    assert {host.address for host in one.hosts} != {host.address for host in other.hosts}
    assert one.sessions[0].jobs[0].file_system != other.sessions[0].jobs[0].file_system
