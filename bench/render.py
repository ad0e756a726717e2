"""How long a report of many findings takes to be rendered, against the standard library's JSON of the same document.

    python -m bench.render [--findings 10000] [--rounds 7]

Everything is CPU time of this process, and the rounds of the formats and of the base take turns, so that what else the
machine does falls on all alike. The findings are those of one rule at many ports and hosts, each with a flow of evidence.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from auditor.model import Evidence, Finding, FlowReference, Report
from auditor.report.json_ import to_dict
from auditor.report.registry import render
from tests.report_samples import finding, report


def many(count: int) -> Report:
    """Return a report of so many findings; some of its text is beyond ASCII, as in most real ones."""
    return report(
        findings=tuple(_finding(number) for number in range(count)), limits=("Only 15:42:15–15:42:23 was seen.",)
    )


def _finding(number: int) -> Finding:
    port, agent = 1024 + number % 40_000, f"10.77.{number // 250 % 250}.{number % 250 + 1}"
    evidence = Evidence(
        flow=FlowReference("tcp", f"10.77.0.10:{30_000 + number % 20_000}", f"{agent}:{port}"),
        packets=(number * 7 + 1, number * 7 + 2, number * 7 + 5),
        capture="site.pcap",
        note="announced by NDMP",
    )
    return replace(
        finding(port),
        subject={"host": agent, "port": str(port)},
        key=f"BX301 host={agent} port={port} at={number}",
        message=f"{agent} listened for backup data on port {port}, outside 50100-50124.",
        evidence=(evidence,),
    )


def _cpu(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print a line for the base and one for each format."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--findings", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("formats", nargs="*", default=["json", "html"])
    given = options.parse_args()
    made = many(given.findings)
    document = to_dict(made)
    works: dict[str, Callable[[], object]] = {"base": lambda: json.dumps(document, indent=2)}
    works |= {name: lambda name=name: render(made, name) for name in given.formats}
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(given.rounds):
        for name, work in works.items():
            times[name].append(_cpu(work))
    base = statistics.median(times["base"])
    size = len(render(made, "json")) / 1e6
    print(f"{given.findings} findings, {size:.1f} MB of JSON, median of {given.rounds} rounds, CPU time")
    for name, taken in times.items():
        print(f"{name:>12}  {statistics.median(taken):.3f} s  {statistics.median(taken) / base:.2f} of the base")


if __name__ == "__main__":
    main()
