"""Asks the house server at argv[1] each line of its input, on one connection, and prints the answers."""

import socket
import struct
import sys

with socket.create_connection((sys.argv[1], 7700)) as server, server.makefile("rwb") as stream:
    for number, text in enumerate(map(str.strip, sys.stdin), start=1):
        stream.write(b"DM\1" + bytes([number]) + struct.pack(">H", len(text)) + text.encode())
        stream.flush()
        (length,) = struct.unpack(">H", stream.read(6)[4:])
        print(stream.read(length).decode(), flush=True)
