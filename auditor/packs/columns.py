"""The tables and columns that rules may ask about. ``auditor.tables`` fills them; a test holds both together.

Imports no NumPy, so that ``auditor rules list`` stays quick.
"""

from __future__ import annotations

import enum

from auditor.packs.words import (
    BOUND,
    EXCESS,
    GRADES,
    LOGIN_POLICIES,
    LOGINS,
    MISFITS,
    OUTCOMES,
    READABLE,
    ROLES,
    STATUSES,
    TRANSPORTS,
    VERDICTS,
    WAIVER_STATES,
)
from auditor.records import record


class Kind(enum.Enum):
    """What a column holds, and so how a rule may ask for it."""

    WORD = "word"
    FLAG = "flag"
    NUMBER = "number"
    ADDRESS = "address"


@record
class RuleColumn:
    """A column of a table. ``words`` lists all that can occur; empty where names come from policy or core."""

    name: str
    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()


def _word(name: str, meaning: str, words: tuple[str, ...] = ()) -> RuleColumn:
    return RuleColumn(name, Kind.WORD, meaning, words)


def _flag(name: str, meaning: str) -> RuleColumn:
    return RuleColumn(name, Kind.FLAG, meaning)


def _number(name: str, meaning: str) -> RuleColumn:
    return RuleColumn(name, Kind.NUMBER, meaning)


def _address(name: str, meaning: str) -> RuleColumn:
    return RuleColumn(name, Kind.ADDRESS, meaning)


