"""NDMP jobs with Debian's unchanged ndmjob: the media server's mover listens, the agent connects out."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import witness
from network import Network, address
from scenarios import policy

Json = dict[str, Any]

NDMJOB = "/usr/lib/amanda/ndmjob"
LOGS = Path("/var/log/amanda/client")
"""Where ndmjob logs; a folder of the run's own is mounted over it, for its processes alone."""

JOBS = (("2", "md5"), ("3", "text"), ("4", "md5"))
"""NDMP version and authentication of each job; ndmjob's built-in account is ndmp/ndmp."""

CONFIG = "[butype tar]\nv2attr = 0\nv3attr = 0\nv4attr = 0\n"
"""Without a declared backup type the data agent refuses every backup."""

FORMATTER = "#!/bin/sh\nexec tar --create --file=- --directory={folder} data\n"
"""What the data agent runs for backup type tar; the file history is left out."""

AGENT_PORTS, MEDIA_PORTS = (50100, 50124), (50200, 50224)
LOGGED = 'mount --bind "$1" ' + str(LOGS) + '; export PATH="$2:$PATH"; shift 2; exec "$@"'


def mover_listen(network: Network, _: Path) -> Json:
    """Run three backups of agent1, one after the other, and return what the processes told."""
    network.dynamic_ports("agent1", *AGENT_PORTS)
    network.dynamic_ports("media", *MEDIA_PORTS)
    with tempfile.TemporaryDirectory(prefix="auditor-lab-") as name:
        work = Path(name)
        _prepare(work)
        told = [_job(network, work, *job) for job in JOBS]
    return {
        "description": "three backups, one after the other: NDMP v2/md5, v3/text, v4/md5; the media server listens",
        "policy": policy(agent_dynamic_range=list(AGENT_PORTS), media_dynamic_range=list(MEDIA_PORTS)),
        "jobs": [job for job, _, _ in told],
        "control_sessions": [session for _, session, _ in told],
        "data_connections": [data for _, _, data in told],
        "peak_concurrent_data_connections": {"agent1": 1, "media": 1},
        "notes": ["The media server's port range also supplies the source ports of its control connections."],
    }


def _prepare(work: Path) -> None:
    (work / "ndmjob.conf").write_text(CONFIG)
    formatter = work / "bin" / "wrap_tar"
    formatter.parent.mkdir()
    formatter.write_text(FORMATTER.format(folder=work))
    formatter.chmod(0o755)
    (work / "data").mkdir()
    (work / "data" / "random").write_bytes(os.urandom(20_000))


def _job(network: Network, work: Path, version: str, authentication: str) -> tuple[Json, Json, Json]:
    """Run one backup; return the job, its control session and its data connection."""
    name = f"v{version}-{authentication}"
    folder = work / name
    for part in ("agent-log", "media-log", "agent", "media"):
        (folder / part).mkdir(parents=True)
    agent = network.start(
        "agent1",
        *_logged(folder / "agent-log", work, folder / "agent"),
        *(NDMJOB, "-o", f"config-file={work / 'ndmjob.conf'}", "-o", "test-daemon", "-p", "10000", "-d7"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert agent.stdin is not None
    assert agent.stdout is not None
    agent.stdout.readline()  # "READY"
    tape = folder / "tape"
    tape.touch()
    account = f"{address('agent1')}:10000/{version}{authentication[0]},ndmp,ndmp"
    done = network.run(
        "media",
        *_logged(folder / "media-log", work, folder / "media"),
        *(NDMJOB, "-c", "-D", account, "-B", "tar", "-C", work, "-T", ".", "-f", tape, "-d5", "-v"),
        timeout=30,
    )
    _await_log(folder / "agent-log")
    agent.communicate("", timeout=10)  # closing its stdin ends the daemon
    complete = done.returncode == 0 and "Operation ended OKAY" in done.stdout + done.stderr
    if not complete:
        raise RuntimeError(f"job {name} failed:\n{done.stdout}{done.stderr}")
    job = {"name": name, "op": "backup", "exit": done.returncode, "outcome": "complete"}
    return job, *_told(folder, name, authentication)


def _logged(log: Path, work: Path, traces: Path) -> tuple[str | Path, ...]:
    """Return the words before a command that give it its own log folder, its formatter and its witness."""
    traced = ("strace", "-ff", "-ttt", "-s", "0", "-e", witness.CALLS, "-o", traces / "calls")
    return ("sh", "-c", LOGGED, "sh", log, work / "bin", *traced)


def _control_logs(logs: Path) -> list[Path]:
    """Return the logs that tell of a control connection."""
    return [path for path in logs.iterdir() if "#C(" in path.read_text(errors="replace")]


def _await_log(logs: Path) -> None:
    """Wait until the agent has written what it has to say: on a busy machine it is killed before, otherwise."""
    before = -1
    for _ in range(20):
        time.sleep(0.3)
        now = sum(path.stat().st_size for path in _control_logs(logs))
        if now and now == before:
            return
        before = now


def _told(folder: Path, name: str, authentication: str) -> tuple[Json, Json]:
    """Return the control session and the data connection as the processes of one job saw them."""
    agent, media = sorted((folder / "agent").iterdir()), sorted((folder / "media").iterdir())
    (control,) = witness.accepts(agent)
    (data,) = witness.accepts(media)
    (dialled,) = (match for match in witness.connects(agent) if match["address"] == address("media"))
    (log,) = _control_logs(folder / "agent-log")
    version, messages = witness.messages(log)
    number = name[1]
    common = {"on_wire": True, "begun_before_capture": False, "job": name}
    session = {
        "id": f"C{number}",
        "client": control["address"],
        "client_port": int(control["port"]),
        "server": address("agent1"),
        "server_port": 10000,
        "client_host": "media",
        "server_host": "agent1",
        "t_open": float(control["time"]),
        "ndmp_version": version,
        "auth": [{"type": authentication, "result": "OK"}],
        "messages": messages,
        **common,
    }
    connection = {
        "id": f"D{number}",
        "client": data["address"],
        "client_port": int(data["port"]),
        "server": dialled["address"],
        "server_port": int(dialled["port"]),
        "client_host": "agent1",
        "server_host": "media",
        "t_open": float(dialled["time"]),
        "client_payload_bytes": witness.bytes_read(media, data),
        "server_payload_bytes": 0,
        "control_sessions": [f"C{number}"],
        "announced_by": f"{'DATA_START_BACKUP' if version == 2 else 'DATA_CONNECT'} request in C{number}",
        "agent_side": [{"host": "agent1", "port": int(data["port"]), "role": "connects"}],
        **common,
    }
    return session, connection
