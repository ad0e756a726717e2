"""Builds NDMP messages by hand, as the core would hand them over, for tests of what stands above the core."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from auditor import _native
from auditor.ndmp import FIELD_COLUMNS, MESSAGE_COLUMNS, STREAM_COLUMNS, NdmpMessages

NO_ADDRESS = 0xFFFFFFFF
SECOND = 1_000_000_000
POSTS = frozenset({0x501, 0x502, 0x503, 0x504, 0x505, 0x602, 0x603})
"""Messages that the server sends unasked."""


@dataclass
class Talk:
    """Collects messages; times in seconds, addresses as codes of the flow table."""

    messages: list[dict[str, int]] = field(default_factory=list)
    fields: list[tuple[int, str, int, int]] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    streams: list[dict[str, int]] = field(default_factory=list)

    def stream(self, flow: int, *, began: int = 0, tls: bool = False) -> None:
        self.streams.append({"flow": flow, "began": began, "tls": int(tls), "messages": 1})

    def say(
        self,
        flow: int,
        code: int,
        *,
        reply: bool = False,
        at: float = 0.0,
        error: int = 0,
        status: str = "decoded",
        version: int = 3,
        address: tuple[int, int] | None = None,
        sequence: int = 0,
        answers: int = 0,
        by_server: bool | None = None,
        **values: int | str,
    ) -> None:
        row = len(self.messages)
        self.messages.append(
            {
                "flow": flow,
                "packet": row + 1,
                "time": int(at * SECOND),
                "from_responder": int(reply or code in POSTS if by_server is None else by_server),
                "message": code,
                "reply": int(reply),
                "sequence": sequence or row + 1,
                "reply_sequence": answers,
                "error": error,
                "version": version,
                "status": _native.MESSAGE_STATUS.index(status),
            }
        )
        for name, value in values.items():
            if isinstance(value, str):
                self.texts.append((row, name, value))
            else:
                self.fields.append((row, name, value, NO_ADDRESS))
        if address is not None:
            self.fields.append((row, "address", address[1], address[0]))

    def done(self) -> NdmpMessages:
        names = {name: code for code, name in enumerate(_native.FIELD_NAMES)}
        messages = {c.name: np.array([m.get(c.name, 0) for m in self.messages], c.dtype) for c in MESSAGE_COLUMNS}
        said = [(row, name, number, -1, address) for row, name, number, address in self.fields]
        said += [(row, name, 0, text, NO_ADDRESS) for text, (row, name, _) in enumerate(self.texts)]
        said.sort(key=lambda one: one[0])
        values = {
            "message": [one[0] for one in said],
            "name": [names[one[1]] for one in said],
            "number": [one[2] for one in said],
            "text": [one[3] for one in said],
            "address": [one[4] for one in said],
        }
        fields = {c.name: np.array(values[c.name], c.dtype) for c in FIELD_COLUMNS}
        streams = {c.name: np.array([s.get(c.name, 0) for s in self.streams], c.dtype) for c in STREAM_COLUMNS}
        return NdmpMessages(messages, fields, [text for _, _, text in self.texts], streams)
