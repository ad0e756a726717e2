"""Reading policies: what is accepted, and that every mistake is told with its place, its reason and a way out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.policy.load import load_policy
from auditor.ports import PortSet

DATA = Path(__file__).parent / "data" / "policies"
REFUSED = sorted((DATA / "refused").glob("*.yaml")) + sorted((DATA / "refused-by-reader").glob("*.yaml"))


def refusal(path: Path) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return caught.value


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place(path: Path) -> None:
    place, message = path.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
    error = refusal(path)
    found = [(f"{problem.line}:{problem.column}", problem.message) for problem in error.problems]
    assert [(p, m[: len(message)]) for p, m in found] == [(place, message)]
    (problem,) = error.problems
    assert problem.path == str(path)
    assert problem.excerpt == path.read_text().splitlines()[problem.line - 1].rstrip()
    assert str(problem) in str(error)


def test_the_fix_names_what_was_meant() -> None:
    fixes = {
        "unknown-key": "did you mean 'zones'?",
        "unknown-zone-key": "did you mean 'dynamic_ports'?",
        "zone-without-role": "did you mean 'agents'?",
        "unknown-role": "did you mean 'agents'?",
        "range-backwards": "write 50100-50124",
        "host-bits": "write 10.0.2.0/24 for the network, or 10.0.2.9 for the one host",
    }
    told = {path.stem: refusal(path).problems[0].fix for path in REFUSED if path.stem in fixes}
    assert told == fixes


def test_all_mistakes_are_told_at_once_in_order_of_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "generaton: 11d-12\nndmp_port: 0\nzones:\n  media-servers: [10.0.1.5]\n"
        "  agents: {hosts: [10.0.1.5, nowhere], dynamic_ports: 2-1}\n",
    )
    lines = [problem.line for problem in refusal(path).problems]
    assert lines == [1, 2, 5, 5, 5]


def test_everything_that_a_policy_can_say() -> None:
    policy = load_policy(DATA / "accepted" / "everything.yaml")
    zones = {zone.name: zone for zone in policy.zones}
    assert policy.data_direction == "media-to-agent"
    assert zones["agents"].dynamic_ports == PortSet(((50100, 50124), (50130, 50130)))
    assert zones["agents-dmz"].role == "agents"
    assert policy.ndmp_ports() == (9998, 9999, 10000)
    assert policy.ndmp_port_of("10.0.2.24") == 9998  # its services file
    assert policy.ndmp_port_of("192.0.2.7") == 9999  # its zone
    assert policy.ndmp_port_of("10.0.2.23") == 10000  # the policy
    assert str(policy.dynamic_ports_of("10.0.2.23")) == "50100-50150"
    assert policy.dynamic_ports_of("10.0.3.9") is None
    assert policy.name_of("10.0.2.23") == "agent3"
    assert policy.smtp_ports == PortSet.of([25, 587])
    assert policy.zone_of("2001:db8::5") is zones["media-servers"]
    assert policy.zone_of("::ffff:10.0.1.5") is zones["media-servers"]
    assert policy.zone_of("203.0.113.1") is None
    rdp = policy.site_terms[0]
    assert (rdp.source, rdp.destination) == (("consoles",), ("media-servers", "agents"))
    assert rdp.ports == PortSet.of([3389])


def test_a_role_means_all_zones_that_have_it_unless_a_zone_has_that_name(tmp_path: Path) -> None:
    zones = "zones:\n  a: {role: agents, hosts: [10.0.1.0/24]}\n  b: {role: agents, hosts: [10.0.2.0/24]}\n"
    terms = "terms:\n  - {name: x, action: deny, source: agents, destination: 10.0.9.0/24}\n"
    assert load_policy(written(tmp_path, zones + terms)).site_terms[0].source == ("a", "b")
    zones += "  agents: [10.0.3.0/24]\n"
    term = load_policy(written(tmp_path, zones + terms)).site_terms[0]
    assert (term.source, term.destination) == (("agents",), ("10.0.9.0/24",))


HOSTILE = {
    "nothing": (b"", "the file is empty"),
    "only a comment": (b"# zones\n", "the file is empty"),
    "not UTF-8": (b"zones:\n  agents: [\xff]\n", "byte 0xff is not UTF-8"),
    "UTF-16": ("zones: {}".encode("utf-16"), "the file is UTF-16"),
    "a zero byte": (b"zones:\n  a\x00b: 1\n", "character U+0000 is not allowed"),
    "a tab": (b"zones:\n\tagents: [10.0.0.1]\n", "a tab is used for indentation"),
    "an open bracket": (b"zones: [10.0.0.1\n", "not YAML"),
    "an open quote": (b'zones: "10.0.0.1\n', "not YAML"),
    "an alias": (b"a: &x [1]\nzones: *x\n", "anchor &x is not allowed"),
    "a billion laughs": (
        b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (c, c, c - 1, c - 1) for c in range(98, 122)),
        "anchor &a is not allowed",
    ),
    "deep nesting": (b"[" * 100_000, "nested more than"),
    "deep mappings": (b"zones: " + b"{a: " * 5_000, "nested more than"),
    "very long": (b"zones: [" + b"a," * 3_000_000 + b"]", "the file is larger than"),
    "very many values": (b"zones: [" + b"a," * 300_000 + b"]", "the file holds more than"),
    "a Python object": (b"zones: !!python/object/apply:os.system ['true']\n", "tag tag:yaml.org,2002:python"),
    "a second document": (b"zones: {}\n---\nzones: {}\n", "a second document begins here"),
    "a list as a key": (b"zones:\n  ? [a, b]\n  : 1\n", "a key must be plain text"),
    "binary": (bytes(range(256)), "is not UTF-8"),
}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.replace(" ", "-"))
def test_a_hostile_file_gets_one_message(case: str, tmp_path: Path) -> None:
    data, message = HOSTILE[case]
    (problem,) = refusal(written(tmp_path, data)).problems
    assert message in problem.message
    assert len(str(problem)) < 1000


def test_the_place_of_a_byte_that_is_not_utf8(tmp_path: Path) -> None:
    (problem,) = refusal(written(tmp_path, "zones:\n  ä: [\n".encode() + b"  x: \xe9\n")).problems
    assert (problem.line, problem.column) == (3, 6)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load_policy(written(tmp_path, b"\xef\xbb\xbfzones:\r\n  agents: [10.0.0.1]\r\n")).zones[0].name == "agents"


def test_what_is_no_file(tmp_path: Path) -> None:
    (missing,) = refusal(tmp_path / "none.yaml").problems
    assert missing.message == "cannot be read: No such file or directory"
    (folder,) = refusal(tmp_path).problems
    assert folder.message == "this is a directory, not a file"


def test_many_mistakes_do_not_make_many_messages(tmp_path: Path) -> None:
    text = "zones:\n" + "".join(f"  z{n}: [x]\n" for n in range(5000))
    assert len(refusal(written(tmp_path, text)).problems) == 100


def test_words_of_yaml_1_1_stay_words(tmp_path: Path) -> None:
    text = "zones:\n  on: {role: agents, hosts: [10.0.0.1]}\n  22:30: {role: agents, hosts: [10.0.0.2]}\n"
    assert [zone.name for zone in load_policy(written(tmp_path, text)).zones] == ["on", "22:30"]


def test_a_control_character_never_reaches_a_message(tmp_path: Path) -> None:
    text = 'zones:\n  agents: ["\\e[31m10.0.0.1"]\n'
    assert "\x1b" not in str(refusal(written(tmp_path, text)))


def test_ten_thousand_hosts_load(tmp_path: Path) -> None:
    hosts = "".join(f"    - 10.{n >> 8}.{n & 255}.1\n" for n in range(10_000))
    policy = load_policy(written(tmp_path, f"zones:\n  agents:\n{hosts}  filers: [192.0.2.1]\n"))
    assert len(policy.zones[0].networks) == 10_000
    assert policy.zone_of("10.39.15.1") is policy.zones[0]


def test_policies_and_services_are_read_without_numpy() -> None:
    code = (
        "import sys; from auditor.policy.load import load_policy; from auditor.services import load_catalogue;"
        f"load_catalogue(); load_policy({str(DATA / 'accepted' / 'everything.yaml')!r});"
        "sys.exit('numpy' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=DATA.parents[2], check=False).returncode == 0
