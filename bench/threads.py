"""How much sooner two threads of the core read captures than one does.

    python -m bench.threads FILE... [--rounds 25]

``read_flows`` reads each file by one thread and by two in turn, in this process, after one round that does not count. The
medians of what they took are printed, the best, and the median of the rounds' ratios, so that what else the machine does
falls on both alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from auditor._native import read_flows


def pairs(path: str, rounds: int) -> list[tuple[float, float]]:
    """Return the seconds that one thread took, and two, for each round.

    Raises SystemExit where they do not count the same.
    """
    taken = []
    for _ in range(rounds + 1):
        (one, counts), (two, others) = _read(path, 1), _read(path, 2)
        if counts != others:
            raise SystemExit(f"{path}: one thread counts {counts} packets and flows, two {others}")
        taken.append((one, two))
    return taken[1:]


def _read(path: str, threads: int) -> tuple[float, tuple[int, int]]:
    start = time.perf_counter()
    reading = read_flows([path], threads=threads)
    seconds = time.perf_counter() - start
    (facts,) = reading.files
    if facts.error:
        raise SystemExit(f"{path}: {facts.error}")
    return seconds, (facts.packets, len(reading.flow_columns()["first_packet"]))


def row(path: str, taken: Sequence[tuple[float, float]]) -> str:
    """Return a line of the table, in milliseconds."""
    one, two = ([pair[place] * 1000 for pair in taken] for place in (0, 1))
    ratio = statistics.median(first / second for first, second in taken)
    best = min(one) / min(two)
    cells = [f"{statistics.median(times):.1f} ({min(times):.1f})" for times in (one, two)]
    return f"| {path} | {cells[0]} | {cells[1]} | {ratio:.2f} ({best:.2f}) |"


def main() -> None:
    """Print a line for each file."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("files", nargs="+")
    options.add_argument("--rounds", type=int, default=25)
    given = options.parse_args()
    print("| capture | one thread, ms (the best) | two | one over two, by pairs (of the best) |\n|---|---|---|---|")
    for path in given.files:
        print(row(path, pairs(path, given.rounds)), flush=True)


if __name__ == "__main__":
    main()
