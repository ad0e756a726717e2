"""The bench makes what it says it makes, and finds that programs agree on it. No clock is looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bench import threads
from bench.peers import PEERS
from bench.speed import chosen_peers, compare, judged, table
from bench.workloads import SIZES, Workload, generator, workload
from tests.support import COMMAND, ROOT

with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
TSHARK_NDMP = ("-d", "tcp.port==10000,ndmp")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    return workload("S", tmp_path_factory.mktemp("bench"))


def fields(capture: Path, *arguments: str) -> list[str]:
    told = subprocess.run(["tshark", "-n", "-r", capture, *arguments], capture_output=True, text=True, check=True)
    return told.stdout.split()


def test_all_that_are_installed_agree_on_a_small_capture(small: Workload, tmp_path: Path) -> None:
    # Those from Debian are quick; the loops in Python take seconds, and only the bench waits for them.
    peers = [peer for peer in chosen_peers(small, [])[0] if "loop" not in peer.name and peer.name != "nfstream"]
    results = compare(small, peers, 1, tmp_path)
    assert peers[0].name == "auditor audit"
    for result in results:
        assert result.failed == ""
        assert judged(result.peer, result.seen, small).startswith("agrees")
    assert table(small, results).count("\n") == len(results) + 3


@with_tshark
def test_the_truth_is_told_by_tshark_too(small: Workload) -> None:
    truth = small.truth
    assert len(fields(small.path, "-T", "fields", "-e", "frame.number")) == truth["packets"]
    streams = {
        name: {*fields(small.path, "-Y", name, "-T", "fields", "-e", f"{name}.stream")} for name in ("tcp", "udp")
    }
    assert (len(streams["tcp"]), len(streams["udp"])) == (truth["tcp_flows"], truth["udp_flows"])
    assert len(fields(small.path, "-Y", "vlan", "-T", "fields", "-e", "vlan.id")) == truth["vlan_packets"]
    control = fields(small.path, *TSHARK_NDMP, "-Y", "ndmp", "-T", "fields", "-e", "tcp.stream")
    assert len({*control}) == truth["control"]


@with_tshark
def test_nothing_in_it_is_broken(small: Workload) -> None:
    checks = [part for name in ("ip", "tcp", "udp") for part in ("-o", f"{name}.check_checksum:TRUE")]
    # 0: bad, in tshark's words; malformed is what no decoder could read.
    bad = " || ".join(f"{name}.checksum.status == 0" for name in ("ip", "tcp", "udp", "icmp", "icmpv6"))
    assert (
        fields(small.path, *TSHARK_NDMP, *checks, "-Y", f"_ws.malformed || {bad}", "-T", "fields", "-e", "frame.number")
        == []
    )


def test_the_same_arguments_give_the_same_bytes_and_a_snaplen_only_cuts_them(tmp_path: Path) -> None:
    program = generator(tmp_path)
    made = [
        subprocess.run([program, "mix", "--packets", "3000", *more], capture_output=True, check=True)
        for more in ([], [], ["--snaplen", "96"])
    ]
    assert made[0].stdout == made[1].stdout
    assert made[0].stderr == made[2].stderr
    assert len(made[2].stdout) < len(made[0].stdout)


@with_tshark
@pytest.mark.parametrize(("shape", "flows"), [("many", 3000), ("scan", 70_000)])
def test_floods_have_the_flows_that_were_asked_for(shape: str, flows: int, tmp_path: Path) -> None:
    program, capture = generator(tmp_path), tmp_path / "flood.pcap"
    subprocess.run([program, shape, "--flows", str(flows), "--output", capture], check=True, capture_output=True)
    rows = fields(capture, "-T", "fields", "-E", "separator=,", "-e", "ip.src", "-e", "ipv6.src", "-e", "tcp.srcport",
                  "-e", "udp.srcport", "-e", "ip.dst", "-e", "ipv6.dst", "-e", "tcp.dstport", "-e", "udp.dstport")  # fmt: skip
    halves = ((row.split(",")[:4], row.split(",")[4:]) for row in rows)
    assert len({tuple(map(tuple, sorted(pair))) for pair in halves}) == flows


def test_a_scan_becomes_one_finding(tmp_path: Path) -> None:
    """A host that tries every port of an agent is one subject, however many ports there are."""
    program, capture, policy = generator(tmp_path), tmp_path / "scan.pcap", tmp_path / "site.yaml"
    subprocess.run([program, "scan", "--flows", "65535", "--output", capture], check=True, capture_output=True)
    policy.write_text(
        "zones:\n  media-servers: [10.20.0.5]\n  agents: {hosts: [10.20.1.10], dynamic_ports: 50100-50299}\n"
    )
    done = subprocess.run(
        [COMMAND, "audit", capture, "--policy", policy, "--format", "jsonl"], capture_output=True, text=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if "192.0.2.66" in line]
    assert len(told) < 6
    (scan,) = (line for line in told if line["type"] == "finding")
    assert scan["code"] == "BX620"
    assert "tried 65535 ports" in scan["message"]


def test_every_workload_is_told_in_a_way_that_the_generator_knows() -> None:
    assert {told[0] for told in SIZES.values()} == {"mix", "many", "scan"}
    assert [peer.needs for peer in PEERS][:2] == ["auditor", "auditor"]
    assert (ROOT / "bench" / "loops" / "dpkt_loop.py").is_file()


def test_two_threads_are_held_beside_one(small: Workload) -> None:
    taken = threads.pairs(str(small.path), 2)
    assert len(taken) == 2
    # By hand: the ratios are 2, 1.5 and 4, and the best of each 3 and 1 ms.
    line = threads.row("S", [(0.004, 0.002), (0.003, 0.002), (0.004, 0.001)])
    assert line == "| S | 4.0 (3.0) | 2.0 (1.0) | 2.00 (3.00) |"
    with pytest.raises(SystemExit, match=r"nothing\.pcap: "):
        threads.pairs(str(small.path.with_name("nothing.pcap")), 1)
