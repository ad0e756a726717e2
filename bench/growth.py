"""Measure how the cost of an audit grows with packets and with flows: ``python -m bench.growth``.

The captures are made on the fly and read from a pipe, so that no disk has to hold a hundred million packets. The generator's
own time is not counted. What is over soon is measured several times, or its start would be told by a neighbour on the host.
Prints a table in Markdown, and draws it (``--svg``) on scales where a straight, level line is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Cost, machine, median, run
from bench.workloads import ROOT, generator

Point = tuple[int, int, Cost]
"""Packets, flows, and what an audit of them took."""

SOON = 10**6
"""Packets or flows up to which a point is the median of `RUNS` audits."""
RUNS = 5


def measured(program: Path, arguments: Sequence[str], folder: Path) -> Point:
    """Audit what the generator writes. Raises ValueError where auditor did not see all of it."""
    report = folder / "report.json"
    auditor = Path(sys.executable).parent / "auditor"
    with (folder / "told").open("w+") as told:
        maker = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=told)
        assert maker.stdout is not None
        command = [auditor, "audit", "-", "--format", "json", "--output", report, "--no-progress"]
        cost = run(command, folder / "out", seconds=36_000, stdin=maker.stdout.fileno())
        maker.stdout.close()
        maker.wait()
        told.seek(0)
        truth = json.loads(told.read())
    totals = json.loads(report.read_text())["totals"]
    if (totals["packets"], totals["flows"]) != (truth["packets"], truth["flows"]):
        raise ValueError(f"seen {totals}, made {truth}")
    return truth["packets"], truth["flows"], cost


def rows(points: Sequence[Point], *, by_flow: bool) -> list[str]:
    """Return the lines of a table; cost per packet or flow is that beyond the smallest capture, mostly the start."""
    first = points[0][2].cpu
    lines = []
    for packets, flows, cost in points:
        count = flows if by_flow else packets
        each = (cost.cpu - first) / count * 1e9 if cost.cpu > first else math.nan
        told = "" if math.isnan(each) else f"{each:,.0f}"
        lines.append(f"| {packets:,} | {flows:,} | {cost.cpu:.2f} | {told} | {cost.peak:,.0f} |")
    return lines


def drawing(series: Sequence[tuple[str, Sequence[Point], bool]]) -> str:
    """Return an SVG of CPU time against packets or flows, both logarithmic."""
    width, height, edge = 640, 360, 50
    xs = [count(point, by_flow) for _, points, by_flow in series for point in points]
    ys = [point[2].cpu for _, points, _ in series for point in points]
    low, high = math.log10(min(xs)), math.log10(max(xs))
    bottom, top = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def place(x: float, y: float) -> tuple[float, float]:
        across = edge + (math.log10(x) - low) / (high - low or 1) * (width - 2 * edge)
        return across, height - edge - (math.log10(y) - bottom) / (top - bottom or 1) * (height - 2 * edge)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    ]
    drawn.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    for power in range(math.ceil(low), math.floor(high) + 1):
        across, _ = place(10**power, 10**bottom)
        drawn.append(f'<path d="M{across:.0f} {edge}V{height - edge}" stroke="#ddd"/>')
        drawn.append(f'<text x="{across:.0f}" y="{height - edge + 18}" text-anchor="middle">10^{power}</text>')
    for power in range(bottom, top + 1):
        _, down = place(10**low, 10**power)
        drawn.append(f'<path d="M{edge} {down:.0f}H{width - edge}" stroke="#ddd"/>')
        drawn.append(f'<text x="{edge - 6}" y="{down + 4:.0f}" text-anchor="end">{10**power:g} s</text>')
    for (name, points, by_flow), colour in zip(series, ("#1f5fa8", "#b3541e"), strict=False):
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in (place(count(point, by_flow), point[2].cpu) for point in points))
        x, y = place(count(points[-1], by_flow), points[-1][2].cpu)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{x:.0f}" y="{y - 8:.0f}" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join([*drawn, "</svg>", ""])


def count(point: Point, by_flow: bool) -> int:
    """Return the flows or the packets of a point."""
    return point[1] if by_flow else point[0]


def main() -> int:
    """Run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--packets", type=float, default=1e7, help="at most; from 10^4 on, ten times more each time")
    options.add_argument("--flows", type=float, default=1e7, help="at most; from 10^3 on")
    options.add_argument("--svg", type=Path)
    chosen = options.parse_args()
    program = generator(ROOT / "target" / "bench")
    print(f"{machine()}.\n")
    series: list[tuple[str, list[Point], bool]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, by_flow, first, most in (("packets", False, 4, chosen.packets), ("flows", True, 3, chosen.flows)):
            shape = ("many", "--flows") if by_flow else ("mix", "--snaplen", "96", "--packets")
            print(f"| packets | flows | CPU s | ns per {name[:-1]} | peak MB |\n|---|---|---|---|---|")
            points: list[Point] = []
            for power in range(first, round(math.log10(most)) + 1):
                arguments, runs = [*shape, str(10**power)], RUNS if 10**power <= SOON else 1
                several = [measured(program, arguments, Path(scratch)) for _ in range(runs)]
                points.append((*several[0][:2], median([cost for _, _, cost in several])))
                print(rows(points, by_flow=by_flow)[-1], flush=True)
            series.append((name, points, by_flow))
            print()
    if chosen.svg:
        chosen.svg.write_text(drawing([(name, points, by_flow) for name, points, by_flow in series]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
