"""Hold auditor beside every peer that is installed, on the same captures, in turn: ``python -m bench.speed``.

Prints a table for each workload in Markdown: medians of CPU time and elapsed, over those of ``auditor audit``, and what each
program counted beside the truth. ``--write`` puts them into a page, between its marks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Cost, FailedError, machine, median, run
from bench.peers import PEERS, Peer, Seen
from bench.workloads import ROOT, SIZES, Workload, workload

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_HEAD = "| program | CPU s | of ours | elapsed s | of ours | peak MB | packets, flows |\n|---|---|---|---|---|---|---|"


@dataclass(slots=True)
class Result:
    """What one program cost and counted on one workload; ``failed`` says why it did neither."""

    peer: Peer
    costs: list[Cost] = field(default_factory=list)
    seen: Seen = (None, None)
    failed: str = ""


def compare(load: Workload, peers: list[Peer], runs: int, folder: Path) -> list[Result]:
    """Run all programs in turn, so that what else the machine does falls on all of them alike."""
    results = [Result(peer) for peer in peers]
    for turn in range(runs):
        for result in results:
            if result.failed:
                continue
            own = folder / folder_name(result.peer.name)
            own.mkdir(exist_ok=True)
            try:
                result.costs.append(run(result.peer.command(load.path, own), own / "out.txt"))
            except (FailedError, OSError) as error:
                result.failed = str(error)
                continue
            if turn == 0:
                printed = own / "out.txt"
                text = printed.read_text(errors="replace") if printed.stat().st_size < 1 << 20 else ""
                result.seen = result.peer.seen(text, load.path, own)
    return results


def folder_name(name: str) -> str:
    """Return a name that a folder can have."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def judged(peer: Peer, seen: Seen, load: Workload) -> str:
    """Return whether a program counted what is there; where it did not, why, as far as that is known."""
    truth, said, otherwise = load.truth, [], False
    for name, found, own in (("packets", seen[0], peer.packets(truth)), ("flows", seen[1], peer.flows(truth))):
        otherwise |= own != truth[name]
        if found is None:
            said.append(f"counts no {name}")
        elif found != own:
            said.append(f"**{found:,} of {own:,} {name}**")
    cut = "--snaplen" in SIZES[load.name] and peer.cut_why
    if any(part.startswith("**") for part in said):
        said.append(cut or peer.odd_why or "why is not known")
    else:
        said = ["agrees", *said, *([peer.why] if otherwise else [])]
    return ", ".join(part for part in said if part)


def table(load: Workload, results: list[Result]) -> str:
    """Return the table of one workload."""
    truth = load.truth
    made = f"{load.path.stat().st_size / 1e6:,.0f} MB (`workload {' '.join(SIZES[load.name])}`)"
    lines = [f"**{load.name}**: {truth['packets']:,} packets, {truth['flows']:,} flows, {made}", "", _HEAD]
    ours = next((median(result.costs) for result in results if result.costs), None)
    for result in results:
        if result.failed or ours is None:
            lines.append(f"| {result.peer.name} | | | | | | failed: {result.failed} |")
            continue
        cost = median(result.costs)
        lines.append(
            f"| {result.peer.name} | {cost.cpu:.2f} | {cost.cpu / ours.cpu:.1f} | {cost.elapsed:.2f} |"
            f" {cost.elapsed / ours.elapsed:.1f} | {cost.peak:.0f} | {judged(result.peer, result.seen, load)} |"
        )
    return "\n".join(lines)


def chosen_peers(load: Workload, names: list[str]) -> tuple[list[Peer], list[str]]:
    """Return the programs to run on a workload, and of each that is left out why."""
    kept, left = [], []
    for peer in PEERS:
        if names and not any(name in peer.name for name in names):
            continue
        if not peer.installed():
            left.append(f"{peer.name} (not installed)")
        elif load.truth["packets"] > peer.most:
            left.append(f"{peer.name} (would take too long)")
        else:
            kept.append(peer)
    return kept, left


def write_into(page: Path, text: str) -> None:
    """Put a text between the marks of a page. Raises ValueError where it has none."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> int:
    """Run; 1 where auditor itself counted wrong or failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workloads", nargs="+", default=["S", "M96", "M", "F"], choices=SIZES, metavar="NAME")
    options.add_argument("--peers", nargs="+", default=[], help="parts of names; all that are installed")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--folder", type=Path, default=ROOT / "target" / "bench", help="of the captures")
    options.add_argument("--write", type=Path, help="page that keeps the tables")
    chosen = options.parse_args()
    texts, wrong = [f"{machine()}. Medians of {chosen.runs}, in turn."], False
    print(texts[0], end="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in chosen.workloads:
            load = workload(name, chosen.folder)
            peers, left = chosen_peers(load, chosen.peers)
            results = compare(load, peers, chosen.runs, Path(scratch))
            texts.append(table(load, results) + (f"\n\nLeft out: {', '.join(left)}." if left else ""))
            print(texts[-1], end="\n\n", flush=True)
            ours = [result for result in results if result.peer.needs == "auditor"]
            wrong |= any(result.failed or judged(result.peer, result.seen, load) != "agrees" for result in ours)
    if chosen.write:
        write_into(chosen.write, "\n\n".join(texts))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
