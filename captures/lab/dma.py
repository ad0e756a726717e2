#!/usr/bin/env python3
"""An NDMP client of the lab: media server with a mover of its own, or master of a transfer between two others.

    dma.py LOG JOBS    JOBS: a JSON list; each job starts after its ``after`` seconds, in a thread of its own

A job: ``servers`` [[address, port], …], ``version``, ``auth`` (none, text, md5), ``tls``, ``linger`` (seconds before the
close), and ``steps``, one transfer each, one after another on the same control connections:
``way``   agent-listens, agent-connects, mover-listens, data-listens, data-to-data, local
``op``    backup or restore; ``size`` bytes, ``pace`` seconds between chunks, ``poll`` seconds between questions
``at``    address on which the client listens; ``announce`` another that it names
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any

from server import AUTHENTICATIONS, PASSWORD
from transfer import Transfer
from wire import CODES, TCP, TCP6, Body, Channel, End, Log, Message, digest, encode_end, ends, pairs, text, u32, u64

Json = dict[str, Any]
PATIENCE = 20.0
DATA_HALTED, MOVER_HALTED = CODES["NOTIFY_DATA_HALTED"], CODES["NOTIFY_MOVER_HALTED"]


class Control:
    """The client's end of one control connection."""

    def __init__(self, job: Json, end: End, log: Log) -> None:
        self.version: int = job["version"]
        self._channel = Channel(socket.create_connection(end, timeout=PATIENCE), server=False)
        self._halted: set[int] = set()
        self._ends = ends(self._channel.socket)
        self._log = log
        self._greeted = self._next()
        self.ask("CONNECT_OPEN", u32(self.version))
        if job.get("tls"):
            names = text("MEDIA") + text("media.lab.invalid") + text(self._ends["local"][0])
            self.ask("SSL", u32(4) + names + u32(1, 1, 0, 0, 0) + text("") + u32(0) + text(""))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion[job["tls"]]
            self._channel.socket = context.wrap_socket(self._channel.socket)
        self._login(job["auth"])

    def _login(self, kind: str) -> None:
        number = {name: code for code, name in AUTHENTICATIONS.items()}[kind]
        said = {"none": b"", "text": text("ndmp") + text(PASSWORD)}
        if kind == "md5":
            reply = Body(self.ask("CONFIG_GET_AUTH_ATTR", u32(2)))
            reply.u32()
            said["md5"] = text("ndmp") + digest(PASSWORD, reply.raw(64))
        self.ask("CONNECT_CLIENT_AUTH", u32(number) + said[kind])

    def ask(self, name: str, body: bytes = b"") -> bytes:
        """Send a request and return its reply's body behind the error word; raises RuntimeError on an error."""
        sequence = self._channel.send(CODES[name], body)
        while True:
            message = self._next()
            if message.reply and message.answers == sequence:
                break
        error = message.error or int.from_bytes(message.body[:4])
        if error:
            raise RuntimeError(f"{name}: error {error}")
        return message.body[4:]

    def halted(self, code: int, poll: float) -> bool:
        """Wait ``poll`` seconds for a HALTED notice; return whether it has come."""
        end = time.monotonic() + poll
        while code not in self._halted and (left := end - time.monotonic()) > 0:
            message = self._channel.receive(left)
            if message is not None:
                self._note(message)
        return code in self._halted

    def forget(self) -> None:
        """Forget the notices of the last transfer."""
        self._halted.clear()

    def close(self) -> None:
        """End the session."""
        self._channel.send(CODES["CONNECT_CLOSE"])
        self._channel.socket.close()
        self._log.tell("control", **self._ends)

    def _next(self) -> Message:
        message = self._channel.receive(PATIENCE)
        if message is None:
            raise TimeoutError
        self._note(message)
        return message

    def _note(self, message: Message) -> None:
        if message.code in (DATA_HALTED, MOVER_HALTED):
            self._halted.add(message.code)


