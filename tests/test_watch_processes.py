"""Programs behind local ports: a real listener of this process, seen by psutil and judged by the table of listeners."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from auditor.listeners import Listing
from auditor.pipeline.auditing import audit_reading
from auditor.pipeline.yardstick import prepare
from auditor.watch import processes
from tests.helpers.live_fake import FakeLive
from tests.support import CAPTURES

psutil = pytest.importorskip("psutil", reason="psutil is not installed")


def test_a_listener_of_this_machine_is_told_with_its_program() -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        listings = processes.own_listings()
    own = {one.address for several in psutil.net_if_addrs().values() for one in several if one.family == socket.AF_INET}
    own -= {address for address in own if address.startswith(("127.", "169.254."))}
    if not own:
        pytest.skip("this machine has no address but loopback")
    assert own <= {listing.host for listing in listings}
    (found,) = (one for one in listings[0].listeners if one.port == port)
    assert (found.transport, found.bound, found.pid) == ("tcp", "all", os.getpid())
    assert found.program == psutil.Process().name()


def test_without_the_package_the_hint_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from auditor.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(MissingExtra) as told:
        processes.own_listings()
    assert "auditor[processes]" in told.value.fix


def test_a_backup_exec_port_of_another_program_is_a_finding_and_the_right_one_proves_the_role() -> None:
    folder = CAPTURES / "compliant"
    live = FakeLive(folder / "compliant.pcap", per_pump=10_000)
    live.pump(0)
    yardstick = prepare(folder / "policy.yaml")
    for program, rule, proved in (("nc", True, ()), ("beremote", False, ("beremote.exe",))):
        listing = Listing(
            "10.77.0.21", "this machine", "this machine", (processes.Listener("tcp", "", 10000, program, 1),)
        )
        report, _ = audit_reading(live.snapshot(), replace(yardstick, listings=(listing,)))
        assert any(one.name == "port-of-another-program" for one in report.findings) is rule
        (host,) = (one for one in report.hosts if one.address == "10.77.0.21")
        assert host.proved_roles == proved
    live.close()
