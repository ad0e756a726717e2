"""The flows column ``answered_elsewhere`` against its definition, flow by flow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from auditor.policy.outcome import ESTABLISHED, REFUSED, UNANSWERED, UNCERTAIN
from auditor.tables.flow_rows import _answered_elsewhere

HOSTS = 6


class Flows(dict[str, Any]):
    """Columns as a flow table has them."""

    addresses = range(HOSTS)

    def __len__(self) -> int:
        return len(self["orig_addr"])


@pytest.mark.parametrize("seed", range(40))
def test_a_flow_is_answered_elsewhere_as_defined(seed: int) -> None:
    random = np.random.default_rng(seed)
    length = int(random.integers(0, 120))
    flows = Flows(
        orig_addr=random.integers(0, HOSTS, length, np.uint32),
        resp_addr=random.integers(0, HOSTS, length, np.uint32),
        resp_port=random.choice(np.array([0, 25, 10000, 65535], np.uint16), length),
        transport=random.choice(np.array([6, 17], np.uint8), length),
    )
    outcome = random.integers(0, 4, length).astype(np.uint8)
    assert sorted([ESTABLISHED, UNANSWERED, REFUSED, UNCERTAIN]) == [0, 1, 2, 3]
    blocked = (outcome == UNANSWERED) | (outcome == REFUSED)
    source: Any = SimpleNamespace(flows=flows, blocked=blocked, verdicts=SimpleNamespace(outcome=outcome))

    keys = list(zip(*(flows[name].tolist() for name in flows), strict=True))
    answered = {key for key, how in zip(keys, outcome.tolist(), strict=True) if how == ESTABLISHED}
    expected = [bool(stuck) and key in answered for key, stuck in zip(keys, blocked.tolist(), strict=True)]
    assert _answered_elsewhere(source).tolist() == expected
