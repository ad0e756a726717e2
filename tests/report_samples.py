"""Reports made by hand, for tests of the renderers: what they should show is known without running an audit."""

from __future__ import annotations

from dataclasses import replace

from auditor.model import (
    Assessment,
    Authentication,
    CapacityPoint,
    CaptureSummary,
    ControlAssessment,
    ControlSummary,
    DataEnd,
    DataSummary,
    Evidence,
    Finding,
    FlowReference,
    HostCapacity,
    HostSummary,
    PolicySummary,
    Report,
    ReportVerdict,
    ServiceSummary,
    SessionSummary,
    Severity,
    UndecidedSummary,
)

HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\u202ec\r\nd\x9b31m\u2028e\u200bf\x00"
"""Clears the screen, sets the title, turns the text around, breaks lines, hides: nothing of it may reach a terminal."""


def capture(path: str = "site.pcap", **changes: object) -> CaptureSummary:
    """Return a capture of 1,252 packets read to its end."""
    summary = CaptureSummary(
        path=path,
        format="pcap",
        sha256=None,
        packets=1252,
        bytes=1_126_400,
        first="2026-11-22T15:42:15.084062000Z",
        last="2026-11-22T15:42:23.511000001Z",
        link_types=("Ethernet",),
        problems={},
        snaplen=262144,
    )
    return replace(summary, **changes)  # type: ignore[arg-type]


