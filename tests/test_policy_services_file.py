"""The hosts' own services files, as Windows and Unix keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policy.services_file import parse_services_file, read_services_file


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("ndmp\t10000/tcp\t\t#Network Data Management Protocol\n", 10000),  # as the vendor's chapter prints it
        ("ndmp 9999/tcp", 9999),
        ("  ndmp   9999/tcp  ndmpd  NDMP  # comment", 9999),
        ("http 80/tcp www\r\nndmp 10001/tcp\r\n", 10001),
        ("ndmp 10001/udp\nndmp 10000/tcp\n", 10000),
        ("snmp-backup 9999/tcp ndmp\n", 9999),  # as an alias
        ("#ndmp 1/tcp\nndmp 2/TCP\n", 2),
        ("ndmp-data 9/tcp\nnot-ndmp 8/tcp\nndmp 7/tcp\n", 7),
        ("garbage\n\x00\xff : :\nndmp 7/tcp\n", 7),
    ],
)
def test_the_port_is_found(text: str, port: int) -> None:
    found = parse_services_file(text, "services")
    assert (found.port, found.problems) == (port, ())


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file has no ndmp/tcp entry"),
        ("http 80/tcp\n", 1, "the file has no ndmp/tcp entry"),
        ("http 80/tcp\nndmp 10000/udp\n", 2, "ndmp is given for udp only; Backup Exec uses TCP"),
        ("NDMP 10000/tcp\n", 1, "the file has no entry named ndmp, only another spelling"),
        ("\n# ndmp 10000/tcp\n", 2, "the only ndmp entry is a comment"),
        ("ndmp 10000/tcp\nndmp 10001/tcp\n", 2, "ndmp has two TCP ports: 10000 on line 1 and 10001 here"),
        ("ndmp 10000\n", 1, "expected a port and a transport after the name, found '10000'"),
        ("ndmp tcp/10000\n", 1, "expected a port and a transport after the name, found 'tcp/10000'"),
        ("ndmp\n", 1, "expected a port and a transport after the name, found nothing"),
        ("\nndmp 70000/tcp\n", 2, "port 70000 does not exist"),
        ("ndmp 0/tcp\n", 1, "port 0 does not exist"),
    ],
)
def test_what_makes_a_file_unusable(text: str, line: int, message: str) -> None:
    found = parse_services_file(text, "hosts/services")
    assert found.port is None
    (problem,) = found.problems
    assert (problem.path, problem.line, problem.message) == ("hosts/services", line, message)
    assert problem.fix


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("ndmp 9999/tcp\nndmp 9999/tcp\n", 2, "ndmp is given twice; the first is on line 1"),
        ("Ndmp 10000/tcp\nndmp 9999/tcp\n", 1, "'Ndmp' is not the name that Backup Exec looks up"),
    ],
)
def test_oddities_are_noted(text: str, line: int, message: str) -> None:
    found = parse_services_file(text, "services")
    assert found.port == 9999
    assert [(note.line, note.message) for note in found.notes] == [(line, message)]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (problem,) = read_services_file(tmp_path, "etc/services").problems
    assert (problem.path, problem.message) == ("etc/services", "this is a directory, not a file")


def test_comments_in_an_old_code_page(tmp_path: Path) -> None:
    path = tmp_path / "services"
    path.write_bytes(b"# M\xfcnchen\nndmp 9999/tcp # \xe4\n")
    assert read_services_file(path, "services").port == 9999
    path.write_bytes("ndmp 9999/tcp\n".encode("utf-16"))
    (problem,) = read_services_file(path, "services").problems
    assert problem.message == "the services file is UTF-16"
