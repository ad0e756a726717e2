"""The lab's own small programs: mail, SNMP traps, plain connections. Each tells on stdout what its socket saw.

    talk.py mail-server | trap-server-udp | trap-server-tcp | listen PORT
    talk.py mail HOST | trap-udp HOST | trap-tcp HOST | connect HOST PORT

Run inside a lab host by lab.py; standard library only.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator

MAIL, TRAP = 25, 162
PATIENCE = 4.0
"""Seconds after which a connection that nobody answers is given up."""
LIFETIME = 60.0
"""Seconds after which a server ends by itself."""


def ber(tag: int, *parts: bytes) -> bytes:
    """Encode one ASN.1 value with a short length."""
    body = b"".join(parts)
    if len(body) > 127:
        raise ValueError("longer than a short length can tell")
    return bytes([tag, len(body)]) + body


def cold_start_trap() -> bytes:
    """Return an SNMPv2c trap: coldStart, ten seconds after the start (RFC 3416, section 4.2.6)."""
    uptime = ber(0x30, ber(0x06, bytes.fromhex("2b06010201010300")), ber(0x43, b"\x03\xe8"))
    cold_start = ber(0x06, bytes.fromhex("2b0601060301010501"))
    trap = ber(0x30, ber(0x06, bytes.fromhex("2b060106030101040100")), cold_start)
    pdu = ber(0xA7, ber(2, b"\x01"), ber(2, b"\x00"), ber(2, b"\x00"), ber(0x30, uptime, trap))
    return ber(0x30, ber(2, b"\x01"), ber(4, b"lab"), pdu)


def tell(connection: socket.socket, sent: int, received: int) -> None:
    """Print the connection as this process saw it."""
    client, server = connection.getsockname(), connection.getpeername()
    record = {"client": client[0], "client_port": client[1], "server": server[0], "server_port": server[1]}
    print(json.dumps({**record, "client_payload_bytes": sent, "server_payload_bytes": received}))


def open_connection(host: str, port: int) -> socket.socket | None:
    """Connect, or print why it did not work."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE)
    connection.bind(("::" if ":" in host else "0.0.0.0", 0))  # the port is known even if nobody answers
    local_port = connection.getsockname()[1]
    try:
        connection.connect((host, port))
    except OSError as error:
        record = {"client_port": local_port, "server": host, "server_port": port, "errno": error.errno}
        print(json.dumps({**record, "error": str(error)}))
        connection.close()
        return None
    return connection


def mail(host: str) -> None:
    """Deliver one message."""
    lines = ["EHLO lab", "MAIL FROM:<backup@lab.invalid>", "RCPT TO:<admin@lab.invalid>", "DATA"]
    lines += ["Subject: job finished\r\n\r\nThe job finished.\r\n.", "QUIT"]
    connection = open_connection(host, MAIL)
    if connection is None:
        return
    with connection:
        received, sent = len(connection.recv(1024)), 0
        for line in lines:
            data = f"{line}\r\n".encode()
            connection.sendall(data)
            sent += len(data)
            received += len(connection.recv(1024))
        tell(connection, sent, received)


def serve_mail() -> None:
    """Answer every client with the replies that mail() waits for."""
    for connection in accepted(MAIL):
        with connection:
            connection.sendall(b"220 lab ready\r\n")
            for code in (250, 250, 250, 354, 250, 221):
                if not connection.recv(1024):
                    break
                connection.sendall(b"%d lab\r\n" % code)


def trap_tcp(host: str) -> None:
    """Send one trap over TCP."""
    connection = open_connection(host, TRAP)
    if connection is None:
        return
    with connection:
        connection.sendall(cold_start_trap())
        tell(connection, len(cold_start_trap()), 0)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def trap_udp(host: str) -> None:
    """Send one trap over UDP."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect((host, TRAP))
        connection.send(cold_start_trap())
        tell(connection, len(cold_start_trap()), 0)


def plain(host: str, port: str) -> None:
    """Open a connection and close it again."""
    connection = open_connection(host, int(port))
    if connection is not None:
        with connection:
            tell(connection, 0, 0)


def accepted(port: int) -> Iterator[socket.socket]:
    """Yield the connections that arrive on a port, for a while."""
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    listener.settimeout(LIFETIME)
    print("READY", flush=True)
    while True:
        try:
            yield listener.accept()[0]
        except TimeoutError:
            return


def listen(port: str) -> None:
    """Accept connections and read them to their end."""
    for connection in accepted(int(port)):
        with connection:
            while connection.recv(4096):
                pass


def serve_traps_udp() -> None:
    """Take in datagrams on 162."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        receiver.bind(("::", TRAP))
        print("READY", flush=True)
        receiver.settimeout(LIFETIME)
        end = time.monotonic() + LIFETIME
        while time.monotonic() < end:
            receiver.recv(2048)


PROGRAMS = {
    "mail": mail,
    "trap-udp": trap_udp,
    "trap-tcp": trap_tcp,
    "connect": plain,
    "mail-server": serve_mail,
    "trap-server-udp": serve_traps_udp,
    "trap-server-tcp": lambda: listen(str(TRAP)),
    "listen": listen,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
