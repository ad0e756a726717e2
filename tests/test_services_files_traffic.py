"""Services files of several hosts held against each other and against the traffic: hand-made scenes."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.examples import judge_scene
from auditor.model import Severity
from auditor.notation import parse
from auditor.packs.load import load_pack
from auditor.policy.load import load_policy
from auditor.services import load_catalogue
from auditor.services.folder import rules_folder

MEDIA, OTHER_MEDIA, AGENT, SECOND = "10.0.1.5", "10.0.1.6", "10.0.2.9", "10.0.2.10"
PACK = load_pack([rules_folder() / "checks"])
WINDOWS = "# Copyright (c) 1993-2004 Microsoft Corp.\r\nndmp\t{port}/tcp\t\t#Network Data Management Protocol\r\n"
UNIX = "ndmp            {port}/tcp                      # Network Data Management Protocol\nndmp {port}/udp\n"
LOGIN = "app=ndmp control login=accepted auth=md5"


def codes(folder: Path, files: dict[str, str], *lines: str) -> set[str]:
    """Return the codes of the findings that count on a scene, under services files by host."""
    policy = ["generation: 11d-12", "zones:", f"  media-servers: [{MEDIA}, {OTHER_MEDIA}]"]
    policy += [f"  agents: {{hosts: [{AGENT}, {SECOND}], dynamic_ports: 50100-50124}}", "hosts:"]
    for host, text in files.items():
        (folder / f"services.{host}").write_bytes(text.encode())
        policy.append(f"  {host}: {{services_file: services.{host}}}")
    path = folder / "policy.yaml"
    path.write_text("\n".join(policy) + "\n")
    found = judge_scene(parse("\n".join(lines)), load_policy(str(path)), load_catalogue("11d-12"), PACK)
    return {finding.code for finding in found if finding.severity >= Severity.LOW}


@pytest.mark.parametrize("form", [WINDOWS, UNIX], ids=["windows", "unix"])
def test_an_override_that_everyone_follows(tmp_path: Path, form: str) -> None:
    files = {host: form.format(port=9999) for host in (MEDIA, AGENT)}
    assert codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:9999 tcp SF {LOGIN}") == set()


def test_an_override_that_is_not_applied(tmp_path: Path) -> None:
    """The file says 9999, the agent still answers on 10000."""
    files = {AGENT: WINDOWS.format(port=9999)}
    assert codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:10000 tcp SF {LOGIN}") == {"BX501"}


def test_an_override_that_nobody_declared(tmp_path: Path) -> None:
    files = {AGENT: WINDOWS.format(port=10000)}
    assert codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:9998 tcp SF {LOGIN}") == {"BX501"}


def test_split_brain_of_two_media_servers(tmp_path: Path) -> None:
    """One media server finds the agent on its new port, the other calls the declared one in vain."""
    files = {AGENT: UNIX.format(port=10000)}
    found = codes(
        tmp_path,
        files,
        f"{MEDIA}:40000 > {AGENT}:9999 tcp SF {LOGIN}",
        f"{OTHER_MEDIA}:40000 > {AGENT}:10000 tcp REJ",
    )
    assert "BX502" in found


def test_one_agent_of_two_has_moved(tmp_path: Path) -> None:
    files = {AGENT: UNIX.format(port=9999), SECOND: UNIX.format(port=10000)}
    lines = [f"{MEDIA}:40000 > {AGENT}:9999 tcp SF {LOGIN}", f"{MEDIA}:40001 > {SECOND}:10000 tcp SF {LOGIN}"]
    assert codes(tmp_path, files, *lines) == set()


def test_webmin_on_the_declared_port(tmp_path: Path) -> None:
    files = {AGENT: UNIX.format(port=10000)}
    assert codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:10000 tcp SF app=http") == {"BX503"}
    # Where NDMP was declared elsewhere, Webmin on 10000 is not its business.
    moved = codes(tmp_path, {AGENT: UNIX.format(port=9999)}, f"{MEDIA}:40000 > {AGENT}:10000 tcp SF app=http")
    assert "BX503" not in moved


@pytest.mark.parametrize("end", ["tcp REJ", "tcp S0 x3"], ids=["refused", "unanswered"])
@pytest.mark.parametrize("form", [WINDOWS, UNIX], ids=["windows", "unix"])
def test_the_media_servers_file_against_the_agents(tmp_path: Path, form: str, end: str) -> None:
    """The media server calls on the port of its own file; the agent listens on that of its own."""
    files = {MEDIA: form.format(port=10000), AGENT: form.format(port=9999)}
    assert codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:10000 {end}") == {"BX506"}
    # Moved the other way: only the media server's file was changed.
    moved = {MEDIA: form.format(port=9999), AGENT: form.format(port=10000)}
    assert codes(tmp_path, moved, f"{MEDIA}:40000 > {AGENT}:9999 {end}") == {"BX506"}
    # The port of neither.
    assert "BX506" not in codes(tmp_path, files, f"{MEDIA}:40000 > {AGENT}:9998 {end}")


def test_files_with_aliases_duplicates_and_udp_entries(tmp_path: Path) -> None:
    """By name or alias, once or twice; an entry for UDP says nothing of NDMP."""
    agent = "ndmp 10000/udp\nndmpd 9999/tcp ndmp # moved\nndmp\t9999/tcp\n"
    lines = [f"{MEDIA}:40000 > {AGENT}:9999 tcp SF {LOGIN}"]
    assert codes(tmp_path, {AGENT: agent, MEDIA: UNIX.format(port=9999)}, *lines) == set()