FLOW_COLUMNS = (
    _address("originator", "address of the host that opened the flow"),
    _address("responder", "address of the host that was addressed"),
    _number("orig_port", "port of the originator"),
    _number("resp_port", "port of the responder"),
    _word("transport", "tcp, udp, icmp, icmp6 or an IP protocol number"),
    _word("state", "Zeek's connection state"),
    _word("originator_by", "how the originator is known"),
    _word("refusal", "how it was refused"),
    _word("app", "protocol recognised from payload"),
    _word("how", "what became of the attempt, in words for a message"),
    _number("orig_packets", "packets from the originator"),
    _number("resp_packets", "packets from the responder"),
    _number("orig_payload", "payload bytes from the originator"),
    _number("resp_payload", "payload bytes from the responder"),
    _number("missed", "TCP bytes that the capture lacks, both directions"),
    _number("vlan", "outermost VLAN, 0 for none"),
    _word("tunnel", "outermost tunnel that the flow came in, or none"),
    _word("orig_zone", "zone of the originator; undeclared where no zone names it"),
    _word("resp_zone", "zone of the responder; undeclared where no zone names it"),
    _word("orig_role", "role of the originator's zone", ROLES),
    _word("resp_role", "role of the responder's zone", ROLES),
    _flag("media_server_end", "a media server is an end of the flow"),
    _flag("undeclared_end", "an end of the flow is in no zone"),
    _word("service", "catalogue service by port and role: its id"),
    _word("service_name", "that service as the vendor calls it"),
    _word("family", "family of that service"),
    _word("process", "process that serves it"),
    _word("verdict", "what the policy intends", VERDICTS),
    _word("outcome", "what was observed", OUTCOMES),
    _flag("passed", "traffic got through: established, or a datagram of a service that does not answer"),
    _word("term", "term that decided"),
    _word("nearest", "term that fitted but for one thing"),
    _word("misfit", "the one thing that did not fit", MISFITS),
    _word("doubt", "why the verdict is not certain"),
    _flag("smtp", "to a port on which mail notification may go out"),
    _flag("snmp_trap", "to a port on which SNMP notification may go out"),
    _flag("notification", "either of these two"),
    _flag("control", "control connection or the attempt at one: NDMP on any port, or towards the declared NDMP port"),
    _flag("data", "data connection, or the attempt at one, tied to a control connection"),
    _word("grade", "how sure that tie is", GRADES),
    _word("control_verdict", "verdict on the control connection that a data connection belongs to"),
    _word("login", "best answer to a login on a control connection", LOGINS),
    _flag("on_ndmp_port", "the responder's port is the NDMP port declared for it"),
    _number("ndmp_port", "NDMP port declared for the responder"),
    _flag("listens_outside", "data connection whose listening port is outside the range declared for that host"),
    _flag("ndmp_elsewhere", "the responder was seen to serve NDMP on a port other than the declared one"),
    _flag(
        "ndmp_port_of_others",
        "the port is not the one declared for the responder, but NDMP is declared or served there elsewhere",
    ),
    _flag(
        "called_on_own_port",
        "the port is not the NDMP port declared for the responder, but the one declared for the originator itself",
    ),
    _number("ndmp_hosts_tried", "hosts whose declared NDMP port the originator tried without a login or in vain"),
    _flag("ndmp_port_dead", "the responder's declared NDMP port was refused or silent in this capture"),
    _flag("answered_elsewhere", "another flow of the same originator, responder, transport and port was established"),
    _flag("at_the_end", "began so shortly before the capture's end that no answer could be expected"),
    _number(
        "ends_tried",
        "ends, host and port, of declared hosts that the originator tried by TCP in vain; 0 below twenty such flows",
    ),
    _flag("mid_stream", "began before the capture: no handshake was seen"),
)
DATA_COLUMNS = (
    _address("host", "address of this end"),
    _address("peer", "address of the other end"),
    _word("zone", "zone of this end"),
    _word("role", "role of this end's zone", ROLES),
    _word("side", "whether this end listens or connects", ("listens", "connects")),
    _number("port", "port of this end"),
    _flag("declared", "a dynamic range is declared for this end"),
    _word("declared_range", "that range"),
    _flag("inside", "the port is inside that range"),
    _word("grade", "how sure the tie to a control connection is", GRADES),
    _word("outcome", "what was observed", OUTCOMES),
    _word("how", "what became of the attempt, in words for a message"),
)
SESSION_COLUMNS = (
    _address("originator", "address of the host that opened the control connection"),
    _address("responder", "address of the NDMP server"),
    _number("resp_port", "port of the NDMP server"),
    _word("orig_zone", "zone of the originator"),
    _word("resp_zone", "zone of the responder"),
    _word("orig_role", "role of the originator's zone", ROLES),
    _word("resp_role", "role of the responder's zone", ROLES),
    _number("version", "NDMP version in force, 0 where it was not readable"),
    _word("auth", "strongest statement about the login: none, or its type (text, md5 …)"),
    _word("login", "best answer to a login", LOGINS),
    _word("login_policy", "what the policy says of logins of that type at the server", LOGIN_POLICIES),
    _flag("tls", "the control connection is inside TLS"),
    _word("readable", "how much of the control connection could be read", READABLE),
    _flag("transfer", "a transfer was started or announced"),
    _flag("local", "the data stays on the NDMP server"),
    _flag("settled", "the session was closed, or the capture went on long enough for a data connection to follow"),
    _number("data_connections", "data connections, or attempts, tied to the session"),
    _number("undecided", "data connections, tied to none, that this control connection may have opened"),
    _flag("one_sided", "of the control connection, or of others of its NDMP server, one direction alone was captured"),
    _number("missed", "bytes of the control connection that the capture lacks"),
    _number("cut_messages", "NDMP messages whose body was not captured"),
    _word("verdict", "what the policy intends for the control connection", VERDICTS),
    _word("answered_early", "requests answered with success before a login was accepted, or none"),
    _flag("acted_early", "one of these requests does more than ask for the configuration"),
    _flag("offers_sha", "the server lists authentication type 5 (SHA)"),
    _flag("offers_known", "the server's list of authentication types was read"),
    _word("revision", "revision of a Backup Exec agent as it calls itself, or none"),
    _number("revision_number", "that revision as a number, 9.3 as 903; 0 for none"),
    _flag("root_without_challenge", "a digest for root was sent though no challenge had been asked for"),
    _flag("known_digest", "a digest for root was the constant that tools for CVE-2005-2611 send"),
    _flag("trust_exchange", "certificates were asked for or delivered on the control connection (0xf383)"),
    _word("authority", "subject of the authority whose certificate was delivered with them, or none"),
    _number("authority_days", "days from the beginning to the end of that certificate's validity; 0 for none"),
    _word("clear_commands", "kinds of file and command messages in clear, or none"),
    _number("tls_starts", "times that TLS was asked to begin on the control connection"),
    _word("tls_version", "lowest version of TLS that a server chose on the control connection, or none"),
    _flag("certificate_invalid", "a server's certificate on it was not valid at the time"),
    _word(
        "third_host",
        "host that the server was told to connect to and that is no end of the control connection, or none",
    ),
    _word("third_host_role", "role of that host's zone, or none", ("none", *ROLES)),
)
CAPTURE_COLUMNS = (
    _word("path", "the capture as it was named"),
    _word("stretch", "the capture, and how many files go on where it ends; connections count with the first of these"),
    _word("status", "how far it could be read", STATUSES),
    _word("error", "why it could not be read to its end"),
    _number("packets", "packets read"),
    _number("drops", "packets that the capturing program dropped"),
    _number("drops_percent", "share of the drops in all packets, in percent"),
    _number("tcp_flows", "TCP connections whose ends have exchanged more than a handshake"),
    _number("one_sided", "of these, connections of which only one direction was captured"),
    _number("one_sided_percent", "share of these, in percent"),
)
POLICY_COLUMNS = (
    _flag("inferred", "no policy was given: roles come from the traffic"),
    _word("generation", "product generation"),
    _number("flows", "flows in all captures"),
    _number("ranges", "zones and hosts that declare a dynamic range"),
    _number("in_scope", "flows that the policy speaks about: a declared host is an end"),
)
HOST_COLUMNS = (
    _address("host", "address"),
    _word("zone", "zone of the host"),
    _word("role", "role of that zone", ROLES),
    _flag("declared", "a dynamic range is declared for the host"),
    _word("declared_range", "that range"),
    _number("declared_size", "ports in that range, 0 where none is declared"),
    _number("data_connections", "data connections with an end at this host"),
    _number("peak", "most data ports of the host in use at the same time"),
    _number("ports_used", "different data ports used"),
)
LISTENER_COLUMNS = (
    _word("host", "address of the host that printed the listing"),
    _word("zone", "zone of the host"),
    _word("role", "role of that zone", ROLES),
    _word("listing", "the listing as it was named"),
    _number("line", "line of the listing, 0 for a socket that it lacks"),
    _flag("listens", "the listing has this socket; otherwise the service is expected and missing"),
    _word("transport", "tcp or udp", TRANSPORTS),
    _word("port", "port of the socket, or the ports of the service that is missing"),
    _word("bound", "how widely the socket is bound: to loopback, to one address, to all", BOUND),
    _word("excess", "how it is bound wider than the policy needs", EXCESS),
    _word("program", "program that owns it, or none where the listing does not tell"),
    _flag("program_told", "the listing tells that program"),
    _flag("of_backup_exec", "it is a program of the vendor's tables"),
    _word("service", "the vendor's service that a host of this role offers on this port, or none"),
    _word("service_name", "that service as the vendor calls it"),
    _word("family", "family of that service"),
    _word("expected_program", "program that the vendor names for it"),
    _flag("right_program", "the program is that one"),
    _flag(
        "data_port", "the port is one that data connections may use: in the declared range, or dynamic where none is"
    ),
    _number("callers", "addresses beside the host's own that the policy lets connect to the socket"),
)
CAPACITY_COLUMNS = (
    _address("host", "address"),
    _word("zone", "zone of the host"),
    _word("role", "role of that zone", ROLES),
    _flag("declared", "a dynamic range is declared for the host"),
    _word("declared_range", "that range"),
    _number("limit", "ports in that range; the advised 25 where an agent declares none, 0 for other hosts"),
    _number("operations", "operations with an end at this host"),
    _number("peak_operations", "most of them at the same time"),
    _number("peak_open", "most data ports of the host in open connections at the same time"),
    _number("peak_held", "most data ports open or in TIME_WAIT at the same time"),
    _number("waiting", "of these, ports in TIME_WAIT"),
    _number("time_wait", "seconds of TIME_WAIT that the policy assumes"),
    _number("ports_per_operation", "most data ports of the host that one operation used"),
    _number("enough", "ports that would have been enough"),
    _word("arithmetic", "why so many"),
    _number("missing", "ports that the declared range has too few for that, 0 where it has enough"),
    _flag("full", "at some time as many ports were held as the limit has"),
    _word("full_at", "the first such time, or never"),
    _number("blocked", "data connections that were not answered or refused"),
    _number("delayed", "data connections answered only after a repeated SYN"),
    _number("strained", "of these two, those that began while no port was free"),
)
TERM_COLUMNS = (
    _word("term", "name of the term"),
    _word("text", "the term as one line"),
    _word("action", "what it does", ("permit", "deny")),
    _word("origin", "whose it is", ("vendor", "site")),
    _number("position", "place in the order of terms, from 1"),
    _number("flows", "flows in scope that it decided"),
    _flag("exercised", "it decided at least one flow"),
    _flag("shadowed", "an earlier term of the site covers it wholly, so that it can never decide"),
    _word("shadowed_by", "that earlier term, or none"),
    _word("shadowed_by_text", "the earlier term as one line, or none"),
)
RANGE_COLUMNS = (
    _word("scope", "zone, or host with a range of its own"),
    _word("kind", "which of the two", ("zone", "host")),
    _word("role", "role of the zone", ROLES),
    _flag("declared", "a dynamic range is declared"),
    _word("declared_range", "that range, or none"),
    _number("size", "ports in that range"),
    _number("advised", "ports that the vendor advises, 0 for media servers"),
    _flag("overlaps", "the range shares ports with a range of media servers"),
    _word("overlap", "those media servers and their range, or none"),
    _flag("holds_service", "the range holds a fixed port of a known service, or a port below 1024"),
    _word("service_inside", "that service and its port, or none"),
    _number("ndmp_inside", "an NDMP port of other hosts that the range holds, 0 for none"),
)
EXPECTED_COLUMNS = (
    _word("kind", "what is expected", ("host", "service")),
    _word("name", "address of the host, or the vendor's name of the service"),
    _word("zone", "zone of the host, or none"),
    _word("role", "role of that zone, or none", ("none", *ROLES)),
    _word("service", "id of the service, or none"),
    _word("family", "family of the service, or none"),
    _flag("seen", "the host was an end of a flow; the service was used as the policy permits"),
    _flag("controlled", "the host was an end of an established control connection"),
    _flag(
        "complete", "captures read to their end, nothing dropped, both directions there, no vantage that hides others"
    ),
    _number("minutes", "minutes from the first packet to the last"),
)
WAIVER_COLUMNS = (
    _word("code", "code of the rule that is waived"),
    _word("covers", "hosts, ports and terms that it covers"),
    _word("owner", "who answers for it"),
    _word("expires", "its last day"),
    _word("place", "file and line"),
    _word("standing", "whether it holds on the day of judgement", WAIVER_STATES),
    _number("findings", "findings that it covers, or would if it were in force"),
    _number("days", "days to its last day, or since then"),
    _flag("soon", "it is in force and ends within its days of warning"),
)
TABLES: dict[str, dict[str, RuleColumn]] = {
    name: {column.name: column for column in columns}
    for name, columns in {
        "flows": FLOW_COLUMNS,
        "data": DATA_COLUMNS,
        "sessions": SESSION_COLUMNS,
        "captures": CAPTURE_COLUMNS,
        "policy": POLICY_COLUMNS,
        "hosts": HOST_COLUMNS,
        "listeners": LISTENER_COLUMNS,
        "capacity": CAPACITY_COLUMNS,
        "terms": TERM_COLUMNS,
        "ranges": RANGE_COLUMNS,
        "expected": EXPECTED_COLUMNS,
        "waivers": WAIVER_COLUMNS,
    }.items()
}
"""Name of the table -> name of the column -> column."""