def finding(port: int = 40011, **changes: object) -> Finding:
    """Return a data connection outside the declared range."""
    made = Finding(
        code="BX301",
        name="data-port-outside-range",
        severity=Severity.MEDIUM,
        message=f"10.77.0.21 listened for backup data on port {port}, outside 50100-50124.",
        subject={"host": "10.77.0.21", "port": str(port)},
        key=f"BX301 host=10.77.0.21 port={port}",
        consequence="A firewall that opens only the declared range blocks this backup.",
        remedy="Set the dynamic port range of the agent to 50100-50124.",
        evidence=(Evidence(FlowReference("tcp", "10.77.0.10:36576", f"10.77.0.21:{port}"), (30, 34), "site.pcap"),),
        flows=1,
        title="Data port outside the declared range",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def session(**changes: object) -> SessionSummary:
    """Return a control connection with the data connection that it announced."""
    made = SessionSummary(
        control=ControlSummary(
            "10.77.0.10:35014", "10.77.0.21:10000", 1, 120, "site.pcap",
            "2026-11-22T15:42:15.084062000Z", "2026-11-22T15:42:20.000000000Z", "syn",
        ),
        ndmp_version=4,
        authentication=(Authentication("md5", True),),
        tls=False,
        data=(
            DataSummary(
                "10.77.0.10:36576", "10.77.0.21:40011", 30, "proved", ("DATA_LISTEN reply in packet 28",),
                110, "site.pcap", 0, 215040, "SF",
                "2026-11-22T15:42:15.516522000Z", "2026-11-22T15:42:15.574803000Z",
                (DataEnd("10.77.0.21", 40011, "listens", "50100-50124", False),),
            ),
        ),
        readable="read",
        operations=("backup",),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def capacity(**changes: object) -> HostCapacity:
    """Return an agent whose range was used up."""
    made = HostCapacity(
        host="10.77.0.21", zone="agents", role="agents", declared="50100-50124", limit=25, advised=25,
        operations=33, peak_operations=11, peak_operations_at="2026-11-22T15:42:15.084062000Z",
        connections=33, peak_open=11, peak_open_at="2026-11-22T15:42:15.084062000Z",
        peak_held=33, peak_held_at="2026-11-22T15:42:23.511000001Z", waiting_at_peak=22, ports_per_operation=1,
        ports_per="operation", time_wait_seconds=120, full_at="2026-11-22T15:42:23.000000000Z",
        blocked=1, delayed=1, strained=2, unknown_close=1, enough=33, arithmetic="2 ports × 11 = 22; 33 held",
        curve=(CapacityPoint("2026-11-22T15:42:15.084062000Z", 11, 11, 22),),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def control(assessment: Assessment = Assessment.AGAINST, **changes: object) -> ControlAssessment:
    """Return a control that a finding speaks against."""
    made = ControlAssessment(
        "NIST SP 800-53 Rev. 5", "SC-7", "Boundary Protection", assessment, "1 finding.", ("BX301 x=1",)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def report(**changes: object) -> Report:
    """Return a small report with two findings of one kind."""
    made = Report(
        verdict=ReportVerdict.VIOLATIONS,
        summary="VIOLATIONS: 2 findings (2 medium) in 1 control and 1 data connection of 2 hosts",
        policy=PolicySummary(
            "site.yaml", False, "11d-12",
            {"media-servers": ("10.77.0.10",), "agents": ("10.77.0.21", "10.77.0.22")}, 10000,
            {"agents": "50100-50124"},
        ),
        captures=(capture(),),
        hosts=(
            HostSummary(
                "10.77.0.10", "media-servers", ("media server",),
                ("media server: opened 1 NDMP control connection to port 10000 (packet 1)",), "media",
            ),
            HostSummary(
                "10.77.0.21", "agents", ("beremote.exe",),
                ("beremote.exe: answered 1 NDMP control connection on port 10000 (packet 1)",), "agent1",
            ),
        ),
        services=(
            ServiceSummary(
                "Backup Exec Remote Agent", "beremote.exe", "tcp", "10000", "media-servers → agents",
                1, 120, 18_000, "permit", "remote-agent", "",
            ),
            ServiceSummary(
                "not a Backup Exec service", "", "tcp", "1024-65535", "undeclared → media-servers",
                3, 20, 3_000, "unstated", "", "",
            ),
        ),
        sessions=(session(),),
        findings=(finding(), finding(40015)),
        capacity=(capacity(),),
        controls=(control(), control(Assessment.NOT_ASSESSABLE, id="CP-9", title="System Backup")),
        limits=("The capturing program dropped 3 packets.",),
        totals={"packets": 1252, "flows": 9},
        version="0.1.0",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def hostile_report() -> Report:
    """Return a report every text of which was written by an attacker."""
    flow = FlowReference(HOSTILE, HOSTILE, HOSTILE)
    return report(
        summary=f"VIOLATIONS: {HOSTILE}",
        policy=PolicySummary(HOSTILE, False, HOSTILE, {HOSTILE: (HOSTILE,)}, 10000, {HOSTILE: HOSTILE}),
        captures=(
            capture(HOSTILE, error=HOSTILE, status="partial", problems={HOSTILE: 1}, link_types=(HOSTILE,)),
            capture(HOSTILE),
        ),
        hosts=(HostSummary(HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,), HOSTILE),),
        services=(ServiceSummary(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1, 1, HOSTILE, HOSTILE, HOSTILE),),
        sessions=(
            session(
                authentication=(Authentication(HOSTILE, None),),
                operations=(HOSTILE,),
                notes=(HOSTILE,),
                readable=HOSTILE,
                data=(DataSummary(HOSTILE, HOSTILE, 1, HOSTILE, (HOSTILE,), 2, HOSTILE, 1, 1, HOSTILE),),
            ),
        ),
        undecided=(
            UndecidedSummary(HOSTILE, HOSTILE, 1, 2, HOSTILE, 9, (flow,), HOSTILE, 1, 1, HOSTILE, HOSTILE, HOSTILE),
        ),
        findings=(
            finding(
                code=HOSTILE,
                message=HOSTILE,
                title=HOSTILE,
                consequence=HOSTILE,
                remedy=HOSTILE,
                evidence=(Evidence(flow, (1,), HOSTILE, HOSTILE),),
            ),
        ),
        capacity=(
            capacity(
                host=HOSTILE,
                zone=HOSTILE,
                role=HOSTILE,
                declared=HOSTILE,
                full_at=HOSTILE,
                arithmetic=HOSTILE,
                curve=(CapacityPoint(HOSTILE, 1, 1, 1),),
            ),
        ),
        controls=tuple(
            control(word, framework=HOSTILE, id=HOSTILE, title=HOSTILE, because=HOSTILE, findings=(HOSTILE,))
            for word in Assessment
        ),
        limits=(HOSTILE,),
        version=HOSTILE,
    )
