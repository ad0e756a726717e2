"""The flow notation: one line of text for one flow, the test language of the whole project.

    10.0.1.5:49152 > 10.0.2.9:10000 tcp S0 x3
    10.0.1.5:49152 > 10.0.2.9:10000 tcp SF app=ndmp control login=accepted
    10.0.1.5:49200 > 10.0.2.9:50101 tcp SF bytes=0/215040 data=proved
    capture packets=0 status=unreadable
    policy data_direction=media-to-agent
    listener 10.0.2.9 tcp *:10000 beremote.exe

After the two ends and the transport follow words in any order; ``WORDS`` explains each. What a flow itself can carry goes
into the ``FlowTable``; what only the reading of NDMP messages would tell (``control``, ``data=``, ``login=`` …) goes into
``Marks``. A data connection belongs to the control connection on the nearest line above it. ``#`` begins a comment.
"""

from __future__ import annotations

from auditor.notation.build import flow_text, table_of
from auditor.notation.model import WORDS, CaptureLine, Flow, Marks, Scene
from auditor.notation.read import parse, parse_flow

__all__ = ["WORDS", "CaptureLine", "Flow", "Marks", "Scene", "flow_text", "parse", "parse_flow", "table_of"]
