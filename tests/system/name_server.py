#!/usr/bin/python3
"""A DNS server that answers every question for an IPv4 address with 127.0.0.1, and every other with nothing.

    name_server.py ADDRESS

On port 53 of ADDRESS; prints "ready". For a machine's network of its own, in which it is the only one.
"""

import socket
import struct
import sys

TYPE_A = 1
HEADER = 12


def answer(question: bytes) -> bytes:
    end = question.index(0, HEADER) + 5  # The name ends with an empty label; type and class follow.
    (kind,) = struct.unpack("!H", question[end - 4 : end - 2])
    found = kind == TYPE_A
    header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, int(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, 60, 4) + socket.inet_aton("127.0.0.1")
    return header + question[HEADER:end] + (record if found else b"")


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        question, peer = server.recvfrom(4096)
        server.sendto(answer(question), peer)


main()
