"""What befalls a source is told: once, in words, and with what it means for what was not seen."""

from __future__ import annotations

from typing import Any

from auditor.watch.incidents import Incidents, suspended


class Counting:
    """A source that counts what a test wants."""

    ended, error = False, ""

    def __init__(self) -> None:
        self.told: dict[str, int] = {}

    def counters(self) -> dict[str, Any]:
        return dict(self.told)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not asked for")


def texts(incidents: Incidents) -> list[str]:
    return [f"{kind}: {text}" for kind, text, _ in incidents.news()]


def test_losses_are_told_as_they_grow_and_added_up() -> None:
    live = Counting()
    incidents = Incidents("eth0", live, interface=True)
    assert texts(incidents) == []
    live.told = {"kernel_drops": 3, "own_drops": 1}
    (told,) = texts(incidents)
    assert told.startswith(
        "loss: 4 packets lost since the last audit (3 by the kernel, 1 by auditor itself), 4 packets in all"
    )
    assert texts(incidents) == []
    live.told["kernel_drops"] = 5
    assert [facts["in_all"] for _, _, facts in incidents.news()] == [6]
    assert incidents.lost == 6


def test_a_clock_that_was_set_is_told_and_in_suspend_it_is_the_suspend() -> None:
    live, asleep = Counting(), [100.0]
    incidents = Incidents("eth0", live, interface=True, slept=lambda: asleep[0])
    live.told = {"clock_steps": 1}
    assert texts(incidents) == ["source: eth0: the clock was set by a minute or more (1 time)"]
    # The lid is closed for an hour; after it packets are an hour later than the clock that stood still would have them.
    live.told["clock_steps"], asleep[0] = 2, 3700.0
    assert texts(incidents) == [
        "source: eth0: this machine was suspended for 3600 s: what passed meanwhile was not seen"
    ]
    assert texts(incidents) == []
    asleep[0] += 0.4
    assert texts(incidents) == []


def test_a_recording_does_not_care_whether_this_machine_was_suspended() -> None:
    asleep = [0.0]
    incidents = Incidents("site.pcap", Counting(), interface=False, slept=lambda: asleep[0])
    asleep[0] = 3600.0
    assert texts(incidents) == []


def test_the_system_tells_of_suspend_and_never_goes_back() -> None:
    before = suspended()
    # Never negative but for the moment between two readings of two clocks.
    assert before > -1
    assert suspended() - before < 3600


def test_trouble_comes_and_goes() -> None:
    live = Counting()
    incidents = Incidents("eth0", live, interface=True)
    live.error, live.told = "the interface eth0 is down at the moment", {"interface_downs": 1}
    assert texts(incidents) == [
        "source: eth0: the interface went down (1 time)",
        "source: eth0: the interface eth0 is down at the moment",
    ]
    live.error = ""
    assert texts(incidents) == ["source: eth0: well again"]


def test_a_vlan_that_was_not_there_at_the_beginning_is_told_once() -> None:
    incidents = Incidents("eth0", Counting(), interface=True)
    seen = [[], [7], [7], [0, 7, 42], [0, 7, 42], range(100)]
    told = [[text for _, text, _ in incidents.vlans(one)] for one in seen]
    assert told[:3] == [[], [], []]
    assert told[3] == ["eth0: seen here for the first time: frames without a VLAN tag and VLAN 42"]
    # Of 100 tags 97 are new: five by name.
    assert told[4] == []
    assert told[5] == ["eth0: seen here for the first time: VLAN 1, VLAN 2, VLAN 3, VLAN 4, VLAN 5 and 92 other VLANs"]