class Job:
    """Control connections and the transfers on them."""

    def __init__(self, job: Json, log: Log) -> None:
        self._job = job
        self._log = log
        self._controls = [Control(job, (host, port), log) for host, port in job["servers"]]

    def run(self) -> None:
        """Do the steps, then close."""
        for step in self._job["steps"]:
            {
                "agent-listens": self._two_way,
                "agent-connects": self._two_way,
                "mover-listens": self._three_way,
                "data-listens": self._three_way,
                "data-to-data": self._copy,
                "local": self._local,
            }[step["way"]](step)
            for control in self._controls:
                control.forget()
        time.sleep(self._job.get("linger", 0.0))
        for control in self._controls:
            control.close()

    def _two_way(self, step: Json) -> None:
        """Move the data on the client itself."""
        (control,) = self._controls
        own = Transfer(self._log, "", "mover")
        backup, first = step["op"] == "backup", None
        if step["way"] == "agent-listens":
            own.connect(_announced(control, "DATA_LISTEN"))
        else:
            host, port = own.listen(step["at"])
            first = (step.get("announce", host), port)
        # A listener must accept while DATA_CONNECT is still unanswered; the kernel does that for it.
        if first is not None and control.version > 2:
            control.ask("DATA_CONNECT", encode_end(control.version, first))
        if backup:
            own.start(None, 0)
            self._start(control, step, first)
        else:
            self._start(control, step, first)
            own.start(step["size"], step.get("pace", 0))
        self._poll(control, step)
        own.wait()
        _finish_data(control)

    def _three_way(self, step: Json) -> None:
        """Drive a data server, which comes first, and a tape server; either may listen."""
        data, tape = self._controls
        mode = u32(0 if step["op"] == "backup" else 1)
        tape.ask("MOVER_SET_RECORD_SIZE", u32(10240))
        tape.ask("MOVER_SET_WINDOW", u64(0) + u64(step["size"]))
        first = None
        if step["way"] == "mover-listens":
            first = _announced(tape, "MOVER_LISTEN", mode)
            if data.version > 2:
                data.ask("DATA_CONNECT", encode_end(data.version, first))
        else:
            end = _announced(data, "DATA_LISTEN")
            tape.ask("MOVER_CONNECT", mode + encode_end(tape.version, end))
        self._start(data, step, first)
        self._poll(data, step)
        while not tape.halted(MOVER_HALTED, step.get("poll", 0.2)):
            tape.ask("MOVER_GET_STATE")
        _finish_data(data)
        tape.ask("MOVER_STOP")

    def _copy(self, step: Json) -> None:
        """One data server backs up into another, which restores."""
        source, target = self._controls
        end = _announced(target, "DATA_LISTEN")
        source.ask("DATA_CONNECT", encode_end(source.version, end))
        self._start(target, {**step, "op": "restore"}, None)
        self._start(source, step, None)
        self._poll(source, step)
        self._poll(target, step)
        _finish_data(source)
        _finish_data(target)

    def _local(self, step: Json) -> None:
        (control,) = self._controls
        control.ask("MOVER_LISTEN", u32(0, 0))
        control.ask("DATA_CONNECT", encode_end(control.version, None))
        self._start(control, step, None)
        self._poll(control, step)
        _finish_data(control)

    def _start(self, control: Control, step: Json, first: End | None) -> None:
        end = encode_end(2, first) if control.version == 2 else b""
        said = pairs({"FILESYSTEM": "/lab", "LAB_SIZE": str(step["size"]), "LAB_PACE": str(step.get("pace", 0))})
        if step["op"] == "backup":
            control.ask("DATA_START_BACKUP", end + text("tar") + said)
        else:
            control.ask("DATA_START_RECOVER", end + said + u32(0) + text("tar"))

    def _poll(self, control: Control, step: Json) -> None:
        while not control.halted(DATA_HALTED, step.get("poll", 0.2)):
            control.ask("DATA_GET_STATE")


def _announced(control: Control, name: str, mode: bytes = b"") -> End:
    """Have a server listen; return the end that it names."""
    family = TCP6 if ":" in control._ends["remote"][0] else TCP  # noqa: SLF001 - of this module
    reply = Body(control.ask(name, mode + u32(family)))
    end = reply.end(control.version)
    assert end is not None
    return end


def _finish_data(control: Control) -> None:
    control.ask("DATA_GET_STATE")
    control.ask("DATA_GET_ENV")
    control.ask("DATA_STOP")


def main() -> int:
    """Run the jobs; return how many failed."""
    log, jobs = Log(Path(sys.argv[1])), json.loads(Path(sys.argv[2]).read_text())
    failed: list[str] = []
    began = time.monotonic()

    def run(job: Json) -> None:
        try:
            time.sleep(max(0.0, began + job.get("after", 0) - time.monotonic()))
            Job(job, log).run()
        except (OSError, EOFError, RuntimeError) as error:
            failed.append(f"{job}: {error!r}")

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*failed, sep="\n", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
