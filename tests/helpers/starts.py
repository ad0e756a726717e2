"""Runs of the command without its start: a process that has loaded the command line once forks one for each.

A run is still a process of its own, with its own exit code, streams, folder and environment; what it does not do is import
NumPy and a hundred modules again, which is most of the time of a small audit. ``tests/test_import_budget.py`` and whoever
starts ``COMMAND`` itself look at the start.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LOADED = ("auditor.cli.commands", "auditor.cli.audit", "auditor.cli.auditing", "auditor.pipeline.auditing")
"""What is imported before the first run. Nothing of it is called: what a module keeps, each run finds out for itself."""


def run(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], streams: tuple[Path, Path], timeout: float
) -> int:
    """Run ``auditor`` with ``words``, without input, its output in two files; return its exit code (negative: a signal).

    Raises TimeoutError where it has not ended by then; it is killed.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    order = {"words": [*words], "cwd": str(cwd), "environment": {**environment}, "streams": [*map(str, streams)]}
    server.stdin.write(json.dumps(order).encode() + b"\n")
    pid = int(server.stdout.readline())
    if not select.select([server.stdout], [], [], timeout)[0]:
        os.kill(pid, 9)
        server.stdout.readline()
        raise TimeoutError(f"auditor {' '.join(words)}: {timeout} s")
    return int(server.stdout.readline())


@cache
def _server() -> subprocess.Popen[bytes]:
    code = "from tests.helpers.starts import serve; serve()"
    root = Path(__file__).resolve().parents[2]
    # Without buffers: ``select`` would not see an answer that already waits in one.
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root, env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    atexit.register(_leave, server)
    return server


def _leave(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.close()
    server.stdout.close()
    server.wait(10)


def serve() -> None:
    """Answer each order, a line of JSON, by the number of the process and, when it has ended, its exit code."""
    for name in LOADED:
        __import__(name)
    # The runs have other streams than those on which orders come.
    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in orders:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        answers.write(f"{pid}\n")
        answers.flush()
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        answers.flush()


def _become(order: dict[str, Any]) -> None:
    """Be the command; never returns."""
    code = 120
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        files = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for path in order["streams"]]
        for number, file in enumerate((nothing, *files)):
            os.dup2(file, number)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["cwd"])
        sys.argv = ["auditor", *order["words"]]
        from auditor.cli import main

        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
