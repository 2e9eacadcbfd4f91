"""Ports for servers that do not tell which one they have taken."""

import pathlib
import random
import socket

FIRST = 15000
EPHEMERAL = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A loopback port that nobody listens on at this moment, and that no connection out of this machine gets."""
    behind = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32768
    if behind <= FIRST:  # Connections out get any port here.
        behind = 32768
    while True:
        port = random.randrange(FIRST, behind)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
